//! systemd's units, as far as stopping a service takes: what is known of one, what starts it, and
//! what needs it.
//!
//! `systemctl(1)`, `systemd.unit(5)` and `org.freedesktop.systemd1(5)` are the sources.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::core::text::printable_within;

mod owner;
mod proposal;
#[cfg(test)]
mod tests;

pub use owner::{Candidate, Process, Unstoppable, candidate};
pub use proposal::{Proposal, carries_network, choose, listed, socket_for};

/// The longest name systemd takes (`UNIT_NAME_MAX`).
const LONGEST_NAME: usize = 255;

/// The properties that [`parse`] reads, for `systemctl show --property=`.
pub const PROPERTIES: &str = "Id,LoadState,ActiveState,UnitFileState,FragmentPath,SourcePath,ControlGroup,Job,CanStop,\
     RefuseManualStop,Accept,Listen,Triggers,TriggeredBy,PartOf,ConsistsOf,RequiredBy,RequisiteOf,BoundBy,WantedBy,UpheldBy";

/// Whether this is the name of a unit that can be stopped and disabled, and of no pattern.
pub fn is_unit_name(name: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || ":-_.\\@".contains(letter);
    let has_ending = ENDINGS
        .iter()
        .any(|ending| name.strip_suffix(ending).is_some_and(|stem| !stem.is_empty()));
    has_ending && name.len() <= LONGEST_NAME && !name.starts_with('-') && name.chars().all(is_part)
}

/// What can start a service, and services.
const ENDINGS: [&str; 4] = [".service", ".socket", ".path", ".timer"];

