//! What keys mean while a popup is open.

use super::commands::{ask_filter, movement};
use super::{access, block, checkup, disable, edit, palette, planning, restore, setup, trial};
use crate::core::policy::Decision;
use crate::tui::commands::CommandId;
use crate::tui::model::{Model, Task};
use crate::tui::msg::Effect;
use crate::tui::popups::{Entry, Popup, Purpose, scroll_help};

/// A character was typed into the line of text on top.
pub(super) fn on_typed(model: &mut Model, character: char) {
    let is_taken = match model.popups.last_mut() {
        Some(Popup::Entry(entry)) => entry.push(character),
        Some(Popup::Apply(apply)) => {
            apply.push(character);
            false
        }
        Some(Popup::Palette(palette)) => {
            palette.push(character);
            false
        }
        _ => false,
    };
    // What was not taken need not be searched for: a pasted book would be searched for by letters.
    if is_taken {
        filter_as_typed(model);
    }
}

/// A command for the popup on top.
pub(super) fn run(model: &mut Model, command: CommandId) -> Vec<Effect> {
    if command == CommandId::Cancel {
        return cancel(model);
    }
    // While more time is asked for, a yes would be lost: the question stays until it can be taken.
    let can_keep = model.can_keep();
    match model.popups.last_mut() {
        Some(Popup::Help(_)) => return on_help(model, command),
        Some(Popup::WhoCan(_) | Popup::Way(_)) => access::run(model, command),
        Some(Popup::Finding(_)) => {
            if let Some(movement) = movement(command) {
                checkup::scroll(model, movement);
            }
        }
        Some(Popup::Apply(_)) => return on_apply(model, command),
        Some(Popup::Network(_) | Popup::Service(_)) => {
            if let Some(movement) = movement(command) {
                planning::scroll(model, movement);
            }
        }
        Some(Popup::Replace(_)) if command == CommandId::Accept => return planning::replace(model),
        Some(Popup::Keep(_) | Popup::Unproven(_)) if matches!(command, CommandId::Revert | CommandId::Extend) => {
            if command == CommandId::Revert {
                model.popups.pop();
            }
            return trial::run(model, command);
        }
        // The question says from when on it is taken.
        Some(Popup::Keep(_)) if command == CommandId::Accept && can_keep => {
            model.popups.pop();
            return trial::confirm(model, false);
        }
        Some(Popup::Running) => {
            if command != CommandId::Extend {
                model.popups.pop();
            }
            return trial::run(model, command);
        }
        Some(Popup::Disable(proposal)) if command == CommandId::Accept => {
            let proposal = proposal.clone();
            model.popups.pop();
            return disable::accept(model, &proposal);
        }
        Some(Popup::Unproven(_)) if command == CommandId::Accept && can_keep => {
            model.popups.pop();
            return trial::confirm(model, true);
        }
        Some(Popup::Restore) if command == CommandId::Accept => {
            model.popups.pop();
            return restore::restore(model);
        }
        Some(Popup::Setup(question)) => {
            let question = *question;
            return setup::on_question(model, question, command);
        }
        Some(Popup::Leave) => return on_leave(model, command),
        Some(Popup::Entry(_)) => return on_entry(model, command),
        Some(Popup::Palette(_)) => return palette::run(model, command),
        Some(
            Popup::Message(_)
            | Popup::Keep(_)
            | Popup::Outcome(_)
            | Popup::Unproven(_)
            | Popup::Restore
            | Popup::Disable(_)
            | Popup::Replace(_),
        )
        | None => {}
    }
    Vec::new()
}

fn cancel(model: &mut Model) -> Vec<Effect> {
    // A search is ended first, as on the Preview screen.
    if matches!(model.popups.last(), Some(Popup::Help(help)) if !help.search.needle().is_empty()) {
        model.set_filter(String::new());
        return Vec::new();
    }
    match model.popups.pop() {
        Some(Popup::Entry(Entry {
            purpose: Purpose::Filter(before),
            ..
        })) => model.set_filter(before),
        Some(Popup::Outcome(outcome)) => {
            // Whoever closed it with a key that was meant for something else reads at least this.
            model.say(outcome.token, format!("{}.", outcome.title));
            return outcome.id.map(Effect::Told).into_iter().collect();
        }
        _ => {}
    }
    Vec::new()
}

