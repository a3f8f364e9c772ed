//! What is searched for, where it stands in a text.

use std::ops::Range;

use ratatui::text::Span;

use crate::tui::model::{LaidLine, Pane, Search};
use crate::tui::theme::Palette;

/// A line with what is searched for in it: of which text, and which one.
pub fn marked(palette: &Palette, search: &Search, place: (Pane, usize), line: &LaidLine) -> Vec<Span<'static>> {
    let (pane, index) = place;
    let mut marked: Vec<(Range<usize>, bool)> = Vec::new();
    for hit in search.hits().iter().filter(|hit| hit.pane == pane) {
        let is_current = search.current() == Some(hit);
        let here = hit.places.iter().filter(|(line, _)| *line == index);
        marked.extend(here.map(|(_, range)| (range.clone(), is_current)));
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut column = 0;
    for (token, text) in &line.spans {
        if marked.is_empty() {
            spans.push(Span::styled(text.clone(), palette.of(*token)));
            continue;
        }
        for character in text.chars() {
            let found = marked.iter().find(|(range, _)| range.contains(&column));
            let style = match found {
                Some((_, true)) => palette.alarm(),
                Some((_, false)) => palette.selection(),
                None => palette.of(*token),
            };
            match spans.last_mut() {
                Some(last) if last.style == style => last.content.to_mut().push(character),
                _ => spans.push(Span::styled(character.to_string(), style)),
            }
            column += 1;
        }
    }
    spans
}
