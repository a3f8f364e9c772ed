//! Edits of the wanted policy: each is saved at once, waits for an apply, and can be taken back.

use ipnet::IpNet;

use super::commands::fail_edit;
use crate::core::network::{InterfaceKind, NetworkClass, class_of, is_interface_name};
use crate::core::policy::{Decision, Entry, Logging, Policy, Refusal};
use crate::core::service::ServiceId;
use crate::tui::availability::UNNAMEABLE;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::list::following;
use crate::tui::model::{LOGGINGS, Model, NetworkLine, REFUSALS};
use crate::tui::msg::Effect;
use crate::tui::theme::Token;

const WAITS: &str = "Waits for an apply";

/// Carries out an edit: the whole of it, or nothing.
pub(super) fn edit(model: &mut Model, change: impl FnOnce(&mut Policy) -> Result<(), String>) -> Option<Effect> {
    if let Some(why) = model.why_read_only() {
        model.say(Token::Warn, why);
        return None;
    }
    // What is over would not be written anyway.
    let held = model.wanted().current(model.since_1970()).into_owned();
    let mut policy = held.clone();
    if let Err(why) = change(&mut policy) {
        fail_edit(model, why);
        return None;
    }
    if policy == held {
        return None;
    }
    let before = model.wanted().clone();
    model.adopt_edit(policy);
    Some(save(model, before))
}

pub(super) fn save(model: &mut Model, before: Policy) -> Effect {
    model.saves_under_way += 1;
    Effect::Save {
        before: Box::new(before),
        wanted: Box::new(model.wanted().clone()),
    }
}

/// Says what an edit was, without a full stop, and whether anything waits after it.
pub(super) fn say_edited(model: &mut Model, edit: &str) {
    say_with(model, edit, WAITS);
}

fn say_with(model: &mut Model, edit: &str, waits: &str) {
    let what = match model.waits_for_nothing() {
        true => "Nothing waits for an apply",
        false => waits,
    };
    model.say(Token::Changed, format!("{edit}. {what}."));
}

/// Decides on the marked services, or the selected one.
pub(super) fn decide(model: &mut Model, decision: Decision) -> Vec<Effect> {
    decide_with(model, &model.services.targets(), decision, &[])
}

/// Decides on services, with sources.
pub(super) fn decide_with(model: &mut Model, targets: &[ServiceId], decision: Decision, from: &[IpNet]) -> Vec<Effect> {
    let entry = Entry {
        decision,
        from: from.to_vec(),
    };
    let effect = edit(model, |policy| {
        targets
            .iter()
            .try_for_each(|id| policy.decide(id.clone(), entry.clone()))
    });
    if effect.is_some() {
        say_edited(model, &decided(targets, decision, from));
        model.services.clear_marks();
    } else if decision == Decision::Undecided
        && let [id] = targets
        && let Some((wider, _)) = model.wanted().entry_for(id).filter(|(wider, _)| *wider != id)
    {
        let text = format!("{id} is decided with {wider}: take that decision back, or decide otherwise here.");
        model.say(Token::Warn, text);
    } else if model.notice.is_none() && model.popups.is_empty() && !targets.is_empty() {
        let what = counted(targets);
        model.say(Token::Text, format!("{what}: {decision} already."));
    }
    effect.into_iter().collect()
}

/// The service, or how many there are.
pub(super) fn counted(targets: &[ServiceId]) -> String {
    match targets {
        [id] => id.to_string(),
        many => format!("{} services", many.len()),
    }
}

fn decided(targets: &[ServiceId], decision: Decision, from: &[IpNet]) -> String {
    let what = counted(targets);
    let from: Vec<String> = from.iter().map(ToString::to_string).collect();
    match (decision, from.is_empty()) {
        (Decision::Undecided, _) => format!("{what}: decision taken back"),
        (decision, true) => format!("{what}: {decision}"),
        (decision, false) => format!("{what}: {decision} from {}", from.join(", ")),
    }
}

/// The next class for the selected interface.
pub(super) fn cycle_class(model: &mut Model) -> Vec<Effect> {
    let (name, class) = match model.networks.selected() {
        Some(NetworkLine::Interface(interface)) if interface.kind == InterfaceKind::Loopback => {
            model.say(
                Token::Text,
                "Loopback is this machine itself: there is nothing to decide.",
            );
            return Vec::new();
        }
        // A policy with such a name in it would not be read again.
        Some(NetworkLine::Interface(interface)) if !is_interface_name(&interface.name) => {
            model.say(Token::Warn, UNNAMEABLE);
            return Vec::new();
        }
        Some(NetworkLine::Interface(interface)) => (interface.name.clone(), class_of(interface, model.wanted())),
        Some(NetworkLine::Absent(name)) => {
            let class = model.wanted().networks.interfaces.get(name).copied();
            (name.clone(), class.unwrap_or(NetworkClass::Public))
        }
        Some(NetworkLine::Source(_)) => {
            let key = model.key_of(CommandId::RemoveSource, Context::Networks);
            model.say(
                Token::Text,
                format!("A network listed by hand is trusted; {key} removes it."),
            );
            return Vec::new();
        }
        None => return Vec::new(),
    };
    let next = following(&NetworkClass::ALL, class, 1);
    let effect = edit(model, |policy| {
        policy.networks.interfaces.insert(name.clone(), next);
        Ok(())
    });
    if effect.is_some() {
        say_edited(model, &format!("{name}: {next}"));
    }
    effect.into_iter().collect()
}

