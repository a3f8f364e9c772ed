//! What the Checkup screen keeps: findings, marks, filters, cursor.

use crate::app::check;
use crate::core::checkup::{Finding, Severity};
use crate::core::policy::Marks;
use crate::tui::model::list::ListState;

/// A finding, with what the screen needs of it.
#[derive(Debug, Clone)]
pub struct Item {
    /// The finding.
    pub finding: Finding,
    /// The note it is marked with.
    pub note: Option<String>,
    /// What a filter looks at, in lower case.
    haystack: String,
}

/// A line of the list.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    /// That nothing was found.
    Nothing,
    /// A finding.
    Finding(&'a Item),
    /// Something that could not be looked at: one sentence.
    Unseen(&'a str),
}

/// The same, to be looked for in what is found later.
enum Owned {
    Nothing,
    Finding(Box<Finding>),
    Unseen(String),
}

impl From<Line<'_>> for Owned {
    fn from(line: Line<'_>) -> Self {
        match line {
            Line::Nothing => Self::Nothing,
            Line::Finding(item) => Self::Finding(Box::new(item.finding.clone())),
            Line::Unseen(text) => Self::Unseen(text.to_owned()),
        }
    }
}

/// The same by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Nothing,
    Finding(usize),
    Unseen(usize),
}

/// What is being done, or has been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    /// How many checks were asked for.
    asked: u64,
    /// The one that is shown.
    shown: u64,
    /// The one under way.
    under_way: Option<u64>,
    /// Whether the user has had enough of that.
    is_stopping: bool,
    /// Whether to check once more after that.
    is_wanted_again: bool,
    /// Whether the rules have changed since the one that is shown was asked for.
    is_outdated: bool,
}

/// The state of the Checkup screen.
#[derive(Debug, Clone, Default)]
pub struct Checkup {
    items: Vec<Item>,
    unseen: Vec<String>,
    looked_at: Vec<String>,
    visible: Vec<At>,
    /// The cursor counts visible lines.
    pub list: ListState,
    filter: String,
    severity: Option<Severity>,
    progress: Progress,
}

impl Checkup {
    /// Whether to check now; then it is under way, with this number. While a check is under way,
    /// another one begins after it.
    pub const fn begin(&mut self) -> Option<u64> {
        if self.progress.under_way.is_some() {
            self.progress.is_wanted_again = true;
            return None;
        }
        self.progress.asked += 1;
        self.progress.is_stopping = false;
        self.progress.under_way = Some(self.progress.asked);
        self.progress.is_wanted_again = false;
        self.progress.is_outdated = false;
        self.progress.under_way
    }

    /// Has had enough of the check that is under way, and of the one after it. Whether there was one
    /// to be stopped.
    pub const fn stop(&mut self) -> bool {
        let is_stopped = self.can_stop();
        self.progress.is_stopping = self.progress.under_way.is_some();
        self.progress.is_wanted_again = false;
        is_stopped
    }

    /// Whether there is one that could be stopped.
    pub const fn can_stop(&self) -> bool {
        self.progress.under_way.is_some() && (!self.progress.is_stopping || self.progress.is_wanted_again)
    }

    /// Whether the check that is under way is being stopped.
    pub const fn is_stopping(&self) -> bool {
        self.progress.is_stopping && self.progress.under_way.is_some()
    }

    /// A check was stopped. Whether to check once more.
    pub fn has_stopped(&mut self, number: u64) -> bool {
        if self.progress.under_way == Some(number) {
            self.progress.under_way = None;
        }
        self.progress.is_wanted_again && self.progress.under_way.is_none()
    }

    /// Whether it was never asked for.
    pub const fn is_untouched(&self) -> bool {
        self.progress.asked == 0
    }

    /// Whether a check is under way.
    pub const fn is_under_way(&self) -> bool {
        self.progress.under_way.is_some()
    }

    /// Whether a check has been done.
    pub const fn is_done(&self) -> bool {
        self.progress.shown > 0
    }

    /// Whether the rules have changed since.
    pub const fn is_outdated(&self) -> bool {
        self.progress.is_outdated && self.is_done()
    }

    /// The rules have changed.
    pub const fn outdate(&mut self) {
        self.progress.is_outdated = true;
    }

    /// Takes what was found, unless something newer is shown already. Whether to check once more.
    pub fn adopt(&mut self, number: u64, found: check::Checkup, marks: &Marks) -> bool {
        if self.progress.under_way == Some(number) {
            self.progress.under_way = None;
        }
        if number > self.progress.shown {
            self.progress.shown = number;
            let selected = self.selected().map(Owned::from);
            self.items = found.findings.into_iter().map(Item::new).collect();
            self.unseen = found.unseen;
            self.looked_at = found.looked_at;
            note(&mut self.items, marks);
            let selected = selected.and_then(|line| self.place_of(&line));
            self.arrange(selected);
        }
        self.progress.is_wanted_again && self.progress.under_way.is_none()
    }

    /// Takes the marks of a policy. What was just marked goes to the end, and the cursor to what
    /// takes its place.
    pub fn mark(&mut self, marks: &Marks) {
        let selected = self.selected_at();
        let is_known = |checkup: &Self| checkup.selected_item().is_some_and(|item| item.note.is_some());
        let before = is_known(self);
        note(&mut self.items, marks);
        let is_moved = is_known(self) != before;
        self.arrange(selected.filter(|_| !is_moved));
    }

    /// All findings, the worst first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What was looked at.
    pub fn looked_at(&self) -> &[String] {
        &self.looked_at
    }

