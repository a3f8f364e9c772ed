//! Text in a fixed number of cells.

use ratatui::buffer::CellWidth as _;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

const ELLIPSIS: char = '…';

/// Lines of prose that are longer are hard to read, in cells.
pub const READABLE: usize = 108;

/// How many cells a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(character: char) -> usize {
    // Nearly all there are; and control characters are never drawn as they are: see `fit`.
    if character.is_ascii() || character.is_control() {
        return 1;
    }
    usize::from(character.encode_utf8(&mut [0; 4]).cell_width())
}

/// The text in at most so many cells; what is cut off is an ellipsis.
pub fn fit(text: &str, cells: usize) -> String {
    let text: String = text
        .chars()
        .map(|character| if character.is_control() { '?' } else { character })
        .collect();
    if width(&text) <= cells {
        return text;
    }
    let mut out = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += char_width(character);
        if used + 1 > cells {
            break;
        }
        out.push(character);
    }
    if cells > 0 {
        out.push(ELLIPSIS);
    }
    out
}

/// A line after which more would follow, in at most so many cells: cut between words.
pub fn ended(line: &str, cells: usize) -> String {
    let mut line = line.to_owned();
    while width(&line) + 2 > cells
        && let Some((rest, _)) = line.rsplit_once(' ')
    {
        line = rest.to_owned();
    }
    fit(&format!("{line} …"), cells)
}

/// The end of the text in at most so many cells: where it is typed.
pub fn fit_end(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return fit(text, cells);
    }
    let mut used = 1;
    let end = text.char_indices().rev().take_while(|(_, character)| {
        used += char_width(*character);
        used <= cells
    });
    let begin = end.last().map_or(text.len(), |(begin, _)| begin);
    let end = text.get(begin..).unwrap_or_default();
    fit(&format!("{ELLIPSIS}{end}"), cells)
}

/// The text in exactly so many cells.
pub fn pad(text: &str, cells: usize) -> String {
    let mut out = fit(text, cells);
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', cells.saturating_sub(used)));
    out
}

/// The text in lines of at most so many cells, broken between words; words that are too long are
/// broken themselves. A text without words is one empty line.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split_whitespace() {
        let joined = used + usize::from(!line.is_empty()) + width(word);
        if joined > cells && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if !line.is_empty() {
            line.push(' ');
            used += 1;
        }
        for character in word.chars() {
            let more = char_width(character);
            if used + more > cells && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(if character.is_control() { '?' } else { character });
            used += more;
        }
    }
    lines.push(line);
    lines
}

/// [`wrap`] in one style, with every line but the first indented.
pub fn wrapped(text: &str, cells: usize, indent: usize, style: Style) -> Vec<Line<'static>> {
    wrap(text, cells.saturating_sub(indent))
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let margin = if index == 0 { 0 } else { indent };
            Line::from(vec![Span::raw(" ".repeat(margin)), Span::styled(line, style)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_take_the_cells_they_are_given() {
        assert_eq!(fit("postgres", 8), "postgres");
        assert_eq!(fit("postgres", 7), "postgr…");
        assert_eq!(fit("postgres", 1), "…");
        assert_eq!(fit("postgres", 0), "");
        assert_eq!(pad("ssh", 5), "ssh  ");
        assert_eq!(pad("漢字", 3), "漢…");
        assert_eq!(pad("漢字x", 4), "漢… ");
        assert_eq!(fit("a\u{1b}b", 9), "a?b");
        assert_eq!(fit_end("postgres", 8), "postgres");
        assert_eq!(fit_end("postgres", 7), "…stgres");
        assert_eq!(fit_end("漢字x", 4), "…字x");
        assert_eq!(
            (fit_end("postgres", 1), fit_end("postgres", 0)),
            ("…".to_owned(), String::new())
        );
    }

    #[test]
    fn what_is_cut_is_cut_between_words() {
        assert_eq!(ended("one two", 9), "one two …");
        assert_eq!(ended("one two", 8), "one …");
        assert_eq!(ended("postgres", 6), "postg…");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
        assert!(wrap("漢字漢字 x", 3).iter().all(|line| width(line) <= 3));
    }
}
