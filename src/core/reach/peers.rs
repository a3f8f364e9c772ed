//! Who might knock: one peer for everyone the rules tell apart.
//!
//! Nobody can ask for every address there is. Rules tell peers apart by the interface they come in by
//! and by their source, so one neighbour and one stranger on each interface stand for the rest, and one
//! of every source that a rule lets in by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use crate::core::listener::Family;
use crate::core::netfilter::{
    Condition, Elements, End, Field, Netfilter, Part, Rule, Statement, Table, Verdict, address, number,
};
use crate::core::network::{Interface, InterfaceKind, NetworkClass, Route, RouteKind, Switches, World};

/// An interface no rule names and no policy can: `is_interface_name` refuses it. It stands for networks
/// this machine has not met yet.
pub(super) const SOMEWHERE: &str = "any interface";
/// So many sources that foreign rules let in are asked for one by one.
const MOST_NAMED: usize = 64;
/// So many addresses of an interface are knocked at, and those that rules name.
const MOST_ADDRESSES: usize = 8;
/// So many addresses of a network are looked at for a neighbour nobody names.
const MOST_CANDIDATES: usize = 512;

/// Who a peer stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// This machine itself.
    ThisMachine,
    /// Those on the link.
    Neighbours,
    /// Everyone else.
    Strangers,
    /// A source that rules name.
    Named,
}

impl Who {
    /// In words: `neighbours`, `strangers`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ThisMachine => "this machine",
            Self::Neighbours => "neighbours",
            Self::Strangers => "strangers",
            Self::Named => "those named",
        }
    }
}

/// Somebody who might knock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer<'a> {
    pub(super) who: Who,
    pub(super) family: Family,
    pub(super) interface: &'a str,
    pub(super) class: NetworkClass,
    /// Whether he stands for everyone there may be on that interface.
    pub(super) is_anyone: bool,
    pub(super) source: IpAddr,
    /// Where on this machine he knocks.
    pub(super) destinations: Vec<IpAddr>,
}

/// The same machine with one more interface, where anyone may come in whom no rule expects.
pub fn meeting_anyone(world: &World) -> World {
    let mut world = world.clone();
    let addresses = Family::ALL.map(|family| IpNet::from(anywhere(family)));
    world.interfaces.push(Interface {
        index: u32::MAX,
        name: SOMEWHERE.to_owned(),
        kind: InterfaceKind::Other,
        driver: None,
        addresses: addresses.into(),
        on_link: Vec::new(),
        changing: Vec::new(),
        is_up: true,
        has_default_route: true,
        has_physical_port: false,
    });
    for family in Family::ALL {
        let everywhere = match family {
            Family::Ipv4 => IpNet::new_assert(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            Family::Ipv6 => IpNet::new_assert(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
        };
        let has_default = world
            .routes
            .iter()
            .any(|route| route.destination == everywhere && route.kind == RouteKind::Unicast);
        if !has_default {
            world.routes.push(Route {
                destination: everywhere,
                kind: RouteKind::Unicast,
                interface: u32::MAX,
                metric: u32::MAX,
            });
        }
    }
    let forwards = Switches {
        forwards_ipv4: world.switches.values().any(|switches| switches.forwards_ipv4),
        forwards_ipv6: world.switches.values().any(|switches| switches.forwards_ipv6),
        ..Switches::default()
    };
    world.switches.insert(SOMEWHERE.to_owned(), forwards);
    world
}

/// An address no rule names (the discard prefixes of RFC 5737 and RFC 6666).
const fn anywhere(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(203, 0, 113, 254)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0xfffe)),
    }
}

/// The sources and destinations that rules name.
#[derive(Debug, Default)]
pub(super) struct Named {
    sources: Vec<(u128, u128)>,
    /// Of rules that do not end the way of what they match.
    pub(super) let_in: Vec<(Option<String>, IpAddr)>,
    destinations: Vec<(u128, u128)>,
}

