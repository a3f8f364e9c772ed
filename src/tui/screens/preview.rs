//! What applying would change: in words, and as rules.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::tui::layout::Frames;
use crate::tui::model::{Laid, LaidKey, LaidLine, Model, Pane, RulesView};
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::found;
use crate::tui::widgets::rule::{Piece, rule_of};

mod plain;
mod rules;
mod words;

pub use plain::{as_text, proposed_name};

pub use words::{Sentence, must_be_read, rest_in_brief};

/// From this width on the two sides are beside each other, else one above the other.
pub const WIDE: u16 = 100;
/// The words are never wider than that.
const WIDEST_WORDS: u16 = 84;

/// Where the two sides are: each a title and its text.
struct Panes {
    words_title: Rect,
    words: Rect,
    rules_title: Rect,
    rules: Rect,
}

fn panes(model: &Model, body: Rect) -> Panes {
    let titled =
        |area: Rect| -> [Rect; 2] { Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area) };
    let (words, rules) = if body.width >= WIDE {
        // Rules are longer than sentences should be.
        let share = (body.width * 45 / 100).min(WIDEST_WORDS);
        let [words, _, rules] =
            Layout::horizontal([Constraint::Length(share), Constraint::Length(2), Constraint::Min(0)]).areas(body);
        (words, rules)
    } else {
        // The side that scrolls gets the room.
        let share = match model.preview.pane {
            Pane::Words => 65,
            Pane::Rules => 35,
        };
        let [words, rules] = Layout::vertical([Constraint::Percentage(share), Constraint::Min(0)]).areas(body);
        (words, rules)
    };
    let [words_title, words] = titled(words);
    let [rules_title, rules] = titled(rules);
    Panes {
        words_title,
        words,
        rules_title,
        rules,
    }
}

/// Draws the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let panes = panes(model, body);
    let piece = |text: &str| (Token::Title, text.to_owned());
    let sides: [(Pane, Vec<Piece>, Rect, Rect, usize); 2] = [
        (
            Pane::Words,
            vec![piece("What changes")],
            panes.words_title,
            panes.words,
            model.preview.words_top,
        ),
        (
            Pane::Rules,
            std::iter::once(piece("Rules:"))
                .chain(views(model.preview.view))
                .collect(),
            panes.rules_title,
            panes.rules,
            model.preview.rules_top,
        ),
    ];
    for (pane, title, heading, area, top) in sides {
        let lines = laid(model, pane, area);
        let place = place(lines.len(), top, area);
        let has_focus = model.preview.pane == pane;
        let place = [(Token::Dim, place)];
        frame.render_widget(
            rule_of(&model.palette, &title, &place, has_focus, heading.width),
            heading,
        );
        for (row, (index, line)) in area.rows().zip(lines.iter().enumerate().skip(top)) {
            let marked = found::marked(&model.palette, &model.preview.search, (pane, index), line);
            let mut spans = vec![Span::raw(" ")];
            spans.extend(marked);
            frame.render_widget(Line::from(spans), row);
        }
    }
}

/// The lines of a side: those that are kept, unless the screen has just become another.
fn laid(model: &Model, pane: Pane, area: Rect) -> Cow<'_, [LaidLine]> {
    let key = key(model, area);
    let kept = match pane {
        Pane::Words => &model.preview.words,
        Pane::Rules => &model.preview.rules,
    };
    match kept.key == Some(key) {
        true => Cow::Borrowed(kept.lines.as_slice()),
        false => Cow::Owned(lay(model, pane, key.cells)),
    }
}

fn key(model: &Model, area: Rect) -> LaidKey {
    let state = u8::from(model.trial().is_some()) | u8::from(model.depth.is_some()) << 1;
    model.preview.key(usize::from(area.width).saturating_sub(2), state)
}

fn lay(model: &Model, pane: Pane, cells: usize) -> Vec<LaidLine> {
    match pane {
        Pane::Words => words::lines(model, cells),
        Pane::Rules => rules::lines(model, cells),
    }
}

