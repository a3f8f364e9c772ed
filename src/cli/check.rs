//! `fwtui check`

use serde::Serialize;

use crate::app::check::Checkup;
use crate::app::{Error, Machine};
use crate::cli::args::Check;
use crate::cli::output::Out;
use crate::cli::{DONE, TO_DO};
use crate::core::checkup::{Finding, Severity};
use crate::core::text::printable;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    findings: &'a [Finding],
    /// What could not be seen.
    notes: &'a [String],
}

pub(super) fn run(machine: &Machine, args: &Check, out: &Out) -> Result<u8, Error> {
    let Checkup { findings, unseen, .. } = machine.checkup();
    if args.json {
        out.json(&Document {
            schema: 1,
            findings: &findings,
            notes: &unseen,
        })?;
    } else {
        out.print(&report(&findings))?;
        for sentence in &unseen {
            out.note(sentence);
        }
    }
    let is_harmful = findings.iter().any(|finding| finding.severity == Severity::Harmful);
    Ok(if is_harmful { TO_DO } else { DONE })
}

/// The findings as text for a ticket.
fn report(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "Nothing found.\n".to_owned();
    }
    let one = |finding: &Finding| {
        let subject = printable(&finding.subject());
        format!(
            "{}: {}\n  {}\n  {}\n  {}\n  {}\n",
            finding.severity, finding.id, subject, finding.what, finding.why, finding.advice
        )
    };
    findings.iter().map(one).collect::<Vec<_>>().join("\n")
}