impl Named {
    pub(super) fn of(netfilter: &Netfilter, family: Family) -> Self {
        let mut named = Self::default();
        for table in netfilter.tables.iter().filter(|table| table.family.sees(family)) {
            for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
                named.look_at(rule, table, family);
            }
        }
        for list in [&mut named.sources, &mut named.destinations] {
            list.sort_unstable();
            list.dedup();
        }
        named.let_in.sort_unstable();
        named.let_in.dedup();
        named
    }

    fn look_at(&mut self, rule: &Rule, table: &Table, family: Family) {
        let refuses = rule
            .statements
            .iter()
            .any(|statement| matches!(statement, Statement::End(Verdict::Drop | Verdict::Reject(_))));
        let mut sources = Vec::new();
        let mut interface = None;
        // By the source port come answers (DHCP, discovery), and to a group questions everyone on the
        // link asks: neither is a connection to a service.
        let mut is_connection = true;
        for statement in &rule.statements {
            if let Some((key, elements, is_negated)) = looked_up(statement) {
                let of = |end| parts_of(key, elements, table, &Field::Address(family, end));
                let found = of(End::Source);
                self.sources.extend(&found);
                self.destinations.extend(of(End::Destination));
                // Of a map any verdict may let in.
                let lets_in = matches!(statement, Statement::Choose { .. }) || is_negated == refuses;
                sources.extend(found.into_iter().filter(|_| lets_in));
                continue;
            }
            let Statement::If(Condition::Is {
                field,
                mask: None,
                values,
                is_negated,
            }) = statement
            else {
                continue;
            };
            let ranges = values.iter().filter_map(|part| match part {
                Part::Range(first, last) => Some((*first, *last)),
                Part::Name(_) => None,
            });
            match field {
                Field::Address(of, End::Source) if *of == family => {
                    self.sources.extend(ranges.clone());
                    // "Refuse all but these" lets these in.
                    if *is_negated == refuses {
                        sources.extend(ranges);
                    }
                }
                Field::Address(of, End::Destination) if *of == family => {
                    is_connection &= !ranges
                        .clone()
                        .any(|(first, _)| address(family, first).is_some_and(|address| address.is_multicast()));
                    self.destinations.extend(ranges);
                }
                Field::InInterface if !is_negated => {
                    interface = values.iter().find_map(|part| match part {
                        Part::Name(pattern) if !pattern.is_prefix => Some(pattern.stem.clone()),
                        Part::Name(_) | Part::Range(..) => None,
                    });
                }
                Field::Port(_, End::Source) => is_connection = false,
                _ => {}
            }
        }
        if is_connection && interface.as_deref() != Some("lo") {
            let firsts = sources.into_iter().filter_map(|(first, _)| address(family, first));
            self.let_in.extend(firsts.map(|source| (interface.clone(), source)));
        }
    }

    /// A source that no rule names. Where rules name everyone, anyone will do.
    fn stranger(&self, family: Family) -> IpAddr {
        let named = self.closer_than(family, 0);
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
        candidates
            .find(|address| !named.hold(*address))
            .unwrap_or_else(|| self.least_named(family))
    }

    /// Where rules name everyone: the one who is named by the widest range.
    fn least_named(&self, family: Family) -> IpAddr {
        let narrowest = |address: &IpAddr| {
            let number = number(*address);
            let holding = self
                .sources
                .iter()
                .filter(|(first, last)| *first <= number && number <= *last);
            holding
                .map(|(first, last)| last.saturating_sub(*first))
                .min()
                .unwrap_or(u128::MAX)
        };
        let candidates = (1..224u8).filter(|net| *net != 127).map(|net| match family {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(net, 7, 113, 7)),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0x2000 + u16::from(net), 7, 0x113, 7, 0, 0, 0, 7)),
        });
        candidates.max_by_key(narrowest).unwrap_or_else(|| anywhere(family))
    }

    /// A neighbour on a link whom no rule names more closely than the whole of it; none where there is
    /// no room for one.
    fn neighbour(&self, on_link: IpNet, world: &World) -> Option<IpAddr> {
        let closer = self.closer_than(Family::of(on_link.addr()), on_link.prefix_len());
        let mut hosts = on_link.hosts().take(MOST_CANDIDATES).filter(|host| {
            let is_anycast = matches!(on_link, IpNet::V6(net) if net.prefix_len() < 127 && net.network() == *host);
            !world.is_local(*host) && !is_anycast
        });
        let first = hosts.clone().next();
        hosts.find(|host| !closer.hold(*host)).or(first)
    }

    /// What rules name by a prefix longer than this (0: by anything but everyone).
    fn closer_than(&self, family: Family, longer_than: u8) -> Closer {
        let bits = match family {
            Family::Ipv4 => 32u32,
            Family::Ipv6 => 128,
        };
        // How many addresses the widest range that still counts has, less one.
        let widest = match bits - u32::from(longer_than) {
            0 => 0,
            128 => u128::MAX,
            host => (1u128 << host) - 1,
        };
        let mut joined: Vec<(u128, u128)> = Vec::new();
        for (first, last) in &self.sources {
            // One that ends before it begins holds nothing.
            if last.checked_sub(*first).is_none_or(|width| width >= widest) {
                continue;
            }
            match joined.last_mut() {
                Some((_, end)) if first <= end => *end = (*end).max(*last),
                _ => joined.push((*first, *last)),
            }
        }
        Closer(joined)
    }

    /// The addresses of this machine that are in a range which rules name.
    fn own_destinations(&self, world: &World, family: Family) -> Vec<IpAddr> {
        let is_named = |address: &IpAddr| {
            let number = number(*address);
            self.destinations
                .iter()
                .any(|(first, last)| *first <= number && number <= *last)
        };
        let own = world.interfaces.iter().flat_map(|interface| &interface.addresses);
        let own = own
            .map(IpNet::addr)
            .filter(|address| Family::of(*address) == family && !address.is_loopback());
        own.filter(|address| address != &anywhere(family))
            .filter(is_named)
            .take(MOST_NAMED)
            .collect()
    }
}

