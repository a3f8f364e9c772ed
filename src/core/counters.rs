//! What the kernel has counted for fwtui's rules since they were loaded, service by service.
//!
//! Of TCP only a connection's first packet comes to a decision, so its packets are attempts.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

use crate::core::listener::Protocol;
use crate::core::service::{Ports, ServiceId};

/// Packets and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Their bytes, with headers from IP on.
    pub bytes: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// What a rule that counted does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Lets in.
    LetsIn,
    /// Refuses.
    Refuses,
    /// Sends on to where trusted networks are let in and others refused.
    Asks,
}

/// What the rules for one service have counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Packets that were let in.
    pub let_in: Count,
    /// Packets that were refused.
    pub refused: Count,
    /// Packets to a service for trusted networks: those from there were let in, the others refused. How
    /// many of each, no rule counts.
    pub by_network: Count,
    /// Whether packets to other ports are among them, because one rule serves several.
    #[serde(rename = "shared")]
    pub is_shared: bool,
}

impl Tally {
    fn add(&mut self, does: Does, count: Count) {
        match does {
            Does::LetsIn => self.let_in += count,
            Does::Refuses => self.refused += count,
            Does::Asks => self.by_network += count,
        }
    }

    /// All of them.
    pub fn all(&self) -> Count {
        let mut all = self.let_in;
        all += self.refused;
        all += self.by_network;
        all
    }
}

/// One rule with its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<'a> {
    /// Its reason: a service's id, or what was decided on many.
    pub reason: &'a str,
    /// The protocol it is for.
    pub protocol: Protocol,
    /// The ports it is for.
    pub ports: Vec<Ports>,
    /// What it does.
    pub does: Does,
    /// What it has counted.
    pub count: Count,
}

/// What all rules have counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// By the id of the decision, where a rule serves it alone.
    own: BTreeMap<ServiceId, Tally>,
    /// By a port that shares its rule.
    shared: BTreeMap<(Protocol, u16), Tally>,
}

impl Counters {
    /// Adds a rule.
    pub fn add(&mut self, rule: &Counted<'_>) {
        let reason = rule.reason.strip_prefix("block ").unwrap_or(rule.reason);
        if let Ok(id) = reason.parse::<ServiceId>() {
            self.own.entry(id).or_default().add(rule.does, rule.count);
            return;
        }
        for port in rule.ports.iter().flat_map(|ports| ports.first()..=ports.last()) {
            let tally = self.shared.entry((rule.protocol, port)).or_default();
            tally.is_shared = true;
            tally.add(rule.does, rule.count);
        }
    }

    /// What was counted for a service; none where no rule is about it, as for what is undecided.
    pub fn of(&self, id: &ServiceId) -> Option<Tally> {
        if let Some(tally) = self.own.get(id) {
            return Some(*tally);
        }
        let shared = |tally: &Tally| Tally {
            is_shared: true,
            ..*tally
        };
        let port = id.ports.is_single().then_some((id.protocol, id.ports.first()));
        if let Some(tally) = port.and_then(|port| self.shared.get(&port)) {
            return Some(*tally);
        }
        let anywhere = ServiceId {
            address: None,
            ..id.clone()
        };
        let wider = |other: &&ServiceId| {
            !other.ports.is_single() && other.protocol == id.protocol && other.ports.contains(id.ports)
        };
        let plain = self.own.get(&anywhere).filter(|_| id.address.is_some());
        let range = || {
            let ranges = self.own.keys().filter(wider);
            let narrowest = ranges.min_by_key(|other| (other.address != id.address, other.ports.count()))?;
            (narrowest.address.is_none() || narrowest.address == id.address).then(|| self.own.get(narrowest))?
        };
        plain.or_else(range).map(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule<'a>(reason: &'a str, ports: &[(u16, u16)], does: Does, packets: u64) -> Counted<'a> {
        Counted {
            reason,
            protocol: Protocol::Tcp,
            ports: ports
                .iter()
                .map(|(first, last)| Ports::new(*first, *last).unwrap())
                .collect(),
            does,
            count: Count {
                packets,
                bytes: packets * 60,
            },
        }
    }

    #[test]
    fn a_service_has_what_its_own_rules_counted_and_knows_what_it_shares() {
        let mut counters = Counters::default();
        for rule in [
            rule("22/tcp", &[(22, 22)], Does::LetsIn, 3),
            rule("22/tcp", &[(22, 22)], Does::Refuses, 2),
            rule("block 22/tcp", &[(22, 22)], Does::Refuses, 5),
            rule("open", &[(80, 80), (443, 443)], Does::LetsIn, 7),
            rule("8000-8100/tcp", &[(8000, 8100)], Does::Asks, 4),
        ] {
            counters.add(&rule);
        }
        let of = |id: &str| {
            let tally = counters.of(&id.parse().unwrap())?;
            let packets = [tally.let_in, tally.refused, tally.by_network].map(|count| count.packets);
            Some((packets, tally.is_shared))
        };
        assert_eq!(of("22/tcp"), Some(([3, 7, 0], false)));
        assert_eq!(of("192.0.2.1:22/tcp"), Some(([3, 7, 0], true)));
        assert_eq!(of("443/tcp"), Some(([7, 0, 0], true)));
        assert_eq!(of("8000-8100/tcp"), Some(([0, 0, 4], false)));
        assert_eq!(of("8080/tcp"), Some(([0, 0, 4], true)));
        for unknown in ["22/udp", "81/tcp", "7999/tcp"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
    }
}
