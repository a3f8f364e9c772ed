//! The configuration's file: one object, each value with its line.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Choice, Field};
use crate::core::json::{Complaint, line_at, offset_of, reason_of};
use crate::core::text::{nearest, printable};

/// So many complaints are enough: what else is wrong is read when these are mended.
pub(super) const MOST_COMPLAINTS: usize = 50;

/// The member that is an object.
const KEYS: &str = "keys";

/// A value as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) field: Field,
    /// The word, the number, or true or false.
    pub(super) text: String,
    pub(super) line: usize,
}

/// What a file says.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    pub(super) values: Vec<Stated>,
    pub(super) keys: Vec<Choice>,
    pub(super) complaints: Vec<Complaint>,
}

/// Reads a file: what is right, and what is wrong.
pub(super) fn parse(text: &str) -> Document {
    let mut document = Document::default();
    let Members(members) = match serde_json::from_str(text) {
        Ok(members) => members,
        Err(error) => {
            document.complain(error.line(), reason_of(&error, text));
            return document;
        }
    };
    for (key, raw) in members {
        if document.complaints.len() >= MOST_COMPLAINTS {
            break;
        }
        let line = line_at(text, offset_of(raw.get(), text));
        match Field::ALL.into_iter().find(|field| field.name() == key) {
            None if key == KEYS => document.take_keys(raw, text),
            None => {
                let names = Field::ALL.map(Field::name);
                let meant = nearest(&key, names.into_iter().chain([KEYS]));
                document.complain(line, unknown(&key, meant));
            }
            Some(field) if document.values.iter().any(|value| value.field == field) => {
                document.complain(line, format!("'{field}' is there twice: the first one holds"));
            }
            Some(field) => match scalar(raw) {
                Ok(text) => document.values.push(Stated { field, text, line }),
                Err(reason) => document.complain(line, format!("'{field}' {reason}")),
            },
        }
    }
    document
}

impl Document {
    fn complain(&mut self, line: usize, reason: String) {
        self.complaints.push(Complaint { line, reason });
    }

    /// `{"services.confine": ["c", "x"], "screens.quit": "ctrl-q"}`
    fn take_keys(&mut self, raw: &RawValue, text: &str) {
        let begins = line_at(text, offset_of(raw.get(), text));
        let Members(members) = match serde_json::from_str(raw.get()) {
            Ok(members) => members,
            Err(error) => {
                let line = begins + error.line().saturating_sub(1);
                return self.complain(line, format!("'{KEYS}': {}", reason_of(&error, raw.get())));
            }
        };
        for (command, raw) in members {
            if self.complaints.len() >= MOST_COMPLAINTS {
                return;
            }
            let line = line_at(text, offset_of(raw.get(), text));
            let keys: Result<Vec<String>, _> = serde_json::from_str(raw.get());
            let keys = keys.or_else(|_| serde_json::from_str(raw.get()).map(|key: String| vec![key]));
            match keys {
                Ok(_) if self.keys.iter().any(|choice| choice.command == command) => {
                    let reason = format!("'{}' is there twice: the first one holds", printable(&command));
                    self.complain(line, reason);
                }
                Ok(keys) => self.keys.push(Choice { command, keys, line }),
                Err(_) => {
                    let reason = format!("'{}' takes a list of keys, like [\"x\", \"f5\"]", printable(&command));
                    self.complain(line, reason);
                }
            }
        }
    }
}

/// The members of an object in their order, those that are there twice included; values unread.
struct Members<'a>(Vec<(String, &'a RawValue)>);

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

/// A word, a number, true or false, as text.
fn scalar(raw: &RawValue) -> Result<String, String> {
    match serde_json::from_str(raw.get()) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(serde_json::Value::Number(number)) => Ok(number.to_string()),
        Ok(serde_json::Value::Bool(is_so)) => Ok(is_so.to_string()),
        Ok(_) | Err(_) => Err("takes one word or number".to_owned()),
    }
}

/// `unknown field 'theem': did you mean 'theme'?`
fn unknown(word: &str, meant: Option<&str>) -> String {
    let word = printable(word);
    if let Some(meant) = meant {
        return format!("unknown field '{word}': did you mean '{meant}'?");
    }
    let names = Field::ALL.map(Field::name).join(", ");
    format!("unknown field '{word}': there are {names} and {KEYS}")
}
