//! How a trial ended, told in words: to whoever had it on the screen, and to whoever comes later.

use crate::app::{Last, OnTrial, State, boot_trouble};
use crate::core::policy::Change;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::popups::{Outcome, Popup};
use crate::tui::theme::Token;

/// The trial on the screen ended by itself, or from elsewhere; what is said where somebody reverted it.
pub(super) fn tell_over(model: &mut Model, last: Option<Last>, changes: Vec<Change>, reverted: String) {
    let Some(last) = last else {
        let text = "How it ended is not known. This tells where fwtui stands: sudo fwtui status".to_owned();
        let outcome = Outcome::said(model.over.clone(), "The trial is over", text, changes);
        return show(model, outcome);
    };
    match (last.outcome.as_str(), last.reason.as_deref()) {
        ("confirmed", _) => {
            let text = kept(model, "Kept elsewhere");
            model.say(Token::Good, text);
        }
        ("reverted", Some("asked")) => model.say(Token::Warn, reverted),
        _ => show(model, Outcome::of(&last, changes)),
    }
}

/// The trial was over when it was to be kept or made longer.
pub(super) fn tell_too_late(model: &mut Model, why: &str, changes: Vec<Change>) {
    let text = format!("{}.", crate::core::text::capitalised(why.trim_end_matches('.')));
    let outcome = Outcome::said(model.over.clone(), "Too late: the trial is over", text, changes);
    show(model, outcome);
}

/// Tells, when the screens are opened, of a last trial that nobody ended on purpose, and whose end
/// nobody was told yet.
pub(super) fn tell_last(model: &mut Model) {
    let status = &model.observation.status;
    let Some(last) = status.last.as_ref().filter(|_| status.trial.is_none()) else {
        return;
    };
    let is_news = matches!(
        (last.outcome.as_str(), last.reason.as_deref().unwrap_or_default()),
        ("revert-failed", _) | ("reverted", "deadline" | "guard-died" | "reboot" | "signal")
    );
    if is_news && status.told.as_ref() != Some(&last.id) {
        let outcome = Outcome::of(last, Vec::new());
        show(model, outcome);
    }
}

/// A trial runs that was not begun here.
pub(super) fn tell_running(model: &mut Model) {
    if model.trial().is_some() {
        // It says all of what the line says.
        model.notice = None;
        open(model, Popup::Running);
    }
}

/// What reverting the trial on the screen comes to.
pub(super) fn reverted(model: &Model, how: &str) -> String {
    let now = model.since_1970();
    let wants_what_was = |tried: &OnTrial| match &tried.before {
        Some(before) => before.current(now).wants_the_same_as(&model.wanted().current(now)),
        None => model.wanted().wants_nothing(),
    };
    let waiting = match model.observation.on_trial.as_ref().is_some_and(wants_what_was) {
        true => "Nothing waits for an apply",
        false => "Your decisions are kept and wait for an apply",
    };
    format!("{how}: the old rules are back. {waiting}.")
}

/// What keeping came to.
pub(super) fn kept(model: &Model, how: &str) -> String {
    if model.observation.status.state == State::Off {
        return format!("{how}. fwtui's rules are gone, and none are loaded at boot.");
    }
    match boot_trouble(&model.observation.status.protection) {
        None => format!("{how}. The new rules stay, and come back after a reboot."),
        Some(why) => format!("{how}, until the next reboot: {why}."),
    }
}

fn show(model: &mut Model, outcome: Outcome) {
    open(model, Popup::Outcome(Box::new(outcome)));
}

/// Opens a popup that the user did not ask for: not over a line he is typing, whose letters would mean
/// something else to it.
fn open(model: &mut Model, popup: Popup) {
    let is_typing = |popup: &Popup| popup.contexts().into_iter().any(Context::is_typed_into);
    match model.popups.last().is_some_and(is_typing) {
        true => model.popups.insert(0, popup),
        false => model.popups.push(popup),
    }
}
