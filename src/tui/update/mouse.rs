//! The mouse: click a tab, a row, a pane or a hint; the wheel moves.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::commands::{go, run};
use super::{access, checkup, planning};
use crate::tui::layout;
use crate::tui::model::list::scrolled;
use crate::tui::model::{Model, Movement};
use crate::tui::msg::Effect;
use crate::tui::popups::{Popup, help_extent};
use crate::tui::screens::{ScreenId, preview};
use crate::tui::widgets::{bars, footer};

/// Lines a turn of the wheel moves by.
const WHEEL: isize = 3;

/// The mouse was used.
pub(super) fn on_mouse(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    let position = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollUp => wheel(model, position, -WHEEL),
        MouseEventKind::ScrollDown => wheel(model, position, WHEEL),
        MouseEventKind::Down(MouseButton::Left) if model.popups.is_empty() => return click(model, position),
        _ => {}
    }
    Vec::new()
}

fn wheel(model: &mut Model, position: Position, lines: isize) {
    let frames = model.frames();
    match model.popups.last() {
        Some(Popup::Help(_)) => {
            let (len, height) = help_extent(model, frames.beside_popups());
            if let Some(Popup::Help(top)) = model.popups.last_mut() {
                *top = scrolled(*top, Movement::Lines(lines), len, height);
            }
        }
        Some(Popup::WhoCan(_) | Popup::Way(_)) => access::go(model, Movement::Lines(lines), frames.beside_popups()),
        Some(Popup::Finding(_)) => checkup::scroll(model, Movement::Lines(lines)),
        Some(Popup::Apply(_) | Popup::Network(_)) => planning::scroll(model, Movement::Lines(lines)),
        Some(_) => {}
        None => {
            if model.screen == ScreenId::Preview
                && let Some(pane) = preview::pane_at(model, frames.body, position)
                && frames.body.width >= preview::WIDE
            {
                model.preview.pane = pane;
            }
            go(model, Movement::Lines(lines));
        }
    }
}

fn click(model: &mut Model, position: Position) -> Vec<Effect> {
    let frames = model.frames();
    if let Some(screen) = bars::tab_at(frames.tabs, position) {
        model.screen = screen;
        return Vec::new();
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
    let rows = match model.screen {
        ScreenId::Checkup => layout::findings(model, frames.body).rows,
        ScreenId::Networks => layout::networks(model, frames.body).rows,
        ScreenId::Services | ScreenId::Preview => layout::table(frames.body).rows,
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
