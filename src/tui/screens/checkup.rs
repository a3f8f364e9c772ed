//! What is harmful, redundant or missing on this machine, and what to do.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line as Text, Span};

use crate::core::checkup::{Finding, Severity};
use crate::core::text::printable_within;
use crate::tui::commands::{CommandId, Context};
use crate::tui::layout;
use crate::tui::model::{Line, Model};
use crate::tui::theme::Token;
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{pad, width};

mod detail;

pub use detail::{Paragraph, lines, paragraphs, title};

/// What is said while there is nothing to show yet.
pub const UNDER_WAY: &str = "Checking the rules, settings, services and updates …";

/// A severity with its symbol.
const SEVERITY: usize = 11;
/// What a finding is about takes no more: what it is has more to say.
const WIDEST_ABOUT: usize = 40;
/// Longest text in a cell, in characters: more does not fit any terminal.
const LONGEST: usize = 500;

/// Draws the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let parts = layout::findings(model, body);
    let palette = &model.palette;
    let checkup = &model.checkup;
    let title = match checkup.severity() {
        Some(severity) => format!("Checkup: {severity} only"),
        None => "Checkup".to_owned(),
    };
    let room = usize::from(body.width).saturating_sub(width(&title) + 8);
    frame.render_widget(rule(palette, &title, &remark(model, room), body.width), parts.title);
    let columns = Columns::of(body.width);
    let head = format!(
        "  {} {} {}",
        pad("SEVERITY", SEVERITY),
        pad("ABOUT", columns.about),
        pad("WHAT", columns.what)
    );
    frame.render_widget(Text::styled(head, palette.of(Token::Dim)), parts.head);
    if checkup.is_empty() {
        let text = match checkup.is_done() {
            true => {
                let clear = model.key_of(CommandId::Clear, Context::Screens);
                format!("Nothing matches the filter. {clear} shows all.")
            }
            false if checkup.is_under_way() => UNDER_WAY.to_owned(),
            false => {
                let again = model.key_of(CommandId::Refresh, Context::Checkup);
                format!("It was stopped before it was done. {again} checks again.")
            }
        };
        let line = Text::styled(format!("   {text}"), palette.of(Token::Dim));
        frame.render_widget(line, parts.rows);
    }
    let lines = checkup.visible_from(checkup.list.top);
    for (index, (area, line)) in parts.rows.rows().zip(lines).enumerate() {
        let is_selected = checkup.list.top + index == checkup.list.cursor;
        frame.render_widget(row(model, &columns, line, is_selected), area);
    }
    detail::draw(model, frame, parts.detail_title, parts.detail);
}

/// How many there are of each severity, in words or, where there is no room for them, in symbols.
fn remark(model: &Model, room: usize) -> String {
    let checkup = &model.checkup;
    let counts = Severity::ALL.map(|severity| (severity, checkup.count(severity)));
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let known = Some(checkup.known()).filter(|known| *known > 0);
    let (mut long, mut short): (Vec<String>, Vec<String>) = counts
        .map(|(severity, count)| {
            let (symbol, _) = symbols::severity(severity);
            (format!("{count} {severity}"), format!("{count}{symbol}"))
        })
        .unzip();
    if long.is_empty() && checkup.is_done() {
        long.push("nothing found".to_owned());
        short.push("nothing found".to_owned());
    }
    let unseen = checkup.unseen().len();
    if unseen > 0 {
        long.push(format!("{unseen} not seen"));
        short.push(format!("{unseen}?"));
    }
    long.extend(known.map(|known| format!("{known} known")));
    short.extend(known.map(|known| format!("{known}✓")));
    if long.is_empty() && checkup.is_under_way() {
        long.push("checking …".to_owned());
    }
    let long = long.join(" · ");
    match width(&long) <= room {
        true => long,
        false => short.join(" "),
    }
}

/// The widths of the columns.
struct Columns {
    about: usize,
    what: usize,
}

impl Columns {
    fn of(cells: u16) -> Self {
        let room = usize::from(cells).saturating_sub(2 + SEVERITY + 1);
        let about = (room / 3).min(WIDEST_ABOUT);
        Self {
            about,
            what: room.saturating_sub(about + 1),
        }
    }
}

fn row(model: &Model, columns: &Columns, line: Line<'_>, is_selected: bool) -> Text<'static> {
    let palette = &model.palette;
    let style = |token: Token| match is_selected {
        true => palette.selected(token),
        false => palette.of(token),
    };
    let mut spans = vec![Span::styled(if is_selected { "▸" } else { " " }, style(Token::Accent))];
    spans.extend(match line {
        Line::Nothing if model.checkup.unseen().is_empty() => {
            let text = "Nothing was found that needs doing.";
            sentence(columns, "✓ nothing", Token::Good, text, &style)
        }
        Line::Nothing => {
            let text = "Nothing was found in what could be looked at.";
            sentence(columns, "? nothing", Token::Unknown, text, &style)
        }
        Line::Unseen(text) => sentence(columns, "? not seen", Token::Unknown, text, &style),
        Line::Finding(item) => {
            let (symbol, token) = symbols::severity(item.finding.severity);
            let word = format!("{symbol} {}", item.finding.severity);
            // Without colours some are underlined.
            let blanks = (SEVERITY + 1).saturating_sub(width(&word));
            let is_known = item.note.is_some();
            let of = |token: Token| if is_known { style(Token::Dim) } else { style(token) };
            vec![
                Span::styled(if is_known { "✓" } else { " " }, of(Token::Text)),
                Span::styled(word, of(token)),
                Span::styled(" ".repeat(blanks), of(Token::Text)),
                Span::styled(
                    format!("{} ", pad(&about(model, &item.finding), columns.about)),
                    of(Token::Text),
                ),
                Span::styled(
                    pad(&printable_within(&item.finding.what, LONGEST), columns.what),
                    of(Token::Text),
                ),
            ]
        }
    });
    let line = Text::from(spans);
    match is_selected {
        true => line.style(palette.selection()),
        false => line,
    }
}

/// A line that is about everything.
fn sentence(
    columns: &Columns,
    word: &str,
    token: Token,
    text: &str,
    style: &dyn Fn(Token) -> Style,
) -> Vec<Span<'static>> {
    let text = pad(&printable_within(text, LONGEST), columns.about + 1 + columns.what);
    let blanks = (SEVERITY + 1).saturating_sub(width(word));
    vec![
        Span::styled(" ", style(Token::Text)),
        Span::styled(word.to_owned(), style(token)),
        Span::styled(" ".repeat(blanks), style(Token::Text)),
        Span::styled(text, style(Token::Text)),
    ]
}

/// What a finding is about, the telling part first.
fn about(model: &Model, finding: &Finding) -> String {
    let subject = finding.subject();
    let service = finding.place.service.as_ref().filter(|_| finding.place.rule.is_none());
    let text = match service
        .map(|id| model.services.name(id))
        .filter(|name| !name.is_empty())
    {
        Some(name) => format!("{subject} {name}"),
        None => match subject.strip_prefix("-A ") {
            Some(rule) => without_matches(rule),
            None => subject,
        },
    };
    printable_within(&text, LONGEST)
}

/// A rule without the names of its matches: what they ask for tells more.
fn without_matches(rule: &str) -> String {
    let mut words = rule.split(' ');
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "-m" => drop(words.next()),
            word => kept.push(word),
        }
    }
    kept.join(" ")
}
