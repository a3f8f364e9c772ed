//! Ports that docker publishes: what was decided holds for containers, too, and nothing else is
//! touched on its way through this machine.

use std::net::SocketAddr;

use fwtui::app::sandbox::{self, Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use fwtui::sys::{clock, netns};

use crate::docker::{
    Docker, EVERYONE, NOBODY, ON_LOOPBACK, ON_ONE, PUBLISHED, both, expect_answers, knock_in, listen_in_the_world,
    machine_is_served, open_from, passing_traffic_fares_as_without_fwtui,
};
use crate::harness::{Lab, SILENCE, eventually, in_sandbox};
use crate::machine::policy;

fn decisions_hold(lab: &Lab, variant: &'static str, has_proxy: bool) {
    let docker = Docker::started(lab, variant);
    listen_in_the_world(lab);
    if has_proxy {
        lab.listen_everywhere(PUBLISHED);
    }
    expect_answers(PUBLISHED, &EVERYONE);
    let foreign = lab.foreign();
    let passing = || {
        machine_is_served();
        passing_traffic_fares_as_without_fwtui();
        assert_eq!(lab.foreign(), foreign);
    };
    passing();
    // Undecided.
    lab.keep(&policy(&[]));
    expect_answers(PUBLISHED, &NOBODY);
    passing();
    let forward = docker.forward();
    assert_eq!(
        forward.matches("-A DOCKER-USER -j FWTUI-FORWARD\n").count(),
        2,
        "{forward}"
    );
    assert_eq!(forward.matches("-A FORWARD -j FWTUI-FORWARD\n").count(), 2, "{forward}");
    lab.keep(&both(PUBLISHED, "confine"));
    expect_answers(PUBLISHED, &NOBODY);
    let mut trusted = both(PUBLISHED, "trusted");
    let class = fwtui::core::network::NetworkClass::Trusted;
    trusted.networks.interfaces.insert("eth1".into(), class);
    lab.keep(&trusted);
    expect_answers(PUBLISHED, &[Neighbour::Trusted]);
    passing();
    lab.keep(&both(PUBLISHED, "open"));
    expect_answers(PUBLISHED, &EVERYONE);
    let sources = ["198.18.5.0/24", "fd05::/64", "203.0.113.66/32", "2001:db8:1::66/128"];
    lab.keep(&open_from(&sources));
    expect_answers(PUBLISHED, &[Neighbour::Far, Neighbour::Stranger]);
    passing();
    lab.does(&["off", "--yes"]);
    lab.confirm();
    expect_answers(PUBLISHED, &EVERYONE);
    assert_eq!(lab.foreign(), foreign);
    assert!(!docker.forward().contains("FWTUI"));
    let observed = lab.observed();
    assert!(observed.ipv4.chains.is_empty() && observed.ipv6.chains.is_empty());
}

#[test]
fn decisions_hold_for_published_ports() {
    in_sandbox(|lab| decisions_hold(lab, "nft", false));
}

#[test]
fn decisions_hold_for_published_ports_with_legacy() {
    in_sandbox(|lab| decisions_hold(lab, "legacy", false));
}

#[test]
fn decisions_hold_for_published_ports_that_docker_also_listens_at() {
    in_sandbox(|lab| decisions_hold(lab, "nft", true));
}

/// On top of what is decided, for everyone and for some.
fn blocks_hold(lab: &Lab, variant: &'static str) {
    let _docker = Docker::started(lab, variant);
    listen_in_the_world(lab);
    let mut policy = both(PUBLISHED, "open");
    for protocol in ["tcp", "udp"] {
        policy
            .decide(
                format!("{ON_ONE}/{protocol}").parse().unwrap(),
                policy.services.values().next().unwrap().clone(),
            )
            .unwrap();
    }
    let block = |lines: &[&str]| {
        let mut policy = policy.clone();
        for (line, protocol) in lines
            .iter()
            .flat_map(|line| ["tcp", "udp"].map(|protocol| (line, protocol)))
        {
            let line = line.replace("PROTOCOL", protocol);
            policy.block(fwtui::core::policy::Block::parse_line(&line, clock::since_1970()).unwrap());
        }
        lab.keep(&policy);
    };
    block(&["8090/PROTOCOL for 1h"]);
    expect_answers(PUBLISHED, &NOBODY);
    let stranger = |port, family| {
        lab.knock_at(
            Neighbour::Stranger,
            SocketAddr::new(Neighbour::Public.machine().of(family), port),
            Protocol::Tcp,
        )
    };
    for family in Family::ALL {
        assert_eq!(stranger(ON_ONE, family), Knock::Answered, "the other port");
    }
    machine_is_served();
    passing_traffic_fares_as_without_fwtui();
    block(&[
        "8090/PROTOCOL from 203.0.113.66 2001:db8:1::66",
        "203.0.113.10:8091/PROTOCOL",
    ]);
    expect_answers(PUBLISHED, &[Neighbour::Public, Neighbour::Trusted, Neighbour::Far]);
    assert!(stranger(ON_ONE, Family::Ipv4).is_refused());
    assert_eq!(stranger(ON_ONE, Family::Ipv6), Knock::Answered);
}

#[test]
fn blocks_hold_for_published_ports() {
    in_sandbox(|lab| blocks_hold(lab, "nft"));
}

#[test]
fn blocks_hold_for_published_ports_with_legacy() {
    in_sandbox(|lab| blocks_hold(lab, "legacy"));
}

#[test]
fn guests_count_as_trusted_at_published_ports_too() {
    in_sandbox(|lab| {
        let _docker = Docker::started(lab, "nft");
        lab.line("ip link add virbr7 type bridge");
        lab.line("ip address add 10.77.0.1/24 dev virbr7");
        lab.line("ip link set virbr7 up");
        netns::add("guest", || ()).unwrap();
        lab.line("ip link add veth7 type veth peer name eth0 netns guest");
        lab.line("ip link set veth7 master virbr7 up");
        netns::enter("guest", || {
            for set in [
                "address add 10.77.0.2/24 dev eth0",
                "link set eth0 up",
                "route add default via 10.77.0.1",
            ] {
                lab.line(&format!("ip {set}"));
            }
        })
        .unwrap();
        let comes_in = |protocol| knock_in("guest", "203.0.113.10:8090", protocol);
        eventually(|| (comes_in(Protocol::Tcp) == Knock::Answered).then_some(())).expect("a guest is answered");
        for (decision, is_answered) in [("confine", false), ("trusted", true)] {
            lab.keep(&both(PUBLISHED, decision));
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                let knock = comes_in(protocol);
                assert_eq!(
                    knock == Knock::Answered,
                    is_answered,
                    "{decision}, {protocol}: {knock:?}"
                );
                assert_eq!(knock.is_refused(), !is_answered, "{decision}, {protocol}: {knock:?}");
            }
        }
    });
}

