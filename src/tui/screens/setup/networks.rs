//! Which networks are trusted.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{MARGIN, WIDEST, elsewhere, list, paragraph};
use crate::core::network::Interface;
use crate::core::setup::words::{AT_HOME, IN_A_DMZ, class_meaning};
use crate::core::setup::{About, MachineKind, NetworkProposal};
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, Setup};
use crate::tui::theme::Token;
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::pad;

struct Columns {
    name: usize,
    kind: usize,
    choice: usize,
    advice: usize,
    addresses: usize,
}

impl Columns {
    fn of(cells: u16) -> Self {
        let cells = usize::from(cells);
        let (name, kind) = if cells < 80 { (10, 8) } else { (16, 9) };
        let (choice, advice) = (11, 11);
        Self {
            name,
            kind,
            choice,
            advice,
            addresses: cells.saturating_sub(2 + name + kind + choice + advice + 4),
        }
    }
}

pub(super) fn draw(model: &Model, setup: &Setup, frame: &mut Frame<'_>, body: Rect) {
    let palette = &model.palette;
    let parts = list(setup, body);
    let title = "Whom do you trust?";
    frame.render_widget(rule(palette, title, "", body.width), parts.title);
    let columns = Columns::of(body.width);
    let head = format!(
        "  {} {} {} {} {}",
        pad("NETWORK", columns.name),
        pad("KIND", columns.kind),
        pad("YOUR CHOICE", columns.choice),
        pad("RECOMMENDED", columns.advice),
        pad("ADDRESSES", columns.addresses)
    );
    frame.render_widget(Line::styled(head, palette.of(Token::Dim)), parts.head);
    let networks = &setup.proposals.networks;
    if networks.is_empty() {
        let text = "  No network is here yet. One that comes is public until you say otherwise.";
        frame.render_widget(Line::styled(text, palette.of(Token::Dim)), parts.rows);
    }
    let lines = networks.iter().enumerate().skip(setup.networks.top);
    for (area, (index, network)) in parts.rows.rows().zip(lines) {
        let line = row(model, setup, &columns, network, index == setup.networks.cursor);
        frame.render_widget(line, area);
    }
    let area = detail_area(parts.detail);
    let lines = detail(model, setup, text_cells(area));
    let hidden = lines.len().saturating_sub(setup.top + usize::from(area.height));
    let below = match hidden {
        0 => String::new(),
        more => format!("{more} more: {}", model.key_of(CommandId::PageDown, Context::Moving)),
    };
    let selected = networks.get(setup.networks.cursor);
    let name = selected.map(|one| one.interface.as_str()).unwrap_or_default();
    frame.render_widget(rule(palette, name, &below, body.width), parts.detail_title);
    for (row, line) in area.rows().zip(lines.into_iter().skip(setup.top)) {
        frame.render_widget(line, row);
    }
}

fn detail_area(detail: Rect) -> Rect {
    Rect {
        x: detail.x + MARGIN,
        width: detail.width.saturating_sub(2 * MARGIN),
        ..detail
    }
}

fn text_cells(area: Rect) -> usize {
    usize::from(area.width).min(WIDEST)
}

/// How long what is said below the list is, and how much of it is in sight.
pub(super) fn extent(model: &Model, setup: &Setup, body: Rect) -> (usize, usize) {
    let area = detail_area(list(setup, body).detail);
    (detail(model, setup, text_cells(area)).len(), area.height.into())
}

fn interface<'a>(model: &'a Model, name: &str) -> Option<&'a Interface> {
    model.observation.interfaces.iter().find(|one| one.name == name)
}

fn row(model: &Model, setup: &Setup, columns: &Columns, network: &NetworkProposal, is_selected: bool) -> Line<'static> {
    let palette = &model.palette;
    let style = |token: Token| match is_selected {
        true => palette.selected(token),
        false => palette.of(token),
    };
    let there = interface(model, &network.interface);
    let addresses = match there {
        None => "not there now".to_owned(),
        Some(one) if !one.is_up => "down".to_owned(),
        Some(one) if one.addresses.is_empty() => "no address".to_owned(),
        Some(one) => {
            let all: Vec<String> = one.addresses.iter().map(ToString::to_string).collect();
            all.join(" ")
        }
    };
    let class = setup.class(&network.interface);
    let (symbol, token) = symbols::class(class);
    let (advised, _) = symbols::class(network.class);
    let star = if class == network.class { "" } else { " *" };
    let spans = vec![
        Span::styled(if is_selected { "▸ " } else { "  " }, style(Token::Accent)),
        Span::styled(
            format!("{} ", pad(&network.interface, columns.name)),
            style(Token::Text),
        ),
        Span::styled(
            format!("{} ", pad(there.map_or("-", |one| one.kind.word()), columns.kind)),
            style(Token::Dim),
        ),
        Span::styled(
            format!("{} ", pad(&format!("{symbol} {class}{star}"), columns.choice)),
            style(token),
        ),
        Span::styled(
            format!("{} ", pad(&format!("{advised} {}", network.class), columns.advice)),
            style(Token::Dim),
        ),
        Span::styled(pad(&addresses, columns.addresses), style(Token::Dim)),
    ];
    let line = Line::from(spans);
    match is_selected {
        true => line.style(palette.selection()),
        false => line,
    }
}

/// What is recommended and why, what the choice means, and what to choose where.
fn detail(model: &Model, setup: &Setup, cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(network) = setup.proposals.networks.get(setup.networks.cursor) {
        let about = About::Network(network.interface.clone());
        lines.extend(elsewhere::about(model, setup, &about, Context::SetupNetworks, cells));
        let verb = if network.is_decided {
            "Decided before"
        } else {
            "Recommended"
        };
        let text = format!("{verb}: {}. {}", network.class, network.why);
        lines.extend(paragraph(model, Token::Accent, &text, cells));
        let class = setup.class(&network.interface);
        lines.extend(paragraph(model, Token::Text, class_meaning(class), cells));
        lines.push(Line::default());
    }
    let (first, second) = match setup.proposals.machine {
        MachineKind::Server => (IN_A_DMZ, AT_HOME),
        MachineKind::Desktop | MachineKind::Unknown => (AT_HOME, IN_A_DMZ),
    };
    lines.extend(paragraph(model, Token::Dim, first, cells));
    lines.extend(paragraph(model, Token::Dim, second, cells));
    lines
}
