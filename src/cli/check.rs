//! `fwtui check`

use serde::Serialize;

use crate::app::check::{Checkup, checkup_of_file};
use crate::app::{Error, Machine};
use crate::cli::args::Check;
use crate::cli::output::Out;
use crate::cli::{DONE, TO_DO};
use crate::core::checkup::{Finding, Severity};
use crate::core::policy::Marks;

mod marks;
mod report;

pub(super) use report::wrapped_within;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    findings: Vec<Shown<'a>>,
    /// What could not be seen.
    notes: &'a [String],
}

/// A finding, and the note it is marked with.
#[derive(Debug, Clone, Copy, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a str>,
}

pub(super) fn run(machine: impl FnOnce() -> Machine, args: &Check, out: &Out) -> Result<u8, Error> {
    if let Some(name) = &args.mark {
        return marks::mark(&machine(), name, args.note.as_deref().unwrap_or_default(), out);
    }
    if let Some(name) = &args.unmark {
        return marks::unmark(&machine(), name, out);
    }
    let (checkup, marks) = match &args.file {
        // A file is judged by itself: this machine has nothing to do with it.
        Some(file) => (checkup_of_file(file)?, Marks::default()),
        None => of_this_machine(&machine()),
    };
    let shown = chosen(&checkup.findings, &marks, &args.severity);
    let (others, notes) = (checkup.findings.len() - shown.len(), checkup.unseen);
    if args.json {
        out.json(&Document {
            schema: 1,
            findings: shown,
            notes: &notes,
        })?;
    } else {
        let (known, news): (Vec<_>, Vec<_>) = shown.into_iter().partition(|shown| shown.known.is_some());
        let stale = marks::stale(&marks, &checkup.findings);
        let known = match args.known {
            true => report::Known::Shown(&known, &stale),
            false => report::Known::Hidden(known.len()),
        };
        let news: Vec<&Finding> = news.into_iter().map(|shown| shown.finding).collect();
        out.print(&report::text(&news, others, known, &notes))?;
    }
    Ok(exit_code(&checkup.findings, &marks))
}

/// Whether something harmful is there that is not intended; whatever of it is shown.
fn exit_code(findings: &[Finding], marks: &Marks) -> u8 {
    let is_harmful = |finding: &Finding| finding.severity == Severity::Harmful && marks.note_of(finding).is_none();
    match findings.iter().any(is_harmful) {
        true => TO_DO,
        false => DONE,
    }
}

/// What was found here, and what of it is marked. Marks that can't be read hide nothing.
fn of_this_machine(machine: &Machine) -> (Checkup, Marks) {
    let mut checkup = machine.checkup();
    match machine.policy() {
        Ok(policy) => {
            checkup.unseen.extend(marks::strange(&policy.known));
            (checkup, policy.known)
        }
        Err(error) => {
            checkup.unseen.push(format!("Nothing counts as intended: {error}."));
            (checkup, Marks::default())
        }
    }
}

/// The findings of some severities, of all where none is named.
fn chosen<'a>(findings: &'a [Finding], marks: &'a Marks, severities: &[Severity]) -> Vec<Shown<'a>> {
    findings
        .iter()
        .filter(|finding| severities.is_empty() || severities.contains(&finding.severity))
        .map(|finding| Shown {
            finding,
            known: marks.note_of(finding),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::checkup::{Kind, Place};
    use crate::core::policy::Policy;

    const KIND: Kind = Kind {
        id: "drop-invalid",
        severity: Severity::Redundant,
        line: "",
    };

    fn finding(severity: Severity, rule: &str) -> Finding {
        let place = Place {
            rule: Some(rule.into()),
            ..Place::default()
        };
        Finding {
            severity,
            ..Finding::new(&KIND, place, "a", "b", "c")
        }
    }

    #[test]
    fn severities_are_chosen_and_marks_told() {
        let findings = [finding(Severity::Harmful, "one"), finding(Severity::Redundant, "two")];
        let mut policy = Policy::default();
        policy.mark_known("drop-invalid", "two", "why not").unwrap();
        let chosen = |severities: &[Severity]| serde_json::to_value(chosen(&findings, &policy.known, severities));
        let all = chosen(&[]).unwrap();
        assert_eq!(all[0]["severity"], "harmful");
        assert!(all[0].get("known").is_none());
        assert_eq!(all[1]["known"], "why not");
        assert_eq!(all[1]["place"]["rule"], "two");
        let some = chosen(&[Severity::Redundant, Severity::Info]).unwrap();
        assert_eq!(some.as_array().unwrap().len(), 1);
        assert_eq!(some[0]["do"], "c");
    }

    #[test]
    fn the_exit_code_tells_of_what_is_harmful_and_not_intended() {
        let findings = [
            finding(Severity::Harmful, "one"),
            finding(Severity::Harmful, "two"),
            finding(Severity::Risky, "three"),
        ];
        let mut policy = Policy::default();
        let mut code_after = |rule: &str| {
            policy.mark_known("drop-invalid", rule, "why not").unwrap();
            exit_code(&findings, &policy.known)
        };
        assert_eq!([code_after("one"), code_after("two")], [TO_DO, DONE]);
        assert_eq!(exit_code(&findings, &Marks::default()), TO_DO);
        assert_eq!(exit_code(&[], &policy.known), DONE);
    }
}
