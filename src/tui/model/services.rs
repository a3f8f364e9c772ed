//! What the Services screen keeps: rows, order, filter, marks, cursor.

use std::collections::BTreeSet;

use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::ServiceId;
use crate::tui::model::list::ListState;

/// What the rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Port, protocol, address.
    #[default]
    Port,
    /// Name.
    Name,
    /// Reach now, the widest first.
    Reach,
    /// What needs a decision first, then by decision.
    Decision,
}

impl Sort {
    /// The order a key cycles through.
    const fn next(self) -> Self {
        match self {
            Self::Port => Self::Name,
            Self::Name => Self::Reach,
            Self::Reach => Self::Decision,
            Self::Decision => Self::Port,
        }
    }

    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Name => "name",
            Self::Reach => "reach",
            Self::Decision => "decision",
        }
    }
}

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
    sort: Sort,
    marks: BTreeSet<ServiceId>,
}

impl Services {
    /// Takes new rows; the cursor stays on its service.
    pub fn replace(&mut self, rows: Vec<Row>) {
        let selected = self.selected().map(|row| row.service.id.clone());
        self.haystacks = rows.iter().map(haystack).collect();
        self.rows = rows;
        let present: BTreeSet<&ServiceId> = self.rows.iter().map(|row| &row.service.id).collect();
        self.marks.retain(|id| present.contains(id));
        self.arrange(selected.as_ref());
    }

    /// All rows, by port.
    pub fn rows(&self) -> &[Row] {
        &self.rows
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

    /// The name of a service; empty where it has none, or is not there.
    pub fn name(&self, id: &ServiceId) -> &str {
        let row = self.rows.iter().find(|row| row.service.id == *id);
        row.map_or("", |row| &row.service.name)
    }

    /// Goes to a service; a filter that hides it is taken away. Whether it is there.
    pub fn select(&mut self, id: &ServiceId) -> bool {
        let is_there = self.rows.iter().any(|row| row.service.id == *id);
        if is_there {
            self.arrange(Some(id));
            if self.selected().is_none_or(|row| row.service.id != *id) {
                self.filter.clear();
                self.arrange(Some(id));
            }
        }
        is_there
    }

    /// What a decision is for: the marked rows, else the one under the cursor.
    pub fn targets(&self) -> Vec<ServiceId> {
        if self.marks.is_empty() {
            return self.selected().map(|row| row.service.id.clone()).into_iter().collect();
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

    /// Marks the row under the cursor, or takes its mark away.
    pub fn toggle_mark(&mut self) {
        if let Some(id) = self.selected().map(|row| row.service.id.clone())
            && !self.marks.remove(&id)
        {
            self.marks.insert(id);
        }
    }

    /// Takes all marks away.
    pub fn clear_marks(&mut self) {
        self.marks.clear();
    }

    /// What is searched for.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Searches for something else.
    pub fn set_filter(&mut self, filter: String) {
        let selected = self.selected().map(|row| row.service.id.clone());
        self.filter = filter;
        self.arrange(selected.as_ref());
    }

    /// What the rows are sorted by.
    pub const fn sort(&self) -> Sort {
        self.sort
    }

    /// Sorts by the next thing.
    pub fn next_sort(&mut self) {
        let selected = self.selected().map(|row| row.service.id.clone());
        self.sort = self.sort.next();
        self.arrange(selected.as_ref());
    }

    /// The services that listen, those reachable from outside, the new, the blocked and the changed ones.
    pub fn counts(&self) -> Counts {
        let count = |is: &dyn Fn(&Row) -> bool| self.rows.iter().filter(|row| is(row)).count();
        Counts {
            listening: count(&|row| row.service.is_there()),
            reachable: count(&|row| row.service.is_there() && row.reach_now > Reach::ThisMachine),
            new: count(&|row| row.is_new),
            blocked: count(&|row| !row.blocks.is_empty()),
            changed: count(&|row| row.is_changed),
        }
    }

    fn arrange(&mut self, selected: Option<&ServiceId>) {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let is_match = |haystack: &String| words.iter().all(|word| haystack.contains(word.as_str()));
        let rows = &self.rows;
        let mut visible: Vec<usize> = self
            .haystacks
            .iter()
            .enumerate()
            .filter(|(_, haystack)| is_match(haystack))
            .map(|(index, _)| index)
            .collect();
        // Rows come sorted by port, and these sorts are stable.
        match self.sort {
            Sort::Port => {}
            Sort::Name => visible.sort_by_cached_key(|index| {
                rows.get(*index)
                    .map(|row| (row.service.name.is_empty(), row.service.name.to_lowercase()))
            }),
            Sort::Reach => visible.sort_by_key(|index| rows.get(*index).map(|row| std::cmp::Reverse(row.reach_now))),
            Sort::Decision => visible.sort_by_key(|index| {
                rows.get(*index)
                    .map(|row| (!row.is_new, row.decision == Decision::Undecided, row.decision))
            }),
        }
        self.visible = visible;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Services that listen.
    pub listening: usize,
    /// Of these, those others can reach now, as far as is known.
    pub reachable: usize,
    /// Those that need a decision.
    pub new: usize,
    /// Those with a block.
    pub blocked: usize,
    /// Decisions that differ from the confirmed ones.
    pub changed: usize,
}

fn haystack(row: &Row) -> String {
    let service = &row.service;
    let mut text = format!(
        "{} {} {} {} {}",
        service.name, service.id, service.bound_to, row.reach_now, row.decision
    );
    if row.is_new {
        text.push_str(" new");
    }
    for block in &row.blocks {
        text.push(' ');
        text.push_str(&block.mark());
    }
    if row.disabled.is_some() {
        text.push_str(" disabled");
    }
    if service.published.is_some() {
        text.push_str(" published dnat");
    }
    let owners = service
        .owners
        .iter()
        .flat_map(|owner| [&owner.user, &owner.unit, &owner.exe]);
    for word in owners.chain([&service.unit]).flatten() {
        text.push(' ');
        text.push_str(word);
    }
    text.to_lowercase()
}
