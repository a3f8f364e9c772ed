//! The decisions of one protocol: folded, and as a tree of chains where there are many.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::core::listener::{Family, Protocol};
use crate::core::network::NetworkClass;
use crate::core::policy::{Decision, Entry};
use crate::core::ruleset::compile::{Compiler, REFUSE, TRUSTED, Telling, chain_of, named, on, ports};
use crate::core::ruleset::ports::{fold, ranges};
use crate::core::ruleset::rule::{Match, Rule, Target};
use crate::core::ruleset::{Hook, Table};
use crate::core::service::{LocalAddress, Ports, ServiceId};

/// A chain with more rules than this is split by port, so that a packet's walk stays short.
const LONGEST_CHAIN: usize = 16;
/// Into so many parts.
const FANOUT: usize = 12;

/// What packets a chain is for.
pub(super) type Way = (Hook, Protocol);

/// A decision as far as it concerns a range of ports.
#[derive(Debug, Clone, Copy)]
struct Decided<'a> {
    /// The ports of the decision within the range looked at.
    ports: Ports,
    id: &'a ServiceId,
    entry: &'a Entry,
}

impl Compiler<'_> {
    /// The rules for a protocol's decisions. What no decision covers falls off their end.
    pub(super) fn decisions(&mut self, hook: Hook, protocol: Protocol, end: &str) -> Vec<Rule> {
        let policy = self.policy;
        let decided: Vec<Decided<'_>> = policy
            .services
            .iter()
            .filter(|(id, _)| id.protocol == protocol && self.has_destination(hook, id.address.as_ref()))
            .map(|(id, entry)| Decided {
                ports: id.ports,
                id,
                entry,
            })
            .collect();
        self.branch((hook, protocol), Ports::ALL, &decided, end)
    }

    pub(super) fn has_destination(&self, hook: Hook, address: Option<&LocalAddress>) -> bool {
        let is_own = |ip: IpAddr| match (hook, self.telling) {
            (Hook::Forward, Telling::ByAddress) => self.own.iter().any(|net| net.contains(&ip)),
            // What comes for loopback from outside is dropped before.
            (Hook::Forward, Telling::ByLabel) => !ip.is_loopback(),
            (Hook::Prerouting | Hook::Label | Hook::Input, _) => true,
        };
        address.is_none_or(|address| Family::of(address.ip) == self.family && is_own(address.ip))
    }

    /// The rules for a range of ports: plain where they are few, else one jump to each part.
    fn branch(&mut self, way: Way, range: Ports, decided: &[Decided<'_>], end: &str) -> Vec<Rule> {
        let rules = self.rules_for(way, decided);
        let parts = if rules.len() > LONGEST_CHAIN {
            split(range, decided)
        } else {
            Vec::new()
        };
        if parts.len() < 2 {
            return rules;
        }
        let mut jumps = Vec::with_capacity(parts.len());
        for part in parts {
            let within: Vec<Decided<'_>> = decided
                .iter()
                .filter_map(|decided| {
                    part.intersection(decided.ports)
                        .map(|ports| Decided { ports, ..*decided })
                })
                .collect();
            let (hook, protocol) = way;
            let chain = format!("{}-{}-{}", chain_of(hook, protocol), part.first(), part.last());
            let mut rules = self.branch(way, part, &within, end);
            rules.push(Rule::new(Match::default(), "undecided", Target::Goto(end.to_owned())));
            self.add(Table::Filter, &chain, rules);
            jumps.push(Rule::new(sent_to(way, None, vec![part]), "ports", Target::Goto(chain)));
        }
        jumps
    }

    /// Narrow before wide, addressed before plain: the order in which `Policy::entry_for` looks.
    fn rules_for(&self, way: Way, decided: &[Decided<'_>]) -> Vec<Rule> {
        let (hook, protocol) = way;
        let fold = |ports: Vec<Ports>| match hook {
            Hook::Forward => ranges(ports).into_iter().map(|range| vec![range]).collect(),
            Hook::Prerouting | Hook::Label | Hook::Input => fold(ports),
        };
        let is_single = |decided: &&Decided<'_>| decided.id.ports.is_single();
        let (addressed, plain): (Vec<Decided<'_>>, Vec<Decided<'_>>) = decided
            .iter()
            .copied()
            .partition(|decided| decided.id.address.is_some());
        let mut rules = Vec::new();
        for level in [addressed, plain] {
            let key = |decided: &Decided<'_>| {
                let entry = decided.entry;
                (decided.id.address.clone(), entry.decision, entry.from.clone())
            };
            let singles = level.iter().filter(is_single);
            for ((address, decision, from), ports) in Self::group_by_entry(singles.map(|one| (key(one), one.ports))) {
                for group in fold(ports) {
                    let reason = reason(protocol, address.as_ref(), decision, &group);
                    let entry = Entry {
                        decision,
                        from: from.clone(),
                    };
                    rules.extend(self.act(way, address.as_ref(), group, &entry, &reason));
                }
            }
            let mut ranges: Vec<&Decided<'_>> = level.iter().filter(|decided| !is_single(decided)).collect();
            ranges.sort_by_key(|decided| (decided.id.ports.count(), decided.id));
            for range in ranges {
                let address = range.id.address.as_ref();
                rules.extend(self.act(way, address, vec![range.ports], range.entry, &range.id.to_string()));
            }
        }
        rules
    }

    /// What an entry does to packets for some ports. It always ends their way: a wider entry must
    /// not have a say on what a narrower one has decided.
    fn act(
        &self,
        way: Way,
        address: Option<&LocalAddress>,
        ports: Vec<Ports>,
        entry: &Entry,
        reason: &str,
    ) -> Vec<Rule> {
        let matches = sent_to(way, address, ports);
        let to = |chain: &str| Target::Goto(chain.to_owned());
        let rule = |matches, target| Rule::new(matches, reason, target);
        match entry.decision {
            Decision::Open if entry.from.is_empty() => vec![rule(matches, Target::Return)],
            Decision::Open => {
                let sources = entry.from.iter().filter(|source| self.is_of_family(**source));
                let mut rules: Vec<Rule> = sources
                    .map(|source| {
                        rule(
                            Match {
                                source: named(*source),
                                ..matches.clone()
                            },
                            Target::Return,
                        )
                    })
                    .collect();
                rules.push(rule(matches, to(REFUSE)));
                rules
            }
            Decision::Trusted => {
                let mut rules = self.dhcp_questions(&matches, reason);
                rules.push(rule(matches, to(TRUSTED)));
                rules
            }
            Decision::Confine | Decision::Undecided => vec![rule(matches, to(REFUSE))],
        }
    }
}

