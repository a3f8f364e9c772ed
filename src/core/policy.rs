//! The policy: what the user wants, as one document.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::core::network::NetworkClass;
use crate::core::service::{Ports, ServiceId};

mod block;
mod changes;
mod disabled;
mod document;
mod entries;
mod known;
mod note;

pub use block::{Block, end_words, marks, parse_for, parse_note, parse_sources, parse_until};
pub use changes::{Change, changes};
pub use disabled::Disabled;
pub use document::PolicyError;
pub use entries::Entries;
pub use known::{Known, Marks, check_note};

/// The version of the document this program writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Who may connect to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Nothing decided yet: refused, and shown as needing a decision.
    #[default]
    Undecided,
    /// This machine only.
    Confine,
    /// This machine, neighbours on trusted networks, and guests.
    Trusted,
    /// Everyone, or the sources named with it.
    Open,
}

impl Decision {
    /// Every decision, in the order of growing reach.
    pub const ALL: [Self; 4] = [Self::Undecided, Self::Confine, Self::Trusted, Self::Open];

    /// The word in the policy, on the command line and on the screens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Confine => "confine",
            Self::Trusted => "trusted",
            Self::Open => "open",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Decision {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|decision| decision.word() == word)
            .ok_or_else(|| format!("unknown decision '{word}': use confine, trusted, open or undecided"))
    }
}

/// How what is not let in is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// Politely: TCP with a reset, the rest with port-unreachable. The peer knows at once.
    #[default]
    Reject,
    /// Silently: the peer waits for its time-out.
    Drop,
}

impl Refusal {
    /// The word in the policy.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Drop => "drop",
        }
    }
}

/// Where refused packets are logged, always rate-limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Logging {
    /// Nowhere.
    #[default]
    Off,
    /// The kernel's log, with the prefix `fwtui `.
    Kernel,
    /// NFLOG group 7, for ulogd, tcpdump and the like.
    Nflog,
}

impl Logging {
    /// The word in the policy.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Kernel => "kernel",
            Self::Nflog => "nflog",
        }
    }
}

/// What was decided on one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Who may connect.
    pub decision: Decision,
    /// With `open`: only these sources. Empty means everyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "document::sources")]
    pub from: Vec<IpNet>,
}

/// The networks the user has spoken about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkChoices {
    /// Classes chosen by the user; other interfaces have the proposed class.
    #[serde(default, with = "document::interfaces")]
    pub interfaces: BTreeMap<String, NetworkClass>,
    /// Networks trusted wherever their packets come in.
    #[serde(default, with = "document::trusted_sources")]
    pub trusted_sources: Vec<IpNet>,
}

/// What the user wants: classes of networks, decisions, how to refuse, whether to log.
///
/// Read with [`Policy::parse`], which checks everything; printed with [`Policy::to_text`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// How what is not let in is refused.
    pub refusal: Refusal,
    /// Where refusals are logged.
    pub logging: Logging,
    /// The networks.
    pub networks: NetworkChoices,
    /// The decisions; never `undecided`.
    pub services: BTreeMap<ServiceId, Entry>,
    /// What is refused whatever is decided; sorted, and none twice for the same sources.
    pub blocks: Vec<Block>,
    /// What Checkup finds and is intended.
    pub known: Marks,
    /// The services that are to be off, whatever is decided on them.
    pub disabled: BTreeMap<ServiceId, Disabled>,
}

impl Policy {
    /// What holds for a service: the entry with its very id; else, from the narrowest to the
    /// widest, the entry for its address that covers its ports; else the one for any address.
    pub fn entry_for(&self, id: &ServiceId) -> Option<(&ServiceId, &Entry)> {
        // Nothing is narrower than the very id.
        if let Some(found) = self.services.get_key_value(id) {
            return Some(found);
        }
        let covers = |candidate: &&ServiceId| {
            candidate.protocol == id.protocol
                && candidate.ports.contains(id.ports)
                && (candidate.address.is_none() || candidate.address == id.address)
        };
        let best = self
            .services
            .keys()
            .filter(covers)
            .min_by_key(|candidate| (candidate.address.is_none(), candidate.ports.count()))?;
        self.services.get_key_value(best)
    }

