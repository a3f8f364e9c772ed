//! Whether to replace a file that is there already.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Drawn, Sheet, text_width};
use crate::app::Writing;
use crate::core::text::printable_within;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

/// Longest path shown.
const LONGEST: usize = 300;

pub(super) fn draw(model: &Model, writing: &Writing, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 62);
    let cells = usize::from(width);
    let palette = &model.palette;
    let path = printable_within(&writing.path, LONGEST);
    let mut lines = wrapped(&format!("{path} is there already."), cells, 0, palette.of(Token::Warn));
    let yes = model.key_of(CommandId::Accept, Context::Doubting);
    let text = format!("Press {yes} to replace it by what is shown here: what is in it now is then gone.");
    lines.extend(wrapped(&text, cells, 0, palette.of(Token::Text)));
    Sheet {
        model,
        title: "Replace the file?",
        token: Token::Warn,
        lines,
        top: 0,
        contexts: &[Context::Doubting],
        width,
    }
    .draw(frame, area)
}
