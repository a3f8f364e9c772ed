//! What is promised is tried with real packets before anything changes, in worlds of every sort.

use fwtui::app::Error;
use fwtui::app::rehearsal::{Rehearsal, Script, rehearse};
use fwtui::backend::switch::Base;
use fwtui::backend::{Backend, iptables};
use fwtui::core::listener::{Listener, Protocol};
use fwtui::core::network::{Interface, InterfaceKind, World};
use fwtui::core::overview::Scene;
use fwtui::core::policy::Policy;
use fwtui::core::reach::Filter;
use fwtui::core::ruleset::compile;
use fwtui::core::service::{Ownership, Ports, group};
use fwtui::core::way_in::{Carrier, WayIn};
use fwtui::sys::interfaces::interfaces;
use fwtui::sys::runner::SystemRunner;

use crate::harness::in_sandbox;
use crate::machine::policy;
use crate::rehearsal::world;

/// What is rehearsed, in a world that may be made up.
pub struct Play {
    pub policy: Policy,
    /// The policy whose rules are loaded, where it is another one.
    loaded: Option<Policy>,
    pub interfaces: Vec<Interface>,
    listeners: Vec<Listener>,
    ways_in: Vec<WayIn>,
}

impl Play {
    /// On the sandbox's own interfaces, with nobody listening.
    pub fn of(decisions: &[(&str, &str)]) -> Self {
        Self {
            policy: policy(decisions),
            loaded: None,
            interfaces: interfaces().unwrap(),
            listeners: Vec::new(),
            ways_in: Vec::new(),
        }
    }

    fn play(&self) -> Result<Rehearsal, Error> {
        let lock = "/run/rehearsal.lock";
        let backend = iptables::open_for_scratch(SystemRunner::with_lock_file(lock)).unwrap();
        let promised = compile(&self.policy, &self.interfaces);
        let candidate = compile(self.loaded.as_ref().unwrap_or(&self.policy), &self.interfaces);
        let services = group(&self.listeners, &Ownership::default(), Ports::ALL, &|_| true);
        let world = World::default();
        let scene = Scene {
            netfilter: None,
            world: &world,
            services: &services,
            interfaces: &self.interfaces,
            filter: Some(&Filter::default()),
            confirmed: None,
            listened: None,
            counters: None,
        };
        let (real, _) = iptables::open(SystemRunner::new()).unwrap();
        let rehearsal = rehearse(&Script {
            backend: &backend,
            runner: &SystemRunner::new(),
            base: Base::of(&real.read().unwrap()),
            candidate: &candidate,
            has_kernel_timer: true,
            promised: &promised,
            policy: &self.policy,
            interfaces: &self.interfaces,
            rows: &scene.rows(&self.policy),
            ways_in: &self.ways_in,
        });
        println!("{rehearsal:?}");
        rehearsal
    }

    /// It is held in full, and finds nothing wrong.
    pub fn goes_well(&self) -> Rehearsal {
        let rehearsal = self.play().unwrap();
        assert!(rehearsal.is_loaded && rehearsal.not_held.is_none(), "{rehearsal:?}");
        assert!(rehearsal.connections > 0);
        rehearsal
    }
}

fn listener(protocol: Protocol, address: &str, port: u16) -> Listener {
    Listener {
        protocol,
        address: address.parse().unwrap(),
        port,
        v6only: false,
        interface: None,
        inode: u32::from(port),
        uid: 0,
        cgroup: None,
    }
}

pub fn interface(name: &str, addresses: &[&str]) -> Interface {
    let addresses: Vec<ipnet::IpNet> = addresses.iter().map(|net| net.parse().unwrap()).collect();
    Interface {
        index: 2,
        name: name.into(),
        kind: InterfaceKind::Ethernet,
        driver: None,
        on_link: addresses.iter().map(ipnet::IpNet::trunc).collect(),
        addresses,
        is_up: true,
        has_default_route: false,
        has_physical_port: false,
        changing: Vec::new(),
    }
}