/// Ranges of addresses in order, none of which overlap.
struct Closer(Vec<(u128, u128)>);

impl Closer {
    fn hold(&self, address: IpAddr) -> bool {
        let number = number(address);
        let before = self.0.partition_point(|(first, _)| *first <= number);
        let held = before.checked_sub(1).and_then(|at| self.0.get(at));
        held.is_some_and(|(_, last)| number <= *last)
    }
}

/// What a statement looks up, and whether it must not be there.
fn looked_up(statement: &Statement) -> Option<(&[Field], &Elements, bool)> {
    match statement {
        Statement::If(Condition::In {
            key,
            elements,
            is_negated,
        }) => Some((key, elements, *is_negated)),
        Statement::Choose { key, elements } => Some((key, elements, false)),
        _ => None,
    }
}

/// The ranges that a set's elements have for a field of its key.
fn parts_of(key: &[Field], elements: &Elements, table: &Table, field: &Field) -> Vec<(u128, u128)> {
    let Some(place) = key.iter().position(|one| one == field) else {
        return Vec::new();
    };
    let set = match elements {
        Elements::Inline(set) => Some(set),
        Elements::Named(name) => table.set(name),
    };
    let elements = set.into_iter().flat_map(|set| &set.elements);
    let parts = elements.filter_map(|element| match element.key.get(place) {
        Some(Part::Range(first, last)) => Some((*first, *last)),
        Some(Part::Name(_)) | None => None,
    });
    parts.collect()
}

/// Everyone of a family who might knock, this machine first.
pub(super) fn peers<'a>(
    world: &'a World,
    classes: &dyn Fn(&Interface) -> NetworkClass,
    named: &Named,
    family: Family,
) -> Vec<Peer<'a>> {
    let mut peers = Vec::new();
    let loopback = match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    peers.push(Peer {
        who: Who::ThisMachine,
        family,
        interface: "lo",
        class: NetworkClass::Trusted,
        is_anyone: false,
        source: loopback,
        destinations: vec![loopback],
    });
    let stranger = named.stranger(family);
    let narrow = named.own_destinations(world, family);
    let all = world
        .interfaces
        .iter()
        .flat_map(|interface| &interface.addresses)
        .map(IpNet::addr);
    let others: Vec<IpAddr> = all
        .filter(|address| Family::of(*address) == family && !address.is_loopback() && !is_link_local(*address))
        .filter(|address| *address != anywhere(family))
        .take(2)
        .collect();
    for interface in &world.interfaces {
        let is_out = interface.kind != InterfaceKind::Loopback && interface.is_up;
        let own = interface.addresses.iter().map(IpNet::addr);
        let mut own: Vec<IpAddr> = own.filter(|address| Family::of(*address) == family).collect();
        own.sort_by_key(|address| is_link_local(*address));
        // One without an address of its own (WireGuard, ppp) brings packets for the others'.
        let mut destinations = if own.is_empty() { others.clone() } else { own };
        if destinations.is_empty() || !is_out {
            continue;
        }
        destinations.truncate(MOST_ADDRESSES);
        let class = classes(interface);
        for address in &narrow {
            if !destinations.contains(address) {
                destinations.push(*address);
            }
        }
        // Strictly looked at, only those come in by an interface whom answers reach by it.
        let switches = world.switches.get(&interface.name).copied().unwrap_or_default();
        let has_strangers = family == Family::Ipv6 || switches.reverse_path != 1 || {
            let back = world.route(stranger).map(|route| route.interface);
            back == Some(interface.index) || world.has_policy_routing
        };
        let peer = |who, source| Peer {
            who,
            family,
            interface: interface.name.as_str(),
            class,
            is_anyone: who == Who::Strangers || !has_strangers && class == NetworkClass::Public,
            source,
            destinations: destinations.clone(),
        };
        let links = interface.on_link.iter().filter(|net| Family::of(net.addr()) == family);
        let mut links: Vec<IpNet> = links.map(IpNet::trunc).collect();
        links.sort_by_key(|net| is_link_local(net.addr()));
        let neighbours = links.iter().filter_map(|link| named.neighbour(*link, world));
        peers.extend(neighbours.take(2).map(|source| peer(Who::Neighbours, source)));
        if has_strangers {
            peers.push(peer(Who::Strangers, stranger));
        }
    }
    for (interface, source) in named.let_in.iter().take(MOST_NAMED) {
        let by_route = || {
            let route = world.route(*source).filter(|route| route.kind == RouteKind::Unicast)?;
            world
                .interface_at(route.interface)
                .map(|interface| interface.name.as_str())
        };
        let expected = interface.as_deref().and_then(|name| world.interface(name));
        let interface = expected.map(|interface| interface.name.as_str()).or_else(by_route);
        let Some(like) = interface.and_then(|name| peers.iter().find(|peer| peer.interface == name)) else {
            continue;
        };
        let peer = Peer {
            who: Who::Named,
            is_anyone: false,
            source: *source,
            ..like.clone()
        };
        peers.push(peer);
    }
    peers
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}