#[test]
fn an_address_that_comes_by_itself_opens_nothing() {
    in_sandbox(|lab| {
        let _docker = Docker::started(lab, "nft");
        // As a router gave it, and as its temporary brothers come.
        let add = |last: &str| {
            lab.line(&format!(
                "ip address add 2001:db8:1::{last}/64 dev eth0 valid_lft 86400 preferred_lft 43200 nodad"
            ));
        };
        add("a1");
        lab.keep(&policy(&[]));
        add("a2");
        for last in ["a1", "a2"] {
            let door = format!("[2001:db8:1::{last}]:{PUBLISHED}").parse().unwrap();
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                assert!(
                    lab.knock_at(Neighbour::Public, door, protocol).is_refused(),
                    "{last} {protocol}"
                );
            }
        }
        assert_eq!(lab.status().1, 0);
        lab.does(&["off", "--yes"]);
        lab.confirm();
        let door = format!("[2001:db8:1::a2]:{PUBLISHED}").parse().unwrap();
        assert_eq!(lab.knock_at(Neighbour::Public, door, Protocol::Tcp), Knock::Answered);
    });
}

#[test]
fn a_decision_on_one_address_holds_for_what_is_published_there() {
    in_sandbox(|lab| {
        let _docker = Docker::started(lab, "nft");
        let one = |address: &str, port: u16| ["tcp", "udp"].map(|protocol| format!("{address}:{port}/{protocol}"));
        let [v4, v6] = [one("203.0.113.10", ON_ONE), one("[2001:db8:1::10]", ON_ONE)];
        let public = [Neighbour::Public, Neighbour::Stranger];
        let knocks = |port: u16, from: Neighbour| {
            let doors: Vec<(SocketAddr, Protocol)> = Family::ALL
                .into_iter()
                .flat_map(|family| [Protocol::Tcp, Protocol::Udp].map(|protocol| (family, protocol)))
                .map(|(family, protocol)| (SocketAddr::new(from.machine().of(family), port), protocol))
                .collect();
            sandbox::knock_all(from, &doors, SILENCE).unwrap()
        };
        lab.keep(&policy(&[]));
        for from in public {
            assert!(knocks(ON_ONE, from).iter().all(|knock| knock.is_refused()));
        }
        let mut decided = vec![];
        for id in v4.iter().chain(&v6) {
            decided.push((id.as_str(), "open"));
        }
        // Narrower than a plain one that says otherwise; and only at that address.
        let plain = ["tcp", "udp"].map(|protocol| format!("{ON_ONE}/{protocol}"));
        let [p4, p6] = [one("203.0.113.10", PUBLISHED), one("[2001:db8:1::10]", PUBLISHED)];
        decided.extend(plain.iter().map(|id| (id.as_str(), "confine")));
        decided.extend(p4.iter().chain(&p6).map(|id| (id.as_str(), "open")));
        lab.keep(&policy(&decided));
        for from in public {
            for port in [ON_ONE, PUBLISHED] {
                let knocks = knocks(port, from);
                assert!(
                    knocks.iter().all(|knock| *knock == Knock::Answered),
                    "{port}: {knocks:?}"
                );
            }
        }
        assert!(
            knocks(PUBLISHED, Neighbour::Trusted)
                .iter()
                .all(|knock| knock.is_refused())
        );
    });
}

