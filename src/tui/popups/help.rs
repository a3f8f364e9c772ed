//! The help, made from the command table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Drawn, Popup, Sheet, text_height, text_width};
use crate::tui::availability::why_not;
use crate::tui::commands::{self, CommandId, Context};
use crate::tui::model::list::scrolled;
use crate::tui::model::{LaidLine, Model, Movement, Pane, Search};
use crate::tui::theme::Token;
use crate::tui::widgets::text::{pad, wrap};
use crate::tui::widgets::{alerts, found};

/// What can be asked for from other screens.
const SCREENS: [Context; 4] = [Context::Services, Context::Networks, Context::Preview, Context::Checkup];

const WIDTH: u16 = 74;
/// The column of the keys.
const KEYS: usize = 12;

const SIGNS: [(&str, Token, &str); 10] = [
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
    ("○ ◐ ◌", Token::Accent, "Networks: public, trusted, guests"),
    ("✓ ✗", Token::Accent, "Marked, or gets in; is kept out"),
    ("NEW", Token::New, "Needs a decision; until then it is refused"),
    ("*", Token::Changed, "Decided otherwise than what was last confirmed"),
];

/// The help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Help {
    /// The first line in sight.
    pub top: usize,
    /// What is searched for in it.
    pub search: Search,
}

/// The text, as it grows.
#[derive(Default)]
struct Text {
    lines: Vec<LaidLine>,
    paragraphs: usize,
}

impl Text {
    fn paragraph(&mut self, lines: impl IntoIterator<Item = LaidLine>) {
        let paragraph = self.paragraphs;
        self.lines
            .extend(lines.into_iter().map(|line| LaidLine { paragraph, ..line }));
        self.paragraphs += 1;
    }

    fn title(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.paragraph([LaidLine::default()]);
        }
        self.paragraph([LaidLine::plain(Token::Title, title)]);
    }

    fn prose(&mut self, token: Token, text: &str, cells: usize) {
        self.paragraph(wrap(text, cells).into_iter().map(|line| LaidLine::plain(token, line)));
    }

    /// What stands in the column of the keys, and what it means.
    fn entry(&mut self, (token, sign): (Token, &str), (doc_token, doc): (Token, &str), cells: usize) {
        let (signs, docs) = (wrap(sign, KEYS), wrap(doc, cells.saturating_sub(KEYS + 1)));
        let at = |lines: &[String], row: usize| lines.get(row).cloned().unwrap_or_default();
        let lines = (0..signs.len().max(docs.len())).map(|row| {
            let sign = at(&signs, row);
            LaidLine {
                // What a sentence goes on with is found across the empty column.
                lead: if sign.is_empty() { KEYS + 1 } else { 0 },
                spans: vec![(token, format!("{} ", pad(&sign, KEYS))), (doc_token, at(&docs, row))],
                paragraph: 0,
            }
        });
        self.paragraph(lines);
    }
}

/// The popup that was open when help was asked for.
fn below(model: &Model) -> Option<&Popup> {
    let is_below = |popup: &&Popup| !matches!(popup, Popup::Help(_));
    model.popups.iter().take_while(is_below).last()
}

/// The whole text: what can be done right here first, then the rest, then what the symbols mean.
fn lines(model: &Model, cells: usize) -> Vec<LaidLine> {
    let mut text = Text::default();
    if let Some(below) = below(model) {
        let mut contexts = below.contexts();
        contexts.push(Context::Always);
        sections(model, &contexts, &contexts, cells, &mut text);
        return text.lines;
    }
    for (token, alert) in alerts::of(model) {
        text.prose(token, &alert, cells);
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
    sections(model, &contexts, &here, cells, &mut text);
    text.title("Signs");
    for (sign, token, meaning) in SIGNS {
        text.entry((token, sign), (Token::Text, meaning), cells);
    }
    text.title("Mouse");
    text.prose(Token::Text, &mouse(model), cells);
    text.lines
}

/// The commands of contexts; those that hold here and now are brighter than the others.
fn sections(model: &Model, contexts: &[Context], here: &[Context], cells: usize, text: &mut Text) {
    let is_popup = below(model).is_some();
    for context in contexts {
        text.title(context.title());
        for command in commands::of(*context) {
            let keys = model.settings.keymap.names(command).join(", ");
            let keys = if keys.is_empty() { "palette only" } else { &keys };
            let is_now = here.contains(context) && (is_popup || why_not(model, command).is_none());
            let token = if is_now { Token::Text } else { Token::Dim };
            text.entry((Token::Key, keys), (token, command.doc), cells);
        }
    }
}

fn mouse(model: &Model) -> String {
    let key = model.key_of(CommandId::ToggleMouse, Context::Always);
    match model.settings.has_mouse {
        true => format!(
            "Tabs, rows, columns' names and the keys named below can be clicked; the wheel scrolls. To select text, \
             hold shift while dragging (in most terminals), or leave the mouse to the terminal: {key}."
        ),
        false => format!("The mouse is left to the terminal, which selects text with it. {key} takes it back."),
    }
}

/// Where it goes: the line for the user stays in sight, for what is searched for is typed there.
fn place(model: &Model) -> Rect {
    let frames = model.frames();
    frames.alerts.union(frames.body)
}

pub(super) fn draw(model: &Model, help: &Help, frame: &mut Frame<'_>) -> Drawn {
    let area = place(model);
    let width = text_width(area, WIDTH);
    let lines = lines(model, usize::from(width)).into_iter().enumerate();
    let marked = |(index, line)| found::marked(&model.palette, &help.search, (Pane::Words, index), &line);
    Sheet {
        model,
        title: if below(model).is_some() { "Keys" } else { "Help" },
        token: Token::Accent,
        lines: lines.map(|line| Line::from(marked(line))).collect(),
        top: help.top,
        contexts: &[Context::Help, Context::Reading],
        width,
    }
    .draw(frame, area)
}

/// Its lines, and how many of them are in sight.
fn laid(model: &Model) -> (Vec<LaidLine>, usize) {
    let area = place(model);
    let lines = lines(model, usize::from(text_width(area, WIDTH)));
    let height = text_height(area, lines.len());
    (lines, height)
}

fn open(model: &mut Model) -> Option<&mut Help> {
    model.popups.iter_mut().find_map(|popup| match popup {
        Popup::Help(help) => Some(help),
        _ => None,
    })
}

/// Scrolls it.
pub fn scroll(model: &mut Model, movement: Movement) {
    let (lines, height) = laid(model);
    if let Some(help) = open(model) {
        help.top = scrolled(help.top, movement, lines.len(), height);
    }
}

/// Searches in it, from its beginning on.
pub fn search(model: &mut Model, needle: String) {
    if let Some(help) = open(model) {
        help.search.begin(needle);
    }
    settle(model);
    step(model, None);
}

/// To the next place that was searched for, or the one before; to the one it is at.
pub fn step(model: &mut Model, is_forward: Option<bool>) {
    let (lines, height) = laid(model);
    let Some(help) = open(model) else {
        return;
    };
    if let Some(is_forward) = is_forward {
        help.search.step(is_forward);
    }
    if let Some(hit) = help.search.current() {
        help.top = hit.line_in_sight(help.top, lines.len(), height);
    }
}

/// Looks again in lines that may have become others, and keeps them within their ends.
pub(super) fn settle(model: &mut Model) {
    if model.help().is_none() {
        return;
    }
    let (lines, height) = laid(model);
    if let Some(help) = open(model) {
        help.search.look(&lines, &[]);
        help.top = help.top.min(lines.len().saturating_sub(height));
    }
}
