//! Searching in a text: in both of the Preview screen, and in the help.

use std::ops::Range;

use crate::tui::model::{LaidLine, Model, Pane};
use crate::tui::popups::{self, Help, Popup};
use crate::tui::screens::ScreenId;

/// More than this is not counted: nobody steps through it.
const MOST_HITS: usize = 9999;

/// One place where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In which text; where there is one only, it counts as words.
    pub pane: Pane,
    /// Which characters of which lines; several where the text was broken within.
    pub places: Vec<(usize, Range<usize>)>,
}

impl Hit {
    /// The line it begins on.
    pub fn line(&self) -> usize {
        self.places.first().map_or(0, |(line, _)| *line)
    }

    /// The first line in sight that brings it into sight, where so many of so many lines are: the one it is
    /// where it is in sight already.
    pub fn line_in_sight(&self, top: usize, len: usize, height: usize) -> usize {
        let line = self.line();
        match line < top || line >= top + height {
            // With a little of what comes before.
            true => line.saturating_sub(height / 3).min(len.saturating_sub(height)),
            false => top,
        }
    }
}

/// What is searched for, and where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    needle: String,
    hits: Vec<Hit>,
    current: usize,
}

impl Search {
    /// What is searched for; empty where nothing is.
    pub fn needle(&self) -> &str {
        &self.needle
    }

    /// Where it is, words first.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// The hit that was gone to.
    pub fn current(&self) -> Option<&Hit> {
        self.hits.get(self.current)
    }

    /// Its number, and how many there are.
    pub fn count(&self) -> (usize, usize) {
        (self.hits.len().min(self.current + 1), self.hits.len())
    }

    /// Goes on, or back, around the ends.
    pub const fn step(&mut self, is_forward: bool) {
        let len = self.hits.len();
        if len > 0 {
            let by = if is_forward { 1 } else { len - 1 };
            self.current = (self.current + by) % len;
        }
    }

    /// Begins anew.
    pub(in crate::tui) fn begin(&mut self, needle: String) {
        self.needle = needle;
        self.current = 0;
    }

    /// Looks in lines that are new.
    pub(in crate::tui) fn look(&mut self, words: &[LaidLine], rules: &[LaidLine]) {
        let needle: Vec<char> = self
            .needle
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .map(lower)
            .collect();
        self.hits.clear();
        if !needle.is_empty() {
            for (pane, lines) in [(Pane::Words, words), (Pane::Rules, rules)] {
                find(pane, lines, &needle, &mut self.hits);
            }
        }
        self.current = self.current.min(self.hits.len().saturating_sub(1));
    }
}

fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// A paragraph is searched as if it were one line.
fn find(pane: Pane, lines: &[LaidLine], needle: &[char], hits: &mut Vec<Hit>) {
    let mut first = 0;
    for paragraph in lines.chunk_by(|a, b| a.paragraph == b.paragraph) {
        let mut text: Vec<char> = Vec::new();
        // Where each character is; a space between two lines is nowhere.
        let mut places: Vec<Option<(usize, usize)>> = Vec::new();
        for (index, line) in paragraph.iter().enumerate() {
            if index > 0 {
                text.push(' ');
                places.push(None);
            }
            for (column, character) in line.chars().enumerate().skip(line.lead) {
                text.push(lower(character));
                places.push(Some((first + index, column)));
            }
        }
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| position(rest, needle)) {
            let found = from + at..from + at + needle.len();
            if hits.len() == MOST_HITS {
                return;
            }
            hits.push(Hit {
                pane,
                places: ranges(places.get(found.clone()).unwrap_or_default()),
            });
            from = found.end;
        }
        first += paragraph.len();
    }
}

fn position(text: &[char], needle: &[char]) -> Option<usize> {
    let (first, _) = needle.split_first()?;
    text.windows(needle.len())
        .position(|window| window.first() == Some(first) && window == needle)
}

/// The places of neighbouring characters, line by line.
fn ranges(places: &[Option<(usize, usize)>]) -> Vec<(usize, Range<usize>)> {
    let mut ranges: Vec<(usize, Range<usize>)> = Vec::new();
    for (line, column) in places.iter().copied().flatten() {
        match ranges.last_mut() {
            Some((last, range)) if *last == line && range.end == column => range.end += 1,
            _ => ranges.push((line, column..column + 1)),
        }
    }
    ranges
}

impl Model {
    /// The help, where it is open.
    pub fn help(&self) -> Option<&Help> {
        self.popups.iter().find_map(|popup| match popup {
            Popup::Help(help) => Some(help),
            _ => None,
        })
    }

    /// Searching in the text that is shown: in the help, else in the preview; none where rows are filtered.
    pub fn search(&self) -> Option<&Search> {
        match self.help() {
            Some(help) => Some(&help.search),
            None => (self.screen == ScreenId::Preview).then_some(&self.preview.search),
        }
    }

    /// What is searched for in the help, or on the screen that is shown.
    pub fn filter(&self) -> &str {
        if let Some(search) = self.search() {
            return search.needle();
        }
        match self.screen {
            ScreenId::Services => self.services.filter(),
            ScreenId::Checkup => self.checkup.filter(),
            ScreenId::Preview | ScreenId::Networks => "",
        }
    }

    /// Searches for something else there.
    pub fn set_filter(&mut self, filter: String) {
        if self.help().is_some() {
            popups::search_help(self, filter);
            return;
        }
        match self.screen {
            ScreenId::Services => self.services.set_filter(filter),
            ScreenId::Checkup => self.checkup.set_filter(filter),
            ScreenId::Preview => {
                self.preview.search_for(filter);
                crate::tui::screens::preview::go_to_hit(self);
            }
            ScreenId::Networks => {}
        }
    }

    /// How many lines the filter leaves, and of how many; where a text is searched, which place, and of how many.
    pub fn found(&self) -> (usize, usize) {
        match (self.search(), self.screen) {
            (Some(search), _) => search.count(),
            (None, ScreenId::Checkup) => (self.checkup.len(), self.checkup.total()),
            (None, _) => (self.services.len(), self.services.rows().len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Token;

    fn line(paragraph: usize, lead: usize, text: &str) -> LaidLine {
        LaidLine {
            paragraph,
            lead,
            ..LaidLine::plain(Token::Text, text)
        }
    }

    #[test]
    fn what_was_broken_is_found_whole() {
        let rules = [
            line(0, 2, "+ -p tcp --dport"),
            line(0, 6, "+     5432 -j RETURN"),
            line(1, 2, "- -p TCP --dport 80"),
        ];
        let mut search = Search::default();
        search.begin("DPORT  5432".into());
        search.look(&[], &rules);
        let [hit] = search.hits() else {
            panic!("{:?}", search.hits())
        };
        assert_eq!(hit.places, [(0, 11..16), (1, 6..10)]);
        search.begin("-p tcp".into());
        search.look(&[line(0, 0, "-p tcp")], &rules);
        assert_eq!(search.count(), (1, 3));
        search.step(false);
        assert_eq!(search.count(), (3, 3));
        search.step(true);
        assert_eq!(search.current().unwrap().pane, Pane::Words);
        search.begin("+".into());
        search.look(&[], &rules);
        assert_eq!(search.count(), (0, 0), "a sign is no text");
    }
}