/// Trusts networks by hand.
pub(super) fn add_sources(model: &mut Model, networks: &[IpNet]) -> Vec<Effect> {
    let effect = edit(model, |policy| {
        let sources = &mut policy.networks.trusted_sources;
        sources.extend(networks);
        sources.sort();
        sources.dedup();
        Ok(())
    });
    let named: Vec<String> = networks.iter().map(ToString::to_string).collect();
    match (&effect, named.len()) {
        (_, 0) => {}
        (Some(_), _) => say_edited(model, &format!("{}: trusted", named.join(", "))),
        (None, _) if model.notice.is_none() => model.say(Token::Text, "Trusted already; nothing changed."),
        (None, _) => {}
    }
    effect.into_iter().collect()
}

/// No longer trusts the selected network.
pub(super) fn remove_source(model: &mut Model) -> Vec<Effect> {
    let source = match model.networks.selected() {
        Some(NetworkLine::Source(source)) => *source,
        Some(NetworkLine::Absent(name)) => return forget(model, &name.clone()),
        Some(NetworkLine::Interface(_)) => {
            let key = model.key_of(CommandId::CycleClass, Context::Networks);
            model.say(
                Token::Text,
                format!("Interfaces are given a class ({key}); networks listed by hand are removed."),
            );
            return Vec::new();
        }
        None => return Vec::new(),
    };
    let effect = edit(model, |policy| {
        policy.networks.trusted_sources.retain(|other| *other != source);
        Ok(())
    });
    if effect.is_some() {
        say_edited(model, &format!("{source} is no longer trusted"));
    }
    effect.into_iter().collect()
}

fn forget(model: &mut Model, name: &str) -> Vec<Effect> {
    let effect = edit(model, |policy| {
        policy.networks.interfaces.remove(name);
        Ok(())
    });
    if effect.is_some() {
        model.say(Token::Changed, format!("The policy no longer speaks of {name}."));
    }
    effect.into_iter().collect()
}

/// Reject or drop.
pub(super) fn switch_refusal(model: &mut Model) -> Vec<Effect> {
    let effect = edit(model, |policy| {
        policy.refusal = following(&REFUSALS, policy.refusal, 1);
        Ok(())
    });
    if effect.is_some() {
        // The sentence about it may be out of sight.
        let text = match model.wanted().refusal {
            Refusal::Reject => "Refused politely: the peer is told at once",
            Refusal::Drop => "Refused silently: the peer waits for a time-out",
        };
        say_edited(model, text);
    }
    effect.into_iter().collect()
}

/// Off, kernel, nflog.
pub(super) fn switch_logging(model: &mut Model) -> Vec<Effect> {
    let effect = edit(model, |policy| {
        policy.logging = following(&LOGGINGS, policy.logging, 1);
        Ok(())
    });
    if effect.is_some() {
        let text = match model.wanted().logging {
            Logging::Off => "Refusals are not logged",
            Logging::Kernel => "Refusals go to the kernel's log, rate-limited",
            Logging::Nflog => "Refusals go to NFLOG, rate-limited",
        };
        say_edited(model, text);
    }
    effect.into_iter().collect()
}

/// Takes the last edit back.
pub(super) fn undo(model: &mut Model) -> Vec<Effect> {
    // What is in force and was taken back is to be applied; else it is what was decided before that waits.
    let waits = match model.is_in_force() {
        Some(true) => WAITS,
        Some(false) | None => "Earlier decisions wait for an apply",
    };
    go_in_history(model, model.why_no_undo(), Model::take_back, ("Taken back", waits))
}

/// Does again what was taken back.
pub(super) fn redo(model: &mut Model) -> Vec<Effect> {
    go_in_history(model, model.why_no_redo(), Model::do_again, ("Done again", WAITS))
}

fn go_in_history(
    model: &mut Model,
    why_not: Option<&str>,
    go: fn(&mut Model) -> Option<String>,
    (done, waits): (&str, &str),
) -> Vec<Effect> {
    if let Some(why) = model.why_read_only() {
        model.say(Token::Warn, why);
        return Vec::new();
    }
    let before = model.wanted().clone();
    let Some(edit) = go(model) else {
        model.say(Token::Text, why_not.unwrap_or_default());
        return Vec::new();
    };
    say_with(model, &format!("{done}: {edit}"), waits);
    vec![save(model, before)]
}
