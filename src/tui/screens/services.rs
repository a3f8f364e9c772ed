//! What listens, who may connect, who will.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::{BoundTo, Service, ServiceId};
use crate::tui::layout;
use crate::tui::model::{Model, Sort};
use crate::tui::port::Depth;
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{pad, width};

mod detail;

/// Draws the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let parts = layout::table(body);
    let palette = &model.palette;
    frame.render_widget(
        rule(palette, "Services", &remark(model, body.width), body.width),
        parts.title,
    );
    let columns = Columns::of(body.width);
    frame.render_widget(head(palette, &columns, model.services.sort()), parts.head);
    let services = &model.services;
    if services.is_empty() {
        frame.render_widget(
            Line::styled(format!("   {}", empty(model)), palette.of(Token::Dim)),
            parts.rows,
        );
    }
    for (index, (area, row)) in parts
        .rows
        .rows()
        .zip(services.visible_from(services.list.top))
        .enumerate()
    {
        let is_selected = services.list.top + index == services.list.cursor;
        let line = row_line(model, &columns, row, is_selected);
        frame.render_widget(line, area);
    }
    detail::draw(model, frame, parts.detail_title, parts.detail);
}

fn remark(model: &Model, cells: u16) -> String {
    if model.depth.is_none() {
        return "looking …".into();
    }
    let counts = model.services.counts();
    let mut parts = Vec::new();
    if cells >= 80 || model.observation.filter.is_none() {
        parts.push(format!("{} listening", counts.listening));
    }
    if model.observation.filter.is_some() {
        let outside = if cells < 80 || cells < 100 && counts.blocked > 0 {
            "reachable"
        } else {
            "reachable from outside"
        };
        parts.push(format!("{} {outside}", counts.reachable));
    }
    if counts.blocked > 0 {
        parts.push(format!("{} blocked", counts.blocked));
    }
    if counts.new > 0 {
        parts.push(format!("{} new", counts.new));
    }
    if counts.changed > 0 {
        let noun = if counts.changed == 1 { "change" } else { "changes" };
        parts.push(format!("{} {noun}", counts.changed));
    }
    parts.join(" · ")
}

fn empty(model: &Model) -> &'static str {
    match (model.depth, model.services.filter().is_empty()) {
        (None, _) => "",
        (Some(_), true) => "Nothing listens on this machine.",
        (Some(_), false) => "Nothing matches the filter. esc shows all.",
    }
}

/// The widths of the columns. Column 0 is for the cursor, 1 for the mark.
struct Columns {
    service: usize,
    port: usize,
    /// 0: left out.
    bound: usize,
    now: usize,
    after: usize,
    decision: usize,
    is_wide: bool,
}

impl Columns {
    fn of(cells: u16) -> Self {
        let cells = usize::from(cells);
        match cells {
            ..80 => Self {
                service: 15 + cells.saturating_sub(60),
                port: 10,
                bound: 0,
                now: 14,
                after: 5,
                decision: 10,
                is_wide: false,
            },
            80..100 => Self {
                service: 15 + (cells - 80),
                port: 11,
                bound: 8,
                now: 14,
                after: 14,
                decision: 11,
                is_wide: false,
            },
            100.. => {
                let service = 20 + (cells - 100) / 5;
                let bound = 11 + (cells - 100) / 4;
                let used = 2 + service + 15 + bound + 14 + 14 + 5;
                Self {
                    service,
                    port: 15,
                    bound,
                    now: 14,
                    after: 14,
                    decision: cells.saturating_sub(used),
                    is_wide: true,
                }
            }
        }
    }
}

fn head(palette: &Palette, columns: &Columns, sort: Sort) -> Line<'static> {
    let style = palette.of(Token::Dim);
    let cell = |name: &str, is_sorted: bool, cells: usize| {
        let name = if is_sorted {
            format!("{name} ▾")
        } else {
            name.to_owned()
        };
        Span::styled(
            format!("{} ", pad(&name, cells)),
            if is_sorted { palette.of(Token::Title) } else { style },
        )
    };
    let mut spans = vec![
        Span::raw("  "),
        cell("SERVICE", sort == Sort::Name, columns.service),
        cell("PORT", sort == Sort::Port, columns.port),
    ];
    if columns.bound > 0 {
        spans.push(cell("BOUND TO", false, columns.bound));
    }
    spans.push(cell("REACH NOW", sort == Sort::Reach, columns.now));
    spans.push(cell("AFTER", false, columns.after));
    let decision = if sort == Sort::Decision {
        "DECISION ▾"
    } else {
        "DECISION"
    };
    spans.push(Span::styled(
        pad(decision, columns.decision),
        if sort == Sort::Decision {
            palette.of(Token::Title)
        } else {
            style
        },
    ));
    Line::from(spans)
}

