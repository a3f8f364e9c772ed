//! `fwtui sandbox` and `fwtui knock`

use std::borrow::Cow;
use std::ffi::OsString;

use serde::Serialize;

use crate::app::{Error, Machine, Options, sandbox};
use crate::cli::args::{Json, Sandbox};
use crate::cli::output::Out;
use crate::cli::screens::First;
use crate::cli::table::{Cells, columns};
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
        let table = sandbox::print_rows(&rows);
        let widest = table.lines().map(str::len).max().unwrap_or_default();
        match out.width().filter(|room| *room < widest) {
            None => out.print(&table)?,
            Some(room) => out.print(&narrow(&rows, room))?,
        }
    }
    Ok(DONE)
}

/// The same table where there is no room for it.
fn narrow(rows: &[sandbox::Row], room: usize) -> String {
    let heading = [
        "SERVICE",
        "PORT",
        "public IPv4",
        "public IPv6",
        "trusted IPv4",
        "trusted IPv6",
        "far IPv4",
        "far IPv6",
    ];
    let cells = rows.iter().map(|row| {
        let mut words = row.knocks.iter().map(|(_, _, knock)| knock.word());
        let port = format!("{}/{}", row.target.port, row.target.protocol);
        let mut next = || Cow::Borrowed(words.next().unwrap_or_default());
        [
            row.target.name.as_str().into(),
            port.into(),
            next(),
            next(),
            next(),
            next(),
            next(),
            next(),
        ]
    });
    columns(heading, &cells.collect::<Vec<Cells<'_, 8>>>(), Some(room))
}

pub(super) fn serve(sockets: &[String]) -> Result<u8, Error> {
    sandbox::serve(sockets)?;
    Ok(DONE)
}
