//! What there is room for only where all of a service is read.

use crate::core::catalogue::{Entry, Has, Safeguard};
use crate::core::listener::Owner;
use crate::core::overview::Row;
use crate::core::service::BoundTo;
use crate::core::text::printable_within;
use crate::tui::model::Model;
use crate::tui::theme::Token;

/// So many processes are named.
const MOST: usize = 20;
/// Longest path, or name of a unit.
const LONGEST: usize = 200;

/// What the details below the list leave out.
pub(super) fn sentences(model: &Model, row: &Row) -> Vec<(Token, String)> {
    let mut sentences: Vec<(Token, String)> = owners(row).into_iter().map(|text| (Token::Text, text)).collect();
    if let Some(known) = model.observation.catalogue.find(&row.service) {
        // By its port alone it may be something else.
        if known.is_certain() {
            sentences.extend(of_entry(row, known.entry).into_iter().map(|text| (Token::Text, text)));
        }
        let source = known.entry.source.as_ref();
        sentences.extend(source.map(|source| (Token::Dim, format!("Source: {source}."))));
    }
    sentences
}

/// The processes that hold it: the heading has room for one, and not always for all of that.
fn owners(row: &Row) -> Vec<String> {
    let owners = &row.service.owners;
    let named = owners.iter().take(MOST).enumerate();
    let mut sentences: Vec<String> = named.map(|(index, owner)| process(owner, index > 0)).collect();
    match owners.len().saturating_sub(MOST) {
        0 => {}
        1 => sentences.push("Another process holds it, too.".to_owned()),
        more => sentences.push(format!("{more} more processes hold it, too.")),
    }
    sentences
}

/// The program of the first one is told already.
fn process(owner: &Owner, has_program: bool) -> String {
    let within = |text: &String| printable_within(text, LONGEST);
    let mut parts = vec![format!("Process {}: {}", owner.pid, owner.name)];
    parts.extend(owner.user.as_ref().map(|user| format!("user {}", within(user))));
    parts.extend(owner.unit.as_ref().map(within));
    parts.extend(owner.exe.as_ref().filter(|_| has_program).map(within));
    format!("{}.", parts.join(", "))
}

fn of_entry(row: &Row, entry: &Entry) -> Vec<String> {
    let mut sentences = Vec::new();
    if row.service.bound_to != BoundTo::Loopback {
        let way = entry.loopback_in_full();
        sentences.extend(way.map(|way| format!("To bind it to this machine: {way}")));
    }
    sentences.extend(entry.authenticates.as_ref().map(|it| {
        told(
            it,
            "It asks who connects",
            "It asks nobody who connects",
            "It asks who connects only where that is set up",
        )
    }));
    sentences.extend(entry.encrypts.as_ref().map(|it| {
        told(
            it,
            "What is said is encrypted",
            "What is said can be read on the way",
            "What is said is encrypted only where that is set up",
        )
    }));
    sentences.extend(entry.alternative.as_ref().map(|safer| format!("Safer: {safer}")));
    sentences
}

fn told(safeguard: &Safeguard, yes: &str, no: &str, optional: &str) -> String {
    let lead = match safeguard.is {
        Has::Yes => yes,
        Has::No => no,
        Has::Optional => optional,
    };
    match &safeguard.with {
        Some(with) => format!("{lead} ({with})."),
        None => format!("{lead}."),
    }
}
