//! What shows that a new connection still gets in, and how to make one.

use crate::core::listener::Family;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrap;

/// What to type in a second terminal, where the user came over SSH.
pub fn command(model: &Model) -> Option<&str> {
    model.trial()?.second_session.as_deref()
}

/// What has been seen, for a popup: a sentence for each family; nothing where nothing was seen.
pub fn sentences(model: &Model) -> Vec<(String, Token)> {
    let Some(trial) = model.trial().filter(|trial| !trial.evidence.is_empty()) else {
        return Vec::new();
    };
    let seen = trial
        .evidence
        .iter()
        .map(|evidence| (evidence.sentence(model.now), Token::Good));
    let none = unseen(model).map(|family| (format!("{family}: none seen."), Token::Dim));
    seen.chain(none).collect()
}

/// The families without a new connection, where one is hoped for.
fn unseen(model: &Model) -> impl Iterator<Item = Family> {
    let trial = model.trial().filter(|trial| trial.second_session.is_some());
    let is_unseen = move |family: &Family| {
        trial.is_some_and(|trial| trial.evidence.iter().all(|evidence| evidence.family != *family))
    };
    Family::ALL.into_iter().filter(is_unseen)
}

/// The lines of the banner: at most so many, of so many cells. A command is whole, or not there.
pub fn lines(model: &Model, cells: usize, most: usize) -> Vec<String> {
    let Some(trial) = model.trial() else {
        return Vec::new();
    };
    if !trial.evidence.is_empty() {
        let seen = trial.evidence.iter().map(|evidence| {
            format!(
                "new connection from {} to {}, {} s ago, {}",
                evidence.peer,
                evidence.port,
                evidence.seconds_ago(model.now),
                evidence.family
            )
        });
        let none = unseen(model).map(|family| format!("{family}: none seen"));
        let mut lines = wrap(&seen.chain(none).collect::<Vec<_>>().join(" · "), cells);
        lines.truncate(most);
        return lines;
    }
    let Some(command) = command(model) else {
        return Vec::new();
    };
    let whole = wrap(&format!("no new connection seen; second terminal: {command}"), cells);
    if whole.len() <= most {
        return whole;
    }
    let keep = model.key_of(CommandId::Keep, Context::Trial);
    wrap(
        &format!("no new connection seen yet: {keep} shows how to open one"),
        cells,
    )
}
