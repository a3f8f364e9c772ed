//! Findings on a machine that is known.

use std::sync::Arc;

use ipnet::IpNet;

use super::*;
use crate::core::listener::{Listener, Protocol};
use crate::core::network::{Interface, InterfaceKind, Route, RouteKind, Switches};
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::ruleset::compile;
use crate::core::service::Service;

const LO: &str = "-A INPUT -i lo -j ACCEPT";
const KNOWN: &str = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";

fn interface(name: &str, index: u32, kind: InterfaceKind, nets: &[&str]) -> Interface {
    let nets: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
    Interface {
        index,
        name: name.into(),
        kind,
        driver: None,
        on_link: nets
            .iter()
            .map(IpNet::trunc)
            .filter(|net| !net.addr().is_loopback())
            .collect(),
        addresses: nets,
        changing: Vec::new(),
        is_up: true,
        has_default_route: name == "eth0",
        has_physical_port: false,
    }
}

/// A machine with eth0 at these addresses, a bridge of guests, and default routes.
fn machine(nets: &[&str]) -> World {
    let interfaces = vec![
        interface("lo", 1, InterfaceKind::Loopback, &["127.0.0.1/8", "::1/128"]),
        interface("eth0", 2, InterfaceKind::Ethernet, nets),
        interface("docker0", 3, InterfaceKind::Bridge, &["172.17.0.1/16", "fe80::42/64"]),
    ];
    let on_link = interfaces.iter().flat_map(|interface| {
        let nets = interface.on_link.iter();
        nets.map(move |net| (*net, interface.index))
    });
    let defaults = ["0.0.0.0/0", "::/0"].map(|net| (net.parse().unwrap(), 2));
    let routes = on_link.chain(defaults).map(|(destination, interface)| Route {
        destination,
        kind: RouteKind::Unicast,
        interface,
        metric: 0,
    });
    World {
        routes: routes.collect(),
        interfaces,
        ..World::default()
    }
}

const DUAL: [&str; 3] = ["192.0.2.10/24", "2001:db8::10/64", "fe80::10/64"];

fn row(id: &str, addresses: &[&str]) -> Row {
    let mut service = Service::absent(id.parse().unwrap());
    service.listeners = addresses
        .iter()
        .map(|address| Listener {
            protocol: service.id.protocol,
            address: address.parse().unwrap(),
            port: service.id.ports.first(),
            v6only: false,
            interface: None,
            inode: 1,
            uid: 0,
            cgroup: None,
        })
        .collect();
    Row {
        service: Arc::new(service),
        decision: Decision::Undecided,
        from: Vec::new(),
        reach_now: Reach::Everyone,
        reach_after: Reach::Everyone,
        is_new: false,
        is_changed: false,
        blocks: Vec::new(),
        disabled: None,
        since: None,
        tally: None,
        kept_out_by: None,
    }
}

fn on(world: &World, netfilter: &Netfilter, rows: &[Row]) -> Vec<Finding> {
    findings_of(&Evidence {
        netfilter: Some(netfilter),
        families: &Family::ALL,
        world: Some(world),
        rows,
        ..Evidence::default()
    })
}

#[test]
fn a_service_is_open_in_the_family_that_was_forgotten() {
    let ipv4 = filter(
        "DROP",
        "ACCEPT",
        &[LO, KNOWN, "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"],
    );
    let netfilter = kernel(&ipv4, "");
    let world = machine(&DUAL);
    let rows = [
        row("22/tcp", &["::"]),
        row("5432/tcp", &["::"]),
        row("631/tcp", &["0.0.0.0"]),
    ];
    let findings = on(&world, &netfilter, &rows);
    let forgotten: Vec<_> = findings
        .iter()
        .filter(|finding| finding.id == "ipv6-forgotten")
        .collect();
    assert_eq!(forgotten.len(), 1, "{forgotten:#?}");
    assert_eq!(forgotten[0].severity, Severity::Harmful);
    assert_eq!(forgotten[0].subject(), "5432/tcp");
    assert!(
        forgotten[0].what.contains("the policy of INPUT"),
        "{}",
        forgotten[0].what
    );
    // However many one rule refuses, it is one finding.
    let many: Vec<Row> = (1..=13).map(|port| row(&format!("{port}/tcp"), &["::"])).collect();
    let findings = on(&world, &netfilter, &many);
    let forgotten: Vec<_> = findings
        .iter()
        .filter(|finding| finding.id == "ipv6-forgotten")
        .collect();
    assert_eq!(forgotten.len(), 1, "{forgotten:#?}");
    assert!(
        forgotten[0].what.starts_with("1/tcp, 2/tcp") && forgotten[0].what.contains("8/tcp and 5 more are refused"),
        "{}",
        forgotten[0].what
    );
    // By the link's addresses only neighbours get in, and without any nobody does.
    let local = machine(&["192.0.2.10/24", "fe80::10/64"]);
    let findings = on(&local, &netfilter, &rows);
    assert_eq!(ids(&findings).get("ipv6-forgotten"), Some(&Severity::Risky));
    let without = machine(&["192.0.2.10/24"]);
    assert!(!ids(&on(&without, &netfilter, &rows)).contains_key("ipv6-forgotten"));
    // Both refuse it, or both let it in.
    let both = kernel(&ipv4, &ipv4);
    assert!(!ids(&on(&world, &both, &rows)).contains_key("ipv6-forgotten"));
    let reverse = on(&world, &kernel("", &ipv4), &rows);
    assert_eq!(ids(&reverse).get("ipv4-forgotten"), Some(&Severity::Harmful));
    // Who is connected over IPv4 is not told to refuse himself.
    assert!(
        reverse
            .iter()
            .any(|finding| finding.id == "ipv4-forgotten" && finding.advice.contains("else accept it over IPv6"))
    );
}

