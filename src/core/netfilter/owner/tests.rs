use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::core::listener::Family;
use crate::core::netfilter::{Base, ChainType, Engine, Hook, ipset, json, merge, save};
use crate::core::ruleset::SavedTables;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/rulesets")
        .join(name)
}

/// Everything of a fixture.
fn everything(name: &str) -> Vec<Table> {
    let listed = json::parse(&fs::read_to_string(folder(name).join("nft.json")).unwrap()).unwrap();
    let (ipv4, ipv6): (Vec<Table>, Vec<Table>) = saved(name)
        .into_iter()
        .partition(|table| table.family == TableFamily::Ip);
    if name.ends_with("-legacy") {
        return ipv4.into_iter().chain(ipv6).collect();
    }
    merge::merge(listed, Some(ipv4), Some(ipv6)).tables
}

/// The tables of a fixture that iptables shows.
fn saved(name: &str) -> Vec<Table> {
    let folder = folder(name);
    let engine = match name.ends_with("-legacy") {
        true => Engine::Legacy,
        false => Engine::Nft,
    };
    let sets = ipset::parse(&fs::read_to_string(folder.join("ipset")).unwrap_or_default());
    let of = |file: &str, family| {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        save::tables(&SavedTables::parse(&text).unwrap(), engine, family, &sets)
    };
    let mut tables = of("rules.v4", Family::Ipv4);
    tables.extend(of("rules.v6", Family::Ipv6));
    tables
}

/// Tables of one family from text.
fn tables(text: &str) -> Vec<Table> {
    save::tables(&SavedTables::parse(text).unwrap(), Engine::Nft, Family::Ipv4, &[])
}

/// Whose every rule is, with its text.
fn owners(tables: &[Table]) -> Vec<(String, Tool)> {
    let chains = tables
        .iter()
        .flat_map(|table| table.chains.iter().map(move |chain| (table, chain)));
    let rules = chains.flat_map(|(table, chain)| chain.rules.iter().map(move |rule| (table, chain, rule)));
    rules
        .map(|(table, chain, rule)| (format!("{} {}", table.name, rule.text), owner(table, chain, Some(rule))))
        .collect()
}

/// Whose every chain is that is not left as the kernel made it.
fn ends(tables: &[Table]) -> Vec<(String, Tool)> {
    let chains = tables
        .iter()
        .flat_map(|table| table.chains.iter().map(move |chain| (table, chain)));
    chains
        .map(|(table, chain)| (format!("{} {}", table.name, chain.name), owner(table, chain, None)))
        .filter(|(_, tool)| *tool != Tool::Kernel)
        .collect()
}

#[test]
fn every_rule_of_a_tool_alone_is_its_own() {
    let fixtures = [
        ("docker", Tool::Docker),
        ("docker-28", Tool::Docker),
        ("docker-29-nft", Tool::Docker),
        ("docker-ipv6", Tool::Docker),
        ("docker-legacy", Tool::Docker),
        ("docker-no-proxy", Tool::Docker),
        ("fail2ban", Tool::Fail2ban),
        ("firewalld", Tool::Firewalld),
        ("firewalld-iptables", Tool::Firewalld),
        ("libvirt", Tool::Libvirt),
        ("libvirt-nft", Tool::Libvirt),
        ("lxd", Tool::Lxd),
        ("podman", Tool::Podman),
        ("podman-cni", Tool::Podman),
        ("podman-nft", Tool::Podman),
        ("tailscale", Tool::Tailscale),
        ("ufw", Tool::Ufw),
        ("ufw-legacy", Tool::Ufw),
        ("ufw-off", Tool::Ufw),
        ("ufw-open", Tool::Ufw),
    ];
    for (name, tool) in fixtures {
        let tables = everything(name);
        let all = owners(&tables);
        assert!(all.len() > 5, "{name}: {all:?}");
        let others: Vec<_> = all
            .iter()
            .chain(&ends(&tables))
            .filter(|(_, found)| *found != tool)
            .cloned()
            .collect();
        assert_eq!(others, [], "{name}");
    }
}

