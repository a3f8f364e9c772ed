//! The interfaces, what they are, and whom that lets in.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::core::network::{Interface, InterfaceKind, NetworkClass, class_of, inhabitants, zones};
use crate::core::overview::if_class;
use crate::core::policy::Decision;
use crate::tui::commands::{CommandId, Context};
use crate::tui::layout;
use crate::tui::model::{Model, NetworkLine};
use crate::tui::screens::key_of;
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{pad, wrapped};

/// Draws the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let parts = layout::networks(model, body);
    let palette = &model.palette;
    frame.render_widget(rule(palette, "Networks", &remark(model), body.width), parts.title);
    let columns = Columns::of(body.width);
    frame.render_widget(head(palette, &columns), parts.head);
    let list = model.networks.list;
    let lines = model.networks.lines();
    if lines.is_empty() && model.depth.is_some() {
        let text = Line::styled("   No interface could be read.", palette.of(Token::Dim));
        frame.render_widget(text, parts.rows);
    }
    for (index, (area, line)) in parts.rows.rows().zip(lines.iter().skip(list.top)).enumerate() {
        let is_selected = list.top + index == list.cursor;
        frame.render_widget(row(model, &columns, line, is_selected), area);
    }
    detail(model, frame, parts.detail_title, parts.detail);
}

fn remark(model: &Model) -> String {
    let interfaces = &model.observation.interfaces;
    let count = |class| {
        interfaces
            .iter()
            .filter(|interface| interface.kind != InterfaceKind::Loopback)
            .filter(|interface| class_of(interface, &model.policy) == class)
            .count()
    };
    let mut parts: Vec<String> = NetworkClass::ALL
        .into_iter()
        .map(|class| (count(class), class))
        .filter(|(count, _)| *count > 0)
        .map(|(count, class)| format!("{count} {class}"))
        .collect();
    let sources = model.policy.networks.trusted_sources.len();
    if sources > 0 {
        parts.push(format!("{sources} trusted by hand"));
    }
    parts.join(" · ")
}

struct Columns {
    name: usize,
    kind: usize,
    class: usize,
    route: usize,
    addresses: usize,
}

impl Columns {
    fn of(cells: u16) -> Self {
        let cells = usize::from(cells);
        let (name, kind) = if cells < 80 { (12, 8) } else { (18, 11) };
        let (class, route) = (11, 7);
        Self {
            name,
            kind,
            class,
            route,
            addresses: cells.saturating_sub(2 + name + kind + class + route + 4),
        }
    }
}

fn head(palette: &Palette, columns: &Columns) -> Line<'static> {
    let text = format!(
        "  {} {} {} {} {}",
        pad("NETWORK", columns.name),
        pad("KIND", columns.kind),
        pad("CLASS", columns.class),
        pad("ROUTE", columns.route),
        pad("ADDRESSES", columns.addresses)
    );
    Line::styled(text, palette.of(Token::Dim))
}

fn row(model: &Model, columns: &Columns, line: &NetworkLine, is_selected: bool) -> Line<'static> {
    let palette = &model.palette;
    let style = |token: Token| {
        if is_selected {
            palette.selected(token)
        } else {
            palette.of(token)
        }
    };
    let cells = Cells::of(model, line);
    let (symbol, token) = cells.class.map_or((' ', Token::Dim), symbols::class);
    let class = cells.class.map_or("-", NetworkClass::word);
    let star = if cells.is_changed { " *" } else { "" };
    let spans = vec![
        Span::styled(if is_selected { "▸ " } else { "  " }, style(Token::Accent)),
        Span::styled(format!("{} ", pad(&cells.name, columns.name)), style(cells.token)),
        Span::styled(format!("{} ", pad(cells.kind, columns.kind)), style(Token::Dim)),
        Span::styled(
            format!("{} ", pad(&format!("{symbol} {class}{star}"), columns.class)),
            style(token),
        ),
        Span::styled(format!("{} ", pad(cells.route, columns.route)), style(Token::Dim)),
        Span::styled(pad(&cells.addresses, columns.addresses), style(cells.token)),
    ];
    let line = Line::from(spans);
    if is_selected {
        line.style(palette.selection())
    } else {
        line
    }
}

struct Cells {
    name: String,
    kind: &'static str,
    class: Option<NetworkClass>,
    is_changed: bool,
    route: &'static str,
    addresses: String,
    token: Token,
}

impl Cells {
    fn of(model: &Model, line: &NetworkLine) -> Self {
        let confirmed = model.observation.confirmed.as_ref();
        match line {
            NetworkLine::Interface(interface) => {
                let is_loopback = interface.kind == InterfaceKind::Loopback;
                let class = class_of(interface, &model.policy);
                Self {
                    name: interface.name.clone(),
                    kind: interface.kind.word(),
                    class: (!is_loopback).then_some(class),
                    is_changed: !is_loopback
                        && confirmed.is_some_and(|confirmed| class_of(interface, confirmed) != class),
                    route: if interface.has_default_route { "default" } else { "" },
                    addresses: match (interface.is_up, interface.addresses.is_empty()) {
                        (false, _) => "down".to_owned(),
                        (true, true) => "no address".to_owned(),
                        (true, false) => joined(&interface.addresses),
                    },
                    token: if is_loopback || !interface.is_up {
                        Token::Dim
                    } else {
                        Token::Text
                    },
                }
            }
            NetworkLine::Absent(name) => Self {
                name: name.clone(),
                kind: "-",
                class: model.policy.networks.interfaces.get(name).copied(),
                is_changed: false,
                route: "",
                addresses: "not there now".to_owned(),
                token: Token::Dim,
            },
            NetworkLine::Source(source) => Self {
                name: source.to_string(),
                kind: "by hand",
                class: Some(NetworkClass::Trusted),
                is_changed: confirmed.is_some_and(|confirmed| !confirmed.networks.trusted_sources.contains(source)),
                route: "",
                addresses: "by whatever interface".to_owned(),
                token: Token::Text,
            },
        }
    }
}

fn joined(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(" ")
}

/// The title of the details.
pub fn title(interface: &Interface) -> String {
    match &interface.driver {
        Some(driver) => format!("{} · {} ({driver})", interface.name, interface.kind.word()),
        None => format!("{} · {}", interface.name, interface.kind.word()),
    }
}

fn detail(model: &Model, frame: &mut Frame<'_>, title: Rect, area: Rect) {
    let palette = &model.palette;
    let heading = match model.networks.selected() {
        Some(NetworkLine::Interface(interface)) => self::title(interface),
        Some(NetworkLine::Absent(name)) => name.clone(),
        Some(NetworkLine::Source(source)) => source.to_string(),
        None => String::new(),
    };
    let cells = usize::from(area.width).saturating_sub(4);
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