    /// The decision that holds for a service.
    pub fn decision_for(&self, id: &ServiceId) -> Decision {
        self.entry_for(id)
            .map_or(Decision::Undecided, |(_, entry)| entry.decision)
    }

    /// Decides on a service; `undecided` takes the decision back.
    ///
    /// # Errors
    /// Where the entry contradicts itself or another one, in words; the policy is then unchanged.
    pub fn decide(&mut self, id: ServiceId, entry: Entry) -> Result<(), String> {
        if entry.decision == Decision::Undecided {
            self.services.remove(&id);
            return Ok(());
        }
        check_entry(&id, &entry)?;
        check_overlap(self.services.iter(), &id, &entry)?;
        self.services.insert(id, entry);
        Ok(())
    }
}

/// Sources narrow `open` only: everything else says by itself who may connect.
fn check_entry(id: &ServiceId, entry: &Entry) -> Result<(), String> {
    if entry.decision != Decision::Open && !entry.from.is_empty() {
        return Err(format!(
            "{id}: '{}' takes no sources; to let in only some, use open with them",
            entry.decision
        ));
    }
    Ok(())
}

/// Two ranges that overlap in part would need an order that the document does not have.
fn check_overlap<'a>(
    others: impl Iterator<Item = (&'a ServiceId, &'a Entry)>,
    id: &ServiceId,
    entry: &Entry,
) -> Result<(), String> {
    // One port is within a range or outside of it.
    if id.ports.is_single() {
        return Ok(());
    }
    let is_nested = |a: Ports, b: Ports| a.contains(b) || b.contains(a);
    for (other, existing) in others {
        let overlaps = other != id
            && other.protocol == id.protocol
            && other.address == id.address
            && other.ports.intersection(id.ports).is_some();
        if overlaps && !is_nested(other.ports, id.ports) && existing != entry {
            return Err(format!(
                "{id} and {other} overlap in part and decide differently: split one of them"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Entry {
        Entry {
            decision: Decision::Open,
            from: Vec::new(),
        }
    }

    fn confine() -> Entry {
        Entry {
            decision: Decision::Confine,
            from: Vec::new(),
        }
    }

    #[test]
    fn the_narrowest_entry_holds() {
        let mut policy = Policy::default();
        policy.decide("60000-61000/udp".parse().unwrap(), open()).unwrap();
        policy.decide("60500/udp".parse().unwrap(), confine()).unwrap();
        policy.decide("192.0.2.1:60500/udp".parse().unwrap(), open()).unwrap();
        let decision = |id: &str| policy.decision_for(&id.parse().unwrap());
        assert_eq!(decision("60001/udp"), Decision::Open);
        assert_eq!(decision("60500/udp"), Decision::Confine);
        assert_eq!(decision("192.0.2.1:60500/udp"), Decision::Open);
        assert_eq!(decision("192.0.2.2:60500/udp"), Decision::Confine);
        assert_eq!(decision("60001/tcp"), Decision::Undecided);
    }

    #[test]
    fn ranges_may_nest_but_not_cross() {
        let mut policy = Policy::default();
        policy.decide("100-200/tcp".parse().unwrap(), open()).unwrap();
        assert!(
            policy
                .decide("150-250/tcp".parse().unwrap(), confine())
                .unwrap_err()
                .contains("overlap")
        );
        policy.decide("150-250/tcp".parse().unwrap(), open()).unwrap();
        policy.decide("120-130/tcp".parse().unwrap(), confine()).unwrap();
    }

    #[test]
    fn only_open_takes_sources() {
        let entry = Entry {
            decision: Decision::Trusted,
            from: vec!["192.0.2.0/24".parse().unwrap()],
        };
        assert!(
            Policy::default()
                .decide("22/tcp".parse().unwrap(), entry)
                .unwrap_err()
                .contains("takes no sources")
        );
    }

    #[test]
    fn undecided_takes_the_decision_back() {
        let mut policy = Policy::default();
        let id: ServiceId = "22/tcp".parse().unwrap();
        policy.decide(id.clone(), open()).unwrap();
        policy.decide(id, Entry::default()).unwrap();
        assert_eq!(policy, Policy::default());
    }
}
