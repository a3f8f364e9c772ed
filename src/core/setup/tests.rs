use std::collections::BTreeMap;

use super::*;
use crate::core::listener::{Listener, Owner, Protocol};
use crate::core::network::InterfaceKind;
use crate::core::policy::Entry;
use crate::core::ruleset::compile;
use crate::core::service::{Ownership, Published, group};
use crate::core::way_in::Carrier;

mod answers;

/// A machine, told in sockets: address, port, protocol, the program's name, its user id.
struct Machine {
    services: Vec<Arc<Service>>,
    interfaces: Vec<Interface>,
    ways_in: Vec<WayIn>,
    is_desktop: Option<bool>,
    policy: Policy,
}

impl Machine {
    fn new(sockets: &[(&str, u16, Protocol, &str, u32)]) -> Self {
        let mut owners = BTreeMap::new();
        let listeners: Vec<Listener> = sockets
            .iter()
            .zip(1..)
            .map(|((address, port, protocol, name, uid), inode)| {
                if !name.is_empty() {
                    let owner = Owner {
                        pid: inode,
                        name: (*name).into(),
                        exe: Some(format!("/usr/local/bin/{name}")),
                        user: Some(if *uid == 0 { "root".into() } else { uid.to_string() }),
                        unit: None,
                    };
                    owners.insert(inode, vec![Arc::new(owner)]);
                }
                Listener {
                    protocol: *protocol,
                    address: address.parse().unwrap(),
                    port: *port,
                    v6only: false,
                    interface: None,
                    inode,
                    uid: *uid,
                    cgroup: Some(u64::from(inode)),
                }
            })
            .collect();
        let ownership = Ownership {
            by_inode: owners,
            ..Ownership::default()
        };
        Self {
            services: group(&listeners, &ownership, ephemeral(), &|_| false),
            interfaces: vec![eth0()],
            ways_in: Vec::new(),
            is_desktop: Some(false),
            policy: Policy::default(),
        }
    }

    fn reached(mut self, way_in: WayIn) -> Self {
        self.ways_in.push(way_in);
        self
    }

    fn decided(mut self, id: &str, decision: Decision, from: &[&str]) -> Self {
        let from = from.iter().map(|net| net.parse().unwrap()).collect();
        let entry = Entry { decision, from };
        self.policy.decide(id.parse().unwrap(), entry).unwrap();
        self
    }

    fn propose(&self) -> Proposals {
        propose(&Found {
            services: &self.services,
            interfaces: &self.interfaces,
            catalogue: &Catalogue::embedded(),
            ways_in: &self.ways_in,
            is_desktop: self.is_desktop,
            ephemeral: ephemeral(),
            policy: &self.policy,
        })
    }

    /// The proposal for a service.
    #[track_caller]
    fn at(&self, id: &str) -> ServiceProposal {
        let all = self.propose().services;
        let found = all.iter().find(|one| one.id.to_string() == id);
        found.cloned().unwrap_or_else(|| panic!("{id} in {all:?}"))
    }

    /// The policy that taking all proposals makes.
    fn taken(&self) -> Policy {
        Answers::from_proposals(&self.propose()).policy(&self.policy).unwrap()
    }

    /// Checks that whoever takes all proposals stays in.
    #[track_caller]
    fn keeps_its_user(&self) {
        let policy = self.taken();
        let rules = compile(&policy, &self.interfaces);
        for way_in in &self.ways_in {
            assert!(way_in.is_let_in(&rules), "{way_in} under {}", policy.to_text());
        }
    }
}

fn ephemeral() -> Ports {
    Ports::new(32768, 60999).unwrap()
}

fn eth0() -> Interface {
    Interface {
        index: 2,
        name: "eth0".into(),
        kind: InterfaceKind::Ethernet,
        driver: None,
        addresses: vec!["192.0.2.10/24".parse().unwrap()],
        on_link: vec!["192.0.2.0/24".parse().unwrap()],
        changing: Vec::new(),
        is_up: true,
        has_default_route: true,
        has_physical_port: false,
    }
}

fn way_in(carrier: Carrier, protocol: Protocol, port: u16, peer: Option<&str>) -> WayIn {
    WayIn {
        carrier,
        protocol,
        port,
        peer: peer.map(|peer| peer.parse().unwrap()),
        local: peer.map(|_| "192.0.2.10".parse().unwrap()),
        interface: peer.map(|_| "eth0".into()),
    }
}

