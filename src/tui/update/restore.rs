//! Drift, and putting back what was confirmed.

use super::fail;
use crate::app::Error;
use crate::tui::model::{Model, Task};
use crate::tui::msg::Effect;
use crate::tui::popups::Popup;
use crate::tui::port::{Depth, Restored};
use crate::tui::theme::Token;

/// Somebody changed the rules in the kernel: whether it matters, the status tells.
pub(super) fn on_rules_changed(model: &mut Model, programs: Vec<String>) -> Vec<Effect> {
    // What is being done is followed by a look.
    if model.task.is_some() {
        return Vec::new();
    }
    // During a trial it is most likely the guard.
    let programs = if model.trial().is_some() { Vec::new() } else { programs };
    model.drift.note(programs, model.now, model.is_status_asked);
    if model.is_status_asked {
        return Vec::new();
    }
    model.is_status_asked = true;
    vec![Effect::AskStatus]
}

/// Asks before what was confirmed is loaded.
pub(super) fn ask(model: &mut Model) {
    match model.why_read_only().or_else(|| model.why_no_restore()) {
        Some(why) => model.say(Token::Warn, why),
        None => model.popups.push(Popup::Restore),
    }
}

/// The question was answered.
pub(super) fn restore(model: &mut Model) -> Vec<Effect> {
    if let Some(why) = model.why_no_restore() {
        model.say(Token::Warn, why);
        return Vec::new();
    }
    model.task = Some(Task::Restoring);
    vec![Effect::Restore]
}

/// Back to what was confirmed, or not.
pub(super) fn on_restored(model: &mut Model, result: Result<(Restored, Option<Error>), Error>) -> Vec<Effect> {
    model.task = None;
    model.drift.has_loaded(model.now);
    model.neighbours.forget();
    match result {
        Ok((restored, unclosed)) => {
            model.say(Token::Good, words(restored));
            if let Some(error) = unclosed {
                fail(model, "Put back, but the last trial is not closed", &error);
            }
        }
        Err(error) => fail(model, "Not put back", &error),
    }
    vec![Effect::Look(Depth::Complete)]
}

const fn words(restored: Restored) -> &'static str {
    match restored {
        Restored::Loaded => "Put back: the confirmed rules are in force.",
        Restored::Recompiled => "Put back, with the addresses that trusted networks have now.",
        Restored::TakenOut => "Taken out: no rules of fwtui are confirmed.",
        Restored::Nothing => "Nothing to put back: no rules are confirmed.",
    }
}