fn row_line(model: &Model, columns: &Columns, row: &Row, is_selected: bool) -> Line<'static> {
    let palette = &model.palette;
    let style = |token: Token| {
        if is_selected {
            palette.selected(token)
        } else {
            palette.of(token)
        }
    };
    let is_marked = model.services.is_marked(&row.service.id);
    let id = &row.service.id;
    let port = port(id, columns.port);
    let (name, name_token) = name(model, row);
    let mut spans = vec![
        Span::styled(if is_selected { "▸" } else { " " }, style(Token::Accent)),
        Span::styled(if is_marked { "✓" } else { " " }, style(Token::Accent)),
        Span::styled(format!("{} ", pad(&name, columns.service)), style(name_token)),
        Span::styled(format!("{} ", pad(&port, columns.port)), style(Token::Text)),
    ];
    if columns.bound > 0 {
        let bound = bound(&row.service, columns.bound);
        spans.push(Span::styled(
            format!("{} ", pad(&bound, columns.bound)),
            style(Token::Dim),
        ));
    }
    spans.push(reach_cell(row.reach_now, columns.now, &style, true));
    let mut after = reach_cell(row.reach_after, columns.after, &style, row.reach_after != row.reach_now);
    let is_contradicted = row.kept_out_by.is_some();
    if is_contradicted {
        // The mark takes the place of the blank between the columns.
        after.content.to_mut().pop();
    }
    spans.push(after);
    spans.extend(is_contradicted.then(|| Span::styled("!", style(Token::Warn))));
    spans.extend(decision_cell(row, columns, &style));
    let line = Line::from(spans);
    if is_selected {
        line.style(palette.selection())
    } else {
        line
    }
}

/// Who can connect; in a narrow column the symbol alone. What stays as it is stays in the background.
fn reach_cell(reach: Reach, cells: usize, style: &dyn Fn(Token) -> Style, is_news: bool) -> Span<'static> {
    let (symbol, token) = symbols::reach(reach);
    let text = match cells {
        ..8 => format!("{} {symbol}", if is_news { '→' } else { ' ' }),
        8.. => format!("{symbol} {reach}"),
    };
    let style = if is_news { style(token) } else { style(Token::Dim) };
    Span::styled(format!("{} ", pad(&text, cells)), style)
}

fn decision_cell(row: &Row, columns: &Columns, style: &dyn Fn(Token) -> Style) -> Vec<Span<'static>> {
    let star = Span::styled(if row.is_changed { "* " } else { "  " }, style(Token::Changed));
    let cells = columns.decision.saturating_sub(2);
    let mut spans = vec![star];
    if row.disabled.is_some() {
        spans.push(Span::styled(pad("disabled", cells), style(Token::Dim)));
    } else if row.blocks.iter().any(|block| block.refuses_all_of(&row.service.id)) {
        // The decision has no say meanwhile; the details tell it.
        let word = if cells < 9 { "✗blocked" } else { "✗ blocked" };
        spans.push(Span::styled(pad(word, cells), style(Token::Warn)));
        return spans;
    }
    match (row.decision, row.is_new) {
        (Decision::Undecided, true) if columns.is_wide => {
            spans.push(Span::styled("undecided ", style(Token::Dim)));
            spans.push(Span::styled("NEW", style(Token::New)));
        }
        (Decision::Undecided, true) => spans.push(Span::styled("NEW", style(Token::New))),
        (Decision::Undecided, false) if !row.blocks.is_empty() => {
            let word = if columns.is_wide { "- ✗ for some" } else { "- ✗" };
            spans.push(Span::styled(pad(word, cells), style(Token::Warn)));
        }
        (Decision::Undecided, false) => spans.push(Span::styled(pad("-", cells), style(Token::Dim))),
        (decision, _) => {
            let word = decision.word();
            spans.push(Span::styled(
                word,
                style(symbols::decision(decision)).remove_modifier(Modifier::BOLD),
            ));
            let room = cells.saturating_sub(width(word));
            let from: Vec<String> = row.from.iter().map(ToString::to_string).collect();
            let from = match (from.is_empty(), columns.is_wide) {
                _ if !row.blocks.is_empty() => String::new(),
                (true, _) => String::new(),
                (false, true) => format!(" from {}", from.join(", ")),
                (false, false) => format!(" ({})", row.from.len()),
            };
            let rest = match row.blocks.is_empty() {
                true => Span::styled(pad(&from, room), style(Token::Dim)),
                false => Span::styled(
                    pad(if columns.is_wide { " ✗ for some" } else { " ✗" }, room),
                    style(Token::Warn),
                ),
            };
            spans.push(rest);
        }
    }
    spans
}

/// What it is bound to; of what is published, to which addresses, in as many words as fit.
fn bound(service: &Service, cells: usize) -> String {
    let bound = service.bound_to.to_string();
    match (&service.published, &service.bound_to) {
        (None, _) if service.listeners.is_empty() => "-".to_owned(),
        (None, _) => bound,
        (Some(_), BoundTo::All) if cells < 10 => "all DNAT".to_owned(),
        (Some(_), BoundTo::Loopback) if cells < 15 => "lo DNAT".to_owned(),
        (Some(_), _) => format!("{bound} (DNAT)"),
    }
}

/// What to call the service, and how loudly.
fn name(model: &Model, row: &Row) -> (String, Token) {
    let service = &row.service;
    let more = match service.folded.len() {
        0 => String::new(),
        folded => format!(" +{folded}"),
    };
    if !service.name.is_empty() {
        return (format!("{}{more}", service.name), Token::Text);
    }
    let stand_in = if !service.is_there() {
        "(not listening)"
    } else if model.depth < Some(Depth::Owners) {
        "…"
    } else if service.is_ownerless() {
        "(kernel)"
    } else {
        "(not seen)"
    };
    (format!("{stand_in}{more}"), Token::Dim)
}

/// Ports and protocol; where there is no room for a range, its beginning and the protocol.
fn port(id: &ServiceId, cells: usize) -> String {
    let (first, last, protocol) = (id.ports.first(), id.ports.last(), id.protocol);
    if id.ports.is_single() {
        return format!("{first}/{protocol}");
    }
    let range = format!("{first}-{last}/{protocol}");
    if width(&range) <= cells {
        return range;
    }
    format!("{first}…/{protocol}")
}
