//! Having a service stopped and disabled, or started again.

use super::{edit, fail};
use crate::app::Error;
use crate::core::service::ServiceId;
use crate::core::unit::{Proposal, listed};
use crate::tui::model::Model;
use crate::tui::msg::Effect;
use crate::tui::popups::Popup;
use crate::tui::port::Depth;
use crate::tui::theme::Token;

/// The key for it: what is disabled is enabled again; else it is asked what that would mean.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    if let Some(why) = model.why_read_only() {
        model.say(Token::Warn, why);
        return Vec::new();
    }
    if model.services.marked() > 1 {
        model.say(
            Token::Text,
            "Services are disabled one by one: each shows what depends on it.",
        );
        return Vec::new();
    }
    let targets = model.services.targets();
    let Some(id) = targets.first() else {
        return Vec::new();
    };
    if model.wanted().disabled.contains_key(id) {
        return enable(model, id);
    }
    model.say(Token::Text, format!("{id}: looking what depends on it …"));
    vec![Effect::Propose(id.clone())]
}

fn enable(model: &mut Model, id: &ServiceId) -> Vec<Effect> {
    let effect = edit::edit(model, |policy| {
        policy.enable(id);
        Ok(())
    });
    if effect.is_some() {
        edit::say_edited(model, &format!("{id}: enabled again"));
        model.services.clear_marks();
    }
    effect.into_iter().collect()
}

/// What it would mean has been found out.
pub(super) fn on_proposed(model: &mut Model, id: &ServiceId, proposed: Result<Box<Proposal>, Error>) {
    model.notice = None;
    match proposed {
        Err(error) => fail(model, "Not a service that can be disabled here", &error),
        // The user is elsewhere by now.
        Ok(_) if !model.popups.is_empty() || model.services.targets().first() != Some(id) => {}
        Ok(proposal) => model.popups.push(Popup::Disable(proposal)),
    }
}

/// The question was answered with yes.
pub(super) fn accept(model: &mut Model, proposal: &Proposal) -> Vec<Effect> {
    let effect = edit::edit(model, |policy| policy.disable(proposal.id.clone(), &proposal.units));
    if effect.is_some() {
        edit::say_edited(
            model,
            &format!("{}: {} to be off", proposal.id, listed(&proposal.units)),
        );
        model.services.clear_marks();
    }
    // Once it is on the disk, its units are looked at with it, for the plan.
    let look = effect.is_some().then_some(Effect::Look(Depth::Complete));
    effect.into_iter().chain(look).collect()
}
