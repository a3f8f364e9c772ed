//! The words of one match or target, as options.

use std::slice::Iter;

/// One option with its values: `! --dport 22`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    /// Whether a `!` stands before it.
    pub(super) is_negated: bool,
    /// Its name, with its dashes.
    pub(super) name: &'a str,
    /// What follows it, up to the next option.
    pub(super) values: Vec<&'a str>,
}

impl<'a> Choice<'a> {
    /// Its only value.
    pub(super) fn value(&self) -> Option<&'a str> {
        match self.values.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Its words, as one would type them.
    pub(super) fn text(&self) -> String {
        let mut text = if self.is_negated { "! " } else { "" }.to_owned();
        text.push_str(self.name);
        for value in &self.values {
            text.push(' ');
            text.push_str(value);
        }
        text
    }
}

/// Options whose value is whatever somebody wrote, which may look like an option itself.
pub(crate) fn takes_any_text(option: &str) -> bool {
    matches!(
        option,
        "--comment"
            | "--string"
            | "--hex-string"
            | "--bytecode"
            | "--object-pinned"
            | "--name"
            | "--set-name"
            | "--hashlimit-name"
            | "--log-prefix"
            | "--nflog-prefix"
            | "--ulog-prefix"
            | "--helper"
            | "--timeout"
            | "--path"
            | "--led-trigger-id"
            | "--label"
    )
}

/// Splits words into options; none where something stands before the first.
pub(super) fn choices(words: &[String]) -> Option<Vec<Choice<'_>>> {
    let mut choices: Vec<Choice<'_>> = Vec::new();
    let mut words: Iter<'_, String> = words.iter();
    let mut is_negated = false;
    while let Some(word) = words.next() {
        if word == "!" {
            is_negated = true;
        } else if word.starts_with("--") {
            let values = if takes_any_text(word) { words.next() } else { None };
            choices.push(Choice {
                is_negated: std::mem::take(&mut is_negated),
                name: word,
                values: values.into_iter().map(String::as_str).collect(),
            });
        } else if is_negated {
            return None;
        } else {
            choices.last_mut()?.values.push(word);
        }
    }
    (!is_negated).then_some(choices)
}
