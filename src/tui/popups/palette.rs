//! The palette: every command that holds on the screen, found by its name.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Drawn, Sheet, text_width};
use crate::tui::availability::{in_palette, why_not};
use crate::tui::commands::{Command, CommandId, Context};
use crate::tui::model::{ListState, Model};
use crate::tui::theme::Token;
use crate::tui::widgets::text::{fit, pad, width as cells_of, wrapped};

const WIDTH: u16 = 78;
/// More than anybody types.
const LONGEST: usize = 60;
/// Lines above the list: what is typed, and an empty one.
pub(super) const ABOVE: usize = 2;
/// Lines below it: what is said of the selected one, whole.
const BELOW: usize = 3;
/// The longest label in sight, and the longest key.
const LABEL: usize = 17;
const KEY: usize = 10;

/// What was typed, and where the cursor is in what it finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette {
    /// What was typed.
    pub text: String,
    /// The cursor counts found commands.
    pub list: ListState,
}

/// A command that was found, and why it can't be run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The command.
    pub command: &'static Command,
    /// Why it would do nothing; none where it does something.
    pub why_not: Option<String>,
}

impl Palette {
    /// Takes a character more; what is found begins anew.
    pub fn push(&mut self, character: char) {
        if self.text.chars().count() < LONGEST && !character.is_control() {
            self.text.push(character);
            self.list = ListState::default();
        }
    }

    /// The commands that match, the best match first, those that can't be run now last.
    pub fn found(&self, model: &Model) -> Vec<Found> {
        let words: Vec<String> = self.text.split_whitespace().map(str::to_lowercase).collect();
        let mut found: Vec<(usize, Found)> = in_palette(model)
            .into_iter()
            .filter_map(|command| {
                let rank = words.iter().map(|word| rank(command, word)).sum::<Option<usize>>()?;
                let why_not = why_not(model, command);
                Some((rank, Found { command, why_not }))
            })
            .collect();
        // The sort is stable: among equals the table's order holds.
        found.sort_by_key(|(rank, found)| (found.why_not.is_some(), *rank));
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// The command under the cursor.
    pub fn selected(&self, model: &Model) -> Option<Found> {
        self.found(model).into_iter().nth(self.list.cursor)
    }
}

/// How well a word fits a command, 0 best; none where it does not.
fn rank(command: &Command, word: &str) -> Option<usize> {
    let label = command.label.to_lowercase();
    let doc = command.doc.to_lowercase();
    if label.starts_with(word) {
        return Some(0);
    }
    if label.contains(word) || command.id.name().contains(word) {
        return Some(1);
    }
    if doc.split(' ').any(|other| other.starts_with(word)) {
        return Some(2);
    }
    // `ublk` for unblock: the letters in their order, from the first on.
    let mut letters = label.chars();
    let is_begun = word.chars().count() > 1 && word.chars().next() == label.chars().next();
    let is_in_order = is_begun && word.chars().all(|wanted| letters.any(|letter| letter == wanted));
    is_in_order.then_some(3)
}

/// How many commands are in sight.
pub fn height(area: Rect, len: usize) -> usize {
    let room = usize::from(area.height).saturating_sub(4 + ABOVE + BELOW);
    len.min(room)
}

pub(super) fn draw(model: &Model, palette: &Palette, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, WIDTH);
    let cells = usize::from(width);
    let colors = &model.palette;
    let found = palette.found(model);
    let all = in_palette(model).len();
    let mut lines = vec![typed(model, palette, found.len(), all, cells), Line::default()];
    let mut list = palette.list;
    let height = height(area, found.len());
    list.keep_in_sight(found.len(), height);
    for (index, found) in found.iter().enumerate().skip(list.top).take(height) {
        lines.push(row(model, found, index == list.cursor, cells));
    }
    if found.is_empty() {
        let text = "No command here is called that.";
        lines.push(Line::styled(text, colors.of(Token::Warn)));
        let help = model.key_of(CommandId::Help, Context::Palette);
        let text = fit(
            &format!("Others may be on another screen: {help} shows all keys."),
            cells,
        );
        lines.push(Line::styled(text, colors.of(Token::Dim)));
    }
    // It keeps its height while one types.
    lines.resize(ABOVE + self::height(area, all).max(2) + 1, Line::default());
    let selected = found.get(list.cursor).map(|found| whole(model, found, cells));
    lines.extend(selected.unwrap_or_default());
    lines.resize(ABOVE + self::height(area, all).max(2) + BELOW, Line::default());
    Sheet {
        model,
        title: "Commands",
        token: Token::Accent,
        lines,
        top: 0,
        contexts: &[Context::Palette],
        width,
    }
    .draw(frame, area)
}

fn typed(model: &Model, palette: &Palette, found: usize, all: usize, cells: usize) -> Line<'static> {
    let colors = &model.palette;
    let count = format!("{found} of {all}");
    let room = cells.saturating_sub(cells_of(&count) + 4);
    let text = fit(&palette.text, room);
    let gap = room.saturating_sub(cells_of(&text));
    Line::from(vec![
        Span::styled(": ", colors.of(Token::Key)),
        Span::styled(text, colors.of(Token::Text)),
        Span::styled("▏", colors.of(Token::Accent)),
        Span::raw(" ".repeat(gap + 1)),
        Span::styled(count, colors.of(Token::Dim)),
    ])
}

/// All that is said of a command, in two lines.
fn whole(model: &Model, found: &Found, cells: usize) -> Vec<Line<'static>> {
    let (text, token) = match &found.why_not {
        Some(why) => (format!("Not now: {why}"), Token::Warn),
        None => (format!("{}.", found.command.doc), Token::Text),
    };
    let mut lines = wrapped(&text, cells, 0, model.palette.of(token));
    lines.truncate(BELOW - 1);
    lines
}

fn row(model: &Model, found: &Found, is_selected: bool, cells: usize) -> Line<'static> {
    let colors = &model.palette;
    let style = |token: Token| -> Style {
        match is_selected {
            true => colors.selected(token),
            false => colors.of(token),
        }
    };
    let Found { command, why_not } = found;
    let label = if why_not.is_some() { Token::Dim } else { Token::Text };
    let key = model.settings.keymap.shown(command);
    let says = match why_not {
        Some(why) => format!("not now: {why}"),
        None => command.doc.to_owned(),
    };
    let room = cells.saturating_sub(2 + LABEL + 1 + KEY + 1);
    let line = Line::from(vec![
        Span::styled(if is_selected { "▸ " } else { "  " }, style(Token::Accent)),
        Span::styled(format!("{} ", pad(command.label, LABEL)), style(label)),
        Span::styled(format!("{} ", pad(&key, KEY)), style(Token::Key)),
        Span::styled(pad(&says, room), style(Token::Dim)),
    ]);
    match is_selected {
        true => line.style(colors.selection()),
        false => line,
    }
}