/// Rules are loaded that do otherwise than those by which it is foretold, in one family only: it is
/// told what, who, and how.
fn differences_are_told() {
    let before = held();
    // Loaded, foretold, the protocol, what is said.
    let cases = [
        ("open", "confine", "was to be refused, and was let in"),
        ("confine", "open", "was to be let in, and was refused"),
    ];
    for (protocol, port) in [("tcp", 8080), ("udp", 8081), ("udplite", 8082)] {
        for (loaded, foretold, words) in cases {
            let id = format!("{port}/{protocol}");
            let mut play = Play::of(&[(&id, foretold)]);
            play.loaded = Some(policy(&[(&id, loaded)]));
            let error = play.play().unwrap_err();
            assert!(
                error.message.contains(&format!("in the rehearsal, {id} from ")),
                "{error:?}"
            );
            assert!(error.message.contains(words), "{error:?}");
            assert!(error.message.ends_with("; nothing has been changed"), "{error:?}");
            assert!(
                error.hints.iter().any(|hint| hint.contains("--no-rehearsal")),
                "{error:?}"
            );
        }
        // One family alone.
        let families = [("203.0.113.10", "IPv4"), ("[2001:db8:1::10]", "IPv6")];
        for (address, family) in families {
            let mut play = Play::of(&[(&format!("{port}/{protocol}"), "open")]);
            let mut other = play.policy.clone();
            let id = format!("{address}:{port}/{protocol}").parse().unwrap();
            let entry = policy(&[("1/tcp", "confine")]).services.into_values().next().unwrap();
            other.decide(id, entry).unwrap();
            play.loaded = Some(other);
            let error = play.play().unwrap_err();
            assert!(error.message.contains(&format!("on eth0, {family})")), "{error:?}");
            let told = std::iter::once(&error.message).chain(&error.hints);
            let other_family = families.iter().find(|other| other.1 != family).unwrap().1;
            assert!(!told.into_iter().any(|text| text.contains(other_family)), "{error:?}");
        }
    }
    // Silence and a refusal are not the same.
    for (loaded, foretold, words) in [
        (
            r#""drop""#,
            r#""reject""#,
            "was to be refused, and was dropped in silence",
        ),
        (
            r#""reject""#,
            r#""drop""#,
            "was to be dropped in silence, and was refused",
        ),
    ] {
        let with = |refusal: &str| {
            let text = format!(
                r#"{{"version": 1, "refusal": {refusal}, "services": {{"8080/tcp": {{"decision": "confine"}},
                    "8081/udp": {{"decision": "confine"}}}}}}"#
            );
            Policy::parse(&text).unwrap()
        };
        let mut play = Play::of(&[]);
        play.policy = with(foretold);
        play.goes_well();
        play.loaded = Some(with(loaded));
        let error = play.play().unwrap_err();
        assert!(error.message.contains(words), "{error:?}");
    }
    assert_eq!(held(), before, "descriptors, threads, children");
}

/// What this process has: descriptors, threads, children. Each may hold a namespace.
fn held() -> [usize; 3] {
    let count = |folder| std::fs::read_dir(folder).unwrap().count();
    let children = std::fs::read_to_string("/proc/thread-self/children").unwrap();
    [
        count("/proc/self/fd"),
        count("/proc/self/task"),
        children.split_whitespace().count(),
    ]
}

#[test]
fn a_lock_held_for_ever_does_not_stop_a_rehearsal() {
    in_sandbox(|lab| {
        lab.use_legacy();
        let lock = std::fs::File::create("/run/xtables.lock").unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        Play::of(&[("22/tcp", "open")]).goes_well();
    });
}

#[test]
fn what_happens_otherwise_than_promised_is_told() {
    in_sandbox(|lab| {
        let before = world(lab);
        differences_are_told();
        assert_eq!(world(lab), before);
    });
}

#[test]
fn what_happens_otherwise_is_told_with_iptables_legacy_too() {
    in_sandbox(|lab| {
        lab.use_legacy();
        let before = world(lab);
        differences_are_told();
        assert_eq!(world(lab), before);
    });
}

