//! Checkup of this machine: everything there is to judge, put together.

use std::fs;
use std::path::Path;
use std::thread;

use crate::app::{Cancel, Depth, Machine, Observation, Stops};
use crate::core::checkup::{Evidence, Finding, LogSpace, Sysctl, Updates, check};
use crate::core::listener::Family;
use crate::core::tools::{BootFile, OnDisk};
use crate::sys::logspace::log_space;
use crate::sys::runner::SystemRunner;
use crate::sys::sysctl::sysctls;
use crate::sys::tools;
use crate::sys::updates::updates;

mod file;

pub use file::{checkup_of_file, checkup_of_text};

/// What was found, and what could not be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// What could not be seen, and why: one sentence each.
    pub unseen: Vec<String>,
    /// What was looked at, each in a few words.
    pub looked_at: Vec<String>,
}

impl Machine {
    /// Checks this machine.
    pub fn checkup(&self) -> Checkup {
        self.checkup_unless(&Cancel::default()).unwrap_or_default()
    }

    /// The same, unless it is no longer wanted: none then. Programs that are being asked are
    /// killed, and the search for the owners of sockets ends.
    pub fn checkup_unless(&self, cancel: &Cancel) -> Option<Checkup> {
        // Neither waits for the other: other programs are started for both.
        let (observation, facts) = thread::scope(|scope| {
            let facts = scope.spawn(|| Facts::read(self.paths.root(), cancel));
            let observation = self.look_unless(Depth::Complete, &Stops::both(cancel));
            (observation, facts.join().unwrap_or_else(|_| Facts::blind()))
        });
        if cancel.is_cancelled() {
            return None;
        }
        let checkup = judged(&observation, facts);
        (!cancel.is_cancelled()).then_some(checkup)
    }
}

/// What there is to know besides rules and services.
#[derive(Debug, Default)]
struct Facts {
    sysctls: Vec<Sysctl>,
    updates: Option<Updates>,
    logs: Option<LogSpace>,
    on_disk: Vec<OnDisk>,
    boot_files: Vec<BootFile>,
    is_desktop: Option<bool>,
    /// What could not be read: one sentence each.
    unseen: Vec<String>,
}

impl Facts {
    /// Reads them; the files below `root`. Updates take longest: the package manager is asked.
    fn read(root: &Path, cancel: &Cancel) -> Self {
        thread::scope(|scope| {
            let updates = scope.spawn(|| updates(&SystemRunner::new().unless(cancel), root));
            let (sysctls, mut unseen) = sysctls(Path::new("/proc/sys"), root);
            let facts = Self {
                sysctls,
                logs: log_space(root),
                on_disk: tools::on_disk(root),
                boot_files: tools::boot_files(root),
                is_desktop: is_desktop(root),
                ..Self::default()
            };
            let updates = updates.join().unwrap_or_default();
            unseen.extend(updates.iter().flat_map(|updates| updates.unseen.iter().cloned()));
            Self {
                updates,
                unseen,
                ..facts
            }
        })
    }

    fn blind() -> Self {
        Self {
            unseen: vec!["The sysctls, the updates and the logs could not be read.".to_owned()],
            ..Self::default()
        }
    }
}

/// Whether a graphical session is installed; none where there is no system below `root`.
pub(super) fn is_desktop(root: &Path) -> Option<bool> {
    let has_entries = |folder: &str| fs::read_dir(root.join(folder)).is_ok_and(|mut entries| entries.next().is_some());
    let has_sessions = has_entries("usr/share/xsessions") || has_entries("usr/share/wayland-sessions");
    (has_sessions || has_entries("usr/share")).then_some(has_sessions)
}

/// Judges what was observed.
fn judged(observation: &Observation, facts: Facts) -> Checkup {
    let rows = observation.scene().rows(&observation.policy);
    let evidence = Evidence {
        netfilter: observation.netfilter.as_deref(),
        families: &Family::ALL,
        world: Some(&observation.world),
        rows: &rows,
        sysctls: &facts.sysctls,
        updates: facts.updates.as_ref(),
        logs: facts.logs.as_ref(),
        managers: &observation.status.tools,
        on_disk: &facts.on_disk,
        boot_files: &facts.boot_files,
        is_desktop: facts.is_desktop,
        catalogue: Some(&observation.catalogue),
        ..Evidence::default()
    };
    Checkup {
        findings: check(&evidence),
        unseen: observation.unseen.iter().cloned().chain(facts.unseen).collect(),
        looked_at: evidence.looked_at(),
    }
}
