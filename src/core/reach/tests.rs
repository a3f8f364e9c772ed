//! Reach where others have a hand in, where a family is missing, and beside housekeeping.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::*;
use crate::core::listener::Protocol;
use crate::core::netfilter::{Engine, Netfilter, save};
use crate::core::network::{Interface, InterfaceKind, NetworkClass, Route, RouteKind, Switches, World, class_of};
use crate::core::policy::{Decision, Entry, Policy};
use crate::core::ruleset::{Ruleset, SavedTables, compile};
use crate::core::service::{BoundTo, Service, with_published};

mod ways;

/// A machine with eth0 (default route), eth1 and docker0, which forwards.
pub(super) fn machine() -> World {
    let interfaces = vec![
        interface("lo", 1, &["127.0.0.1/8", "::1/128"]),
        interface("eth0", 2, &["192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"]),
        interface("eth1", 3, &["10.0.0.1/24"]),
        interface("docker0", 4, &["172.17.0.1/16"]),
    ];
    let mut routes: Vec<Route> = interfaces
        .iter()
        .flat_map(|interface| interface.on_link.iter().map(|net| route(*net, interface.index)))
        .collect();
    routes.push(route("0.0.0.0/0".parse().unwrap(), 2));
    routes.push(route("::/0".parse().unwrap(), 2));
    let forwarding = Switches {
        forwards_ipv4: true,
        forwards_ipv6: true,
        ..Switches::default()
    };
    World {
        switches: interfaces.iter().map(|have| (have.name.clone(), forwarding)).collect(),
        interfaces,
        routes,
        ..World::default()
    }
}

fn route(destination: IpNet, interface: u32) -> Route {
    Route {
        destination,
        kind: RouteKind::Unicast,
        interface,
        metric: 0,
    }
}

fn interface(name: &str, index: u32, nets: &[&str]) -> Interface {
    let nets: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
    let kind = match name {
        "lo" => InterfaceKind::Loopback,
        "docker0" => InterfaceKind::Bridge,
        _ => InterfaceKind::Ethernet,
    };
    Interface {
        index,
        name: name.into(),
        kind,
        driver: None,
        addresses: nets.clone(),
        on_link: if kind == InterfaceKind::Loopback {
            Vec::new()
        } else {
            nets.iter().map(IpNet::trunc).collect()
        },
        changing: Vec::new(),
        is_up: true,
        has_default_route: name == "eth0",
        has_physical_port: false,
    }
}

pub(super) fn kernel(ipv4: &str, ipv6: &str) -> Netfilter {
    let tables = |text: &str, family| save::tables(&SavedTables::parse(text).unwrap(), Engine::Nft, family, &[]);
    Netfilter {
        tables: [tables(ipv4, Family::Ipv4), tables(ipv6, Family::Ipv6)].concat(),
    }
}

fn policy(decisions: &[(&str, Decision)]) -> Policy {
    let mut policy = Policy::default();
    for (id, decision) in decisions {
        let entry = Entry {
            decision: *decision,
            from: Vec::new(),
        };
        policy.decide(id.parse().unwrap(), entry).unwrap();
    }
    policy
}

fn reach_in(netfilter: &Netfilter, world: &World, policy: &Policy, service: &Service) -> Reach {
    let world = meeting_anyone(world);
    Judge::new(netfilter, &world, &|interface| class_of(interface, policy), &[]).reach(service)
}

fn reach(netfilter: &Netfilter, policy: &Policy, id: &str) -> Reach {
    reach_in(netfilter, &machine(), policy, &Service::absent(id.parse().unwrap()))
}

fn compiled(policy: &Policy, world: &World) -> Ruleset {
    compile(policy, &world.interfaces)
}

