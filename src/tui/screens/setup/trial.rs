//! What to do while the new rules are on trial.

use ratatui::text::Line;

use super::{heading, outlook, paragraph, point};
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::popups::on_trial;
use crate::tui::theme::Token;

/// Of a trial that is not of the answers: what they lead to says nothing about it.
pub(super) fn of_others(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let beginning = model.trial().map(|trial| trial.beginning.words(model.now));
    let [keep, revert] = keys(model);
    let text = format!(
        "Begun {}: the rules in force are not what you answered here. {keep} keeps them, {revert} puts the old \
         ones back at once; do nothing, and they come back by themselves. Your answers are kept, and the setup goes on then.",
        beginning.unwrap_or_default()
    );
    let mut lines = paragraph(model, Token::Text, &text, cells);
    let (title, changes) = on_trial(model, cells, usize::MAX);
    lines.extend(heading(model, title));
    lines.extend(changes);
    lines
}

/// What keeps, and what reverts.
fn keys(model: &Model) -> [String; 2] {
    [CommandId::Keep, CommandId::Revert].map(|id| model.key_of(id, Context::Trial))
}

pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let [keep, revert] = keys(model);
    let text = format!(
        "The new rules are in force, on trial. Try what you need: a page of this machine's, a printer, a backup. {keep} \
         keeps the new rules, {revert} puts the old ones back at once; do nothing, and they come back by themselves."
    );
    let mut lines = paragraph(model, Token::Text, &text, cells);
    if !model.observation.ways_in.is_empty() {
        lines.push(Line::default());
        let text = "Log in once more from where you are, in a second terminal: the connection you are typing in proves \
                    nothing, it was there before.";
        lines.extend(point(model, "!", Token::Warn, text, cells));
    }
    lines.extend(heading(model, "Who can connect now"));
    lines.extend(outlook::lines(model, outlook::When::of(model), cells));
    lines
}
