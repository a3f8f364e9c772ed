//! Who stands where: the machine's interfaces, and whom the rehearsal has knock through them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use ipnet::IpNet;

use super::Script;
use crate::core::listener::Family;
use crate::core::network::{Interface, InterfaceKind, class_of, is_interface_name};
use crate::core::ruleset::{Rule, Ruleset};
use crate::core::service::BoundTo;

/// With more interfaces than this, one of each class and family stands for the others.
const FEW: usize = 4;
/// And no more than these in any case.
const MOST_LINKS: usize = 16;
/// Of the sources that rules name wherever they come in, so many of each family get a peer.
const MOST_NAMED: usize = 4;
/// How many addresses of a prefix are looked at for a free one.
const LOOKED_AT: usize = 300;

/// Indexes of the links' two ends. They must differ, and be no lower than what new namespaces have:
/// the kernel takes an interface whose peer has its own index for one without a peer, and tells IPv6
/// of its carrier up to a second later (`linkwatch_urgent_event` in `net/core/link_watch.c`).
const FIRST_END: u32 = 1001;
const FIRST_PEER_END: u32 = 2001;

/// The links, with the peers at their other ends.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) links: Vec<Link>,
}

/// One of the machine's interfaces.
#[derive(Debug)]
pub(super) struct Link {
    /// Its name on the machine.
    pub(super) name: String,
    /// Its index in the machine's namespace.
    pub(super) index: u32,
    /// That of its other end.
    pub(super) peer_index: u32,
    /// The machine's addresses on it.
    pub(super) addresses: Vec<IpAddr>,
    /// Whoever is at the other end.
    pub(super) peers: Vec<Peer>,
}

/// Somebody who knocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) who: Who,
    pub(super) address: IpAddr,
}

/// What somebody is to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// On the link.
    Neighbour,
    /// From nowhere the machine or its rules know of.
    Stranger,
    /// From this network, which rules name.
    From(IpNet),
    /// The other end of a way in.
    Own,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Neighbour => f.write_str("a neighbour"),
            Self::Stranger => f.write_str("a stranger"),
            Self::From(net) => write!(f, "somebody from {net}"),
            Self::Own => f.write_str("your own way in"),
        }
    }
}

impl Link {
    /// The address a peer finds the machine at: the first one that is no link-local address, else
    /// the first one.
    pub(super) fn address(&self, family: Family) -> Option<IpAddr> {
        let mut own = self.addresses.iter().filter(|address| Family::of(**address) == family);
        let first = own.clone().next();
        own.find(|address| !is_link_local(**address)).or(first).copied()
    }

    /// An address and a port as seen from the other end.
    pub(super) fn seen_from_there(&self, address: IpAddr, port: u16) -> SocketAddr {
        match address {
            IpAddr::V6(address) if address.is_unicast_link_local() => {
                SocketAddrV6::new(address, port, 0, self.peer_index).into()
            }
            address => SocketAddr::new(address, port),
        }
    }
}

/// Whether an address means something on its link only.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

impl Stage {
    /// The stage for a script, in the families its backend has.
    pub(super) fn new(script: &Script<'_>) -> Self {
        let families = script.backend.families();
        let mut stage = Self::default();
        let mut taken = BTreeSet::new();
        let chosen = chosen(script, families);
        for ((interface, first), second) in chosen.iter().zip(FIRST_END..).zip(FIRST_PEER_END..) {
            let mut addresses = addresses(interface, families);
            // One that two interfaces have is that of the first.
            addresses.retain(|address| is_link_local(*address) || taken.insert(*address));
            stage.links.push(Link {
                name: interface.name.clone(),
                index: first,
                peer_index: second,
                addresses,
                peers: Vec::new(),
            });
        }
        let known = known(script);
        for way_in in script.ways_in {
            let place = way_in.interface.as_ref().zip(way_in.peer);
            if let Some((name, address)) = place
                && let Some(link) = stage.links.iter_mut().find(|link| link.name == *name)
                && link.address(Family::of(address)).is_some()
                && (taken.insert(address) || is_link_local(address))
            {
                let who = Who::Own;
                link.peers.push(Peer { who, address });
            }
        }
        for (interface, link) in chosen.iter().zip(&mut stage.links) {
            let has = Family::ALL.map(|family| link.address(family).map(|_| family));
            for family in has.into_iter().flatten() {
                let neighbour = neighbour(interface, family, &taken);
                let stranger = strangers(family).find(|address| is_unknown(*address, &known, &taken));
                for (who, address) in [(Who::Neighbour, neighbour), (Who::Stranger, stranger)] {
                    if let Some(address) = address.filter(|address| taken.insert(*address)) {
                        link.peers.push(Peer { who, address });
                    }
                }
            }
        }
        for family in Family::ALL {
            let Some(link) = stage.links.iter_mut().find(|link| link.address(family).is_some()) else {
                continue;
            };
            let named = named_anywhere(script.promised, family).into_iter().take(MOST_NAMED);
            for net in named {
                if let Some(address) = hosts(net).find(|address| !taken.contains(address)) {
                    taken.insert(address);
                    let who = Who::From(net);
                    link.peers.push(Peer { who, address });
                }
            }
        }
        stage
    }
}

