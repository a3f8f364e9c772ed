//! Keys to commands, commands to changes.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::{access, block, checkup, disable, edit, fail, leave, planning, popups, restore, setup, theme, trial};
use crate::core::plan::Warning;
use crate::core::policy::Decision;
use crate::tui::availability::{Stoppable, stopped_by_esc, why_no_apply};
use crate::tui::commands::{CommandId, Context, typed};
use crate::tui::layout::{Heights, findings, networks};
use crate::tui::model::list::scrolled;
use crate::tui::model::{Model, Movement, Pane};
use crate::tui::msg::Effect;
use crate::tui::popups::{Apply, Entry, Help, Palette, Popup, Purpose, scroll_help};
use crate::tui::port::Depth;
use crate::tui::screens::{SCREENS, ScreenId, preview, services};
use crate::tui::theme::Token;

/// A key was pressed.
pub(super) fn on_key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if event.code == KeyCode::Esc
        && let Some(effect) = stop(model)
    {
        return vec![effect];
    }
    let contexts = model.contexts();
    // Where characters are typed none of them is a key, whatever the user chose.
    if let Some(character) = typed(event).filter(|_| contexts.iter().any(|context| context.is_typed_into())) {
        popups::on_typed(model, character);
        return Vec::new();
    }
    match model.settings.keymap.lookup(&contexts, event) {
        // What is not seen is not changed.
        Some(command) if model.frames().is_too_small() && !acts_unseen(model, command) => Vec::new(),
        Some(command) => run(model, command),
        None => Vec::new(),
    }
}

/// Whether a command is told where the screens do not fit, or does no harm there.
fn acts_unseen(model: &Model, command: CommandId) -> bool {
    use CommandId as Id;
    !model.popups.is_empty()
        || matches!(
            command,
            Id::Keep | Id::Revert | Id::Extend | Id::Quit | Id::Interrupt | Id::Suspend | Id::Refresh | Id::ToggleMouse
        )
}

/// Carries out a command; the message about the one before disappears.
pub(super) fn run(model: &mut Model, command: CommandId) -> Vec<Effect> {
    let had_notice = model.notice.take().is_some();
    match command {
        CommandId::Interrupt => return interrupt(model),
        CommandId::Suspend => return vec![Effect::Suspend],
        CommandId::Refresh => {
            let mut effects = vec![Effect::Redraw];
            if model.progress.ask_look() {
                effects.push(Effect::LookForOwners);
            }
            effects.push(Effect::Look(Depth::Complete));
            if model.screen == ScreenId::Checkup {
                effects.extend(checkup::again(model));
            }
            return effects;
        }
        CommandId::ToggleMouse => return toggle_mouse(model),
        CommandId::Help if model.help().is_none() => return open(model, Popup::Help(Help::default())),
        _ => {}
    }
    if model.popups.last().is_some() {
        return popups::run(model, command);
    }
    if model.setup.is_some() {
        return setup::run(model, command);
    }
    match command {
        CommandId::Keep | CommandId::Revert | CommandId::Extend => trial::run(model, command),
        CommandId::Confine => edit::decide(model, Decision::Confine),
        CommandId::Trust => edit::decide(model, Decision::Trusted),
        CommandId::Open => edit::decide(model, Decision::Open),
        CommandId::Undecide => edit::decide(model, Decision::Undecided),
        CommandId::Block => block::ask(model),
        CommandId::Unblock => block::unblock(model),
        CommandId::Disable => disable::ask(model),
        CommandId::CycleClass => edit::cycle_class(model),
        CommandId::NetworkDetails => {
            planning::open_network(model);
            Vec::new()
        }
        CommandId::WriteFile => planning::ask_file(model),
        CommandId::RemoveSource => edit::remove_source(model),
        CommandId::SwitchRefusal => edit::switch_refusal(model),
        CommandId::SwitchLogging => edit::switch_logging(model),
        CommandId::Undo => edit::undo(model),
        CommandId::RunSetup => setup::ask_again(model),
        CommandId::Redo => edit::redo(model),
        CommandId::Apply => ask_apply(model, false),
        CommandId::TurnOff => ask_apply(model, true),
        CommandId::Restore => {
            restore::ask(model);
            Vec::new()
        }
        CommandId::Palette => open(model, Popup::Palette(Palette::default())),
        CommandId::Quit => leave(model),
        CommandId::WhoCan => {
            access::open(model);
            Vec::new()
        }
        CommandId::Sources => ask_sources(model),
        CommandId::ReadWhole if model.screen == ScreenId::Services => {
            planning::open_service(model);
            Vec::new()
        }
        CommandId::Follow | CommandId::ReadWhole | CommandId::Known | CommandId::CycleSeverity => {
            checkup::run(model, command)
        }
        CommandId::AddSource => match model.why_read_only() {
            Some(why) => refuse(model, why),
            None => open(model, Popup::Entry(Entry::new(Purpose::TrustedSource, String::new()))),
        },
        CommandId::Filter => ask_filter(model),
        CommandId::Clear => {
            clear(model, had_notice);
            Vec::new()
        }
        _ => {
            look_around(model, command);
            Vec::new()
        }
    }
}

