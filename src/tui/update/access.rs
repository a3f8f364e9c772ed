//! Who can connect to a service, and the way of a peer through the rules.

use super::commands::movement;
use crate::app::Inquiry;
use crate::app::explain::Answer;
use crate::core::overview::NetworkReach;
use crate::core::service::ServiceId;
use crate::tui::availability::no_rules;
use crate::tui::commands::CommandId;
use crate::tui::model::list::scrolled;
use crate::tui::model::{Model, Movement};
use crate::tui::msg::Effect;
use crate::tui::popups::{Popup, Way, WhoCan, way_extent, who_height};
use crate::tui::port::Depth;
use crate::tui::screens::ScreenId;
use crate::tui::theme::Token;

/// Opens the list for the selected service.
pub(super) fn open(model: &mut Model) {
    let Some(row) = model.services.selected() else {
        return;
    };
    let id = row.service.id.clone();
    match no_rules(model) {
        Some(why) => model.say(Token::Warn, why),
        None => model.popups.push(Popup::WhoCan(WhoCan::new(id))),
    }
}

/// Asks for what is shown and not known.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let is_seen = model.depth == Some(Depth::Complete) && model.observation.netfilter.is_some();
    if !is_seen || model.setup.is_some() || model.screen != ScreenId::Services {
        return Vec::new();
    }
    let open = model.popups.iter().find_map(|popup| match popup {
        Popup::WhoCan(who) => Some(&who.id),
        _ => None,
    });
    let row = match open {
        Some(id) => model.services.rows().iter().find(|row| row.service.id == *id),
        None => model.services.selected(),
    };
    let Some(service) = row.map(|row| row.service.clone()) else {
        // It is gone, and what was to be told of it.
        model
            .popups
            .retain(|popup| !matches!(popup, Popup::WhoCan(_) | Popup::Way(_)));
        return Vec::new();
    };
    let inquiry = || Box::new(Inquiry::new(&model.observation, &model.policy, service.clone()));
    let mut effects = Vec::new();
    if model.access.begin(&service.id) {
        effects.push(Effect::AskAccess(inquiry()));
    }
    if let Some(Popup::Way(way)) = model.popups.last_mut()
        && way.begin()
    {
        effects.push(Effect::AskWay(inquiry(), Box::new(way.network.clone())));
    }
    effects
}

/// A way was worked out.
pub(super) fn on_way(model: &mut Model, id: &ServiceId, network: &NetworkReach, answers: Box<[Answer; 2]>) {
    for popup in &mut model.popups {
        if let Popup::Way(way) = popup {
            way.adopt(id, network, answers);
            return;
        }
    }
}

/// A command for the list, or the way, on top.
pub(super) fn run(model: &mut Model, command: CommandId) {
    let area = model.frames().beside_popups();
    if command == CommandId::ShowWay {
        show_way(model);
        return;
    }
    if command == CommandId::SwitchTime {
        if let Some(Popup::Way(way)) = model.popups.last_mut() {
            way.is_after = !way.is_after;
            way.top = 0;
        }
        return;
    }
    if let Some(movement) = movement(command) {
        go(model, movement, area);
    }
}

/// Moves in the list, or in the way.
pub(super) fn go(model: &mut Model, movement: Movement, area: ratatui::layout::Rect) {
    match model.popups.last() {
        Some(Popup::WhoCan(who)) => {
            let len = model.access.at(&who.id).map_or(0, <[_]>::len);
            let height = who_height(area, len);
            if let Some(Popup::WhoCan(who)) = model.popups.last_mut() {
                who.list.go(movement, len, height);
            }
        }
        Some(Popup::Way(way)) => {
            let (len, height) = way_extent(model, way, area);
            if let Some(Popup::Way(way)) = model.popups.last_mut() {
                way.top = scrolled(way.top, movement, len, height);
            }
        }
        _ => {}
    }
}

/// Puts the cursor on the row of the list that was clicked; whether it was there before.
pub(super) fn select(model: &mut Model, row: usize) -> bool {
    let area = model.frames().beside_popups();
    let Some(Popup::WhoCan(who)) = model.popups.last() else {
        return false;
    };
    let len = model.access.at(&who.id).map_or(0, <[_]>::len);
    let height = who_height(area, len);
    let Some(Popup::WhoCan(who)) = model.popups.last_mut() else {
        return false;
    };
    who.list.keep_in_sight(len, height);
    let (before, wanted) = (who.list.cursor, who.list.top + row);
    if row < height {
        who.list.cursor = wanted.min(len.saturating_sub(1));
    }
    before == wanted
}

fn show_way(model: &mut Model) {
    let Some(Popup::WhoCan(who)) = model.popups.last() else {
        return;
    };
    let networks = model.access.at(&who.id).unwrap_or_default();
    if let Some(network) = networks.get(who.list.cursor) {
        let way = Way::new(who.id.clone(), network.clone());
        model.popups.push(Popup::Way(Box::new(way)));
    }
}
