//! Checkup: when it is done, what is marked, and where a finding leads.

use super::edit::edit;
use crate::app::check;
use crate::core::policy::check_note;
use crate::core::service::ServiceId;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::list::scrolled;
use crate::tui::model::{Line, Model, Movement};
use crate::tui::msg::Effect;
use crate::tui::popups::{Entry, Popup, Purpose, Whole, finding_extent};
use crate::tui::screens::ScreenId;
use crate::tui::theme::Token;

/// The first time the screen is shown, the machine is checked.
pub(super) fn ask(model: &mut Model) -> Option<Effect> {
    let is_first = model.screen == ScreenId::Checkup && model.checkup.is_untouched();
    is_first.then(|| again(model))?
}

/// Checks (again), now or after the check that is under way.
pub(super) fn again(model: &mut Model) -> Option<Effect> {
    model.checkup.begin().map(Effect::Check)
}

/// What a check found.
pub(super) fn on_checked(model: &mut Model, number: u64, found: check::Checkup) -> Option<Effect> {
    let is_wanted_again = model.checkup.adopt(number, found, &model.policy.known);
    is_wanted_again.then(|| again(model))?
}

/// A check was stopped.
pub(super) fn on_stopped(model: &mut Model, number: u64) -> Option<Effect> {
    let is_wanted_again = model.checkup.has_stopped(number);
    is_wanted_again.then(|| again(model))?
}

/// A command of the screen.
pub(super) fn run(model: &mut Model, command: CommandId) -> Vec<Effect> {
    match command {
        CommandId::Known => return known(model),
        CommandId::CycleSeverity => model.checkup.next_severity(),
        CommandId::ReadWhole => read(model),
        _ => match model
            .checkup
            .selected_item()
            .and_then(|item| item.finding.place.service.clone())
        {
            Some(id) => follow(model, &id),
            None => read(model),
        },
    }
    Vec::new()
}

fn read(model: &mut Model) {
    if let Some(line) = model.checkup.selected() {
        let whole = Whole::new(model, line);
        model.popups.push(Popup::Finding(Box::new(whole)));
    }
}

/// To the service's row.
fn follow(model: &mut Model, id: &ServiceId) {
    if model.services.select(id) {
        model.screen = ScreenId::Services;
    } else {
        let key = model.key_of(CommandId::Refresh, Context::Checkup);
        let text = format!("{id} is no longer in the list of services: {key} checks again.");
        model.say(Token::Warn, text);
    }
}

/// Asks for a note, or takes the mark back.
fn known(model: &mut Model) -> Vec<Effect> {
    if let Some(why) = model.why_read_only() {
        model.say(Token::Warn, why);
        return Vec::new();
    }
    let item = match model.checkup.selected() {
        Some(Line::Finding(item)) => item,
        Some(Line::Unseen(_)) => {
            model.say(
                Token::Text,
                "It could not be looked at: nothing was found that could be intended.",
            );
            return Vec::new();
        }
        Some(Line::Nothing) | None => return Vec::new(),
    };
    let (id, subject) = (item.finding.id, item.finding.subject());
    if item.note.is_none() {
        let entry = Entry::new(Purpose::Note(id, subject), String::new());
        model.popups.push(Popup::Entry(entry));
        return Vec::new();
    }
    let effect = edit(model, |policy| {
        policy.unmark_known(id, &subject);
        Ok(())
    });
    if effect.is_some() {
        model.say(
            Token::Changed,
            format!("{id} is no longer marked as intended, and counts again."),
        );
    }
    effect.into_iter().collect()
}

/// The note was typed; what is wrong with it is said beside.
pub(super) fn submit(model: &mut Model) -> Vec<Effect> {
    let Some(Popup::Entry(entry)) = model.popups.last_mut() else {
        return Vec::new();
    };
    let Purpose::Note(id, subject) = entry.purpose.clone() else {
        return Vec::new();
    };
    let note = match check_note(&entry.text) {
        Ok(note) => note.to_owned(),
        Err(why) => {
            entry.error = Some(format!("{}.", crate::core::text::capitalised(&why)));
            return Vec::new();
        }
    };
    model.popups.pop();
    let effect = edit(model, |policy| policy.mark_known(id, &subject, &note));
    if effect.is_some() {
        model.say(
            Token::Changed,
            format!("{id} is marked as intended, and no longer counts."),
        );
    }
    effect.into_iter().collect()
}

/// Scrolls the text on top.
pub(super) fn scroll(model: &mut Model, movement: Movement) {
    let area = model.frames().beside_popups();
    if let Some(Popup::Finding(whole)) = model.popups.last() {
        let (len, height) = finding_extent(model, whole, area);
        if let Some(Popup::Finding(whole)) = model.popups.last_mut() {
            whole.top = scrolled(whole.top, movement, len, height);
        }
    }
}
