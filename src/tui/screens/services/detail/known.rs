//! What the catalogue says about the selected service.

use crate::core::catalogue::{Advice, Entry, Recommended};
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::BoundTo;
use crate::tui::model::Model;

/// What it is.
pub(super) fn what(model: &Model, row: &Row) -> Option<String> {
    Some(model.observation.catalogue.find(&row.service)?.what())
}

/// What would make a rule unnecessary; else what does the same more safely.
pub(super) fn better(model: &Model, row: &Row) -> Option<String> {
    let known = model.observation.catalogue.find(&row.service)?;
    let entry = known.is_certain().then_some(known.entry)?;
    loopback(row, entry).or_else(|| {
        let is_reached = row.reach_after != Reach::ThisMachine && entry.lacks().is_some();
        let alternative = entry.alternative.as_ref().filter(|_| is_reached)?;
        Some(format!("Safer: {alternative}"))
    })
}

fn loopback(row: &Row, entry: &Entry) -> Option<String> {
    let is_for_this_machine = match row.decision {
        Decision::Confine => true,
        Decision::Undecided => entry
            .recommended(None)
            .is_some_and(|it| it.decision.decision() == Decision::Confine),
        Decision::Trusted | Decision::Open => false,
    };
    let is_everywhere = row.service.bound_to == BoundTo::All && !row.service.listeners.is_empty();
    if !is_for_this_machine || !is_everywhere || row.service.published.is_some() {
        return None;
    }
    // What is best turned off needs no better address.
    let is_to_go = entry.recommended(None).is_some_and(|it| it.decision == Advice::Disable);
    if let Some(alternative) = entry.alternative.as_ref().filter(|_| is_to_go) {
        return Some(format!("Better still: {alternative}"));
    }
    let way = entry.loopback_in_short()?;
    Some(format!("Better still: {way}. Then no rule is needed at all."))
}

/// What to decide, where nothing is decided yet.
pub(super) fn recommended(model: &Model, row: &Row) -> Option<String> {
    let entry = model.observation.catalogue.find(&row.service)?.entry;
    let (desktop, server) = (entry.desktop.as_ref()?, entry.server.as_ref()?);
    row.is_new.then(|| match desktop.decision == server.decision {
        true => format!("Recommended: {}. {}", word(server), server.why),
        false => format!(
            "Recommended: {} on a desktop, {} on a server.",
            word(desktop),
            word(server)
        ),
    })
}

fn word(recommended: &Recommended) -> &'static str {
    match recommended.decision {
        Advice::Disable => "turn it off",
        decision @ (Advice::Confine | Advice::Trusted | Advice::Open) => decision.word(),
    }
}
