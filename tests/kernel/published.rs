//! Ports that docker publishes: what was decided holds for containers, too, and nothing else is
//! touched on its way through this machine.

use std::net::SocketAddr;
use std::time::Duration;

use fwtui::app::sandbox::{self, Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use fwtui::core::policy::{Entry, Policy};
use fwtui::core::trial::Reason;
use fwtui::sys::knock::{Attempt, Door, wait};
use fwtui::sys::{clock, netns};

use crate::harness::{Lab, PATIENCE, SILENCE, addresses, eventually, in_sandbox};
use crate::machine::policy;
use crate::raw;
use crate::timer::kill_all;
use crate::trial::{back_at, closed};

/// Published on all addresses; 80 in the container.
pub const PUBLISHED: u16 = 8090;
/// Published on 203.0.113.10 and `2001:db8:1::10` only.
pub const ON_ONE: u16 = 8091;
/// Published on 127.0.0.1 only.
pub const ON_LOOPBACK: u16 = 8092;

pub const EVERYONE: [Neighbour; 4] = [
    Neighbour::Public,
    Neighbour::Stranger,
    Neighbour::Trusted,
    Neighbour::Far,
];
const NOBODY: [Neighbour; 0] = [];

/// What dockerd 20.10 has in nat, with a service of others' that is only routed through.
const NAT: &str = "*nat
:DOCKER - [0:0]
-A PREROUTING -d SERVICE -p tcp -m tcp --dport 443 -j DNAT --to-destination CONTAINER:80
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d LOOPBACK -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s NETWORK ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8090 -j DNAT --to-destination CONTAINER:80
-A DOCKER ! -i docker0 -p udp -m udp --dport 8090 -j DNAT --to-destination CONTAINER:80
-A DOCKER -d MACHINE ! -i docker0 -p tcp -m tcp --dport 8091 -j DNAT --to-destination CONTAINER:80
-A DOCKER -d MACHINE ! -i docker0 -p udp -m udp --dport 8091 -j DNAT --to-destination CONTAINER:80
-A DOCKER -d LOOPBACK ! -i docker0 -p tcp -m tcp --dport 8092 -j DNAT --to-destination CONTAINER:80
COMMIT
";

/// Its chains in filter, without the jumps to them.
const FILTER: &str = "*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A DOCKER -d CONTAINER/LENGTH ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER -d CONTAINER/LENGTH ! -i docker0 -o docker0 -p udp -m udp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
";

/// What it puts at the head of FORWARD, the first one last.
const AT_THE_HEAD: [&str; 6] = [
    "-i docker0 -o docker0 -j ACCEPT",
    "-i docker0 ! -o docker0 -j ACCEPT",
    "-o docker0 -j DOCKER",
    "-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-j DOCKER-ISOLATION-STAGE-1",
    "-j DOCKER-USER",
];

/// The texts' words for a family.
fn of(family: Family, text: &str) -> String {
    let words = match family {
        Family::Ipv4 => [
            "10.96.0.1/32",
            "127.0.0.0/8",
            "172.17.0.0/16",
            "203.0.113.10/32",
            "172.17.0.2",
            "32",
        ],
        Family::Ipv6 => [
            "fd96::1/128",
            "::1/128",
            "fd17::/64",
            "2001:db8:1::10/128",
            "fd17::2",
            "128",
        ],
    };
    let names = ["SERVICE", "LOOPBACK", "NETWORK", "MACHINE", "CONTAINER", "LENGTH"];
    let mut text = names
        .iter()
        .zip(words)
        .fold(text.to_owned(), |text, (name, word)| text.replace(name, word));
    if family == Family::Ipv6 {
        text = text.replace("--to-destination fd17::2:80", "--to-destination [fd17::2]:80");
    }
    text
}

/// Docker on the machine, by one of the two kinds of iptables.
pub struct Docker<'a> {
    lab: &'a Lab,
    /// `nft` or `legacy`.
    variant: &'static str,
}

impl<'a> Docker<'a> {
    /// Two containers on a bridge, and docker's rules for them.
    pub fn started(lab: &'a Lab, variant: &'static str) -> Self {
        containers(lab);
        let docker = Self { lab, variant };
        docker.start();
        docker
    }

