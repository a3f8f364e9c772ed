//! What the user has chosen for the screens.

use std::time::Duration;

use crate::core::config::DEFAULT_REFRESH;
use crate::core::trial::DEFAULT_TIMEOUT;
use crate::tui::commands::Keymap;
use crate::tui::screens::ScreenId;
use crate::tui::theme::{ColorDepth, Theme};

/// How the screens look and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The theme.
    pub theme: Theme,
    /// All themes there are, for those who look for one.
    pub themes: Vec<Theme>,
    /// The file a theme is chosen in, as a sentence names it.
    pub config: Option<String>,
    /// How many colours the terminal shows; [`ColorDepth::None`] takes the monochrome theme.
    pub color: ColorDepth,
    /// Whether to draw with ASCII only.
    pub is_ascii: bool,
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
    /// How often the sockets are looked at; none where they are looked at on request only.
    pub refresh: Option<Duration>,
    /// What is wrong in the user's configuration, and counts as not there.
    pub complaints: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            themes: Theme::all_built_in(),
            config: None,
            color: ColorDepth::default(),
            is_ascii: false,
            keymap: Keymap::default(),
            screen: ScreenId::default(),
            has_mouse: true,
            erases_in_color: false,
            timeout: DEFAULT_TIMEOUT,
            refresh: Some(DEFAULT_REFRESH),
            complaints: Vec::new(),
        }
    }
}
