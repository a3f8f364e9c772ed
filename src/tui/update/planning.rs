//! Networks and what applying would change: what another class would differ in, searching, and writing
//! what is shown to a file.

use super::commands::open;
use super::fail;
use crate::app::{ClassInquiry, Error, Writing, Written};
use crate::core::network::InterfaceKind;
use crate::core::text::printable_within;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::list::scrolled;
use crate::tui::model::{Model, Movement, NetworkLine};
use crate::tui::msg::Effect;
use crate::tui::popups::{Entry, NetworkDetails, Popup, Purpose, apply_extent, network_extent};
use crate::tui::port::Depth;
use crate::tui::screens::{ScreenId, preview};
use crate::tui::theme::Token;

/// Longest path in a sentence.
const LONGEST: usize = 300;

/// Asks for what another class of the interface that is shown would change, where that is not known.
pub(super) fn ask(model: &mut Model) -> Option<Effect> {
    if model.depth != Some(Depth::Complete) || model.screen != ScreenId::Networks {
        return None;
    }
    let name = match (model.popups.last(), model.networks.selected()) {
        (Some(Popup::Network(details)), _) => details.name.clone(),
        (_, Some(NetworkLine::Interface(interface))) if interface.kind != InterfaceKind::Loopback => {
            interface.name.clone()
        }
        _ => return None,
    };
    let is_new = model.networks.classes.begin(&name);
    is_new.then(|| Effect::AskClasses(Box::new(ClassInquiry::new(&model.observation, &model.policy, name))))
}

/// Opens all of the selected interface.
pub(super) fn open_network(model: &mut Model) {
    match model.networks.selected() {
        Some(NetworkLine::Interface(interface)) => {
            let name = interface.name.clone();
            model.popups.push(Popup::Network(NetworkDetails { name, top: 0 }));
        }
        Some(NetworkLine::Absent(_)) => {
            model.say(Token::Text, "It is not there now, so nothing more is known of it.");
        }
        Some(NetworkLine::Source(_)) => {
            model.say(
                Token::Text,
                "A network listed by hand is trusted wherever its packets come in.",
            );
        }
        None => {}
    }
}

/// Scrolls the popup on top.
pub(super) fn scroll(model: &mut Model, movement: Movement) {
    let area = model.frames().beside_popups();
    let (len, height) = match model.popups.last() {
        Some(Popup::Network(details)) => network_extent(model, details, area),
        Some(Popup::Apply(apply)) => apply_extent(model, apply, area),
        _ => return,
    };
    match model.popups.last_mut() {
        Some(Popup::Network(details)) => details.top = scrolled(details.top, movement, len, height),
        Some(Popup::Apply(apply)) => apply.top = scrolled(apply.top, movement, len, height),
        _ => {}
    }
}

/// To the next place that was searched for, or the one before.
pub(super) fn step(model: &mut Model, is_forward: bool) {
    if model.preview.search.needle().is_empty() {
        let filter = model.key_of(CommandId::Filter, Context::Preview);
        model.say(Token::Text, format!("Nothing is searched for yet: {filter} begins."));
        return;
    }
    if model.preview.search.hits().is_empty() {
        let text = format!("'{}' is nowhere in what is shown.", model.preview.search.needle());
        model.say(Token::Warn, text);
        return;
    }
    model.preview.search.step(is_forward);
    preview::go_to_hit(model);
}

/// Asks for the name of a file.
pub(super) fn ask_file(model: &mut Model) -> Vec<Effect> {
    if model.depth.is_none() {
        model.say(Token::Warn, "Still looking at this machine.");
        return Vec::new();
    }
    let name = preview::proposed_name(model);
    open(model, Popup::Entry(Entry::new(Purpose::File, name)))
}

/// The name was typed.
pub(super) fn submit_file(model: &mut Model) -> Vec<Effect> {
    let text = preview::as_text(model);
    let Some(Popup::Entry(entry)) = model.popups.last_mut() else {
        return Vec::new();
    };
    if entry.text.trim().is_empty() {
        entry.error = Some("A file needs a name.".to_owned());
        return Vec::new();
    }
    vec![Effect::Write(Box::new(Writing {
        path: entry.text.trim().to_owned(),
        text,
        may_replace: false,
    }))]
}

/// The file may be replaced.
pub(super) fn replace(model: &mut Model) -> Vec<Effect> {
    let Some(Popup::Replace(writing)) = model.popups.pop() else {
        return Vec::new();
    };
    vec![Effect::Write(Box::new(Writing {
        may_replace: true,
        ..*writing
    }))]
}

/// It was written, or not.
pub(super) fn on_written(model: &mut Model, writing: Box<Writing>, result: Result<Written, Error>) {
    match result {
        Ok(Written::Done(path)) => {
            close_entry(model);
            let path = printable_within(&path.display().to_string(), LONGEST);
            model.say(Token::Good, format!("Written to {path}, for its owner only."));
        }
        // Not where the name was given up meanwhile, or was taken twice.
        Ok(Written::Exists(_)) => {
            if matches!(model.popups.last(), Some(Popup::Entry(entry)) if entry.purpose == Purpose::File) {
                model.popups.push(Popup::Replace(writing));
            }
        }
        Err(error) => {
            // Where the name is still being typed, what is wrong with it is said there.
            let entry = model.popups.iter_mut().find_map(|popup| match popup {
                Popup::Entry(entry) if entry.purpose == Purpose::File => Some(entry),
                _ => None,
            });
            match entry {
                Some(entry) => {
                    let mut said = vec![crate::core::text::capitalised(&error.message)];
                    said.extend(error.hints.iter().map(|hint| hint.trim_end_matches('.').to_owned()));
                    entry.error = Some(format!("{}.", said.join(". ")));
                }
                None => fail(model, "The file was not written", &error),
            }
        }
    }
}

fn close_entry(model: &mut Model) {
    model
        .popups
        .retain(|popup| !matches!(popup, Popup::Entry(entry) if entry.purpose == Purpose::File));
}
