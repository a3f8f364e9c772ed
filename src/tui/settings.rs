//! What the user has chosen for the screens.

use std::time::Duration;

use crate::core::trial::DEFAULT_TIMEOUT;
use crate::tui::commands::Keymap;
use crate::tui::screens::ScreenId;
use crate::tui::theme::{ColorDepth, Theme};

/// How the screens look and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The theme.
    pub theme: Theme,
    /// How many colours the terminal shows; [`ColorDepth::None`] takes the monochrome theme.
    pub color: ColorDepth,
    /// The keys.
    pub keymap: Keymap,
    /// The screen shown first.
    pub screen: ScreenId,
    /// Whether the mouse selects rows; without it the terminal selects text.
    pub has_mouse: bool,
    /// Whether the terminal erases in the background that is in use (terminfo's `bce`).
    pub erases_in_color: bool,
    /// How long a trial is to last until the user says otherwise.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            color: ColorDepth::default(),
            keymap: Keymap::default(),
            screen: ScreenId::default(),
            has_mouse: true,
            erases_in_color: false,
            timeout: DEFAULT_TIMEOUT,
        }
    }
}
