//! A policy into rules. Deterministic: the same policy and networks give the same text.
//!
//! A packet's way, in both families:
//!
//! ```text
//! INPUT    loopback, RELATED and answers return; TCP by its SYN, UDP and UDP-Lite go on; the rest falls through
//! TCP ...  DHCP; the blocks; guests' DNS; the decisions, narrowest first, as a tree where there are many; END
//! TRUSTED  neighbours on trusted networks return, the others go to REFUSE
//! REFUSE   log if asked, then reject or drop
//! ```
//!
//! What is sent to a published port of a container never comes to INPUT; see [`published`].
//!
//! Chains are entered with `-g` only, so a RETURN anywhere leaves fwtui's rules at once, and other
//! tools' rules have their say. Only TCP's SYN is ever refused: what is not a SYN belongs to a
//! running connection or is the TCP stack's business, so no session is cut, whatever conntrack knows.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::core::listener::{Family, Protocol};
use crate::core::network::{Interface, InterfaceKind, NetworkClass, Zone, class_of, is_interface_name, zones};
use crate::core::policy::{Logging, Policy, Refusal};
use crate::core::ruleset::rule::{Limit, Match, RejectWith, Rule, State, Target};
use crate::core::ruleset::{FamilyRules, Hook, Ruleset, Table};
use crate::core::service::Ports;

mod blocks;
mod decisions;
mod published;

/// Where refused packets go.
const REFUSE: &str = "REFUSE";
/// Where the neighbours on trusted networks are told from the others.
const TRUSTED: &str = "TRUSTED";

/// At most so many log lines: enough to troubleshoot by, too few to fill a disk.
const LOG_LIMIT: Limit = Limit {
    per_second: 5,
    burst: 10,
};
/// What log lines start with.
const LOG_PREFIX: &str = "fwtui ";
/// The NFLOG group.
const LOG_GROUP: u16 = 7;

/// How what was sent to this machine and goes on to a container is told from what others rewrite on
/// its way through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Telling {
    /// By a label that its connection got when it came in, at whatever address that was.
    #[default]
    ByLabel,
    /// By the addresses this machine had: for a kernel without labels. A new one is not known.
    ByAddress,
}

/// Compiles a policy, with the on-link prefixes the interfaces have now.
pub fn compile(policy: &Policy, interfaces: &[Interface]) -> Ruleset {
    compile_by(Telling::ByLabel, policy, interfaces)
}

/// The same for a kernel without connection labels.
pub fn compile_by_address(policy: &Policy, interfaces: &[Interface]) -> Ruleset {
    compile_by(Telling::ByAddress, policy, interfaces)
}

/// The same, in the one way or the other.
pub fn compile_by(telling: Telling, policy: &Policy, interfaces: &[Interface]) -> Ruleset {
    let zones = zones(policy, interfaces);
    let guests: Vec<String> = interfaces
        .iter()
        .filter(|interface| class_of(interface, policy) == NetworkClass::Guests)
        .map(|interface| interface.name.clone())
        .collect();
    let bridges: Vec<String> = interfaces
        .iter()
        .filter(|interface| interface.kind == InterfaceKind::Bridge && is_interface_name(&interface.name))
        .map(|interface| interface.name.clone())
        .collect();
    let family = |family| {
        Compiler {
            policy,
            zones: &zones,
            guests: &guests,
            telling,
            own: published::own_addresses(interfaces, family),
            bridges: &bridges,
            family,
            rules: FamilyRules::default(),
        }
        .compile()
    };
    Ruleset {
        ipv4: family(Family::Ipv4),
        ipv6: family(Family::Ipv6),
    }
}

/// One family's rules in the making.
struct Compiler<'a> {
    policy: &'a Policy,
    zones: &'a [Zone],
    /// Interfaces of class guests, which always get the DHCP and DNS this machine gives them.
    guests: &'a [String],
    /// How published ports are told from what only passes through.
    telling: Telling,
    /// This machine's addresses, where they are told by these.
    own: Vec<IpNet>,
    /// What comes in by these may have come through a port of a bridge.
    bridges: &'a [String],
    family: Family,
    rules: FamilyRules,
}

