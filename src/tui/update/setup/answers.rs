//! The answers of a step, changed.

use crate::core::network::NetworkClass;
use crate::core::policy::Decision;
use crate::core::service::ServiceId;
use crate::core::setup::{Answers, Step};
use crate::tui::model::list::following;
use crate::tui::model::{LOGGINGS, Model, REFUSALS, Setup};
use crate::tui::theme::Token;

/// Decides on the selected service.
pub(super) fn decide(model: &mut Model, decision: Decision) {
    let Some(setup) = &mut model.setup else { return };
    let Some(id) = selected_service(setup) else { return };
    match setup.wider(&id).filter(|_| decision == Decision::Undecided) {
        Some(wider) => {
            let text = format!("{id} is decided with {wider}: decide otherwise here, or decide on {wider}.");
            model.say(Token::Warn, text);
        }
        None => {
            setup.answers.services.insert(id, decision);
        }
    }
}

/// The next answer to what is asked.
pub(super) fn next(model: &mut Model) {
    let Some(setup) = &mut model.setup else { return };
    match setup.step() {
        Step::Networks => {
            if let Some(name) = selected_network(setup) {
                let next = following(&NetworkClass::ALL, setup.class(&name), 1);
                setup.answers.networks.insert(name, next);
            }
        }
        Step::Services => {
            if let Some(id) = selected_service(setup) {
                let answer = setup.decision(&id);
                let next = match following(&Decision::ALL, answer, 1) {
                    // What holds for it anyway can't be left undecided.
                    Decision::Undecided if setup.wider(&id).is_some() => following(&Decision::ALL, answer, 2),
                    next => next,
                };
                decide(model, next);
            }
        }
        Step::Refusal => setup.answers.refusal = following(&REFUSALS, setup.answers.refusal, 1),
        Step::Logging => setup.answers.logging = following(&LOGGINGS, setup.answers.logging, 1),
        Step::Welcome | Step::Summary | Step::Preview => {}
    }
}

/// So many answers further, not around the end.
pub(super) fn choose(model: &mut Model, lines: isize) {
    let Some(setup) = &mut model.setup else { return };
    let answers = &mut setup.answers;
    match answers.step {
        Step::Refusal => answers.refusal = moved(&REFUSALS, answers.refusal, lines),
        Step::Logging => answers.logging = moved(&LOGGINGS, answers.logging, lines),
        _ => {}
    }
}

/// Answers what is asked as recommended.
pub(super) fn take_advice(model: &mut Model) {
    let Some(setup) = &mut model.setup else { return };
    let recommended = Answers::from_proposals(&setup.proposals);
    match setup.step() {
        Step::Networks => {
            let name = selected_network(setup);
            let class = name.as_ref().and_then(|name| recommended.networks.get(name).copied());
            if let (Some(name), Some(class)) = (name, class) {
                setup.answers.networks.insert(name, class);
            }
        }
        Step::Services => {
            let advice = setup.proposals.services.get(setup.services.cursor);
            let advice = advice.map(|one| (one.id.clone(), one.decision, one.from.clone()));
            if let Some((id, decision, from)) = advice {
                // The sources are part of what was decided.
                match from.is_empty() {
                    true => setup.answers.from.remove(&id),
                    false => setup.answers.from.insert(id, from),
                };
                decide(model, decision);
            }
        }
        Step::Refusal => setup.answers.refusal = recommended.refusal,
        Step::Logging => setup.answers.logging = recommended.logging,
        Step::Welcome | Step::Summary | Step::Preview => {}
    }
}

fn selected_service(setup: &Setup) -> Option<ServiceId> {
    let selected = setup.proposals.services.get(setup.services.cursor);
    selected.map(|one| one.id.clone())
}

fn selected_network(setup: &Setup) -> Option<String> {
    let selected = setup.proposals.networks.get(setup.networks.cursor);
    selected.map(|one| one.interface.clone())
}

fn moved<T: Copy + PartialEq>(all: &[T], from: T, lines: isize) -> T {
    let place = all.iter().position(|one| *one == from).unwrap_or_default();
    let place = place.saturating_add_signed(lines).min(all.len().saturating_sub(1));
    all.get(place).copied().unwrap_or(from)
}