#[test]
fn what_is_published_for_this_machine_is_reached_by_no_frame_from_the_link() {
    in_sandbox(|lab| {
        let _docker = Docker::started(lab, "nft");
        // A neighbour for whom 127.0.0.1 is at this machine's hardware address.
        let link = lab.line("ip -o link show eth0");
        let mac = link
            .split("link/ether ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .unwrap();
        lab.line_at(Neighbour::Public, "sysctl -qw net.ipv4.conf.all.route_localnet=1");
        lab.line_at(Neighbour::Public, "ip address del 127.0.0.1/8 dev lo");
        lab.line_at(Neighbour::Public, "ip route add 127.0.0.1/32 dev eth0 src 203.0.113.1");
        lab.line_at(
            Neighbour::Public,
            &format!("ip neighbour replace 127.0.0.1 lladdr {mac} dev eth0"),
        );
        let door = SocketAddr::from(([127, 0, 0, 1], ON_LOOPBACK));
        let comes_in = || {
            // The machine must know the neighbour: it would ask for him in the name of 127.0.0.1, and
            // not take the answer.
            lab.knock(Neighbour::Public, Family::Ipv4, Protocol::Tcp, PUBLISHED);
            lab.knock_at(Neighbour::Public, door, Protocol::Tcp)
        };
        assert_eq!(comes_in(), Knock::Answered, "without fwtui it does");
        lab.keep(&policy(&[("8092/tcp", "open")]));
        assert_eq!(comes_in(), Knock::Silent);
        lab.does(&["off", "--yes"]);
        lab.confirm();
        assert_eq!(comes_in(), Knock::Answered);
    });
}