fn ssh() -> WayIn {
    way_in(Carrier::Ssh, Protocol::Tcp, 22, Some("198.51.100.7"))
}

const ALL: &str = "0.0.0.0";

fn server() -> Machine {
    Machine::new(&[
        (ALL, 22, Protocol::Tcp, "sshd", 0),
        (ALL, 5432, Protocol::Tcp, "postgres", 112),
        (ALL, 80, Protocol::Tcp, "nginx", 0),
        (ALL, 23, Protocol::Tcp, "in.telnetd", 0),
        (ALL, 9999, Protocol::Tcp, "frobnicate", 1000),
        ("127.0.0.1", 6379, Protocol::Tcp, "redis-server", 113),
        (ALL, 40001, Protocol::Udp, "curl", 1000),
    ])
    .reached(ssh())
}

#[test]
fn each_service_has_its_decision_and_its_reason() {
    let machine = server();
    for (id, decision, advice, why) in [
        (
            "22/tcp",
            Decision::Open,
            Advice::Open,
            "Your own SSH connection from 198.51.100.7 comes in here",
        ),
        (
            "5432/tcp",
            Decision::Confine,
            Advice::Confine,
            "Programs on this machine",
        ),
        ("80/tcp", Decision::Open, Advice::Open, "reached by everyone"),
        (
            "23/tcp",
            Decision::Confine,
            Advice::Disable,
            "sudo fwtui disable 23/tcp); until then this machine only",
        ),
        (
            "9999/tcp",
            Decision::Confine,
            Advice::Confine,
            "does not know this program (/usr/local/bin/frobnicate, run by 1000); until you know who needs it",
        ),
    ] {
        let one = machine.at(id);
        assert_eq!((one.decision, one.advice), (decision, advice), "{id}");
        assert!(one.why.contains(why), "{id}: {}", one.why);
        assert_eq!(one.is_known, id != "9999/tcp", "{id}");
        assert_eq!(one.what.is_some(), one.is_known, "{id}");
        assert_eq!(one.carries_you, id == "22/tcp", "{id}");
        assert!(!one.is_decided, "{id}");
    }
    let proposals = machine.propose();
    // Neither what is bound to loopback nor a client is asked about.
    let ids: Vec<String> = proposals.services.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["22/tcp", "23/tcp", "80/tcp", "5432/tcp", "9999/tcp"]);
    let counts = Counts {
        services: 7,
        on_loopback: 1,
        clients: 1,
        networks: 1,
    };
    assert_eq!(proposals.counts, counts);
    machine.keeps_its_user();
}

#[test]
fn a_desktop_prints_and_is_found_by_trusted_networks_only() {
    let sockets = [
        (ALL, 631, Protocol::Tcp, "cupsd", 0),
        (ALL, 5353, Protocol::Udp, "avahi-daemon", 110),
        (ALL, 38291, Protocol::Udp, "avahi-daemon", 110),
    ];
    let desktop = Machine {
        is_desktop: Some(true),
        ..Machine::new(&sockets)
    };
    assert_eq!(desktop.at("5353/udp").decision, Decision::Trusted);
    assert!(desktop.at("631/tcp").decision <= Decision::Trusted);
    assert_eq!(desktop.propose().services.len(), 2);
    assert_eq!(desktop.propose().machine, MachineKind::Desktop);
    assert!(desktop.propose().trusts_nobody() && !server().propose().trusts_nobody());
    // Where it can't be told what the machine is, the more careful advice is taken.
    let unknown = Machine {
        is_desktop: None,
        ..Machine::new(&sockets)
    };
    let avahi = unknown.at("5353/udp");
    assert!(avahi.why.starts_with("On a server: "), "{}", avahi.why);
    assert_eq!((avahi.decision, avahi.advice), (Decision::Confine, Advice::Disable));
}

