//! Who can connect to a service, through the rules in force.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::core::listener::Family;
use crate::core::ruleset::{FamilyRules, Hook, Obstacle, Own, Packet, Rule, Verdict};
use crate::core::service::{BoundTo, Service};

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

/// What stands between a peer and a socket, for one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FamilyFilter {
    /// fwtui's own rules.
    pub own: Own,
    /// What other tools put in the way in. Any makes what fwtui lets through unknown.
    pub foreign: Vec<Obstacle>,
}

impl FamilyFilter {
    /// What is known without root: nothing.
    pub fn unseen() -> Self {
        Self {
            own: Own::default(),
            foreign: vec![Obstacle::Unseen],
        }
    }
}

/// What stands between peers and sockets, for both families: read from the kernel, or as it will be.
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

    /// The same with fwtui's own rules replaced: how it will be after applying.
    #[must_use]
    pub fn with_own(&self, own: [Own; 2]) -> Self {
        let [ipv4, ipv6] = own;
        Self {
            ipv4: FamilyFilter {
                own: ipv4,
                foreign: self.ipv4.foreign.clone(),
            },
            ipv6: FamilyFilter {
                own: ipv6,
                foreign: self.ipv6.foreign.clone(),
            },
        }
    }
}

/// Who can connect to a service through a filter; a service nobody listens on is judged as if
/// somebody did.
pub fn reach(service: &Service, filter: &Filter) -> Reach {
    if service.bound_to == BoundTo::Loopback {
        return Reach::ThisMachine;
    }
    Family::ALL
        .into_iter()
        .filter(|family| has_family(service, *family))
        .map(|family| family_reach(service, family, filter.family(family)))
        .max()
        .unwrap_or(Reach::ThisMachine)
}

fn has_family(service: &Service, family: Family) -> bool {
    match (service.listeners.is_empty(), &service.bound_to) {
        (true, BoundTo::Address(address)) => Family::of(*address) == family,
        (true, _) => true,
        (false, _) => service
            .listeners
            .iter()
            .any(|listener| listener.families().contains(&family)),
    }
}

fn family_reach(service: &Service, family: Family, filter: &FamilyFilter) -> Reach {
    let probes = probes(service, family, &filter.own.rules);
    let mut reach = Reach::ThisMachine;
    for (packet, met) in &probes {
        let here = match filter.own.verdict(packet) {
            // fwtui stands first and only restricts: what it refuses stays refused.
            Verdict::Reject(_) | Verdict::Drop(_) if !filter.foreign.iter().any(Obstacle::goes_first) => {
                Reach::ThisMachine
            }
            Verdict::Pass if filter.foreign.is_empty() => *met,
            Verdict::Pass | Verdict::Unknown(_) | Verdict::Reject(_) | Verdict::Drop(_) => Reach::Unknown,
        };
        reach = reach.max(here);
    }
    reach
}

/// A packet of a stranger, and one of every source the rules name: whoever the rules tell apart is
/// represented. Each with the reach it shows when it gets through.
fn probes(service: &Service, family: Family, rules: &FamilyRules) -> Vec<(Packet, Reach)> {
    let named = named_sources(rules);
    let bound = match &service.bound_to {
        BoundTo::Interface(name) => Some(name.as_str()),
        BoundTo::All | BoundTo::Loopback | BoundTo::Address(_) => None,
    };
    let destination = match (&service.id.address, &service.bound_to) {
        (Some(address), _) => address.ip,
        (None, BoundTo::Address(address)) => *address,
        (None, _) => anywhere(family),
    };
    let interface_of = |name: Option<&str>| bound.or(name).unwrap_or(SOMEWHERE).to_owned();
    let packet = |interface: String, source: IpAddr| {
        Packet::opening(
            interface,
            source,
            destination,
            service.id.protocol,
            service.id.ports.first(),
        )
    };
    let stranger = packet(interface_of(None), stranger(family, &named));
    let mut probes = vec![(stranger, Reach::Everyone)];
    for (interface, source) in &named {
        if bound.is_none() || interface.is_none() || interface.as_deref() == bound {
            probes.push((
                packet(interface_of(interface.as_deref()), source.addr()),
                Reach::Trusted,
            ));
        }
    }
    probes
}

/// An interface no rule names: `is_interface_name` refuses it, so no policy can either.
const SOMEWHERE: &str = "any interface";

/// An address no rule names as destination (the discard prefixes of RFC 5737 and RFC 6666).
const fn anywhere(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(203, 0, 113, 254)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0xfffe)),
    }
}

/// The sources the rules tell apart, with the interface they are expected on.
fn named_sources(rules: &FamilyRules) -> Vec<(Option<String>, IpNet)> {
    let mut named: Vec<(Option<String>, IpNet)> = rules
        .chains
        .values()
        .flatten()
        .filter_map(|rule| match rule {
            Rule::Known { matches, .. } => matches.source.map(|source| (matches.interface.clone(), source)),
            Rule::Other(_) => None,
        })
        .collect();
    named.sort();
    named.dedup();
    named
}

/// A source none of the named networks holds, so that only a rule for everyone lets it in. Where
/// the networks together cover everything, there are no strangers, and any address will do.
fn stranger(family: Family, named: &[(Option<String>, IpNet)]) -> IpAddr {
    let candidates: Vec<IpAddr> = match family {
        Family::Ipv4 => (1..224u8)
            .filter(|net| *net != 127)
            .map(|net| IpAddr::V4(Ipv4Addr::new(net, 7, 113, 7)))
            .collect(),
        Family::Ipv6 => (0x2000..0x2100u16)
            .map(|net| IpAddr::V6(Ipv6Addr::new(net, 7, 0x113, 7, 0, 0, 0, 7)))
            .collect(),
    };
    let is_stranger = |address: &&IpAddr| named.iter().all(|(_, net)| !net.contains(*address));
    candidates
        .iter()
        .find(is_stranger)
        .or_else(|| candidates.first())
        .copied()
        .unwrap_or_else(|| anywhere(family))
}

impl Own {
    /// What becomes of a packet in fwtui's own rules, as far as they are in force.
    pub fn verdict(&self, packet: &Packet) -> Verdict {
        for hook in Hook::ALL.into_iter().filter(|hook| self.jumps.contains(hook)) {
            match self.rules.walk(hook, packet) {
                Verdict::Pass => {}
                stopped @ (Verdict::Reject(_) | Verdict::Drop(_) | Verdict::Unknown(_)) => return stopped,
            }
        }
        Verdict::Pass
    }
}
