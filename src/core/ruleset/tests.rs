//! The compiled rules against the policy's promise, for policies nobody thought of.

use std::time::Duration;

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::core::listener::Protocol;
use crate::core::network::{Interface, InterfaceKind, NetworkClass, class_of, zones};
use crate::core::policy::{Block, Decision, Entry, Logging, Policy, Refusal, parse_sources};
use crate::core::service::{LocalAddress, Ports, ServiceId};

mod examples;

fn interface(index: u32, name: &str, kind: InterfaceKind, nets: &[&str]) -> Interface {
    let nets: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
    Interface {
        index,
        name: name.into(),
        kind,
        driver: None,
        addresses: nets.clone(),
        on_link: nets.iter().map(IpNet::trunc).collect(),
        is_up: true,
        has_default_route: name == "eth0",
        has_physical_port: false,
        changing: Vec::new(),
    }
}

fn interfaces() -> Vec<Interface> {
    vec![
        interface(1, "lo", InterfaceKind::Loopback, &["127.0.0.1/8", "::1/128"]),
        interface(
            2,
            "eth0",
            InterfaceKind::Ethernet,
            &["198.51.100.10/24", "2001:db8:1::10/64"],
        ),
        interface(3, "eth1", InterfaceKind::Ethernet, &["192.168.7.10/24", "fd07::10/64"]),
        interface(4, "docker0", InterfaceKind::Bridge, &["172.17.0.1/16"]),
    ]
}

/// What the policy promises for the first packet of a connection, worked out without any rule.
fn promise(policy: &Policy, packet: &Packet<'_>, telling: Telling) -> bool {
    let interfaces = interfaces();
    if packet.interface == "lo" {
        return true;
    }
    if IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8).contains(&packet.destination) {
        return false;
    }
    let Some(protocol) = packet.protocol else { return true };
    if packet.published.is_some() {
        return published_promise(policy, protocol, packet, telling);
    }
    let (from, to) = (packet.source_port, packet.destination_port);
    let is_v4 = packet.source.is_ipv4();
    if protocol == Protocol::Udp {
        let is_link_local = "fe80::/10".parse::<IpNet>().unwrap().contains(&packet.source);
        if (is_v4 && from == 67 && to == 68) || (!is_v4 && to == 546 && is_link_local) {
            return true;
        }
    }
    if is_blocked(policy, protocol, packet.source, packet.destination, to) {
        return false;
    }
    let is_guest = interfaces
        .iter()
        .any(|interface| interface.name == packet.interface && class_of(interface, policy) == NetworkClass::Guests);
    let dhcp = if is_v4 { 67 } else { 547 };
    if is_guest && (to == 53 && protocol != Protocol::UdpLite || to == dhcp && protocol == Protocol::Udp) {
        return true;
    }
    let is_trusted = zones(policy, &interfaces).iter().any(|zone| {
        zone.source.contains(&packet.source) && zone.interface.as_ref().is_none_or(|name| name == packet.interface)
    });
    let id = |zone| ServiceId {
        ports: Ports::single(to).unwrap(),
        protocol,
        address: Some(LocalAddress {
            ip: packet.destination,
            zone,
        }),
    };
    let held = policy.entry_for(&id(None));
    // A client of this machine's DHCP server has no address yet.
    let is_question = protocol == Protocol::Udp && packet.source == Ipv4Addr::UNSPECIFIED && (from, to) == (68, 67);
    let is_asked = held.is_some_and(|(id, _)| id.address.is_none())
        && interfaces.iter().any(|interface| {
            interface.name == packet.interface && class_of(interface, policy) == NetworkClass::Trusted
        });
    match held.map(|(_, entry)| entry) {
        Some(Entry {
            decision: Decision::Open,
            from,
        }) => from.is_empty() || from.iter().any(|net| net.contains(&packet.source)),
        Some(Entry {
            decision: Decision::Trusted,
            ..
        }) => is_trusted || (is_question && is_asked),
        Some(Entry {
            decision: Decision::Confine | Decision::Undecided,
            ..
        }) => false,
        None => is_trusted && protocol == Protocol::Udp && is_discovery(packet),
    }
}

