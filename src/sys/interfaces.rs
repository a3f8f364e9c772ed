//! Network interfaces, their addresses and default routes, through rtnetlink(7).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::core::network::{Interface, InterfaceKind, is_interface_name};
use crate::core::text::printable;
use crate::sys::netlink::Netlink;

mod message;
mod wireguard;

use message::{Address, Link, RouteEntry};
pub use wireguard::peers as wireguard_peers;

// linux/rtnetlink.h
const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;

/// Every interface of this network namespace, in the kernel's order.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut netlink = Netlink::open(None)?;
    // The bodies are an empty ifinfomsg, ifaddrmsg and rtmsg: everything, of every family.
    let links = netlink.dump(RTM_GETLINK, &[0; 16], Link::read)?;
    let addresses = netlink.dump(RTM_GETADDR, &[0; 8], Address::read)?;
    let routes = netlink.dump(RTM_GETROUTE, &[0; 12], RouteEntry::read)?;
    Ok(assemble(&links, &addresses, &routes, &is_wireless))
}

/// The name of the interface with this index, if there is one; a name that no rule and no terminal
/// could carry is made printable.
pub fn name_of(index: u32) -> Option<String> {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    rustix::net::netdevice::index_to_name(socket.ok()?, index)
        .ok()
        .map(presentable)
}

/// The way packets to a destination take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The index of the interface they leave by.
    pub interface: u32,
    /// The source address they get, where the kernel says.
    pub source: Option<IpAddr>,
}

/// The route to a peer as the kernel would choose it now; none where there is none.
pub fn route_to(peer: IpAddr) -> io::Result<Option<Route>> {
    route_over(&mut Netlink::open(None)?, peer)
}

/// The same over an rtnetlink socket that is open already, for many peers.
pub fn route_over(netlink: &mut Netlink, peer: IpAddr) -> io::Result<Option<Route>> {
    let answer = netlink.ask(RTM_GETROUTE, &message::route_request(peer), message::route);
    let unreachable = [
        Errno::NETUNREACH,
        Errno::HOSTUNREACH,
        Errno::ACCESS,
        Errno::INVAL,
        Errno::NODEV,
    ];
    match answer {
        // What the kernel answers for no, unreachable, prohibit and blackhole routes
        // (`fib_props` in `net/ipv4/fib_semantics.c`).
        Err(error)
            if unreachable
                .iter()
                .any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            Ok(None)
        }
        answer => answer,
    }
}

fn presentable(name: String) -> String {
    if is_interface_name(&name) {
        name
    } else {
        printable(&name)
    }
}

fn assemble(
    links: &[Link],
    addresses: &[Address],
    routes: &[RouteEntry],
    is_wireless: &dyn Fn(&str) -> bool,
) -> Vec<Interface> {
    let gateways: BTreeSet<u32> = routes
        .iter()
        .filter(|route| route.is_default)
        .flat_map(|route| &route.interfaces)
        .copied()
        .collect();
    let kinds: Vec<InterfaceKind> = links.iter().map(|link| kind_of(link, is_wireless)).collect();
    let uplinked: BTreeSet<u32> = links
        .iter()
        .zip(&kinds)
        .filter(|(link, kind)| **kind == InterfaceKind::Wifi || !is_virtual_port(link.driver.as_deref()))
        .filter_map(|(link, _)| link.master)
        .collect();
    links
        .iter()
        .zip(&kinds)
        .map(|(link, kind)| {
            let own = || addresses.iter().filter(|address| address.interface == link.index);
            let mut on_link: Vec<IpNet> = own().filter_map(|address| on_link(address, routes)).collect();
            on_link.sort();
            on_link.dedup();
            let mut changing: Vec<IpNet> = own()
                .filter(|address| address.is_changing)
                .map(|address| changing_within(address, &on_link))
                .collect();
            changing.sort();
            changing.dedup();
            Interface {
                index: link.index,
                name: presentable(link.name.clone()),
                kind: *kind,
                driver: link.driver.as_deref().map(printable),
                addresses: own().map(|address| address.local).collect(),
                on_link,
                changing,
                is_up: link.is_up,
                has_default_route: gateways.contains(&link.index),
                has_physical_port: *kind == InterfaceKind::Bridge && uplinked.contains(&link.index),
            }
        })
        .collect()
}