    /// Docker's rules, as if it were installed now.
    fn start(&self) {
        for family in Family::ALL {
            let restore = self.program(family, "-restore");
            self.lab.feed(&[&restore, "--noflush"], &of(family, NAT));
            self.lab.feed(&[&restore, "--noflush"], &of(family, FILTER));
        }
        self.insert(false);
    }

    /// What dockerd does when it is started again: its jumps to the head of FORWARD.
    fn restart(&self) {
        self.insert(true);
    }

    fn insert(&self, are_there: bool) {
        for family in Family::ALL {
            for rule in AT_THE_HEAD {
                if are_there {
                    self.tables(family, &format!("-D FORWARD {rule}"));
                }
                self.tables(family, &format!("-I FORWARD {rule}"));
            }
        }
    }

    fn tables(&self, family: Family, arguments: &str) {
        self.lab.line(&format!("{} {arguments}", self.program(family, "")));
    }

    fn program(&self, family: Family, what: &str) -> String {
        let stem = if family == Family::Ipv4 {
            "iptables"
        } else {
            "ip6tables"
        };
        format!("{stem}-{}{what}", self.variant)
    }

    /// The rules of DOCKER-USER and FORWARD, both families.
    fn forward(&self) -> String {
        let listings = Family::ALL.map(|family| {
            let tables = self.program(family, "");
            ["DOCKER-USER", "FORWARD"].map(|chain| self.lab.line(&format!("{tables} -S {chain}")))
        });
        listings.concat().concat()
    }
}

/// Containers at 172.17.0.2 and 172.17.0.3, each with a service at 80.
fn containers(lab: &Lab) {
    for setting in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
        lab.line(&format!("sysctl -qw {setting}"));
    }
    lab.line("ip link add docker0 type bridge");
    lab.line("ip address add 172.17.0.1/16 dev docker0");
    lab.line("ip address add fd17::1/64 dev docker0 nodad");
    lab.line("ip link set docker0 up");
    for (name, host, address) in [("container", "veth2", 2), ("other", "veth3", 3)] {
        netns::add(name, || ()).unwrap();
        lab.line(&format!("ip link add {host} type veth peer name eth0 netns {name}"));
        lab.line(&format!("ip link set {host} master docker0 up"));
        netns::enter(name, || {
            lab.line("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0");
            lab.line("ip link set lo up");
            lab.line(&format!("ip address add 172.17.0.{address}/16 dev eth0"));
            lab.line(&format!("ip address add fd17::{address}/64 dev eth0 nodad"));
            lab.line("ip link set eth0 up");
            lab.line("ip route add default via 172.17.0.1");
            lab.line("ip route add default via fd17::1");
            lab.listen_everywhere(80);
            eventually(|| {
                addresses("eth0")
                    .iter()
                    .any(std::net::Ipv6Addr::is_unicast_link_local)
                    .then_some(())
            })
            .unwrap();
        })
        .unwrap();
    }
    // The bridge carries something: also in the other direction.
    let is_answered = || netns::enter("container", || raw::ping([172, 17, 0, 1].into())).unwrap();
    eventually(|| is_answered().then_some(())).unwrap();
    for service in ["10.96.0.1 via 192.168.7.10", "fd96::1 via fd07::10"] {
        lab.line_at(Neighbour::Trusted, &format!("ip route add {service}"));
    }
}

/// Knocks from the calling thread's namespace.
fn knock(to: &str, protocol: Protocol) -> Knock {
    knock_at(&Door {
        from: None,
        to: to.parse().unwrap(),
        protocol,
    })
}

fn knock_at(door: &Door) -> Knock {
    let mut attempts = [Attempt::start(door, 0).unwrap()];
    wait(&mut attempts, &[], clock::since_boot() + SILENCE).unwrap();
    attempts[0].knock()
}

/// Knocks from a namespace.
pub fn knock_by(namespace: &str, door: &Door) -> Knock {
    netns::enter(namespace, || knock_at(door)).unwrap()
}

fn knock_in(namespace: &str, to: &str, protocol: Protocol) -> Knock {
    netns::enter(namespace, || knock(to, protocol)).unwrap()
}

