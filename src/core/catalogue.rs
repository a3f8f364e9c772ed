//! The catalogue of well-known services: what each is, who should reach it, how it is bound to
//! loopback, whether it asks who connects, and what does the same more safely.
//!
//! It comes with the program; the user's own additions change entries or add some. It advises; no rule
//! is made from it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::core::policy::Decision;
use crate::core::service::{Service, ServiceId};
use crate::core::text::capitalised;
use document::Changes;

mod document;
#[cfg(test)]
mod tests;

pub use document::Complaint;

/// The catalogue that comes with the program.
const EMBEDDED: &str = include_str!("../../assets/services.json");

/// Longest process name the kernel keeps (`TASK_COMM_LEN` in linux/sched.h, without the zero).
const LONGEST_COMM: usize = 15;

/// What is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Advice {
    /// This machine only.
    Confine,
    /// This machine, and trusted networks.
    Trusted,
    /// Everyone.
    Open,
    /// Not to run it at all.
    Disable,
}

impl Advice {
    /// The word on the screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confine => "confine",
            Self::Trusted => "trusted",
            Self::Open => "open",
            Self::Disable => "disable",
        }
    }

    /// The decision that comes closest.
    pub const fn decision(self) -> Decision {
        match self {
            Self::Confine | Self::Disable => Decision::Confine,
            Self::Trusted => Decision::Trusted,
            Self::Open => Decision::Open,
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A recommended decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommended {
    /// The decision.
    pub decision: Advice,
    /// Why: one sentence.
    pub why: String,
}

/// How a service is bound to loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loopback {
    /// The file; `command line` where it is an option of the program.
    pub file: String,
    /// The lines to set there.
    pub lines: Vec<String>,
    /// Where that holds: `Debian, Ubuntu`. None: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}

/// What stands for an option of the program in [`Loopback::file`].
pub const COMMAND_LINE: &str = "command line";

/// Whether a service has something that protects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Has {
    /// Always, or unless somebody took it away.
    Yes,
    /// Never.
    No,
    /// Where somebody set it up.
    Optional,
}

/// Whether a service asks who connects, or hides what is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Safeguard {
    /// Whether.
    pub is: Has,
    /// With what: `requirepass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

/// A well-known service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What additions know it by: `postgresql`.
    pub id: String,
    /// Its name: `PostgreSQL`.
    pub name: String,
    /// What it is: one sentence.
    pub what: String,
    /// Its usual ports.
    pub ports: Vec<ServiceId>,
    /// The names of its processes.
    pub processes: Vec<String>,
    /// Its systemd units; `*` stands for anything.
    pub units: Vec<String>,
    /// The decision recommended where somebody sits at the machine.
    pub desktop: Option<Recommended>,
    /// The decision recommended on a server.
    pub server: Option<Recommended>,
    /// How it is bound to loopback; none where that makes no sense or is not known.
    pub loopback: Vec<Loopback>,
    /// Whether it asks who connects. None where anybody is meant to, or it is not known.
    pub authenticates: Option<Safeguard>,
    /// Whether what is said can be read on the way. None where it makes no difference, or is not known.
    pub encrypts: Option<Safeguard>,
    /// What does the same more safely: one sentence.
    pub alternative: Option<String>,
    /// Whether it has to run as root all the time; none where that is not known.
    pub needs_root: Option<bool>,
    /// Whether its socket is the kernel's own, so that no process holds it.
    pub is_kernel: bool,
    /// Where this comes from.
    pub source: Option<String>,
}

impl Entry {
    /// What is recommended here; where it is not known what the machine is, what holds for both.
    pub fn recommended(&self, is_desktop: Option<bool>) -> Option<&Recommended> {
        match is_desktop {
            Some(true) => self.desktop.as_ref(),
            Some(false) => self.server.as_ref(),
            None => {
                let decision = |recommended: &Option<Recommended>| recommended.as_ref().map(|it| it.decision);
                let is_same = decision(&self.desktop) == decision(&self.server);
                self.server.as_ref().filter(|_| is_same)
            }
        }
    }

