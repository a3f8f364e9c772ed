//! One service on one line.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::columns::{Columns, STAR, at_the_edge};
use crate::core::counters::Tally;
use crate::core::listened::Since;
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::{BoundTo, Service, ServiceId};
use crate::tui::model::{Column, Model, unit, user};
use crate::tui::port::Depth;
use crate::tui::theme::Token;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{fit, pad, width};

/// The line of a row.
pub(super) fn line(model: &Model, columns: &Columns, row: &Row, is_selected: bool) -> Line<'static> {
    let palette = &model.palette;
    let style = |token: Token| {
        if is_selected {
            palette.selected(token)
        } else {
            palette.of(token)
        }
    };
    let (mark, token) = mark(model, row);
    let mut spans = vec![
        Span::styled(if is_selected { "▸" } else { " " }, style(Token::Accent)),
        Span::styled(mark, style(token)),
    ];
    let words = model.services.words();
    for (column, cells) in &columns.cells {
        let cells = *cells;
        let mut text = |text: &str, token| {
            let found = style(Token::Accent).add_modifier(Modifier::UNDERLINED);
            spans.extend(highlighted(
                &format!("{} ", pad(text, cells)),
                words,
                style(token),
                found,
            ));
        };
        match column {
            Column::Service => {
                let (name, token) = name(model, row);
                text(&name, token);
            }
            Column::Port => text(&port(&row.service.id, cells), Token::Text),
            Column::Bound => text(&bound(&row.service, cells), Token::Dim),
            Column::User => text(user(row).map_or("-", String::as_str), Token::Dim),
            Column::Unit => text(unit(row).map_or("-", String::as_str), Token::Dim),
            Column::Now => spans.push(reach(row.reach_now, cells, &style, true)),
            Column::After => {
                let mut after = reach(row.reach_after, cells, &style, row.reach_after != row.reach_now);
                let is_contradicted = row.kept_out_by.is_some();
                if is_contradicted {
                    // The mark takes the place of the blank between the columns.
                    after.content.to_mut().pop();
                }
                spans.push(after);
                spans.extend(is_contradicted.then(|| Span::styled("!", style(Token::Warn))));
            }
            Column::Packets => {
                let text = row.tally.as_ref().map_or_else(|| "-".to_owned(), packets);
                spans.push(Span::styled(at_the_edge(&text, cells), style(Token::Dim)));
            }
            Column::Decision => {
                let decision = decision(row, cells, columns.is_wide, model.services.is_news(row), &style);
                let used: usize = decision.iter().map(|span| width(&span.content)).sum();
                spans.extend(decision);
                if columns.cells.last().is_some_and(|(last, _)| *last != Column::Decision) {
                    spans.push(Span::styled(
                        " ".repeat((cells + 1).saturating_sub(used)),
                        style(Token::Dim),
                    ));
                }
            }
        }
    }
    let line = Line::from(spans);
    if is_selected {
        line.style(palette.selection())
    } else {
        line
    }
}

/// Marked for a decision; else what is new about it since the last confirm.
fn mark(model: &Model, row: &Row) -> (&'static str, Token) {
    match &row.since {
        _ if model.services.is_marked(&row.service.id) => ("✓", Token::Accent),
        Some(Since::Appeared) => ("+", Token::New),
        Some(Since::Bound { .. } | Since::Owner { .. }) => ("~", Token::Changed),
        None => (" ", Token::Accent),
    }
}

/// A text in which the words that were searched for stand out.
fn highlighted(text: &str, words: &[String], plain: Style, found: Style) -> Vec<Span<'static>> {
    let lower = text.to_lowercase();
    // Where a letter's other case has another length, places in one say nothing of the other.
    let is_alike = lower.len() == text.len();
    let first = words
        .iter()
        .filter(|_| is_alike)
        .filter_map(|word| Some((lower.find(word.as_str())?, word.len())))
        .min();
    let split = first.and_then(|(at, len)| {
        let (before, rest) = text.split_at_checked(at)?;
        let (hit, after) = rest.split_at_checked(len)?;
        Some((before, hit, after))
    });
    match split {
        None => vec![Span::styled(text.to_owned(), plain)],
        Some((before, hit, after)) => {
            let mut spans = vec![
                Span::styled(before.to_owned(), plain),
                Span::styled(hit.to_owned(), found),
            ];
            spans.extend(highlighted(after, words, plain, found));
            spans.retain(|span| !span.content.is_empty());
            spans
        }
    }
}

