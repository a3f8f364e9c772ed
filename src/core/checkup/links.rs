//! The interfaces to other machines, with those who may send something there.
//!
//! Of this machine they are known. For a file from somewhere there is a plain host in its place: with
//! addresses of both families on every interface that the rules name, or one that they don't, at
//! addresses that no rule means.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::core::listener::Family;
use crate::core::netfilter::{Condition, Field, Netfilter, Part, Statement};
use crate::core::network::{Interface, InterfaceKind, NetworkClass, Route, RouteKind, World};

use named::Named;

mod named;

/// So many interfaces are asked for.
const MOST_LINKS: usize = 3;
/// So many addresses that rules name are tried, of each sort.
const MOST_NAMED: usize = 4;
/// So many addresses of this machine on a link.
const MOST_OWN: usize = 16;
/// A host's and a router's link-local address that nobody names.
const LOCAL_NEIGHBOUR: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x7, 0x113, 0, 0x7);
const OWN_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x7, 0x113, 0, 0x10);

/// An interface to other machines.
#[derive(Debug, Clone)]
pub(super) struct Link<'a> {
    pub(super) name: &'a str,
    /// Whether there are neighbours to be discovered: not on a point-to-point link.
    pub(super) has_neighbours: bool,
    pub(super) interface: &'a Interface,
    sides: [Side; 2],
}

/// What of a link belongs to a family.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    /// This machine's addresses; those of the link only are last.
    pub(super) own: Vec<IpAddr>,
    /// Hosts on the link that no rule names, and some that rules do.
    pub(super) neighbours: Vec<IpAddr>,
    /// Hosts behind a router that no rule names.
    pub(super) strangers: Vec<IpAddr>,
    /// Hosts anywhere that rules name as sources or destinations.
    pub(super) named: Vec<IpAddr>,
}

impl Link<'_> {
    pub(super) const fn side(&self, family: Family) -> &Side {
        let [ipv4, ipv6] = &self.sides;
        match family {
            Family::Ipv4 => ipv4,
            Family::Ipv6 => ipv6,
        }
    }
}

impl Side {
    /// This machine's address that others than neighbours can know.
    pub(super) fn global(&self) -> Option<IpAddr> {
        self.globals().next()
    }

    /// All of these.
    pub(super) fn globals(&self) -> impl Iterator<Item = IpAddr> {
        self.own.iter().copied().filter(|address| !is_link_local(*address))
    }

    /// Its address for the link only.
    pub(super) fn local(&self) -> Option<IpAddr> {
        self.own.iter().copied().find(|address| is_link_local(*address))
    }

    /// Neighbours by their addresses for the link only.
    pub(super) fn local_neighbours(&self) -> impl Iterator<Item = IpAddr> {
        self.neighbours
            .iter()
            .copied()
            .filter(|address| is_link_local(*address))
    }

    /// Everyone farther away, those that rules name as well.
    pub(super) fn remote(&self) -> impl Iterator<Item = IpAddr> {
        self.strangers.iter().chain(&self.named).copied()
    }
}

pub(super) fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// The links of a machine for the families whose rules are known.
pub(super) fn links<'a>(world: &'a World, netfilter: &Netfilter, families: &[Family], is_live: bool) -> Vec<Link<'a>> {
    let named = Family::ALL.map(|family| Named::of(netfilter, family));
    let outward = world.interfaces.iter().filter(|interface| is_outward(interface));
    let of = |interface: &'a Interface| {
        let side = |family: Family| match families.contains(&family) {
            true => side(interface, family, named_of(&named, family), world, is_live),
            false => Side::default(),
        };
        Link {
            name: &interface.name,
            has_neighbours: matches!(
                interface.kind,
                InterfaceKind::Ethernet | InterfaceKind::Wifi | InterfaceKind::Bridge
            ),
            interface,
            sides: Family::ALL.map(side),
        }
    };
    let mut links: Vec<Link<'a>> = outward.map(of).collect();
    links.sort_by_key(|link| !link.interface.has_default_route);
    links.truncate(MOST_LINKS);
    links
}

