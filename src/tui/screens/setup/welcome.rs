//! What was found, and what will happen.

use ratatui::text::Line;

use super::{heading, paragraph, point};
use crate::app::State;
use crate::core::network::{InterfaceKind, NetworkClass};
use crate::core::reach::Reach;
use crate::core::way_in::{Carrier, WayIn};
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, Setup};
use crate::tui::theme::Token;

pub(super) fn lines(model: &Model, setup: &Setup, cells: usize) -> Vec<Line<'static>> {
    let promise = match model.observation.status.state {
        State::Confirmed | State::Drifted => "and this machine's firewall is set up anew",
        State::Off | State::Trial | State::Unknown => "and this machine has a firewall",
    };
    let text = format!(
        "A few questions, {promise}. Nothing changes until you apply at the end; and then the new rules are on trial: \
         unless you keep them, the old ones come back by themselves."
    );
    let mut lines = paragraph(model, Token::Text, &text, cells);
    lines.extend(heading(model, "What was found"));
    lines.extend(services(model, cells));
    lines.extend(networks(model, setup, cells));
    lines.extend(ways_in(model, cells));
    lines.extend(others(model, setup, cells));
    lines.push(Line::default());
    let [next, all] = [CommandId::NextStep, CommandId::TakeAll].map(|id| model.key_of(id, Context::Setup));
    let text = format!("Step by step: {next}. All recommendations at once: {all}.");
    lines.extend(paragraph(model, Token::Accent, &text, cells));
    lines
}

fn services(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let there = model.services.rows().iter().filter(|row| row.service.is_there());
    let (mut count, mut reachable, mut everyone) = (0_usize, 0_usize, 0_usize);
    for row in there {
        count += 1;
        reachable += usize::from(row.reach_now > Reach::ThisMachine);
        everyone += usize::from(row.reach_now == Reach::Everyone);
    }
    let services = match count {
        0 => {
            "Nothing listens on this machine. What begins to listen later is refused until you decide on it.".to_owned()
        }
        1 => "1 service listens".to_owned(),
        _ => format!("{count} services listen"),
    };
    if count == 0 {
        return point(model, "○", Token::Good, &services, cells);
    }
    let (symbol, token) = if everyone > 0 {
        ("●", Token::Bad)
    } else {
        ("○", Token::Good)
    };
    let outside = match reachable {
        0 if count == 1 => "it can't be reached from other machines".to_owned(),
        1 if count == 1 => "it can be reached from other machines".to_owned(),
        0 => "none of them can be reached from other machines".to_owned(),
        1 => "1 of them can be reached from other machines".to_owned(),
        many => format!("{many} of them can be reached from other machines"),
    };
    point(model, symbol, token, &format!("{services}; {outside}."), cells)
}

fn networks(model: &Model, setup: &Setup, cells: usize) -> Vec<Line<'static>> {
    let there = model.observation.interfaces.iter();
    let names: Vec<&str> = there
        .filter(|one| one.kind != InterfaceKind::Loopback && one.is_up)
        .map(|one| one.name.as_str())
        .collect();
    let trusted = |name: &&&str| setup.class(name) == NetworkClass::Trusted;
    let trust = match names.iter().filter(trusted).count() {
        0 => "none of them is proposed as trusted",
        1 => "one of them is proposed as trusted",
        _ => "some of them are proposed as trusted",
    };
    let text = match names.as_slice() {
        [] => "No network is up.".to_owned(),
        [one] => format!("1 network is up: {one}."),
        many => format!("{} networks are up: {}; {trust}.", many.len(), many.join(", ")),
    };
    point(model, "◌", Token::Accent, &text, cells)
}

/// How the user is connected.
pub(super) fn way_words(way_in: &WayIn) -> String {
    let from = way_in.peer.map(|peer| format!(" from {peer}")).unwrap_or_default();
    match &way_in.carrier {
        Carrier::Ssh => format!("over SSH{from}"),
        Carrier::Mosh => format!("by mosh{from}"),
        Carrier::Tunnel(interface) => format!("through the tunnel {interface}{from}"),
        Carrier::Other(program) => format!("to {program}{from}"),
    }
}

fn ways_in(model: &Model, cells: usize) -> Vec<Line<'static>> {
    let ways = &model.observation.ways_in;
    if ways.is_empty() {
        let text = "No connection of yours from another machine was found: it seems that you sit at this one.";
        return point(model, "✓", Token::Good, text, cells);
    }
    let words: Vec<String> = ways.iter().map(way_words).collect();
    let ports: Vec<String> = ways
        .iter()
        .map(|way| format!("{}/{}", way.port, way.protocol))
        .collect();
    let text = format!(
        "You are connected {}. That way in ({}) is to stay open.",
        words.join(", and "),
        ports.join(", ")
    );
    point(model, "✓", Token::Good, &text, cells)
}

/// Other firewalls, and what that means.
fn others(model: &Model, setup: &Setup, cells: usize) -> Vec<Line<'static>> {
    if setup.others.is_empty() && model.observation.netfilter.is_some() {
        return point(model, "✓", Token::Good, "No other firewall is in use.", cells);
    }
    let lines = setup.others.iter();
    lines
        .flat_map(|text| point(model, "!", Token::Warn, text, cells))
        .collect()
}
