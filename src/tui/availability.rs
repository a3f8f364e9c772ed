//! What can be done here and now: one answer for the footer, the palette, the help and the mouse.

use crate::app::State;
use crate::core::network::{InterfaceKind, is_interface_name};
use crate::core::trial::{LONGEST_TIMEOUT, SHORTEST_TIMEOUT};
use crate::tui::commands::{Command, CommandId, Context};
use crate::tui::model::{Model, NetworkLine, Pane, Task};
use crate::tui::popups::{Popup, Purpose};
use crate::tui::port::Depth;
use crate::tui::screens::ScreenId;

/// What takes its time and can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stoppable {
    /// An apply.
    Apply,
    /// A check.
    Check,
    /// A look.
    Look,
}

/// What esc would stop now, before it means anything else.
pub fn stopped_by_esc(model: &Model) -> Option<Stoppable> {
    if !model.popups.is_empty() {
        None
    } else if model.progress.can_stop() {
        Some(Stoppable::Apply)
    } else if model.screen == ScreenId::Checkup && model.checkup.can_stop() {
        Some(Stoppable::Check)
    } else {
        model.progress.stoppable_look(model.now).map(|_| Stoppable::Look)
    }
}

/// Whether a command of the contexts that hold would do something.
pub fn is_useful(model: &Model, command: &Command) -> bool {
    match model.popups.last() {
        Some(popup) => is_useful_in(model, popup, command),
        None => match &model.setup {
            Some(setup) => match command.id {
                CommandId::NextMatch | CommandId::PreviousMatch => why_not(model, command).is_none(),
                _ => setup.is_useful(command),
            },
            None => why_not(model, command).is_none(),
        },
    }
}

/// The same for a command of the popup on top.
fn is_useful_in(model: &Model, popup: &Popup, command: &Command) -> bool {
    match (popup, command.id) {
        (_, CommandId::Cancel | CommandId::Help) => true,
        (Popup::Help(help), CommandId::NextMatch | CommandId::PreviousMatch) => !help.search.hits().is_empty(),
        (Popup::Keep(_) | Popup::Unproven(_), CommandId::Keep) => false,
        (Popup::Keep(_) | Popup::Unproven(_), CommandId::Accept) => model.can_keep(),
        (Popup::Apply(apply), CommandId::Go) => apply.is_harmless(),
        (Popup::Apply(apply), CommandId::Accept) => !apply.is_harmless() && apply.is_read(),
        (Popup::Apply(apply), CommandId::EndConnections) => !apply.plan.going_on.is_empty(),
        (Popup::Apply(apply), CommandId::Longer) => apply.timeout < LONGEST_TIMEOUT,
        (Popup::Apply(apply), CommandId::Shorter) => apply.timeout > SHORTEST_TIMEOUT,
        (Popup::Apply(apply), CommandId::Submit | CommandId::Erase | CommandId::EraseAll) => !apply.typed.is_empty(),
        // A filter may be empty; what is wrong is not taken however often it is tried.
        (Popup::Entry(entry), CommandId::Submit) => {
            matches!(entry.purpose, Purpose::Filter(_)) || entry.error.is_none()
        }
        (Popup::Entry(entry), CommandId::Erase | CommandId::EraseAll) => !entry.text.is_empty(),
        (Popup::Palette(palette), CommandId::Erase | CommandId::EraseAll) => !palette.text.is_empty(),
        (Popup::Palette(palette), CommandId::Submit) => !palette.found(model).is_empty(),
        (Popup::WhoCan(who), _) => model.access.at(&who.id).is_some_and(|networks| !networks.is_empty()),
        _ => true,
    }
}

