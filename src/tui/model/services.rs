//! What the Services screen keeps: rows, order, filter, marks, cursor.

use std::collections::BTreeSet;

use crate::core::counters::Counters;
use crate::core::overview::Row;
use crate::core::reach::Reach;
use crate::core::service::ServiceId;
use crate::tui::model::list::{ListState, Movement};

mod column;
mod search;

pub use column::Column;
pub(in crate::tui) use column::{unit, user};
use search::Search;

/// The state of the Services screen.
#[derive(Debug, Clone, Default)]
pub struct Services {
    rows: Vec<Row>,
    /// For each row, what a filter looks at, in lower case: made once a look, not once a key.
    haystacks: Vec<String>,
    visible: Vec<usize>,
    /// The cursor counts visible rows.
    pub list: ListState,
    filter: String,
    search: Search,
    sort: Column,
    is_reversed: bool,
    marks: BTreeSet<ServiceId>,
    astray: Option<Astray>,
    counts: Counts,
    is_recorded: bool,
}

/// Where the cursor was before a filter hid its row.
#[derive(Debug, Clone)]
struct Astray {
    /// The row it comes back to once that is shown again,
    home: ServiceId,
    /// unless it was moved from here meanwhile.
    refuge: Option<ServiceId>,
}

impl Services {
    /// Takes new rows; the cursor stays on its service. `is_recorded` is whether it is known what listened
    /// when something was last confirmed.
    pub fn replace(&mut self, rows: Vec<Row>, is_recorded: bool) {
        let selected = self.selected_id();
        if self.is_recorded != is_recorded {
            self.is_recorded = is_recorded;
            self.rows.clear();
        }
        self.haystacks.resize(rows.len(), String::new());
        for (index, (row, text)) in rows.iter().zip(&mut self.haystacks).enumerate() {
            // Most rows are what they were: their texts are, too.
            if self.rows.get(index) != Some(row) {
                *text = search::haystack(row, is_recorded);
            }
        }
        self.rows = rows;
        self.counts = Counts::of(&self.rows, is_recorded);
        if !self.marks.is_empty() {
            let present: BTreeSet<&ServiceId> = self.rows.iter().map(|row| &row.service.id).collect();
            self.marks.retain(|id| present.contains(id));
        }
        self.arrange(selected.as_ref());
    }

    /// Takes what the rules have counted since.
    pub fn count_again(&mut self, counters: &Counters) {
        for row in &mut self.rows {
            row.tally = counters.of(&row.service.id);
        }
        if self.sort == Column::Packets {
            let selected = self.selected_id();
            self.arrange(selected.as_ref());
        }
    }

    /// All rows, by port.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether a row is new to the user.
    pub fn is_news(&self, row: &Row) -> bool {
        row.is_news(self.is_recorded)
    }

    /// How many rows the filter leaves.
    pub fn len(&self) -> usize {
        self.visible.len()
    }

    /// Whether the filter leaves none.
    pub fn is_empty(&self) -> bool {
        self.visible.is_empty()
    }

