//! The selected finding in full.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line as Text, Span};

use crate::core::checkup::Finding;
use crate::core::text::printable_within;
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Line, Model};
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::bars::rule;
use crate::tui::widgets::symbols;
use crate::tui::widgets::text::{READABLE, pad, wrap};

/// The words in front of the paragraphs.
const LABEL: usize = 7;
/// Longest text, in characters: a rule may be as long as somebody likes.
const LONGEST: usize = 4000;

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    label: &'static str,
    token: Token,
    text: String,
}

/// The finding's kind and severity, or what the line is about.
pub fn title(line: Line<'_>) -> String {
    match line {
        Line::Nothing => "nothing found".to_owned(),
        Line::Unseen(_) => "? could not be looked at".to_owned(),
        Line::Finding(item) => {
            let (symbol, _) = symbols::severity(item.finding.severity);
            format!("{symbol} {} · {}", item.finding.severity, item.finding.id)
        }
    }
}

/// All that is to be said of a line.
pub fn paragraphs(model: &Model, line: Line<'_>) -> Vec<Paragraph> {
    let paragraph = |label, token, text: &str| Paragraph {
        label,
        token,
        text: printable_within(text, LONGEST),
    };
    match line {
        Line::Nothing => {
            let looked_at = model.checkup.looked_at().join(", ");
            let (token, text) = match model.checkup.unseen().is_empty() {
                true => (
                    Token::Good,
                    "Nothing here is harmful, risky, redundant or missing, as far as fwtui knows.",
                ),
                false => (
                    Token::Text,
                    "In what could be looked at, nothing is harmful, risky, redundant or missing.",
                ),
            };
            let mut all = vec![paragraph("What", token, text)];
            if !looked_at.is_empty() {
                all.push(paragraph("Seen", Token::Text, &format!("{looked_at}.")));
            }
            all
        }
        Line::Unseen(text) => vec![paragraph("", Token::Text, text)],
        Line::Finding(item) => {
            let finding = &item.finding;
            let mut all = vec![
                paragraph("What", Token::Text, &finding.what),
                paragraph("Why", Token::Text, &finding.why),
                paragraph("Do", Token::Accent, &finding.advice),
            ];
            if let Some(note) = &item.note {
                let text = format!("Known and intended: {note}");
                all.insert(0, paragraph("Note", Token::Good, &text));
            }
            let place = place(model, finding);
            if !place.is_empty() {
                all.push(paragraph("Where", Token::Dim, &place));
            }
            if let Some(rule) = &finding.place.rule {
                all.push(paragraph("Rule", Token::Text, rule));
            }
            all
        }
    }
}

/// File and line, chain, sysctl, service.
fn place(model: &Model, finding: &Finding) -> String {
    let place = &finding.place;
    let file = place.file.as_ref().map(|file| match place.line {
        Some(line) => format!("{file}:{line}"),
        None => file.clone(),
    });
    let service = place
        .service
        .as_ref()
        .map(|id| format!("{id} {}", model.services.name(id)));
    let service = service.map(|words| words.trim_end().to_owned());
    let parts = [file, place.chain.clone(), place.sysctl.clone(), service];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" · ")
}

/// The paragraphs in lines of at most so many cells.
pub fn lines(palette: &Palette, paragraphs: &[Paragraph], cells: usize) -> Vec<Text<'static>> {
    let has_labels = paragraphs.iter().any(|paragraph| !paragraph.label.is_empty());
    let margin = if has_labels { LABEL } else { 0 };
    let cells = cells.min(READABLE).saturating_sub(margin);
    let line = |paragraph: &Paragraph, index: usize, text: String| {
        let label = if index == 0 { paragraph.label } else { "" };
        Text::from(vec![
            Span::styled(pad(label, margin), palette.of(Token::Dim)),
            // A whole sentence in bold is loud.
            Span::styled(text, palette.of(paragraph.token).remove_modifier(Modifier::BOLD)),
        ])
    };
    let of = |paragraph: &Paragraph| {
        let lines = wrap(&paragraph.text, cells).into_iter().enumerate();
        lines
            .map(|(index, text)| line(paragraph, index, text))
            .collect::<Vec<_>>()
    };
    paragraphs.iter().flat_map(of).collect()
}

/// Draws the title and what fits; the last line says how to read the rest.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, title_area: Rect, area: Rect) {
    let palette = &model.palette;
    let checkup = &model.checkup;
    let Some(selected) = checkup.selected() else {
        frame.render_widget(rule(palette, "", "", title_area.width), title_area);
        return;
    };
    let position = format!("{}/{}", checkup.list.cursor + 1, checkup.len());
    frame.render_widget(rule(palette, &title(selected), &position, title_area.width), title_area);
    let cells = usize::from(area.width).saturating_sub(4);
    let lines = lines(palette, &paragraphs(model, selected), cells);
    let is_cut = lines.len() > usize::from(area.height);
    for (place, line) in area.rows().zip(lines) {
        let mut spans = vec![Span::raw("  ")];
        spans.extend(line.spans);
        frame.render_widget(Text::from(spans), place);
    }
    if let Some(last) = area.rows().next_back().filter(|_| is_cut) {
        let more = Text::styled(
            format!(" … {} reads all ", model.key_of(CommandId::ReadWhole, Context::Checkup)),
            palette.of(Token::Dim),
        )
        .right_aligned();
        let cells = u16::try_from(more.width()).unwrap_or_default();
        let place = Rect {
            x: last.right().saturating_sub(cells),
            width: cells.min(last.width),
            ..last
        };
        frame.render_widget(more, place);
    }
}
