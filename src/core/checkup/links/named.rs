//! Whom rules name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::MOST_NAMED;
use crate::core::listener::Family;
use crate::core::netfilter::{Condition, Elements, End, Field, Netfilter, Part, Statement, Table, address};
use crate::core::network::World;

/// The hosts and networks that rules name.
#[derive(Debug, Default)]
pub(super) struct Named {
    ranges: Vec<(u128, u128)>,
    /// One host of each source, and of each destination.
    pub(super) sources: Vec<IpAddr>,
    pub(super) destinations: Vec<IpAddr>,
}

impl Named {
    pub(super) fn of(netfilter: &Netfilter, family: Family) -> Self {
        let mut named = Self::default();
        for table in netfilter.tables.iter().filter(|table| table.family.sees(family)) {
            for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
                for statement in &rule.statements {
                    for end in [End::Source, End::Destination] {
                        named.add(statement, table, family, end);
                    }
                }
            }
        }
        named
    }

    fn add(&mut self, statement: &Statement, table: &Table, family: Family, end: End) {
        let field = Field::Address(family, end);
        let Statement::If(condition) = statement else {
            return;
        };
        let (parts, is_negated): (Vec<&Part>, bool) = match condition {
            Condition::Is {
                field: asked,
                mask: None,
                values,
                is_negated,
            } if *asked == field => (values.iter().collect(), *is_negated),
            Condition::In {
                key,
                elements,
                is_negated,
            } => {
                let Some(at) = key.iter().position(|asked| *asked == field) else {
                    return;
                };
                let set = match elements {
                    Elements::Inline(set) => Some(set),
                    Elements::Named(name) => table.set(name),
                };
                let elements = set.into_iter().flat_map(|set| &set.elements);
                (
                    elements.filter_map(|element| element.key.get(at)).collect(),
                    *is_negated,
                )
            }
            Condition::Is { .. }
            | Condition::FirstOfMany { .. }
            | Condition::Between { .. }
            | Condition::Unknown(_) => {
                return;
            }
        };
        for part in parts {
            let Part::Range(first, last) = part else { continue };
            self.ranges.push((*first, *last));
            // Of a network its first host, not its own address.
            let host = if first == last {
                Some(*first)
            } else {
                first.checked_add(1)
            };
            let hosts = match end {
                End::Source => &mut self.sources,
                End::Destination => &mut self.destinations,
            };
            if let Some(host) = host.and_then(|host| address(family, host))
                && hosts.len() < MOST_NAMED
                && !is_negated
                && is_unicast(host)
                && !hosts.contains(&host)
            {
                hosts.push(host);
            }
        }
    }

    fn is_named(&self, address: IpAddr) -> bool {
        let number = crate::core::netfilter::number(address);
        // What means everyone, or half of everyone, tells nobody apart.
        let widest = if address.is_ipv4() { 1 << 30 } else { 1 << 124 };
        self.ranges
            .iter()
            .any(|(first, last)| *first <= number && number <= *last && last - first < widest)
    }

    /// Addresses all over the world that no rule names.
    pub(super) fn strangers(&self, family: Family) -> impl Iterator<Item = IpAddr> {
        // None of these networks is on a list of those that can't be (RFC 6890, team-cymru's).
        let candidates = (11..200u8).filter(|net| ![100, 127, 169, 172, 192, 198].contains(net));
        let of = move |net: u8| match family {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::new(net, 7, 113, 7)),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::new(0x2a00 + u16::from(net), 7, 0x113, 7, 0, 0, 0, 7)),
        };
        candidates.map(of).filter(|address| !self.is_named(*address))
    }

    /// A host on a link that rules don't name more closely than the whole of it.
    pub(super) fn neighbour(&self, on_link: IpNet, world: &World) -> Option<IpAddr> {
        let all = |net: &IpNet| (net.network(), net.broadcast());
        let (first, last) = all(&on_link);
        let whole = (
            crate::core::netfilter::number(first),
            crate::core::netfilter::number(last),
        );
        let is_closer = |host: &IpAddr| {
            let number = crate::core::netfilter::number(*host);
            let holds = |(first, last): &(u128, u128)| *first <= number && number <= *last;
            let is_narrow = |(first, last): &(u128, u128)| *first > whole.0 || *last < whole.1;
            self.ranges.iter().any(|range| holds(range) && is_narrow(range))
        };
        let mut hosts = on_link.hosts().skip(1).take(256).filter(|host| !world.is_local(*host));
        let first = hosts.clone().next();
        hosts.find(|host| !is_closer(host)).or(first)
    }
}

fn is_unicast(address: IpAddr) -> bool {
    let is_broadcast = address == IpAddr::from([255; 4]);
    !address.is_multicast() && !address.is_loopback() && !address.is_unspecified() && !is_broadcast
}