/// The prefix an address puts on its link.
///
/// Addresses flagged `IFA_F_NOPREFIXROUTE` do so only where a route to that prefix without a
/// gateway says so too: `NetworkManager` sets the flag and adds the route itself, while a router
/// advertisement may give addresses from a prefix that is not on the link (RFC 4861, 4.6.2).
fn on_link(address: &Address, routes: &[RouteEntry]) -> Option<IpNet> {
    let prefix = address.prefix.trunc();
    let is_routed = || {
        routes.iter().any(|route| {
            route.interfaces.contains(&address.interface)
                && route.on_link.is_some_and(|destination| destination.contains(&prefix))
        })
    };
    let is_on_link = !address.has_no_prefix_route || is_routed();
    // The whole length is the address itself: a link without neighbours, unless it is a peer's.
    let is_own = prefix.prefix_len() == prefix.max_prefix_len() && prefix.addr() == address.local.addr();
    (is_on_link && !is_own).then_some(prefix)
}

/// The prefix from which an address that comes and goes will be followed by others: `DHCPv6` gives
/// addresses without one, of the link's.
fn changing_within(address: &Address, on_link: &[IpNet]) -> IpNet {
    let own = address.local.addr();
    let widest = on_link
        .iter()
        .filter(|net| net.contains(&own))
        .min_by_key(|net| net.prefix_len());
    let prefix = address.local.trunc();
    widest
        .copied()
        .filter(|net| net.prefix_len() < prefix.prefix_len())
        .unwrap_or(prefix)
}

/// Drivers of tunnels (`IFLA_INFO_KIND`; `rtnl_link_ops.kind` in the kernel's drivers).
const TUNNELS: [&str; 18] = [
    "wireguard",
    "tun",
    "ovpn",
    "ovpn-dco",
    "ipip",
    "sit",
    "gre",
    "gretap",
    "ip6gre",
    "ip6gretap",
    "erspan",
    "ip6erspan",
    "vti",
    "vti6",
    "xfrm",
    "ip6tnl",
    "amneziawg",
    "ipsec",
];

// Hardware types of linux/if_arp.h.
const ARPHRD_ETHER: u16 = 1;
/// IP in IP, IPv6 in IPv6, IPv6 in IPv4, GRE, GRE over IPv6.
const ARPHRD_TUNNELS: [u16; 5] = [768, 769, 776, 778, 823];
/// 802.11, with prism and radiotap headers.
const ARPHRD_WIRELESS: [u16; 3] = [801, 802, 803];

fn kind_of(link: &Link, is_wireless: &dyn Fn(&str) -> bool) -> InterfaceKind {
    match link.driver.as_deref() {
        _ if link.is_loopback => InterfaceKind::Loopback,
        Some("bridge") => InterfaceKind::Bridge,
        // The tap device of a VM, which is a port of a bridge, carries no tunnel.
        Some("tun") if link.master.is_some() => InterfaceKind::Ethernet,
        Some(driver) if TUNNELS.contains(&driver) => InterfaceKind::Vpn,
        Some("ppp" | "wwan" | "rmnet") => InterfaceKind::Other,
        Some("virt_wifi") => InterfaceKind::Wifi,
        // Hardware has no driver here. Its name is only looked up then: /sys may show the names of
        // another network namespace, whose wlan0 need not be this one's.
        None if ARPHRD_WIRELESS.contains(&link.hardware) || is_wireless(&link.name) => InterfaceKind::Wifi,
        // Mobile broadband that poses as Ethernet goes by its name only (systemd.net-naming-scheme(7)).
        None if link.name.starts_with("ww") => InterfaceKind::Other,
        _ if ARPHRD_TUNNELS.contains(&link.hardware) => InterfaceKind::Vpn,
        _ if link.hardware == ARPHRD_ETHER => InterfaceKind::Ethernet,
        _ => InterfaceKind::Other,
    }
}

