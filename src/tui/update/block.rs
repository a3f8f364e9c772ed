//! Quick blocks: one line to make one, one key to take one back.

use super::commands::{open, refuse};
use super::edit::{counted, edit, say_edited};
use crate::core::policy::Block;
use crate::core::service::ServiceId;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::Model;
use crate::tui::msg::Effect;
use crate::tui::popups::{Entry, Popup, Purpose};
use crate::tui::theme::Token;

/// Asks for the line, with the selected service in it, or the block it has.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    if let Some(why) = model.why_read_only() {
        return refuse(model, why);
    }
    let (line, before) = match model.services.selected() {
        None => (String::new(), None),
        Some(row) => {
            let id = &row.service.id;
            let own = row.blocks.iter().find(|block| block.service == *id);
            let line = own.map_or_else(|| format!("{id} "), Block::line);
            (line, own.cloned().map(Box::new))
        }
    };
    open(model, Popup::Entry(Entry::new(Purpose::Block(before), line)))
}

/// Takes the line that was typed, in the place of the block that it began with.
pub(super) fn submit(model: &mut Model, before: Option<&Block>) -> Vec<Effect> {
    let now = model.since_1970();
    let Some(Popup::Entry(entry)) = model.popups.last_mut() else {
        return Vec::new();
    };
    let block = match Block::parse_line(&entry.text, now) {
        Ok(block) => block,
        Err(why) => {
            entry.error = Some(why);
            return Vec::new();
        }
    };
    model.popups.pop();
    let said = block.to_string();
    let effect = edit(model, |policy| {
        let is_replaced = |other: &Block| before == Some(other) && other.service == block.service;
        policy.blocks.retain(|other| !is_replaced(other));
        policy.block(block);
        Ok(())
    });
    if effect.is_some() {
        say_edited(model, &said);
    }
    effect.into_iter().collect()
}

/// Takes back the blocks of the marked services, or of the selected one.
pub(super) fn unblock(model: &mut Model) -> Vec<Effect> {
    let targets = model.services.targets();
    let mut gone: Vec<ServiceId> = Vec::new();
    let effect = edit(model, |policy| {
        gone = targets
            .iter()
            .filter(|id| policy.unblock(id, &[]) > 0)
            .cloned()
            .collect();
        Ok(())
    });
    let what = counted(&gone);
    if effect.is_some() {
        say_edited(model, &format!("{what}: no longer blocked"));
        model.services.clear_marks();
    } else if let [id] = targets.as_slice()
        && model.notice.is_none()
    {
        let key = model.key_of(CommandId::Block, Context::Services);
        let text = match model.wanted().blocks_on(id).next() {
            Some(wider) => format!("{id} is blocked with {}: take it back there.", wider.service),
            None => format!("{id} is not blocked; {key} blocks it."),
        };
        model.say(Token::Warn, text);
    }
    effect.into_iter().collect()
}
