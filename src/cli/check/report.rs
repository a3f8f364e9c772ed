//! The findings as text for a ticket.

use super::Shown;
use crate::cli::wrap::Report;
use crate::core::checkup::{Finding, Place, Severity};
use crate::core::policy::Known as Mark;

/// The findings that are known and intended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<'a> {
    /// They are not shown, but so many there are.
    Hidden(usize),
    /// They are shown, and the marks of what is not found.
    Shown(&'a [Shown<'a>], &'a [&'a Mark]),
}

/// The report: by severity, the worst first, then what is intended, what could not be read, and a line
/// that counts.
///
/// It is as wide as the terminal, if it is one. `others` are the findings of severities that were not asked for.
pub(super) fn text(
    findings: &[&Finding],
    others: usize,
    known: Known<'_>,
    notes: &[String],
    cells: Option<usize>,
) -> String {
    let mut report = Report::new(cells);
    for severity in Severity::ALL {
        let mut of_it = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .peekable();
        if of_it.peek().is_none() {
            continue;
        }
        report.line(&severity.word().to_uppercase());
        for finding in of_it {
            report.line("");
            one(&mut report, finding);
        }
        report.line("");
    }
    if let Known::Shown(known, stale) = known {
        intended(&mut report, known, stale);
    }
    if !notes.is_empty() {
        report.line("NOTES");
        report.line("");
        for note in notes {
            report.wrapped("  - ", "    ", note);
        }
        report.line("");
    }
    report.line(&count(findings));
    if others > 0 {
        report.line(&format!(
            "{others} of other severities: without --severity they are shown."
        ));
    }
    if let Known::Hidden(hidden @ 1..) = known {
        report.line(&format!("{hidden} known and intended: --known shows them."));
    }
    report.into_text()
}

/// What is marked as known and intended, each with its note.
fn intended(report: &mut Report, known: &[Shown<'_>], stale: &[&Mark]) {
    if !known.is_empty() {
        report.line("KNOWN, INTENDED");
    }
    for shown in known {
        report.line("");
        one(report, shown.finding);
        note(report, shown.known.unwrap_or_default());
    }
    if !known.is_empty() {
        report.line("");
    }
    if !stale.is_empty() {
        report.line("MARKED, BUT NOT FOUND");
        report.line("");
    }
    for mark in stale {
        let at = if mark.at.is_empty() {
            String::new()
        } else {
            format!("={}", mark.at)
        };
        report.wrapped("  - ", "    ", &format!("{}{at}", mark.finding));
        note(report, &mark.note);
    }
    if !stale.is_empty() {
        report.line("");
    }
}

fn one(report: &mut Report, finding: &Finding) {
    report.wrapped("  ", "  ", finding.id);
    for line in place(&finding.place) {
        report.wrapped("    ", "      ", &line);
    }
    report.wrapped("    What: ", "          ", &finding.what);
    report.wrapped("    Why:  ", "          ", &finding.why);
    report.wrapped("    Do:   ", "          ", &finding.advice);
}

/// What somebody wrote stays as it was written.
fn note(report: &mut Report, note: &str) {
    report.wrapped("    Note: ", "          ", &format!("\"{note}\""));
}

/// `rules.v4, line 8, ip filter INPUT`, and the rule on a line of its own.
fn place(place: &Place) -> Vec<String> {
    let service = place.service.as_ref().map(ToString::to_string);
    let line = place.line.map(|line| format!("line {line}"));
    let where_: Vec<String> = [
        place.file.clone(),
        line,
        place.chain.clone(),
        place.sysctl.clone(),
        service,
    ]
    .into_iter()
    .flatten()
    .collect();
    let where_ = (!where_.is_empty()).then(|| where_.join(", "));
    where_.into_iter().chain(place.rule.clone()).collect()
}

/// `2 findings: 1 harmful, 1 redundant.`
fn count(findings: &[&Finding]) -> String {
    let each: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| {
            (
                severity,
                findings.iter().filter(|finding| finding.severity == severity).count(),
            )
        })
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    match findings.len() {
        0 => "Nothing found.".to_owned(),
        1 => format!("1 finding: {}.", each.join(", ")),
        count => format!("{count} findings: {}.", each.join(", ")),
    }
}
