//! What is known of the selected network.

use ipnet::IpNet;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::State;
use crate::core::network::{Interface, InterfaceKind, NetworkClass, class_of, inhabitants, is_interface_name};
use crate::core::overview::{if_class, who_gets_in};
use crate::core::policy::{Decision, Policy};
use crate::core::service::BoundTo;
use crate::core::text::capitalised;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, NetworkLine};
use crate::tui::screens::key_of;
use crate::tui::theme::Token;
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::text::{READABLE, wrapped};

/// So many services are named of those that a network trusted by hand reaches.
const MOST_NAMED: usize = 5;

/// The title of the details.
pub fn title(interface: &Interface) -> String {
    let kind = interface.kind.word();
    match interface.driver.as_deref().filter(|driver| *driver != kind) {
        Some(driver) => format!("{} · {kind} ({driver})", interface.name),
        None => format!("{} · {kind}", interface.name),
    }
}

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, title: Rect, area: Rect) {
    let palette = &model.palette;
    let heading = match model.networks.selected() {
        Some(NetworkLine::Interface(interface)) => self::title(interface),
        Some(NetworkLine::Absent(name)) => name.clone(),
        Some(NetworkLine::Source(source)) => source.to_string(),
        None => String::new(),
    };
    let cells = usize::from(area.width).saturating_sub(4).min(READABLE);
    let most = if area.width < 80 { 2 } else { 4 };
    let sentences = model
        .networks
        .selected()
        .map(|line| sentences(model, line, most))
        .unwrap_or_default();
    let lines: Vec<Line<'static>> = sentences
        .iter()
        .flat_map(|(token, text)| wrapped(text, cells, 0, palette.of(*token)))
        .collect();
    let key = key_of(model, Context::Networks, CommandId::NetworkDetails);
    let remark = match lines.len() > usize::from(area.height) && !key.is_empty() {
        true => format!("{key} shows all of it"),
        false => String::new(),
    };
    frame.render_widget(rule(palette, &heading, &remark, title.width), title);
    for (place, line) in area.rows().zip(lines) {
        let mut spans = vec![Span::raw("  ")];
        spans.extend(line.spans);
        frame.render_widget(Line::from(spans), place);
    }
}

fn sentences(model: &Model, line: &NetworkLine, most: usize) -> Vec<(Token, String)> {
    match line {
        NetworkLine::Interface(interface) => of_interface(model, interface, most),
        NetworkLine::Absent(name) => of_absent(model, name),
        NetworkLine::Source(source) => of_source(model, *source),
    }
}

/// Whom the class of an interface lets in, now and after applying, what another one would change, who
/// can be there, and one sentence of advice. Of services so many are named in a sentence.
pub fn of_interface(model: &Model, interface: &Interface, most: usize) -> Vec<(Token, String)> {
    if interface.kind == InterfaceKind::Loopback {
        let text = "This machine talking to itself. It is never refused.";
        return vec![(Token::Text, text.to_owned())];
    }
    let mut sentences = by_class(model, interface, most);
    let who = inhabitants(interface, &model.observation.world);
    sentences.push((Token::Text, format!("Who can be there: {}", lowered(&who.join(" ")))));
    if interface.kind == InterfaceKind::Wifi {
        let text = "A trusted Wi-Fi trusts every café you take it to: public is the safe choice.";
        sentences.push((Token::Dim, text.to_owned()));
    } else if interface.has_default_route {
        let text = "The way out to the Internet. At home behind a router it may be trusted, in a DMZ it is public.";
        sentences.push((Token::Dim, text.to_owned()));
    }
    sentences
}

