//! The mouse: click a tab, a row, a pane or a hint; the wheel moves.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};

use super::commands::{go, run, say_order};
use super::{access, checkup, palette, planning, setup};
use crate::tui::commands::{self, CommandId, Context};
use crate::tui::layout;
use crate::tui::model::{Model, Movement};
use crate::tui::msg::Effect;
use crate::tui::popups::{Drawn, Popup, Purpose, draw_one, scroll_help};
use crate::tui::screens::{ScreenId, preview, services};
use crate::tui::widgets::{banner, bars, footer};

/// Lines a turn of the wheel moves by.
const WHEEL: isize = 3;

/// The mouse was used.
pub(super) fn on_mouse(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    let position = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollUp => wheel(model, position, -WHEEL),
        MouseEventKind::ScrollDown => wheel(model, position, WHEEL),
        MouseEventKind::Down(MouseButton::Left) if model.frames().is_too_small() => {}
        MouseEventKind::Down(MouseButton::Left) if model.popups.is_empty() => return click(model, position),
        MouseEventKind::Down(MouseButton::Left) => return click_popup(model, position),
        _ => {}
    }
    Vec::new()
}

fn wheel(model: &mut Model, position: Position, lines: isize) {
    let frames = model.frames();
    let movement = Movement::Lines(lines);
    match model.popups.last() {
        Some(Popup::Help(_)) => scroll_help(model, movement),
        Some(Popup::WhoCan(_) | Popup::Way(_)) => access::go(model, movement, frames.beside_popups()),
        Some(Popup::Finding(_)) => checkup::scroll(model, movement),
        Some(Popup::Palette(_)) => palette::go(model, movement),
        Some(Popup::Apply(_) | Popup::Network(_) | Popup::Service(_)) => planning::scroll(model, movement),
        // The filter is typed below the list that it shortens.
        Some(Popup::Entry(entry)) if matches!(entry.purpose, Purpose::Filter(_)) => go(model, movement),
        Some(_) => {}
        None if model.setup.is_some() => setup::wheel(model, lines),
        None => {
            if model.screen == ScreenId::Preview
                && let Some(pane) = preview::pane_at(model, frames.body, position)
                && frames.body.width >= preview::WIDE
            {
                model.preview.pane = pane;
            }
            go(model, movement);
        }
    }
}

/// A click in the popup on top: what its keys do, or a row of its list; anything else is nothing.
fn click_popup(model: &mut Model, position: Position) -> Vec<Effect> {
    let Some(drawn) = drawn(model) else {
        return Vec::new();
    };
    if let Some(command) = drawn.command_at(position) {
        return run(model, command);
    }
    let row = model.popups.last().and_then(|popup| drawn.row_at(popup, position));
    let Some(row) = row else {
        return Vec::new();
    };
    // The first click selects, the second one takes what is selected.
    let command = match model.popups.last() {
        Some(Popup::WhoCan(_)) => access::select(model, row).then_some(CommandId::ShowWay),
        Some(Popup::Palette(_)) => palette::select(model, row).then_some(CommandId::Submit),
        _ => None,
    };
    command.map_or_else(Vec::new, |command| run(model, command))
}

/// Where the things of the popup on top are. They are where they are drawn: a place worked out in
/// another way could be another place.
fn drawn(model: &Model) -> Option<Drawn> {
    let popup = model.popups.last()?;
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).ok()?;
    let mut drawn = None;
    let area = model.frames().beside_popups();
    let draw = |frame: &mut Frame<'_>| drawn = Some(draw_one(model, popup, frame, area));
    terminal.draw(draw).ok()?;
    drawn
}

/// The command of the trial whose key the banner names at this place.
fn trial_command_at(model: &Model, area: Rect, position: Position) -> Option<CommandId> {
    if !area.contains(position) {
        return None;
    }
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).ok()?;
    terminal.draw(|frame| banner::draw(model, frame, area)).ok()?;
    let buffer = terminal.backend().buffer();
    let cells: Vec<&str> = (0..width)
        .filter_map(|x| buffer.cell((x, position.y)).map(Cell::symbol))
        .collect();
    commands::of(Context::Trial)
        .find(|command| {
            let key = model.settings.keymap.shown(command);
            let shown = [format!("[{key}] {}", command.label), format!("{key} {}", command.label)];
            shown.iter().any(|hint| {
                let hint: Vec<String> = hint.chars().map(String::from).collect();
                let mut places = cells.windows(hint.len()).enumerate();
                places.any(|(x, window)| {
                    let is_under = (x..x + hint.len()).contains(&usize::from(position.x));
                    is_under && window.iter().zip(&hint).all(|(cell, wanted)| cell == wanted)
                })
            })
        })
        .map(|command| command.id)
}

fn click(model: &mut Model, position: Position) -> Vec<Effect> {
    let frames = model.frames();
    if model.setup.is_some() {
        return setup::click(model, &frames, position);
    }
    if let Some(screen) = bars::tab_at(model, frames.tabs, position) {
        model.screen = screen;
        return Vec::new();
    }
    if let Some(command) = trial_command_at(model, frames.banner, position) {
        return run(model, command);
    }
    let hints = footer::of_screen(model, frames.footer);
    if let Some(command) = footer::hit(&hints, frames.footer, position) {
        return run(model, command);
    }
    if model.screen == ScreenId::Preview {
        if let Some(pane) = preview::pane_at(model, frames.body, position) {
            model.preview.pane = pane;
        }
        return Vec::new();
    }
    if model.screen == ScreenId::Services
        && let Some(column) = services::column_at(model, frames.body, position)
    {
        model.services.sort_by(column);
        say_order(model);
        return Vec::new();
    }
    let rows = match model.screen {
        ScreenId::Checkup => layout::findings(model, frames.body).rows,
        ScreenId::Networks => layout::networks(model, frames.body).rows,
        ScreenId::Services | ScreenId::Preview => layout::services(model, frames.body).rows,
    };
    if rows.contains(position) {
        let row = usize::from(position.y - rows.y);
        let (list, len) = match model.screen {
            ScreenId::Services => {
                let len = model.services.len();
                (&mut model.services.list, len)
            }
            ScreenId::Networks => {
                let len = model.networks.lines().len();
                (&mut model.networks.list, len)
            }
            ScreenId::Checkup => {
                let len = model.checkup.len();
                (&mut model.checkup.list, len)
            }
            ScreenId::Preview => return Vec::new(),
        };
        if list.top + row < len {
            list.cursor = list.top + row;
        }
    }
    Vec::new()
}
