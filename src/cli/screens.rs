//! The screens: what they need of the environment, and who wants no screens at all.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::{Error, Kind, Machine, sandbox};
use crate::cli::output::Out;
use crate::cli::{DONE, config_folder, variable};
use crate::tui::theme::{ColorDepth, Theme};
use crate::tui::{self, Options, Outcome, Settings};

/// No theme file is larger.
const LARGEST_THEME: u64 = 64 * 1024;

pub(super) fn run(machine: Machine, theme: Option<&str>, out: &Out) -> Result<u8, Error> {
    if !(io::stdin().is_terminal() && out.is_terminal()) {
        return Err(Error::new(Kind::Usage, "the screens need a terminal")
            .hint("Without one, use the verbs: 'fwtui list' shows what listens, 'fwtui --help' shows the others."));
    }
    let options = Options {
        settings: Settings {
            theme: load_theme(theme.unwrap_or("dark"))?,
            color: color_depth(),
            erases_in_color: erases_in_color(),
            ..Settings::default()
        },
        is_sandbox: sandbox::is_inside(),
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
fn color_depth() -> ColorDepth {
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

/// Whether what is erased gets the background in use (`bce` in terminfo): not in GNU screen, and
/// nobody knows where the terminal is not one of these.
fn erases_in_color() -> bool {
    const THEY_DO: [&str; 12] = [
        "xterm",
        "tmux",
        "linux",
        "alacritty",
        "foot",
        "ghostty",
        "gnome",
        "konsole",
        "rxvt",
        "st-",
        "vte",
        "wezterm",
    ];
    let term = variable("TERM").unwrap_or_default();
    THEY_DO.iter().any(|name| term.starts_with(name))
}

/// A theme of fwtui's own, or `NAME.json` in the user's config folder.
fn load_theme(name: &str) -> Result<Theme, Error> {
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