impl Compiler<'_> {
    /// Who asks this machine's DHCP server for an address has none, so no on-link source tells them;
    /// the interface does. (Over IPv6 they ask from their link-local address.) They ask everyone, so
    /// a decision on one address is not meant.
    fn dhcp_questions(&self, trusted: &Match, reason: &str) -> Vec<Rule> {
        const SERVER: u16 = 67;
        const CLIENT: u16 = 68;
        let is_asked = trusted.protocol == Some(Protocol::Udp)
            && trusted.destination.is_none()
            && trusted
                .destination_ports
                .iter()
                .any(|ports| ports.contains_port(SERVER));
        if !is_asked || self.family != Family::Ipv4 {
            return Vec::new();
        }
        let zones = self
            .zones
            .iter()
            .filter(|zone| zone.class == NetworkClass::Trusted && zone.source.addr().is_ipv4());
        // Guests are served whatever is decided.
        let names: BTreeSet<&String> = zones.filter_map(|zone| zone.interface.as_ref()).collect();
        let rule = |name: &String| {
            let matches = Match {
                source: Some(IpNet::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
                interface: Some(name.clone()),
                source_ports: ports(CLIENT),
                destination_ports: ports(SERVER),
                ..on(Protocol::Udp)
            };
            Rule::new(matches, reason, Target::Return)
        };
        names.into_iter().map(rule).collect()
    }
}

/// Packets for ports, and for an address where one is given. Those for published ports are told by
/// what they were sent to, and have one range.
pub(super) fn sent_to((hook, protocol): Way, address: Option<&LocalAddress>, ports: Vec<Ports>) -> Match {
    let net = address.map(|address| IpNet::from(address.ip));
    let interface = address.and_then(|address| address.zone.clone());
    match hook {
        Hook::Forward => Match {
            interface,
            original_destination: net,
            original_ports: ports.first().copied(),
            ..on(protocol)
        },
        Hook::Prerouting | Hook::Label | Hook::Input => Match {
            destination: net,
            interface,
            destination_ports: ports,
            ..on(protocol)
        },
    }
}

/// The decision's id where the rule stands for one port, else what was decided.
fn reason(protocol: Protocol, address: Option<&LocalAddress>, decision: Decision, group: &[Ports]) -> String {
    match group {
        [ports] if ports.is_single() => ServiceId {
            ports: *ports,
            protocol,
            address: address.cloned(),
        }
        .to_string(),
        _ => decision.word().to_owned(),
    }
}

/// Cuts a range where decisions begin, into parts that hold about as many each; together they
/// cover the range.
fn split(range: Ports, decided: &[Decided<'_>]) -> Vec<Ports> {
    let mut starts: Vec<u16> = decided.iter().map(|decided| decided.ports.first()).collect();
    starts.sort_unstable();
    starts.dedup();
    let size = starts.len().div_ceil(FANOUT).max(1);
    let mut cuts: Vec<u16> = starts
        .chunks(size)
        .filter_map(|chunk| chunk.first().copied())
        .skip(1)
        .collect();
    cuts.retain(|cut| *cut > range.first());
    let mut parts = Vec::with_capacity(cuts.len() + 1);
    let mut first = range.first();
    for cut in cuts {
        parts.extend(Ports::new(first, cut - 1));
        first = cut;
    }
    parts.extend(Ports::new(first, range.last()));
    parts
}
