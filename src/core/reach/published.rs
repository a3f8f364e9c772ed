//! Published ports: what rules send on to another machine or container.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::core::listener::{Family, Protocol};
use crate::core::netfilter::{
    Condition, Data, Element, Elements, End, Field, Hook, Nat, NatKind, Netfilter, Part, Statement, Table, To, Tool,
    address, owner,
};
use crate::core::network::World;
use crate::core::service::Ports;

/// So many are looked for.
const MOST: usize = 10_000;

/// A port that a rule sends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPort {
    /// Its protocol.
    pub protocol: Protocol,
    /// The port, or ports, on this machine.
    pub ports: Ports,
    /// The address of this machine it is published on; none for all.
    pub address: Option<IpAddr>,
    /// To where; of ports the first.
    pub to: SocketAddr,
    /// Whose rule it is.
    pub by: Tool,
    /// The rule's comment: Podman and CNI name the container in it.
    pub comment: Option<String>,
}

/// The ports that rules send from this machine's addresses on to others, in order.
///
/// Told by rules of nat chains before routing that ask for a destination port. Whether packets really
/// get there is for a walk to say. Not among them is what is redirected within this machine, and what is
/// sent to somebody else's address (a cluster's virtual ones).
pub fn published_ports(netfilter: &Netfilter, world: &World) -> Vec<PublishedPort> {
    let mut found = Vec::new();
    for table in netfilter.tables.iter().filter(|table| translates(table)) {
        for chain in &table.chains {
            let is_elsewhere = chain
                .base
                .as_ref()
                .is_some_and(|base| !matches!(base.hook, Hook::Prerouting | Hook::Ingress));
            if is_elsewhere {
                continue;
            }
            for rule in &chain.rules {
                let asked = Asked::of(&rule.statements);
                for statement in &rule.statements {
                    let Statement::Nat(Nat {
                        kind: NatKind::Destination,
                        to,
                    }) = statement
                    else {
                        continue;
                    };
                    let by = owner(table, chain, Some(rule));
                    for (protocol, ports, to) in asked.sent_to(to, table) {
                        found.push(PublishedPort {
                            protocol,
                            ports,
                            address: asked.address,
                            to,
                            by,
                            comment: rule.comment.clone(),
                        });
                    }
                }
            }
        }
        if found.len() > MOST {
            found.truncate(MOST);
            break;
        }
    }
    found.retain(|port| {
        let is_here = port.address.is_none_or(|address| world.is_local(address));
        is_here && !world.is_local(port.to.ip())
    });
    found.sort_unstable();
    found.dedup();
    found
}

fn translates(table: &Table) -> bool {
    use crate::core::netfilter::ChainType;
    table
        .chains
        .iter()
        .any(|chain| chain.base.as_ref().is_some_and(|base| base.kind == ChainType::Nat))
}

/// What a rule asks of a packet, as far as it matters here.
#[derive(Debug, Default)]
struct Asked {
    protocols: Option<Vec<Protocol>>,
    ports: Vec<Ports>,
    address: Option<IpAddr>,
    family: Option<Family>,
    /// Something it asks for makes it no published port: other destinations, as a network of them.
    is_other: bool,
}

impl Asked {
    fn of(statements: &[Statement]) -> Self {
        let mut asked = Self::default();
        for statement in statements {
            if let Statement::If(Condition::Is {
                field,
                mask: None,
                values,
                is_negated: false,
            }) = statement
            {
                asked.look_at(field, values);
            }
        }
        asked
    }

    fn look_at(&mut self, field: &Field, values: &[Part]) {
        let mut ranges = values.iter().filter_map(|part| match part {
            Part::Range(first, last) => Some((*first, *last)),
            Part::Name(_) => None,
        });
        match field {
            Field::Protocol => self.protocols = Some(ranges.filter_map(|(number, _)| protocol(number)).collect()),
            Field::Port(of, End::Destination) => {
                if let Some(protocol) = of.and_then(|number| protocol(number.into())) {
                    self.protocols.get_or_insert_with(|| vec![protocol]);
                }
                self.ports = ranges.filter_map(|(first, last)| ports(first, last)).collect();
            }
            Field::Address(family, End::Destination) => {
                self.family = Some(*family);
                match ranges
                    .next()
                    .map(|(first, last)| (address(*family, first), address(*family, last)))
                {
                    // One of them stands for the whole of loopback.
                    Some((Some(first), Some(last))) if first == last || first.is_loopback() && last.is_loopback() => {
                        self.address = Some(if first.is_loopback() { loopback(*family) } else { first });
                    }
                    _ => self.is_other = true,
                }
            }
            _ => {}
        }
    }

