//! Layer cli. For now only the verbs of the sandbox.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use crate::app::{Error, sandbox};
use crate::sys::runner::SystemRunner;

/// Runs.
pub fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let verb = args.next().unwrap_or_default();
    let rest: Vec<OsString> = args.collect();
    let done = match verb.to_str() {
        Some("sandbox") => enter(&rest),
        Some("sandbox-service") => serve(&rest),
        Some("knock") => knock(),
        _ => Err(Error::failed("only sandbox, sandbox-service and knock")),
    };
    done.map_or_else(
        |error| {
            let text = format!("fwtui: {}\n{}\n", error.message, error.hints.join("\n"));
            drop(io::stderr().write_all(text.as_bytes()));
            ExitCode::FAILURE
        },
        ExitCode::from,
    )
}

fn enter(args: &[OsString]) -> Result<u8, Error> {
    let bare = args.first().is_some_and(|arg| arg == "--bare");
    let start = args.iter().position(|arg| arg == "--").map_or(args.len(), |at| at + 1);
    #[expect(clippy::disallowed_methods, reason = "this is cli")]
    let search_path = std::env::var_os("PATH");
    let sandbox = sandbox::Sandbox::enter(&SystemRunner::new(), sandbox::Options { bare, search_path })?;
    sandbox.run(args.get(start..).unwrap_or_default())
}

fn serve(args: &[OsString]) -> Result<u8, Error> {
    let sockets: Vec<_> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    sandbox::serve(&sockets).map(|()| 0)
}

fn knock() -> Result<u8, Error> {
    let rows = sandbox::rows(&sandbox::targets(), Duration::from_secs(1))?;
    drop(io::stdout().write_all(sandbox::print_rows(&rows).as_bytes()));
    Ok(0)
}