/// Who is answered at a published port, in both families and protocols; the others are refused at once.
fn expect(port: u16, answered: &[Neighbour]) {
    for from in EVERYONE {
        let doors: Vec<(SocketAddr, Protocol)> = Family::ALL
            .into_iter()
            .flat_map(|family| [Protocol::Tcp, Protocol::Udp].map(|protocol| (family, protocol)))
            .map(|(family, protocol)| (SocketAddr::new(from.machine().of(family), port), protocol))
            .collect();
        let knocks = sandbox::knock_all(from, &doors, SILENCE).unwrap();
        for ((door, protocol), knock) in doors.iter().zip(knocks) {
            let holds = match answered.contains(&from) {
                true => knock == Knock::Answered,
                false => knock.is_refused(),
            };
            assert!(holds, "{from:?} at {door}/{protocol}: {knock:?}");
        }
    }
}

/// This machine is served by its own containers, whatever is decided.
fn machine_is_served() {
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        for own in ["203.0.113.10", "[2001:db8:1::10]"] {
            for port in [PUBLISHED, ON_ONE] {
                assert_eq!(knock(&format!("{own}:{port}"), protocol), Knock::Answered, "{own}");
            }
        }
    }
}

/// What only passes through this machine, or comes from containers.
fn passing_traffic_fares_as_without_fwtui() {
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        for to in [
            "172.17.0.3:80",
            "[fd17::3]:80",
            "203.0.113.1:9000",
            "[2001:db8:1::1]:9000",
        ] {
            assert_eq!(knock_in("container", to, protocol), Knock::Answered, "{to}/{protocol}");
        }
    }
    for to in ["10.96.0.1:443", "[fd96::1]:443"] {
        let to = to.parse().unwrap();
        let knock = sandbox::knock(Neighbour::Trusted, to, Protocol::Tcp, SILENCE).unwrap();
        assert_eq!(knock, Knock::Answered, "{to}");
    }
}

fn listen_in_the_world(lab: &Lab) {
    // At the very address: the neighbour has two, and would answer from either.
    netns::enter(Neighbour::Public.namespace(), || {
        for address in ["203.0.113.1", "[2001:db8:1::1]"] {
            lab.listen(&format!("tcp/{address}:9000"));
            lab.listen(&format!("udp/{address}:9000"));
        }
    })
    .unwrap();
}

/// `8090` open to a network.
fn open_from(sources: &[&str]) -> Policy {
    let mut policy = Policy::default();
    for protocol in ["tcp", "udp"] {
        let entry = Entry {
            decision: "open".parse().unwrap(),
            from: sources.iter().map(|net| net.parse().unwrap()).collect(),
        };
        policy
            .decide(format!("{PUBLISHED}/{protocol}").parse().unwrap(), entry)
            .unwrap();
    }
    policy
}

fn both(port: u16, decision: &str) -> Policy {
    let ids = ["tcp", "udp"].map(|protocol| format!("{port}/{protocol}"));
    policy(&[(ids[0].as_str(), decision), (ids[1].as_str(), decision)])
}