const fn named_of(named: &[Named; 2], family: Family) -> &Named {
    let [ipv4, ipv6] = named;
    match family {
        Family::Ipv4 => ipv4,
        Family::Ipv6 => ipv6,
    }
}

/// Whether other machines are behind it. The ports of a bridge have an address for the link at most.
fn is_outward(interface: &Interface) -> bool {
    let has_address = interface.addresses.iter().any(|net| !is_link_local(net.addr()));
    interface.is_up
        && has_address
        && !matches!(interface.kind, InterfaceKind::Loopback | InterfaceKind::Vpn)
        && interface.proposed_class() != NetworkClass::Guests
}

fn side(interface: &Interface, family: Family, named: &Named, world: &World, is_live: bool) -> Side {
    let own = interface.addresses.iter().map(IpNet::addr);
    let mut own: Vec<IpAddr> = own.filter(|address| Family::of(*address) == family).collect();
    // A host with temporary addresses has many; the one for the link only must not be lost behind them.
    let local = own.iter().copied().find(|address| is_link_local(*address));
    own.retain(|address| !is_link_local(*address));
    own.truncate(MOST_OWN);
    own.extend(local);
    if own.is_empty() {
        return Side::default();
    }
    let on_link = interface
        .on_link
        .iter()
        .filter(|net| Family::of(net.addr()) == family && net.prefix_len() > 0 && !is_link_local(net.addr()));
    let mut neighbours: Vec<IpAddr> = on_link
        .clone()
        .filter_map(|net| named.neighbour(*net, world))
        .take(2)
        .collect();
    if own.iter().any(|address| is_link_local(*address)) {
        neighbours.push(IpAddr::V6(LOCAL_NEIGHBOUR));
        let local = named.sources.iter().copied().filter(|address| is_link_local(*address));
        neighbours.extend(local.take(MOST_NAMED));
    }
    let known = named.sources.iter().copied();
    neighbours.extend(known.filter(|address| on_link.clone().any(|net| net.contains(address))));
    let is_through = |address: &IpAddr| match world.route(*address) {
        _ if world.has_policy_routing => interface.has_default_route,
        Some(route) => route.kind == RouteKind::Unicast && route.interface == interface.index,
        None => false,
    };
    let has_global = own.iter().any(|address| !is_link_local(*address));
    let strangers = named.strangers(family).filter(|_| has_global);
    let of_rules = named.sources.iter().chain(&named.destinations).copied();
    Side {
        strangers: strangers.filter(is_through).take(1).collect(),
        named: of_rules
            .filter(|address| has_global && !is_link_local(*address))
            // What a file names may be the host, or somebody else.
            .filter(|address| !is_live || !world.is_local(*address))
            .collect(),
        own,
        neighbours,
    }
}

/// A plain host for rules from somewhere.
pub(super) fn plain_host(netfilter: &Netfilter) -> World {
    let named = Family::ALL.map(|family| Named::of(netfilter, family));
    let mut world = World {
        interfaces: vec![loopback()],
        ..World::default()
    };
    let mut called = named_links(netfilter);
    if called.iter().all(|name| kind_of(name) == InterfaceKind::Other) {
        called.push("eth0".to_owned());
    }
    called.truncate(MOST_LINKS);
    for (index, name) in (2u32..).zip(called) {
        let mut interface = Interface {
            index,
            kind: kind_of(&name),
            name,
            driver: None,
            addresses: Vec::new(),
            on_link: Vec::new(),
            changing: Vec::new(),
            is_up: true,
            has_default_route: index == 2,
            has_physical_port: false,
        };
        let mut to = |destination: IpNet| {
            world.routes.push(Route {
                destination,
                kind: RouteKind::Unicast,
                interface: index,
                metric: 0,
            });
        };
        for family in Family::ALL {
            let of_rules = named_of(&named, family);
            let mut nobodys = of_rules.strangers(family).skip(usize::try_from(index).unwrap_or(0) * 2);
            let (Some(own), Some(stranger)) = (nobodys.next(), nobodys.next()) else {
                continue;
            };
            let length = if family == Family::Ipv4 { 24 } else { 64 };
            let Ok(net) = IpNet::new(own, length) else {
                continue;
            };
            interface.addresses.push(net);
            interface.on_link.push(net.trunc());
            to(net.trunc());
            to(IpNet::from(stranger));
            if index == 2 {
                to(everything(family));
            }
            if family == Family::Ipv6 {
                let local = IpNet::new(IpAddr::V6(OWN_LOCAL), 64);
                interface.addresses.extend(local);
            }
            // The host may be the one that rules mean.
            let hosts = of_rules.destinations.iter().copied().take(MOST_NAMED);
            interface.addresses.extend(hosts.map(IpNet::from));
        }
        world.interfaces.push(interface);
    }
    world
}

