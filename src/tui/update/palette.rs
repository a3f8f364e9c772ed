//! Finding a command by its name, and running it.

use super::commands::{movement, refuse, run as run_command};
use crate::tui::commands::CommandId;
use crate::tui::model::{ListState, Model, Movement};
use crate::tui::msg::Effect;
use crate::tui::popups::{Popup, palette_height};

/// A command for the palette on top.
pub(super) fn run(model: &mut Model, command: CommandId) -> Vec<Effect> {
    match (command, movement(command)) {
        (CommandId::Submit, _) => return submit(model),
        (CommandId::Erase | CommandId::EraseAll, _) => {
            if let Some(Popup::Palette(palette)) = model.popups.last_mut() {
                let _erased = palette.text.pop();
                if command == CommandId::EraseAll {
                    palette.text.clear();
                }
                palette.list = ListState::default();
            }
        }
        (_, Some(movement)) => go(model, movement),
        _ => {}
    }
    Vec::new()
}

/// Moves among what was found.
pub(super) fn go(model: &mut Model, movement: Movement) {
    let area = model.frames().beside_popups();
    if let Some(Popup::Palette(palette)) = model.popups.last() {
        let len = palette.found(model).len();
        let mut list = palette.list;
        list.go(movement, len, palette_height(area, len));
        set_list(model, list);
    }
}

/// Puts the cursor on the row of the list that was clicked; whether it was there before.
pub(super) fn select(model: &mut Model, row: usize) -> bool {
    let area = model.frames().beside_popups();
    let Some(Popup::Palette(palette)) = model.popups.last() else {
        return false;
    };
    let len = palette.found(model).len();
    let height = palette_height(area, len);
    if row >= height {
        return false;
    }
    let mut list = palette.list;
    list.keep_in_sight(len, height);
    let before = std::mem::replace(&mut list.cursor, list.top + row);
    set_list(model, list);
    before == list.cursor
}

fn set_list(model: &mut Model, list: ListState) {
    if let Some(Popup::Palette(palette)) = model.popups.last_mut() {
        palette.list = list;
    }
}

/// Runs the selected command as its key would, or says why it can't be.
pub(super) fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(Popup::Palette(palette)) = model.popups.last() else {
        return Vec::new();
    };
    let Some(found) = palette.selected(model) else {
        return Vec::new();
    };
    model.popups.pop();
    match found.why_not {
        Some(why) => refuse(model, why),
        None => run_command(model, found.command.id),
    }
}