    /// What could not be looked at.
    pub fn unseen(&self) -> &[String] {
        &self.unseen
    }

    /// How many lines there are without a filter.
    pub const fn total(&self) -> usize {
        self.items.len() + self.unseen.len() + self.has_nothing() as usize
    }

    /// Whether nothing was found: then a line says so.
    const fn has_nothing(&self) -> bool {
        self.is_done() && self.items.is_empty()
    }

    /// How many lines the filters leave.
    pub const fn len(&self) -> usize {
        self.visible.len()
    }

    /// Whether they leave none.
    pub const fn is_empty(&self) -> bool {
        self.visible.is_empty()
    }

    /// The lines from one position on, in the order shown.
    pub fn visible_from(&self, top: usize) -> impl Iterator<Item = Line<'_>> {
        self.visible.iter().skip(top).filter_map(|at| self.line(*at))
    }

    /// The line under the cursor.
    pub fn selected(&self) -> Option<Line<'_>> {
        self.visible.get(self.list.cursor).and_then(|at| self.line(*at))
    }

    /// The finding under the cursor.
    pub fn selected_item(&self) -> Option<&Item> {
        match self.selected() {
            Some(Line::Finding(item)) => Some(item),
            Some(Line::Nothing | Line::Unseen(_)) | None => None,
        }
    }

    /// How many findings of a severity are not marked.
    pub fn count(&self, severity: Severity) -> usize {
        let counts = |item: &&Item| item.note.is_none() && item.finding.severity == severity;
        self.items.iter().filter(counts).count()
    }

    /// How many are marked.
    pub fn known(&self) -> usize {
        self.items.iter().filter(|item| item.note.is_some()).count()
    }

    /// What is searched for.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Searches for something else.
    pub fn set_filter(&mut self, filter: String) {
        let selected = self.selected_at();
        self.filter = filter;
        self.arrange(selected);
    }

    /// The only severity shown; none where all are.
    pub const fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// Shows only findings of a severity; with none, all.
    pub fn set_severity(&mut self, severity: Option<Severity>) {
        let selected = self.selected_at();
        self.severity = severity;
        self.arrange(selected);
    }

    /// Shows the next severity there is something of, after the last one all.
    pub fn next_severity(&mut self) {
        let there = |severity: &Severity| self.items.iter().any(|item| item.finding.severity == *severity);
        let after = |severity: &Severity| self.severity.is_none_or(|shown| *severity > shown);
        let next = Severity::ALL.into_iter().filter(after).find(there);
        self.set_severity(next);
    }

    fn line(&self, at: At) -> Option<Line<'_>> {
        match at {
            At::Nothing => Some(Line::Nothing),
            At::Finding(index) => self.items.get(index).map(Line::Finding),
            At::Unseen(index) => self.unseen.get(index).map(|text| Line::Unseen(text)),
        }
    }

    fn selected_at(&self) -> Option<At> {
        self.visible.get(self.list.cursor).copied()
    }

    /// Where a line of an earlier check is now: the very same, or what is said of the same subject.
    fn place_of(&self, line: &Owned) -> Option<At> {
        match line {
            Owned::Nothing => None,
            Owned::Finding(finding) => {
                let same = self.items.iter().position(|item| item.finding == **finding);
                let subject = finding.subject();
                let is_about = |item: &Item| item.finding.id == finding.id && item.finding.subject() == subject;
                same.or_else(|| self.items.iter().position(is_about)).map(At::Finding)
            }
            Owned::Unseen(text) => {
                let same = self.unseen.iter().position(|other| other == text);
                same.map(At::Unseen)
            }
        }
    }

    /// Findings, then what could not be looked at, then what is known.
    fn arrange(&mut self, selected: Option<At>) {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let matches = |haystack: &str| words.iter().all(|word| haystack.contains(word.as_str()));
        let is_shown = |item: &Item| {
            self.severity.is_none_or(|severity| item.finding.severity == severity) && matches(&item.haystack)
        };
        let findings = |is_known: bool| {
            let is_among = move |item: &Item| item.note.is_some() == is_known;
            let items = self.items.iter().enumerate();
            let items = items.filter(move |(_, item)| is_among(item) && is_shown(item));
            items.map(|(index, _)| At::Finding(index))
        };
        let unseen = self.unseen.iter().enumerate();
        let unseen = unseen.filter(|(_, text)| self.severity.is_none() && matches(&text.to_lowercase()));
        let nothing = self.has_nothing().then_some(At::Nothing);
        self.visible = nothing
            .into_iter()
            .chain(findings(false))
            .chain(unseen.map(|(index, _)| At::Unseen(index)))
            .chain(findings(true))
            .collect();
        let position = selected.and_then(|selected| self.visible.iter().position(|at| *at == selected));
        if let Some(position) = position {
            self.list.cursor = position;
        }
        self.list.cursor = self.list.cursor.min(self.visible.len().saturating_sub(1));
    }
}

impl Item {
    fn new(finding: Finding) -> Self {
        let mut haystack = format!("{} {} {}", finding.severity, finding.id, finding.what);
        let place = &finding.place;
        let words = [&place.file, &place.chain, &place.rule, &place.sysctl];
        let service = place.service.as_ref().map(ToString::to_string);
        for word in words.into_iter().flatten().chain(&service) {
            haystack.push(' ');
            haystack.push_str(word);
        }
        Self {
            haystack: haystack.to_lowercase(),
            finding,
            note: None,
        }
    }
}

fn note(items: &mut [Item], marks: &Marks) {
    for item in items {
        item.note = marks.note_of(&item.finding).map(str::to_owned);
    }
}
