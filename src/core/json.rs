//! Complaints about JSON that a user wrote, with their lines.

use crate::core::text::{nearest, printable_within};

/// Longest reason given, in characters.
const LONGEST_REASON: usize = 300;

/// What is wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, in words.
    pub reason: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// At which byte of a text a part of it begins.
pub fn offset_of(part: &str, text: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// The line a byte is in.
pub fn line_at(text: &str, at: usize) -> usize {
    1 + newlines(text.get(..at).unwrap_or_default())
}

/// The line a key first stands in.
pub fn line_of_key(text: &str, key: &str) -> usize {
    let before = text.split_once(&format!("\"{key}\"")).map(|(before, _)| before);
    1 + newlines(before.unwrap_or_default())
}

/// The message without serde's " at line 3 column 7", and with the word that was probably meant; `text` is what
/// was read.
pub fn reason_of(error: &serde_json::Error, text: &str) -> String {
    if let Some(habit) = habit(error, text) {
        return habit.to_owned();
    }
    let message = error.to_string();
    let reason = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(reason, _)| reason);
    let mut words = reason.split('`').skip(1).step_by(2);
    let meant = words.next().and_then(|word| Some((word, nearest(word, words)?)));
    let text = match meant {
        Some((word, meant)) if reason.starts_with("unknown") => {
            let kind = reason.split('`').next().unwrap_or_default();
            format!("{kind}'{word}': did you mean '{meant}'?")
        }
        _ if error.is_eof() => format!("the file ends too early ({reason})"),
        _ => reason.to_owned(),
    };
    // It quotes the file, which may hold anything.
    printable_within(&text, LONGEST_REASON)
}

/// What people write who are used to kinder formats, of which serde says no more than that it expected something
/// else.
fn habit(error: &serde_json::Error, text: &str) -> Option<&'static str> {
    if !error.is_syntax() {
        return None;
    }
    let begins = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let begin: usize = begins.map(str::len).sum();
    // It counts the columns from 1, and is one behind where it only looked at the next one.
    let at = begin + error.column();
    let places = [at.saturating_sub(1), at, at.saturating_sub(2)];
    let rest = |place: usize| text.get(place..).unwrap_or_default();
    let is_comment = |place: usize| {
        let rest = rest(place);
        let is_first = || text.get(begin..place).is_some_and(|before| before.trim().is_empty());
        rest.starts_with("//")
            || rest.starts_with("/*")
            || rest.starts_with("# ")
            || rest.starts_with('#') && is_first()
    };
    if places.into_iter().any(is_comment) {
        return Some("JSON has no comments: take this one out");
    }
    let is_after_comma = |place: usize| {
        let before = text.get(..place).unwrap_or_default().trim_end();
        rest(place).starts_with(['}', ']']) && before.ends_with(',')
    };
    if places.into_iter().any(is_after_comma) {
        return Some("there is a comma too many: none follows the last one, before } or ]");
    }
    if places.into_iter().any(|place| rest(place).starts_with('\'')) {
        return Some("JSON has double quotes only: write \"...\"");
    }
    let message = error.to_string();
    if message.starts_with("recursion limit") {
        return Some("it is nested too deeply");
    }
    message
        .starts_with("key must be a string")
        .then_some("a name stands in double quotes: \"...\"")
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_from_kinder_formats_are_named() {
        for (text, line, words) in [
            ("{\n  // mine\n  \"a\": 1\n}", 2, "no comments"),
            ("// mine\n{}", 1, "no comments"),
            ("{\"a\": 1, /* two */ \"b\": 2}", 1, "no comments"),
            ("{\n  \"a\": 1 // one\n}", 2, "no comments"),
            ("{\n  \"a\": 1 # one\n}", 2, "no comments"),
            ("# mine\n{}", 1, "no comments"),
            ("{} // mine", 1, "no comments"),
            ("{\n  \"a\": 1,\n}", 3, "a comma too many"),
            ("{\"a\": [1, 2,]}", 1, "a comma too many"),
            ("{'a': 1}", 1, "double quotes"),
            ("{\"a\": 'b'}", 1, "double quotes"),
            ("{a: 1}", 1, "double quotes"),
            ("{\"a\": #ff0000}", 1, "expected value"),
            ("{\"a\": 1 \"b\": 2}", 1, "expected `,` or `}`"),
            ("{\"a\": \"\u{e9}\u{e9}\u{e9}\u{e9}\" // \u{e9}\n}", 1, "no comments"),
        ] {
            for error in [
                serde_json::from_str::<serde_json::Value>(text).unwrap_err(),
                serde_json::from_str::<&serde_json::value::RawValue>(text).unwrap_err(),
            ] {
                let reason = reason_of(&error, text);
                assert!(reason.contains(words), "{text}: {reason}");
                assert_eq!(error.line(), line, "{text}");
            }
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_called_so() {
        let text = "[".repeat(10_000);
        let error = serde_json::from_str::<serde_json::Value>(&text).unwrap_err();
        assert_eq!(reason_of(&error, &text), "it is nested too deeply");
    }
}
