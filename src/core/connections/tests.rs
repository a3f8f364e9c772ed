use ipnet::IpNet;

use super::*;
use crate::core::network::{InterfaceKind, NetworkClass};
use crate::core::policy::{Decision, Entry, Policy};
use crate::core::reach::FamilyFilter;
use crate::core::ruleset::compile;
use crate::core::service::{Ownership, Ports, group};
use crate::core::way_in::Carrier;

fn connection(protocol: Protocol, local: &str, peer: &str) -> Connection {
    Connection {
        protocol,
        local: local.parse().unwrap(),
        peer: peer.parse().unwrap(),
        inode: 1,
        uid: 0,
    }
}

fn running(local: &str, peer: &str, interface: &str) -> Running {
    Running {
        connection: connection(Protocol::Tcp, local, peer),
        interface: interface.into(),
        program: None,
    }
}

fn flow(local: &str, peer: &str) -> Running {
    Running {
        connection: connection(Protocol::Udp, local, peer),
        ..running(local, peer, "eth0")
    }
}

fn listener(address: &str, port: u16) -> Listener {
    Listener {
        protocol: Protocol::Tcp,
        address: address.parse().unwrap(),
        port,
        v6only: false,
        interface: None,
        inode: u32::from(port),
        uid: 0,
        cgroup: None,
    }
}

fn interface(index: u32, name: &str, net: &str) -> Interface {
    let net: IpNet = net.parse().unwrap();
    Interface {
        index,
        name: name.into(),
        kind: InterfaceKind::Ethernet,
        driver: None,
        addresses: vec![net],
        on_link: vec![net.trunc()],
        is_up: true,
        has_default_route: false,
        has_physical_port: false,
        changing: Vec::new(),
    }
}

fn interfaces() -> [Interface; 2] {
    [
        interface(2, "eth0", "203.0.113.10/24"),
        interface(3, "eth1", "192.168.7.10/24"),
    ]
}

/// 22 and 5432 are confined, 80 is open, 8080 trusted, and eth1 is a trusted network.
fn rules() -> Ruleset {
    let mut policy = Policy::default();
    policy.networks.interfaces.insert("eth1".into(), NetworkClass::Trusted);
    for (id, decision) in [
        ("22/tcp", Decision::Confine),
        ("5432/tcp", Decision::Confine),
        ("80/tcp", Decision::Open),
        ("8080/tcp", Decision::Trusted),
    ] {
        let from = Vec::new();
        policy.decide(id.parse().unwrap(), Entry { decision, from }).unwrap();
    }
    compile(&policy, &interfaces())
}

#[test]
fn what_is_refused_as_new_and_nothing_else_is_counted() {
    let refusals = Refusals::new(&rules(), &[]);
    for (local, peer, interface, expected) in [
        ("203.0.113.10:5432", "198.51.100.1:40000", "eth0", true),
        ("[2001:db8::10]:5432", "[2001:db8::1]:40000", "eth0", true),
        // Trusted networks are of no help to what is confined.
        ("192.168.7.10:5432", "192.168.7.1:40000", "eth1", true),
        ("203.0.113.10:80", "198.51.100.1:40000", "eth0", false),
        ("192.168.7.10:8080", "192.168.7.1:40000", "eth1", false),
        // The same address from the wrong side, and somebody routed in through the right one.
        ("192.168.7.10:8080", "192.168.7.1:40000", "eth0", true),
        ("192.168.7.10:8080", "198.18.5.5:40000", "eth1", true),
        // Undecided.
        ("203.0.113.10:9999", "198.51.100.1:40000", "eth0", true),
    ] {
        let running = running(local, peer, interface);
        assert_eq!(refusals.has(&running), expected, "{local} {peer} {interface}");
    }
    let off = Ruleset::default();
    let one = running("203.0.113.10:5432", "198.51.100.1:40000", "eth0");
    assert!(!Refusals::new(&off, &[]).has(&one), "off refuses nobody");
}

#[test]
fn the_users_own_ways_in_are_spared() {
    let way_in = |peer: Option<&str>, protocol| WayIn {
        carrier: Carrier::Ssh,
        protocol,
        port: 22,
        peer: peer.map(|peer| peer.parse().unwrap()),
        local: None,
        interface: None,
    };
    let own = running("203.0.113.10:22", "198.51.100.1:40000", "eth0");
    let other = running("203.0.113.10:22", "198.51.100.2:40000", "eth0");
    let elsewhere = running("203.0.113.10:5432", "198.51.100.1:40000", "eth0");
    let rules = rules();
    let seen = |ways_in: &[WayIn]| {
        let spared = Spared::of(ways_in);
        let refusals = Refusals::new(&rules, &spared);
        [&own, &other, &elsewhere].map(|running| refusals.has(running))
    };
    assert_eq!(seen(&[]), [true, true, true]);
    let known = way_in(Some("198.51.100.1"), Protocol::Tcp);
    assert_eq!(seen(&[known]), [false, true, true]);
    // Who it is is not known, so it may be anyone.
    assert_eq!(seen(&[way_in(None, Protocol::Tcp)]), [false, false, true]);
    assert_eq!(seen(&[way_in(None, Protocol::Udp)]), [true, true, true]);
}