/// A unit as `systemctl show` tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its own name, whatever alias it was asked for by.
    pub name: String,
    /// `loaded`, `masked`, `not-found` and others.
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating` and others.
    pub active: String,
    /// `enabled`, `disabled`, `static`, `generated` and others; empty where there is no file.
    pub file: String,
    /// The unit's file.
    pub fragment: String,
    /// What a generator made it from: `/etc/init.d/apache2`.
    pub source: String,
    /// Its control group below the root.
    pub cgroup: String,
    /// Whether something is about to be done to it.
    pub has_job: bool,
    /// Whether systemd lets it be stopped by hand.
    pub can_stop: bool,
    /// Of a socket: whether each connection gets a process of its own.
    pub accepts: bool,
    /// Of a socket: where it listens, `[::]:631 (Stream)`.
    pub listens: Vec<String>,
    /// What it starts.
    pub triggers: Vec<String>,
    /// What starts it: sockets, paths, timers.
    pub triggered_by: Vec<String>,
    /// What it is stopped with.
    pub part_of: Vec<String>,
    /// The units that are stopped with it, because they need it or are part of it.
    pub needed_by: Vec<String>,
    /// The units that start it when they start, and go on without it; no targets.
    pub wanted_by: Vec<String>,
}

impl Unit {
    /// Whether it runs, or is between that and not.
    pub fn is_running(&self) -> bool {
        !matches!(self.active.as_str(), "inactive" | "failed" | "")
    }

    /// Whether boot starts it.
    pub fn is_enabled(&self) -> bool {
        self.file.starts_with("enabled") || self.is_from_init_d()
    }

    /// Whether `systemctl disable` keeps boot from starting it.
    pub fn can_be_disabled(&self) -> bool {
        matches!(
            self.file.as_str(),
            "enabled" | "linked" | "alias" | "indirect" | "disabled"
        ) || self.is_from_init_d()
    }

    /// Whether a generator made it from a script in `/etc/init.d`: `systemctl` hands those on to the
    /// distribution's own program.
    pub fn is_from_init_d(&self) -> bool {
        self.file == "generated" && self.source.starts_with("/etc/init.d/")
    }

    /// Whether it can be masked until the next boot: a file of the administrator's own goes before
    /// `/run`, where such a mask is.
    pub fn can_be_masked(&self) -> bool {
        !self.fragment.starts_with("/etc/systemd/system/")
    }
}

/// What a unit was before something was done to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitBefore {
    /// Its name.
    pub unit: String,
    /// Whether it ran.
    pub is_active: bool,
    /// Whether boot started it.
    pub is_enabled: bool,
    /// The unit it was stopped with, where it was not itself meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

impl UnitBefore {
    /// For a unit of which nothing was written down: as a service usually is.
    pub fn usual(unit: &str) -> Self {
        Self {
            unit: unit.to_owned(),
            is_active: true,
            is_enabled: true,
            with: None,
        }
    }
}

/// What a trial does to units, and what they were before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitWork {
    /// Stopped during the trial, disabled once it is kept.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Of these, those that can be masked meanwhile.
    #[serde(default)]
    pub mask: Vec<String>,
    /// Put back as they were before they were disabled: started during the trial, enabled once it is
    /// kept.
    #[serde(default)]
    pub start: Vec<UnitBefore>,
    /// What all of them were before the trial, with those that are stopped with them.
    #[serde(default)]
    pub before: Vec<UnitBefore>,
}

impl UnitWork {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.stop.is_empty() && self.start.is_empty()
    }

    /// The units that a revert has to start again, what starts others first: a socket must listen
    /// before its service runs.
    pub fn to_start_again(&self) -> Vec<String> {
        let is_ours = |before: &&UnitBefore| before.with.is_some() || self.stop.contains(&before.unit);
        let ran = self.before.iter().filter(is_ours).filter(|before| before.is_active);
        sorted(ran.map(|before| before.unit.clone()))
    }

    /// What is to be remembered of those that are stopped, for when they are enabled again.
    pub fn stopped(&self) -> impl Iterator<Item = UnitBefore> {
        let is_ours = |before: &&UnitBefore| before.with.is_some() || self.stop.contains(&before.unit);
        self.before.iter().filter(is_ours).cloned()
    }

    /// The units that a revert has to stop again.
    pub fn to_stop_again(&self) -> Vec<String> {
        let started: BTreeSet<&str> = self.start.iter().map(|unit| unit.unit.as_str()).collect();
        let did_not_run = |before: &&UnitBefore| !before.is_active && started.contains(before.unit.as_str());
        sorted(self.before.iter().filter(did_not_run).map(|before| before.unit.clone()))
    }

    /// The units that the trial starts.
    pub fn to_start(&self) -> Vec<String> {
        let ran = self.start.iter().filter(|unit| unit.is_active);
        sorted(ran.map(|unit| unit.unit.clone()))
    }

    /// The units that keeping the trial enables.
    pub fn to_enable(&self) -> Vec<String> {
        let was = self.start.iter().filter(|unit| unit.is_enabled && unit.with.is_none());
        sorted(was.map(|unit| unit.unit.clone()))
    }

    /// What undoes it, as lines of a script for plain `sh` that counts failures in `failed`; nothing
    /// where there is nothing to undo.
    pub fn shell_lines(&self) -> String {
        let line = |words: &str, units: &[String]| match units {
            [] => String::new(),
            // Names of units hold no quotes.
            units => format!("systemctl {words} -- '{}' || failed=1\n", units.join("' '")),
        };
        let lines = [
            line("--runtime unmask", &self.mask),
            line("start", &self.to_start_again()),
            line("stop", &self.to_stop_again()),
        ];
        match lines.concat() {
            none if none.is_empty() => none,
            lines => format!("\n# Services that were stopped or started for the trial.\n{lines}"),
        }
    }

    /// What the kernel's timer can't do, in one sentence without a full stop; none where there is
    /// nothing to undo.
    pub fn kernel_note(&self) -> Option<String> {
        kernel_note(&self.stop, &self.to_start())
    }
}

/// What the kernel's timer can't undo of these, in one sentence without a full stop.
pub fn kernel_note(stopped: &[String], started: &[String]) -> Option<String> {
    let what = match (stopped, started) {
        ([], []) => return None,
        (stopped, []) => format!("start {} again", listed(stopped)),
        ([], started) => format!("stop {} again", listed(started)),
        (stopped, started) => format!("start {} and stop {} again", listed(stopped), listed(started)),
    };
    Some(format!(
        "the kernel's timer can't {what}: the guard, its twin, or the next start of fwtui as root does"
    ))
}

/// What starts others first, then services; each once.
pub fn sorted(units: impl IntoIterator<Item = String>) -> Vec<String> {
    let unique: BTreeSet<String> = units.into_iter().collect();
    let mut units: Vec<String> = unique.into_iter().collect();
    units.sort_by_key(|unit| unit.ends_with(".service"));
    units
}

/// Reads what `systemctl show` prints: a paragraph for each unit.
pub fn parse(text: &str) -> Vec<Unit> {
    text.split("\n\n").filter_map(parse_unit).collect()
}

fn parse_unit(paragraph: &str) -> Option<Unit> {
    /// No path, state or name is longer.
    const LONGEST: usize = 4096;
    let mut unit = Unit {
        can_stop: true,
        ..Unit::default()
    };
    for line in paragraph.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let text = || printable_within(value, LONGEST);
        let units = || -> Vec<String> { value.split_whitespace().map(str::to_owned).collect() };
        match name {
            "Id" => unit.name = text(),
            "LoadState" => unit.load = text(),
            "ActiveState" => unit.active = text(),
            "UnitFileState" => unit.file = text(),
            "FragmentPath" => unit.fragment = text(),
            "SourcePath" => unit.source = text(),
            "ControlGroup" => unit.cgroup = text(),
            "Job" => unit.has_job = !matches!(value, "" | "0"),
            "CanStop" => unit.can_stop &= value == "yes",
            "RefuseManualStop" => unit.can_stop &= value != "yes",
            "Accept" => unit.accepts = value == "yes",
            "Listen" => unit.listens.push(text()),
            "Triggers" => unit.triggers = units(),
            "TriggeredBy" => unit.triggered_by = units(),
            "PartOf" => unit.part_of = units(),
            "ConsistsOf" | "RequiredBy" | "RequisiteOf" | "BoundBy" => add(&mut unit.needed_by, units()),
            "WantedBy" | "UpheldBy" => {
                let is_target = |unit: &String| unit.ends_with(".target");
                add(&mut unit.wanted_by, units().into_iter().filter(|unit| !is_target(unit)));
            }
            _ => {}
        }
    }
    (!unit.name.is_empty()).then_some(unit)
}

fn add(all: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for unit in more {
        if !all.contains(&unit) {
            all.push(unit);
        }
    }
}