#[test]
fn routers_are_heard_as_far_as_they_are_needed() {
    let refused = kernel("", &filter("DROP", "ACCEPT", &[LO, KNOWN]));
    let of = |world: &World| {
        let findings = on(world, &refused, &[]);
        ids(&findings).get("ipv6-router-advertisements-refused").copied()
    };
    let mut world = machine(&DUAL);
    assert_eq!(of(&world), Some(Severity::Risky), "static");
    world.interfaces[1].changing = vec!["2001:db8::/64".parse().unwrap()];
    assert_eq!(of(&world), Some(Severity::Harmful), "from a router");
    world.interfaces[1].changing.clear();
    let router = Switches {
        forwards_ipv6: true,
        ..Switches::default()
    };
    world.switches.insert("eth0".into(), router);
    assert_eq!(of(&world), None, "a router itself");
    assert_eq!(of(&machine(&["192.0.2.10/24"])), None, "without IPv6");
}

#[test]
fn a_lease_is_told_by_its_address() {
    let refused = kernel("", &filter("DROP", "DROP", &[LO, KNOWN]));
    let of = |world: &World| {
        let findings = on(world, &refused, &[]);
        let ids = ids(&findings);
        let of = |id: &str| ids.get(id).copied();
        (of("dhcpv6-answers-refused"), of("outbound-dhcp-refused"))
    };
    assert_eq!(of(&machine(&DUAL)), (None, None), "static");
    let mut world = machine(&["192.0.2.10/24", "2001:db8::10/128", "fe80::10/64"]);
    world.interfaces[1].changing = vec!["2001:db8::10/128".parse().unwrap()];
    assert_eq!(of(&world), (Some(Severity::Harmful), Some(Severity::Harmful)));
    let mut world = machine(&DUAL);
    world.interfaces[1].changing = vec!["2001:db8::/64".parse().unwrap()];
    assert_eq!(of(&world), (Some(Severity::Risky), Some(Severity::Risky)));
}

#[test]
fn many_addresses_do_not_hide_the_one_for_the_link() {
    let nets: Vec<String> = (1..40).map(|number| format!("2001:db8::{number:x}/64")).collect();
    let mut nets: Vec<&str> = nets.iter().map(String::as_str).collect();
    nets.push("fe80::10/64");
    let mut world = machine(&nets);
    world.interfaces[1].changing.push("2001:db8::1/64".parse().unwrap());
    let rules = format!("*filter\n:INPUT ACCEPT\n{LO}\n{KNOWN}\n-A INPUT -p udp -j DROP\nCOMMIT\n");
    let ids: Vec<&str> = on(&world, &kernel("", &rules), &[])
        .iter()
        .map(|finding| finding.id)
        .collect();
    assert!(ids.contains(&"dhcpv6-answers-refused"), "{ids:?}");
}

#[test]
fn a_machine_without_ipv6_lacks_nothing_of_it() {
    let refused = kernel("", &filter("DROP", "DROP", &[]));
    let mut world = machine(&["192.0.2.10/24"]);
    world.interfaces[0].addresses.truncate(1);
    world.interfaces.truncate(2);
    assert_eq!(on(&world, &refused, &[]), []);
}

#[test]
fn fwtuis_own_rules_are_no_finding() {
    use crate::core::policy::Policy;
    let world = machine(&DUAL);
    let netfilter = Netfilter::default().with_own(&compile(&Policy::default(), &world.interfaces));
    let rows = [row("22/tcp", &["::"]), row("53/udp", &["::"])];
    let findings = on(&world, &netfilter, &rows);
    assert_eq!(findings, []);
    assert_eq!(found(&netfilter, &Family::ALL), []);
    assert_eq!(rows[1].service.id.protocol, Protocol::Udp);
}
