//! Who can connect to a service, through every rule in the kernel, whoever made it.
//!
//! [`Rules`] walks a single packet as netfilter would; [`Judge`] asks for everyone who might knock at a
//! service. `tests/reach` holds the walk against the kernel itself, packet by packet.

use std::fmt;

use serde::Serialize;

use crate::core::listener::Family;
use crate::core::ruleset::{FamilyRules, Hook, Obstacle, Own, Packet, Telling, Verdict};

mod admits;
mod apply;
mod explain;
mod fate;
mod index;
mod journey;
mod judge;
mod lookup;
mod order;
mod packet;
mod peers;
mod published;
mod route;
mod rules;
mod traveller;
mod walk;

pub use admits::Admits;
pub use explain::{DecidedBy, Explanation, Step, explain};
pub use fate::{Decider, Event, Fate, Kernel, Place, Tracking, Walk};
pub use judge::{Fares, Judge};
pub use packet::{Ends, Packet as Probe, State, Transport};
pub use peers::{Who, meeting_anyone};
pub use published::{PublishedPort, published_ports};
pub use rules::Rules;

/// Who can connect. The order is the order of growing reach; `Unknown` counts as worse than
/// `Trusted` and better than `Everyone`, so that the greatest of several families is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Nobody but this machine.
    ThisMachine,
    /// Trusted networks, or the sources a decision names.
    Trusted,
    /// Not known: rules fwtui did not make decide, or the rules can't be read.
    Unknown,
    /// Everyone.
    Everyone,
}

impl Reach {
    /// In words: `this machine`, `trusted`, `everyone`, `unknown`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ThisMachine => "this machine",
            Self::Trusted => "trusted",
            Self::Unknown => "unknown",
            Self::Everyone => "everyone",
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// What of fwtui is in the kernel, for one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FamilyFilter {
    /// fwtui's own rules.
    pub own: Own,
    /// What others put around fwtui's jumps, as far as a save shows it.
    pub foreign: Vec<Obstacle>,
    /// The machine has no such family: nobody comes in by it, and there is nothing to enforce.
    pub is_absent: bool,
}

impl FamilyFilter {
    /// Whether these rules are in force, as far as there is anything to enforce.
    pub fn enforces(&self, rules: &FamilyRules) -> bool {
        self.is_absent || self.own.enforces(rules)
    }
}

/// What of fwtui is in the kernel, for both families: as read, or as it will be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// IPv4.
    pub ipv4: FamilyFilter,
    /// IPv6.
    pub ipv6: FamilyFilter,
}

impl Filter {
    /// The part of a family.
    pub const fn family(&self, family: Family) -> &FamilyFilter {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// How fwtui's rules in force tell what was sent to this machine; none where none of them do.
    pub fn telling(&self) -> Option<Telling> {
        let [ipv4, ipv6] = Family::ALL.map(|family| self.family(family).own.rules.telling());
        ipv4.max(ipv6)
    }

    /// The same with fwtui's own rules replaced: how it will be after applying.
    #[must_use]
    pub fn with_own(&self, own: [Own; 2]) -> Self {
        let [ipv4, ipv6] = own;
        let with = |part: &FamilyFilter, own| FamilyFilter { own, ..part.clone() };
        Self {
            ipv4: with(&self.ipv4, ipv4),
            ipv6: with(&self.ipv6, ipv6),
        }
    }
}

impl Own {
    /// What becomes of a packet in fwtui's own rules, as far as they are in force.
    pub fn verdict(&self, packet: &Packet<'_>) -> Verdict {
        for hook in Hook::ALL {
            if !self.jumps.contains(&hook) || !packet.meets(hook) {
                continue;
            }
            match self.rules.walk(hook, packet) {
                Verdict::Pass => {}
                stopped @ (Verdict::Reject(_) | Verdict::Drop(_) | Verdict::Unknown(_)) => return stopped,
            }
        }
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests;