/// How a first packet fares, and the rule that decided.
fn fate(netfilter: &Netfilter, interface: &str, source: &str, to: &str, protocol: Protocol) -> (Fate, String) {
    let world = machine();
    let rules = Rules::new(netfilter, &world);
    let to: SocketAddr = to.parse().unwrap();
    let source: IpAddr = source.parse().unwrap();
    let packet = Probe::opening(interface, source, to.ip(), protocol, to.port());
    let walk = rules.walk(&packet, true);
    let by = match walk.decided_by {
        Decider::Rule(place) => place
            .rule
            .map_or_else(|| format!("{} policy", place.chain.name), |rule| rule.text.clone()),
        Decider::Kernel(kernel) => format!("{kernel:?}"),
    };
    (walk.fate, by)
}

#[test]
fn without_rules_everyone_gets_to_what_listens_and_nobody_to_loopback() {
    let nothing = Netfilter::default();
    assert_eq!(reach(&nothing, &Policy::default(), "80/tcp"), Reach::Everyone);
    assert_eq!(
        reach_in(
            &nothing,
            &World::default(),
            &Policy::default(),
            &Service::absent("80/tcp".parse().unwrap())
        ),
        Reach::Everyone,
        "a machine without a network may get one"
    );
    let loopback = Service {
        bound_to: BoundTo::Loopback,
        ..Service::absent("80/tcp".parse().unwrap())
    };
    assert_eq!(
        reach_in(&nothing, &machine(), &Policy::default(), &loopback),
        Reach::ThisMachine
    );
}

#[test]
fn the_compiled_rules_keep_their_promise() {
    let mut policy = policy(&[
        ("22/tcp", Decision::Open),
        ("631/tcp", Decision::Trusted),
        ("5432/tcp", Decision::Confine),
        ("53/udp", Decision::Confine),
        ("67-68/udp", Decision::Confine),
    ]);
    policy.networks.interfaces.insert("eth1".into(), NetworkClass::Trusted);
    let world = machine();
    let kernel = Netfilter::default().with_own(&compiled(&policy, &world));
    for (id, expected) in [
        ("22/tcp", Reach::Everyone),
        ("631/tcp", Reach::Trusted),
        ("5432/tcp", Reach::ThisMachine),
        ("9999/tcp", Reach::ThisMachine),
        ("22/udp", Reach::ThisMachine),
        // What guests get whatever is decided.
        ("53/udp", Reach::Trusted),
        ("67/udp", Reach::Trusted),
        ("68/udp", Reach::ThisMachine),
    ] {
        assert_eq!(reach(&kernel, &policy, id), expected, "{id}");
    }
    let by = |interface, source| fate(&kernel, interface, source, "10.0.0.1:631", Protocol::Tcp).0;
    assert_eq!(by("eth1", "10.0.0.7"), Fate::Accepted);
    assert_eq!(by("eth1", "198.51.100.7"), Fate::Refused);
    assert_eq!(by("eth0", "10.0.0.7"), Fate::Refused);
}

const UFW: &str = "*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:ufw-before-input - [0:0]
:ufw-user-input - [0:0]
-A INPUT -j ufw-before-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 8080 -j REJECT --reject-with icmp-port-unreachable
-A ufw-user-input -s 192.0.2.0/28 -p tcp -m tcp --dport 5432 -j ACCEPT
COMMIT
";

#[test]
fn what_another_tool_refuses_is_refused_by_it() {
    let kernel = kernel(UFW, "");
    let policy = policy(&[("8080/tcp", Decision::Open)]);
    let to = |port: u16| {
        fate(
            &kernel,
            "eth0",
            "192.0.2.77",
            &format!("192.0.2.1:{port}"),
            Protocol::Tcp,
        )
    };
    assert_eq!(
        to(22),
        (
            Fate::Accepted,
            "-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT".into()
        )
    );
    assert_eq!(to(8080).0, Fate::Refused);
    assert_eq!(to(9), (Fate::Dropped, "INPUT policy".into()));
    // IPv6 has no rules: that is what a forgotten family looks like.
    assert_eq!(reach(&kernel, &policy, "8080/tcp"), Reach::Everyone);
    let only = |id: &str| {
        let service = Service {
            bound_to: BoundTo::Address("192.0.2.1".parse().unwrap()),
            ..Service::absent(id.parse().unwrap())
        };
        reach_in(&kernel, &machine(), &policy, &service)
    };
    assert_eq!(only("8080/tcp"), Reach::ThisMachine);
    assert_eq!(only("5432/tcp"), Reach::Trusted, "a source that a rule names");
    let after = kernel.with_own(&compiled(&policy, &machine()));
    let (fate, by) = fate(&after, "eth0", "192.0.2.77", "192.0.2.1:8080", Protocol::Tcp);
    assert_eq!((fate, by.contains("ufw-user-input")), (Fate::Refused, true), "{by}");
}