/// Why a command would do nothing on the screen that is shown, in one sentence; none where it does
/// something.
pub fn why_not(model: &Model, command: &Command) -> Option<String> {
    use CommandId as Id;
    match command.id {
        Id::Confine | Id::Trust | Id::Open | Id::Undecide | Id::Sources | Id::Unblock => {
            model.why_read_only().or_else(|| no_service(model))
        }
        Id::Disable => model
            .why_read_only()
            .or_else(|| no_service(model))
            .or_else(|| told((model.services.marked() > 1).then_some("Services are disabled one by one."))),
        Id::Mark | Id::MarkAll | Id::MarkDown | Id::MarkUp => model.why_read_only().or_else(|| no_service(model)),
        Id::ReadWhole if model.screen == ScreenId::Services => no_service(model),
        Id::WhoCan => no_service(model).or_else(|| no_rules(model)),
        Id::Block | Id::AddSource | Id::SwitchRefusal | Id::SwitchLogging => model.why_read_only(),
        Id::NetworkDetails => told(model.networks.selected().is_none().then_some("No network is selected.")),
        Id::NextMatch | Id::PreviousMatch => {
            let key = model.key_of(CommandId::Filter, Context::Preview);
            let is_none = model.preview.search.hits().is_empty();
            is_none.then(|| format!("Nothing is found: {key} searches."))
        }
        Id::CycleClass | Id::RemoveSource => model.why_read_only().or_else(|| not_that_line(model, command.id)),
        Id::Known | Id::Follow | Id::ReadWhole | Id::CycleSeverity => no_finding(model, command.id),
        Id::Apply => why_no_apply(model, false),
        Id::TurnOff => why_no_apply(model, true),
        Id::Restore => model.why_read_only().or_else(|| model.why_no_restore()),
        Id::Undo => model.why_read_only().or_else(|| told(model.why_no_undo())),
        Id::Redo => model.why_read_only().or_else(|| told(model.why_no_redo())),
        Id::Keep | Id::Extend => told(model.task.is_some().then_some(ONE_THING)),
        Id::Revert => {
            let is_free = matches!(model.task, None | Some(Task::Extending));
            told((!is_free).then_some(ONE_THING))
        }
        Id::Quit => {
            let is_starting = model.task == Some(Task::Applying);
            told(is_starting.then_some("A trial is being started: one moment."))
        }
        Id::PaneLeft => told((model.preview.pane == Pane::Words).then_some("The words have the arrows already.")),
        Id::PaneRight => told((model.preview.pane == Pane::Rules).then_some("The rules have the arrows already.")),
        Id::ShowServices => shown(model, ScreenId::Services),
        Id::ShowNetworks => shown(model, ScreenId::Networks),
        Id::ShowPreview => shown(model, ScreenId::Preview),
        Id::ShowCheckup => shown(model, ScreenId::Checkup),
        Id::Clear => told((!has_something_to_clear(model)).then_some("There is nothing to clear.")),
        _ => None,
    }
}

/// Why an interface of such a name is given no class.
pub(super) const UNNAMEABLE: &str = "A name like that can't stand in a rule: it stays public until it has another.";

const ONE_THING: &str = "One thing at a time: something is still being done.";

fn told(why: Option<&str>) -> Option<String> {
    why.map(str::to_owned)
}

fn no_service(model: &Model) -> Option<String> {
    told(model.services.selected().is_none().then_some("No service is selected."))
}

pub(super) fn no_rules(model: &Model) -> Option<String> {
    if model.depth != Some(Depth::Complete) {
        return Some("The rules in the kernel have not been read yet.".to_owned());
    }
    if model.observation.is_stopped {
        return Some(not_read(model));
    }
    let why = if model.observation.is_root { "" } else { " without root" };
    let is_seen = model.observation.netfilter.is_some();
    (!is_seen).then(|| format!("Who can connect can't be told: the rules in the kernel can't be read{why}."))
}

/// Reading the rules was stopped.
pub(super) fn not_read(model: &Model) -> String {
    let key = model.key_of(CommandId::Refresh, Context::Always);
    format!("The rules in the kernel were not read: that was stopped. {key} reads them.")
}

