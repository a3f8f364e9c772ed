//! Variables put into words. What is not known stays as it was written.

use std::collections::BTreeMap;

use super::lexer::{self, Piece, RawWord};

/// Longest value of a variable, in bytes; a longer one is not known.
const LONGEST: usize = 1 << 16;
/// So many fields of a command, and those of one word more: no rule has more than 255.
const MOST_FIELDS: usize = 1 << 14;

/// Defaults may hold so many more; with more of them a value is not known.
const MOST_DEFAULTS: usize = 16;

/// What variables hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    /// What functions were called with, the innermost last.
    pub(super) arguments: Vec<Vec<String>>,
}

impl Variables {
    pub(super) fn set(&mut self, name: &str, value: String) {
        let value = if value.len() > LONGEST {
            format!("${name}")
        } else {
            value
        };
        self.values.insert(name.to_owned(), value);
    }

    pub(super) fn append(&mut self, name: &str, more: &str) {
        let value = self.values.get(name).map_or_else(String::new, Clone::clone) + more;
        self.set(name, value);
    }

    /// Forgets what it was: `$NAME` is not known any more.
    pub(super) fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// The fields that words make.
    pub(super) fn fields(&self, words: &[RawWord]) -> Vec<String> {
        let mut fields = Vec::new();
        for word in words {
            self.add_fields(word, &mut fields);
            if fields.len() > MOST_FIELDS {
                break;
            }
        }
        fields
    }

    /// A word as one field.
    pub(super) fn whole(&self, word: &RawWord) -> String {
        let mut whole = String::new();
        for piece in word {
            match piece {
                Piece::Text { text, .. } => whole.push_str(text),
                Piece::Variable { raw, .. } => whole.push_str(self.value(piece).as_deref().unwrap_or(raw)),
                Piece::Output { command, raw } => whole.push_str(program_of(command).unwrap_or(raw)),
            }
            if whole.len() > LONGEST {
                break;
            }
        }
        whole
    }

    /// A line of a text with its variables put in.
    pub(super) fn line(&self, line: &str) -> String {
        self.whole(&lexer::quoted(line))
    }

    /// The value of a variable; none where it is not known.
    fn value(&self, piece: &Piece) -> Option<String> {
        let Piece::Variable { name, default, .. } = piece else {
            return None;
        };
        // Each is gone through once more for every one that it stands in.
        let is_short = |default: &&String| default.matches("${").nth(MOST_DEFAULTS).is_none();
        let default = default.as_ref().filter(is_short);
        let arguments = self.arguments.last();
        let value = match name.as_str() {
            "@" | "*" => arguments.map(|all| all.join(" ")),
            "#" => arguments.map(|all| all.len().to_string()),
            name => match name.parse::<usize>() {
                Ok(0) => None,
                // What a function was not given is empty.
                Ok(number) => arguments.map(|all| all.get(number - 1).cloned().unwrap_or_default()),
                Err(_) => self.values.get(name).cloned(),
            },
        };
        match (value, default) {
            (Some(value), Some(default)) if value.is_empty() => Some(self.line(default)),
            (Some(value), _) => Some(value),
            (None, Some(default)) => Some(self.line(default)),
            (None, None) => None,
        }
    }

    fn add_fields(&self, word: &RawWord, fields: &mut Vec<String>) {
        let mut field: Option<String> = None;
        for piece in word {
            match piece {
                Piece::Text { text, .. } => field.get_or_insert_default().push_str(text),
                Piece::Output { command, raw } => {
                    field
                        .get_or_insert_default()
                        .push_str(program_of(command).unwrap_or(raw));
                }
                Piece::Variable {
                    name, raw, is_quoted, ..
                } => match self.value(piece) {
                    None => field.get_or_insert_default().push_str(raw),
                    Some(_) if name == "@" && self.arguments.last().is_some() => {
                        // Each argument is a field, spaces in it or not.
                        fields.extend(field.take().filter(|field| !field.is_empty()));
                        fields.extend(self.arguments.last().into_iter().flatten().cloned());
                    }
                    Some(value) if *is_quoted || is_unknown(&value) => {
                        field.get_or_insert_default().push_str(&value);
                    }
                    Some(value) => split(&value, &mut field, fields),
                },
            }
            if field.as_ref().is_some_and(|field| field.len() > LONGEST) {
                break;
            }
        }
        fields.extend(field);
    }
}

/// Whether a word is made of what a function was called with.
pub(super) fn is_argument(word: &RawWord) -> bool {
    word.iter().any(|piece| {
        let Piece::Variable { name, .. } = piece else {
            return false;
        };
        matches!(name.as_str(), "@" | "*") || name.parse::<usize>().is_ok()
    })
}

/// Whether a text holds something that is not known.
pub(super) fn is_unknown(text: &str) -> bool {
    text.contains(['$', '`'])
}

/// A value without quotes falls apart at its spaces.
fn split(value: &str, field: &mut Option<String>, fields: &mut Vec<String>) {
    if value.starts_with(char::is_whitespace) {
        fields.extend(field.take());
    }
    let mut words = value.split_whitespace().peekable();
    while let Some(word) = words.next() {
        field.get_or_insert_default().push_str(word);
        if words.peek().is_some() || value.ends_with(char::is_whitespace) {
            fields.extend(field.take());
        }
    }
}

/// `which iptables` gives a path of the program.
fn program_of(command: &str) -> Option<&str> {
    let command = command.trim();
    let asked = ["which ", "command -v ", "type -p ", "type -P ", "type -path "]
        .into_iter()
        .find_map(|words| command.strip_prefix(words))?;
    asked.split_whitespace().next().filter(|name| !is_unknown(name))
}