const DOCKER: &str = "*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -d 127.0.0.1/32 ! -i docker0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.17.0.2:80
COMMIT
";

#[test]
fn a_published_port_is_a_service_and_is_confined_in_forward() {
    let kernel = kernel(DOCKER, "");
    let world = machine();
    let ports = published_ports(&kernel, &world);
    let services = with_published(Vec::new(), &ports, &|_| Some("web".into()));
    let seen: Vec<(String, &str, &BoundTo)> = services
        .iter()
        .map(|service| (service.id.to_string(), service.name.as_str(), &service.bound_to))
        .collect();
    assert_eq!(
        seen,
        [
            ("8080/tcp".into(), "docker: web", &BoundTo::All),
            ("8081/tcp".into(), "docker: web", &BoundTo::Loopback)
        ]
    );
    let [web, loopback] = services.as_slice() else {
        panic!("two");
    };
    let nobody = Policy::default();
    assert_eq!(reach_in(&kernel, &world, &nobody, web), Reach::Everyone);
    // Whoever is on the link can send a frame for 127.0.0.1, and it is rewritten before the kernel looks.
    assert_eq!(reach_in(&kernel, &world, &nobody, loopback), Reach::Everyone);
    let after = kernel.with_own(&compiled(&nobody, &world));
    assert_eq!(reach_in(&after, &world, &nobody, web), Reach::ThisMachine);
    assert_eq!(reach_in(&after, &world, &nobody, loopback), Reach::ThisMachine);
    let (refused, by) = fate(&after, "eth0", "192.0.2.77", "192.0.2.1:8080", Protocol::Tcp);
    assert_eq!((refused, by.contains("FWTUI")), (Fate::Refused, true), "{by}");
    // This machine, and the world for the container, go on as before.
    let own = fate(&after, "lo", "192.0.2.1", "192.0.2.1:8080", Protocol::Tcp);
    assert_eq!(own.0, Fate::Accepted, "{}", own.1);
    let world_out = fate(&after, "docker0", "172.17.0.2", "198.51.100.7:443", Protocol::Tcp);
    assert_eq!(world_out.0, Fate::Accepted, "{}", world_out.1);
    let direct = fate(&after, "eth0", "192.0.2.77", "172.17.0.2:80", Protocol::Tcp);
    assert_eq!(
        direct.0,
        Fate::Accepted,
        "a direct route to the container is what it is: {}",
        direct.1
    );
}

#[test]
fn what_is_not_understood_is_unknown_only_where_it_matters() {
    let rules = |first: &str| {
        kernel(
            &format!("*filter\n:INPUT ACCEPT [0:0]\n{first}\n-A INPUT -p tcp -m tcp --dport 22 -j DROP\nCOMMIT\n"),
            "",
        )
    };
    let to = |kernel: &Netfilter, port: u16| {
        fate(
            kernel,
            "eth0",
            "192.0.2.77",
            &format!("192.0.2.1:{port}"),
            Protocol::Tcp,
        )
        .0
    };
    let mac = rules("-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT");
    assert_eq!(to(&mac, 22), Fate::Unknown { may_arrive: true });
    assert_eq!(to(&mac, 80), Fate::Accepted, "either way");
    let drop = rules("-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j DROP");
    assert_eq!(to(&drop, 22), Fate::Dropped);
    assert_eq!(to(&drop, 80), Fate::Unknown { may_arrive: true });
    let reject = rules("-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j REJECT");
    assert_eq!(to(&reject, 22), Fate::Unknown { may_arrive: false });
    let other = rules("-A INPUT -p udp -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT");
    assert_eq!(to(&other, 22), Fate::Dropped, "not asked of TCP");
    let jump = rules("-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j NOWHERE");
    assert_eq!(to(&jump, 22), Fate::Unknown { may_arrive: true });
}

