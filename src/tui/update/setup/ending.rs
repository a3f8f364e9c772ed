//! How the setup ends: a trial that is kept, or the screens as they are.

use super::show;
use crate::core::plan::Warning;
use crate::core::setup::Step;
use crate::tui::availability::has_nothing_to_apply;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Msg};
use crate::tui::popups::Popup;
use crate::tui::screens::ScreenId;
use crate::tui::theme::Token;
use crate::tui::update::commands::ask_apply;
use crate::tui::update::edit;

/// Asks whether to apply; where the kernel holds it all already, the setup is done.
pub(super) fn apply(model: &mut Model) -> Vec<Effect> {
    let is_idle = model.task.is_none() && model.trial().is_none() && model.why_read_only().is_none();
    if !is_idle || !has_nothing_to_apply(model) {
        let effects = ask_apply(model, false);
        // What is left undecided, and that nobody is trusted, was said in the summary, in words for it.
        if let Some(Popup::Apply(apply)) = model.popups.last_mut() {
            let is_said = |warning: &Warning| matches!(warning, Warning::Undecided { .. } | Warning::NobodyTrusted);
            apply.plan.warnings.retain(|warning| !is_said(warning));
        }
        return effects;
    }
    let mut effects = before_apply(model);
    effects.extend(finish(model));
    effects
}

/// What is to be applied is written first.
pub(in crate::tui::update) fn before_apply(model: &mut Model) -> Vec<Effect> {
    let Some(setup) = &mut model.setup else {
        return Vec::new();
    };
    if model.observation.policy == model.policy {
        return Vec::new();
    }
    setup.is_saved = true;
    let before = model.observation.policy.clone();
    vec![edit::save(model, before)]
}

/// How a message says that a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::update) enum Ended {
    Kept,
    Reverted,
}

impl Ended {
    /// None where the message does not say it.
    pub(in crate::tui::update) fn of(msg: &Msg) -> Option<Self> {
        match msg {
            Msg::Confirmed(Ok(_)) => Some(Self::Kept),
            Msg::Reverted(Ok(())) => Some(Self::Reverted),
            _ => None,
        }
    }
}

/// Follows a trial that was shown before a message and is over after it.
pub(in crate::tui::update) fn follow(model: &mut Model, trial: Option<&str>, ended: Option<Ended>) -> Vec<Effect> {
    if trial.is_none() && model.setup.is_some() && model.trial().is_some() {
        // What is said of every trial, the page says at length.
        model.notice = model.notice.take().filter(|notice| notice.token != Token::Text);
    }
    let running = model.setup.as_ref().filter(|setup| !setup.is_done);
    let (Some(trial), None, Some(setup)) = (trial, model.trial(), running) else {
        return Vec::new();
    };
    let is_own = setup.trial.as_deref() == Some(trial);
    let last = model.observation.status.last.as_ref().filter(|last| last.id == trial);
    let outcome = last.map(|last| last.outcome.as_str());
    let is_kept = ended == Some(Ended::Kept) || outcome == Some("confirmed");
    if is_kept && is_own {
        return finish(model);
    }
    if !is_own {
        if is_kept {
            model.say(
                Token::Warn,
                "Kept, but it is not what you answered here: your answers wait for an apply.",
            );
        }
        return Vec::new();
    }
    let why = last.and_then(|last| last.why.as_deref());
    let why = why
        .map(|why| format!(": {}", why.trim_end_matches('.')))
        .unwrap_or_default();
    // Whether they are back whole is told by the message about it, where this is not known here.
    let are_back = ended == Some(Ended::Reverted) || outcome == Some("reverted");
    let back = if are_back { ", and the old rules are back" } else { "" };
    let told =
        format!("The trial is over{back}{why}. Your answers are all here: change what was wrong, and apply again.");
    if let Some(setup) = &mut model.setup {
        setup.told = Some(told);
    }
    model.notice = None;
    show(model, Step::Summary);
    Vec::new()
}

/// The setup is done: its answers hold, and are no draft any more.
fn finish(model: &mut Model) -> Vec<Effect> {
    if let Some(setup) = &mut model.setup {
        setup.is_done = true;
        setup.told = None;
        setup.top = 0;
    }
    // The page says it all.
    model.notice = None;
    model.screen = ScreenId::Services;
    vec![Effect::ForgetAnswers]
}

/// Leaves the setup for the screens; what was not applied is not kept.
pub(super) fn to_the_screens(model: &mut Model) -> Vec<Effect> {
    let Some(setup) = model.setup.take() else {
        return Vec::new();
    };
    model.screen = ScreenId::Services;
    if setup.is_done {
        // What was edited before the setup is not taken back over it.
        model.adopt_stored(model.policy.clone());
        return Vec::new();
    }
    // Nothing is on its way to the disk but what is being applied, and then this can't be asked.
    let stored = model.observation.policy.clone();
    model.adopt_stored(stored);
    let again = model.key_of(CommandId::RunSetup, Context::Screens);
    let text = match setup.is_saved {
        true => "The old rules are in force; what you answered is saved, and waits for an apply.".to_owned(),
        false => format!("Nothing was changed, and your answers are kept: {again} goes on with the setup."),
    };
    model.say(Token::Text, text);
    Vec::new()
}