const fn everything(family: Family) -> IpNet {
    match family {
        Family::Ipv4 => IpNet::new_assert(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        Family::Ipv6 => IpNet::new_assert(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}

fn loopback() -> Interface {
    let ipv4 = IpNet::new_assert(IpAddr::V4(Ipv4Addr::LOCALHOST), 8);
    let ipv6 = IpNet::new_assert(IpAddr::V6(Ipv6Addr::LOCALHOST), 128);
    Interface {
        index: 1,
        name: "lo".to_owned(),
        kind: InterfaceKind::Loopback,
        driver: None,
        addresses: vec![ipv4, ipv6],
        on_link: Vec::new(),
        changing: Vec::new(),
        is_up: true,
        has_default_route: false,
        has_physical_port: false,
    }
}

/// What sort an interface of that name is: whether it has neighbours.
fn kind_of(name: &str) -> InterfaceKind {
    match name.starts_with("ppp") {
        true => InterfaceKind::Other,
        false => InterfaceKind::Ethernet,
    }
}

/// The tunnels that rules name as the way out.
pub(super) fn tunnels<'a>(netfilter: &'a Netfilter, world: &World) -> Vec<&'a str> {
    const CALLED: [&str; 4] = ["tun", "tap", "wg", "tailscale"];
    let is_vpn = |name: &str| match world.interface(name) {
        Some(interface) => interface.kind == InterfaceKind::Vpn,
        None => CALLED.iter().any(|called| name.starts_with(called)),
    };
    let rules = netfilter
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .flat_map(|chain| &chain.rules);
    let mut names: Vec<&str> = Vec::new();
    for statement in rules.flat_map(|rule| &rule.statements) {
        let Statement::If(Condition::Is {
            field: Field::OutInterface,
            values,
            ..
        }) = statement
        else {
            continue;
        };
        for part in values {
            // What names begin with is such a name itself.
            if let Part::Name(pattern) = part
                && names.len() < MOST_LINKS
                && is_vpn(&pattern.stem)
                && !names.contains(&pattern.stem.as_str())
            {
                names.push(&pattern.stem);
            }
        }
    }
    names
}

/// The interfaces by which rules expect other machines: not tunnels, nor bridges of guests.
fn named_links(netfilter: &Netfilter) -> Vec<String> {
    const OTHERS: [&str; 13] = [
        "lo", "tun", "tap", "wg", "docker", "br-", "virbr", "lxdbr", "lxcbr", "incusbr", "cni", "podman", "veth",
    ];
    let mut names = Vec::new();
    for rule in netfilter
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .flat_map(|chain| &chain.rules)
    {
        for statement in &rule.statements {
            let Statement::If(Condition::Is {
                field: Field::InInterface | Field::OutInterface,
                values,
                ..
            }) = statement
            else {
                continue;
            };
            for part in values {
                let Part::Name(pattern) = part else { continue };
                let is_other = OTHERS.iter().any(|other| pattern.stem.starts_with(other));
                let name = match (pattern.is_prefix, pattern.stem.is_empty()) {
                    (_, true) => continue,
                    (true, false) => format!("{}0", pattern.stem),
                    (false, false) => pattern.stem.clone(),
                };
                if !is_other && !name.starts_with("tailscale") && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    names
}
