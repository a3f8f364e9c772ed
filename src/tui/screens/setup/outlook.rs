//! Who can connect afterwards: for the summary, the trial and the end.

use std::collections::BTreeSet;

use ratatui::text::Line;

use super::point;
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::{BoundTo, ServiceId};
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::symbols;

/// More names than this are for the list of services.
const MOST_NAMES: usize = 12;

/// When somebody can connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Through the rules in the kernel.
    Now,
    /// Once the policy is in force.
    Afterwards,
}

impl When {
    /// When to tell it of, once the rules are loaded: where something was decided since, what it comes to is
    /// not what holds.
    pub(super) fn of(model: &Model) -> Self {
        match model.is_in_force() {
            Some(false) => Self::Now,
            Some(true) | None => Self::Afterwards,
        }
    }
}

/// The services by who can connect, and those that wait for a decision.
pub(super) fn lines(model: &Model, when: When, cells: usize) -> Vec<Line<'static>> {
    let reach_of = |row: &Row| match when {
        When::Now => row.reach_now,
        When::Afterwards => row.reach_after,
    };
    let rows = || model.services.rows().iter().filter(|row| row.service.is_there());
    // Clients that wait for answers are not asked about: answers get in whatever is decided.
    let asked = model.setup.iter().flat_map(|setup| &setup.proposals.services);
    let asked: BTreeSet<&ServiceId> = asked.map(|one| &one.id).collect();
    let is_asked = |row: &Row| asked.contains(&row.service.id);
    let is_undecided = |row: &&Row| row.decision == Decision::Undecided && row.is_new;
    let waits = |row: &&Row| is_undecided(row) && is_asked(row);
    let is_client = |row: &&Row| is_undecided(row) && !is_asked(row);
    let is_loopback = |row: &&Row| row.service.bound_to == BoundTo::Loopback;
    let mut lines = Vec::new();
    for reach in [Reach::Everyone, Reach::Trusted, Reach::Unknown, Reach::ThisMachine] {
        let reached = |row: &&Row| reach_of(row) == reach && !is_undecided(row) && !is_loopback(row);
        let Some(names) = names(&rows().filter(reached).collect::<Vec<_>>()) else {
            continue;
        };
        let who = match reach {
            Reach::Everyone => "Everyone can connect to",
            Reach::Trusted => "Trusted networks, or the sources named, can connect to",
            Reach::Unknown => "fwtui lets pass, and whether other rules do can't be told:",
            Reach::ThisMachine => "Only this machine can connect to",
        };
        let (symbol, token) = symbols::reach(reach);
        lines.extend(point(
            model,
            &symbol.to_string(),
            token,
            &format!("{who} {names}."),
            cells,
        ));
    }
    if let Some(names) = names(&rows().filter(waits).collect::<Vec<_>>()) {
        let text = format!("Refused until you decide on it: {names}.");
        lines.extend(point(model, "-", Token::New, &text, cells));
    }
    if let Some(names) = names(&rows().filter(is_client).collect::<Vec<_>>()) {
        let text = format!("Answers to what this machine asked get in; nobody else can connect to {names}.");
        lines.extend(point(model, "○", Token::Dim, &text, cells));
    }
    let on_loopback = match rows().filter(is_loopback).count() {
        0 => None,
        1 => Some("1 service listens for this machine only, and needs no rule.".to_owned()),
        many => Some(format!(
            "{many} services listen for this machine only, and need no rule."
        )),
    };
    if let Some(text) = on_loopback {
        lines.extend(point(model, "○", Token::Dim, &text, cells));
    }
    if lines.is_empty() {
        let text = "Nothing listens here now. What begins to listen later is refused until you decide on it.";
        lines = point(model, "○", Token::Good, text, cells);
    }
    lines
}

fn names(rows: &[&Row]) -> Option<String> {
    let all: Vec<String> = rows
        .iter()
        .map(|row| name(&row.service.name, &row.service.id.to_string()))
        .collect();
    let shown: Vec<&str> = all.iter().take(MOST_NAMES).map(String::as_str).collect();
    let more = match all.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!all.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// A service's name and id.
pub(super) fn name(name: &str, id: &str) -> String {
    match name.is_empty() {
        true => id.to_owned(),
        false => format!("{name} {id}"),
    }
}
