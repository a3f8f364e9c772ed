//! The screens, as one table: a screen that is added here has its tab, its key and its help.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::commands::{self, CommandId, Context};
use crate::tui::model::Model;

pub mod checkup;
pub mod networks;
pub mod preview;
pub mod services;
pub mod setup;

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScreenId {
    /// What listens.
    #[default]
    Services,
    /// The interfaces.
    Networks,
    /// What applying would change.
    Preview,
    /// What is harmful, redundant or missing here.
    Checkup,
}

/// What a screen is made of.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Which it is.
    pub id: ScreenId,
    /// What shows it.
    pub show: CommandId,
    /// The name in its tab.
    pub title: &'static str,
    /// Whose commands hold on it.
    pub context: Context,
    /// Draws it.
    pub draw: fn(&Model, &mut Frame<'_>, Rect),
}

/// Every screen, in the order of the tabs.
pub const SCREENS: [Screen; 4] = [
    Screen {
        id: ScreenId::Services,
        show: CommandId::ShowServices,
        title: "Services",
        context: Context::Services,
        draw: services::draw,
    },
    Screen {
        id: ScreenId::Networks,
        show: CommandId::ShowNetworks,
        title: "Networks",
        context: Context::Networks,
        draw: networks::draw,
    },
    Screen {
        id: ScreenId::Preview,
        show: CommandId::ShowPreview,
        title: "Preview",
        context: Context::Preview,
        draw: preview::draw,
    },
    Screen {
        id: ScreenId::Checkup,
        show: CommandId::ShowCheckup,
        title: "Checkup",
        context: Context::Checkup,
        draw: checkup::draw,
    },
];

/// The key of a command as the user has it; empty where it has none.
fn key_of(model: &Model, context: Context, id: CommandId) -> String {
    let command = commands::of(context).find(|command| command.id == id);
    command
        .map(|command| model.settings.keymap.shown(command))
        .unwrap_or_default()
}

impl Screen {
    /// The key in its tab: its number, as long as that is among its keys.
    pub fn key(&self, model: &Model) -> String {
        let command = commands::of(Context::Screens).find(|command| command.id == self.show);
        let names = command
            .map(|command| model.settings.keymap.names(command))
            .unwrap_or_default();
        let is_number = |name: &&String| name.chars().all(|letter| letter.is_ascii_digit());
        names
            .iter()
            .find(is_number)
            .or_else(|| names.first())
            .cloned()
            .unwrap_or_default()
    }
}

impl ScreenId {
    /// Its line of the table.
    pub fn screen(self) -> Option<&'static Screen> {
        SCREENS.iter().find(|screen| screen.id == self)
    }

    /// Whose commands hold on it.
    pub fn context(self) -> Context {
        self.screen().map_or(Context::Screens, |screen| screen.context)
    }

    /// Its name on the command line and in the user's configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Networks => "networks",
            Self::Preview => "preview",
            Self::Checkup => "checkup",
        }
    }

    /// The screen so many tabs further, around the end.
    #[must_use]
    pub fn further(self, tabs: usize) -> Self {
        let here = SCREENS.iter().position(|screen| screen.id == self).unwrap_or_default();
        SCREENS
            .get((here + tabs) % SCREENS.len())
            .map_or(self, |screen| screen.id)
    }
}
