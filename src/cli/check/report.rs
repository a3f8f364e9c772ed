//! The findings as text for a ticket.

use std::fmt::Write as _;

use super::Shown;
use crate::core::checkup::{Finding, Place, Severity};
use crate::core::policy::Known as Mark;
use crate::core::text::{capitalised, printable_within};

/// How wide it is, in characters.
const WIDTH: usize = 100;
/// Longest rule or sentence.
const LONGEST: usize = 2000;

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
/// `others` are the findings of severities that were not asked for.
pub(super) fn text(findings: &[&Finding], others: usize, known: Known<'_>, notes: &[String]) -> String {
    let mut text = String::new();
    for severity in Severity::ALL {
        let mut of_it = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .peekable();
        if of_it.peek().is_none() {
            continue;
        }
        push_line(&mut text, &severity.word().to_uppercase());
        for finding in of_it {
            text.push('\n');
            one(&mut text, finding);
        }
        text.push('\n');
    }
    if let Known::Shown(known, stale) = known {
        intended(&mut text, known, stale);
    }
    if !notes.is_empty() {
        push_line(&mut text, "NOTES");
        text.push('\n');
        for note in notes {
            wrapped(&mut text, "  - ", "    ", note);
        }
        text.push('\n');
    }
    push_line(&mut text, &count(findings));
    if others > 0 {
        push_line(
            &mut text,
            &format!("{others} of other severities: without --severity they are shown."),
        );
    }
    if let Known::Hidden(hidden @ 1..) = known {
        push_line(&mut text, &format!("{hidden} known and intended: --known shows them."));
    }
    text
}

/// What is marked as known and intended, each with its note.
fn intended(text: &mut String, known: &[Shown<'_>], stale: &[&Mark]) {
    if !known.is_empty() {
        push_line(text, "KNOWN, INTENDED");
    }
    for shown in known {
        text.push('\n');
        one(text, shown.finding);
        note(text, shown.known.unwrap_or_default());
    }
    if !known.is_empty() {
        text.push('\n');
    }
    if !stale.is_empty() {
        push_line(text, "MARKED, BUT NOT FOUND");
        text.push('\n');
    }
    for mark in stale {
        let at = if mark.at.is_empty() {
            String::new()
        } else {
            format!("={}", mark.at)
        };
        wrapped(text, "  - ", "    ", &format!("{}{at}", mark.finding));
        note(text, &mark.note);
    }
    if !stale.is_empty() {
        text.push('\n');
    }
}

fn one(text: &mut String, finding: &Finding) {
    wrapped(text, "  ", "  ", finding.id);
    for line in place(&finding.place) {
        wrapped(text, "    ", "      ", &line);
    }
    wrapped(text, "    What: ", "          ", &finding.what);
    wrapped(text, "    Why:  ", "          ", &finding.why);
    wrapped(text, "    Do:   ", "          ", &finding.advice);
}

/// What somebody wrote stays as it was written.
fn note(text: &mut String, note: &str) {
    wrapped(text, "    Note: ", "          ", &format!("\"{note}\""));
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

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Adds words as lines that are not too wide; a word that is wider has a line of its own.
fn wrapped(text: &mut String, first: &str, other: &str, words: &str) {
    wrapped_within(WIDTH, text, first, other, words);
}

/// The same in lines of so many characters.
pub(in crate::cli) fn wrapped_within(width: usize, text: &mut String, first: &str, other: &str, words: &str) {
    let words = capitalised_sentence(&printable_within(words, LONGEST), first);
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            push_line(text, &line);
            other.clone_into(&mut line);
            is_empty = true;
        }
        let space = if is_empty { "" } else { " " };
        let _never_fails = write!(line, "{space}{word}");
        is_empty = false;
    }
    push_line(text, line.trim_end());
}

/// Sentences begin with a capital letter; rules and ids stay as they are.
fn capitalised_sentence(words: &str, before: &str) -> String {
    match before.trim_end().ends_with(':') {
        true => capitalised(words),
        false => words.to_owned(),
    }
}
