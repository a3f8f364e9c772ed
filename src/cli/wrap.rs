//! Prose in lines that a terminal has room for.

use crate::core::text::{capitalised, printable_within};
use crate::tui::widgets::text::width;

/// Longer lines are hard to read, however wide the terminal; reports in a pipe have this width, too.
pub(super) const WIDEST: usize = 100;
/// Longest rule or sentence in a report, in characters.
const LONGEST: usize = 2000;
/// What stands before an item; its other lines begin where its words do.
const MARKS: [&str; 5] = ["fwtui: ", "- ", "* ", "!! ", "! "];
/// A command with more cells than this is broken, too.
const LONGEST_COMMAND: usize = 44;

/// The text with lines longer than so many cells broken at the ends of words, and indented as they were. Commands
/// in quotes stay whole, as they may be copied; a word that is wider has a line of its own. Shorter lines stay as
/// they are.
pub(super) fn wrap(text: &str, cells: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches('\n');
        if width(line) <= cells {
            out.push_str(whole);
            continue;
        }
        let margin = " ".repeat(hang(line).min(cells / 2));
        let mut used = 0;
        for (blanks, word) in pieces(line) {
            let wanted = width(&word);
            if used > margin.len() && used + blanks + wanted > cells {
                out.push('\n');
                out.push_str(&margin);
                used = margin.len();
            } else {
                out.extend(std::iter::repeat_n(' ', blanks));
                used += blanks;
            }
            out.push_str(&word);
            used += wanted;
        }
        out.push_str(whole.get(line.len()..).unwrap_or_default());
    }
    out
}

/// Where the other lines begin: behind a mark, and else a little further in than the first, if that is indented.
fn hang(line: &str) -> usize {
    let words = line.trim_start_matches(' ');
    let indent = line.len() - words.len();
    match MARKS.iter().find(|mark| words.starts_with(**mark)) {
        Some(mark) => indent + mark.len(),
        None if indent > 0 => indent + 2,
        None => 0,
    }
}

/// The words with the number of blanks before each; a command in quotes is one word.
fn pieces(line: &str) -> Vec<(usize, String)> {
    let mut pieces: Vec<(usize, String)> = Vec::new();
    let mut blanks = 0;
    // Of the quoted command that is being read: which piece it began with.
    let mut begin: Option<usize> = None;
    for (index, word) in line.split(' ').enumerate() {
        blanks += usize::from(index > 0);
        if word.is_empty() {
            continue;
        }
        pieces.push((blanks, word.to_owned()));
        blanks = 0;
        if begin.is_none() && word.trim_start_matches('(').starts_with('\'') {
            begin = Some(pieces.len() - 1);
        }
        let Some(first) = begin.filter(|_| word.trim_end_matches(['.', ',', ';', ':', ')', '?']).ends_with('\''))
        else {
            continue;
        };
        begin = None;
        let quoted = pieces.split_off(first);
        let before = quoted.first().map_or(0, |(blanks, _)| *blanks);
        let joined: Vec<&str> = quoted.iter().map(|(_, word)| word.as_str()).collect();
        let joined = joined.join(" ");
        match width(&joined) <= LONGEST_COMMAND {
            true => pieces.push((before, joined)),
            false => pieces.extend(quoted),
        }
    }
    pieces
}

/// A report that is put together line by line, none of them wider than it is.
#[derive(Debug)]
pub(super) struct Report {
    text: String,
    cells: usize,
    /// Whether commands in quotes stay whole, as they do on a terminal.
    keeps_commands: bool,
}

impl Report {
    /// An empty one, as wide as the terminal; none is as wide as it gets.
    pub(super) fn new(cells: Option<usize>) -> Self {
        Self {
            text: String::new(),
            cells: cells.unwrap_or(WIDEST),
            keeps_commands: cells.is_some(),
        }
    }

    /// Adds a line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds words as lines that are not too wide; a word that is wider has a line of its own.
    pub(super) fn wrapped(&mut self, first: &str, other: &str, words: &str) {
        let words = capitalised_sentence(&printable_within(words, LONGEST), first);
        let mut line = first.to_owned();
        let mut is_empty = true;
        let words: Vec<String> = match self.keeps_commands {
            true => pieces(&words).into_iter().map(|(_, word)| word).collect(),
            false => words.split_whitespace().map(str::to_owned).collect(),
        };
        for word in words {
            if !is_empty && width(&line) + 1 + width(&word) > self.cells {
                self.line(&line);
                other.clone_into(&mut line);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(&word);
            is_empty = false;
        }
        self.line(line.trim_end());
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Sentences begin with a capital letter; rules and ids stay as they are.
fn capitalised_sentence(words: &str, before: &str) -> String {
    match before.trim_end().ends_with(':') {
        true => capitalised(words),
        false => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_between_words_and_short_ones_stay() {
        let text = "Short  stays.\nThis one is longer than twenty.\n";
        assert_eq!(wrap(text, 20), "Short  stays.\nThis one is longer\nthan twenty.\n");
        assert_eq!(wrap(text, 100), text);
        assert_eq!(wrap("no end of the line here", 12), "no end of\nthe line\nhere");
        assert_eq!(wrap("", 12), "");
        assert_eq!(wrap("\n\n", 12), "\n\n");
    }

    #[test]
    fn what_is_indented_stays_indented() {
        assert_eq!(wrap("  one two three four", 12), "  one two\n    three\n    four");
        assert_eq!(wrap("fwtui: one two three", 14), "fwtui: one two\n       three");
        assert_eq!(wrap("   !! one two three", 14), "   !! one two\n      three");
        assert_eq!(wrap("  - one two three", 12), "  - one two\n    three");
    }

    #[test]
    fn commands_stay_whole_and_words_are_never_broken() {
        let text = "Keep it with 'sudo fwtui confirm', or don't.";
        assert_eq!(wrap(text, 26), "Keep it with\n'sudo fwtui confirm', or\ndon't.");
        assert_eq!(
            wrap("see /a/very/long/path/indeed there", 12),
            "see\n/a/very/long/path/indeed\nthere"
        );
        // A quote that does not end, and one that is too long, hold nothing together.
        let text = format!("a 'b {} c' d", "word ".repeat(30));
        assert!(wrap(&text, 20).lines().all(|line| line.len() <= 20));
        assert!(wrap(&text.replace("c'", "c"), 20).lines().all(|line| line.len() <= 20));
    }

    #[test]
    fn cells_are_counted_and_nothing_is_lost() {
        let text = "漢字 漢字 漢字 漢字";
        for cells in 4..20 {
            let wrapped = wrap(text, cells);
            assert!(wrapped.lines().all(|line| width(line) <= cells), "{wrapped}");
            assert!(wrapped.split_whitespace().eq(text.split_whitespace()));
        }
    }

    #[test]
    fn a_report_is_as_wide_as_it_is_told() {
        for cells in [40, 60, 80, 100] {
            let mut report = Report::new(Some(cells));
            report.wrapped("    What: ", "          ", &"words of a finding ".repeat(20));
            let text = report.into_text();
            assert!(text.starts_with("    What: Words of"), "{text}");
            assert!(text.lines().all(|line| line.len() <= cells), "{text}");
            assert!(
                text.lines().skip(1).all(|line| line.starts_with("          w")
                    || line.starts_with("          o")
                    || line.starts_with("          a")
                    || line.starts_with("          f")),
                "{text}"
            );
        }
        assert_eq!(Report::new(None).cells, WIDEST);
    }
}