/// Whether a bridge's port leads to a VM or a container of this machine, or nowhere. What is not
/// known to do so counts as a way to the outside.
fn is_virtual_port(driver: Option<&str>) -> bool {
    matches!(driver, Some("veth" | "tun" | "macvtap" | "dummy" | "ifb" | "netkit"))
}

/// Whether the interface is wireless, by what sysfs has of it (`cfg80211` adds the link, wireless
/// extensions the folder).
fn is_wireless(name: &str) -> bool {
    is_interface_name(name)
        && ["phy80211", "wireless"]
            .iter()
            .any(|entry| fs::symlink_metadata(Path::new("/sys/class/net").join(name).join(entry)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, driver: Option<&str>) -> Link {
        Link {
            index,
            name: name.into(),
            driver: driver.map(Into::into),
            master: None,
            hardware: ARPHRD_ETHER,
            is_up: true,
            is_loopback: false,
        }
    }

    fn kind(link: &Link) -> InterfaceKind {
        kind_of(link, &|name| name == "wlan0")
    }

    #[test]
    fn kinds_follow_the_driver_then_the_hardware() {
        for (name, driver, hardware, expected) in [
            ("eth0", None, ARPHRD_ETHER, InterfaceKind::Ethernet),
            ("wlan0", None, ARPHRD_ETHER, InterfaceKind::Wifi),
            ("mon0", None, 803, InterfaceKind::Wifi),
            ("wlan0", Some("veth"), ARPHRD_ETHER, InterfaceKind::Ethernet),
            ("br0", Some("bridge"), ARPHRD_ETHER, InterfaceKind::Bridge),
            ("wg0", Some("wireguard"), 65534, InterfaceKind::Vpn),
            ("tailscale0", Some("tun"), 65534, InterfaceKind::Vpn),
            ("he-ipv6", Some("sit"), 776, InterfaceKind::Vpn),
            ("gre1", None, 778, InterfaceKind::Vpn),
            ("ppp0", Some("ppp"), 512, InterfaceKind::Other),
            ("wwan0", None, 65534, InterfaceKind::Other),
            ("wwp0s20", None, ARPHRD_ETHER, InterfaceKind::Other),
            ("bond0", Some("bond"), ARPHRD_ETHER, InterfaceKind::Ethernet),
            ("can0", Some("vcan"), 280, InterfaceKind::Other),
        ] {
            let link = Link {
                hardware,
                ..link(2, name, driver)
            };
            assert_eq!(kind(&link), expected, "{name}");
        }
    }

    #[test]
    fn a_vms_tap_is_no_vpn() {
        let tap = Link {
            master: Some(5),
            ..link(2, "vnet0", Some("tun"))
        };
        assert_eq!(kind(&tap), InterfaceKind::Ethernet);
    }

    #[test]
    fn only_ports_to_the_outside_make_an_uplink() {
        for (name, driver, expected) in [
            ("veth1", Some("veth"), false),
            ("vnet0", Some("tun"), false),
            ("eth0", None, true),
            ("bond0", Some("bond"), true),
            ("eth0.7", Some("vlan"), true),
            ("wlan0", None, true),
            ("new0", Some("driver-of-tomorrow"), true),
        ] {
            let port = Link {
                master: Some(9),
                ..link(2, name, driver)
            };
            let all = assemble(&[link(9, "br0", Some("bridge")), port], &[], &[], &|_| false);
            assert_eq!(all[0].has_physical_port, expected, "{name}");
            assert!(!all[1].has_physical_port);
        }
    }

    fn address(local: &str, prefix: &str) -> Address {
        Address {
            interface: 2,
            local: local.parse().unwrap(),
            prefix: prefix.parse().unwrap(),
            has_no_prefix_route: false,
            is_changing: false,
        }
    }

    fn on_link_of(addresses: &[Address], routes: &[RouteEntry]) -> Vec<String> {
        let all = assemble(&[link(2, "eth0", None)], addresses, routes, &|_| false);
        all[0].on_link.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn prefixes_come_from_addresses_and_peers() {
        let addresses = [
            address("192.0.2.7/24", "192.0.2.7/24"),
            address("192.0.2.8/24", "192.0.2.8/24"),
            address("10.0.0.1/32", "10.0.0.2/32"),
            address("100.64.0.9/32", "100.64.0.9/32"),
            address("fe80::1/64", "fe80::1/64"),
        ];
        assert_eq!(
            on_link_of(&addresses, &[]),
            ["10.0.0.2/32", "192.0.2.0/24", "fe80::/64"]
        );
    }

    #[test]
    fn an_address_without_prefix_route_needs_a_route() {
        let addresses = [Address {
            has_no_prefix_route: true,
            ..address("2001:db8::7/64", "2001:db8::7/64")
        }];
        assert!(on_link_of(&addresses, &[]).is_empty());
        let mut route = RouteEntry {
            interfaces: vec![2],
            is_default: false,
            on_link: Some("2001:db8::/64".parse().unwrap()),
        };
        assert_eq!(on_link_of(&addresses, std::slice::from_ref(&route)), ["2001:db8::/64"]);
        route.interfaces = vec![3];
        assert!(on_link_of(&addresses, &[route]).is_empty());
    }

    #[test]
    fn addresses_that_come_and_go_are_known_by_their_prefix() {
        let changing = |local: &str, prefix: &str| Address {
            is_changing: true,
            ..address(local, prefix)
        };
        let addresses = [
            address("2001:db8:1::7/64", "2001:db8:1::7/64"),
            changing("2001:db8:2::7/64", "2001:db8:2::7/64"),
            changing("2001:db8:2::8/64", "2001:db8:2::8/64"),
            // From DHCPv6: of the link's prefix, and of none.
            changing("2001:db8:1::9/128", "2001:db8:1::9/128"),
            changing("2001:db8:3::9/128", "2001:db8:3::9/128"),
        ];
        let all = assemble(&[link(2, "eth0", None)], &addresses, &[], &|_| false);
        let changing: Vec<String> = all[0].changing.iter().map(ToString::to_string).collect();
        assert_eq!(changing, ["2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:3::9/128"]);
    }

    #[test]
    fn hostile_names_are_made_printable() {
        let all = assemble(&[link(2, "\u{1b}[2J", Some("dri\nver"))], &[], &[], &|_| false);
        assert_eq!(all[0].name, "?[2J");
        assert_eq!(all[0].driver.as_deref(), Some("dri?ver"));
    }

    #[test]
    fn the_loopback_interface_is_read_from_the_kernel() {
        let interfaces = interfaces().unwrap();
        let loopback = interfaces.iter().find(|interface| interface.name == "lo").unwrap();
        assert_eq!(loopback.kind, InterfaceKind::Loopback);
        assert_eq!(loopback.index, 1);
        assert!(loopback.is_up);
        assert!(loopback.addresses.contains(&"127.0.0.1/8".parse().unwrap()));
        assert_eq!(name_of(1).as_deref(), Some("lo"));
        assert_eq!(name_of(u32::MAX), None);
    }

    #[test]
    fn this_machine_is_reached_by_loopback() {
        let route = route_to(IpAddr::from([127, 0, 0, 1])).unwrap().unwrap();
        assert_eq!(route.interface, 1);
        assert_eq!(route.source, Some(IpAddr::from([127, 0, 0, 1])));
        let route = route_to("::1".parse().unwrap()).unwrap().unwrap();
        assert_eq!(route.interface, 1);
    }
}