fn on_help(model: &mut Model, command: CommandId) -> Vec<Effect> {
    match (command, movement(command)) {
        (CommandId::Filter, _) => return ask_filter(model),
        (CommandId::NextMatch | CommandId::PreviousMatch, _) => {
            planning::step(model, command == CommandId::NextMatch);
        }
        (_, Some(movement)) => scroll_help(model, movement),
        _ => {}
    }
    Vec::new()
}

fn on_apply(model: &mut Model, command: CommandId) -> Vec<Effect> {
    if let Some(movement) = movement(command) {
        planning::scroll(model, movement);
        return Vec::new();
    }
    let Some(Popup::Apply(apply)) = model.popups.last_mut() else {
        return Vec::new();
    };
    match command {
        CommandId::Erase => apply.erase(),
        CommandId::EraseAll => apply.typed.clear(),
        CommandId::Submit => {
            apply.submit();
        }
        CommandId::Longer | CommandId::Shorter => {
            apply.stretch(command == CommandId::Longer);
            model.timeout = apply.timeout;
        }
        CommandId::EndConnections => apply.switch_end_connections(),
        CommandId::Go | CommandId::Accept => {
            let may_go = apply.is_read() && (command == CommandId::Accept || apply.is_harmless());
            if let Some(request) = apply.request().filter(|_| may_go) {
                model.popups.pop();
                let mut effects = setup::before_apply(model);
                model.task = Some(Task::Applying);
                effects.push(Effect::Apply(request));
                return effects;
            }
        }
        _ => {}
    }
    Vec::new()
}

/// The question before an apply stays what it was, but for how many connections run.
pub(super) fn count_running_again(model: &mut Model) {
    let Some(is_off) = model.popups.iter().find_map(|popup| match popup {
        Popup::Apply(apply) => Some(apply.is_off),
        _ => None,
    }) else {
        return;
    };
    let going_on = match is_off {
        true => model.off_plan().going_on,
        false => model.plan.going_on.clone(),
    };
    for popup in &mut model.popups {
        if let Popup::Apply(apply) = popup {
            apply.count_again(going_on.clone());
        }
    }
}

fn on_leave(model: &mut Model, command: CommandId) -> Vec<Effect> {
    match command {
        CommandId::LeaveRunning => trial::leave_running(model),
        CommandId::RevertAndQuit => {
            model.popups.pop();
            trial::revert(model, true)
        }
        _ => Vec::new(),
    }
}

fn on_entry(model: &mut Model, command: CommandId) -> Vec<Effect> {
    let Some(Popup::Entry(entry)) = model.popups.last_mut() else {
        return Vec::new();
    };
    match command {
        CommandId::Erase => {
            entry.text.pop();
            entry.left_out = 0;
            entry.error = None;
        }
        CommandId::EraseAll => {
            entry.text.clear();
            entry.left_out = 0;
            entry.error = None;
        }
        CommandId::Submit => return submit(model),
        _ => {
            if let (Purpose::Filter(_), Some(movement)) = (&entry.purpose, movement(command)) {
                super::commands::go(model, movement);
            }
            return Vec::new();
        }
    }
    filter_as_typed(model);
    Vec::new()
}

pub(super) fn filter_as_typed(model: &mut Model) {
    if let Some(Popup::Entry(Entry {
        purpose: Purpose::Filter(_),
        text,
        ..
    })) = model.popups.last()
    {
        let text = text.clone();
        model.set_filter(text);
    }
}

fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(Popup::Entry(entry)) = model.popups.last_mut() else {
        return Vec::new();
    };
    if matches!(entry.purpose, Purpose::Filter(_)) {
        model.services.stay_here();
        model.popups.pop();
        return Vec::new();
    }
    if let Purpose::Block(before) = &entry.purpose {
        let before = before.clone();
        return block::submit(model, before.as_deref());
    }
    if matches!(entry.purpose, Purpose::Note(..)) {
        return checkup::submit(model);
    }
    if entry.purpose == Purpose::File {
        return planning::submit_file(model);
    }
    let networks = match entry.networks() {
        Ok(networks) => networks,
        Err(why) => {
            entry.error = Some(why);
            return Vec::new();
        }
    };
    let purpose = entry.purpose.clone();
    model.popups.pop();
    match purpose {
        Purpose::Sources(ids) => edit::decide_with(model, &ids, Decision::Open, &networks),
        Purpose::TrustedSource => edit::add_sources(model, &networks),
        Purpose::Filter(_) | Purpose::Block(_) | Purpose::Note(..) | Purpose::File => Vec::new(),
    }
}