/// Commands that change only what is in sight.
fn look_around(model: &mut Model, command: CommandId) {
    match command {
        CommandId::Mark => {
            model.services.toggle_mark();
            go(model, Movement::Lines(1));
        }
        CommandId::Sort => {
            let shown = services::columns(model.frames().body.width);
            model.services.next_sort(&shown);
            say_order(model);
        }
        CommandId::SortReversed => {
            model.services.reverse();
            say_order(model);
        }
        CommandId::MarkAll => {
            let (count, are_marked) = model.services.toggle_all();
            let text = match (count, are_marked) {
                (0, _) => "Nothing is shown that could be marked.".to_owned(),
                (count, true) => format!("{} marked: a decision is for all of them.", listed(count)),
                (count, false) => format!("{} no longer marked.", listed(count)),
            };
            model.say(Token::Text, text);
        }
        CommandId::MarkDown | CommandId::MarkUp => {
            let lines = if command == CommandId::MarkDown { 1 } else { -1 };
            let height = Heights::of(model, &model.frames()).services;
            model.services.mark_on(lines, height);
        }
        CommandId::SwitchView => {
            model.preview.next_view();
            model.preview.pane = Pane::Rules;
        }
        CommandId::NextMatch | CommandId::PreviousMatch => {
            planning::step(model, command == CommandId::NextMatch);
        }
        CommandId::PaneLeft => model.preview.pane = Pane::Words,
        CommandId::PaneRight => model.preview.pane = Pane::Rules,
        CommandId::ShowServices => model.screen = ScreenId::Services,
        CommandId::ShowNetworks => model.screen = ScreenId::Networks,
        CommandId::ShowPreview => model.screen = ScreenId::Preview,
        CommandId::ShowCheckup => model.screen = ScreenId::Checkup,
        CommandId::NextScreen => model.screen = model.screen.further(1),
        CommandId::NextTheme => theme::cycle(model, 1),
        CommandId::PreviousTheme => theme::cycle(model, theme::back(model)),
        CommandId::PreviousScreen => model.screen = model.screen.further(SCREENS.len() - 1),
        _ => {
            if let Some(movement) = movement(command) {
                go(model, movement);
            }
        }
    }
}

pub(super) fn say_order(model: &mut Model) {
    let (column, is_reversed) = model.services.order();
    let text = match is_reversed {
        false => format!("Sorted by {}.", column.words()),
        true => format!("Sorted by {}, the other way round.", column.words()),
    };
    model.say(Token::Text, text);
}

fn listed(count: usize) -> String {
    match count {
        1 => "1 service".to_owned(),
        more => format!("{more} services"),
    }
}

/// The movement a command means.
pub(super) const fn movement(command: CommandId) -> Option<Movement> {
    match command {
        CommandId::Up => Some(Movement::Lines(-1)),
        CommandId::Down => Some(Movement::Lines(1)),
        CommandId::PageUp => Some(Movement::Pages(-1)),
        CommandId::PageDown => Some(Movement::Pages(1)),
        CommandId::First => Some(Movement::First),
        CommandId::Last => Some(Movement::Last),
        _ => None,
    }
}

/// Moves in the help, or in whatever the screen shows.
pub(super) fn go(model: &mut Model, movement: Movement) {
    if model.help().is_some() {
        scroll_help(model, movement);
        return;
    }
    let frames = model.frames();
    let heights = Heights::of(model, &frames);
    match model.screen {
        ScreenId::Services => {
            let len = model.services.len();
            model.services.list.go(movement, len, heights.services);
        }
        ScreenId::Networks => {
            let (len, rows) = (model.networks.lines().len(), networks(model, frames.body).rows.height);
            model.networks.list.go(movement, len, rows.into());
        }
        ScreenId::Checkup => {
            let (len, height) = (model.checkup.len(), findings(model, frames.body).rows.height);
            model.checkup.list.go(movement, len, height.into());
        }
        ScreenId::Preview => {
            let [words, rules] = preview::extents(model, frames.body);
            let preview = &mut model.preview;
            let (top, (len, height)) = match preview.pane {
                Pane::Words => (&mut preview.words_top, words),
                Pane::Rules => (&mut preview.rules_top, rules),
            };
            *top = scrolled(*top, movement, len, height);
        }
    }
}

