//! What to do while the new rules are on trial.

use ratatui::text::Line;

use super::{heading, outlook, paragraph, point};
use crate::tui::model::Model;
use crate::tui::theme::Token;

pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let text = "The new rules are in force, on trial. Try what you need: a page of this machine's, a printer, a backup. \
                k keeps the new rules, r puts the old ones back at once; do nothing, and they come back by themselves.";
    let mut lines = paragraph(model, Token::Text, text, cells);
    if !model.observation.ways_in.is_empty() {
        lines.push(Line::default());
        let text = "Log in once more from where you are, in a second terminal: the connection you are typing in proves \
                    nothing, it was there before.";
        lines.extend(point(model, "!", Token::Warn, text, cells));
    }
    lines.extend(heading(model, "Who can connect now"));
    lines.extend(outlook::lines(model, cells));
    lines
}
