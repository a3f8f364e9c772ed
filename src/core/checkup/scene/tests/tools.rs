//! Rules of real tools, and fwtui's own: nothing harmful is said of them.

use super::*;
use crate::core::netfilter::{ipset, json, merge};

/// What a tool's fixture holds.
struct Fixture {
    name: &'static str,
    ipv4: &'static str,
    ipv6: &'static str,
    nft: &'static str,
}

macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        [$(Fixture {
            name: $name,
            ipv4: include_str!(concat!("../../../../../tests/fixtures/rulesets/", $name, "/rules.v4")),
            ipv6: include_str!(concat!("../../../../../tests/fixtures/rulesets/", $name, "/rules.v6")),
            nft: include_str!(concat!("../../../../../tests/fixtures/rulesets/", $name, "/nft.json")),
        }),*]
    };
}

const FIXTURES: &[Fixture] = &fixtures![
    "docker",
    "docker-28",
    "docker-29-nft",
    "docker-ipv6",
    "docker-legacy",
    "docker-no-proxy",
    "docker-ufw",
    "fail2ban",
    "firewalld",
    "firewalld-iptables",
    "libvirt",
    "libvirt-nft",
    "lxd",
    "podman",
    "podman-cni",
    "podman-nft",
    "tailscale",
    "ufw",
    "ufw-legacy",
    "ufw-off",
    "ufw-open",
];

/// The sets that fail2ban's rules name.
const SETS: &str = include_str!("../../../../../tests/fixtures/rulesets/fail2ban/ipset");

fn fixture(name: &str) -> &'static Fixture {
    FIXTURES.iter().find(|fixture| fixture.name == name).unwrap()
}

/// The fixture as fwtui would have read it from the kernel.
fn read(fixture: &Fixture) -> Netfilter {
    let engine = match fixture.name.ends_with("-legacy") {
        true => Engine::Legacy,
        false => Engine::Nft,
    };
    let sets = ipset::parse(SETS);
    let tables = |text: &str, family| save::tables(&SavedTables::parse(text).unwrap(), engine, family, &sets);
    let (ipv4, ipv6) = (tables(fixture.ipv4, Family::Ipv4), tables(fixture.ipv6, Family::Ipv6));
    if engine == Engine::Legacy {
        return Netfilter {
            tables: [ipv4, ipv6].concat(),
        };
    }
    merge::merge(json::parse(fixture.nft).unwrap(), Some(ipv4), Some(ipv6))
}

#[test]
fn nothing_harmful_is_said_of_tools_defaults() {
    for fixture in FIXTURES {
        let findings = found(&read(fixture), &Family::ALL);
        let harmful: Vec<_> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Harmful)
            .collect();
        assert!(harmful.is_empty(), "{}: {harmful:#?}", fixture.name);
    }
}

/// What becomes of a neighbour's solicitation and of an error about a connection.
fn fates(netfilter: &Netfilter) -> Vec<Fate> {
    let world = plain_host(netfilter);
    let evidence = Evidence {
        netfilter: Some(netfilter),
        families: &Family::ALL,
        ..Evidence::default()
    };
    let scene = Scene::new(&evidence, netfilter, &world);
    let solicited = icmp::messages(
        &scene.links[0],
        scene.links[0].side(Family::Ipv6).neighbours.clone(),
        &scene.links[0].side(Family::Ipv6).own,
        135,
        0,
    );
    let errors = icmp::messages(
        &scene.links[0],
        scene.links[0].side(Family::Ipv4).strangers.clone(),
        &scene.links[0].side(Family::Ipv4).own,
        3,
        4,
    );
    let errors = errors.into_iter().map(Probe::about_a_connection);
    let walks = solicited
        .into_iter()
        .chain(errors)
        .map(|packet| scene.walk(&packet).fate);
    walks.collect()
}

#[test]
fn tools_are_silent_because_they_let_it_in_not_because_nothing_is_known() {
    for name in [
        "ufw",
        "ufw-legacy",
        "firewalld",
        "firewalld-iptables",
        "docker-ufw",
        "libvirt-nft",
    ] {
        let fates = fates(&read(fixture(name)));
        assert!(fates.len() > 4, "{name}: {fates:?}");
        assert!(fates.iter().all(|fate| *fate == Fate::Accepted), "{name}: {fates:?}");
    }
}

#[test]
fn a_tool_that_is_spoilt_is_not_silent() {
    let ufw = fixture("ufw-legacy");
    let spoilt = ufw.ipv6.replace("--icmpv6-type 135", "--icmpv6-type 253");
    let netfilter = kernel(ufw.ipv4, &spoilt);
    let findings = found(&netfilter, &Family::ALL);
    let harmful: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Harmful)
        .collect();
    let ids: Vec<_> = harmful.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["ipv6-neighbour-discovery-refused"]);
    assert!(harmful[0].advice.contains("settings of ufw"), "{}", harmful[0].advice);
}
