//! What is known of the selected network.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::core::network::{Interface, InterfaceKind, NetworkClass, class_of, inhabitants, zones};
use crate::core::overview::if_class;
use crate::core::policy::Decision;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, NetworkLine};
use crate::tui::screens::key_of;
use crate::tui::theme::Token;
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::text::{READABLE, wrapped};

/// The title of the details.
pub fn title(interface: &Interface) -> String {
    match &interface.driver {
        Some(driver) => format!("{} · {} ({driver})", interface.name, interface.kind.word()),
        None => format!("{} · {}", interface.name, interface.kind.word()),
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
        NetworkLine::Absent(_) => vec![(
            Token::Text,
            "The policy speaks of it, and the class holds when it comes back.".to_owned(),
        )],
        NetworkLine::Source(source) => vec![
            (Token::Text, trusted_services(model, "Its addresses")),
            (
                Token::Text,
                match source.prefix_len() == source.max_prefix_len() {
                    true => "Who can be there: one address, and whoever can take its place.".to_owned(),
                    false => format!("Who can be there: whoever has an address of {source}."),
                },
            ),
            (
                Token::Dim,
                "Trusted by whatever interface its packets come in: list only what nobody can forge from outside."
                    .to_owned(),
            ),
        ],
    }
}

/// Whom the class of an interface lets in, what another one would change, who can be there, and one
/// sentence of advice. Of services so many are named in a sentence.
pub fn of_interface(model: &Model, interface: &Interface, most: usize) -> Vec<(Token, String)> {
    let routers = model.observation.world.routers(interface);
    let who = inhabitants(interface, routers);
    if interface.kind == InterfaceKind::Loopback {
        let text = "This machine talking to itself. It is never refused.";
        return vec![(Token::Text, text.to_owned())];
    }
    let mut sentences = by_class(model, interface);
    let class = class_of(interface, &model.policy);
    match model.networks.classes.of(&interface.name) {
        Some(rows) => {
            let others = NetworkClass::ALL.into_iter().filter(|other| *other != class);
            sentences.extend(others.map(|other| (Token::Text, if_class(rows, class, other, most))));
        }
        None if model.depth.is_some() => {
            let text = "Working out what another class would change …";
            sentences.push((Token::Dim, text.to_owned()));
        }
        None => {}
    }
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

/// Whom its class lets in.
fn by_class(model: &Model, interface: &Interface) -> Vec<(Token, String)> {
    let sources: Vec<String> = zones(&model.policy, std::slice::from_ref(interface))
        .iter()
        .filter(|zone| zone.interface.is_some())
        .map(|zone| zone.source.to_string())
        .collect();
    match class_of(interface, &model.policy) {
        NetworkClass::Public => vec![(
            Token::Text,
            "Nobody there is trusted: only services that are open can be reached from it.".to_owned(),
        )],
        NetworkClass::Trusted | NetworkClass::Guests if sources.is_empty() => vec![(
            Token::Warn,
            "It has no address, so it has no neighbours yet, and nobody is let in.".to_owned(),
        )],
        NetworkClass::Trusted => vec![
            (
                Token::Text,
                trusted_services(model, &format!("Neighbours ({})", sources.join(", "))),
            ),
            (
                Token::Dim,
                "Neighbours only: what is routed in from elsewhere is still a stranger.".to_owned(),
            ),
        ],
        NetworkClass::Guests => vec![(
            Token::Text,
            format!(
                "{}, and DHCP and DNS besides.",
                trusted_services(model, &format!("VMs and containers ({})", sources.join(", "))).trim_end_matches('.')
            ),
        )],
    }
}

fn trusted_services(model: &Model, who: &str) -> String {
    let names: Vec<String> = model
        .services
        .rows()
        .iter()
        .filter(|row| row.decision == Decision::Trusted)
        .take(5)
        .map(|row| {
            if row.service.name.is_empty() {
                row.service.id.to_string()
            } else {
                row.service.name.clone()
            }
        })
        .collect();
    if names.is_empty() {
        format!("{who} reach what is decided 'trusted': nothing yet.")
    } else {
        format!("{who} reach what is decided 'trusted': {}.", names.join(", "))
    }
}
