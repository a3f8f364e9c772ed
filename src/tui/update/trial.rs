//! The trial as the screens see it; the guard is what holds it.

use super::fail;
use crate::app::{Error, Kind, State, Status, TrialView, boot_trouble};
use crate::core::text::capitalised;
use crate::tui::commands::CommandId;
use crate::tui::model::{Model, Task};
use crate::tui::msg::Effect;
use crate::tui::popups::{Message, Popup, Unproven};
use crate::tui::port::{Depth, Started};
use crate::tui::theme::Token;

/// Keep, revert, extend.
pub(super) fn run(model: &mut Model, command: CommandId) -> Vec<Effect> {
    match (command, model.task) {
        // Going back is always possible, unless it is under way or too late.
        (CommandId::Revert, None | Some(Task::Extending)) => revert(model, false),
        (CommandId::Keep, None) => {
            model.popups.push(Popup::Keep);
            Vec::new()
        }
        (CommandId::Extend, None) => {
            let Some(id) = trial_id(model) else {
                return Vec::new();
            };
            model.task = Some(Task::Extending);
            vec![Effect::Extend(id)]
        }
        _ => Vec::new(),
    }
}

/// Asks for the new rules to stay.
pub(super) fn confirm(model: &mut Model, is_unproven_fine: bool) -> Vec<Effect> {
    let Some(id) = trial_id(model).filter(|_| model.task.is_none()) else {
        return Vec::new();
    };
    model.task = Some(Task::Confirming);
    vec![Effect::Confirm { id, is_unproven_fine }]
}

/// The trial that is shown: what is asked for is meant for it, and for no later one.
fn trial_id(model: &Model) -> Option<String> {
    model.trial().map(|trial| trial.id.clone())
}

/// Asks for the old rules.
pub(super) fn revert(model: &mut Model, then_quit: bool) -> Vec<Effect> {
    let Some(id) = trial_id(model) else {
        return Vec::new();
    };
    model.task = Some(Task::Reverting { then_quit });
    vec![Effect::Revert(id)]
}

/// The trial runs, or nothing changed.
pub(super) fn on_applied(model: &mut Model, result: Result<Started, Error>) -> Vec<Effect> {
    model.task = None;
    model.is_answer_stale = model.is_status_asked;
    model.drift.has_loaded(model.now);
    model.neighbours.forget();
    match result {
        Ok(Started { trial, rehearsal, .. }) => {
            model.observation.status.state = State::Trial;
            model.observation.status.trial = Some(trial);
            match rehearsal.and_then(|rehearsal| rehearsal.missed()) {
                Some(missed) => model.say(Token::Warn, format!("The new rules are in force. {missed}")),
                None => model.say(
                    Token::Text,
                    "The new rules are in force. Does everything work? Then keep them.",
                ),
            }
        }
        Err(error) => fail(model, "Not applied", &error),
    }
    vec![Effect::Look(Depth::Complete)]
}

/// Kept, or too early, or too late, or a second yes is needed.
pub(super) fn on_confirmed(model: &mut Model, result: Result<Option<String>, Error>) -> Vec<Effect> {
    model.task = None;
    match result {
        Ok(trouble) => {
            forget_trial(model, State::Confirmed);
            let text = match boot_trouble(&model.observation.status.protection) {
                None => "Kept. The new rules stay, and come back after a reboot.".to_owned(),
                Some(why) => format!("Kept until the next reboot: {why}."),
            };
            model.say(Token::Good, text);
            if let Some(trouble) = trouble {
                fail(model, "Kept, but not all is well", &Error::failed(trouble));
            }
        }
        Err(error) if error.kind == Kind::Unproven && model.trial().is_some() => {
            model.popups.push(Popup::Unproven(Unproven::new(&error)));
        }
        Err(error) => fail(model, "Not kept", &error),
    }
    vec![Effect::Look(Depth::Complete)]
}

/// Back to the old rules, or the guard could not be reached.
pub(super) fn on_reverted(model: &mut Model, result: Result<(), Error>) -> Vec<Effect> {
    let then_quit = matches!(model.task, Some(Task::Reverting { then_quit: true }));
    model.task = None;
    match result {
        Ok(()) if then_quit => return vec![Effect::Quit],
        Ok(()) => {
            forget_trial(model, State::Unknown);
            model.say(
                Token::Good,
                "Reverted: the old rules are back. Your decisions are kept and wait for an apply.",
            );
        }
        Err(error) => fail(model, "Not reverted", &error),
    }
    vec![Effect::Look(Depth::Complete)]
}

