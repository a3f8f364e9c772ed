//! Routes, rules for routing and the kernel's switches, through rtnetlink(7) and /proc/sys/net.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::IpNet;

use crate::core::network::{Interface, Peers, Route, RouteKind, Switches, World, is_interface_name};
use crate::sys::clock;
use crate::sys::interfaces::wireguard_peers;
use crate::sys::netlink::{self, Message, Netlink};

// linux/rtnetlink.h
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const RTM_NEWRULE: u16 = 32;
const RTM_GETRULE: u16 = 34;
/// `sizeof(struct rtmsg)`, and of `struct fib_rule_hdr`.
const HEADER: usize = 12;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTM_F_CLONED: u32 = 0x200;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const MAIN: u32 = 254;
const LOCAL: u32 = 255;

// linux/fib_rules.h
const FRA_PRIORITY: u16 = 6;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_PROTOCOL: u16 = 21;
const FR_ACT_TO_TBL: u8 = 1;

/// More routes than this are not looked into: where a packet goes is not known then.
const MOST_ROUTES: usize = 10_000;

/// What decides over packets besides rules: routes, and what the kernel refuses by itself.
///
/// # Errors
/// Where rtnetlink does not answer.
pub fn world(interfaces: &[Interface]) -> io::Result<World> {
    let (found, has_more) = Netlink::open(None)?.dump_at_most(MOST_ROUTES, RTM_GETROUTE, &[0; HEADER], |message| {
        Some((route(message)?, gateway(message)))
    })?;
    let rules = Netlink::open(None)?.dump(RTM_GETRULE, &[0; HEADER], |message| Some(is_default_rule(message)));
    // A kernel without rules for routing has no other tables.
    let has_rules = match rules {
        Ok(rules) => rules.contains(&false),
        Err(error) if netlink::is_unsupported(&error) => false,
        Err(error) => return Err(error),
    };
    let mut gateways: BTreeMap<u32, Vec<IpAddr>> = BTreeMap::new();
    for (route, router) in &found {
        let is_default = route.destination.prefix_len() == 0 && route.kind == RouteKind::Unicast;
        let known = gateways.entry(route.interface).or_default();
        known.extend(router.filter(|router| is_default && !known.contains(router)));
    }
    gateways.retain(|_, known| !known.is_empty());
    let routes: Vec<Route> = found.into_iter().map(|(route, _)| route).collect();
    // What leaves by a next-hop object names no interface.
    let is_vague = routes
        .iter()
        .any(|route| route.kind == RouteKind::Unicast && route.interface == 0);
    Ok(World {
        interfaces: interfaces.to_vec(),
        routes,
        routers: gateways,
        peers: peers(interfaces),
        has_policy_routing: has_more || has_rules || is_vague,
        switches: switches(interfaces),
        now: clock::since_1970(),
    })
}

/// The peers of tunnels. That they can't be seen without root is no failure.
fn peers(interfaces: &[Interface]) -> BTreeMap<u32, Peers> {
    let tunnels = interfaces
        .iter()
        .filter(|interface| interface.driver.as_deref() == Some("wireguard"));
    let known = tunnels.filter_map(|interface| {
        let peers = wireguard_peers(interface.index).ok().flatten()?;
        Some((interface.index, peers))
    });
    known.collect()
}

