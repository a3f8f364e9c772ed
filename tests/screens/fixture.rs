//! A machine made by hand: what the screens show does not depend on the one the tests run on.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use fwtui::app::{self, Last, Observation, Presence, Protection, Started, State, Status, TrialView};
use fwtui::core::connections::{Connection, Running};
use fwtui::core::listener::{Family, Listener, Owner, Protocol};
use fwtui::core::netfilter::{Engine, Netfilter, json, merge, save};
use fwtui::core::network::{Interface, InterfaceKind, NetworkClass, Route, RouteKind, Switches, World};
use fwtui::core::policy::{Decision, Entry, Policy};
use fwtui::core::proof::Evidence;
use fwtui::core::reach::{Filter, PublishedPort, published_ports};
use fwtui::core::ruleset::{Own, SavedTables, Slot, compile};
use fwtui::core::service::{Ownership, Ports, Service, group, with_published};
use fwtui::core::tools::Manager;
use fwtui::core::way_in::{Carrier, WayIn};

/// What time it is since boot in every test.
pub(crate) const NOW: Duration = Duration::from_secs(5000);

/// Address, port, protocol, process, user, unit; without a process the kernel's own.
type Socket = (
    &'static str,
    u16,
    Protocol,
    Option<(&'static str, &'static str, &'static str)>,
);

const SOCKETS: [Socket; 17] = [
    ("0.0.0.0", 22, Protocol::Tcp, Some(("sshd", "root", "ssh.service"))),
    ("::", 22, Protocol::Tcp, Some(("sshd", "root", "ssh.service"))),
    (
        "127.0.0.53",
        53,
        Protocol::Udp,
        Some(("systemd-resolve", "systemd-resolve", "systemd-resolved.service")),
    ),
    (
        "192.168.122.1",
        53,
        Protocol::Udp,
        Some(("dnsmasq", "libvirt-dnsmasq", "libvirtd.service")),
    ),
    ("0.0.0.0", 80, Protocol::Tcp, Some(("nginx", "root", "nginx.service"))),
    ("::", 80, Protocol::Tcp, Some(("nginx", "root", "nginx.service"))),
    (
        "0.0.0.0",
        111,
        Protocol::Tcp,
        Some(("rpcbind", "_rpc", "rpcbind.socket")),
    ),
    ("127.0.0.1", 631, Protocol::Tcp, Some(("cupsd", "root", "cups.service"))),
    ("::1", 631, Protocol::Tcp, Some(("cupsd", "root", "cups.service"))),
    (
        "0.0.0.0",
        5353,
        Protocol::Udp,
        Some(("avahi-daemon", "avahi", "avahi-daemon.service")),
    ),
    (
        "::",
        5353,
        Protocol::Udp,
        Some(("avahi-daemon", "avahi", "avahi-daemon.service")),
    ),
    (
        "0.0.0.0",
        5432,
        Protocol::Tcp,
        Some(("postgres", "postgres", "postgresql@15-main.service")),
    ),
    (
        "::",
        5432,
        Protocol::Tcp,
        Some(("postgres", "postgres", "postgresql@15-main.service")),
    ),
    (
        "192.0.2.10",
        6379,
        Protocol::Tcp,
        Some(("redis-server", "redis", "redis-server.service")),
    ),
    ("::", 8080, Protocol::Tcp, Some(("node", "app", "user@1000.service"))),
    ("0.0.0.0", 51820, Protocol::Udp, None),
    ("::", 51820, Protocol::Udp, None),
];

fn listener((address, port, protocol, owner): &Socket, inode: u32) -> Listener {
    Listener {
        protocol: *protocol,
        address: address.parse().unwrap(),
        port: *port,
        v6only: *address == "::" && *port != 8080,
        interface: None,
        inode: if owner.is_some() { inode } else { 0 },
        uid: 0,
        cgroup: None,
    }
}

fn services() -> Vec<Arc<Service>> {
    services_of(&SOCKETS)
}

fn services_of(sockets: &[Socket]) -> Vec<Arc<Service>> {
    let mut by_inode = BTreeMap::new();
    let mut listeners = Vec::new();
    for (inode, socket) in (100u32..).zip(sockets) {
        listeners.push(listener(socket, inode));
        if let Some((name, user, unit)) = socket.3 {
            let owner = Owner {
                pid: 700 + u32::from(socket.1) % 1000,
                name: name.into(),
                exe: Some(format!("/usr/sbin/{name}")),
                user: Some(user.into()),
                unit: Some(unit.into()),
            };
            by_inode.insert(inode, vec![Arc::new(owner)]);
        }
    }
    let ownership = Ownership {
        by_inode,
        ..Ownership::default()
    };
    group(&listeners, &ownership, Ports::new(32768, 50000).unwrap(), &|_| false)
}

fn interface(
    index: u32,
    name: &str,
    kind: InterfaceKind,
    driver: &str,
    addresses: &[&str],
    on_link: &[&str],
) -> Interface {
    Interface {
        index,
        name: name.into(),
        kind,
        driver: (!driver.is_empty()).then(|| driver.into()),
        addresses: addresses.iter().map(|net| net.parse().unwrap()).collect(),
        on_link: on_link.iter().map(|net| net.parse().unwrap()).collect(),
        is_up: true,
        has_default_route: name == "eth0",
        has_physical_port: false,
        changing: Vec::new(),
    }
}

fn interfaces() -> Vec<Interface> {
    vec![
        interface(1, "lo", InterfaceKind::Loopback, "", &["127.0.0.1/8", "::1/128"], &[]),
        interface(
            2,
            "eth0",
            InterfaceKind::Ethernet,
            "",
            &["192.0.2.10/24", "2001:db8::10/64"],
            &["192.0.2.0/24", "2001:db8::/64"],
        ),
        interface(3, "wlan0", InterfaceKind::Wifi, "", &["10.0.0.23/24"], &["10.0.0.0/24"]),
        interface(
            4,
            "virbr0",
            InterfaceKind::Bridge,
            "bridge",
            &["192.168.122.1/24"],
            &["192.168.122.0/24"],
        ),
        interface(
            5,
            "wg0",
            InterfaceKind::Vpn,
            "wireguard",
            &["10.8.0.1/24"],
            &["10.8.0.0/24"],
        ),
        Interface {
            is_up: false,
            ..interface(6, "eth1", InterfaceKind::Ethernet, "", &[], &[])
        },
    ]
}

/// The routes that follow from the interfaces; packets are not sent on.
pub(crate) fn world(interfaces: Vec<Interface>) -> World {
    let route = |destination: &str, kind, interface| Route {
        destination: destination.parse().unwrap(),
        kind,
        interface,
        metric: 0,
    };
    let mut routes = vec![
        route("0.0.0.0/0", RouteKind::Unicast, 2),
        route("::/0", RouteKind::Unicast, 2),
    ];
    for interface in &interfaces {
        for net in &interface.on_link {
            routes.push(route(&net.to_string(), RouteKind::Unicast, interface.index));
        }
        for net in &interface.addresses {
            routes.push(Route {
                destination: net.addr().into(),
                kind: RouteKind::Local,
                interface: interface.index,
                metric: 0,
            });
        }
    }
    World {
        interfaces,
        routes,
        ..World::default()
    }
}

/// A machine right after the installation: nothing decided, nothing in the kernel.
pub(crate) fn fresh() -> Observation {
    Observation {
        telling: fwtui::core::ruleset::Telling::default(),
        host: "lumen".into(),
        is_root: true,
        services: services(),
        has_owners: true,
        interfaces: interfaces(),
        policy: Policy::default(),
        policy_error: None,
        filter: Some(Filter::default()),
        netfilter: Some(Arc::default()),
        world: world(interfaces()),
        confirmed: None,
        ways_in: vec![ssh()],
        running: Vec::new(),
        untracked: Vec::new(),
        status: Status {
            state: State::Off,
            backend: Some("iptables-nft".into()),
            has_pending: Some(false),
            ..Status::default()
        },
        unseen: Vec::new(),
        catalogue: fwtui::core::catalogue::Catalogue::embedded(),
    }
}

/// The user's own connection.
pub(crate) fn ssh() -> WayIn {
    WayIn {
        carrier: Carrier::Ssh,
        protocol: Protocol::Tcp,
        port: 22,
        peer: Some("192.0.2.7".parse().unwrap()),
        local: Some("192.0.2.10".parse().unwrap()),
        interface: Some("eth0".into()),
    }
}

/// Decides in a policy.
pub(crate) fn decide(policy: &mut Policy, id: &str, decision: Decision, from: &[&str]) {
    let from = from.iter().map(|net| net.parse().unwrap()).collect();
    policy.decide(id.parse().unwrap(), Entry { decision, from }).unwrap();
}

/// What was confirmed on the decided machine.
pub(crate) fn confirmed_policy() -> Policy {
    let mut policy = Policy::default();
    policy.networks.interfaces.insert("wlan0".into(), NetworkClass::Trusted);
    decide(&mut policy, "22/tcp", Decision::Open, &[]);
    decide(&mut policy, "80/tcp", Decision::Open, &[]);
    decide(&mut policy, "5353/udp", Decision::Trusted, &[]);
    decide(&mut policy, "111/tcp", Decision::Confine, &[]);
    decide(&mut policy, "5432/tcp", Decision::Trusted, &[]);
    policy
}

/// What is wanted on the decided machine: a few things more.
pub(crate) fn wanted_policy() -> Policy {
    let mut policy = confirmed_policy();
    decide(&mut policy, "5432/tcp", Decision::Confine, &[]);
    decide(
        &mut policy,
        "80/tcp",
        Decision::Open,
        &["198.51.100.0/24", "203.0.113.7/32"],
    );
    decide(&mut policy, "60000-61000/udp", Decision::Open, &[]);
    policy.networks.trusted_sources.push("198.51.100.0/24".parse().unwrap());
    policy
}

/// A policy, in force.
pub(crate) fn in_force(policy: &Policy) -> Filter {
    let rules = compile(policy, &interfaces());
    Filter::default().with_own([Own::wanted(Slot::A, rules.ipv4), Own::wanted(Slot::A, rules.ipv6)])
}

#[expect(clippy::unnecessary_wraps, reason = "as an observation holds it")]
/// The same as everything that is in the kernel.
fn kernel(policy: &Policy) -> Option<Arc<Netfilter>> {
    Some(Arc::new(Netfilter::default().with_own(&compile(policy, &interfaces()))))
}

/// A machine in use: something confirmed, some edits since.
pub(crate) fn decided() -> Observation {
    let confirmed = confirmed_policy();
    Observation {
        policy: wanted_policy(),
        filter: Some(in_force(&confirmed)),
        netfilter: kernel(&confirmed),
        confirmed: Some(confirmed),
        status: Status {
            state: State::Confirmed,
            backend: Some("iptables-nft".into()),
            last: Some(Last {
                id: "4a1d".into(),
                outcome: "confirmed".into(),
                reason: None,
                why: None,
                began: "2026-11-20T14:01:00Z".into(),
                at: "2026-11-20T14:02:00Z".into(),
            }),
            has_pending: Some(true),
            ..Status::default()
        },
        ..fresh()
    }
}

/// A connection of somebody's on the public network.
fn running(protocol: Protocol, local: &str, peer: &str, program: Option<&str>) -> Running {
    Running {
        connection: Connection {
            protocol,
            local: local.parse().unwrap(),
            peer: peer.parse().unwrap(),
            inode: 1,
            uid: 0,
        },
        interface: "eth0".into(),
        program: program.map(str::to_owned),
    }
}

/// The decided machine while it is in use, without tracking what goes on.
pub(crate) fn busy() -> Observation {
    let tcp = |local, peer| running(Protocol::Tcp, local, peer, None);
    Observation {
        filter: Some(Filter::default()),
        netfilter: Some(Arc::default()),
        running: vec![
            tcp("192.0.2.10:22", "192.0.2.7:51234"),
            tcp("192.0.2.10:80", "203.0.113.7:40000"),
            tcp("192.0.2.10:5432", "192.0.2.30:40001"),
            tcp("192.0.2.10:5432", "192.0.2.31:40002"),
            tcp("192.0.2.10:8080", "192.0.2.30:40003"),
        ],
        untracked: vec![running(
            Protocol::Udp,
            "192.0.2.10:38123",
            "192.0.2.99:123",
            Some("chronyd"),
        )],
        ..decided()
    }
}

/// The id of the trial that runs.
pub(crate) const TRIAL: &str = "5f0c";

/// A running trial with so many seconds left of 90.
pub(crate) fn trial(seconds: u64) -> TrialView {
    TrialView {
        id: TRIAL.into(),
        deadline: NOW + Duration::from_secs(seconds),
        timeout: Duration::from_secs(90),
        evidence: Vec::new(),
        second_session: None,
    }
}

/// A new connection of the user's, so many seconds ago.
pub(crate) fn evidence(peer: &str, seconds: u64) -> Evidence {
    let peer: IpAddr = peer.parse().unwrap();
    Evidence {
        family: Family::of(peer),
        port: "22/tcp".parse().unwrap(),
        peer,
        connections: 1,
        latest: NOW.saturating_sub(Duration::from_secs(seconds)),
    }
}

/// What the user has to type to show that a new connection gets in.
pub(crate) const SECOND_SESSION: &str = "ssh -t -o ControlPath=none anna@192.0.2.10 sudo fwtui confirm";

/// The decided machine with its edits on trial, started over SSH.
pub(crate) fn on_trial_over_ssh(seconds: u64, evidence: &[Evidence]) -> Observation {
    let mut observation = on_trial(seconds);
    observation.status.protection = protection(true);
    let trial = observation.status.trial.as_mut().unwrap();
    trial.evidence = evidence.to_vec();
    trial.second_session = Some(SECOND_SESSION.into());
    observation
}

/// The lines of defence, with the kernel's or without.
pub(crate) fn protection(has_kernel: bool) -> Vec<Protection> {
    let line = |line, holds, why: &str| Protection {
        line,
        holds,
        why: why.into(),
    };
    let why = match has_kernel {
        true => "the kernel goes back to the old rules by itself at the deadline",
        false => {
            "this kernel or its iptables has no time match (xt_time): iptables-restore v1.8.9 (legacy): \
             Couldn't load match `time'"
        }
    };
    vec![
        line(app::Line::Guard, true, "a process of its own holds the trial"),
        line(app::Line::Kernel, has_kernel, why),
    ]
}

/// The confirmed machine after somebody took its rules out.
pub(crate) fn drifted() -> Observation {
    let mut observation = decided();
    observation.filter = Some(Filter::default());
    observation.netfilter = Some(Arc::default());
    observation.status.state = State::Drifted;
    observation.status.can_restore = true;
    observation.status.drift = Some("IPv4: fwtui's rules are gone from the kernel".into());
    observation
}

/// That trial, just begun.
pub(crate) fn started(seconds: u64) -> Started {
    Started {
        trial: trial(seconds),
        switched_in: Duration::from_millis(9),
        rehearsal: None,
    }
}

/// The decided machine with its edits on trial.
pub(crate) fn on_trial(seconds: u64) -> Observation {
    let mut observation = decided();
    observation.filter = Some(in_force(&wanted_policy()));
    observation.netfilter = kernel(&wanted_policy());
    observation.status.state = State::Trial;
    observation.status.trial = Some(trial(seconds));
    observation
}

/// As a user without root sees it.
pub(crate) fn without_root() -> Observation {
    Observation {
        is_root: false,
        filter: None,
        netfilter: None,
        confirmed: None,
        ways_in: Vec::new(),
        status: Status::default(),
        unseen: vec![
            "Without root, processes of other users and the rules in the kernel can't be seen: sudo fwtui shows them."
                .into(),
        ],
        ..fresh()
    }
}

/// As many services as nobody has.
pub(crate) fn crowded(count: u16) -> Observation {
    let listeners: Vec<Listener> = (0..count)
        .map(|index| Listener {
            protocol: Protocol::Tcp,
            address: "0.0.0.0".parse().unwrap(),
            port: 1000 + index,
            v6only: false,
            interface: None,
            inode: u32::from(index) + 1,
            uid: 0,
            cgroup: None,
        })
        .collect();
    let by_inode = listeners
        .iter()
        .map(|listener| {
            let owner = Owner {
                pid: u32::from(listener.port),
                name: format!("worker-{}", listener.port),
                exe: None,
                user: Some("app".into()),
                unit: None,
            };
            (listener.inode, vec![Arc::new(owner)])
        })
        .collect();
    let ownership = Ownership {
        by_inode,
        ..Ownership::default()
    };
    Observation {
        services: group(&listeners, &ownership, Ports::new(32768, 60999).unwrap(), &|_| false),
        ..fresh()
    }
}

/// Names that are long, wide, combined, or meant to do harm.
pub(crate) fn weird() -> Observation {
    let mut observation = fresh();
    let names = [
        "a-name-that-never-ends-and-goes-on-and-on-and-on-until-somebody-cuts-it",
        "漢字サーバー漢字サーバー",
        "e\u{301}te\u{301} caf\u{e9}",
        "\u{1b}[2Jboo",
        "👩‍👩‍👧 family",
    ];
    for (service, name) in observation.services.iter_mut().zip(names) {
        let service = Arc::make_mut(service);
        service.name = name.into();
        for owner in service.owners.iter_mut().map(Arc::make_mut) {
            owner.unit = Some(format!("{name}.service"));
            owner.exe = Some(format!("/opt/{name}/{}", "deep/".repeat(60)));
        }
    }
    observation.host = "a-host-with-a-name-that-is-longer-than-the-line-it-goes-into".into();
    observation
}

/// What docker and ufw have loaded, as the kernel was read.
fn docker_and_ufw() -> Netfilter {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets/docker-ufw");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let saved = |name: &str, family| {
        let tables = SavedTables::parse(&read(name)).unwrap();
        Some(save::tables(&tables, Engine::Nft, family, &[]))
    };
    let listed = json::parse(&read("nft.json")).unwrap();
    merge::merge(listed, saved("rules.v4", Family::Ipv4), saved("rules.v6", Family::Ipv6))
}

