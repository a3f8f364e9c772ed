//! The help, made from the command table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Drawn, Popup, Sheet, text_width};
use crate::tui::availability::why_not;
use crate::tui::commands::{self, CommandId, Context};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::alerts;
use crate::tui::widgets::text::{pad, wrap, wrapped};

/// What can be asked for from other screens.
const SCREENS: [Context; 4] = [Context::Services, Context::Networks, Context::Preview, Context::Checkup];

const WIDTH: u16 = 74;
/// The column of the keys.
const KEYS: usize = 12;

const SIGNS: [(&str, Token, &str); 8] = [
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

/// The whole text: what can be done right here first, then the rest, then what the symbols mean.
pub(super) fn lines(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    // The popup that was open when help was asked for.
    let below = model.popups.iter().rev().find(|popup| !matches!(popup, Popup::Help(_)));
    if let Some(below) = below {
        let mut contexts = below.contexts();
        contexts.push(Context::Always);
        sections(model, &contexts, &contexts, cells, &mut lines);
        return lines;
    }
    for (token, text) in alerts::of(model) {
        lines.extend(wrapped(&text, cells, 0, model.palette.of(token)));
    }
    let mut here = model.contexts_of_screen();
    // Its keys are asked first, but they are not what one looks for.
    here.retain(|context| *context != Context::Always);
    here.push(Context::Always);
    let mut contexts = here.clone();
    contexts.extend(SCREENS.into_iter().chain([Context::Trial]));
    let mut told = Vec::new();
    contexts.retain(|context| {
        let is_new = !told.contains(context);
        told.push(*context);
        is_new
    });
    sections(model, &contexts, &here, cells, &mut lines);
    signs(model, cells, &mut lines);
    mouse(model, cells, &mut lines);
    lines
}

/// The commands of contexts; those that hold here and now are brighter than the others.
fn sections(model: &Model, contexts: &[Context], here: &[Context], cells: usize, lines: &mut Vec<Line<'static>>) {
    let palette = &model.palette;
    let is_popup = model.popups.iter().any(|popup| !matches!(popup, Popup::Help(_)));
    for context in contexts {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(context.title(), palette.of(Token::Title)));
        for command in commands::of(*context) {
            let keys = model.settings.keymap.names(command).join(", ");
            let keys = if keys.is_empty() {
                "palette only".to_owned()
            } else {
                keys
            };
            let is_now = here.contains(context) && (is_popup || why_not(model, command).is_none());
            let token = if is_now { Token::Text } else { Token::Dim };
            let (keys, docs) = (wrap(&keys, KEYS), wrap(command.doc, cells.saturating_sub(KEYS + 1)));
            for row in 0..keys.len().max(docs.len()) {
                let at = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
                let doc = pad(&at(&docs), cells.saturating_sub(KEYS + 1));
                lines.push(Line::from(vec![
                    Span::styled(format!("{} ", pad(&at(&keys), KEYS)), palette.of(Token::Key)),
                    Span::styled(doc, palette.of(token)),
                ]));
            }
        }
    }
}

fn signs(model: &Model, cells: usize, lines: &mut Vec<Line<'static>>) {
    let palette = &model.palette;
    lines.push(Line::default());
    lines.push(Line::styled("Signs", palette.of(Token::Title)));
    for (sign, token, meaning) in SIGNS {
        lines.push(Line::from(vec![
            Span::styled(format!("{} ", pad(sign, KEYS)), palette.of(token)),
            Span::styled(pad(meaning, cells.saturating_sub(KEYS + 1)), palette.of(Token::Text)),
        ]));
    }
}

fn mouse(model: &Model, cells: usize, lines: &mut Vec<Line<'static>>) {
    let palette = &model.palette;
    let key = model.key_of(CommandId::ToggleMouse, Context::Always);
    let text = match model.settings.has_mouse {
        true => format!(
            "Tabs, rows, columns' names and the keys named below can be clicked; the wheel scrolls. To select text, \
             hold shift while dragging (in most terminals), or leave the mouse to the terminal: {key}."
        ),
        false => format!("The mouse is left to the terminal, which selects text with it. {key} takes it back."),
    };
    lines.push(Line::default());
    lines.push(Line::styled("Mouse", palette.of(Token::Title)));
    lines.extend(wrapped(&text, cells, 0, palette.of(Token::Text)));
}

/// How wide the text is.
pub(super) fn width(area: Rect) -> u16 {
    text_width(area, WIDTH)
}

pub(super) fn draw(model: &Model, top: usize, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = width(area);
    let is_popup = model.popups.len() > 1;
    Sheet {
        model,
        title: if is_popup { "Keys" } else { "Help" },
        token: Token::Accent,
        lines: lines(model, usize::from(width)),
        top,
        contexts: &[Context::Reading],
        width,
    }
    .draw(frame, area)
}

/// How many lines there are, and how many are in sight.
pub fn extent(model: &Model, area: Rect) -> (usize, usize) {
    let len = lines(model, usize::from(width(area))).len();
    (len, super::text_height(area, len))
}
