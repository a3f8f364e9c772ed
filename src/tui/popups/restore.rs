//! Whether to put back what was confirmed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Drawn, Sheet, text_width};
use crate::core::text::capitalised;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 62);
    let cells = usize::from(width);
    let palette = &model.palette;
    let mut lines = Vec::new();
    if let Some(why) = &model.observation.status.drift {
        let by = model
            .drift
            .by()
            .map(|by| format!(" (changed by {by})"))
            .unwrap_or_default();
        let text = format!("{}{by}.", capitalised(why));
        lines.extend(wrapped(&text, cells, 0, palette.of(Token::Warn)));
        lines.push(Line::default());
    }
    let text = "What was last confirmed is loaded at once, without a trial. Rules of other programs stay as they are.";
    lines.extend(wrapped(text, cells, 0, palette.of(Token::Text)));
    Sheet {
        model,
        title: "Put back what was confirmed?",
        token: Token::Accent,
        lines,
        top: 0,
        contexts: &[Context::Asking],
        width,
    }
    .draw(frame, area)
}