/// The same for what goes on to a container: the decisions, and nothing else.
fn published_promise(policy: &Policy, protocol: Protocol, packet: &Packet<'_>, telling: Telling) -> bool {
    let Original { destination, port } = packet.published.unwrap();
    let interfaces = interfaces();
    let loopback = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);
    if loopback.contains(&destination) {
        return packet.interface == "lo";
    }
    // Labels were given to what was sent here, at whatever address.
    let is_own = telling == Telling::ByLabel
        || interfaces
            .iter()
            .any(|interface| interface.addresses.iter().any(|own| own.addr() == destination));
    let is_trusted = zones(policy, &interfaces).iter().any(|zone| {
        zone.source.contains(&packet.source) && zone.interface.as_ref().is_none_or(|name| name == packet.interface)
    });
    let id = ServiceId {
        ports: Ports::single(port).unwrap(),
        protocol,
        address: Some(LocalAddress {
            ip: destination,
            zone: None,
        }),
    };
    let is_blocked = is_blocked(policy, protocol, packet.source, destination, port);
    !is_own
        || !is_blocked
            && match policy.entry_for(&id).map(|(_, entry)| entry) {
                Some(Entry {
                    decision: Decision::Open,
                    from,
                }) => from.is_empty() || from.iter().any(|net| net.contains(&packet.source)),
                Some(Entry {
                    decision: Decision::Trusted,
                    ..
                }) => is_trusted,
                _ => false,
            }
}

/// By any of the blocks, over or not: what is compiled is without those that are over.
fn is_blocked(policy: &Policy, protocol: Protocol, source: IpAddr, destination: IpAddr, port: u16) -> bool {
    policy.blocks.iter().any(|block| {
        let (id, from) = (&block.service, &block.from);
        id.protocol == protocol
            && id.ports.contains_port(port)
            && id.address.as_ref().is_none_or(|address| address.ip == destination)
            && (from.is_empty() || from.iter().any(|net| net.contains(&source)))
    })
}

fn is_discovery(packet: &Packet<'_>) -> bool {
    let groups = ["224.0.0.251", "ff02::fb"].map(|group| group.parse::<IpAddr>().unwrap());
    (packet.destination_port == 5353 && groups.contains(&packet.destination))
        || ([1900, 5353].contains(&packet.source_port) && packet.destination_port >= 32768)
}

fn source() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        Just("192.168.7.20"),
        Just("198.51.100.77"),
        Just("172.17.0.5"),
        Just("203.0.113.9"),
        Just("127.0.0.1"),
        Just("0.0.0.0"),
        Just("fd07::20"),
        Just("fe80::20"),
        Just("2001:db8:9::1"),
    ]
    .prop_map(|text| text.parse().unwrap())
}

fn destination(is_v4: bool) -> IpAddr {
    if is_v4 { "192.168.7.10" } else { "fd07::10" }.parse().unwrap()
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp), Just(Protocol::UdpLite)]
}

