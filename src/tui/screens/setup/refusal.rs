//! Reject or drop.

use ratatui::text::{Line, Span};

use super::{elsewhere, paragraph};
use crate::core::policy::Refusal;
use crate::core::setup::About;
use crate::core::setup::words::refusal_meaning;
use crate::tui::commands::Context;
use crate::tui::model::{Model, Setup};
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

/// An answer to a question with a few of them.
pub(super) struct Choice<'a> {
    pub(super) is_chosen: bool,
    pub(super) is_recommended: bool,
    /// The word before a colon, and what it means.
    pub(super) meaning: &'a str,
}

/// The answers one below the other, the chosen one marked.
pub(super) fn choices(model: &Model, choices: &[Choice<'_>], cells: usize) -> Vec<Line<'static>> {
    const INDENT: usize = 4;
    let palette = &model.palette;
    let mut lines = Vec::new();
    for choice in choices {
        lines.push(Line::default());
        let (word, meaning) = choice.meaning.split_once(": ").unwrap_or((choice.meaning, ""));
        let (mark, token) = match choice.is_chosen {
            true => ("▸ ● ", Token::Accent),
            false => ("  ○ ", Token::Dim),
        };
        let word_token = if choice.is_chosen { Token::Accent } else { Token::Text };
        let mut spans = vec![
            Span::styled(mark, palette.of(token)),
            Span::styled(word.to_owned(), palette.of(word_token)),
        ];
        if choice.is_recommended {
            spans.push(Span::styled("  recommended", palette.of(Token::Good)));
        }
        lines.push(Line::from(spans));
        let text_token = if choice.is_chosen { Token::Text } else { Token::Dim };
        for mut line in wrapped(
            &crate::core::text::capitalised(meaning),
            cells.saturating_sub(INDENT),
            0,
            palette.of(text_token),
        ) {
            line.spans.insert(0, Span::raw(" ".repeat(INDENT)));
            lines.push(line);
        }
    }
    lines
}

pub(super) fn lines(model: &Model, setup: &Setup, cells: usize) -> Vec<Line<'static>> {
    let text = "Whoever is not let in is refused. How shall he learn of it?";
    let mut lines = paragraph(model, Token::Text, text, cells);
    let proposed = &setup.proposals.refusal;
    let all = [Refusal::Reject, Refusal::Drop].map(|refusal| Choice {
        is_chosen: setup.answers.refusal == refusal,
        is_recommended: proposed.value == refusal,
        meaning: refusal_meaning(refusal),
    });
    lines.extend(choices(model, &all, cells));
    lines.push(Line::default());
    lines.extend(paragraph(model, Token::Dim, &proposed.why, cells));
    let about = elsewhere::about(model, setup, &About::Refusal, Context::SetupChoice, cells);
    lines.extend(about);
    lines
}