#[test]
fn connections_count_for_the_service_that_has_them() {
    let listeners = [
        listener("::", 5432),
        listener("192.168.7.10", 5432),
        listener("0.0.0.0", 80),
        listener("::", 9999),
    ];
    let services = group(&listeners, &Ownership::default(), Ports::ALL, &|_| false);
    let running = [
        running("203.0.113.10:5432", "198.51.100.1:40000", "eth0"),
        running("[2001:db8::10]:5432", "[2001:db8::1]:40000", "eth0"),
        running("192.168.7.10:5432", "192.168.7.1:40000", "eth1"),
        running("203.0.113.10:80", "198.51.100.1:40000", "eth0"),
        running("203.0.113.10:9999", "198.51.100.1:40000", "eth0"),
    ];
    let found = going_on(&running, &services, &Refusals::new(&rules(), &[]));
    let words: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "2 running connections to 5432/tcp go on: new ones are refused, old ones are not ended",
            "1 running connection to 192.168.7.10:5432/tcp goes on: new ones are refused, the old one is not ended",
            "1 running connection to 9999/tcp goes on: new ones are refused, the old one is not ended",
        ]
    );
    assert_eq!(
        found[0].words_if_ended(),
        "2 running connections to 5432/tcp are ended once the trial is kept"
    );
}

#[test]
fn only_what_a_listener_heard_came_in() {
    let listeners = [
        listener("0.0.0.0", 80),
        listener("192.168.7.10", 5432),
        listener("::", 22),
    ];
    for (local, expected) in [
        ("203.0.113.10:80", true),
        ("[2001:db8::10]:80", false),
        ("192.168.7.10:5432", true),
        ("203.0.113.10:5432", false),
        ("203.0.113.10:22", true),
        ("[2001:db8::10]:22", true),
        // This machine asked somebody.
        ("203.0.113.10:40000", false),
    ] {
        let peer = if local.starts_with('[') {
            "[2001:db8::1]:443"
        } else {
            "198.51.100.1:443"
        };
        let tcp = connection(Protocol::Tcp, local, peer);
        assert_eq!(tcp.came_in(&listeners), expected, "{local}");
        let udp = connection(Protocol::Udp, local, peer);
        assert!(!udp.came_in(&listeners));
    }
}

#[test]
fn this_machine_itself_is_not_outside() {
    for (peer, expected) in [
        ("127.0.0.1:5", true),
        ("203.0.113.10:5", true),
        ("192.168.7.10:5", true),
        ("203.0.113.11:5", false),
    ] {
        let own = connection(Protocol::Tcp, "203.0.113.10:80", peer);
        assert_eq!(own.is_from_this_machine(&interfaces()), expected, "{peer}");
    }
}

#[test]
fn flows_that_pass_now_and_not_afterwards_are_told() {
    let flows = [
        flow("203.0.113.10:40001", "198.51.100.1:123"),
        // Answers of DHCP servers pass without being tracked.
        flow("203.0.113.10:68", "203.0.113.1:67"),
        flow("[2001:db8::10]:40002", "[2001:db8::1]:443"),
    ];
    let rules = rules();
    let refusals = Refusals::new(&rules, &[]);
    let nothing = Filter::default();
    let found = interrupted(&flows, &nothing, &refusals);
    assert_eq!(found, [flows[0].clone(), flows[2].clone()]);
    // What is refused already loses nothing.
    let ipv4 = FamilyFilter {
        own: Own::wanted(Slot::B, rules.ipv4.clone()),
        ..FamilyFilter::default()
    };
    let now = Filter {
        ipv4,
        ..Filter::default()
    };
    assert_eq!(interrupted(&flows, &now, &refusals), [flows[2].clone()]);
    let off = Ruleset::default();
    assert_eq!(interrupted(&flows, &nothing, &Refusals::new(&off, &[])), []);
}

#[test]
fn few_flows_are_named_and_the_others_counted() {
    assert_eq!(interrupted_words(&[]), None);
    let mut one = flow("203.0.113.10:40001", "198.51.100.1:123");
    one.program = Some("chronyd".into());
    let words = interrupted_words(std::slice::from_ref(&one)).unwrap();
    assert!(
        words.ends_with("packets of this UDP flow are refused: chronyd 40001/udp from 198.51.100.1:123"),
        "{words}"
    );
    let words = interrupted_words(&vec![one; 7]).unwrap();
    assert!(words.contains("of these 7 UDP flows"), "{words}");
    assert!(words.ends_with(" and 2 more"), "{words}");
    assert_eq!(words.matches("chronyd").count(), 5);
}