/// Who can connect; in a narrow column the symbol alone. What stays as it is stays in the background.
fn reach(reach: Reach, cells: usize, style: &dyn Fn(Token) -> Style, is_news: bool) -> Span<'static> {
    let (symbol, token) = symbols::reach(reach);
    let text = match cells {
        ..8 => format!("{} {symbol}", if is_news { '→' } else { ' ' }),
        8.. => format!("{symbol} {reach}"),
    };
    let style = if is_news { style(token) } else { style(Token::Dim) };
    Span::styled(format!("{} ", pad(&text, cells)), style)
}

fn decision(
    row: &Row,
    cells: usize,
    is_wide: bool,
    is_news: bool,
    style: &dyn Fn(Token) -> Style,
) -> Vec<Span<'static>> {
    let star = Span::styled(if row.is_changed { "* " } else { "  " }, style(Token::Changed));
    let cells = cells.saturating_sub(STAR);
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
        (Decision::Undecided, true) if !is_news => {
            spans.push(Span::styled(pad("undecided", cells), style(Token::Dim)));
        }
        (Decision::Undecided, true) if is_wide => {
            spans.push(Span::styled("undecided ", style(Token::Dim)));
            spans.push(Span::styled("NEW", style(Token::New)));
        }
        (Decision::Undecided, true) => spans.push(Span::styled("NEW", style(Token::New))),
        (Decision::Undecided, false) if !row.blocks.is_empty() => {
            let word = if is_wide { "- ✗ for some" } else { "- ✗" };
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
            let from = match (from.is_empty(), is_wide) {
                _ if !row.blocks.is_empty() => String::new(),
                (true, _) => String::new(),
                (false, true) => format!(" from {}", from.join(", ")),
                (false, false) => format!(" ({})", row.from.len()),
            };
            let rest = match row.blocks.is_empty() {
                true => Span::styled(pad(&from, room), style(Token::Dim)),
                false => Span::styled(
                    pad(if is_wide { " ✗ for some" } else { " ✗" }, room),
                    style(Token::Warn),
                ),
            };
            spans.push(rest);
        }
    }
    spans
}

/// What its rules have counted; `~` where they serve other ports as well.
fn packets(tally: &Tally) -> String {
    let mark = if tally.is_shared { "~" } else { "" };
    format!("{mark}{}", short(tally.all().packets))
}

/// A number in few digits: 999, 1.2k, 34k, 5.6M.
pub(super) fn short(number: u64) -> String {
    const UNITS: [(u64, char); 4] = [
        (1_000_000_000_000, 'T'),
        (1_000_000_000, 'G'),
        (1_000_000, 'M'),
        (1000, 'k'),
    ];
    match UNITS.into_iter().find(|(unit, _)| number >= *unit) {
        None => number.to_string(),
        Some((unit, letter)) if number < 10 * unit => {
            format!("{}.{}{letter}", number / unit, number % unit * 10 / unit)
        }
        Some((unit, letter)) => format!("{}{letter}", number / unit),
    }
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
    } else if service.is_unsought {
        "(not looked up)"
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
    fit(&format!("{first}…/{protocol}"), cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_short() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1.0k"),
            (1299, "1.2k"),
            (34_567, "34k"),
            (5_600_000, "5.6M"),
            (u64::MAX, "18446744T"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn what_was_found_stands_out_whatever_its_case() {
        let (plain, found) = (Style::new(), Style::new().add_modifier(Modifier::UNDERLINED));
        let shown = |text: &str, words: &[&str]| -> Vec<String> {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let spans = highlighted(text, &words, plain, found);
            let mark = |span: &Span<'_>| {
                if span.style == found {
                    format!("[{}]", span.content)
                } else {
                    span.content.to_string()
                }
            };
            spans.iter().map(mark).collect()
        };
        assert_eq!(
            shown("PostGres 12 ", &["gres", "os"]),
            ["P", "[os]", "t", "[Gres]", " 12 "]
        );
        assert_eq!(shown("İstanbul", &["stan"]), ["İstanbul"]);
        assert_eq!(shown("sshd", &[]), ["sshd"]);
    }
}
