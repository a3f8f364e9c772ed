//! Whether to have a service stopped and disabled: what that does, and what depends on it.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Drawn, Sheet, text_width};
use crate::core::text::{capitalised, printable_within};
use crate::core::unit::{Proposal, carries_network};
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::wrapped;

/// Longest sentence shown; the count comes first, so that a list may be cut.
const LONGEST: usize = 400;
/// The same on a terminal of few lines: nothing is agreed to that was out of sight.
const LONGEST_LOW: usize = 100;
/// So many lines are few.
const LOW: u16 = 30;

pub(super) fn draw(model: &Model, proposal: &Proposal, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, 66);
    let cells = usize::from(width);
    let palette = &model.palette;
    let mut lines = Vec::new();
    for (index, sentence) in proposal.sentences().into_iter().enumerate() {
        let is_warning = sentence.starts_with("beware");
        let longest = if area.height < LOW && !is_warning {
            LONGEST_LOW
        } else {
            LONGEST
        };
        let is_grave = is_warning || index == 1 && !proposal.needed_by.is_empty();
        let token = if is_grave { Token::Warn } else { Token::Text };
        let sentence = printable_within(&format!("{}.", capitalised(&sentence)), longest);
        lines.extend(wrapped(&sentence, cells, 0, palette.of(token)));
    }
    let text = "It waits for an apply. Unless you keep it, the guard starts it again; the kernel's own timer can't.";
    lines.push(ratatui::text::Line::default());
    lines.extend(wrapped(text, cells, 0, palette.of(Token::Dim)));
    let name = match proposal.name.as_str() {
        "" => proposal.id.to_string(),
        name => format!("{name} {}", proposal.id),
    };
    let is_network = proposal.units.iter().any(|unit| carries_network(unit));
    Sheet {
        model,
        title: &printable_within(&format!("Disable {name}?"), cells),
        token: if is_network { Token::Bad } else { Token::Accent },
        lines,
        top: 0,
        contexts: &[Context::Asking],
        width,
    }
    .draw(frame, area)
}
