//! The screens: what they need of the environment, and who wants no screens at all.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use crate::app::{Error, Kind, Machine, sandbox};
use crate::cli::DONE;
use crate::cli::config::{self, Given};
use crate::cli::output::Out;
use crate::tui::{self, Options, Outcome};

pub(super) fn run(machine: Machine, theme: Option<&str>, out: &Out) -> Result<u8, Error> {
    if !(io::stdin().is_terminal() && out.is_terminal()) {
        return Err(Error::new(Kind::Usage, "the screens need a terminal")
            .hint("Without one, use the verbs: 'fwtui list' shows what listens, 'fwtui --help' shows the others."));
    }
    let options = Options {
        settings: config::settings(
            Given {
                theme,
                screen: None,
                wants_ascii: out.wants_ascii(),
            },
            out.is_ascii(),
        )?,
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
