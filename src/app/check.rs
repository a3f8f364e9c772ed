//! Checkup of this machine: everything there is to judge, put together.

use crate::app::{Depth, Machine, Observation};
use crate::core::checkup::{Evidence, Finding, check};
use crate::core::listener::Family;

mod file;

pub use file::{checkup_of_file, checkup_of_text};

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
        let observation = self.look(Depth::Complete);
        judged(&observation)
    }
}

/// Judges what was observed.
fn judged(observation: &Observation) -> Checkup {
    let rows = observation.scene().rows(&observation.policy);
    let evidence = Evidence {
        netfilter: observation.netfilter.as_deref(),
        families: &Family::ALL,
        world: Some(&observation.world),
        rows: &rows,
        ..Evidence::default()
    };
    Checkup {
        findings: check(&evidence),
        unseen: observation.unseen.clone(),
    }
}