fn lowered(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// Whom its class lets in, what the class means, and what another one would change.
fn by_class(model: &Model, interface: &Interface, most: usize) -> Vec<(Token, String)> {
    let class = class_of(interface, &model.policy);
    let has_neighbours = interface.has_neighbours();
    let is_nameable = is_interface_name(&interface.name);
    let meaning = match class {
        _ if !is_nameable => (
            Token::Warn,
            "Its name can't stand in a rule: nobody there is trusted, whatever its class.",
        ),
        NetworkClass::Public => (Token::Dim, "Public means that nobody there is trusted."),
        NetworkClass::Trusted if !has_neighbours => (
            Token::Warn,
            "Trusted means its neighbours, and it has none: no address of it has a network around it.",
        ),
        NetworkClass::Trusted => (
            Token::Dim,
            "Trusted means its neighbours: what is routed in from elsewhere is still a stranger.",
        ),
        NetworkClass::Guests if !has_neighbours => (
            Token::Warn,
            "Guests are its neighbours, and it has none: no address of it has a network around it.",
        ),
        NetworkClass::Guests => (
            Token::Dim,
            "Guests get what is decided 'trusted', and always this machine's DHCP and DNS.",
        ),
    };
    let meaning = (meaning.0, meaning.1.to_owned());
    if !interface.is_up {
        let text = "It is down: whom its class lets in can be told once it is up.";
        return vec![meaning, (Token::Text, text.to_owned())];
    }
    let Some(rows) = model.networks.classes.of(&interface.name) else {
        let text = "Working out who gets in, and what another class would change …";
        let wait = (model.depth.is_some()).then(|| (Token::Dim, text.to_owned()));
        return std::iter::once(meaning).chain(wait).collect();
    };
    let is_on_trial = model.observation.status.state == State::Trial;
    let gets_in = who_gets_in(rows, class, is_on_trial, most).into_iter();
    let others = NetworkClass::ALL.into_iter().filter(|other| *other != class);
    let others = others.map(|other| (Token::Text, if_class(rows, class, other, most)));
    // A policy that can't be read is not what applying would load.
    let may_apply = model.observation.policy_error.is_none();
    gets_in
        .take(if may_apply { usize::MAX } else { 1 })
        .map(|text| (Token::Text, text))
        .chain([meaning])
        .chain(others.filter(|_| may_apply && is_nameable))
        .chain(are_named(model).then(|| (Token::Dim, NAMED.to_owned())))
        .collect()
}

const NAMED: &str = "This leaves out sources that are named, by a decision or by hand.";

/// Whether sources are named, by what is wanted or by what was confirmed.
fn are_named(model: &Model) -> bool {
    let wanted = std::iter::once(&model.policy);
    wanted.chain(&model.observation.confirmed).any(|policy| {
        let has_from = policy.services.values().any(|entry| !entry.from.is_empty());
        has_from || !policy.networks.trusted_sources.is_empty()
    })
}

fn of_absent(model: &Model, name: &str) -> Vec<(Token, String)> {
    let class = model.policy.networks.interfaces.get(name).copied();
    let text = match class {
        None | Some(NetworkClass::Public) => "It is not there now. When it comes, nobody there is trusted.",
        Some(NetworkClass::Trusted | NetworkClass::Guests) => {
            "It is not there now. Whom its class lets in follows from the addresses it has at an apply: when it comes, \
             apply again."
        }
    };
    let key = key_of(model, Context::Networks, CommandId::RemoveSource);
    let mut sentences = vec![(Token::Text, text.to_owned())];
    if !key.is_empty() {
        sentences.push((Token::Dim, format!("{key} forgets its class.")));
    }
    sentences
}

/// Whom a network trusted by hand lets in, now and after applying, and who can be there.
fn of_source(model: &Model, source: IpNet) -> Vec<(Token, String)> {
    let observation = &model.observation;
    let after = let_in(model, &model.policy, source);
    let now = match (observation.status.state, model.policy_in_force()) {
        (State::Off, _) | (State::Trial, None) => "nobody is refused by fwtui".to_owned(),
        (_, Some(policy)) => let_in(model, policy, source),
        (State::Drifted, None) => "the kernel does not hold what was confirmed".to_owned(),
        (State::Confirmed | State::Unknown, None) => "what the kernel holds can't be seen".to_owned(),
    };
    let mut sentences = match now == after {
        true => vec![(Token::Text, format!("{}.", capitalised(&now)))],
        false => vec![
            (Token::Text, format!("Now: {now}.")),
            (Token::Text, format!("After applying: {after}.")),
        ],
    };
    sentences.extend([
        (
            Token::Text,
            match source.prefix_len() == source.max_prefix_len() {
                true => "Who can be there: one address, and whoever can take its place.".to_owned(),
                false => format!("Who can be there: whoever has an address of {source}."),
            },
        ),
        (
            Token::Dim,
            "It counts by whatever interface its packets come in: list only what nobody can forge from outside."
                .to_owned(),
        ),
    ]);
    sentences
}

/// What a policy lets a source in at, in a clause.
fn let_in(model: &Model, policy: &Policy, source: IpNet) -> String {
    if !policy.networks.trusted_sources.contains(&source) {
        return "its addresses are not trusted".to_owned();
    }
    let rows = model.services.rows().iter();
    let names: Vec<String> = rows
        // On loopback nobody else gets in, whatever is decided.
        .filter(|row| row.service.bound_to != BoundTo::Loopback)
        .filter(|row| policy.decision_for(&row.service.id) == Decision::Trusted)
        .map(|row| match row.service.name.as_str() {
            "" => row.service.id.to_string(),
            name => format!("{name} {}", row.service.id),
        })
        .collect();
    let shown: Vec<&str> = names.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = match names.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match shown.is_empty() {
        true => "its addresses are trusted, and nothing is decided 'trusted' yet".to_owned(),
        false => format!(
            "its addresses are let in by fwtui at what is decided 'trusted': {}{more}",
            shown.join(", ")
        ),
    }
}