#[test]
fn without_root_what_fwtui_refuses_is_certain() {
    let policy = policy(&[("22/tcp", Decision::Open)]);
    let after = Netfilter::unseen("no root").with_own(&compiled(&policy, &machine()));
    assert_eq!(reach(&after, &policy, "22/tcp"), Reach::Unknown);
    assert_eq!(reach(&after, &policy, "23/tcp"), Reach::ThisMachine);
}

#[test]
fn what_can_not_be_seen_is_named_without_a_place() {
    let unseen = Netfilter::unseen("rules that can't be read");
    let world = machine();
    let rules = Rules::new(&unseen, &world);
    let address = |text: &str| -> IpAddr { text.parse().unwrap() };
    let packet = Probe::opening("eth0", address("192.0.2.7"), address("192.0.2.1"), Protocol::Tcp, 22);
    let explanation = explain(&rules, &packet, &[]);
    assert_eq!(explanation.decided_by.to_string(), "rules that can't be read");
    let walk: Vec<_> = explanation
        .walk
        .iter()
        .map(|step| (step.table.as_str(), step.effect.as_str()))
        .collect();
    assert_eq!(walk.first(), Some(&("", "rules that can't be read")));
    assert!(!walk.iter().any(|(_, effect)| effect.contains("kernel")), "{walk:?}");
}

#[test]
fn an_address_of_one_interface_is_reached_by_that() {
    let id = "[fe80::1%eth0]:53/udp";
    let policy = policy(&[(id, Decision::Open)]);
    let kernel = Netfilter::default().with_own(&compiled(&policy, &machine()));
    assert_eq!(reach(&kernel, &policy, id), Reach::Everyone);
    assert_eq!(reach(&kernel, &policy, "[fe80::1%eth1]:53/udp"), Reach::ThisMachine);
}

/// What the kernel does with one rule set of the filter table, and one of nat.
fn ends(ipv4: &str, ipv6: &str, interface: &str, source: &str, to: &str) -> Fate {
    fate(&kernel(ipv4, ipv6), interface, source, to, Protocol::Tcp).0
}

#[test]
fn what_is_sent_elsewhere_from_loopback_gets_nowhere() {
    let nat = |rule: &str, target: &str| {
        format!(
            "*nat\n:PREROUTING ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n{rule}-A OUTPUT -p tcp -j DNAT --to-destination {target}\nCOMMIT\n"
        )
    };
    let ipv4 = nat("", "172.17.0.2");
    assert_eq!(ends(&ipv4, "", "lo", "127.0.0.1", "127.0.0.1:80"), Fate::Dropped);
    assert_eq!(ends(&ipv4, "", "lo", "192.0.2.1", "192.0.2.1:80"), Fate::Accepted);
    let ipv6 = nat("", "2001:db8::2");
    assert_eq!(ends("", &ipv6, "lo", "::1", "[::1]:80"), Fate::Dropped);
    let ipv6 = nat("-A POSTROUTING -j MASQUERADE\n", "2001:db8::2");
    assert_eq!(ends("", &ipv6, "lo", "::1", "[::1]:80"), Fate::Accepted);
}

