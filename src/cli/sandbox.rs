//! `fwtui sandbox` and `fwtui knock`

use std::ffi::OsString;

use serde::Serialize;

use crate::app::{Error, Machine, Options, sandbox};
use crate::cli::args::{Json, Sandbox};
use crate::cli::output::Out;
use crate::cli::screens::First;
use crate::cli::{DONE, variable};
use crate::sys::runner::SystemRunner;

#[derive(Serialize)]
struct Document {
    schema: u32,
    services: Vec<sandbox::Row>,
}

pub(super) fn run(args: &Sandbox, first: &First<'_>, out: &Out) -> Result<u8, Error> {
    let options = sandbox::Options {
        bare: args.bare,
        search_path: variable("PATH").map(OsString::from),
    };
    let sandbox = sandbox::Sandbox::enter(&SystemRunner::new(), options)?;
    let own_root = sandbox.root();
    let machine = || {
        Machine::new(Options {
            root: Some(own_root.clone()),
            ssh_connection: None,
            user: None,
            config: super::config_folder(),
        })
    };
    let code = if args.command.is_empty() {
        super::screens::run(machine(), first, out)
    } else {
        sandbox.run(&args.command)
    };
    // A trial's guard would wait in there for its deadline; nobody needs it any more.
    let _no_trial = machine().revert(None);
    code
}

pub(super) fn knock(args: &Json, out: &Out) -> Result<u8, Error> {
    let rows = sandbox::rows(&sandbox::targets(), sandbox::PATIENCE)?;
    if args.json {
        out.json(&Document {
            schema: 1,
            services: rows,
        })?;
    } else {
        out.print(&sandbox::print_rows(&rows))?;
    }
    Ok(DONE)
}

pub(super) fn serve(sockets: &[String]) -> Result<u8, Error> {
    sandbox::serve(sockets)?;
    Ok(DONE)
}
