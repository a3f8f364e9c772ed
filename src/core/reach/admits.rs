//! Who of those on one network gets in.

use serde::Serialize;

use super::fate::Fate;
use super::judge::{Judge, packets};
use super::peers::Who;
use crate::core::service::Service;

/// Who of those on a network gets in at a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Admits {
    /// Nobody.
    Nobody,
    /// Its neighbours: those on the link.
    Neighbours,
    /// Whether rules of others let in whom fwtui lets pass can't be told.
    Unknown,
    /// Its neighbours, and whoever is routed in from elsewhere.
    Everyone,
}

impl Admits {
    /// The word on the screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Neighbours => "neighbours",
            Self::Unknown => "unknown",
            Self::Everyone => "everyone",
        }
    }
}

impl Judge<'_> {
    /// Who of those on an interface gets in at a service.
    pub fn admits(&self, service: &Service, interface: &str) -> Admits {
        let is_there = |who| matches!(who, Who::Neighbours | Who::Strangers);
        let mut admits = Admits::Nobody;
        for peer in self
            .peers()
            .filter(|peer| peer.interface == interface && is_there(peer.who))
        {
            let met = match peer.who {
                Who::Strangers => Admits::Everyone,
                Who::ThisMachine | Who::Neighbours | Who::Named => Admits::Neighbours,
            };
            if met <= admits {
                continue;
            }
            for packet in packets(service, peer) {
                admits = admits.max(match self.rules().walk(&packet, false).fate {
                    Fate::Accepted => met,
                    Fate::Unknown { may_arrive: true } => Admits::Unknown,
                    Fate::Refused | Fate::Dropped | Fate::Unknown { may_arrive: false } => Admits::Nobody,
                });
            }
        }
        admits
    }
}