const BESIDE_DOCKER: [Socket; 6] = [
    ("0.0.0.0", 22, Protocol::Tcp, Some(("sshd", "root", "ssh.service"))),
    ("::", 22, Protocol::Tcp, Some(("sshd", "root", "ssh.service"))),
    ("0.0.0.0", 80, Protocol::Tcp, Some(("nginx", "root", "nginx.service"))),
    ("127.0.0.1", 631, Protocol::Tcp, Some(("cupsd", "root", "cups.service"))),
    (
        "0.0.0.0",
        8080,
        Protocol::Udp,
        Some(("statsd", "statsd", "statsd.service")),
    ),
    (
        "0.0.0.0",
        9100,
        Protocol::Tcp,
        Some(("node_exporter", "prom", "node_exporter.service")),
    ),
];

/// A server with containers, behind docker's and ufw's rules: two decisions that ufw contradicts.
pub(crate) fn containers() -> Observation {
    let netfilter = docker_and_ufw();
    let bridge = |index, name, address: &str, on_link: &str| {
        interface(index, name, InterfaceKind::Bridge, "bridge", &[address], &[on_link])
    };
    let interfaces = vec![
        interface(1, "lo", InterfaceKind::Loopback, "", &["127.0.0.1/8", "::1/128"], &[]),
        interface(
            2,
            "eth0",
            InterfaceKind::Ethernet,
            "",
            &["192.168.7.10/24", "2001:db8::10/64"],
            &["192.168.7.0/24", "2001:db8::/64"],
        ),
        bridge(3, "docker0", "172.17.0.1/16", "172.17.0.0/16"),
        bridge(4, "br-af014ce50805", "172.30.0.1/24", "172.30.0.0/24"),
    ];
    let mut world = world(interfaces.clone());
    for interface in &interfaces {
        let switches = Switches {
            forwards_ipv4: true,
            ..Switches::default()
        };
        world.switches.insert(interface.name.clone(), switches);
    }
    let names = [
        ("172.17.0.2", "web"),
        ("172.17.0.3", "local"),
        ("172.17.0.4", "dns"),
        ("172.30.0.2", "db"),
    ];
    let name = |port: &PublishedPort| {
        let to = port.to.ip().to_string();
        let mut names = names.iter().filter(|(address, _)| *address == to);
        names.next().map(|(_, name)| (*name).to_owned())
    };
    let ports = published_ports(&netfilter, &world);
    let mut policy = Policy::default();
    for id in ["22/tcp", "80/tcp", "8080/udp"] {
        decide(&mut policy, id, Decision::Open, &[]);
    }
    decide(&mut policy, "5432/tcp", Decision::Confine, &[]);
    Observation {
        services: with_published(services_of(&BESIDE_DOCKER), &ports, &name),
        interfaces,
        world,
        netfilter: Some(Arc::new(netfilter)),
        policy,
        ways_in: vec![WayIn {
            peer: Some("192.168.7.7".parse().unwrap()),
            local: Some("192.168.7.10".parse().unwrap()),
            ..ssh()
        }],
        status: Status {
            tools: [Manager::Ufw, Manager::Docker].map(presence).into(),
            ..fresh().status
        },
        ..fresh()
    }
}

fn presence(manager: Manager) -> Presence {
    Presence {
        manager,
        in_kernel: Some(true),
        at_boot: Some(true),
        how: String::new(),
        boot: String::new(),
        has_rules: true,
        flushes: false,
    }
}