/// A minute more, or not.
pub(super) fn on_extended(model: &mut Model, result: Result<TrialView, Error>) -> Vec<Effect> {
    if model.task == Some(Task::Extending) {
        model.task = None;
    }
    match result {
        Ok(trial) => {
            if model.trial().is_some() {
                model.observation.status.trial = Some(trial);
            }
            model.say(Token::Good, "One more minute.");
        }
        Err(error) => fail(model, "Not extended", &error),
    }
    Vec::new()
}

/// The trial is over: a look that began before must not bring it back.
fn forget_trial(model: &mut Model, state: State) {
    model.drift.has_loaded(model.now);
    model.neighbours.forget();
    model.over = model.observation.status.trial.take().map(|trial| trial.id);
    // What was said during the trial is no longer so.
    model.notice = None;
    model.observation.status.state = state;
    model
        .popups
        .retain(|popup| !matches!(popup, Popup::Keep | Popup::Unproven(_) | Popup::Leave));
}

/// Takes a status, and tells how a trial ended that ended by itself or from elsewhere.
pub(super) fn adopt_status(model: &mut Model, mut status: Status) {
    if status.trial.is_some() && status.trial.as_ref().map(|trial| &trial.id) == model.over.as_ref() {
        return;
    }
    match &status.counters {
        Some(counters) => model.services.count_again(counters),
        // While a trial runs its guard answers, who does not count.
        None if status.trial.is_some() => status.counters = model.observation.status.counters.take(),
        None => {}
    }
    let shown = trial_id(model);
    let had_trial = shown.is_some();
    let is_another = had_trial
        && status
            .trial
            .as_ref()
            .is_some_and(|trial| Some(&trial.id) != shown.as_ref());
    let is_over = had_trial && status.trial.is_none() && model.task.is_none();
    if is_over {
        forget_trial(model, status.state);
    }
    let began_elsewhere = !had_trial && status.trial.is_some() && model.depth == Some(Depth::Complete);
    // The outcome of another trial says nothing about the one that was shown.
    let last = status.last.clone().filter(|last| Some(&last.id) == shown.as_ref());
    let has_drifted = status.state == State::Drifted;
    model.drift.judge(has_drifted);
    if has_drifted && model.observation.status.state != State::Drifted {
        // Whatever was said before, this is what is to be said now.
        model.notice = None;
    }
    model.observation.status = status;
    if began_elsewhere && model.task.is_none() {
        model.say(
            Token::Warn,
            "A trial is running. It goes on whatever becomes of this terminal.",
        );
    }
    if is_another && model.task.is_none() {
        // A yes was meant for the trial that was shown.
        model
            .popups
            .retain(|popup| !matches!(popup, Popup::Keep | Popup::Unproven(_)));
        model.say(Token::Warn, "Another trial has taken the place of the one before.");
    }
    if !is_over {
        return;
    }
    match last {
        Some(last) if last.outcome == "confirmed" => {
            model.say(Token::Good, "Kept: the trial was confirmed from elsewhere.");
        }
        Some(last) => {
            let why = last.why.unwrap_or_else(|| "the reason is not known".to_owned());
            tell_reverted(model, &format!("The old rules are back: {why}."));
        }
        None => tell_reverted(
            model,
            "The trial is over, and how it ended is not known: fwtui status tells.",
        ),
    }
}

/// Tells, once at the start, of a last trial that nobody ended on purpose.
pub(super) fn tell_last(model: &mut Model) {
    let status = &model.observation.status;
    let Some(last) = status.last.as_ref().filter(|_| status.trial.is_none()) else {
        return;
    };
    let reason = last.reason.as_deref().unwrap_or_default();
    let token = match (last.outcome.as_str(), reason) {
        ("revert-failed", _) => Token::Bad,
        ("reverted", "guard-died" | "reboot" | "signal") => Token::Warn,
        _ => return,
    };
    // Which day it is, the screens can't know.
    let text = format!("{}.", capitalised(&last.sentence_as_of("")));
    model.say(token, text);
}

fn tell_reverted(model: &mut Model, what: &str) {
    model.popups.push(Popup::Message(Message {
        title: "The trial is over".to_owned(),
        token: Token::Warn,
        text: vec![
            what.to_owned(),
            "Your decisions are kept and wait for an apply.".to_owned(),
        ],
    }));
}