#[test]
fn conntracks_status_none_never_holds_and_what_is_looped_is_confirmed() {
    let asks =
        |status: &str| format!("*filter\n:INPUT ACCEPT\n-A INPUT -m conntrack --ctstatus {status} -j DROP\nCOMMIT\n");
    assert_eq!(
        ends(&asks("NONE"), "", "eth0", "192.0.2.9", "192.0.2.1:80"),
        Fate::Accepted
    );
    assert_eq!(
        ends(&asks("CONFIRMED"), "", "eth0", "192.0.2.9", "192.0.2.1:80"),
        Fate::Accepted
    );
    assert_eq!(
        ends(&asks("CONFIRMED"), "", "lo", "127.0.0.1", "127.0.0.1:80"),
        Fate::Dropped
    );
}

#[test]
fn an_ipv6_port_may_be_rewritten_alone() {
    let nat = "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -j DNAT --to-destination :81\nCOMMIT\n\
        *filter\n:INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 81 -j DROP\nCOMMIT\n";
    let (fate, by) = fate(
        &kernel("", nat),
        "eth0",
        "2001:db8::9",
        "[2001:db8::1]:80",
        Protocol::Tcp,
    );
    assert_eq!(fate, Fate::Dropped, "{by}");
}

#[test]
fn a_source_that_is_not_known_any_more_is_not_guessed() {
    let rules = "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n\
        *filter\n:INPUT ACCEPT\n-A INPUT -s 127.0.0.1 -j DROP\nCOMMIT\n";
    let fate = ends(rules, "", "lo", "127.0.0.1", "127.0.0.1:80");
    assert_eq!(fate, Fate::Unknown { may_arrive: true });
}

#[test]
fn a_source_that_is_rewritten_to_what_it_was_is_not_rewritten() {
    let after = |target: &str, asks: &str| {
        let rules = format!(
            "*nat\n:POSTROUTING ACCEPT\n-A POSTROUTING -p tcp -j {target}\nCOMMIT\n\
            *filter\n:INPUT ACCEPT\n-A INPUT {asks} -j DROP\nCOMMIT\n"
        );
        ends(&rules, "", "lo", "192.0.2.1", "192.0.2.1:80")
    };
    let unknown = Fate::Unknown { may_arrive: true };
    let (same, other) = ("SNAT --to-source 192.0.2.1", "SNAT --to-source 192.0.2.7");
    let range = "SNAT --to-source 192.0.2.1-192.0.2.7";
    let (is_new, is_snat) = ("-m conntrack --ctstate NEW", "-m conntrack --ctstate SNAT");
    assert_eq!(after(same, is_snat), Fate::Accepted);
    assert_eq!(after(other, is_snat), Fate::Dropped);
    assert_eq!(after("SNAT --to-source :1-1023", is_snat), Fate::Dropped);
    assert_eq!(after(range, is_snat), unknown);
    assert_eq!(after("MASQUERADE", is_snat), unknown);
    // What else the same field tells is known as before.
    assert_eq!(after("MASQUERADE", is_new), Fate::Dropped);
    assert_eq!(
        after("SNAT --to-source :1-1023", "-p tcp -m tcp --sport 50000"),
        unknown
    );
    assert_eq!(after(same, "-p tcp -m tcp --sport 50000"), Fate::Dropped);
}

