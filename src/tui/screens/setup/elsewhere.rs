//! What was decided elsewhere since it was answered here.

use ratatui::text::Line;

use super::{paragraph, point};
use crate::core::setup::{About, Elsewhere};
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, Setup};
use crate::tui::theme::Token;

/// Of one question, for its page.
pub(super) fn about(model: &Model, setup: &Setup, about: &About, context: Context, cells: usize) -> Vec<Line<'static>> {
    let elsewhere = setup.elsewhere();
    let Some(one) = elsewhere.iter().find(|one| one.about == *about) else {
        return Vec::new();
    };
    match one.is_own {
        true => {
            let key = model.key_of(CommandId::TakeAdvice, context);
            paragraph(model, Token::Warn, &format!("{one}. {key} takes {}.", one.now), cells)
        }
        false => paragraph(model, Token::Changed, &format!("{one}."), cells),
    }
}

/// Of all questions, for the summary.
pub(super) fn lines(model: &Model, elsewhere: &[Elsewhere], cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for one in elsewhere {
        let (symbol, token) = match one.is_own {
            true => ("!", Token::Warn),
            false => ("·", Token::Accent),
        };
        lines.extend(point(model, symbol, token, &format!("{one}."), cells));
    }
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    lines
}
