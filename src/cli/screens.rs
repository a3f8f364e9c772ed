//! The screens: what they need of the environment, and who wants no screens at all.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use crate::app::{Error, Kind, Machine, sandbox};
use crate::cli::args::Screen;
use crate::cli::config::{self, Given};
use crate::cli::output::Out;
use crate::cli::{DONE, told_to_end};
use crate::tui::screens::ScreenId;
use crate::tui::{self, Options, Outcome, Start};

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

impl<'a> First<'a> {
    /// The same as the configuration weighs it.
    pub(super) fn given(&self, out: &Out) -> Given<'a> {
        Given {
            theme: self.theme,
            screen: self.screen.map(ScreenId::from),
            wants_ascii: out.wants_ascii(),
        }
    }

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
        settings: config::settings(first.given(out), out.is_ascii())?,
        is_sandbox: sandbox::is_inside(),
        start: first.start(),
    };
    match tui::run(Arc::new(machine), &options) {
        Ok(Outcome { signal, last_words }) => {
            let said = last_words.map_or(Ok(()), |words| out.line(&words));
            match signal {
                // To a terminal that is gone nothing can be said.
                Some(signal) => Ok(told_to_end(signal)),
                None => said.map(|()| DONE),
            }
        }
        Err(error) => Err(Error::failed(format!("the terminal can't be used: {error}"))),
    }
}
