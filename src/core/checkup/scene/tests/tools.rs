//! Rules of real tools, and fwtui's own: nothing harmful is said of them.

use std::fs;
use std::path::Path;

use super::*;
use crate::core::netfilter::{ipset, json, merge};

/// The fixture as fwtui would have read it from the kernel.
fn read(folder: &Path) -> Netfilter {
    let text = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let engine = match name.ends_with("-legacy") {
        true => Engine::Legacy,
        false => Engine::Nft,
    };
    let sets = ipset::parse(&text("ipset"));
    let tables = |file: &str, family| save::tables(&SavedTables::parse(&text(file)).unwrap(), engine, family, &sets);
    let (ipv4, ipv6) = (tables("rules.v4", Family::Ipv4), tables("rules.v6", Family::Ipv6));
    if engine == Engine::Legacy {
        return Netfilter {
            tables: [ipv4, ipv6].concat(),
        };
    }
    merge::merge(json::parse(&text("nft.json")).unwrap(), Some(ipv4), Some(ipv6))
}

#[test]
fn nothing_harmful_is_said_of_tools_defaults() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets");
    let mut folders: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() > 15);
    for folder in folders {
        let netfilter = read(&folder);
        let findings = found(&netfilter, &Family::ALL);
        let words: Vec<String> = findings
            .iter()
            .map(|finding| {
                format!(
                    "{} {}: {} {:?}",
                    finding.severity, finding.id, finding.what, finding.place
                )
            })
            .collect();
        println!("{}\n  {}", folder.display(), words.join("\n  "));
        assert!(
            findings.iter().all(|finding| finding.severity != Severity::Harmful),
            "{}: {words:#?}",
            folder.display()
        );
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets");
    for name in [
        "ufw",
        "ufw-legacy",
        "firewalld",
        "firewalld-iptables",
        "docker-ufw",
        "libvirt-nft",
    ] {
        let fates = fates(&read(&folder.join(name)));
        assert!(fates.len() > 4, "{name}: {fates:?}");
        assert!(fates.iter().all(|fate| *fate == Fate::Accepted), "{name}: {fates:?}");
    }
}

#[test]
fn a_tool_that_is_spoilt_is_not_silent() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets/ufw-legacy");
    let text = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let spoilt = text("rules.v6").replace("--icmpv6-type 135", "--icmpv6-type 253");
    let netfilter = kernel(&text("rules.v4"), &spoilt);
    let findings = found(&netfilter, &Family::ALL);
    let harmful: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Harmful)
        .collect();
    let ids: Vec<_> = harmful.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["ipv6-neighbour-discovery-refused"]);
    assert!(harmful[0].advice.contains("settings of ufw"), "{}", harmful[0].advice);
}
