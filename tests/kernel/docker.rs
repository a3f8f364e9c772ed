//! Docker's rules and containers in the sandbox, as the real dockerd 20.10 makes them, and knocks at what
//! is published.

use std::net::SocketAddr;

use fwtui::app::sandbox::{self, Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use fwtui::core::policy::{Entry, Policy};
use fwtui::sys::knock::{Attempt, Door, wait};
use fwtui::sys::{clock, netns};

use crate::harness::{Lab, SILENCE, addresses, eventually};
use crate::machine::policy;
use crate::raw;

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
pub const NOBODY: [Neighbour; 0] = [];

/// What dockerd 20.10 has in nat, with a service of others' that is only routed through.
pub const NAT: &str = "*nat
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
pub const FILTER: &str = "*filter
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
pub const AT_THE_HEAD: [&str; 6] = [
    "-i docker0 -o docker0 -j ACCEPT",
    "-i docker0 ! -o docker0 -j ACCEPT",
    "-o docker0 -j DOCKER",
    "-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-j DOCKER-ISOLATION-STAGE-1",
    "-j DOCKER-USER",
];

/// The texts' words for a family.
pub fn of(family: Family, text: &str) -> String {
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
    pub lab: &'a Lab,
    /// `nft` or `legacy`.
    pub variant: &'static str,
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
    pub fn start(&self) {
        for family in Family::ALL {
            let restore = self.program(family, "-restore");
            self.lab.feed(&[&restore, "--noflush"], &of(family, NAT));
            self.lab.feed(&[&restore, "--noflush"], &of(family, FILTER));
        }
        self.insert(false);
    }

    /// What dockerd does when it is started again: its jumps to the head of FORWARD.
    pub fn restart(&self) {
        self.insert(true);
    }

    pub fn insert(&self, are_there: bool) {
        for family in Family::ALL {
            for rule in AT_THE_HEAD {
                if are_there {
                    self.tables(family, &format!("-D FORWARD {rule}"));
                }
                self.tables(family, &format!("-I FORWARD {rule}"));
            }
        }
    }

    pub fn tables(&self, family: Family, arguments: &str) {
        self.lab.line(&format!("{} {arguments}", self.program(family, "")));
    }

    pub fn program(&self, family: Family, what: &str) -> String {
        let stem = if family == Family::Ipv4 {
            "iptables"
        } else {
            "ip6tables"
        };
        format!("{stem}-{}{what}", self.variant)
    }

    /// The rules of DOCKER-USER and FORWARD, both families.
    pub fn forward(&self) -> String {
        let listings = Family::ALL.map(|family| {
            let tables = self.program(family, "");
            ["DOCKER-USER", "FORWARD"].map(|chain| self.lab.line(&format!("{tables} -S {chain}")))
        });
        listings.concat().concat()
    }
}

/// Containers at 172.17.0.2 and 172.17.0.3, each with a service at 80.
pub fn containers(lab: &Lab) {
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
pub fn knock(to: &str, protocol: Protocol) -> Knock {
    knock_at(&Door {
        from: None,
        to: to.parse().unwrap(),
        protocol,
    })
}

pub fn knock_at(door: &Door) -> Knock {
    let mut attempts = [Attempt::start(door, 0).unwrap()];
    wait(&mut attempts, &[], clock::since_boot() + SILENCE).unwrap();
    attempts[0].knock()
}

/// Knocks from a namespace.
pub fn knock_by(namespace: &str, door: &Door) -> Knock {
    netns::enter(namespace, || knock_at(door)).unwrap()
}

pub fn knock_in(namespace: &str, to: &str, protocol: Protocol) -> Knock {
    netns::enter(namespace, || knock(to, protocol)).unwrap()
}

/// Who is answered at a published port, in both families and protocols; the others are refused at once.
pub fn expect_answers(port: u16, answered: &[Neighbour]) {
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
pub fn machine_is_served() {
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        for own in ["203.0.113.10", "[2001:db8:1::10]"] {
            for port in [PUBLISHED, ON_ONE] {
                assert_eq!(knock(&format!("{own}:{port}"), protocol), Knock::Answered, "{own}");
            }
        }
    }
}

/// What only passes through this machine, or comes from containers.
pub fn passing_traffic_fares_as_without_fwtui() {
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

pub fn listen_in_the_world(lab: &Lab) {
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
pub fn open_from(sources: &[&str]) -> Policy {
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

pub fn both(port: u16, decision: &str) -> Policy {
    let ids = ["tcp", "udp"].map(|protocol| format!("{port}/{protocol}"));
    policy(&[(ids[0].as_str(), decision), (ids[1].as_str(), decision)])
}