#[test]
fn which_of_two_chains_marks_last_can_not_be_told() {
    let fate = |second: &str| {
        let mark = r#"{"meta":{"key":"mark"}}"#;
        let chain = |name: &str, hook: &str| {
            format!(
                r#"{{"chain":{{"family":"ip","table":"t","name":"{name}","handle":1,"type":"filter","hook":"{hook}","prio":-150,"policy":"accept"}}}}"#
            )
        };
        let rule = |name: &str, expr: &str| {
            format!(r#"{{"rule":{{"family":"ip","table":"t","chain":"{name}","handle":2,"expr":[{expr}]}}}}"#)
        };
        let json = format!(
            r#"{{"nftables":[{{"table":{{"family":"ip","name":"t","handle":1}}}},{},{},{},{},{},{}]}}"#,
            chain("one", "prerouting"),
            chain("other", "prerouting"),
            chain("in", "input"),
            rule("one", &format!(r#"{{"mangle":{{"key":{mark},"value":1}}}}"#)),
            rule("other", &second.replace("MARK", mark)),
            rule(
                "in",
                &format!(r#"{{"match":{{"op":"==","left":{mark},"right":0}}}},{{"drop":null}}"#)
            ),
        );
        let listed = crate::core::netfilter::json::parse(&json).unwrap();
        fate(&listed.netfilter, "eth0", "192.0.2.9", "192.0.2.1:80", Protocol::Tcp).0
    };
    let unknown = Fate::Unknown { may_arrive: true };
    assert_eq!(fate(r#"{"mangle":{"key":MARK,"value":{"^":[MARK,1]}}}"#), unknown);
    // Where the order makes no difference there is an answer.
    assert_eq!(
        fate(r#"{"mangle":{"key":MARK,"value":{"|":[MARK,1]}}}"#),
        Fate::Accepted
    );
    let asks = r#"{"match":{"op":"==","left":MARK,"right":1}},{"drop":null}"#;
    assert_eq!(fate(asks), unknown, "it may be marked by then");
}

#[test]
fn what_is_forwarded_is_tracked_whatever_the_chains_priority_and_nat_chains_have_one() {
    let walked = |json: &str, to: &str| {
        let listed = crate::core::netfilter::json::parse(json).unwrap();
        fate(&listed.netfilter, "eth0", "192.0.2.9", to, Protocol::Tcp).0
    };
    let base = |kind: &str, hook: &str, priority: i32| {
        format!(
            r#"{{"chain":{{"family":"ip","table":"t","name":"{hook}{kind}","handle":1,"type":"{kind}","hook":"{hook}","prio":{priority},"policy":"accept"}}}}"#
        )
    };
    let rule = |chain: &str, expr: &str| {
        format!(r#"{{"rule":{{"family":"ip","table":"t","chain":"{chain}","handle":2,"expr":[{expr}]}}}}"#)
    };
    let document = |parts: &[String]| {
        format!(
            r#"{{"nftables":[{{"table":{{"family":"ip","name":"t","handle":1}}}},{}]}}"#,
            parts.join(",")
        )
    };
    let drops_new = r#"{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":"new"}},{"drop":null}"#;
    let early = document(&[base("filter", "forward", -300), rule("forwardfilter", drops_new)]);
    assert_eq!(walked(&early, "172.17.0.2:80"), Fate::Dropped);
    // A nat chain that says -130 is called at -100 all the same: after a filter chain at -110.
    let redirects = r#"{"redirect":{"port":81}}"#;
    let drops_80 =
        r#"{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":80}},{"drop":null}"#;
    let order = document(&[
        base("nat", "prerouting", -130),
        base("filter", "prerouting", -110),
        rule("preroutingnat", redirects),
        rule("preroutingfilter", drops_80),
    ]);
    assert_eq!(walked(&order, "192.0.2.1:80"), Fate::Dropped);
}

#[test]
fn a_published_port_is_confined_at_an_address_that_came_later() {
    let routed =
        "-A PREROUTING -d 10.96.0.1/32 -p tcp -j DNAT --to-destination 172.17.0.2:80\n-A PREROUTING -m addrtype";
    let kernel = kernel(&DOCKER.replacen("-A PREROUTING -m addrtype", routed, 1), "");
    let after = kernel.with_own(&compiled(&Policy::default(), &machine()));
    let mut world = machine();
    world.interfaces[1].addresses.push("192.0.2.99/24".parse().unwrap());
    let web = with_published(Vec::new(), &published_ports(&kernel, &world), &|_| None);
    assert_eq!(
        reach_in(&after, &world, &Policy::default(), &web[0]),
        Reach::ThisMachine
    );
    // What others rewrite on its way through was not sent here.
    let (passing, by) = fate(&after, "eth1", "10.0.0.9", "10.96.0.1:443", Protocol::Tcp);
    assert_eq!(passing, Fate::Accepted, "{by}");
}
