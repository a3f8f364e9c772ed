//! The trial as the screens see it; the guard is what holds it.

use super::{fail, outcome};
use crate::app::{Error, Kind, OnTrial, State, Status, TrialView};
use crate::core::policy::Change;
use crate::core::text::capitalised;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, Task};
use crate::tui::msg::Effect;
use crate::tui::popups::{Popup, Unproven};
use crate::tui::port::{Depth, Started};
use crate::tui::theme::Token;

/// Keep, revert, extend.
pub(super) fn run(model: &mut Model, command: CommandId) -> Vec<Effect> {
    match (command, model.task) {
        // Going back is always possible, unless it is under way or too late.
        (CommandId::Revert, None | Some(Task::Extending)) => revert(model, false),
        (CommandId::Keep, None) => {
            let lockouts = model.lockouts_on_trial();
            model.popups.push(Popup::Keep(lockouts));
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
    model.task = Some(Task::Confirming { then_quit: false });
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

/// Leaves while the trial goes on; what is being kept or reverted is waited for, and told. Who asks
/// twice leaves at once.
pub(super) fn leave_running(model: &mut Model) -> Vec<Effect> {
    match &mut model.task {
        Some(Task::Confirming { then_quit } | Task::Reverting { then_quit }) if !*then_quit => {
            *then_quit = true;
            model.popups.retain(|popup| !matches!(popup, Popup::Leave));
            Vec::new()
        }
        _ => vec![Effect::Quit],
    }
}

/// The trial runs, or nothing changed.
pub(super) fn on_applied(model: &mut Model, result: Result<Started, Error>) -> Vec<Effect> {
    model.task = None;
    let was_to_stop = model.progress.is_stopping;
    model.is_answer_stale = model.is_status_asked;
    model.drift.has_loaded(model.now);
    model.neighbours.forget();
    match result {
        Ok(Started { trial, rehearsal, .. }) => {
            if let Some(setup) = &mut model.setup {
                setup.trial = Some(trial.id.clone());
            }
            model.observation.status.state = State::Trial;
            model.observation.status.trial = Some(trial);
            match rehearsal.and_then(|rehearsal| rehearsal.missed()) {
                _ if was_to_stop => {
                    let revert = model.key_of(CommandId::Revert, Context::Trial);
                    let text = format!(
                        "It was too late to stop: the new rules are on trial. {revert} puts the old ones back."
                    );
                    model.say(Token::Warn, text);
                }
                Some(missed) => model.say(Token::Warn, format!("The new rules are in force. {missed}")),
                None => model.say(
                    Token::Text,
                    "The new rules are in force. Does everything work? Then keep them.",
                ),
            }
        }
        Err(error) if error.kind == Kind::Stopped => model.say(Token::Text, "Stopped: nothing has been changed."),
        Err(error) => fail(model, "Not applied", &error),
    }
    vec![Effect::Look(Depth::Complete)]
}

/// Kept, or too early, or too late, or a second yes is needed.
pub(super) fn on_confirmed(model: &mut Model, result: Result<Option<String>, Error>) -> Vec<Effect> {
    let then_quit = matches!(model.task, Some(Task::Confirming { then_quit: true }));
    model.task = None;
    match result {
        Ok(trouble) => {
            let is_off = model.observation.on_trial.as_ref().is_some_and(OnTrial::is_off);
            let state = if is_off { State::Off } else { State::Confirmed };
            forget_trial(model, state, true);
            let text = outcome::kept(model, "Kept");
            if then_quit && trouble.is_none() {
                model.last_words = Some(text);
                return vec![Effect::Quit];
            }
            model.say(Token::Good, text);
            if let Some(trouble) = trouble {
                fail(model, "Kept, but not all is well", &Error::failed(trouble));
            }
        }
        Err(error) if error.kind == Kind::Unproven && model.trial().is_some() => {
            model.popups.push(Popup::Unproven(Unproven::new(&error)));
        }
        Err(error) if error.kind == Kind::Reverted => be_too_late(model, &error),
        Err(error) => fail(model, "Not kept", &error),
    }
    vec![Effect::Look(Depth::Complete)]
}

/// Back to the old rules, or the guard could not be reached.
pub(super) fn on_reverted(model: &mut Model, result: Result<(), Error>) -> Vec<Effect> {
    let then_quit = matches!(model.task, Some(Task::Reverting { then_quit: true }));
    model.task = None;
    let reverted = outcome::reverted(model, "Reverted");
    match result {
        Ok(()) if then_quit => {
            forget_trial(model, State::Unknown, false);
            model.last_words = Some(reverted);
            return vec![Effect::Quit];
        }
        Ok(()) => {
            forget_trial(model, State::Unknown, false);
            model.say(Token::Good, reverted);
        }
        Err(error) if error.kind == Kind::Reverted => {
            forget_trial(model, State::Unknown, false);
            model.say(Token::Good, format!("{}.", capitalised(&error.message)));
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
        Err(error) if error.kind == Kind::Reverted => be_too_late(model, &error),
        Err(error) => fail(model, "Not extended", &error),
    }
    Vec::new()
}

/// The trial was over before it could be kept or made longer.
fn be_too_late(model: &mut Model, error: &Error) {
    let changes = forget_trial(model, State::Unknown, false);
    outcome::tell_too_late(model, &error.message, changes);
}

/// The trial is over, kept or not: a look that began before must not bring it back. What was on trial is
/// given back.
fn forget_trial(model: &mut Model, state: State, is_kept: bool) -> Vec<Change> {
    model.drift.has_loaded(model.now);
    model.neighbours.forget();
    model.over = model.observation.status.trial.take().map(|trial| trial.id);
    // What was said during the trial is no longer so.
    model.notice = None;
    model.observation.status.state = state;
    // How the one before ended is no longer how things stand.
    model.popups.retain(|popup| {
        !matches!(
            popup,
            Popup::Keep(_) | Popup::Running | Popup::Unproven(_) | Popup::Leave | Popup::Outcome(_)
        )
    });
    let Some(on_trial) = model.observation.on_trial.take() else {
        return Vec::new();
    };
    let changes = on_trial.changes();
    if is_kept && on_trial.after.is_some() {
        // The next look would say so, too.
        model.observation.confirmed = on_trial.after;
    }
    changes
}

/// Whether a trial was made longer meanwhile. It never gets shorter: an answer from before is out of date.
fn is_longer(model: &Model, status: &mut Status) -> bool {
    let (Some(known), Some(trial)) = (model.trial(), status.trial.as_mut()) else {
        return false;
    };
    let is_longer = known.id == trial.id && trial.deadline > known.deadline;
    if known.id == trial.id {
        trial.deadline = trial.deadline.max(known.deadline);
    }
    is_longer
}

/// Takes a status, and tells how a trial ended that ended by itself or from elsewhere.
pub(super) fn adopt_status(model: &mut Model, mut status: Status) {
    if status.trial.is_some() && status.trial.as_ref().map(|trial| &trial.id) == model.over.as_ref() {
        model.observation.on_trial = None;
        return;
    }
    if status.is_guard_silent && model.trial().is_some_and(|trial| trial.is_awaited(model.now)) {
        // That is no word on the trial: what was known of it holds until there is one.
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
    let was_extended = is_longer(model, &mut status);
    // The outcome of another trial says nothing about the one that was shown.
    let last = status.last.clone().filter(|last| Some(&last.id) == shown.as_ref());
    let over = is_over.then(|| {
        let reverted = outcome::reverted(model, "Reverted elsewhere");
        let is_kept = last.as_ref().is_some_and(|last| last.outcome == "confirmed");
        (forget_trial(model, status.state, is_kept), reverted)
    });
    let began_elsewhere = !had_trial && status.trial.is_some() && model.depth == Some(Depth::Complete);
    let has_drifted = status.state == State::Drifted;
    model.drift.judge(has_drifted);
    let was_changed = model.changed_on_trial().is_some();
    let has_changed = status.trial.is_some() && status.drift.is_some();
    if has_drifted && model.observation.status.state != State::Drifted || has_changed && !was_changed {
        // Whatever was said before, this is what is to be said now.
        model.notice = None;
    }
    model.observation.status = status;
    if model.trial().is_some_and(|trial| !trial.evidence.is_empty()) {
        // What the doubt was about has been seen: what is left of the question is the plain one.
        let doubt = |popup: &Popup| matches!(popup, Popup::Unproven(_));
        if model.popups.iter().any(doubt) {
            let question = Popup::Keep(model.lockouts_on_trial());
            for popup in model.popups.iter_mut().filter(|popup| doubt(popup)) {
                *popup = question.clone();
            }
        }
    }
    if began_elsewhere && model.task.is_none() {
        let beginning = model
            .trial()
            .map(|trial| trial.beginning.words(model.now))
            .unwrap_or_default();
        model.say(Token::Warn, format!("A trial was begun elsewhere, {beginning}."));
    }
    if was_extended && model.task.is_none() {
        let seconds = model.seconds_left().unwrap_or_default();
        model.say(
            Token::Warn,
            format!("Made longer elsewhere: {seconds} seconds are left."),
        );
    }
    if is_another && model.task.is_none() {
        // A yes was meant for the trial that was shown.
        model
            .popups
            .retain(|popup| !matches!(popup, Popup::Keep(_) | Popup::Unproven(_)));
        model.say(Token::Warn, "Another trial has taken the place of the one before.");
    }
    if let Some((changes, reverted)) = over {
        outcome::tell_over(model, last, changes, reverted);
    }
}
