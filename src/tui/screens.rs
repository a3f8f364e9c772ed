//! The screens, as one table: a screen that is added here has its tab, its key and its help.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::commands::Context;
use crate::tui::model::Model;

pub mod checkup;
pub mod networks;
pub mod preview;
pub mod services;

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
    /// The key in its tab.
    pub key: char,
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
        key: '1',
        title: "Services",
        context: Context::Services,
        draw: services::draw,
    },
    Screen {
        id: ScreenId::Networks,
        key: '2',
        title: "Networks",
        context: Context::Networks,
        draw: networks::draw,
    },
    Screen {
        id: ScreenId::Preview,
        key: '3',
        title: "Preview",
        context: Context::Preview,
        draw: preview::draw,
    },
    Screen {
        id: ScreenId::Checkup,
        key: '4',
        title: "Checkup",
        context: Context::Checkup,
        draw: checkup::draw,
    },
];

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
