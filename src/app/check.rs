//! Checkup of this machine: everything there is to judge, put together.

use std::path::Path;
use std::thread;

use crate::app::{Depth, Machine, Observation};
use crate::core::checkup::{Evidence, Finding, check};
use crate::core::checkup::{Sysctl, Updates};
use crate::core::listener::Family;
use crate::sys::runner::SystemRunner;
use crate::sys::sysctl::sysctls;
use crate::sys::updates::updates;

/// What was found, and what could not be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// What could not be seen, and why: one sentence each.
    pub unseen: Vec<String>,
}

impl Machine {
    /// Checks this machine.
    pub fn checkup(&self) -> Checkup {
        // Neither waits for the other: other programs are started for both.
        let (observation, facts) = thread::scope(|scope| {
            let facts = scope.spawn(|| Facts::read(self.paths.root()));
            let observation = self.look(Depth::Complete);
            (observation, facts.join().unwrap_or_default())
        });
        judged(&observation, facts)
    }
}

/// What there is to know besides rules and services.
#[derive(Debug, Default)]
struct Facts {
    sysctls: Vec<Sysctl>,
    updates: Option<Updates>,
    /// What could not be read: one sentence each.
    unseen: Vec<String>,
}

impl Facts {
    /// Reads them; the files below `root`.
    fn read(root: &Path) -> Self {
        let (sysctls, mut unseen) = sysctls(Path::new("/proc/sys"), root);
        let updates = updates(&SystemRunner::new(), root);
        unseen.extend(updates.iter().flat_map(|updates| updates.unseen.iter().cloned()));
        Self {
            sysctls,
            updates,
            unseen,
        }
    }
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
        ..Evidence::default()
    };
    Checkup {
        findings: check(&evidence),
        unseen: observation.unseen.iter().cloned().chain(facts.unseen).collect(),
    }
}