    /// Whether strangers are meant to use it somewhere: a web server, a game, a time server.
    pub fn is_for_everyone(&self) -> bool {
        let is_open = |it: &Option<Recommended>| it.as_ref().is_some_and(|it| it.decision == Advice::Open);
        is_open(&self.desktop) || is_open(&self.server)
    }

    /// Whether whoever reaches it may use it, and nobody in particular is meant to.
    pub fn asks_nobody(&self) -> bool {
        !self.is_for_everyone() && is(self.authenticates.as_ref(), Has::No)
    }

    /// Whether everything that is said can be read on the way.
    pub fn is_plain(&self) -> bool {
        is(self.encrypts.as_ref(), Has::No)
    }

    /// Whether what is said can be read on the way, and something else does the same encrypted.
    pub fn is_plain_for_nothing(&self) -> bool {
        self.is_plain() && self.alternative.is_some()
    }

    /// Whether it asks who connects only where somebody set that up.
    pub fn may_ask_nobody(&self) -> bool {
        !self.is_for_everyone() && is(self.authenticates.as_ref(), Has::Optional)
    }

    /// What it lacks where everyone reaches it, in words: `without a password`.
    pub fn lacks(&self) -> Option<String> {
        let password = match (self.asks_nobody(), self.may_ask_nobody()) {
            (true, _) => Some("without a password"),
            (false, true) => Some("perhaps without a password"),
            (false, false) => None,
        };
        let encryption = self.is_plain_for_nothing().then_some("without encryption");
        let words: Vec<&str> = password.into_iter().chain(encryption).collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }

    /// How to bind it to loopback, in short: the first way, with where it holds if another way has
    /// other lines.
    pub fn loopback_in_short(&self) -> Option<String> {
        let first = self.loopback.first()?;
        let is_same = self.loopback.iter().all(|other| other.lines == first.lines);
        Some(match first.on.as_ref().filter(|_| !is_same) {
            Some(on) => format!("{} ({on})", first.in_short()),
            None => first.in_short(),
        })
    }

    /// How to bind it to loopback, with every place: one sentence.
    pub fn loopback_in_full(&self) -> Option<String> {
        let mut ways: Vec<(String, Vec<String>)> = Vec::new();
        for way in &self.loopback {
            let lead = match way.file == COMMAND_LINE {
                true => format!("start it with {}", way.directive()),
                false => format!("set {} in", way.directive()),
            };
            let place = match (way.file == COMMAND_LINE, &way.on) {
                (true, on) => on.as_ref().map(|on| format!("({on})")).unwrap_or_default(),
                (false, Some(on)) => format!("{} ({on})", way.file),
                (false, None) => way.file.clone(),
            };
            match ways.last_mut() {
                Some((last, places)) if *last == lead => places.push(place),
                _ => ways.push((lead, vec![place])),
            }
        }
        let ways: Vec<String> = ways
            .into_iter()
            .map(|(lead, places)| format!("{lead} {}", places.join(" or ")).trim_end().to_owned())
            .collect();
        (!ways.is_empty()).then(|| format!("{}, and restart it.", capitalised(&ways.join(", or "))))
    }

    fn is_at(&self, at: &ServiceId) -> bool {
        let is_here = |port: &ServiceId| port.protocol == at.protocol && port.ports.contains(at.ports);
        self.ports.iter().any(is_here)
    }

    /// Whether it goes by its port alone: a kind of service, not a program.
    fn is_kind_of_service(&self) -> bool {
        self.processes.is_empty() && self.units.is_empty()
    }
}

impl Loopback {
    /// The lines in one: `listen_addresses = 'localhost'`.
    pub fn directive(&self) -> String {
        self.lines.join(" then ")
    }

    /// With the file's name alone: `bind = 127.0.0.1 in my.cnf`.
    pub fn in_short(&self) -> String {
        let name = self.file.rsplit('/').next().unwrap_or(&self.file);
        match self.file == COMMAND_LINE {
            true => format!("{} on its command line", self.directive()),
            false => format!("{} in {name}", self.directive()),
        }
    }
}

fn is(safeguard: Option<&Safeguard>, has: Has) -> bool {
    safeguard.is_some_and(|safeguard| safeguard.is == has)
}

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
