//! Whether refusals are logged.

use ratatui::text::Line;

use super::refusal::{Choice, choices};
use super::{elsewhere, paragraph};
use crate::core::setup::About;
use crate::core::setup::words::logging_meaning;
use crate::tui::commands::Context;
use crate::tui::model::{LOGGINGS, Model, Setup};
use crate::tui::theme::Token;

pub(super) fn lines(model: &Model, setup: &Setup, cells: usize) -> Vec<Line<'static>> {
    let text = "A log is worth something only if somebody reads it.";
    let mut lines = paragraph(model, Token::Text, text, cells);
    let proposed = &setup.proposals.logging;
    let all = LOGGINGS.map(|logging| Choice {
        is_chosen: setup.answers.logging == logging,
        is_recommended: proposed.value == logging,
        meaning: logging_meaning(logging),
    });
    lines.extend(choices(model, &all, cells));
    lines.push(Line::default());
    lines.extend(paragraph(model, Token::Dim, &proposed.why, cells));
    let about = elsewhere::about(model, setup, &About::Logging, Context::SetupChoice, cells);
    lines.extend(about);
    lines
}