    /// The rows from one position on, in the order shown.
    pub fn visible_from(&self, top: usize) -> impl Iterator<Item = &Row> {
        self.visible.iter().skip(top).filter_map(|index| self.rows.get(*index))
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&Row> {
        self.visible
            .get(self.list.cursor)
            .and_then(|index| self.rows.get(*index))
    }

    fn selected_id(&self) -> Option<ServiceId> {
        self.selected().map(|row| row.service.id.clone())
    }

    /// The name of a service; empty where it has none, or is not there.
    pub fn name(&self, id: &ServiceId) -> &str {
        let row = self.rows.iter().find(|row| row.service.id == *id);
        row.map_or("", |row| &row.service.name)
    }

    /// How many rows there are, whatever the filter leaves of them.
    pub const fn total(&self) -> usize {
        self.rows.len()
    }

    /// Goes to a service; a filter that hides it is taken away. Whether it is there.
    pub fn select(&mut self, id: &ServiceId) -> bool {
        let is_there = self.rows.iter().any(|row| row.service.id == *id);
        if is_there {
            self.astray = None;
            self.arrange(Some(id));
            if self.selected().is_none_or(|row| row.service.id != *id) {
                self.look_for(String::new());
                self.arrange(Some(id));
            }
        }
        is_there
    }

    /// What a decision is for: the marked rows, else the one under the cursor.
    pub fn targets(&self) -> Vec<ServiceId> {
        if self.marks.is_empty() {
            return self.selected_id().into_iter().collect();
        }
        self.marks.iter().cloned().collect()
    }

    /// Whether a row is marked.
    pub fn is_marked(&self, id: &ServiceId) -> bool {
        self.marks.contains(id)
    }

    /// How many rows are marked.
    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// How many of them the filter hides.
    pub fn marked_out_of_sight(&self) -> usize {
        if self.marks.is_empty() || self.visible.len() == self.rows.len() {
            return 0;
        }
        let in_sight = self.visible_from(0).filter(|row| self.is_marked(&row.service.id));
        self.marks.len().saturating_sub(in_sight.count())
    }

    /// Marks the row under the cursor, or takes its mark away.
    pub fn toggle_mark(&mut self) {
        if let Some(id) = self.selected_id()
            && !self.marks.remove(&id)
        {
            self.marks.insert(id);
        }
    }

    /// Marks every row the filter leaves, or takes their marks away where all have one. How many, and
    /// whether they are marked now.
    pub fn toggle_all(&mut self) -> (usize, bool) {
        let shown: Vec<ServiceId> = self.visible_from(0).map(|row| row.service.id.clone()).collect();
        let is_all = shown.iter().all(|id| self.marks.contains(id));
        let count = shown.len();
        if is_all {
            for id in &shown {
                self.marks.remove(id);
            }
        } else {
            self.marks.extend(shown);
        }
        (count, !is_all)
    }

    /// Marks the row under the cursor and the one it goes to, of `height` in sight.
    pub fn mark_on(&mut self, lines: isize, height: usize) {
        self.marks.extend(self.selected_id());
        let len = self.len();
        self.list.go(Movement::Lines(lines), len, height);
        self.marks.extend(self.selected_id());
    }

    /// Takes all marks away.
    pub fn clear_marks(&mut self) {
        self.marks.clear();
    }

    /// What is searched for.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The words that rows have been found by, in lower case.
    pub fn words(&self) -> &[String] {
        self.search.words()
    }

    /// Searches for something else. Where the cursor's row is hidden, it comes back to it as soon as it
    /// is shown again.
    pub fn set_filter(&mut self, filter: String) {
        if filter == self.filter {
            return;
        }
        let selected = self.selected_id();
        let home = self.astray.take().filter(|astray| astray.refuge == selected);
        let wanted = home.map(|astray| astray.home).or_else(|| selected.clone());
        self.look_for(filter);
        self.arrange(wanted.as_ref());
        let stands_on = self.selected_id();
        self.astray = wanted
            .filter(|wanted| stands_on.as_ref() != Some(wanted))
            .map(|home| Astray {
                home,
                refuge: stands_on,
            });
    }

    /// What was found is what was looked for: the cursor no longer goes back to where it was.
    pub fn stay_here(&mut self) {
        self.astray = None;
    }

    fn look_for(&mut self, filter: String) {
        self.search = Search::new(&filter);
        self.filter = filter;
    }

    /// What the rows are sorted by, and whether the other way round.
    pub const fn order(&self) -> (Column, bool) {
        (self.sort, self.is_reversed)
    }

    /// Sorts by a column; by the one it is sorted by already, the other way round.
    pub fn sort_by(&mut self, column: Column) {
        if self.sort == column {
            self.reverse();
            return;
        }
        self.sort = column;
        self.is_reversed = false;
        let selected = self.selected_id();
        self.arrange(selected.as_ref());
    }

    /// Sorts by the next of these columns.
    pub fn next_sort(&mut self, shown: &[Column]) {
        let at = shown.iter().position(|column| *column == self.sort);
        let next = at.map_or(0, |at| (at + 1) % shown.len().max(1));
        if let Some(column) = shown.get(next).filter(|column| **column != self.sort) {
            self.sort_by(*column);
        }
    }

    /// Turns the order round.
    pub fn reverse(&mut self) {
        self.is_reversed = !self.is_reversed;
        let selected = self.selected_id();
        self.arrange(selected.as_ref());
    }

    /// The services that listen, those reachable from outside, the new, the blocked and the changed ones.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn arrange(&mut self, selected: Option<&ServiceId>) {
        let (rows, search) = (&self.rows, &self.search);
        self.visible.clear();
        self.visible.extend(
            rows.iter()
                .zip(&self.haystacks)
                .enumerate()
                .filter(|(_, (row, haystack))| search.finds(row, haystack))
                .map(|(index, _)| index),
        );
        self.sort.sort(rows, &mut self.visible, self.is_reversed);
        let position = selected.and_then(|id| {
            self.visible
                .iter()
                .position(|index| self.rows.get(*index).is_some_and(|row| row.service.id == *id))
        });
        if let Some(position) = position {
            self.list.cursor = position;
        }
        self.list.cursor = self.list.cursor.min(self.visible.len().saturating_sub(1));
    }
}

/// The numbers in the title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Services that listen.
    pub listening: usize,
    /// Of these, those others can reach now, as far as is known.
    pub reachable: usize,
    /// Those that need a decision, and are new to the user.
    pub new: usize,
    /// Those without a decision that are not.
    pub undecided: usize,
    /// Those with a block.
    pub blocked: usize,
    /// Decisions that differ from the confirmed ones.
    pub changed: usize,
    /// Those that were not there when something was last confirmed, or listened otherwise.
    pub appeared: usize,
}

impl Counts {
    fn of(rows: &[Row], is_recorded: bool) -> Self {
        let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
        Self {
            listening: count(&|row| row.service.is_there()),
            reachable: count(&|row| row.service.is_there() && row.reach_now > Reach::ThisMachine),
            new: count(&|row| row.is_news(is_recorded)),
            undecided: count(&|row| row.is_new && !row.is_news(is_recorded)),
            blocked: count(&|row| !row.blocks.is_empty()),
            changed: count(&|row| row.is_changed),
            appeared: count(&|row| row.since.is_some()),
        }
    }
}