/// The interfaces that are rebuilt.
fn chosen<'a>(script: &Script<'a>, families: &[Family]) -> Vec<&'a Interface> {
    let fits = |interface: &&Interface| {
        interface.kind != InterfaceKind::Loopback
            && interface.is_up
            && is_interface_name(&interface.name)
            // `ip -batch` takes what follows for a comment.
            && !interface.name.contains('#')
            && !addresses(interface, families).is_empty()
    };
    let mut all: Vec<&Interface> = script.interfaces.iter().filter(fits).collect();
    let is_way_in = |interface: &Interface| {
        let mut names = script.ways_in.iter().filter_map(|way_in| way_in.interface.as_ref());
        names.any(|name| *name == interface.name)
    };
    let is_decided = |interface: &Interface| {
        let is_spoken_of = script.policy.networks.interfaces.contains_key(&interface.name);
        is_spoken_of || script.rows.iter().any(|row| is_bound(&row.service.bound_to, interface))
    };
    // Where a bridge has many ports, each has link-local addresses, and nobody knocks at those.
    let is_local = |interface: &Interface| addresses(interface, families).into_iter().all(is_link_local);
    all.sort_by_key(|interface| (!is_way_in(interface), !is_decided(interface), is_local(interface)));
    if all.len() > FEW {
        let mut seen: BTreeSet<(&str, Family, bool)> = BTreeSet::new();
        all.retain(|interface| {
            let class = class_of(interface, script.policy).word();
            let is_new = addresses(interface, families)
                .into_iter()
                .filter(|address| seen.insert((class, Family::of(*address), is_link_local(*address))))
                .count();
            is_way_in(interface) || is_decided(interface) || is_new > 0
        });
    }
    all.truncate(MOST_LINKS);
    all
}

fn is_bound(bound_to: &BoundTo, interface: &Interface) -> bool {
    match bound_to {
        BoundTo::Address(address) => interface.addresses.iter().any(|net| net.addr() == *address),
        BoundTo::Interface(name) => *name == interface.name,
        BoundTo::All | BoundTo::Loopback => false,
    }
}

fn addresses(interface: &Interface, families: &[Family]) -> Vec<IpAddr> {
    let mut own: Vec<IpAddr> = interface.addresses.iter().map(IpNet::addr).collect();
    own.retain(|address| families.contains(&Family::of(*address)) && !address.is_loopback());
    let mut seen = BTreeSet::new();
    own.retain(|address| seen.insert(*address));
    own
}

/// Every network the machine or its rules know of.
fn known(script: &Script<'_>) -> Vec<IpNet> {
    let of_interfaces = script
        .interfaces
        .iter()
        .flat_map(|interface| interface.on_link.iter().chain(&interface.addresses))
        .copied();
    let rulesets = [script.promised, script.candidate];
    let of_rules = rulesets.into_iter().flat_map(sources).map(|(_, source)| source);
    of_interfaces
        .chain(of_rules)
        .filter(|net| net.prefix_len() > 0)
        .collect()
}

/// The sources that rules name, with the interface they are expected on.
fn sources(ruleset: &Ruleset) -> Vec<(Option<&str>, IpNet)> {
    Family::ALL
        .into_iter()
        .flat_map(|family| ruleset.family(family).rules())
        .filter_map(|rule| match rule {
            Rule::Known { matches, .. } => Some((matches.interface.as_deref(), matches.source?)),
            Rule::Other(_) => None,
        })
        .collect()
}

/// Those that are expected on any interface.
fn named_anywhere(ruleset: &Ruleset, family: Family) -> BTreeSet<IpNet> {
    let is_place = |net: &IpNet| Family::of(net.addr()) == family && !is_link_local(net.addr());
    sources(ruleset)
        .into_iter()
        .filter(|(interface, _)| interface.is_none())
        .map(|(_, net)| net)
        .filter(is_place)
        .collect()
}

/// A free address on an interface's link.
fn neighbour(interface: &Interface, family: Family, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    let mut nets: Vec<IpNet> = interface
        .on_link
        .iter()
        .filter(|net| Family::of(net.addr()) == family && net.prefix_len() > 0)
        .map(IpNet::trunc)
        .collect();
    nets.sort_by_key(|net| is_link_local(net.addr()));
    let own: BTreeSet<IpAddr> = interface.addresses.iter().map(IpNet::addr).collect();
    nets.into_iter()
        .flat_map(hosts)
        .find(|address| !taken.contains(address) && !own.contains(address))
}

/// The first addresses of a network that somebody may have.
fn hosts(net: IpNet) -> impl Iterator<Item = IpAddr> {
    // The first address of an IPv6 prefix is that of any router (RFC 4291, 2.6.1).
    let is_anycast = move |address: &IpAddr| address.is_ipv6() && net.prefix_len() < 127 && *address == net.network();
    net.hosts().filter(move |address| !is_anycast(address)).take(LOOKED_AT)
}

/// Addresses all over the place.
fn strangers(family: Family) -> Box<dyn Iterator<Item = IpAddr>> {
    match family {
        Family::Ipv4 => Box::new((1..224u8).filter(|net| *net != 127).flat_map(|net| {
            (1..=MOST_LINKS).filter_map(move |host| {
                let host = u8::try_from(host).ok()?;
                Some(Ipv4Addr::new(net, 7, 113, host).into())
            })
        })),
        Family::Ipv6 => Box::new((0x2000..0x2100u16).flat_map(|net| {
            (1..=MOST_LINKS).filter_map(move |host| {
                let host = u16::try_from(host).ok()?;
                Some(Ipv6Addr::new(net, 7, 0x113, 7, 0, 0, 0, host).into())
            })
        })),
    }
}

fn is_unknown(address: IpAddr, known: &[IpNet], taken: &BTreeSet<IpAddr>) -> bool {
    !taken.contains(&address) && !known.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests;
