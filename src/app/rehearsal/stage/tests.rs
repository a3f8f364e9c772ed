use super::*;
use crate::backend::memory::Memory;
use crate::backend::switch::Base;
use crate::core::listener::Protocol;
use crate::core::policy::Policy;
use crate::core::ruleset::compile;
use crate::core::way_in::{Carrier, WayIn};
use crate::sys::runner::ScriptedRunner;

fn interface(name: &str, nets: &[&str]) -> Interface {
    let addresses: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
    Interface {
        index: 2,
        name: name.into(),
        kind: InterfaceKind::Ethernet,
        driver: None,
        on_link: addresses.iter().map(IpNet::trunc).collect(),
        addresses,
        is_up: true,
        has_default_route: false,
        has_physical_port: false,
        changing: Vec::new(),
    }
}

fn stage(policy: &Policy, interfaces: &[Interface], ways_in: &[WayIn]) -> Stage {
    let rules = compile(policy, interfaces);
    Stage::new(&Script {
        backend: &Memory::default(),
        runner: &ScriptedRunner::new([]),
        base: Base::default(),
        candidate: &rules,
        has_kernel_timer: true,
        promised: &rules,
        policy,
        interfaces,
        rows: &[],
        ways_in,
    })
}

fn names(stage: &Stage) -> Vec<&str> {
    stage.links.iter().map(|link| link.name.as_str()).collect()
}

fn peers(stage: &Stage) -> Vec<String> {
    let told = stage.links.iter().flat_map(|link| {
        let of = |peer: &Peer| format!("{}: {} {}", link.name, peer.who, peer.address);
        link.peers.iter().map(of)
    });
    told.collect()
}

#[test]
fn everybody_has_an_address_of_his_own() {
    let interfaces = [
        interface("eth0", &["192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"]),
        interface("wlan0", &["192.0.2.2/24"]),
        interface("wg0", &["10.0.0.1/32"]),
    ];
    let mut policy = Policy::default();
    policy.networks.trusted_sources = vec!["198.51.100.0/24".parse().unwrap(), "1.0.0.0/8".parse().unwrap()];
    let way_in = WayIn {
        carrier: Carrier::Ssh,
        protocol: Protocol::Tcp,
        port: 22,
        peer: Some("192.0.2.3".parse().unwrap()),
        local: None,
        interface: Some("wlan0".into()),
    };
    assert_eq!(
        peers(&stage(&policy, &interfaces, &[way_in])),
        [
            "wlan0: your own way in 192.0.2.3",
            "wlan0: a neighbour 192.0.2.4",
            // 1.0.0.0/8 is known.
            "wlan0: a stranger 2.7.113.1",
            "wlan0: somebody from 1.0.0.0/8 1.0.0.1",
            "wlan0: somebody from 198.51.100.0/24 198.51.100.1",
            "eth0: a neighbour 192.0.2.5",
            "eth0: a stranger 2.7.113.2",
            "eth0: a neighbour 2001:db8::2",
            "eth0: a stranger 2000:7:113:7::1",
            // Nobody else has an address on its link.
            "wg0: a stranger 2.7.113.3",
        ]
    );
}

#[test]
fn of_many_interfaces_those_that_differ_are_rebuilt() {
    let mut interfaces: Vec<Interface> = (0..20)
        .map(|number| interface(&format!("veth{number}"), &["fe80::7/64"]))
        .collect();
    interfaces.extend((0..20).map(|number| interface(&format!("vlan{number}"), &[&format!("10.0.{number}.1/24")])));
    interfaces.push(interface("eth0", &["192.0.2.1/24", "2001:db8::1/64"]));
    let mut policy = Policy::default();
    assert_eq!(names(&stage(&policy, &interfaces, &[])), ["vlan0", "eth0", "veth0"]);
    for number in 0..20 {
        let class = crate::core::network::NetworkClass::Trusted;
        policy.networks.interfaces.insert(format!("vlan{number}"), class);
    }
    let stage = stage(&policy, &interfaces, &[]);
    assert_eq!(stage.links.len(), MOST_LINKS);
    assert!(
        names(&stage).iter().all(|name| name.starts_with("vlan")),
        "the decided ones come first"
    );
}