#[test]
fn every_way_in_is_kept() {
    let wireguard = || way_in(Carrier::Tunnel("wg0".into()), Protocol::Udp, 51820, None);
    let mosh = || way_in(Carrier::Mosh, Protocol::Udp, 60001, None);
    let ttyd = || way_in(Carrier::Other("ttyd".into()), Protocol::Tcp, 7681, Some("192.0.2.7"));
    let odd = || way_in(Carrier::Ssh, Protocol::Tcp, 2222, Some("2001:db8::7"));
    for machine in [
        server(),
        // mosh's socket looks like a client's, and the kernel holds WireGuard's.
        server().reached(mosh()).reached(wireguard()),
        Machine::new(&[]).reached(mosh()).reached(wireguard()).reached(ttyd()),
        Machine::new(&[(ALL, 2222, Protocol::Tcp, "sshd", 0)]).reached(odd()),
        Machine::new(&[
            ("192.0.2.10", 22, Protocol::Tcp, "sshd", 0),
            ("127.0.0.1", 22, Protocol::Tcp, "sshd", 0),
        ])
        .reached(ssh()),
        // What was decided would shut the user out.
        server().decided("22/tcp", Decision::Confine, &[]),
        server().decided("22/tcp", Decision::Open, &["203.0.113.0/24"]),
        server().decided("1-1024/tcp", Decision::Trusted, &[]),
        server().decided("192.0.2.10:22/tcp", Decision::Confine, &[]),
        server().decided("100-200/tcp", Decision::Open, &[]),
    ] {
        machine.keeps_its_user();
        let proposals = machine.propose().services;
        for way_in in &machine.ways_in {
            let carrying: Vec<_> = proposals.iter().filter(|one| one.carries_you).collect();
            let is_its = |one: &&&ServiceProposal| one.id.ports.contains_port(way_in.port);
            assert!(carrying.iter().any(|one| is_its(&one)), "{way_in} in {proposals:?}");
        }
        assert!(proposals.first().is_some_and(|one| one.carries_you), "{proposals:?}");
    }
    let mosh = server().reached(mosh()).at("60001/udp");
    assert!(mosh.why.contains("60000-61000/udp"), "{}", mosh.why);
    assert_eq!(mosh.name, "mosh-server");
    let tunnel = server().reached(wireguard()).at("51820/udp");
    assert!(
        tunnel.why.starts_with("The tunnel wg0 that carries your session"),
        "{}",
        tunnel.why
    );
}

#[test]
fn what_is_decided_stays() {
    let machine = server()
        .decided("22/tcp", Decision::Trusted, &[])
        .decided("80/tcp", Decision::Open, &["192.0.2.0/24"])
        .decided("9000-9999/tcp", Decision::Open, &[])
        .decided("8443/tcp", Decision::Open, &[]);
    let web = machine.at("80/tcp");
    assert!(web.is_decided && web.decision == Decision::Open);
    assert_eq!(web.why, "You decided so: only 192.0.2.0/24.");
    let part = machine.at("9999/tcp");
    assert_eq!(
        (part.decision, part.why.as_str()),
        (Decision::Open, "You decided so for 9000-9999/tcp.")
    );
    // The user would be shut out by this one.
    let own = machine.at("22/tcp");
    assert_eq!(own.decision, Decision::Open);
    assert!(
        own.why.starts_with("You decided 'trusted', which would shut you out."),
        "{}",
        own.why
    );
    let taken = machine.taken();
    for id in ["80/tcp", "9000-9999/tcp", "8443/tcp"] {
        let id: ServiceId = id.parse().unwrap();
        assert_eq!(taken.services.get(&id), machine.policy.services.get(&id), "{id}");
    }
    assert!(!taken.services.contains_key(&"9999/tcp".parse().unwrap()));
    // Who is let in by what he decided is told so, and keeps it.
    let mut neighbour = server().decided("22/tcp", Decision::Open, &["198.51.100.0/24"]);
    neighbour.policy.refusal = Refusal::Drop;
    let own = neighbour.at("22/tcp");
    assert!(
        own.is_decided && own.why.ends_with("Your own connection comes in here."),
        "{}",
        own.why
    );
    assert_eq!(neighbour.taken().services, {
        let mut services = server().taken().services;
        services.extend(neighbour.policy.services.clone());
        services
    });
    let proposals = neighbour.propose();
    assert!(proposals.refusal.is_decided && proposals.refusal.value == Refusal::Drop);
    assert!(!proposals.logging.is_decided);
}

