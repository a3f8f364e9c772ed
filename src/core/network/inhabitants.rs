//! Who can be on the network of an interface: what a class is decided by.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Interface, InterfaceKind, NetworkClass, Peers, World};

/// More addresses than this are not counted one by one.
const COUNTABLE: u8 = 24;

/// So many networks are named in a sentence.
const MOST_NAMED: usize = 12;

/// Who can be on an interface's network, one sentence each: by its kind or the tunnel's peers, by its
/// addresses, and by the routers of the default routes through it.
pub fn inhabitants(interface: &Interface, world: &World) -> Vec<String> {
    if interface.kind == InterfaceKind::Loopback {
        return vec!["This machine itself, and nobody else.".to_owned()];
    }
    let mut sentences = vec![
        world
            .peers(interface)
            .map_or_else(|| by_kind(interface).to_owned(), behind_tunnel),
    ];
    if !interface.is_up {
        sentences.push("It is down: nobody is there now.".to_owned());
    }
    sentences.extend(neighbours(interface));
    sentences.extend(beyond(interface, world.routers(interface)));
    sentences
}

fn by_kind(interface: &Interface) -> &'static str {
    let is = |driver: &str| interface.driver.as_deref() == Some(driver);
    match interface.kind {
        InterfaceKind::Loopback => "This machine itself.",
        InterfaceKind::Wifi => "Whoever knows the password of the Wi-Fi it is in; without one, everyone nearby.",
        InterfaceKind::Bridge if interface.proposed_class() == NetworkClass::Guests => {
            "The virtual machines and containers of this machine that are on this bridge."
        }
        InterfaceKind::Bridge => "Whoever is on one of the networks that this bridge joins.",
        InterfaceKind::Vpn if is("wireguard") => "Its peers: whoever holds a key that it knows, and whom they send on.",
        InterfaceKind::Vpn => "Whoever is let into the tunnel at its other end, and whom they send on.",
        InterfaceKind::Ethernet if is("veth") => "What is at the other end of this virtual cable.",
        InterfaceKind::Ethernet => "Whoever is connected to the same cable, switch or router.",
        InterfaceKind::Other => "Whoever is at its other end: often a provider, and the Internet behind it.",
    }
}

/// The peers of a tunnel: the kernel takes from each only what it may send.
fn behind_tunnel(peers: &Peers) -> String {
    let who = match (peers.count, peers.has_more) {
        (0, _) => return "It has no peers, so nobody is there.".to_owned(),
        (1, false) => "Its only peer, known by its key".to_owned(),
        (count, false) => format!("Its {count} peers, each known by its key"),
        (count, true) => format!("Its more than {count} peers, each known by its key"),
    };
    let sends = match peers.networks.as_slice() {
        [] => "none of them may send anything".to_owned(),
        networks if networks.iter().any(|net| net.prefix_len() == 0) => {
            let any = networks.iter().find(|net| net.prefix_len() == 0);
            let any = any.map(ToString::to_string).unwrap_or_default();
            format!("one of them may send from any address ({any}), so whoever it sends on can be there too")
        }
        networks => format!("packets are taken from {} only", some_of(networks.iter())),
    };
    format!("{who}: {sends}.")
}