fn decisions_hold(lab: &Lab, variant: &'static str, has_proxy: bool) {
    let docker = Docker::started(lab, variant);
    listen_in_the_world(lab);
    if has_proxy {
        lab.listen_everywhere(PUBLISHED);
    }
    expect(PUBLISHED, &EVERYONE);
    let foreign = lab.foreign();
    let passing = || {
        machine_is_served();
        passing_traffic_fares_as_without_fwtui();
        assert_eq!(lab.foreign(), foreign);
    };
    passing();
    // Undecided.
    lab.keep(&policy(&[]));
    expect(PUBLISHED, &NOBODY);
    passing();
    let forward = docker.forward();
    assert_eq!(
        forward.matches("-A DOCKER-USER -j FWTUI-FORWARD\n").count(),
        2,
        "{forward}"
    );
    assert_eq!(forward.matches("-A FORWARD -j FWTUI-FORWARD\n").count(), 2, "{forward}");
    lab.keep(&both(PUBLISHED, "confine"));
    expect(PUBLISHED, &NOBODY);
    let mut trusted = both(PUBLISHED, "trusted");
    let class = fwtui::core::network::NetworkClass::Trusted;
    trusted.networks.interfaces.insert("eth1".into(), class);
    lab.keep(&trusted);
    expect(PUBLISHED, &[Neighbour::Trusted]);
    passing();
    lab.keep(&both(PUBLISHED, "open"));
    expect(PUBLISHED, &EVERYONE);
    let sources = ["198.18.5.0/24", "fd05::/64", "203.0.113.66/32", "2001:db8:1::66/128"];
    lab.keep(&open_from(&sources));
    expect(PUBLISHED, &[Neighbour::Far, Neighbour::Stranger]);
    passing();
    lab.does(&["off", "--yes"]);
    lab.confirm();
    expect(PUBLISHED, &EVERYONE);
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
    expect(PUBLISHED, &NOBODY);
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
    expect(PUBLISHED, &[Neighbour::Public, Neighbour::Trusted, Neighbour::Far]);
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

fn a_restart_of_docker_opens_nothing(lab: &Lab, variant: &'static str) {
    let docker = Docker::started(lab, variant);
    lab.keep(&both(ON_ONE, "open"));
    docker.restart();
    let forward = docker.forward();
    assert!(
        forward.find("-A FORWARD -j DOCKER-USER\n") < forward.find("-A FORWARD -j FWTUI-FORWARD\n"),
        "{forward}"
    );
    expect(PUBLISHED, &NOBODY);
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("confirmed"), 0), "{status}");
    // A trial over that, and its revert.
    let base = lab.base();
    lab.does(&["set", "8090/tcp", "open"]);
    lab.does(&["apply", "--yes"]);
    lab.does(&["revert"]);
    lab.settled();
    assert_eq!(lab.base(), base);
    expect(PUBLISHED, &NOBODY);
    // Where somebody empties docker's chain as well, it is seen and mended.
    docker.tables(Family::Ipv4, "-F DOCKER-USER");
    docker.restart();
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("drifted"), 3), "{status}");
    lab.does(&["restore"]);
    expect(PUBLISHED, &NOBODY);
    assert_eq!(lab.status().1, 0);
    docker.restart();
    expect(PUBLISHED, &NOBODY);
    assert_eq!(lab.status().1, 0);
}

#[test]
fn a_restart_of_docker_opens_nothing_and_is_no_drift() {
    in_sandbox(|lab| a_restart_of_docker_opens_nothing(lab, "nft"));
}

#[test]
fn a_restart_of_docker_opens_nothing_and_is_no_drift_with_legacy() {
    in_sandbox(|lab| a_restart_of_docker_opens_nothing(lab, "legacy"));
}

#[test]
fn docker_that_is_installed_later_is_seen_and_put_right() {
    in_sandbox(|lab| {
        containers(lab);
        lab.keep(&policy(&[]));
        let docker = Docker { lab, variant: "nft" };
        docker.start();
        let (status, code) = lab.status();
        assert_eq!((status["state"].as_str(), code), (Some("drifted"), 3), "{status}");
        assert!(
            status["drift"]
                .as_str()
                .unwrap()
                .contains("comes before fwtui's own rules"),
            "{status}"
        );
        lab.does(&["restore"]);
        assert_eq!(lab.status().1, 0);
        expect(PUBLISHED, &NOBODY);
        docker.restart();
        expect(PUBLISHED, &NOBODY);
        assert_eq!(lab.status().1, 0);
    });
}

/// Docker's chain goes: nothing of fwtui's fails for that.
fn remove_docker(docker: &Docker<'_>) {
    for family in Family::ALL {
        for arguments in ["-D FORWARD -j DOCKER-USER", "-F DOCKER-USER", "-X DOCKER-USER"] {
            docker.tables(family, arguments);
        }
    }
}

#[test]
fn docker_that_is_removed_keeps_nothing_from_being_reverted_applied_or_taken_out() {
    in_sandbox(|lab| {
        let docker = Docker::started(lab, "nft");
        let guard = lab.hold(&policy(&[]), Duration::from_millis(1500));
        expect(PUBLISHED, &NOBODY);
        remove_docker(&docker);
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        expect(PUBLISHED, &EVERYONE);
        assert!(!lab.line("iptables-save").contains("FWTUI"));
        lab.keep(&policy(&[]));
        expect(PUBLISHED, &NOBODY);
        lab.does(&["off", "--yes"]);
        lab.confirm();
        assert!(!lab.line("iptables-save").contains("FWTUI"));
        assert!(!lab.line("ip6tables-save").contains("FWTUI"));
    });
}

