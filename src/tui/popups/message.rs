//! Something to read: an error with its next steps, the end of a trial.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Drawn, Sheet, text_width};
use crate::app::Error;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The title.
    pub title: String,
    /// Good, warn or bad.
    pub token: Token,
    /// Paragraphs.
    pub text: Vec<String>,
}

impl Message {
    /// A failure: what, why, and the next steps.
    pub fn error(title: &str, error: &Error) -> Self {
        // Errors are written to follow "fwtui: "; here they stand alone.
        let mut letters = error.message.trim_end_matches('.').chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let mut text = vec![format!("{first}{}.", letters.as_str())];
        text.extend(error.hints.iter().cloned());
        Self {
            title: title.to_owned(),
            token: Token::Bad,
            text,
        }
    }
}

pub(super) fn draw(model: &Model, message: &Message, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 66);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for paragraph in &message.text {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(wrapped(paragraph, usize::from(width), 0, model.palette.of(Token::Text)));
    }
    Sheet {
        model,
        title: &message.title,
        token: message.token,
        lines,
        top: 0,
        contexts: &[Context::Reading],
        width,
    }
    .draw(frame, area)
}