#[test]
fn what_the_answers_say_nothing_of_stays() {
    let mut machine = server();
    machine
        .policy
        .disable("631/tcp".parse().unwrap(), &["cups.service".into()])
        .unwrap();
    machine.policy.networks.trusted_sources = vec!["198.51.100.0/24".parse().unwrap()];
    machine
        .policy
        .networks
        .interfaces
        .insert("wlan9".into(), NetworkClass::Trusted);
    let taken = machine.taken();
    assert_eq!(taken.disabled, machine.policy.disabled);
    assert_eq!(taken.networks.trusted_sources, machine.policy.networks.trusted_sources);
    assert_eq!(taken.networks.interfaces["wlan9"], NetworkClass::Trusted);
    assert_eq!(taken.networks.interfaces["eth0"], NetworkClass::Public);
    // Nothing is asked twice: what was taken is what is proposed the next time.
    let again = Machine {
        policy: taken.clone(),
        ..machine
    };
    assert_eq!(again.taken(), taken);
}

#[test]
fn a_name_alone_opens_nothing() {
    // A user's program calls itself a web server, or something that has no port of its own.
    let machine = Machine::new(&[
        (ALL, 4444, Protocol::Tcp, "nginx", 1000),
        (ALL, 4445, Protocol::Tcp, "qbittorrent", 1000),
        (ALL, 4446, Protocol::Tcp, "sshd", 0),
    ]);
    for id in ["4444/tcp", "4445/tcp"] {
        let one = machine.at(id);
        assert_eq!(one.decision, Decision::Confine, "{id}");
        assert!(one.why.contains("calls itself"), "{}", one.why);
    }
    assert_eq!(machine.at("4446/tcp").decision, Decision::Open);
}

#[test]
fn hostile_names_are_harmless() {
    let name = "\u{1b}[2J\u{202e}evil\n".repeat(5000);
    let mut machine = Machine::new(&[(ALL, 4444, Protocol::Tcp, &name, 1000)]);
    let published = Published {
        to: "172.17.0.2:99".parse().unwrap(),
        by: crate::core::netfilter::Tool::Docker,
        container: Some(name.clone()),
        families: Vec::new(),
    };
    machine.services.push(Arc::new(Service {
        published: Some(published),
        name: name.clone(),
        ..Service::absent("8080-8090/tcp".parse().unwrap())
    }));
    let machine = machine
        .reached(way_in(Carrier::Other(name.clone()), Protocol::Tcp, 1, None))
        .reached(way_in(Carrier::Tunnel(name), Protocol::Udp, 0, None));
    for one in machine.propose().services {
        for text in [&one.name, &one.why] {
            assert!(text.chars().count() < 500, "{text}");
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\n']), "{text:?}");
        }
    }
}

#[test]
fn ranges_that_contradict_are_left_undecided() {
    let published = |id: &str, to: &str| {
        Arc::new(Service {
            published: Some(Published {
                to: to.parse().unwrap(),
                by: crate::core::netfilter::Tool::Docker,
                container: Some("web".into()),
                families: Vec::new(),
            }),
            ..Service::absent(id.parse().unwrap())
        })
    };
    let mut machine = server().decided("7000-8010/tcp", Decision::Open, &[]);
    machine.services.push(published("8000-8090/tcp", "172.17.0.2:99"));
    machine.services.push(published("8080/tcp", "172.17.0.3:80"));
    let one = machine.at("8000-8090/tcp");
    assert_eq!(one.decision, Decision::Undecided);
    assert!(one.why.contains("overlaps"), "{}", one.why);
    // A container's port inside tells what it is.
    assert_eq!(machine.at("8080/tcp").decision, Decision::Open);
    machine.keeps_its_user();
}

#[test]
fn nothing_and_thousands() {
    let empty = Machine {
        interfaces: Vec::new(),
        ..Machine::new(&[])
    };
    assert!(empty.propose().services.is_empty() && empty.taken() == Policy::default());
    let sockets: Vec<(&str, u16, Protocol, &str, u32)> = (1..=5000)
        .map(|port| (ALL, port + 5000, Protocol::Tcp, "frobnicate", 1000))
        .collect();
    let many = Machine::new(&sockets).reached(ssh());
    let proposals = many.propose();
    // The way in has no row of its own.
    assert_eq!(proposals.services.len(), 5001);
    let answers = Answers::from_proposals(&proposals);
    let length = answers.to_text().len() as u64;
    assert!(length < LARGEST / 10, "{length}");
    assert_eq!(answers.policy(&many.policy).unwrap().services.len(), 5001);
}
