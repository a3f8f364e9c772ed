//! The interfaces, what they are, and whom that lets in.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::core::network::{InterfaceKind, NetworkClass, class_of};
use crate::core::policy::Policy;
use crate::tui::layout;
use crate::tui::model::{Model, NetworkLine};
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{pad, width};

mod detail;

pub use detail::{of_interface, title};

/// Draws the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let parts = layout::networks(model, body);
    let palette = &model.palette;
    frame.render_widget(rule(palette, "Networks", &remark(model), body.width), parts.title);
    let columns = Columns::of(body.width, longest_name(model));
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
    detail::draw(model, frame, parts.detail_title, parts.detail);
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
    // What was taken off the list is still let in, and no line says so.
    let confirmed = model
        .observation
        .confirmed
        .iter()
        .flat_map(|confirmed| &confirmed.networks.trusted_sources);
    let leaving = confirmed.filter(|source| !model.policy.networks.trusted_sources.contains(source));
    match leaving.count() {
        0 => {}
        leaving => parts.push(format!("{leaving} by hand until you apply")),
    }
    parts.join(" · ")
}

/// The kernel's limit for an interface's name.
const LONGEST_NAME: usize = 15;

fn longest_name(model: &Model) -> usize {
    let names = model.networks.lines().iter().map(|line| match line {
        NetworkLine::Interface(interface) => width(&interface.name),
        NetworkLine::Absent(name) => width(name),
        NetworkLine::Source(source) => source.to_string().len(),
    });
    names.max().unwrap_or_default()
}

struct Columns {
    name: usize,
    kind: usize,
    class: usize,
    route: usize,
    addresses: usize,
}

impl Columns {
    /// Where there is little room, names have as much as they take: the bridges of containers differ in
    /// their last characters only.
    fn of(cells: u16, longest: usize) -> Self {
        let cells = usize::from(cells);
        let (name, kind) = if cells < 80 {
            (longest.clamp(7, LONGEST_NAME), 8)
        } else {
            (18, 11)
        };
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
                is_changed: confirmed.is_some_and(|confirmed| {
                    let of = |policy: &Policy| policy.networks.interfaces.get(name).copied();
                    of(confirmed).unwrap_or(NetworkClass::Public) != of(&model.policy).unwrap_or(NetworkClass::Public)
                }),
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
