//! `fwtui check`

use serde::Serialize;

use crate::app::check::{Checkup, checkup_of_file};
use crate::app::{Error, Machine};
use crate::cli::args::Check;
use crate::cli::output::Out;
use crate::cli::{DONE, TO_DO};
use crate::core::checkup::{Finding, Severity};

mod report;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    findings: &'a [Finding],
    /// What could not be seen.
    notes: &'a [String],
}

pub(super) fn run(machine: impl FnOnce() -> Machine, args: &Check, out: &Out) -> Result<u8, Error> {
    let Checkup { findings, unseen } = match &args.file {
        // A file is judged by itself: this machine has nothing to do with it.
        Some(file) => checkup_of_file(file)?,
        None => machine().checkup(),
    };
    if args.json {
        out.json(&Document {
            schema: 1,
            findings: &findings,
            notes: &unseen,
        })?;
    } else {
        out.print(&report::text(&findings, &unseen))?;
    }
    let is_harmful = findings.iter().any(|finding| finding.severity == Severity::Harmful);
    Ok(if is_harmful { TO_DO } else { DONE })
}
