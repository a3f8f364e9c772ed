//! Findings that are known and intended: `fwtui check --mark` and `--unmark`.

use crate::app::{Error, Kind, Machine};
use crate::cli::DONE;
use crate::cli::output::Out;
use crate::core::checkup::{Finding, kinds};
use crate::core::policy::{Known, Marks, check_note};
use crate::core::text::printable_within;

/// Longest subject in a sentence, in characters.
const LONGEST: usize = 300;
/// So many subjects are offered to choose from.
const MOST: usize = 20;

/// Marks a finding; without a subject, the only one of its kind that is found here.
pub(super) fn mark(machine: &Machine, name: &str, note: &str, out: &Out) -> Result<u8, Error> {
    let usage = |error: String| Error::new(Kind::Usage, error);
    let (id, subject) = parts(name);
    // What makes no sense is said before the machine is looked at.
    check_note(note).map_err(usage)?;
    if !kinds().any(|kind| kind.id == id) {
        return Err(unknown(id));
    }
    let subject = match subject {
        Some(subject) => subject.to_owned(),
        None => the_only_one(id, "mark", found(&machine.checkup().findings, id))?,
    };
    let change = machine.edit(|policy| policy.mark_known(id, &subject, note).map_err(usage));
    let ((), has_changed) = change?;
    let sentence = match has_changed {
        true => format!("{} is intended, and no longer counted.", named(id, &subject)),
        false => format!("{} is marked like that already; nothing changed.", named(id, &subject)),
    };
    out.line(&sentence)?;
    Ok(DONE)
}

/// Takes a mark back; without a subject, the only one of its kind.
pub(super) fn unmark(machine: &Machine, name: &str, out: &Out) -> Result<u8, Error> {
    let (id, subject) = parts(name);
    let (subject, _) = machine.edit(|policy| {
        let marked = policy.known.iter().filter(|known| known.finding == id);
        let marked = marked.map(|known| known.at.clone()).collect();
        let subject = match subject {
            Some(subject) => subject.to_owned(),
            None => the_only_one(id, "unmark", marked)?,
        };
        match policy.unmark_known(id, &subject) {
            true => Ok(subject),
            false => Err(Error::failed(format!("{} is not marked", named(id, &subject)))
                .hint("What is marked: fwtui check --known.")),
        }
    })?;
    out.line(&format!(
        "{} is no longer intended, and counts again.",
        named(id, &subject)
    ))?;
    Ok(DONE)
}

/// `drop-invalid=-A INPUT ...` is a kind and a subject.
fn parts(name: &str) -> (&str, Option<&str>) {
    match name.split_once('=') {
        Some((id, subject)) => (id, Some(subject)),
        None => (name, None),
    }
}

fn named(id: &str, subject: &str) -> String {
    match subject.is_empty() {
        true => id.to_owned(),
        false => format!("{id} at {}", printable_within(subject, LONGEST)),
    }
}

fn unknown(id: &str) -> Error {
    let id = printable_within(id, LONGEST);
    Error::new(Kind::Usage, format!("'{id}' is no kind of finding")).hint("The manual page lists them: man fwtui.")
}

/// What findings of a kind are about.
fn found(findings: &[Finding], id: &str) -> Vec<String> {
    let of_it = findings.iter().filter(|finding| finding.id == id);
    of_it.map(Finding::subject).collect()
}

fn the_only_one(id: &str, verb: &str, mut subjects: Vec<String>) -> Result<String, Error> {
    subjects.sort();
    subjects.dedup();
    match subjects.as_slice() {
        [one] => return Ok(one.clone()),
        [] if verb == "unmark" => {
            return Err(
                Error::failed(format!("{} is not marked", named(id, ""))).hint("What is marked: fwtui check --known.")
            );
        }
        [] => {
            return Err(
                Error::failed(format!("{id} is not found here, so it is not known where to mark it"))
                    .hint(format!("Name what it is about: --mark '{id}=SUBJECT'.")),
            );
        }
        _ => {}
    }
    let count = subjects.len();
    let mut error = Error::new(Kind::Usage, format!("{id} is there {count} times: say which"));
    for subject in subjects.iter().take(MOST) {
        let name = format!("{id}={}", printable_within(subject, LONGEST)).replace('\'', "'\\''");
        error = error.hint(format!("fwtui check --{verb} '{name}'"));
    }
    if count > MOST {
        error = error.hint(format!("And {} more: fwtui check --json", count - MOST));
    }
    Err(error)
}

/// What is odd about marks: kinds that this version does not know, one sentence each.
pub(super) fn strange(marks: &Marks) -> Vec<String> {
    let mut ids: Vec<&str> = marks.iter().map(|known| known.finding.as_str()).collect();
    ids.dedup();
    ids.retain(|id| kinds().all(|kind| kind.id != *id));
    let words = |id: &str| format!("The policy marks {id} as intended, a finding that this fwtui does not know.");
    ids.into_iter().map(words).collect()
}

/// The marks of what is not found (any more).
pub(super) fn stale<'a>(marks: &'a Marks, findings: &[Finding]) -> Vec<&'a Known> {
    let mut found: Vec<(&str, String)> = findings.iter().map(|finding| (finding.id, finding.subject())).collect();
    found.sort();
    let is_found = |known: &Known| {
        let place = found.binary_search_by(|(id, at)| (*id, at.as_str()).cmp(&(&known.finding, &known.at)));
        place.is_ok()
    };
    match marks.is_empty() {
        true => Vec::new(),
        false => marks.iter().filter(|known| !is_found(known)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::Policy;

    #[test]
    fn a_subject_may_hold_anything() {
        assert_eq!(parts("drop-invalid"), ("drop-invalid", None));
        assert_eq!(parts("updates-pending="), ("updates-pending", Some("")));
        let rule = "-A INPUT -m comment --comment a=b -j DROP";
        assert_eq!(parts(&format!("rule-twice={rule}")), ("rule-twice", Some(rule)));
    }

    #[test]
    fn only_what_is_clear_is_chosen() {
        let choose = |verb, subjects: &[&str]| {
            let subjects = subjects.iter().map(|&subject| subject.to_owned()).collect();
            the_only_one("drop-invalid", verb, subjects)
        };
        assert_eq!(choose("mark", &["a rule", "a rule"]).unwrap(), "a rule");
        assert!(choose("mark", &[]).unwrap_err().message.contains("is not found here"));
        assert!(choose("unmark", &[]).unwrap_err().message.contains("is not marked"));
        let error = choose("mark", &["it's", "b"]).unwrap_err();
        assert!(error.message.contains("2 times"), "{}", error.message);
        let hints = [
            "fwtui check --mark 'drop-invalid=b'",
            "fwtui check --mark 'drop-invalid=it'\\''s'",
        ];
        assert_eq!(error.hints, hints);
        let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let error = choose("mark", &many).unwrap_err();
        assert_eq!(error.hints.len(), MOST + 1);
    }

    #[test]
    fn marks_of_nothing_are_told() {
        let mut policy = Policy::default();
        policy.mark_known("no-such-finding", "a", "why").unwrap();
        policy.mark_known("no-such-finding", "b", "why").unwrap();
        assert_eq!(strange(&policy.known).len(), 1);
        assert_eq!(stale(&policy.known, &[]).len(), 2);
    }
}
