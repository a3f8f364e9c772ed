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

/// The message without serde's " at line 3 column 7", and with the word that was probably meant.
pub fn reason_of(error: &serde_json::Error) -> String {
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

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}
