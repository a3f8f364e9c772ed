//! Messages in, effects out.

use std::time::Duration;

use crate::app::{Error, Observation, Status};
use crate::core::policy::Policy;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, Task};
use crate::tui::msg::{Effect, Msg};
use crate::tui::popups::{Message, Popup};
use crate::tui::port::Depth;
use crate::tui::screens::ScreenId;
use crate::tui::theme::Token;

mod access;
mod block;
mod checkup;
mod commands;
mod disable;
mod edit;
mod mouse;
mod outcome;
mod palette;
mod paste;
mod planning;
mod popups;
mod restore;
mod setup;
mod theme;
mod trial;

/// Takes a message into the model; what is to be done outside comes back.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let trial = model.trial().map(|trial| trial.id.clone());
    let ended = setup::Ended::of(&msg);
    let mut effects = match msg {
        Msg::Key(event) => commands::on_key(model, &event),
        Msg::Mouse(event) => mouse::on_mouse(model, event),
        Msg::Paste(text) => {
            paste::on_paste(model, &text);
            Vec::new()
        }
        Msg::Resize(width, height) => {
            model.size = (width, height);
            Vec::new()
        }
        Msg::Looking(depth) => {
            model.progress.begin_look(depth);
            Vec::new()
        }
        Msg::Seen(depth, observation) => on_seen(model, depth, *observation),
        Msg::SeenWith(depth, observation, outlook) => {
            model.with_outlook(outlook, |model| on_seen(model, depth, *observation))
        }
        Msg::WorkedOut(number, outlook) => {
            model.adopt_outlook(number, *outlook);
            Vec::new()
        }
        Msg::Saved(policy, result) => on_saved(model, *policy, result),
        Msg::Applied(result) => trial::on_applied(model, result),
        Msg::Confirmed(result) => trial::on_confirmed(model, result),
        Msg::Reverted(result) => trial::on_reverted(model, result),
        Msg::Extended(result) => trial::on_extended(model, result),
        Msg::Restored(result) => restore::on_restored(model, result),
        Msg::Status(status) => on_answer(model, *status),
        Msg::Probed(status) => on_status(model, *status),
        Msg::RulesChanged(programs) => {
            model.checkup.outdate();
            restore::on_rules_changed(model, programs)
        }
        Msg::Knocked(id, seen) => {
            model.neighbours.adopt(id, seen);
            Vec::new()
        }
        Msg::Access(id, networks) => {
            model.access.adopt(id, networks);
            Vec::new()
        }
        Msg::Way(id, network, answers) => {
            access::on_way(model, &id, &network, answers);
            Vec::new()
        }
        Msg::Classes(name, rows) => {
            model.networks.classes.adopt(name, rows);
            Vec::new()
        }
        Msg::Written(writing, result) => {
            planning::on_written(model, writing, result);
            Vec::new()
        }
        Msg::Checked(number, found) => checkup::on_checked(model, number, *found).into_iter().collect(),
        Msg::CheckStopped(number) => checkup::on_stopped(model, number).into_iter().collect(),
        Msg::Proposed(id, proposed) => {
            disable::on_proposed(model, &id, proposed);
            Vec::new()
        }
        Msg::SetupFound { found, is_new } => setup::on_found(model, *found, is_new),
        Msg::AnswersKept(result) => {
            setup::on_kept_answers(model, result);
            Vec::new()
        }
        Msg::Tick(now) => on_tick(model, now),
    };
    effects.extend(setup::follow(model, trial.as_deref(), ended));
    model.settle();
    effects.extend(model.work_out());
    effects.extend(knock(model));
    effects.extend(access::ask(model));
    effects.extend(planning::ask(model));
    effects.extend(checkup::ask(model));
    model.follow();
    effects
}

/// In the sandbox, the neighbours knock at the service the cursor rests on.
fn knock(model: &mut Model) -> Option<Effect> {
    if model.setup.is_some() || model.screen != ScreenId::Services || model.depth != Some(Depth::Complete) {
        return None;
    }
    let selected = model.services.selected().map(|row| &row.service.id);
    model.neighbours.next(selected).map(Effect::Knock)
}

