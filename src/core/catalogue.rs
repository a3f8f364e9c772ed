//! The catalogue of well-known services: what each is, who should reach it, how it is bound to
//! loopback, whether it asks who connects, and what does the same more safely.
//!
//! It comes with the program; the user's own additions change entries or add some. It advises; no rule
//! is made from it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::core::service::{Service, ServiceId};
use document::Changes;

mod document;
mod entry;
#[cfg(test)]
mod tests;

pub use crate::core::json::Complaint;
pub use entry::{Advice, COMMAND_LINE, Entry, Has, Loopback, Recommended, Safeguard};

/// The catalogue that comes with the program.
const EMBEDDED: &str = include_str!("../../assets/services.json");

/// Longest process name the kernel keeps (`TASK_COMM_LEN` in linux/sched.h, without the zero).
const LONGEST_COMM: usize = 15;

/// What a match rests on, the most certain first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownBy {
    /// A process has its name.
    Process,
    /// A unit has its name.
    Unit,
    /// The port is usually its: what listens may be something else.
    Port,
}

/// A service's entry, and how certain it is that it is that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What it was known by.
    pub by: KnownBy,
}

impl Match<'_> {
    /// Whether it is certain that it is that.
    pub fn is_certain(&self) -> bool {
        self.by != KnownBy::Port
    }

    /// Its name, with how certain that is: `usually Telnet`.
    pub fn name(&self) -> String {
        match self.is_certain() {
            true => self.entry.name.clone(),
            false => format!("usually {}", self.entry.name),
        }
    }

    /// What it is, in a sentence that says how certain that is.
    pub fn what(&self) -> String {
        match self.is_certain() {
            true => self.entry.what.clone(),
            false => format!("By its port, perhaps: {}", self.entry.what),
        }
    }
}

/// The catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// By id.
    entries: BTreeMap<String, Entry>,
    /// The ids that have a process of this name, as the kernel keeps it.
    by_process: BTreeMap<String, Vec<String>>,
}

impl Catalogue {
    /// The one that comes with the program.
    pub fn embedded() -> Arc<Self> {
        static READ: OnceLock<Arc<Catalogue>> = OnceLock::new();
        let read = READ.get_or_init(|| {
            let mut catalogue = Self::default();
            // The tests hold that there is nothing to complain about.
            drop(catalogue.extend(EMBEDDED));
            Arc::new(catalogue)
        });
        Arc::clone(read)
    }

    /// Takes additions: entries with new ids, and for known ids the fields that are to be different.
    /// What is wrong is left out and complained about; the rest is taken.
    #[must_use]
    pub fn extend(&mut self, text: &str) -> Vec<Complaint> {
        let (changes, mut complaints) = document::parse(text);
        for change in changes {
            complaints.extend(self.take(change, text));
        }
        complaints.sort_by_key(|complaint| complaint.line);
        self.index();
        complaints
    }

    fn take(&mut self, changes: Changes, text: &str) -> Option<Complaint> {
        let known = self.entries.get(changes.id()).cloned();
        match changes.over(known, text) {
            Ok(entry) => {
                self.entries.insert(entry.id.clone(), entry);
                None
            }
            Err(complaint) => Some(complaint),
        }
    }

    fn index(&mut self) {
        let mut by_process: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in self.entries.values() {
            for process in &entry.processes {
                let ids = by_process.entry(comm(process)).or_default();
                ids.push(entry.id.clone());
            }
        }
        for ids in by_process.values_mut() {
            ids.dedup();
        }
        self.by_process = by_process;
    }

    /// All entries, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The entry with an id.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// What a service is, where that is certain, or where nothing that can be seen speaks against what
    /// its port usually is.
    pub fn find_credible(&self, service: &Service) -> Option<Match<'_>> {
        let is_credible = |it: &Match<'_>| it.is_certain() || service.owners.is_empty() || service.published.is_some();
        self.find(service).filter(is_credible)
    }

    /// What a service is: by its processes, else by its units, else by its port.
    pub fn find(&self, service: &Service) -> Option<Match<'_>> {
        let known = |entry, by| Match { entry, by };
        if let Some(published) = &service.published {
            // Whoever listens here is a proxy; the container has the service's own port.
            let inside = ServiceId::port(published.to.port(), service.id.protocol)?;
            return self.at(&inside).map(|entry| known(entry, KnownBy::Port));
        }
        let by_process = || self.by_process(service).map(|entry| known(entry, KnownBy::Process));
        let by_unit = || self.by_unit(service).map(|entry| known(entry, KnownBy::Unit));
        let by_port = || self.at(&service.id).map(|entry| known(entry, KnownBy::Port));
        by_process().or_else(by_unit).or_else(by_port)
    }

    /// By the names of the processes. Where several entries share a name, the unit or the port tells
    /// which of them it is; else it is what has no port of its own.
    fn by_process(&self, service: &Service) -> Option<&Entry> {
        let mut names = service.owners.iter().flat_map(|owner| {
            let program = owner.exe.as_deref().and_then(|exe| exe.rsplit('/').next());
            [Some(owner.name.as_str()), program].into_iter().flatten()
        });
        names.find_map(|name| {
            let ids = self.by_process.get(&comm(name))?;
            let candidates = || ids.iter().filter_map(|id| self.entries.get(id));
            match ids.as_slice() {
                [_] => candidates().next(),
                _ => candidates()
                    .find(|entry| has_unit(entry, service) && entry.is_at(&service.id))
                    .or_else(|| candidates().find(|entry| entry.is_at(&service.id)))
                    .or_else(|| candidates().find(|entry| has_unit(entry, service)))
                    .or_else(|| candidates().find(|entry| entry.ports.is_empty())),
            }
        })
    }

    fn by_unit(&self, service: &Service) -> Option<&Entry> {
        let mut entries = self.entries.values().filter(|entry| has_unit(entry, service));
        let first = entries.next()?;
        std::iter::once(first)
            .chain(entries)
            .find(|entry| entry.is_at(&service.id))
            .or(Some(first))
    }

    /// By port and protocol: the only one that usually has it, or what stands for all that do.
    fn at(&self, id: &ServiceId) -> Option<&Entry> {
        let usual: Vec<&Entry> = self.entries.values().filter(|entry| entry.is_at(id)).collect();
        match usual.as_slice() {
            [only] => Some(only),
            several => {
                let mut kinds = several.iter().filter(|entry| entry.is_kind_of_service());
                kinds.next().copied().filter(|_| kinds.next().is_none())
            }
        }
    }
}

/// A process's name as the kernel keeps it.
fn comm(name: &str) -> String {
    name.chars().take(LONGEST_COMM).collect()
}

fn has_unit(entry: &Entry, service: &Service) -> bool {
    let units = || {
        let owners = service.owners.iter().filter_map(|owner| owner.unit.as_deref());
        owners.chain(service.unit.as_deref())
    };
    entry
        .units
        .iter()
        .any(|pattern| units().any(|unit| is_like(pattern, unit)))
}

/// Whether a name is like a pattern in which `*` stands for anything.
fn is_like(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|tail| {
            let mut ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.any(|at| tail.get(at..).is_some_and(|tail| is_like(rest, tail)))
        }),
    }
}
