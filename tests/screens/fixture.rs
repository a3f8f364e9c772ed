//! A machine made by hand: what the screens show does not depend on the one the tests run on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fwtui::app::{Last, Observation, State, Status};
use fwtui::core::connections::{Connection, Running};
use fwtui::core::listener::{Listener, Owner, Protocol};
use fwtui::core::netfilter::Netfilter;
use fwtui::core::network::NetworkClass;
use fwtui::core::policy::{Decision, Entry, Policy};
use fwtui::core::reach::Filter;
use fwtui::core::ruleset::{Own, Slot, compile};
use fwtui::core::service::{Ownership, Ports, group};
use fwtui::core::way_in::{Carrier, WayIn};

mod containers;
mod machine;
mod trials;

pub(crate) use containers::{containers, presence};
pub(crate) use machine::*;
pub(crate) use trials::*;

/// What time it is since boot in every test.
pub(crate) const NOW: Duration = Duration::from_secs(5000);

/// A machine right after the installation: nothing decided, nothing in the kernel.
pub(crate) fn fresh() -> Observation {
    Observation {
        telling: fwtui::core::ruleset::Telling::default(),
        host: "lumen".into(),
        is_root: true,
        services: services(),
        ephemeral: None,
        has_owners: true,
        is_stopped: false,
        interfaces: interfaces(),
        policy: Policy::default(),
        policy_error: None,
        filter: Some(Filter::default()),
        netfilter: Some(Arc::default()),
        world: world(interfaces()),
        confirmed: None,
        listened: None,
        ways_in: vec![ssh()],
        running: Vec::new(),
        untracked: Vec::new(),
        units: BTreeMap::new(),
        status: Status {
            state: State::Off,
            backend: Some("iptables-nft".into()),
            has_pending: Some(false),
            ..Status::default()
        },
        on_trial: None,
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
pub(crate) fn kernel(policy: &Policy) -> Option<Arc<Netfilter>> {
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