/// A route of the tables `local` and `main`.
fn route(message: &Message<'_>) -> Option<Route> {
    let body = message.body;
    let [family, length, _, _, table, _, _, kind] = netlink::bytes_at(body, 0)?;
    let flags = netlink::native_u32(body, 8)?;
    // RTN_*; anycast addresses are delivered here as well, multicast has no routes of its own.
    let kind = match kind {
        1 => RouteKind::Unicast,
        2 | 4 => RouteKind::Local,
        3 => RouteKind::Broadcast,
        6..=8 => RouteKind::None,
        _ => return None,
    };
    let (mut table, mut destination) = (u32::from(table), None);
    let (mut interface, mut metric) = (0, 0);
    for (kind, value) in netlink::attributes_after(body, HEADER) {
        match kind {
            RTA_DST => destination = address(family, value),
            RTA_OIF => interface = netlink::native_u32(value, 0)?,
            RTA_PRIORITY => metric = netlink::native_u32(value, 0)?,
            RTA_TABLE => table = netlink::native_u32(value, 0)?,
            // `struct rtnexthop`: of several ways the first.
            RTA_MULTIPATH => interface = netlink::native_u32(value, 4)?,
            _ => {}
        }
    }
    let any = match family {
        AF_INET => Ipv4Addr::UNSPECIFIED.into(),
        AF_INET6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    let is_wanted = message.kind == RTM_NEWROUTE && flags & RTM_F_CLONED == 0 && matches!(table, MAIN | LOCAL);
    let destination = IpNet::new(destination.unwrap_or(any), length).ok()?;
    is_wanted.then_some(Route {
        destination,
        kind,
        interface,
        metric,
    })
}

/// The router a route goes through; none where it goes to the link itself, or by several ways.
fn gateway(message: &Message<'_>) -> Option<IpAddr> {
    let [family] = netlink::bytes_at(message.body, 0)?;
    let mut attributes = netlink::attributes_after(message.body, HEADER);
    attributes.find_map(|(kind, value)| (kind == RTA_GATEWAY).then(|| address(family, value))?)
}

fn address(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => netlink::bytes_at::<4>(value, 0).map(|octets| Ipv4Addr::from(octets).into()),
        AF_INET6 => netlink::bytes_at::<16>(value, 0).map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// Whether it is one of the three every machine has: to `local`, `main` and the empty `default`.
fn is_default_rule(message: &Message<'_>) -> bool {
    let Some([family, to, from, tos, table, _, _, action]) = netlink::bytes_at(message.body, 0) else {
        return false;
    };
    if message.kind != RTM_NEWRULE || !matches!(family, AF_INET | AF_INET6) {
        // Rules of multicast routing are not about services.
        return true;
    }
    let (mut table, mut priority, mut asks) = (u32::from(table), 0, false);
    for (kind, value) in netlink::attributes_after(message.body, HEADER) {
        match kind {
            FRA_TABLE => table = netlink::native_u32(value, 0).unwrap_or(0),
            FRA_PRIORITY => priority = netlink::native_u32(value, 0).unwrap_or(u32::MAX),
            // -1 is none.
            FRA_SUPPRESS_PREFIXLEN => asks |= netlink::native_u32(value, 0) != Some(u32::MAX),
            FRA_PROTOCOL => {}
            _ => asks = true,
        }
    }
    let is_plain = !asks && [to, from, tos] == [0, 0, 0] && action == FR_ACT_TO_TBL;
    is_plain && matches!((priority, table), (0, LOCAL) | (32_766, MAIN) | (32_767, 253))
}

fn switches(interfaces: &[Interface]) -> BTreeMap<String, Switches> {
    let forwards_ipv6 = switch(6, "all", "forwarding") != 0;
    let (localnet, reverse_path) = (switch(4, "all", "route_localnet"), switch(4, "all", "rp_filter"));
    let names = interfaces
        .iter()
        .map(|interface| &interface.name)
        .filter(|name| is_interface_name(name));
    names
        .map(|name| {
            let switches = Switches {
                forwards_ipv4: switch(4, name, "forwarding") != 0,
                forwards_ipv6,
                routes_localnet: localnet.max(switch(4, name, "route_localnet")) != 0,
                reverse_path: reverse_path.max(switch(4, name, "rp_filter")),
            };
            (name.clone(), switches)
        })
        .collect()
}

/// One switch; 0 where there is none.
fn switch(version: u8, interface: &str, which: &str) -> u8 {
    let path = Path::new("/proc/sys/net")
        .join(format!("ipv{version}/conf"))
        .join(interface)
        .join(which);
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sys::interfaces::interfaces;

    fn message(kind: u16, body: &[u8]) -> Message<'_> {
        Message {
            kind,
            flags: 0,
            sequence: 1,
            body,
        }
    }

    fn rule(priority: u32, table: u8) -> Vec<u8> {
        let mut body = vec![AF_INET, 0, 0, 0, table, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0];
        netlink::push_attribute(&mut body, FRA_TABLE, &u32::from(table).to_ne_bytes());
        netlink::push_attribute(&mut body, FRA_SUPPRESS_PREFIXLEN, &u32::MAX.to_ne_bytes());
        netlink::push_attribute(&mut body, FRA_PRIORITY, &priority.to_ne_bytes());
        body
    }

    #[test]
    fn only_the_three_rules_of_every_machine_are_no_policy() {
        for (priority, table) in [(0, 255), (32_766, 254), (32_767, 253)] {
            assert!(is_default_rule(&message(RTM_NEWRULE, &rule(priority, table))));
        }
        assert!(!is_default_rule(&message(RTM_NEWRULE, &rule(100, 254))));
        let mut marked = rule(32_766, 254);
        // FRA_FWMARK
        netlink::push_attribute(&mut marked, 10, &1_u32.to_ne_bytes());
        assert!(!is_default_rule(&message(RTM_NEWRULE, &marked)));
    }

    #[test]
    fn routes_of_two_tables_are_read() {
        let with = |table: u8, kind: u8| {
            let mut body = vec![AF_INET, 24, 0, 0, table, 0, 0, kind, 0, 0, 0, 0];
            netlink::push_attribute(&mut body, RTA_DST, &[192, 0, 2, 0]);
            netlink::push_attribute(&mut body, RTA_OIF, &2_u32.to_ne_bytes());
            netlink::push_attribute(&mut body, RTA_PRIORITY, &100_u32.to_ne_bytes());
            body
        };
        let found = route(&message(RTM_NEWROUTE, &with(254, 1))).unwrap();
        assert_eq!(
            (found.destination.to_string().as_str(), found.interface, found.metric),
            ("192.0.2.0/24", 2, 100)
        );
        assert_eq!(
            route(&message(RTM_NEWROUTE, &with(254, 7))).unwrap().kind,
            RouteKind::None
        );
        assert_eq!(route(&message(RTM_NEWROUTE, &with(100, 1))), None);
        assert_eq!(route(&message(RTM_NEWROUTE, &with(255, 5))), None);
    }

    #[test]
    fn the_loopback_addresses_are_local() {
        let world = world(&interfaces().unwrap()).unwrap();
        let route = world.route(IpAddr::from([127, 0, 0, 1])).unwrap();
        assert_eq!((route.kind, route.interface), (RouteKind::Local, 1));
        assert!(world.switches.contains_key("lo"));
        assert!(world.now > std::time::Duration::from_secs(1_600_000_000));
    }

    #[test]
    fn a_long_table_is_cut() {
        let netlink = Netlink::open(None).unwrap();
        // RTM_GETLINK: there is lo at least.
        let (links, has_more) = netlink.dump_at_most(0, 18, &[0; 16], |_| Some(())).unwrap();
        assert!(links.is_empty() && has_more);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..96)) {
            let found = route(&message(RTM_NEWROUTE, &body));
            prop_assert!(found.is_none_or(|route| route.destination.prefix_len() <= 128));
            is_default_rule(&message(RTM_NEWRULE, &body));
        }
    }
}