    /// The ports it sends on, and to where.
    fn sent_to(&self, to: &To, table: &Table) -> Vec<(Protocol, Ports, SocketAddr)> {
        if self.is_other {
            return Vec::new();
        }
        match to {
            To::Fixed { addresses, ports } => {
                let protocols = self.protocols.as_deref().unwrap_or_default();
                sent(protocols, &self.ports, *addresses, *ports)
            }
            To::Map { key, elements, ports } => {
                let set = match elements {
                    Elements::Named(name) => table.set(name),
                    Elements::Inline(set) => Some(set),
                };
                let is_port = |field: &Field| matches!(field, Field::Port(_, End::Destination));
                let Some(place) = key.iter().position(is_port) else {
                    return Vec::new();
                };
                let elements = set.into_iter().flat_map(|set| &set.elements).take(MOST);
                elements
                    .flat_map(|element| {
                        let Some(Data::Endpoint { addresses, ports: own }) = &element.data else {
                            return Vec::new();
                        };
                        let by_key = || protocols_of(key, element);
                        let protocols = self.protocols.clone().unwrap_or_else(by_key);
                        sent(&protocols, &asked_of(element, place), *addresses, own.or(*ports))
                    })
                    .collect()
            }
            To::Unknown(_) => Vec::new(),
        }
    }
}

/// Each port of each protocol, with where it is sent: nowhere else where no address is named.
fn sent(
    protocols: &[Protocol],
    ports: &[Ports],
    addresses: Option<(IpAddr, IpAddr)>,
    new: Option<(u16, u16)>,
) -> Vec<(Protocol, Ports, SocketAddr)> {
    let Some((address, _)) = addresses else {
        return Vec::new();
    };
    let to = |ports: &Ports| SocketAddr::new(address, new.map_or_else(|| ports.first(), |(first, _)| first));
    let of = |protocol: &Protocol| {
        ports
            .iter()
            .map(|ports| (*protocol, *ports, to(ports)))
            .collect::<Vec<_>>()
    };
    protocols.iter().flat_map(of).collect()
}

/// The protocols that the key of a map asks for: by a field of its own, or with the port, as in
/// `tcp dport`.
fn protocols_of(key: &[Field], element: &Element) -> Vec<Protocol> {
    let by_field = |(field, part): (&Field, &Part)| match (field, part) {
        (Field::Protocol, Part::Range(number, _)) => protocol(*number),
        (Field::Port(Some(number), End::Destination), _) => protocol((*number).into()),
        _ => None,
    };
    key.iter().zip(&element.key).filter_map(by_field).take(1).collect()
}

fn asked_of(element: &Element, place: usize) -> Vec<Ports> {
    match element.key.get(place) {
        Some(Part::Range(first, last)) => ports(*first, *last).into_iter().collect(),
        Some(Part::Name(_)) | None => Vec::new(),
    }
}

const fn loopback(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}

fn protocol(number: u128) -> Option<Protocol> {
    match number {
        6 => Some(Protocol::Tcp),
        17 => Some(Protocol::Udp),
        136 => Some(Protocol::UdpLite),
        _ => None,
    }
}

fn ports(first: u128, last: u128) -> Option<Ports> {
    Ports::new(u16::try_from(first).ok()?, u16::try_from(last).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::netfilter::json;

    #[test]
    fn a_map_of_ports_publishes_each_of_them() {
        let local =
            r#"{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr"]}}, "right": "local"}}"#;
        let by_port = r#"{"dnat": {"family": "ip", "addr": {"map": {
            "key": {"payload": {"protocol": "tcp", "field": "dport"}},
            "data": {"set": [[8080, {"concat": ["172.17.0.2", 80]}]]}}}}}"#;
        let by_both = r#"{"dnat": {"family": "ip", "addr": {"map": {
            "key": {"concat": [{"meta": {"key": "l4proto"}}, {"payload": {"protocol": "th", "field": "dport"}}]},
            "data": {"set": [[{"concat": ["udp", 53]}, {"concat": ["172.17.0.3", 5353]}]]}}}}}"#;
        let rule = |handle: u32, dnat: &str| {
            format!(
                r#"{{"rule": {{"family": "ip", "table": "t", "chain": "pre", "handle": {handle}, "expr": [{local}, {dnat}]}}}}"#
            )
        };
        let document = format!(
            r#"{{"nftables": [{{"table": {{"family": "ip", "name": "t", "handle": 1}}}},
            {{"chain": {{"family": "ip", "table": "t", "name": "pre", "handle": 1, "type": "nat", "hook": "prerouting",
            "prio": -100, "policy": "accept"}}}}, {}, {}]}}"#,
            rule(2, by_port),
            rule(3, by_both)
        );
        let netfilter = json::parse(&document).unwrap().netfilter;
        let found: Vec<(Protocol, u16, String)> = published_ports(&netfilter, &World::default())
            .iter()
            .map(|port| (port.protocol, port.ports.first(), port.to.to_string()))
            .collect();
        assert_eq!(
            found,
            [
                (Protocol::Tcp, 8080, "172.17.0.2:80".to_owned()),
                (Protocol::Udp, 53, "172.17.0.3:5353".to_owned())
            ]
        );
    }
}