#[test]
fn what_docker_and_ufw_wrote_is_told_apart() {
    let tables = everything("docker-ufw");
    for (text, tool) in owners(&tables) {
        let expected = match text.contains("ufw") {
            true => Tool::Ufw,
            false => Tool::Docker,
        };
        assert_eq!(tool, expected, "{text}");
    }
    let ends = ends(&tables);
    let dropping: Vec<_> = ends
        .iter()
        .filter(|(name, _)| name == "filter INPUT" || name == "filter FORWARD")
        .collect();
    assert!(
        dropping.iter().all(|(_, tool)| *tool == Tool::Ufw) && dropping.len() == 4,
        "{dropping:?}"
    );
}

#[test]
fn a_policy_is_whose_tool_sets_it() {
    let policy = |text: &str, wanted: &str| {
        let tables = tables(text);
        let table = tables.first().unwrap();
        owner(table, table.chain(wanted).unwrap(), None)
    };
    let docker = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:DOCKER - [0:0]\nCOMMIT\n";
    assert_eq!(policy(docker, "FORWARD"), Tool::Docker);
    assert_eq!(policy(docker, "INPUT"), Tool::Admin);
    assert_eq!(policy(docker, "OUTPUT"), Tool::Kernel);
    assert_eq!(policy(docker, "DOCKER"), Tool::Docker);
}

#[test]
fn rules_of_nobody_are_the_administrators() {
    let text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n:DOCKER - [0:0]\n:MINE - [0:0]\n\
        -A INPUT -i lo -j ACCEPT\n-A INPUT -i docker0 -p tcp -m tcp --dport 5432 -j ACCEPT\n-A INPUT -j MINE\n\
        -A FORWARD -i eth0 -o docker0 -j ACCEPT\n-A FORWARD -i docker0 -j DROP\n\
        -A FORWARD -i docker0 -p tcp -m tcp --dport 25 -j DROP\n\
        -A DOCKER-USER -s 192.0.2.0/24 -j DROP\n-A MINE -j DROP\nCOMMIT\n";
    for (text, tool) in owners(&tables(text)) {
        assert_eq!(tool, Tool::Admin, "{text}");
    }
    let raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 8081 -j DROP\nCOMMIT\n";
    assert_eq!(owners(&tables(raw)).first().unwrap().1, Tool::Admin);
}

#[test]
fn tools_are_told_by_comments_and_targets() {
    let text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:FWTUI-INPUT - [0:0]\n:KUBE-FORWARD - [0:0]\n\
        -A INPUT -j FWTUI-INPUT\n-A FORWARD -j KUBE-FORWARD\n\
        -A FORWARD -i virbr1 -j REJECT --reject-with icmp-port-unreachable\n\
        -A FORWARD -o lxdbr0 -m comment --comment \"generated for LXD network lxdbr0\" -j ACCEPT\n\
        -A FORWARD -m comment --comment \"cali:wUHhoiAYhphO9Mso\" -j ACCEPT\n\
        -A FWTUI-INPUT -j RETURN\nCOMMIT\n";
    let found: Vec<Tool> = owners(&tables(text)).into_iter().map(|(_, tool)| tool).collect();
    let expected = [
        Tool::Fwtui,
        Tool::Kubernetes,
        Tool::Libvirt,
        Tool::Lxd,
        Tool::Kubernetes,
        Tool::Fwtui,
    ];
    assert_eq!(found.len(), expected.len());
    assert!(expected.iter().all(|tool| found.contains(tool)), "{found:?}");
}

#[test]
fn native_tables_are_told_by_their_names() {
    let native = |table: &str| {
        let base = Base {
            hook: Hook::Input,
            kind: ChainType::Filter,
            priority: 0,
            drops: true,
            devices: Vec::new(),
        };
        let rule = save::rule("-j ACCEPT", Family::Ipv4);
        let chain = Chain {
            name: "input".into(),
            base: Some(base),
            rules: vec![rule],
        };
        let table = Table {
            engine: Engine::Nft,
            family: TableFamily::Inet,
            name: table.into(),
            is_dormant: false,
            chains: vec![chain.clone()],
            sets: Vec::new(),
        };
        (owner(&table, &chain, chain.rules.first()), owner(&table, &chain, None))
    };
    for (table, tool) in [
        ("firewalld", Tool::Firewalld),
        ("netavark", Tool::Podman),
        ("docker-bridges", Tool::Docker),
        ("f2b-table", Tool::Fail2ban),
        ("incus", Tool::Lxd),
        ("wg-quick-wg0", Tool::Unknown),
        ("filter", Tool::Admin),
        ("mine", Tool::Admin),
    ] {
        assert_eq!(native(table), (tool, tool), "{table}");
    }
}