fn on_seen(model: &mut Model, depth: Depth, mut observation: Observation) -> Vec<Effect> {
    model.progress.end_look(depth);
    let is_first = model.depth.is_none();
    let is_first_whole = depth == Depth::Complete && model.depth != Some(depth);
    if model.depth > Some(depth) {
        // A shallow look that was overtaken would take the owners and the rules away again.
        return Vec::new();
    }
    if observation.is_stopped && model.depth == Some(depth) && !model.observation.is_stopped {
        let key = model.key_of(CommandId::Refresh, Context::Always);
        let text = format!("Stopped: what is shown is as it was before. {key} looks again.");
        model.say(Token::Text, text);
        return Vec::new();
    }
    model.depth = Some(depth);
    let known = std::mem::take(&mut model.observation.status);
    let seen = std::mem::replace(&mut observation.status, known);
    let stored = observation.policy.clone();
    let before = model.observation.policy.clone();
    let on_trial = model.observation.on_trial.take();
    model.observation = observation;
    // Until its end is told, what was on trial is known.
    model.observation.on_trial = model.observation.on_trial.take().or(on_trial);
    model.looked_at = model.now;
    if depth == Depth::Complete {
        model.neighbours.renew();
        trial::adopt_status(model, seen);
        if is_first_whole {
            outcome::tell_last(model);
            outcome::tell_running(model);
        }
    }
    if model.setup.is_some() {
        let effects = setup::on_seen(model, &before);
        popups::count_running_again(model);
        return effects;
    }
    let mut effects = Vec::new();
    if is_first_whole {
        effects.extend(setup::begin(model));
    }
    let now = model.observation.world.now;
    if model.saves_under_way > 0 || stored.current(now) == model.wanted().current(now) {
        model.recompute();
        popups::count_running_again(model);
        return effects;
    }
    if !is_first {
        // What can't be read is no new policy; the line about that stays in sight by itself.
        if model.observation.policy_error.is_none() {
            let text = match stored == Policy::default() {
                true => {
                    "The policy was removed or emptied elsewhere: nothing is decided any more. The rules stay until an apply."
                }
                false => "The policy was changed elsewhere; this is the new one.",
            };
            model.say(Token::Warn, text);
        }
        // What was about to be applied is not what would be applied now.
        if !stored.wants_the_same_as(model.wanted()) {
            model.popups.retain(|popup| !matches!(popup, Popup::Apply(_)));
        }
    }
    model.adopt_stored(stored);
    effects
}

fn on_saved(model: &mut Model, policy: Policy, result: Result<(), Error>) -> Vec<Effect> {
    model.saves_under_way = model.saves_under_way.saturating_sub(1);
    match result {
        Ok(()) => {
            model.observation.policy = policy;
            Vec::new()
        }
        Err(error) => {
            // What is not on the disk must not look as if it were.
            let stored = model.observation.policy.clone();
            model.adopt_stored(stored);
            setup::adopt(model);
            model.popups.retain(|popup| !matches!(popup, Popup::Apply(_)));
            fail(model, "The policy could not be saved", &error);
            vec![Effect::Look(Depth::Complete)]
        }
    }
}

/// The status that was asked for.
fn on_answer(model: &mut Model, status: Status) -> Vec<Effect> {
    model.is_status_asked = false;
    let must_ask = model.drift.must_ask();
    if std::mem::take(&mut model.is_answer_stale) {
        // Asked before the trial began, it would say that there is none.
        return Vec::new();
    }
    let mut effects = on_status(model, status);
    if must_ask {
        model.is_status_asked = true;
        effects.push(Effect::AskStatus);
    } else {
        model.drift.forget();
    }
    effects
}

fn on_status(model: &mut Model, status: Status) -> Vec<Effect> {
    if model.task.is_some() {
        // What is under way will say itself how it ended.
        return Vec::new();
    }
    let key = |status: &Status| {
        let trial = status.trial.as_ref().map(|trial| trial.id.clone());
        (status.state, status.drift.clone(), trial, status.last.clone())
    };
    let before = key(&model.observation.status);
    trial::adopt_status(model, status);
    if before == key(&model.observation.status) {
        Vec::new()
    } else {
        vec![Effect::Look(Depth::Complete)]
    }
}

fn on_tick(model: &mut Model, now: Duration) -> Vec<Effect> {
    model.now = now;
    if model.trial().is_none() || model.task.is_some() || model.is_status_asked {
        return Vec::new();
    }
    model.is_status_asked = true;
    vec![Effect::AskStatus]
}

/// Shows a failure with its next steps.
fn fail(model: &mut Model, title: &str, error: &Error) {
    model.popups.push(Popup::Message(Message::error(title, error)));
}

/// Leaves, or asks first while a trial runs.
fn leave(model: &mut Model) -> Vec<Effect> {
    match (model.task, model.trial()) {
        (Some(Task::Applying), _) => {
            let key = if model.progress.can_stop() {
                " esc stops it."
            } else {
                ""
            };
            model.say(Token::Warn, format!("A trial is being started: one moment.{key}"));
            Vec::new()
        }
        (_, Some(_)) => {
            model.popups.push(Popup::Leave);
            Vec::new()
        }
        (_, None) => vec![Effect::Quit],
    }
}