fn a_trial_that_runs_out_opens_again(lab: &Lab, variant: &'static str, is_killed: bool) {
    let docker = Docker::started(lab, variant);
    let (base, foreign) = (lab.base(), lab.foreign());
    let mut guard = lab.hold(&policy(&[]), Duration::from_millis(2500));
    expect(PUBLISHED, &NOBODY);
    docker.restart();
    expect(PUBLISHED, &NOBODY);
    let deadline = guard.deadline;
    let reason = match is_killed {
        true => {
            kill_all(&mut guard);
            Reason::GuardDied
        }
        false => Reason::NotConfirmed,
    };
    back_at(deadline, || lab.answers(Neighbour::Public, PUBLISHED));
    assert!(clock::since_boot() < deadline + PATIENCE);
    if is_killed {
        lab.fwtui(&["status"]);
    }
    closed(lab, &reason);
    expect(PUBLISHED, &EVERYONE);
    assert_eq!((lab.base(), lab.foreign()), (base, foreign));
    assert!(!docker.forward().contains("FWTUI"));
}

#[test]
fn a_trial_that_runs_out_opens_published_ports_again() {
    in_sandbox(|lab| a_trial_that_runs_out_opens_again(lab, "nft", false));
}

#[test]
fn with_everything_dead_the_kernel_opens_published_ports_again() {
    in_sandbox(|lab| a_trial_that_runs_out_opens_again(lab, "nft", true));
}

#[test]
fn with_everything_dead_the_kernel_opens_published_ports_again_legacy() {
    in_sandbox(|lab| a_trial_that_runs_out_opens_again(lab, "legacy", true));
}

/// Machines get other addresses: a laptop in a café.
fn a_new_address_opens_nothing(lab: &Lab, variant: &'static str) {
    let docker = Docker::started(lab, variant);
    // By legacy, where docker's rules are, not by the other one's emptiness.
    lab.keep(&policy(&[]));
    assert_eq!(lab.status().0["backend"], format!("iptables-{variant}"));
    lab.line("ip address add 203.0.113.99/24 dev eth0");
    lab.line("ip address add 2001:db8:1::99/64 dev eth0 nodad");
    let knocks = || {
        let doors = ["203.0.113.99", "[2001:db8:1::99]"].map(|address| format!("{address}:{PUBLISHED}"));
        let each = doors
            .iter()
            .flat_map(|door| [Protocol::Tcp, Protocol::Udp].map(|protocol| (door, protocol)));
        each.map(|(door, protocol)| lab.knock_at(Neighbour::Public, door.parse().unwrap(), protocol))
            .collect::<Vec<_>>()
    };
    // The neighbour may have to ask more than once who has an address that is so new.
    let refused = eventually(|| {
        let seen = knocks();
        assert!(!seen.contains(&Knock::Answered), "{seen:?}");
        seen.iter().all(|knock| knock.is_refused()).then_some(())
    });
    refused.expect("it is refused at the new address");
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("confirmed"), 0), "{status}");
    assert!(lab.does(&["apply", "--yes"]).contains("Nothing to change"));
    passing_traffic_fares_as_without_fwtui_from_the_world(lab);
    lab.keep(&both(PUBLISHED, "open"));
    let seen = knocks();
    assert!(seen.iter().all(|knock| *knock == Knock::Answered), "{seen:?}");
    lab.does(&["off", "--yes"]);
    lab.confirm();
    assert!(knocks().iter().all(|knock| *knock == Knock::Answered));
    assert!(!docker.forward().contains("FWTUI"));
    for family in Family::ALL {
        let save = docker.program(family, "-save");
        assert!(!lab.run(&[&save]).contains("FWTUI"), "{save}");
    }
}

/// What others rewrite that was never for this machine.
fn passing_traffic_fares_as_without_fwtui_from_the_world(lab: &Lab) {
    listen_in_the_world(lab);
    passing_traffic_fares_as_without_fwtui();
}

