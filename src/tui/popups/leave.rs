//! What becomes of the trial when the user leaves.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Drawn, Sheet, text_width};
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::banner::CONFIRM_COMMAND;
use crate::tui::widgets::text::wrapped;

/// What is different in a sandbox.
pub(super) const SANDBOX_ENDS: &str =
    "This is a sandbox: where 'fwtui sandbox' opened these screens, it ends with them, and all of it is gone.";

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 62);
    let cells = usize::from(width);
    let palette = &model.palette;
    let text =
        "The trial goes on without these screens, and the old rules come back at its end unless it is confirmed.";
    let mut lines = wrapped(text, cells, 0, palette.of(Token::Text));
    lines.push(Line::default());
    let text = format!("To confirm it later: {CONFIRM_COMMAND}, or start fwtui again.");
    lines.extend(wrapped(&text, cells, 0, palette.of(Token::Text)));
    if model.neighbours.are_there {
        lines.push(Line::default());
        lines.extend(wrapped(SANDBOX_ENDS, cells, 0, palette.of(Token::Warn)));
    }
    Sheet {
        model,
        title: "A trial is running",
        token: Token::Warn,
        lines,
        top: 0,
        contexts: &[Context::Leaving],
        width,
    }
    .draw(frame, area)
}
