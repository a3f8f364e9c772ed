//! The help, made from the command table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Sheet, text_width};
use crate::tui::commands::{self, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::alerts;
use crate::tui::widgets::text::{pad, wrapped};

/// What can be asked for from a screen; popups show their own keys.
const SHOWN: [Context; 6] = [
    Context::Services,
    Context::Networks,
    Context::Preview,
    Context::Checkup,
    Context::Screens,
    Context::Moving,
];

const WIDTH: u16 = 74;

/// The whole text: this screen's keys first, then the rest, then what the symbols mean.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    let mut lines = Vec::new();
    for (token, text) in alerts::of(model) {
        lines.extend(wrapped(&text, cells, 0, palette.of(token)));
    }
    let here = model.screen.context();
    let mut contexts = vec![here, Context::Trial];
    contexts.extend(SHOWN.into_iter().filter(|context| *context != here));
    contexts.push(Context::Always);
    for context in contexts {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(context.title(), palette.of(Token::Title)));
        for command in commands::of(context) {
            let keys = model.settings.keymap.names(command);
            lines.push(Line::from(vec![
                Span::styled(pad(&keys.join(", "), 12), palette.of(Token::Key)),
                Span::styled(pad(command.doc, cells.saturating_sub(12)), palette.of(Token::Text)),
            ]));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled("Signs", palette.of(Token::Title)));
    let signs = [
        ("●", Token::Bad, "Everyone can connect"),
        ("◐", Token::Warn, "Trusted networks, or the sources named, can connect"),
        ("○", Token::Good, "Only this machine can connect"),
        (
            "?",
            Token::Unknown,
            "Not known: a rule is not understood, or can't be read",
        ),
        (
            "!",
            Token::Warn,
            "Decided otherwise, but another tool's rule keeps others out",
        ),
        (
            "▲ ! = + i",
            Token::Bad,
            "Checkup: harmful, risky, redundant, missing, info",
        ),
        ("NEW", Token::New, "Needs a decision; until then it is refused"),
        ("*", Token::Changed, "Decided otherwise than what was last confirmed"),
    ];
    for (sign, token, meaning) in signs {
        lines.push(Line::from(vec![
            Span::styled(pad(sign, 12), palette.of(token)),
            Span::styled(pad(meaning, cells.saturating_sub(12)), palette.of(Token::Text)),
        ]));
    }
    lines
}

/// How wide the text is.
pub(super) fn width(area: Rect) -> u16 {
    text_width(area, WIDTH)
}

pub(super) fn draw(model: &Model, top: usize, frame: &mut Frame<'_>, area: Rect) {
    let width = width(area);
    Sheet {
        model,
        title: "Help",
        token: Token::Accent,
        lines: lines(model, usize::from(width)),
        top,
        contexts: &[Context::Reading],
        is_useful: &|_| true,
        width,
    }
    .draw(frame, area);
}

/// How many lines there are, and how many are in sight.
pub fn extent(model: &Model, area: Rect) -> (usize, usize) {
    let len = lines(model, usize::from(width(area))).len();
    (len, super::text_height(area, len))
}