#[test]
fn a_new_address_opens_no_published_port() {
    in_sandbox(|lab| a_new_address_opens_nothing(lab, "nft"));
}

#[test]
fn a_new_address_opens_no_published_port_with_legacy() {
    in_sandbox(|lab| a_new_address_opens_nothing(lab, "legacy"));
}

fn labels_that_are_gone_are_drift(lab: &Lab, variant: &'static str) {
    let docker = Docker::started(lab, variant);
    lab.keep(&policy(&[]));
    let base = lab.base();
    for what in ["-F PREROUTING", "-F FWTUI-PREROUTING", "-F"] {
        for family in Family::ALL {
            docker.tables(family, &format!("-t mangle {what}"));
        }
        // So it is without labels, and therefore said.
        let door = format!("203.0.113.10:{PUBLISHED}").parse().unwrap();
        let knock = lab.knock_at(Neighbour::Public, door, Protocol::Tcp);
        assert_eq!(knock, Knock::Answered, "{what}");
        let (status, code) = lab.status();
        assert_eq!(
            (status["state"].as_str(), code),
            (Some("drifted"), 3),
            "{what}: {status}"
        );
        lab.does(&["restore"]);
        assert_eq!(lab.status().1, 0, "{what}");
        expect(PUBLISHED, &NOBODY);
    }
    let rules = |base: &fwtui::backend::switch::Base| [base.ipv4.rules.clone(), base.ipv6.rules.clone()];
    assert_eq!(rules(&lab.base()), rules(&base));
}

#[test]
fn labels_that_somebody_took_away_are_drift_and_come_back() {
    in_sandbox(|lab| labels_that_are_gone_are_drift(lab, "nft"));
}

#[test]
fn labels_that_somebody_took_away_are_drift_and_come_back_with_legacy() {
    in_sandbox(|lab| labels_that_are_gone_are_drift(lab, "legacy"));
}

/// The extension of iptables that knows labels is not there, in this mount namespace only.
struct NoLabels(std::path::PathBuf);

impl NoLabels {
    fn here() -> Self {
        let folders = [
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib",
            "/usr/lib64",
        ];
        let files = folders.map(|folder| std::path::Path::new(folder).join("xtables/libxt_connlabel.so"));
        let file = files.into_iter().find(|file| file.exists()).expect("iptables has it");
        std::fs::write("/run/no-extension", "").unwrap();
        rustix::mount::mount_bind("/run/no-extension", &file).unwrap();
        Self(file)
    }
}

impl Drop for NoLabels {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

#[test]
fn without_labels_published_ports_are_told_by_address_and_that_is_said() {
    in_sandbox(|lab| {
        const SAID: &str = "open at it until the next apply";
        let _docker = Docker::started(lab, "nft");
        let without = NoLabels::here();
        assert_eq!(lab.does(&["preview"]).matches(SAID).count(), 1);
        assert_eq!(lab.does(&["apply", "--yes"]).matches(SAID).count(), 1);
        lab.confirm();
        expect(PUBLISHED, &NOBODY);
        let own = lab.base().ipv4.rules;
        assert!(own.mangle.is_empty() && own.to_text().contains("--ctorigdst 203.0.113.10 "));
        assert_eq!(lab.status().1, 0);
        assert!(lab.does(&["apply", "--yes"]).contains("Nothing to change"));
        // A restore is in the same kind.
        lab.line("iptables -F FWTUI-INPUT");
        lab.does(&["restore"]);
        assert_eq!((lab.base().ipv4.rules, lab.status().1), (own, 0));
        // What is warned of, and what labels are for.
        lab.line("ip address add 203.0.113.99/24 dev eth0");
        let door = format!("203.0.113.99:{PUBLISHED}").parse().unwrap();
        let knock = || lab.knock_at(Neighbour::Public, door, Protocol::Tcp);
        assert_eq!(knock(), Knock::Answered);
        // With labels the next apply goes by them.
        drop(without);
        assert!(!lab.does(&["preview"]).contains(SAID));
        lab.keep(&policy(&[]));
        let own = lab.base().ipv4.rules;
        assert!(!own.mangle.is_empty() && !own.to_text().contains("--ctorigdst "));
        assert!(knock().is_refused());
        expect(PUBLISHED, &NOBODY);
    });
}
