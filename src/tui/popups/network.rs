//! All of an interface: who can be there, and what another class would change at each service.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Drawn, Sheet, text_height, text_width};
use crate::core::network::{Interface, NetworkClass, class_of};
use crate::core::overview::ClassReach;
use crate::core::reach::Admits;
use crate::tui::commands::Context;
use crate::tui::model::Model;
use crate::tui::screens::networks;
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{pad, wrapped};

const WIDTH: u16 = 108;
/// From so many cells on who gets in is written out.
const WIDE: usize = 92;
/// Its symbol and its longest word.
const VERDICT: usize = 12;

/// The interface, and the first line in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkDetails {
    /// Its name.
    pub name: String,
    /// The first line in sight.
    pub top: usize,
}

fn lines(model: &Model, details: &NetworkDetails, cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    let Some(interface) = model.networks.interface(&details.name) else {
        return vec![Line::styled("It is gone.", palette.of(Token::Warn))];
    };
    let mut paragraphs = networks::of_interface(model, interface, usize::MAX);
    // The column of the table has room for one or two.
    if !interface.addresses.is_empty() {
        let own: Vec<String> = interface.addresses.iter().map(ToString::to_string).collect();
        paragraphs.push((
            Token::Text,
            format!("This machine's addresses there: {}.", own.join(", ")),
        ));
    }
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (token, text) in &paragraphs {
        // Where there is room, what is said is told apart.
        if cells >= WIDE && !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(wrapped(text, cells, 0, palette.of(*token)));
    }
    let Some(rows) = model.networks.classes.of(&details.name).filter(|rows| !rows.is_empty()) else {
        return lines;
    };
    lines.push(Line::default());
    lines.extend(table(model, interface, rows, cells));
    lines.push(Line::default());
    lines.push(legend(palette));
    lines
}

fn table(model: &Model, interface: &Interface, rows: &[ClassReach], cells: usize) -> Vec<Line<'static>> {
    let palette = &model.palette;
    let class = class_of(interface, &model.policy);
    let classes = NetworkClass::ALL.map(|class| format!("IF {}", class.word().to_uppercase()));
    let [public, trusted, guests] = &classes;
    let is_wide = cells >= WIDE;
    let heads = ["NOW", "AFTER", public, trusted, guests];
    let widths = heads.map(|head| if is_wide { VERDICT } else { head.len() });
    let used: usize = widths.iter().map(|width| width + 1).sum();
    let service = cells.saturating_sub(used);
    let mut head = pad("SERVICE", service);
    for (text, width) in heads.iter().zip(widths) {
        head.push(' ');
        head.push_str(&pad(text, width));
    }
    let mut lines = vec![Line::styled(head.trim_end().to_owned(), palette.of(Token::Dim))];
    for row in rows {
        let after = row.with(class);
        let [public, trusted, guests] = row.classes;
        let name = if row.differs() { Token::Text } else { Token::Dim };
        let mut spans = vec![Span::styled(pad(&row.service(), service), palette.of(name))];
        for ((admits, against), width) in [
            (row.now, row.now),
            (after, row.now),
            (public, after),
            (trusted, after),
            (guests, after),
        ]
        .into_iter()
        .zip(widths)
        {
            let (symbol, token) = symbols::admits(admits);
            let text = match is_wide {
                true => format!("{symbol} {}", admits.word()),
                false => symbol.to_string(),
            };
            // What stays as it is needs no colour.
            let token = if admits == against { Token::Dim } else { token };
            spans.push(Span::raw(" "));
            spans.push(Span::styled(pad(&text, width), palette.of(token)));
        }
        lines.push(Line::from(spans));
    }
    lines
}

fn legend(palette: &Palette) -> Line<'static> {
    let mut spans = Vec::new();
    for (admits, words) in [
        (Admits::Nobody, "nobody"),
        (Admits::Neighbours, "neighbours"),
        (Admits::Everyone, "others too"),
        (Admits::Unknown, "not known"),
    ] {
        let (symbol, token) = symbols::admits(admits);
        spans.push(Span::styled(symbol.to_string(), palette.of(token)));
        spans.push(Span::styled(format!(" {words}   "), palette.of(Token::Dim)));
    }
    Line::from(spans)
}

pub(super) fn draw(model: &Model, details: &NetworkDetails, frame: &mut Frame<'_>, area: Rect) -> Drawn {
    let width = text_width(area, WIDTH);
    let title = match model.networks.interface(&details.name) {
        Some(interface) => networks::title(interface),
        None => details.name.clone(),
    };
    Sheet {
        model,
        title: &title,
        token: Token::Accent,
        lines: lines(model, details, usize::from(width)),
        top: details.top,
        contexts: &[Context::Reading],
        width,
    }
    .draw(frame, area)
}

/// How many lines there are, and how many are in sight.
pub fn extent(model: &Model, details: &NetworkDetails, area: Rect) -> (usize, usize) {
    let len = lines(model, details, usize::from(text_width(area, WIDTH))).len();
    (len, text_height(area, len))
}
