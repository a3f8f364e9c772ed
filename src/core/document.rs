//! JSON that people write: every complaint has its line, and the word that was probably meant.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::core::text::{nearest, printable_within};

/// Longest reason given, in characters.
const LONGEST_REASON: usize = 300;

/// What is wrong in a document, and is left out because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, in words.
    pub reason: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// The members of an object in their order, those that are there twice included; values unread.
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, { ... }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(InOrder).map(Members)
    }
}

/// Where a part of a text begins, in bytes.
pub(super) fn offset_in(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// The line a byte is in.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    1 + newlines(text.get(..at).unwrap_or_default())
}

/// The line a key first stands in.
pub(super) fn line_of_key(text: &str, key: &str) -> usize {
    let before = text.split_once(&format!("\"{key}\"")).map(|(before, _)| before);
    1 + newlines(before.unwrap_or_default())
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The message without serde's " at line 3 column 7", and with the word that was probably meant.
pub(super) fn reason_of(error: &serde_json::Error) -> String {
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