/// The line of the Networks screen that it is not for.
fn not_that_line(model: &Model, command: CommandId) -> Option<String> {
    let why = match (model.networks.selected(), command) {
        (None, _) => Some("No network is selected."),
        (Some(NetworkLine::Interface(interface)), CommandId::CycleClass) if !is_interface_name(&interface.name) => {
            Some(UNNAMEABLE)
        }
        (Some(NetworkLine::Interface(interface)), CommandId::CycleClass) => (interface.kind == InterfaceKind::Loopback)
            .then_some("Loopback is this machine itself: there is nothing to decide."),
        (Some(NetworkLine::Source(_)), CommandId::CycleClass) => {
            Some("A network listed by hand is trusted; it can be removed.")
        }
        (Some(NetworkLine::Interface(_)), _) => {
            Some("Interfaces are given a class; networks listed by hand are removed.")
        }
        (Some(NetworkLine::Absent(_) | NetworkLine::Source(_)), _) => None,
    };
    told(why)
}

fn no_finding(model: &Model, command: CommandId) -> Option<String> {
    let checkup = &model.checkup;
    match command {
        CommandId::CycleSeverity => told(checkup.items().is_empty().then_some("There are no findings.")),
        CommandId::Known => model.why_read_only().or_else(|| {
            let is_none = checkup.selected_item().is_none();
            told(is_none.then_some("No finding is selected."))
        }),
        CommandId::Follow => {
            let service = checkup
                .selected_item()
                .and_then(|item| item.finding.place.service.as_ref());
            told(service.is_none().then_some("It is not about a service in the list."))
        }
        _ => told(checkup.is_empty().then_some("There is nothing to read.")),
    }
}

fn shown(model: &Model, screen: ScreenId) -> Option<String> {
    told((model.screen == screen).then_some("It is shown already."))
}

fn has_something_to_clear(model: &Model) -> bool {
    model.notice.is_some()
        || !model.filter().is_empty()
        || (model.screen == ScreenId::Services && model.services.marked() > 0)
        || (model.screen == ScreenId::Checkup && model.checkup.severity().is_some())
}

/// Why nothing can be applied, in one sentence; none where it can.
pub(super) fn why_no_apply(model: &Model, is_off: bool) -> Option<String> {
    if let Some(why) = model.why_read_only() {
        return Some(why);
    }
    if model.observation.is_stopped && model.task.is_none() && model.trial().is_none() {
        return Some(not_read(model));
    }
    let why = if model.task.is_some() {
        ONE_THING
    } else if model.trial().is_some() {
        return Some(format!("{} first.", model.trial_first()));
    } else if model.depth != Some(Depth::Complete) {
        "The rules in the kernel have not been read yet."
    } else if model.observation.filter.is_none() {
        "The rules in the kernel can't be seen, so nothing is applied over them."
    } else if is_off && model.observation.status.state == State::Off {
        "Nothing to take out: fwtui is off."
    } else if model.is_working_out() {
        "It is being worked out what the last edit changes: one moment."
    } else if !is_off && has_nothing_to_apply(model) {
        "Nothing to apply: the kernel holds these rules already."
    } else {
        return None;
    };
    Some(why.to_owned())
}

/// Whether the kernel enforces nothing that would differ, and this is known and confirmed; what ran
/// before that may still be there to be ended.
pub(super) fn has_nothing_to_apply(model: &Model) -> bool {
    model.plan.is_done() && model.plan.going_on.is_empty() && model.observation.status.state == State::Confirmed
}

/// Whose commands the palette lists: those that hold on the screen, but for moving.
pub fn in_palette(model: &Model) -> Vec<&'static Command> {
    let mut commands: Vec<&'static Command> = Vec::new();
    let contexts = model.contexts_of_screen();
    // What holds everywhere comes last, though its keys are asked first.
    let ordered = contexts.iter().filter(|context| **context != Context::Always);
    for context in ordered
        .chain([&Context::Always])
        .filter(|context| **context != Context::Moving)
    {
        for command in crate::tui::commands::of(*context) {
            let is_hidden = matches!(command.id, CommandId::Palette | CommandId::Interrupt);
            if !is_hidden && commands.iter().all(|other| other.id != command.id) {
                commands.push(command);
            }
        }
    }
    commands
}
