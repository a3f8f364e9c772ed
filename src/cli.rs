//! The command line: arguments to the app layer, answers to text or JSON, errors to exit codes.
//!
//! The only layer that reads the environment and writes to standard output.

mod apply;
pub mod args;
mod block;
mod check;
mod config;
mod decide;
mod disable;
mod explain;
mod idle;
mod install;
mod list;
pub mod man;
mod network;
mod output;
mod preview;
mod process;
mod sandbox;
mod screens;
mod setup;
mod status;
mod table;
mod terminal;
mod themes;
mod trial;
mod wrap;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use directories::ProjectDirs;

use crate::app::{Error, Kind, Machine, Options};
use crate::core::text::printable_within;
use args::{Cli, Verb};
use output::Out;

/// Nothing to complain about.
const DONE: u8 = 0;
/// Something failed, or could not be read.
const FAILED: u8 = 1;
/// Something is to be done: changes, a drift, a running trial.
const TO_DO: u8 = 3;
/// Longest path shown, in characters.
const LONGEST_PATH: usize = 200;
/// Not everything could be seen.
const NOT_PERMITTED: u8 = 5;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows the stream and the code (0 or 2).
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return match error.print() {
                // A reader that has gone has read enough.
                Err(error) if code == DONE && error.kind() != std::io::ErrorKind::BrokenPipe => {
                    Out::new(false).error(&output::unwritten(&error));
                    ExitCode::from(FAILED)
                }
                _ => ExitCode::from(code),
            };
        }
    };
    let out = Out::new(cli.ascii);
    match idle::refuse(&cli).and_then(|()| run(cli, &out)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            out.error(&error);
            ExitCode::from(code_of(error.kind))
        }
    }
}

fn run(cli: Cli, out: &Out) -> Result<u8, Error> {
    // The guard runs in `/`, so a relative root would be another one there.
    let root = cli
        .root
        .or_else(|| variable("FWTUI_ROOT").map(PathBuf::from))
        .map(std::path::absolute)
        .transpose();
    let root = root.map_err(|error| Error::new(Kind::Usage, format!("--root: {error}")))?;
    if let Some(file) = root.as_deref().filter(|root| root.exists() && !root.is_dir()) {
        let file = printable_within(&file.display().to_string(), LONGEST_PATH);
        return Err(
            Error::new(Kind::Usage, format!("{file} is no folder, so nothing can be below it"))
                .hint("Give --root (or FWTUI_ROOT) a folder; without one, fwtui's files are those of this machine."),
        );
    }
    let machine = || {
        Machine::new(Options {
            root: root.clone(),
            ssh_connection: variable("SSH_CONNECTION"),
            user: variable("SUDO_USER")
                .or_else(|| variable("USER"))
                .map(|name| printable_within(&name, 64)),
            config: config_folder(),
        })
    };
    let first = screens::First {
        theme: cli.theme.as_deref(),
        screen: cli.screen,
        is_setup: false,
    };
    let Some(verb) = cli.verb else {
        return screens::run(machine(), &first, out);
    };
    match verb {
        Verb::Setup(args) => setup::run(machine(), &args, first, out),
        Verb::List(args) => list::run(&machine(), &args, out),
        Verb::Set(args) => decide::run(&machine(), &args, out),
        Verb::Block(args) => block::run(&machine(), &args, out),
        Verb::Unblock(args) => block::unblock(&machine(), &args, out),
        Verb::Disable(args) => disable::disable(&machine(), &args, out),
        Verb::Enable(args) => disable::enable(&machine(), &args, out),
        Verb::Network(args) => network::run(&machine(), &args, out),
        Verb::Preview(args) => preview::run(&machine(), &args, out),
        Verb::Apply(args) => apply::run(&machine(), &args, false, out),
        Verb::Off(args) => apply::run(&machine(), &args, true, out),
        Verb::Explain(args) => explain::run(&machine(), &args, out),
        Verb::Check(args) => check::run(machine, &args, out),
        Verb::Confirm(args) => trial::confirm(&machine(), &args, out),
        Verb::Revert => trial::revert(&machine(), out),
        Verb::Extend => trial::extend(&machine(), out),
        Verb::Status(args) => status::run(&machine(), &args, out),
        Verb::Restore => trial::restore(&machine(), out),
        Verb::InstallService(args) => install::run(&machine(), &args, out),
        Verb::Sandbox(args) => sandbox::run(&args, &first, out),
        Verb::Knock(args) => sandbox::knock(&args, out),
        Verb::Themes(args) => themes::run(&args, first.given(out), out),
        Verb::Config(args) => config::run(&args, first.given(out), out),
        Verb::Completions { shell } => man::completions(shell, out),
        Verb::Man => man::print(out),
        Verb::Guard(args) => process::guard(&machine(), &args),
        Verb::SandboxService { sockets } => sandbox::serve(&sockets),
    }
}

/// The exit code of who was told to end by a signal: the shells' for a program that was ended by it.
fn told_to_end(signal: i32) -> u8 {
    u8::try_from(signal).map_or(FAILED, |signal| signal.saturating_add(128))
}

fn code_of(kind: Kind) -> u8 {
    match kind {
        Kind::Failed | Kind::Unproven | Kind::Stopped => 1,
        Kind::Usage => 2,
        Kind::Reverted => 4,
        Kind::NotPermitted => NOT_PERMITTED,
    }
}

/// The user's config folder, whether it is there or not.
fn config_folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", "fwtui").map(|folders| folders.config_dir().to_owned())
}

/// A variable of the environment; none where it is not set or not UTF-8.
#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
