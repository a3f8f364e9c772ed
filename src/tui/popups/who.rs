//! Who can connect to a service: a line for everyone the rules tell apart.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Drawn, Sheet, text_width};
use crate::core::overview::{Fared, NetworkReach};
use crate::core::reach::{Fate, Who};
use crate::core::service::ServiceId;
use crate::core::text::printable_within;
use crate::tui::commands::Context;
use crate::tui::model::{ListState, Model};
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{pad, wrap};

pub(super) const WIDTH: u16 = 108;
/// Lines above the list: the columns' names.
pub(super) const ABOVE: usize = 1;
/// A verdict with its symbol.
const VERDICT: usize = 11;
/// From so many cells on there is a column for who decides.
const WIDE: usize = 84;
/// Longest rule shown.
const LONGEST: usize = 300;

/// The list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoCan {
    /// The service.
    pub id: ServiceId,
    /// The cursor counts networks.
    pub list: ListState,
}

impl WhoCan {
    /// The list for a service.
    pub fn new(id: ServiceId) -> Self {
        Self {
            id,
            list: ListState::default(),
        }
    }
}

/// The lines for the details of the selected network.
const fn details_height(area: Rect) -> usize {
    match area.height {
        ..18 => 5,
        18..30 => 6,
        30.. => 8,
    }
}

/// How many of so many networks are in sight.
pub fn height(area: Rect, len: usize) -> usize {
    let room = usize::from(area.height).saturating_sub(4 + 2 + details_height(area));
    len.min(room.max(1))
}

pub(super) fn draw(model: &Model, who: &WhoCan, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, WIDTH);
    let cells = usize::from(width);
    let palette = &model.palette;
    let networks = model.access.at(&who.id);
    let mut lines = Vec::new();
    match networks {
        None => lines.push(Line::styled("Asking for everyone …", palette.of(Token::Dim))),
        Some(networks) => {
            let columns = Columns::of(cells);
            lines.push(columns.head(palette));
            let mut list = who.list;
            let height = height(area, networks.len());
            list.keep_in_sight(networks.len(), height);
            for (index, network) in networks.iter().enumerate().skip(list.top).take(height) {
                lines.push(columns.row(palette, network, index == list.cursor));
            }
            lines.push(remaining(palette, networks.len(), list.top + height));
            let mut details = networks
                .get(list.cursor)
                .map(|network| details(palette, network, who, cells))
                .unwrap_or_default();
            details.resize(details_height(area), Line::default());
            lines.extend(details);
        }
    }
    let title = format!("Who can connect to {}", named(model, &who.id));
    Sheet {
        model,
        title: &printable_within(&title, cells),
        token: Token::Accent,
        lines,
        top: 0,
        contexts: &[Context::WhoCan],
        width,
    }
    .draw(frame, area)
}

/// The service by its name and id.
pub(super) fn named(model: &Model, id: &ServiceId) -> String {
    match model.services.name(id) {
        "" => id.to_string(),
        name => format!("{name} {id}"),
    }
}

fn remaining(palette: &Palette, len: usize, shown: usize) -> Line<'static> {
    match len.saturating_sub(shown) {
        0 => Line::default(),
        more => Line::styled(format!("  {more} more ↓"), palette.of(Token::Dim)),
    }
}

struct Columns {
    who: usize,
    /// 0: left out.
    by: usize,
}

impl Columns {
    const fn of(cells: usize) -> Self {
        let rest = cells.saturating_sub(2 + 5 + 2 * (VERDICT + 1));
        let who = if cells < WIDE { rest } else { 31 };
        Self {
            who,
            by: rest.saturating_sub(who + 1),
        }
    }

    fn head(&self, palette: &Palette) -> Line<'static> {
        let text = format!(
            "  {} {} {} {}",
            pad("WHO", self.who + 5),
            pad("NOW", VERDICT),
            pad("AFTER", VERDICT),
            pad("DECIDED (AFTER) BY", self.by)
        );
        Line::styled(text.trim_end().to_owned(), palette.of(Token::Dim))
    }

    fn row(&self, palette: &Palette, network: &NetworkReach, is_selected: bool) -> Line<'static> {
        let style = |token: Token| match is_selected {
            true => palette.selected(token),
            false => palette.of(token),
        };
        let is_news = network.now.fate != network.after.fate;
        let family = if network.family == crate::core::listener::Family::Ipv4 {
            "IPv4"
        } else {
            "IPv6"
        };
        let mut spans = vec![
            Span::styled(if is_selected { "▸ " } else { "  " }, style(Token::Accent)),
            Span::styled(format!("{family} "), style(Token::Dim)),
            Span::styled(format!("{} ", pad(&peer(network), self.who)), style(Token::Text)),
            verdict(network, &network.now, &style, true),
            verdict(network, &network.after, &style, is_news),
        ];
        if self.by > 0 {
            let by = printable_within(&network.after.decided_by.to_string(), LONGEST);
            spans.push(Span::styled(pad(&by, self.by), style(Token::Dim)));
        }
        let line = Line::from(spans);
        match is_selected {
            true => line.style(palette.selection()),
            false => line,
        }
    }
}

/// Those on the network: `neighbours on eth0`.
pub(super) fn peer(network: &NetworkReach) -> String {
    let text = match network.who {
        Who::ThisMachine => "this machine".to_owned(),
        Who::Named => format!("{} by {}", network.now.from, network.interface),
        Who::Neighbours | Who::Strangers => format!("{} on {}", network.who.words(), network.interface),
    };
    printable_within(&text, LONGEST)
}

fn verdict(network: &NetworkReach, fared: &Fared, style: &dyn Fn(Token) -> Style, is_news: bool) -> Span<'static> {
    let (symbol, token, word) = symbols::fate(fared.fate, network.who, network.class);
    let style = if is_news { style(token) } else { style(Token::Dim) };
    Span::styled(format!("{} ", pad(&format!("{symbol} {word}"), VERDICT)), style)
}

/// Who decides, now and after applying.
fn details(palette: &Palette, network: &NetworkReach, who: &WhoCan, cells: usize) -> Vec<Line<'static>> {
    let sample = match (network.who, network.now.from == network.after.from) {
        (Who::ThisMachine | Who::Named, _) | (_, false) => String::new(),
        (..) => format!(
            "For example {} to {}.",
            network.now.from,
            std::net::SocketAddr::new(network.now.to, who.id.ports.first())
        ),
    };
    let says = |when: &str, fared: &Fared| {
        let by = &fared.decided_by;
        let (_, _, word) = symbols::fate(fared.fate, network.who, network.class);
        let because = match fared.fate {
            Fate::Unknown { .. } => "because of",
            Fate::Accepted | Fate::Refused | Fate::Dropped => "by",
        };
        let rule = match by.number {
            Some(_) => format!(": {}", by.rule),
            None => ".".to_owned(),
        };
        printable_within(&format!("{when} {word} {because} {by}{rule}"), LONGEST)
    };
    let sentences = match network.now == network.after {
        true => vec![says("Now and after applying:", &network.after)],
        false => vec![says("Now:", &network.now), says("After applying:", &network.after)],
    };
    let texts = sentences
        .iter()
        .flat_map(|text| wrap(text, cells))
        .map(|line| Line::styled(line, palette.of(Token::Text)));
    let sample = Some(sample).filter(|sample| !sample.is_empty());
    texts
        .chain(sample.map(|sample| Line::styled(sample, palette.of(Token::Dim))))
        .collect()
}
