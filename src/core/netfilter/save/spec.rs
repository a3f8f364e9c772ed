//! One rule: its words in order, generic options, matches and the target.

use std::collections::BTreeSet;

use super::options::takes_any_text;
use super::{matches, targets, values};
use crate::core::listener::Family;
use crate::core::netfilter::ipset::Resolved;
use crate::core::netfilter::{Condition, End, Field, Rule, Statement};

/// What a rule's words are read by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// The family of the table.
    pub(super) family: Family,
    /// The chains of the table; none where that is not known.
    pub(super) chains: Option<&'a BTreeSet<&'a str>>,
    /// The sets of ipset(8).
    pub(super) sets: &'a [Resolved],
}

impl Context<'_> {
    /// For a rule that is all there is.
    pub(super) const fn alone(family: Family) -> Self {
        Self {
            family,
            chains: None,
            sets: &[],
        }
    }
}

/// A rule from its words; `text` is its line.
pub(super) fn rule(words: &[String], text: &str, context: &Context<'_>) -> Rule {
    let mut rule = Rule {
        statements: Vec::new(),
        text: text.to_owned(),
        comment: None,
    };
    let mut rest = words;
    while let Some((part, after)) = next_part(rest) {
        rest = after;
        match part {
            [option, name, options @ ..] if option == "-m" => {
                if name == "comment" {
                    let comment = options.iter().skip_while(|word| *word != "--comment").nth(1);
                    rule.comment = rule.comment.or_else(|| comment.cloned());
                } else {
                    rule.statements.extend(matches::statements(name, options, context));
                }
            }
            [option, name, options @ ..] if matches!(option.as_str(), "-j" | "-g") => {
                rule.statements
                    .extend(targets::statements(option == "-g", name, options, context));
            }
            [not, option, value] if not == "!" => {
                rule.statements
                    .extend(generic(option, value, true, context).map(Statement::If));
            }
            [option, value] => {
                rule.statements
                    .extend(generic(option, value, false, context).map(Statement::If));
            }
            words => {
                rule.statements.push(Statement::If(Condition::Unknown(words.join(" "))));
            }
        }
    }
    rule
}

/// Options that iptables itself knows, with how many words they take.
fn generic_length(word: &str) -> Option<usize> {
    match word {
        "-s" | "-d" | "-i" | "-o" | "-p" => Some(2),
        "-f" | "-4" | "-6" => Some(1),
        "-m" | "-j" | "-g" => Some(0),
        _ => None,
    }
}

/// Cuts off the first part of a rule's words: a generic option, or a match or target with all that
/// belongs to it, understood or not.
fn next_part(words: &[String]) -> Option<(&[String], &[String])> {
    let first = words.first()?;
    let is_negated = first == "!";
    let option = words.get(usize::from(is_negated))?;
    let fixed = generic_length(option).filter(|length| *length > 0);
    let length = match fixed {
        Some(length) => length + usize::from(is_negated),
        None => length_with_options(words),
    };
    Some(words.split_at(length.clamp(1, words.len())))
}

/// How many words belong to the match or target that begins here.
fn length_with_options(words: &[String]) -> usize {
    // The name of the match, whatever it is.
    let mut at = 2;
    while let Some(word) = words.get(at) {
        let ahead = words.get(at + 1).map(String::as_str);
        if generic_length(word).is_some() || (word == "!" && ahead.is_some_and(|next| generic_length(next).is_some())) {
            return at;
        }
        at += if takes_any_text(word) { 2 } else { 1 };
    }
    words.len()
}

/// A generic option as a condition; none where every packet is so.
fn generic(option: &str, value: &str, is_negated: bool, context: &Context<'_>) -> Option<Condition> {
    let family = context.family;
    let condition = match option {
        "-s" => values::network(Field::Address(family, End::Source), value, family),
        "-d" => values::network(Field::Address(family, End::Destination), value, family),
        "-i" => Some(values::interface(Field::InInterface, value)),
        "-o" => Some(values::interface(Field::OutInterface, value)),
        "-p" => match values::protocol(value) {
            Some(0) if !is_negated => return None,
            Some(number) => Some(Condition::is(Field::Protocol, number.into())),
            None => None,
        },
        _ => None,
    };
    let words = || format!("{}{option} {value}", if is_negated { "! " } else { "" });
    Some(match (condition, is_negated) {
        (Some(condition), true) => condition.negated(),
        (Some(condition), false) => condition,
        (None, _) => Condition::Unknown(words()),
    })
}