fn some_of(networks: impl ExactSizeIterator<Item: ToString>) -> String {
    let more = networks.len().saturating_sub(MOST_NAMED);
    let named: Vec<String> = networks.take(MOST_NAMED).map(|net| net.to_string()).collect();
    match more {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// The neighbours by their addresses.
fn neighbours(interface: &Interface) -> Option<String> {
    let sources = interface.neighbour_sources();
    if sources.is_empty() {
        let is_down = !interface.is_up;
        let text = "It has no address with a network around it, so nobody counts as its neighbour.";
        return (!is_down).then(|| text.to_owned());
    }
    let named: Vec<String> = sources.iter().map(|net| counted(net, interface)).collect();
    Some(format!("Its neighbours are {}.", some_of(named.iter())))
}

/// `192.0.2.0/24 (253 others)`
fn counted(net: &IpNet, interface: &Interface) -> String {
    let host_bits = net.max_prefix_len() - net.prefix_len();
    if host_bits > COUNTABLE {
        return net.to_string();
    }
    // The network's own address and the broadcast address are nobody's.
    let reserved = if matches!(net, IpNet::V4(_)) && host_bits > 1 {
        2
    } else {
        0
    };
    let own = interface
        .addresses
        .iter()
        .filter(|own| net.contains(&own.addr()))
        .count();
    let others = (1_usize << host_bits).saturating_sub(reserved + own);
    match others {
        1 => format!("{net} (1 other)"),
        others => format!("{net} ({others} others)"),
    }
}

/// Who comes through the default route.
fn beyond(interface: &Interface, routers: &[IpAddr]) -> Option<String> {
    if !interface.has_default_route {
        return None;
    }
    let behind = match routers {
        [] => "Beyond it lies the Internet".to_owned(),
        [one] => format!("Behind its router {one} lies the Internet"),
        more => {
            let more: Vec<String> = more.iter().map(ToString::to_string).collect();
            format!("Behind its routers {} lies the Internet", more.join(" and "))
        }
    };
    let own = || interface.addresses.iter().map(IpNet::addr);
    let (has_ipv4, is_hidden) = (
        own().any(|own| own.is_ipv4()),
        own().filter(IpAddr::is_ipv4).all(is_private),
    );
    let is_global = own().any(|own| matches!(own, IpAddr::V6(own) if own.to_bits() >> 125 == 1));
    let who = match (has_ipv4 && is_hidden, is_global) {
        (true, false) => "its address is private, so that only what the router sends on gets here",
        (true, true) => "over IPv4 only what the router sends on gets here, over IPv6 everybody can try",
        (false, _) => "everybody there can try",
    };
    Some(format!("{behind}: {who}."))
}

/// RFC 1918, RFC 6598 and link-local: nobody sends there from elsewhere.
const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private() || address.is_link_local() || first == 100 && second & 0xc0 == 64
        }
        IpAddr::V6(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(kind: InterfaceKind, addresses: &[&str]) -> Interface {
        let addresses: Vec<IpNet> = addresses.iter().map(|net| net.parse().unwrap()).collect();
        Interface {
            index: 2,
            name: "eth0".into(),
            kind,
            driver: None,
            on_link: addresses.iter().map(IpNet::trunc).collect(),
            addresses,
            changing: Vec::new(),
            is_up: true,
            has_default_route: false,
            has_physical_port: false,
        }
    }

    #[test]
    fn neighbours_are_counted_without_this_machine() {
        let said = |net: &str| inhabitants(&interface(InterfaceKind::Ethernet, &[net]), &World::default()).join(" ");
        assert!(
            said("192.0.2.10/24").contains("192.0.2.0/24 (253 others)."),
            "{}",
            said("192.0.2.10/24")
        );
        assert!(said("192.0.2.10/31").contains("(1 other)"), "{}", said("192.0.2.10/31"));
        assert!(
            said("192.0.2.10/32").contains("(0 others)"),
            "{}",
            said("192.0.2.10/32")
        );
        assert!(
            said("2001:db8::7/64").contains("2001:db8::/64, fe80::/10."),
            "{}",
            said("2001:db8::7/64")
        );
        let bare = inhabitants(&interface(InterfaceKind::Vpn, &[]), &World::default()).join(" ");
        assert!(bare.contains("nobody counts as its neighbour"), "{bare}");
    }

    #[test]
    fn the_internet_is_behind_the_default_route_and_before_private_addresses_only_a_router() {
        let world = World {
            routers: [(2, vec!["192.168.1.1".parse().unwrap()])].into(),
            ..World::default()
        };
        let said = |addresses: &[&str]| {
            let uplink = Interface {
                has_default_route: true,
                ..interface(InterfaceKind::Wifi, addresses)
            };
            inhabitants(&uplink, &world).join(" ")
        };
        assert!(said(&["192.168.1.7/24"]).contains("192.168.1.1 lies the Internet: its address is private"));
        assert!(said(&["192.168.1.7/24", "2001:db8::7/64"]).contains("over IPv6 everybody can try"));
        assert!(said(&["198.51.100.7/24"]).contains("everybody there can try"));
        assert!(said(&["100.64.0.7/10"]).contains("private"));
        let inside = inhabitants(&interface(InterfaceKind::Wifi, &["192.168.1.7/24"]), &world).join(" ");
        assert!(!inside.contains("Internet"), "{inside}");
        assert!(inside.contains("password"), "{inside}");
    }

    #[test]
    fn the_peers_of_a_tunnel_are_named_by_what_they_may_send() {
        let said = |count, networks: &[&str], has_more| {
            let networks = networks.iter().map(|net| net.parse().unwrap()).collect();
            let peers = Peers {
                count,
                networks,
                has_more,
            };
            let world = World {
                peers: [(2, peers)].into(),
                ..World::default()
            };
            let tunnel = Interface {
                driver: Some("wireguard".into()),
                ..interface(InterfaceKind::Vpn, &["10.8.0.1/24"])
            };
            inhabitants(&tunnel, &world).remove(0)
        };
        assert_eq!(
            said(2, &["10.8.0.2/32", "192.168.7.0/24"], false),
            "Its 2 peers, each known by its key: packets are taken from 10.8.0.2/32, 192.168.7.0/24 only."
        );
        assert_eq!(said(0, &[], false), "It has no peers, so nobody is there.");
        let any = said(1, &["0.0.0.0/0", "10.8.0.2/32"], false);
        assert!(any.contains("from any address (0.0.0.0/0)"), "{any}");
        let many: Vec<String> = (0..99).map(|last| format!("10.8.0.{last}/32")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let said = said(99, &many, true);
        assert!(
            said.starts_with("Its more than 99 peers") && said.ends_with("10.8.0.11/32 and 87 more only."),
            "{said}"
        );
    }

    #[test]
    fn loopback_is_this_machine() {
        let lo = interface(InterfaceKind::Loopback, &["127.0.0.1/8"]);
        assert_eq!(
            inhabitants(&lo, &World::default()),
            ["This machine itself, and nobody else."]
        );
    }
}
