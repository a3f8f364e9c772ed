//! The mouse in the setup: a step's name, a row, a hint; the wheel moves.

use ratatui::layout::Position;

use crate::core::setup::Step;
use crate::tui::layout::Frames;
use crate::tui::model::{Model, Movement};
use crate::tui::msg::Effect;
use crate::tui::screens::{preview, setup as pages};
use crate::tui::update::commands;
use crate::tui::widgets::footer;

/// A click where no popup is open.
pub(in crate::tui::update) fn click(model: &mut Model, frames: &Frames, position: Position) -> Vec<Effect> {
    let hints = footer::of_screen(model, frames.footer);
    if let Some(command) = footer::hit(&hints, frames.footer, position) {
        return commands::run(model, command);
    }
    let has_trial = model.trial().is_some();
    let Some(setup) = model.setup.as_mut().filter(|setup| !setup.is_done && !has_trial) else {
        return Vec::new();
    };
    if let Some(step) = pages::step_at(frames.tabs, position).filter(|step| *step <= setup.furthest) {
        super::show(model, step);
        return super::keep(model);
    }
    if setup.step() == Step::Preview {
        if let Some(pane) = preview::pane_at(model, frames.body, position) {
            model.preview.pane = pane;
        }
        return Vec::new();
    }
    if let Some(line) = pages::row_at(setup, frames.body, position) {
        match setup.step() {
            Step::Networks => setup.networks.cursor = line,
            _ => setup.services.cursor = line,
        }
    }
    Vec::new()
}

/// The wheel was turned: a question's answer does not change by it.
pub(in crate::tui::update) fn wheel(model: &mut Model, lines: isize) {
    let step = model.setup.as_ref().map(crate::tui::model::Setup::step);
    match step {
        Some(Step::Refusal | Step::Logging) => pages::scroll(model, Movement::Lines(lines)),
        _ => super::go(model, Movement::Lines(lines)),
    }
}
