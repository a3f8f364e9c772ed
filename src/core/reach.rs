//! Who can connect to a service, through the rules in force.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::core::listener::Family;
use crate::core::ruleset::{FamilyRules, Hook, Match, Obstacle, Own, Packet, Rule, Verdict};
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
    /// The machine has no such family: nobody comes in by it, and there is nothing to enforce.
    pub is_absent: bool,
}

impl FamilyFilter {
    /// What is known without root: nothing.
    pub fn unseen() -> Self {
        Self {
            own: Own::default(),
            foreign: vec![Obstacle::Unseen],
            is_absent: false,
        }
    }

    /// Whether these rules are in force, as far as there is anything to enforce.
    pub fn enforces(&self, rules: &FamilyRules) -> bool {
        self.is_absent || self.own.enforces(rules)
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
        let with = |part: &FamilyFilter, own| FamilyFilter { own, ..part.clone() };
        Self {
            ipv4: with(&self.ipv4, ipv4),
            ipv6: with(&self.ipv6, ipv6),
        }
    }
}

/// Judges services by a filter. What depends on the filter alone is worked out once.
#[derive(Debug)]
pub struct Judge<'a> {
    ipv4: FamilyJudge<'a>,
    ipv6: FamilyJudge<'a>,
}

/// The part of a family.
#[derive(Debug)]
struct FamilyJudge<'a> {
    family: Family,
    filter: &'a FamilyFilter,
    /// The sources the rules tell apart, with the interface they are expected on.
    named: Vec<(Option<&'a str>, IpNet)>,
    /// The interfaces they tell apart whatever the source.
    interfaces: Vec<&'a str>,
    /// The addresses of this machine that decisions are limited to, with the rules' ports.
    destinations: Vec<(IpAddr, &'a Match)>,
    /// A source that none of the named ones holds.
    stranger: IpAddr,
    /// Whether something may accept before fwtui's rules are reached, or lead packets past them.
    is_overtaken: bool,
}

impl<'a> Judge<'a> {
    /// A judge for what is, or will be, in the kernel.
    pub fn new(filter: &'a Filter) -> Self {
        Self {
            ipv4: FamilyJudge::new(Family::Ipv4, &filter.ipv4),
            ipv6: FamilyJudge::new(Family::Ipv6, &filter.ipv6),
        }
    }

    /// Who can connect to a service; one nobody listens on is judged as if somebody did.
    pub fn reach(&self, service: &Service) -> Reach {
        if service.bound_to == BoundTo::Loopback {
            return Reach::ThisMachine;
        }
        [&self.ipv4, &self.ipv6]
            .into_iter()
            .filter(|judge| has_family(service, judge.family))
            .map(|judge| judge.reach(service))
            .max()
            .unwrap_or(Reach::ThisMachine)
    }
}

fn has_family(service: &Service, family: Family) -> bool {
    if let Some(address) = &service.id.address {
        return Family::of(address.ip) == family;
    }
    match (service.listeners.is_empty(), &service.bound_to) {
        (true, BoundTo::Address(address)) => Family::of(*address) == family,
        (true, _) => true,
        (false, _) => service
            .listeners
            .iter()
            .any(|listener| listener.families().contains(&family)),
    }
}

impl<'a> FamilyJudge<'a> {
    fn new(family: Family, filter: &'a FamilyFilter) -> Self {
        let named = named_sources(&filter.own.rules);
        let stranger = stranger(family, &named);
        let is_overtaken = filter
            .foreign
            .iter()
            .any(|obstacle| obstacle.goes_first() || obstacle.redirects());
        Self {
            family,
            filter,
            named,
            interfaces: named_interfaces(&filter.own.rules),
            destinations: named_destinations(&filter.own.rules),
            stranger,
            is_overtaken,
        }
    }

    /// Whoever the rules tell apart is represented: a stranger anywhere and on every interface they
    /// name, and one of every source.
    fn reach(&self, service: &Service) -> Reach {
        if self.filter.is_absent {
            return Reach::ThisMachine;
        }
        let zone = service.id.address.as_ref().and_then(|address| address.zone.as_deref());
        let bound = match &service.bound_to {
            BoundTo::Interface(name) => Some(name.as_str()),
            BoundTo::All | BoundTo::Loopback | BoundTo::Address(_) => zone,
        };
        let (protocol, port) = (service.id.protocol, service.id.ports.first());
        let destinations: Vec<IpAddr> = match (&service.id.address, &service.bound_to) {
            (Some(address), _) => vec![address.ip],
            (None, BoundTo::Address(address)) => vec![*address],
            // Whoever gets in by one address gets in.
            (None, _) => {
                let narrower = self
                    .destinations
                    .iter()
                    .filter(|(_, matches)| matches.is_for(protocol, port));
                std::iter::once(anywhere(self.family))
                    .chain(narrower.map(|(address, _)| *address))
                    .collect()
            }
        };
        let reach_at = |destination| self.reach_at(service, bound, destination);
        destinations
            .into_iter()
            .map(reach_at)
            .max()
            .unwrap_or(Reach::ThisMachine)
    }

    fn reach_at(&self, service: &Service, bound: Option<&str>, destination: IpAddr) -> Reach {
        let judge = |interface: Option<&str>, source, met| {
            let interface = bound.or(interface).unwrap_or(SOMEWHERE);
            let (protocol, port) = (service.id.protocol, service.id.ports.first());
            self.judge(&Packet::opening(interface, source, destination, protocol, port), met)
        };
        let mut reach = judge(None, self.stranger, Reach::Everyone);
        let everyone_by = self.interfaces.iter().map(|name| (Some(*name), self.stranger));
        let named = self.named.iter().map(|(interface, net)| (*interface, net.addr()));
        for (interface, source) in everyone_by.chain(named) {
            // The greatest reach there can be; the others can't add to it.
            if reach == Reach::Everyone {
                break;
            }
            if bound.is_none() || interface.is_none() || interface == bound {
                reach = reach.max(judge(interface, source, Reach::Trusted));
            }
        }
        reach
    }

    /// The reach a packet shows, which is `met` if it gets through.
    fn judge(&self, packet: &Packet<'_>, met: Reach) -> Reach {
        match self.filter.own.verdict(packet) {
            // fwtui stands first and only restricts: what it refuses stays refused.
            Verdict::Reject(_) | Verdict::Drop(_) if !self.is_overtaken => Reach::ThisMachine,
            Verdict::Pass if self.filter.foreign.is_empty() => met,
            Verdict::Pass | Verdict::Unknown(_) | Verdict::Reject(_) | Verdict::Drop(_) => Reach::Unknown,
        }
    }
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

/// The addresses of this machine that rules are limited to. Groups are not among them: what is sent to
/// a group is no connection to a service.
fn named_destinations(rules: &FamilyRules) -> Vec<(IpAddr, &Match)> {
    let address = |matches: &Match| {
        let net = matches
            .destination
            .filter(|net| net.prefix_len() == net.max_prefix_len())?;
        (!net.addr().is_multicast()).then_some(net.addr())
    };
    let known = rules.rules().filter_map(|rule| match rule {
        Rule::Known { matches, .. } => Some((address(matches)?, matches)),
        Rule::Other(_) => None,
    });
    known.collect()
}

/// The sources the rules tell apart.
///
/// Not looked at are rules by source port (DHCP's answers and questions, answers to discovery) and
/// by group (multicast DNS): they let in answers to what this machine asked and the questions every
/// such network has, not connections to the service. (Those of `DHCPv6` are told by their source, so a
/// client for them reads as reached by neighbours, which it is.)
fn named_sources(rules: &FamilyRules) -> Vec<(Option<&str>, IpNet)> {
    let mut named: Vec<(Option<&str>, IpNet)> = rules
        .rules()
        .filter_map(|rule| match rule {
            Rule::Known { matches, .. } => matches.source.map(|source| (matches.interface.as_deref(), source)),
            Rule::Other(_) => None,
        })
        .collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// The interfaces the rules tell apart whatever the source: those of guests, who reach this
/// machine's DHCP and DNS whatever is decided on them. That is reach like any other: a confined
/// name server that containers can ask is not for this machine only.
fn named_interfaces(rules: &FamilyRules) -> Vec<&str> {
    let named = rules.rules().filter_map(|rule| match rule {
        Rule::Known { matches, .. } if matches.source.is_none() => matches.interface.as_deref(),
        Rule::Known { .. } | Rule::Other(_) => None,
    });
    let mut named: Vec<&str> = named.filter(|name| *name != "lo").collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// A source none of the named networks holds, so that only a rule for everyone lets it in. Where
/// the networks together cover everything, there are no strangers, and any address will do.
fn stranger(family: Family, named: &[(Option<&str>, IpNet)]) -> IpAddr {
    let mut candidates: Box<dyn Iterator<Item = IpAddr>> = match family {
        Family::Ipv4 => Box::new(
            (1..224u8)
                .filter(|net| *net != 127)
                .map(|net| IpAddr::V4(Ipv4Addr::new(net, 7, 113, 7))),
        ),
        Family::Ipv6 => {
            Box::new((0x2000..0x2100u16).map(|net| IpAddr::V6(Ipv6Addr::new(net, 7, 0x113, 7, 0, 0, 0, 7))))
        }
    };
    let is_stranger = |address: &IpAddr| named.iter().all(|(_, net)| !net.contains(address));
    candidates.find(is_stranger).unwrap_or_else(|| anywhere(family))
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