/// The mouse is fwtui's, or the terminal's.
fn toggle_mouse(model: &mut Model) -> Vec<Effect> {
    let has_mouse = !model.settings.has_mouse;
    model.settings.has_mouse = has_mouse;
    let key = model.key_of(CommandId::ToggleMouse, Context::Always);
    let text = match has_mouse {
        true => "The mouse clicks and scrolls here again.".to_owned(),
        false => format!("The mouse is left to the terminal: select text with it. {key} takes it back."),
    };
    model.say(Token::Text, text);
    vec![Effect::SetMouse(has_mouse)]
}

/// Stops what is under way and can be stopped.
fn stop(model: &mut Model) -> Option<Effect> {
    match stopped_by_esc(model)? {
        Stoppable::Apply => Some(stop_apply(model)),
        Stoppable::Check => model.checkup.stop().then_some(Effect::StopCheck),
        Stoppable::Look => {
            let depth = model.progress.stoppable_look(model.now)?;
            model.progress.stop_look();
            Some(Effect::StopLook(depth))
        }
    }
}

const fn stop_apply(model: &mut Model) -> Effect {
    model.progress.is_stopping = true;
    Effect::StopApply
}

fn interrupt(model: &mut Model) -> Vec<Effect> {
    if model.progress.can_stop() {
        return vec![stop_apply(model)];
    }
    match model.popups.last() {
        // Asked once already.
        Some(Popup::Leave) => trial::leave_running(model),
        _ if model.trial().is_some() => leave(model),
        _ => vec![Effect::Quit],
    }
}

pub(super) fn open(model: &mut Model, popup: Popup) -> Vec<Effect> {
    model.popups.push(popup);
    Vec::new()
}

pub(super) fn refuse(model: &mut Model, why: String) -> Vec<Effect> {
    model.say(Token::Warn, why);
    Vec::new()
}

/// Esc takes away what lies in the way, one thing at a time.
fn clear(model: &mut Model, had_notice: bool) {
    let is_services = model.screen == ScreenId::Services;
    if had_notice {
        return;
    }
    if is_services && model.services.marked() > 0 {
        model.services.clear_marks();
    } else if !model.filter().is_empty() {
        model.set_filter(String::new());
    } else if model.screen == ScreenId::Checkup {
        model.checkup.set_severity(None);
    }
}

/// A line to type what is searched for.
pub(super) fn ask_filter(model: &mut Model) -> Vec<Effect> {
    let before = model.filter().to_owned();
    let text = match model.search() {
        // A search begins anew; given up, the one before holds again.
        Some(_) => String::new(),
        None => before.clone(),
    };
    model.set_filter(text.clone());
    open(model, Popup::Entry(Entry::new(Purpose::Filter(before), text)))
}

fn ask_sources(model: &mut Model) -> Vec<Effect> {
    if let Some(why) = model.why_read_only() {
        return refuse(model, why);
    }
    let targets = model.services.targets();
    if targets.is_empty() {
        return Vec::new();
    }
    let from: Vec<String> = match model.services.selected() {
        Some(row) if targets.len() == 1 => row.from.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    open(
        model,
        Popup::Entry(Entry::new(Purpose::Sources(targets), from.join(", "))),
    )
}

pub(super) fn ask_apply(model: &mut Model, is_off: bool) -> Vec<Effect> {
    if let Some(why) = why_no_apply(model, is_off) {
        return refuse(model, why);
    }
    let plan = if is_off { model.off_plan() } else { model.plan.clone() };
    let mut apply = Apply::new(plan, model.policy.clone(), is_off, model.timeout);
    if model.are_all_networks_chosen() {
        // He who has said of every network what it is knows that none is trusted, and need not insist.
        apply.plan.warnings.retain(|warning| *warning != Warning::NobodyTrusted);
    }
    model.popups.push(Popup::Apply(Box::new(apply)));
    // Connections come and go without a look being taken for it.
    vec![Effect::Look(Depth::Complete)]
}

/// Shows what an edit was refused for.
pub(super) fn fail_edit(model: &mut Model, why: String) {
    fail(model, "That can't be decided", &crate::app::Error::failed(why));
}
