//! Matches that depend on what came before: what they say of the first packet of a quiet peer.

use super::options::Choice;
use crate::core::netfilter::Condition;

/// `limit`, `hashlimit`, `recent`, `connlimit`.
pub(super) fn first_of_many(name: &str, choices: &[Choice<'_>]) -> Option<Condition> {
    let matches = match name {
        "limit" => choices.iter().all(|choice| !choice.is_negated).then_some(true),
        "hashlimit" => decided(choices, |choice| match choice.name {
            "--hashlimit-upto" | "--hashlimit" => Some(true),
            "--hashlimit-above" => Some(false),
            _ => None,
        }),
        "recent" => decided(choices, |choice| match choice.name {
            "--set" => Some(true),
            "--rcheck" | "--update" | "--remove" => Some(false),
            _ => None,
        }),
        "connlimit" => decided(choices, |choice| {
            let most: u32 = choice.value()?.parse().ok()?;
            match choice.name {
                "--connlimit-above" => Some(most == 0),
                "--connlimit-upto" => Some(most > 0),
                _ => None,
            }
        }),
        _ => None,
    }?;
    let words: Vec<String> = choices.iter().map(Choice::text).collect();
    Some(Condition::FirstOfMany {
        matches,
        what: format!("{name}: {}", words.join(" ")),
    })
}

/// What the one option that decides says; none where none or several do.
fn decided(choices: &[Choice<'_>], says: impl Fn(&Choice<'_>) -> Option<bool>) -> Option<bool> {
    let mut answers = choices
        .iter()
        .filter_map(|choice| Some(says(choice)? != choice.is_negated));
    let answer = answers.next()?;
    answers.next().is_none().then_some(answer)
}
