//! The trial's banner: on top of every screen, and of every popup.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::core::text::capitalised;
use crate::tui::commands::{self, Command, Context};
use crate::tui::model::{Model, Task};
use crate::tui::widgets::proof;
use crate::tui::widgets::text::{fit, pad, width};

/// From here on the banner is an alarm.
const LAST_SECONDS: u64 = 15;

/// The command for the second terminal.
pub const CONFIRM_COMMAND: &str = "sudo fwtui confirm";

/// How high it is: the countdown and the keys come first, then what was seen of new connections.
pub fn height(model: &Model, width: u16, height: u16) -> u16 {
    let (own, most) = match height {
        ..24 => (2, 2),
        24..30 => (2, 3),
        30.. => (3, 4),
    };
    let proof = proof::lines(model, usize::from(width).saturating_sub(2), most);
    own + u16::from(note(model).is_some()) + u16::try_from(proof.len()).unwrap_or_default()
}

/// Draws it; a trial without room for a banner gets a line in the polite message instead.
pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (Some(trial), Some(seconds)) = (model.trial(), model.seconds_left()) else {
        return;
    };
    let style = style(model, seconds);
    frame.buffer_mut().set_style(area, style);
    let cells = usize::from(area.width);
    let said = countdown(model, seconds);
    let bar = |cells: usize| {
        let total = u64::try_from(trial.timeout.as_millis()).unwrap_or(u64::MAX).max(1);
        let left = trial.deadline.saturating_sub(model.now);
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).min(total);
        let full = usize::try_from(left.saturating_mul(cells as u64).div_ceil(total)).unwrap_or(cells);
        (full.min(cells), cells.saturating_sub(full))
    };
    let mut lines = Vec::new();
    if model.size.1 >= 30 {
        lines.push(Line::raw(format!(" {}", fit(&said, cells.saturating_sub(2)))));
        let (full, empty) = bar(cells.saturating_sub(2));
        lines.push(Line::raw(format!(" {}{}", "━".repeat(full), "·".repeat(empty))));
    } else {
        let said = fit(&said, cells.saturating_sub(2));
        let room = cells.saturating_sub(width(&said) + 3);
        let (full, empty) = bar(room);
        let (full, empty) = if room >= 8 { (full, empty) } else { (0, 0) };
        lines.push(Line::raw(format!(" {said} {}{}", "━".repeat(full), "·".repeat(empty))));
    }
    lines.push(keys(model, cells));
    if let Some(note) = note(model) {
        lines.push(Line::raw(format!(
            " {}",
            fit(&capitalised(note), cells.saturating_sub(2))
        )));
    }
    let room = usize::from(area.height).saturating_sub(lines.len());
    let proof = proof::lines(model, cells.saturating_sub(2), room);
    lines.extend(proof.into_iter().map(|line| Line::raw(format!(" {line}"))));
    for (row, line) in area.rows().zip(lines) {
        frame.render_widget(line.style(style), row);
    }
}

/// What the kernel's timer can't undo of it.
fn note(model: &Model) -> Option<&str> {
    model.trial()?.kernel_note.as_deref()
}

fn style(model: &Model, seconds: u64) -> Style {
    if seconds <= LAST_SECONDS {
        model.palette.alarm()
    } else {
        model.palette.trial()
    }
}

/// The sentence with the seconds in it.
pub fn countdown(model: &Model, seconds: u64) -> String {
    match (model.task, seconds) {
        (Some(task @ (Task::Confirming { .. } | Task::Reverting { .. })), _) => format!("TRIAL   {}", task.words()),
        (_, 0) => "TRIAL   time is up: the old rules are being put back".to_owned(),
        (_, 1) => "TRIAL    1 second, then the old rules come back".to_owned(),
        (_, seconds) => format!("TRIAL  {seconds:>3} seconds, then the old rules come back"),
    }
}

/// What can be done about it; under a popup the keys are the popup's.
fn keys(model: &Model, cells: usize) -> Line<'static> {
    let hints = |before: &str, after: &str| -> String {
        if !model.popups.is_empty() {
            return String::new();
        }
        let hint = |command: &Command| {
            let key = model.settings.keymap.shown(command);
            format!("{before}{key}{after} {}", command.label)
        };
        commands::of(Context::Trial).map(hint).collect::<Vec<_>>().join("  ")
    };
    if proof::command(model).is_some() {
        // The command is below, whole.
        let long = hints("[", "]");
        let keys = if width(&long) + 2 <= cells { long } else { hints("", "") };
        return Line::raw(format!(" {}", fit(&keys, cells.saturating_sub(2))));
    }
    let long = format!("second terminal: {CONFIRM_COMMAND}");
    let choices = [
        (hints("[", "]"), long),
        (hints("[", "]"), CONFIRM_COMMAND.to_owned()),
        (hints("", ""), CONFIRM_COMMAND.to_owned()),
    ];
    let fits = |(keys, command): &&(String, String)| width(keys) + width(command) + 3 <= cells;
    let Some((keys, command)) = choices.iter().find(fits).or_else(|| choices.last()) else {
        return Line::default();
    };
    // Where there is little room, two blanks between are worth more than one at the edge.
    let edge = usize::from(width(keys) + width(command) + 4 <= cells);
    let room = cells.saturating_sub(width(command) + 1 + edge);
    Line::raw(format!(" {}{command}{}", pad(keys, room), " ".repeat(edge)))
}