/// Which lines of how many are in sight.
fn place(len: usize, top: usize, area: Rect) -> String {
    let height = usize::from(area.height);
    if len <= height {
        return match len {
            1 => "1 line".to_owned(),
            len => format!("{len} lines"),
        };
    }
    let last = (top + height).min(len);
    let arrows = match (top > 0, last < len) {
        (true, true) => " ↕",
        (false, _) => " ↓",
        (true, false) => " ↑",
    };
    format!("{}–{last} of {len}{arrows}", top + 1)
}

/// The views, the one that is shown in brackets.
fn views(shown: RulesView) -> impl Iterator<Item = Piece> {
    RulesView::ALL.into_iter().map(move |view| match view == shown {
        true => (Token::Accent, format!(" [{}]", view.word())),
        false => (Token::Dim, format!(" {}", view.word())),
    })
}

/// How long the texts are, and how much of them is in sight: words, then rules.
pub fn extents(model: &Model, body: Rect) -> [(usize, usize); 2] {
    let panes = panes(model, body);
    [(Pane::Words, panes.words), (Pane::Rules, panes.rules)]
        .map(|(pane, area)| (laid(model, pane, area).len(), usize::from(area.height)))
}

/// Brings what is searched for into sight.
pub fn go_to_hit(model: &mut Model) {
    let Some(hit) = model.preview.search.current() else {
        return;
    };
    let hit = hit.clone();
    model.preview.pane = hit.pane;
    let [(words, words_height), (rules, rules_height)] = extents(model, model.frames().body);
    let preview = &mut model.preview;
    let (top, len, height) = match hit.pane {
        Pane::Words => (&mut preview.words_top, words, words_height),
        Pane::Rules => (&mut preview.rules_top, rules, rules_height),
    };
    *top = hit.line_in_sight(*top, len, height);
}

/// Makes the lines anew where what they are made of has changed, and keeps both texts within their ends.
pub fn settle(model: &mut Model, frames: &Frames) {
    if model.screen != super::ScreenId::Preview {
        return;
    }
    let panes = panes(model, frames.body);
    let mut is_new = false;
    for (pane, area) in [(Pane::Words, panes.words), (Pane::Rules, panes.rules)] {
        let key = key(model, area);
        let kept = match pane {
            Pane::Words => &model.preview.words,
            Pane::Rules => &model.preview.rules,
        };
        if kept.key == Some(key) {
            continue;
        }
        let made = Laid {
            lines: lay(model, pane, key.cells),
            key: Some(key),
        };
        match pane {
            Pane::Words => model.preview.words = made,
            Pane::Rules => model.preview.rules = made,
        }
        is_new = true;
    }
    let preview = &mut model.preview;
    if is_new {
        preview.search_again();
    }
    let last = |pane, area: Rect| preview.laid(pane).len().saturating_sub(usize::from(area.height));
    let (words, rules) = (last(Pane::Words, panes.words), last(Pane::Rules, panes.rules));
    preview.words_top = preview.words_top.min(words);
    preview.rules_top = preview.rules_top.min(rules);
}

/// Which side a point is on.
pub fn pane_at(model: &Model, body: Rect, position: ratatui::layout::Position) -> Option<Pane> {
    let panes = panes(model, body);
    if panes.words.union(panes.words_title).contains(position) {
        return Some(Pane::Words);
    }
    panes
        .rules
        .union(panes.rules_title)
        .contains(position)
        .then_some(Pane::Rules)
}

/// A sentence with the symbol in front of it, as lines.
pub fn sentence_lines(palette: &Palette, sentence: &Sentence, cells: usize) -> Vec<Line<'static>> {
    let piece = |(token, text): (_, String)| match text.trim().is_empty() {
        // Spaces have no style of their own: a monochrome theme would underline them.
        true => Span::raw(text),
        false => Span::styled(text, palette.of(token)),
    };
    let lines = words::sentence(sentence, cells).into_iter();
    lines
        .map(|line| Line::from(line.spans.into_iter().map(piece).collect::<Vec<_>>()))
        .collect()
}