/// Few ports, so that decisions and packets meet.
fn port() -> impl Strategy<Value = u16> {
    prop_oneof![
        1u16..120,
        Just(53),
        Just(67),
        Just(68),
        Just(546),
        Just(547),
        Just(5353),
        Just(40000),
        Just(65535)
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let from = prop_oneof![Just("203.0.113.0/24"), Just("2001:db8:9::/48"), Just("192.168.7.0/25")]
        .prop_map(|net| net.parse::<IpNet>().unwrap());
    prop_oneof![
        Just(Entry {
            decision: Decision::Confine,
            from: vec![]
        }),
        Just(Entry {
            decision: Decision::Trusted,
            from: vec![]
        }),
        Just(Entry {
            decision: Decision::Open,
            from: vec![]
        }),
        proptest::collection::vec(from, 1..3).prop_map(|mut from| {
            from.sort();
            from.dedup();
            Entry {
                decision: Decision::Open,
                from,
            }
        }),
    ]
}

/// Half of them over at [`NOON`].
fn block() -> impl Strategy<Value = Block> {
    let address = prop_oneof![3 => Just(None), 1 => Just(Some("192.168.7.10")), 1 => Just(Some("fd07::10"))];
    let net = prop_oneof![
        Just("203.0.113.0/24"),
        Just("0.0.0.0/0"),
        Just("2001:db8:9::/48"),
        Just("192.168.7.0/25")
    ];
    let until = proptest::option::of(prop_oneof![Just(NOON - 1), Just(NOON), Just(NOON + 1)]);
    let from = proptest::collection::vec(net, 0..3);
    (port(), 0u16..60, protocol(), address, from, until).prop_map(|(first, more, protocol, address, from, until)| {
        let address = address.map(|ip| LocalAddress {
            ip: ip.parse().unwrap(),
            zone: None,
        });
        let last = first.saturating_add(more);
        let ports = Ports::new(first, if more < 40 { first } else { last }).unwrap();
        Block {
            from: parse_sources(from).unwrap(),
            until: until.map(|second| Stamp::at_or_after(Duration::from_secs(second)).unwrap()),
            ..Block::on(ServiceId {
                ports,
                protocol,
                address,
            })
        }
    })
}

/// A second at which some blocks are over.
const NOON: u64 = 1_795_348_800;

fn policy() -> impl Strategy<Value = Policy> {
    let address = prop_oneof![
        4 => Just(None),
        1 => Just(Some("192.168.7.10")),
        1 => Just(Some("fd07::10")),
        1 => Just(Some("198.51.100.10")),
    ];
    let decision =
        (port(), 0u16..60, protocol(), address, entry()).prop_map(|(first, more, protocol, address, entry)| {
            let last = if more < 40 { first } else { first.saturating_add(more) };
            let address = address.map(|ip| LocalAddress {
                ip: ip.parse().unwrap(),
                zone: None,
            });
            (
                ServiceId {
                    ports: Ports::new(first, last).unwrap(),
                    protocol,
                    address,
                },
                entry,
            )
        });
    let class = prop_oneof![
        Just(NetworkClass::Trusted),
        Just(NetworkClass::Public),
        Just(NetworkClass::Guests)
    ];
    (
        proptest::collection::vec(decision, 0..150),
        proptest::option::of(class),
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(block(), 0..4),
    )
        .prop_map(|(decisions, eth1, drop, by_hand, blocks)| {
            let mut policy = Policy {
                refusal: if drop { Refusal::Drop } else { Refusal::Reject },
                logging: if drop { Logging::Nflog } else { Logging::Off },
                ..Policy::default()
            };
            policy
                .networks
                .interfaces
                .extend(eth1.map(|class| ("eth1".to_owned(), class)));
            if by_hand {
                policy.networks.trusted_sources.push("203.0.113.0/28".parse().unwrap());
            }
            for (id, entry) in decisions {
                // Crossing ranges are refused by the policy itself; the others make up the case.
                let _crossing = policy.decide(id, entry);
            }
            for block in blocks {
                policy.block(block);
            }
            policy
        })
}

fn packet() -> impl Strategy<Value = Packet<'static>> {
    let interface = prop_oneof![Just("lo"), Just("eth0"), Just("eth1"), Just("docker0"), Just("wg9")];
    let destination_kind = 0u8..6;
    (
        interface,
        source(),
        destination_kind,
        protocol(),
        port(),
        prop_oneof![Just(50000u16), Just(67), Just(68), Just(5353), Just(1900)],
        any::<bool>(),
    )
        .prop_map(|(interface, source, kind, protocol, port, source_port, is_published)| {
            let is_v4 = source.is_ipv4();
            let special = |v4: &str, v6: &str| if is_v4 { v4 } else { v6 }.parse().unwrap();
            let destination = match kind {
                0 => special("198.51.100.10", "2001:db8:1::10"),
                1 => special("224.0.0.251", "ff02::fb"),
                2 => special("127.0.0.1", "2001:db8:1::10"),
                _ => destination(is_v4),
            };
            let sent = Packet {
                source_port,
                ..Packet::opening(interface, source, destination, protocol, port)
            };
            match is_published && interface != "lo" {
                false => sent,
                true => Packet {
                    destination: special("172.17.0.2", "fd17::2"),
                    destination_port: 80,
                    published: Some(Original { destination, port }),
                    ..sent
                },
            }
        })
}

