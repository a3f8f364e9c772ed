//! The screens: what they need of the environment, and who wants no screens at all.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::{Error, Kind, Machine, sandbox};
use crate::cli::args::Screen;
use crate::cli::config::{self, Given};
use crate::cli::output::Out;
use crate::cli::{DONE, config_folder, variable};
use crate::tui::screens::ScreenId;
use crate::tui::theme::{ColorDepth, Theme};
use crate::tui::{self, Options, Outcome, Start};

/// No theme file is larger.
const LARGEST_THEME: u64 = 64 * 1024;

/// What the arguments say of the screens.
#[derive(Debug, Clone, Copy)]
pub(super) struct First<'a> {
    /// The theme's name.
    pub(super) theme: Option<&'a str>,
    /// The screen shown first; with one the setup does not begin by itself.
    pub(super) screen: Option<Screen>,
    /// Whether the setup is asked for.
    pub(super) is_setup: bool,
}

impl First<'_> {
    const fn start(&self) -> Start {
        match (self.is_setup, self.screen) {
            (true, _) => Start::Setup,
            (false, Some(_)) => Start::Screens,
            (false, None) => Start::SetupIfNew,
        }
    }
}

impl From<Screen> for ScreenId {
    fn from(screen: Screen) -> Self {
        match screen {
            Screen::Services => Self::Services,
            Screen::Networks => Self::Networks,
            Screen::Preview => Self::Preview,
            Screen::Checkup => Self::Checkup,
        }
    }
}

pub(super) fn run(machine: Machine, first: &First<'_>, out: &Out) -> Result<u8, Error> {
    if !(io::stdin().is_terminal() && out.is_terminal()) {
        return Err(Error::new(Kind::Usage, "the screens need a terminal")
            .hint("Without one, use the verbs: 'fwtui list' shows what listens, 'fwtui --help' shows the others."));
    }
    let options = Options {
        settings: config::settings(Given {
            theme: first.theme,
            screen: first.screen.map(ScreenId::from),
        })?,
        is_sandbox: sandbox::is_inside(),
        start: first.start(),
    };
    match tui::run(Arc::new(machine), &options) {
        Ok(Outcome::TrialRunning(_)) => {
            out.line("The trial goes on. Keep it with 'sudo fwtui confirm'; otherwise the old rules come back.")?;
            Ok(DONE)
        }
        Ok(Outcome::Quit | Outcome::Ended) => Ok(DONE),
        Err(error) => Err(Error::failed(format!("the terminal can't be used: {error}"))),
    }
}

/// What the terminal shows: no colours where the user wants none (no-color.org) or the terminal has
/// none, and more than the sixteen only where it says so.
pub(super) fn color_depth() -> ColorDepth {
    let term = variable("TERM").unwrap_or_default();
    if variable("NO_COLOR").is_some() || term == "dumb" || term.ends_with("-m") {
        return ColorDepth::None;
    }
    match variable("COLORTERM").as_deref() {
        Some("truecolor" | "24bit") => ColorDepth::True,
        _ if term.contains("256") => ColorDepth::Many,
        _ => ColorDepth::Sixteen,
    }
}

/// A theme of fwtui's own, or `NAME.json` in the user's config folder.
pub(super) fn load_theme(name: &str) -> Result<Theme, Error> {
    if Theme::names().any(|known| known == name) {
        return Theme::built_in(name).map_err(Error::failed);
    }
    let known: Vec<&str> = Theme::names().collect();
    let usage = |message: String| {
        Error::new(Kind::Usage, message).hint(format!("fwtui's own themes are {}.", known.join(", ")))
    };
    let path = theme_file(name).ok_or_else(|| usage(format!("there is no theme '{name}'")))?;
    let text = crate::sys::files::read_limited(&path, LARGEST_THEME)
        .map_err(|error| usage(format!("{} can't be read: {error}", path.display())))?
        .ok_or_else(|| usage(format!("there is no theme '{name}' (looked for {})", path.display())))?;
    Theme::parse(&text).map_err(|error| usage(format!("{}: {error}", path.display())))
}

fn theme_file(name: &str) -> Option<PathBuf> {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let folder = config_folder().filter(|_| is_plain && !name.is_empty())?;
    Some(folder.join("themes").join(format!("{name}.json")))
}