impl Compiler<'_> {
    fn compile(mut self) -> FamilyRules {
        if self.family == Family::Ipv4 {
            self.guard_loopback();
        }
        self.input();
        for protocol in Protocol::ALL {
            self.protocol(protocol);
        }
        self.published();
        self.trusted();
        self.refuse();
        self.rules
    }

    fn add(&mut self, table: Table, chain: &str, rules: Vec<Rule>) {
        self.rules
            .table_mut(table)
            .entry(chain.to_owned())
            .or_default()
            .extend(rules);
    }

    /// A frame for 127.0.0.1 sent to this machine's MAC address is DNATed to a container published
    /// on 127.0.0.1 before the kernel's martian check; only a rule in raw comes first. IPv6 drops
    /// `::1` from outside before any rule.
    fn guard_loopback(&mut self) {
        let loopback = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);
        let matches = Match {
            destination: Some(loopback),
            not_interface: Some("lo".into()),
            ..Match::default()
        };
        let hook = Hook::Prerouting;
        self.add(
            hook.table(),
            hook.chain(),
            vec![Rule::new(matches, "loopback guard", Target::Drop)],
        );
    }

    fn input(&mut self) {
        let mut rules = vec![
            Rule::new(
                Match {
                    interface: Some("lo".into()),
                    ..Match::default()
                },
                "loopback",
                Target::Return,
            ),
            Rule::new(
                Match {
                    state: Some(State::Related),
                    ..Match::default()
                },
                "related",
                Target::Return,
            ),
        ];
        for protocol in [Protocol::Udp, Protocol::UdpLite] {
            // Only answers: plain ESTABLISHED would go on serving a peer that spoke to a service
            // before it was confined.
            let answers = Match {
                protocol: Some(protocol),
                state: Some(State::EstablishedReply),
                ..Match::default()
            };
            rules.push(Rule::new(answers, "answers", Target::Return));
        }
        rules.extend(Protocol::ALL.map(|protocol| {
            let matches = Match {
                protocol: Some(protocol),
                is_syn: protocol == Protocol::Tcp,
                ..Match::default()
            };
            Rule::new(matches, protocol.name(), Target::Goto(chain_of(Hook::Input, protocol)))
        }));
        self.add(Table::Filter, Hook::Input.chain(), rules);
    }

    fn protocol(&mut self, protocol: Protocol) {
        let mut rules = self.dhcp_answers(protocol);
        rules.extend(self.blocks(Hook::Input, protocol));
        rules.extend(self.guests_services(protocol));
        let tail = self.discovery(protocol);
        let end = if tail.is_empty() {
            REFUSE.to_owned()
        } else {
            format!("{}-END", chain_of(Hook::Input, protocol))
        };
        rules.extend(self.decisions(Hook::Input, protocol, &end));
        rules.push(Rule::new(Match::default(), "undecided", Target::Goto(end.clone())));
        self.add(Table::Filter, &chain_of(Hook::Input, protocol), rules);
        if !tail.is_empty() {
            self.add(Table::Filter, &end, tail);
            let refuse = Rule::new(Match::default(), "undecided", Target::Goto(REFUSE.into()));
            self.add(Table::Filter, &end, vec![refuse]);
        }
    }

    /// A DHCP server's answers are no conntrack answers: the question was a broadcast or multicast.
    fn dhcp_answers(&self, protocol: Protocol) -> Vec<Rule> {
        let matches = match (protocol, self.family) {
            (Protocol::Udp, Family::Ipv4) => Match {
                source_ports: ports(67),
                destination_ports: ports(68),
                ..on(protocol)
            },
            (Protocol::Udp, Family::Ipv6) => Match {
                source: Some(link_local()),
                destination_ports: ports(546),
                ..on(protocol)
            },
            (Protocol::Tcp | Protocol::UdpLite, _) => return Vec::new(),
        };
        vec![Rule::new(matches, "dhcp answers", Target::Return)]
    }

    /// Guests that get neither an address nor names from their host are of no use to anyone. By
    /// interface only: who asks for an address has none.
    fn guests_services(&self, protocol: Protocol) -> Vec<Rule> {
        let dhcp = if self.family == Family::Ipv4 { 67 } else { 547 };
        let served: Vec<Ports> = match protocol {
            Protocol::Tcp => ports(53),
            Protocol::Udp => ports(53).into_iter().chain(ports(dhcp)).collect(),
            Protocol::UdpLite => return Vec::new(),
        };
        let rule = |name: &String| {
            let matches = Match {
                interface: Some(name.clone()),
                destination_ports: served.clone(),
                ..on(protocol)
            };
            Rule::new(matches, format!("guests {name}"), Target::Return)
        };
        self.guests.iter().map(rule).collect()
    }

    /// Multicast DNS among trusted neighbours, and their answers to what this machine asked a
    /// multicast group, which conntrack cannot relate. Behind the decisions, so that confining
    /// 5353/udp has its way.
    fn discovery(&self, protocol: Protocol) -> Vec<Rule> {
        if protocol != Protocol::Udp || !self.zones.iter().any(|zone| self.is_of_family(zone.source)) {
            return Vec::new();
        }
        let group = match self.family {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb)),
        };
        let mdns = Match {
            destination: Some(IpNet::from(group)),
            destination_ports: ports(5353),
            ..on(protocol)
        };
        // 5353 is mDNS, 1900 SSDP. To ephemeral ports only: a source port is the sender's choice.
        let answers = Match {
            source_ports: ports(1900).into_iter().chain(ports(5353)).collect(),
            destination_ports: Ports::new(32768, u16::MAX).into_iter().collect(),
            ..on(protocol)
        };
        [mdns, answers]
            .map(|matches| Rule::new(matches, "discovery", Target::Goto(TRUSTED.into())))
            .into()
    }

    fn trusted(&mut self) {
        let zones: Vec<&Zone> = self
            .zones
            .iter()
            .filter(|zone| self.is_of_family(zone.source))
            .collect();
        let mut rules: Vec<Rule> = zones
            .iter()
            .map(|zone| {
                let matches = Match {
                    source: named(zone.source),
                    interface: zone.interface.clone(),
                    ..Match::default()
                };
                let reason = match &zone.interface {
                    Some(name) => format!("{} {name}", zone.class),
                    None => format!("{} source", zone.class),
                };
                Rule::new(matches, reason, Target::Return)
            })
            .collect();
        rules.push(Rule::new(Match::default(), "not trusted", Target::Goto(REFUSE.into())));
        self.add(Table::Filter, TRUSTED, rules);
    }

    fn refuse(&mut self) {
        let logged = Match {
            limit: Some(LOG_LIMIT),
            ..Match::default()
        };
        let known = |matches, target| Rule::Known {
            matches,
            reason: None,
            target,
        };
        let mut rules = match self.policy.logging {
            Logging::Off => Vec::new(),
            Logging::Kernel => vec![known(logged, Target::Log(LOG_PREFIX.into()))],
            Logging::Nflog => vec![known(logged, Target::Nflog(LOG_GROUP, LOG_PREFIX.into()))],
        };
        rules.extend(match self.policy.refusal {
            Refusal::Reject => self
                .bridged_published()
                .into_iter()
                .map(|matches| known(matches, Target::Reject(RejectWith::PortUnreachable)))
                .chain([
                    known(on(Protocol::Tcp), Target::Reject(RejectWith::TcpReset)),
                    known(Match::default(), Target::Reject(RejectWith::PortUnreachable)),
                ])
                .collect(),
            Refusal::Drop => vec![known(Match::default(), Target::Drop)],
        });
        self.add(Table::Filter, REFUSE, rules);
    }

    fn is_of_family(&self, net: IpNet) -> bool {
        Family::of(net.addr()) == self.family
    }

    /// The rules for a set of destination ports that share one entry.
    fn group_by_entry<K: Ord>(items: impl Iterator<Item = (K, Ports)>) -> BTreeMap<K, Vec<Ports>> {
        let mut groups: BTreeMap<K, Vec<Ports>> = BTreeMap::new();
        for (key, ports) in items {
            groups.entry(key).or_default().push(ports);
        }
        groups
    }
}

/// The chain of a protocol's decisions. With a range of ports behind it, it has the 28 letters of the
/// longest name there may be (`XT_EXTENSION_MAXNAMELEN`) at most.
fn chain_of(hook: Hook, protocol: Protocol) -> String {
    match (hook, protocol) {
        (Hook::Forward, Protocol::UdpLite) => "PUB-UDPL".to_owned(),
        (Hook::Forward, _) => format!("PUB-{}", protocol.name().to_ascii_uppercase()),
        (Hook::Prerouting | Hook::Label | Hook::Input, _) => protocol.name().to_ascii_uppercase(),
    }
}

fn on(protocol: Protocol) -> Match {
    Match {
        protocol: Some(protocol),
        ..Match::default()
    }
}

fn ports(port: u16) -> Vec<Ports> {
    Ports::single(port).into_iter().collect()
}

/// A source as a rule's match: one that is everyone is none, as the kernel reads it back.
fn named(source: IpNet) -> Option<IpNet> {
    Some(source).filter(|source| source.prefix_len() > 0)
}

fn link_local() -> IpNet {
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10)
}