/// Every sort of decision, network and address, on interfaces of every sort.
#[test]
fn worlds_of_every_sort_can_be_rebuilt() {
    in_sandbox(|_lab| {
        let mut play = Play::of(&[
            ("22/tcp", "open"),
            ("53/udp", "trusted"),
            ("80/tcp", "trusted"),
            ("81/tcp", "confine"),
            ("7000/udplite", "open"),
            ("60000-61000/udp", "open"),
            ("10.0.0.1:90/tcp", "open"),
            ("10.0.0.1:91/udp", "confine"),
            ("[fe80::5%wifi]:92/udp", "open"),
        ]);
        let from = |id: &str, net: &str| (id.parse().unwrap(), net.parse().unwrap());
        for (id, net) in [from("93/tcp", "192.0.2.0/24"), from("94/udp", "2001:db8:7::/48")] {
            let mut entry = policy(&[("1/tcp", "open")]).services.into_values().next().unwrap();
            entry.from = vec![net];
            play.policy.decide(id, entry).unwrap();
        }
        play.policy.networks.trusted_sources = vec!["198.51.100.7/32".parse().unwrap()];
        for (name, class) in [("lan", "trusted"), ("lan2", "trusted"), ("docker0", "guests")] {
            let class = class.parse().unwrap();
            play.policy.networks.interfaces.insert(name.to_owned(), class);
        }
        let mut tunnel = interface("wg0", &["10.9.0.1/32"]);
        tunnel.on_link = vec!["10.9.0.7/32".parse().unwrap()];
        play.interfaces = vec![
            interface("lan", &["10.0.0.1/24", "10.0.0.9/24", "2001:db8:5::1/64", "fe80::1/64"]),
            // On the same network, as a laptop with a cable in is; and an address that is there twice.
            interface(
                "lan2",
                &["10.0.0.2/24", "10.0.0.9/24", "2001:db8:5::2/64", "fe80::1/64"],
            ),
            interface("wifi", &["fe80::5/64"]),
            interface("docker0", &["172.17.0.1/16"]),
            interface("eth0.100", &["169.254.3.4/16", "2001:db8:6::1/128"]),
            interface("ptp", &["192.0.2.130/31"]),
            tunnel,
        ];
        play.listeners = vec![
            listener(Protocol::Tcp, "::", 22),
            listener(Protocol::Tcp, "0.0.0.0", 80),
            listener(Protocol::Udp, "10.0.0.2", 3000),
            listener(Protocol::Tcp, "2001:db8:6::1", 3001),
            listener(Protocol::Tcp, "127.0.0.1", 3002),
            listener(Protocol::Udp, "224.0.0.251", 5353),
            listener(Protocol::Udp, "10.0.0.255", 137),
        ];
        let ssh = |interface: &str, peer: &str, local: &str| WayIn {
            carrier: Carrier::Ssh,
            protocol: Protocol::Tcp,
            port: 22,
            peer: Some(peer.parse().unwrap()),
            local: Some(local.parse().unwrap()),
            interface: Some(interface.to_owned()),
        };
        play.ways_in = vec![
            ssh("ptp", "203.0.113.200", "192.0.2.130"),
            ssh("wifi", "fe80::77", "fe80::5"),
            // From the machine itself, and from one of its own addresses: nothing to rebuild.
            ssh("lo", "127.0.0.1", "127.0.0.1"),
            ssh("lan", "10.0.0.1", "10.0.0.1"),
        ];
        let rehearsal = play.goes_well();
        // Those at a group and at the address of a broadcast.
        assert_eq!(rehearsal.left_out, 2);
        // What is promised to the peer of a way in is tried from there.
        let net: ipnet::IpNet = "203.0.113.0/24".parse().unwrap();
        let mut entry = policy(&[("1/tcp", "open")]).services.into_values().next().unwrap();
        entry.from = vec![net];
        let mut other = play.policy.clone();
        let id: fwtui::core::service::ServiceId = "22/tcp".parse().unwrap();
        other.services.insert(id.clone(), entry.clone());
        play.policy = other.clone();
        play.goes_well();
        entry.from = vec!["203.0.112.0/24".parse().unwrap()];
        other.services.insert(id, entry);
        play.loaded = Some(other);
        let error = play.play().unwrap_err();
        let wanted = "in the rehearsal, 22/tcp from 203.0.113.200 (your own way in on ptp, IPv4) was to be let in";
        assert!(error.message.contains(wanted), "{error:?}");
    });
}

#[test]
fn a_machine_with_many_interfaces_and_services_takes_no_longer() {
    in_sandbox(|_lab| {
        let time = |services: u16, interfaces: Option<u8>| {
            let mut play = Play::of(&[]);
            play.policy
                .networks
                .interfaces
                .insert("eth1".to_owned(), "trusted".parse().unwrap());
            for number in 0..services {
                let id = format!("{}/{}", 2000 + 3 * number, ["tcp", "udp"][usize::from(number % 2)]);
                let decision = ["open", "trusted", "confine"][usize::from(number / 2 % 3)];
                play.policy
                    .decide(
                        id.parse().unwrap(),
                        policy(&[("1/tcp", decision)]).services.into_values().next().unwrap(),
                    )
                    .unwrap();
            }
            for number in 0..interfaces.unwrap_or_default() {
                let (v4, v6) = (format!("10.1.{number}.1/24"), format!("2001:db8:9:{number}::1/64"));
                play.interfaces.push(interface(&format!("vlan{number}"), &[&v4, &v6]));
            }
            play.goes_well()
        };
        for (services, interfaces) in [(20, None), (100, None), (20, Some(40)), (300, None)] {
            let rehearsal = time(services, interfaces);
            let took = rehearsal.took.as_millis();
            println!("{services} services, {interfaces:?} more interfaces: {took} ms, {rehearsal:?}");
            assert_eq!(rehearsal.left_out, usize::from(services.saturating_sub(200)));
            // One of each class, as on the sandbox's two interfaces alone, and some.
            assert!(
                rehearsal.connections <= usize::from(services.min(200)) * 16,
                "{rehearsal:?}"
            );
        }
    });
}
