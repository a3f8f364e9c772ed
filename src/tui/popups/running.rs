//! A trial that was running already when the screens were opened.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Drawn, Sheet, text_height, text_width};
use crate::core::policy::Change;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::{fit, width, wrap, wrapped};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let (Some(trial), Some(seconds)) = (model.trial(), model.seconds_left()) else {
        return Drawn::default();
    };
    let width = text_width(area, 66);
    let cells = usize::from(width);
    let palette = &model.palette;
    let text = format!(
        "Begun {}. {seconds} s are left; then the old rules come back by themselves, unless somebody keeps the new ones.",
        trial.beginning.words(model.now)
    );
    let mut lines = wrapped(&text, cells, 0, palette.of(Token::Text));
    lines.push(Line::default());
    if let Some(text) = model.decided_since() {
        lines.extend(wrapped(&text, cells, 0, palette.of(Token::Warn)));
        lines.push(Line::default());
    }
    let room = text_height(area, usize::MAX).saturating_sub(lines.len() + 1);
    let (title, changes) = on_trial(model, cells, room);
    lines.push(Line::styled(title, palette.of(Token::Text)));
    lines.extend(changes);
    Sheet {
        model,
        title: "A trial is running",
        token: Token::Warn,
        lines,
        top: 0,
        contexts: &[Context::Trial, Context::Reading],
        width,
    }
    .draw(frame, area)
}

/// What differs on trial: a heading, and so many lines.
pub(in crate::tui) fn on_trial(model: &Model, cells: usize, room: usize) -> (&'static str, Vec<Line<'static>>) {
    let Some(on_trial) = &model.observation.on_trial else {
        return ("What is new in it is being looked up …", Vec::new());
    };
    let changes = on_trial.changes();
    if changes.is_empty() {
        return ("It decides nothing otherwise than what was kept last.", Vec::new());
    }
    let was = |change: &Change| format!("{} (was {})", change.after, change.before);
    ("What is new in it:", change_lines(model, &changes, &was, cells, room))
}

/// The changes, one a line with the service's name, in at most so many lines.
pub(super) fn change_lines(
    model: &Model,
    changes: &[Change],
    words: &dyn Fn(&Change) -> String,
    cells: usize,
    room: usize,
) -> Vec<Line<'static>> {
    let (good, text) = (model.palette.of(Token::Key), model.palette.of(Token::Text));
    let line = |change: &Change| -> Vec<Line<'static>> {
        let name = change.service.as_ref().and_then(|id| {
            let row = model.services.rows().iter().find(|row| row.service.id == *id)?;
            (!row.service.owners.is_empty()).then(|| format!("{} ", row.service.name))
        });
        let what = fit(&format!("{}{}", name.unwrap_or_default(), change.what), cells / 2);
        let margin = width(&what) + 4;
        let first = std::iter::once(Span::styled(format!("  {what}  "), good));
        let others = std::iter::repeat_with(move || Span::raw(" ".repeat(margin)));
        let words = wrap(&words(change), cells.saturating_sub(margin));
        let words = words.into_iter().map(|words| Span::styled(words, text));
        let lines = first.chain(others).zip(words);
        lines.map(|(margin, words)| Line::from(vec![margin, words])).collect()
    };
    let whole: Vec<Vec<Line<'static>>> = changes.iter().map(line).collect();
    let all: usize = whole.iter().map(Vec::len).sum();
    let mut left = match all <= room {
        true => room,
        // The last line says how many there are besides.
        false => room.saturating_sub(1),
    };
    let fitting = whole.into_iter().take_while(|lines| {
        let rest = left.checked_sub(lines.len());
        left = rest.unwrap_or_default();
        rest.is_some()
    });
    let fitting: Vec<Vec<Line<'static>>> = fitting.collect();
    let shown = fitting.len();
    let mut lines: Vec<Line<'static>> = fitting.into_iter().flatten().collect();
    if shown < changes.len() && room > 0 {
        let more = format!("  and {} more", changes.len() - shown);
        lines.push(Line::styled(more, model.palette.of(Token::Dim)));
    }
    lines
}