fn own(policy: &Policy, is_v4: bool) -> Own {
    own_by(Telling::ByLabel, policy, is_v4)
}

fn own_by(telling: Telling, policy: &Policy, is_v4: bool) -> Own {
    let rules = compile_by(telling, policy, &interfaces());
    Own::wanted(Slot::A, if is_v4 { rules.ipv4 } else { rules.ipv6 })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_rules_keep_the_policys_promise(policy in policy(), packets in proptest::collection::vec(packet(), 40)) {
        for telling in [Telling::ByLabel, Telling::ByAddress] {
            let (ipv4, ipv6) = (own_by(telling, &policy, true), own_by(telling, &policy, false));
            for packet in &packets {
                let own = if packet.source.is_ipv4() { &ipv4 } else { &ipv6 };
                let passes = own.verdict(packet) == Verdict::Pass;
                let promised = promise(&policy, packet, telling);
                prop_assert_eq!(passes, promised, "{:?} under {}", packet, policy.to_text());
            }
        }
    }

    #[test]
    fn rules_read_back_as_printed(policy in policy()) {
        let each = [true, false].map(|is_v4| [Telling::ByLabel, Telling::ByAddress].map(|telling| (telling, is_v4)));
        for (telling, is_v4) in each.concat() {
            let own = own_by(telling, &policy, is_v4);
            prop_assert_eq!(own.rules.telling(), Some(telling));
            // A restore text with its insertions written as a save would show it.
            let text = switch_text(&SavedFamily::default(), &own, None);
            let saved = text
                .replace("-I INPUT 1 ", "-A INPUT ")
                .replace("-I FORWARD 1 ", "-A FORWARD ")
                .replace("-I PREROUTING 1 ", "-A PREROUTING ");
            prop_assert_eq!(SavedTables::parse(&saved).unwrap().take_apart(Duration::ZERO).own, own);
        }
    }

    #[test]
    fn rules_without_what_is_over_are_those_of_the_policy_without_it(policy in policy()) {
        let noon = Duration::from_secs(NOON);
        for telling in [Telling::ByLabel, Telling::ByAddress] {
            let current = compile_by(telling, &policy.current(noon), &interfaces());
            prop_assert_eq!(compile_by(telling, &policy, &interfaces()).current(noon), current);
        }
    }

    #[test]
    fn a_packet_without_a_syn_or_ports_is_never_refused(policy in policy(), mut packet in packet()) {
        prop_assume!(!packet.as_sent().destination.is_loopback());
        let own = own(&policy, packet.source.is_ipv4());
        packet.is_syn = false;
        packet.protocol = packet.protocol.filter(|protocol| *protocol == Protocol::Tcp);
        prop_assert_eq!(own.verdict(&packet), Verdict::Pass);
    }

    #[test]
    fn no_chain_is_longer_than_a_walk_should_be(ports in proptest::collection::btree_set(1u16..=65535, 1..1500)) {
        let mut policy = Policy::default();
        for (index, port) in ports.iter().enumerate() {
            let decision = [Decision::Open, Decision::Trusted, Decision::Confine][index % 3];
            policy.decide(ServiceId::port(*port, Protocol::Tcp).unwrap(), Entry { decision, from: vec![] }).unwrap();
        }
        let rules = compile(&policy, &interfaces()).ipv4;
        for (name, chain) in Table::ALL.iter().flat_map(|table| rules.table(*table)) {
            prop_assert!(chain.len() <= 20, "{} has {} rules", name, chain.len());
            prop_assert!(Slot::A.prefix().len() + name.len() <= 28, "{} is too long a name", name);
        }
    }

    #[test]
    fn reading_a_save_never_panics(text in "(\\*|:|-A|#|COMMIT|\"|\\\\| |[a-zA-Z0-9\\[\\]./!-]|\n){0,200}") {
        if let Ok(saved) = SavedTables::parse(&text) {
            let _family = saved.take_apart(Duration::ZERO);
        }
    }
}
