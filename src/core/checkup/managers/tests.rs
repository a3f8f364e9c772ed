use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::core::listener::Family;
use crate::core::netfilter::{Netfilter, Table, save};
use crate::core::network::World;
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::ruleset::SavedTables;
use crate::core::service::{Published, Service};
use crate::core::tools::{BootFile, OnDisk};

fn tables(text: &str, engine: Engine) -> Vec<Table> {
    save::tables(&SavedTables::parse(text).unwrap(), engine, Family::Ipv4, &[])
}

fn nft(text: &str) -> Netfilter {
    Netfilter {
        tables: tables(text, Engine::Nft),
    }
}

fn presence(manager: Manager, in_kernel: Option<bool>, at_boot: Option<bool>) -> Presence {
    Presence {
        manager,
        in_kernel,
        at_boot,
        how: String::new(),
        boot: String::new(),
        has_rules: true,
        flushes: false,
    }
}

fn disk(manager: Manager, at_boot: Option<bool>) -> OnDisk {
    OnDisk {
        manager,
        at_boot,
        how: String::new(),
        file: None,
        has_rules: true,
        flushes: false,
    }
}

fn file(manager: Manager, text: &str) -> BootFile {
    BootFile {
        manager,
        path: "/etc/rules".into(),
        family: (manager != Manager::Nftables).then_some(Family::Ipv4),
        text: text.into(),
    }
}

/// What is found with these.
fn told(evidence: &Evidence<'_>) -> Vec<(&'static str, Severity)> {
    let world = World::default();
    let found = findings(&Evidence {
        world: Some(&world),
        ..*evidence
    });
    found.iter().map(|finding| (finding.id, finding.severity)).collect()
}

const MINE: &str = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 25 -j DROP\nCOMMIT\n";

#[test]
fn two_firewalls_are_told_and_one_is_not() {
    let managers = |all: &[Presence]| {
        told(&Evidence {
            managers: all,
            ..Evidence::default()
        })
    };
    let ufw = || presence(Manager::Ufw, Some(true), Some(true));
    let firewalld = presence(Manager::Firewalld, Some(true), Some(true));
    assert_eq!(managers(&[ufw()]), []);
    assert_eq!(
        managers(&[ufw(), presence(Manager::Docker, Some(true), Some(true))]),
        []
    );
    // One deletes the other's chains.
    assert_eq!(managers(&[ufw(), firewalld]), [("two-managers", Severity::Risky)]);
    // Neither does: a packet must pass both.
    let nftables = || presence(Manager::Nftables, None, Some(true));
    assert_eq!(managers(&[ufw(), nftables()]), [("two-managers", Severity::Info)]);
    // nftables.service with an empty file.
    let empty = Presence {
        has_rules: false,
        ..nftables()
    };
    assert_eq!(managers(&[ufw(), empty]), []);
}

#[test]
fn what_undoes_what_is_said_in_sentences() {
    let flushing = Presence {
        flushes: true,
        how: "/etc/systemd/system/sysinit.target.wants/nftables.service".into(),
        ..presence(Manager::Nftables, None, Some(true))
    };
    let found = two_managers(&[presence(Manager::Ufw, Some(true), Some(true)), flushing]);
    assert_eq!(found.len(), 1);
    let finding = &found[0];
    assert!(finding.subject().ends_with("nftables.service"), "{finding:?}");
    assert!(
        finding.what.starts_with("nftables.service empties all") && finding.what.ends_with("ufw with it."),
        "{finding:?}"
    );
    assert!(finding.advice.starts_with("Take 'flush ruleset' out"), "{finding:?}");
}

#[test]
fn both_packet_filters_count_if_both_hold_rules() {
    let empty = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
    let found = |legacy: &str, nft: &str| {
        let mut all = tables(legacy, Engine::Legacy);
        all.extend(tables(nft, Engine::Nft));
        let netfilter = Netfilter { tables: all };
        told(&Evidence {
            netfilter: Some(&netfilter),
            ..Evidence::default()
        })
    };
    assert_eq!(found(MINE, MINE), [("legacy-and-nft", Severity::Risky)]);
    assert_eq!(found(empty, MINE), []);
    assert_eq!(found(MINE, empty), []);
}

#[test]
fn a_firewall_that_is_not_started_at_boot_vanishes() {
    let managers = |one: Presence| {
        told(&Evidence {
            managers: &[one],
            ..Evidence::default()
        })
    };
    let gone = [("rules-vanish-at-boot", Severity::Risky)];
    assert_eq!(managers(presence(Manager::Ufw, Some(true), Some(false))), gone);
    assert_eq!(managers(presence(Manager::Ufw, Some(true), None)), []);
    assert_eq!(managers(presence(Manager::Ufw, Some(true), Some(true))), []);
    // Its rules come with its containers.
    assert_eq!(managers(presence(Manager::Docker, Some(true), Some(false))), []);
}

/// What is found of rules in the kernel, a file, and whether its unit is started.
fn at_boot(kernel: &str, manager: Manager, text: &str, at_boot: Option<bool>) -> Vec<(&'static str, Severity)> {
    let netfilter = nft(kernel);
    told(&Evidence {
        netfilter: Some(&netfilter),
        on_disk: &[disk(manager, at_boot)],
        boot_files: &[file(manager, text)],
        ..Evidence::default()
    })
}

#[test]
fn rules_typed_by_hand_vanish_unless_a_file_has_them() {
    const VANISH: [(&str, Severity); 1] = [("rules-vanish-at-boot", Severity::Risky)];
    let saved = |text: &str, started: Option<bool>| at_boot(MINE, Manager::NetfilterPersistent, text, started);
    let empty = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
    assert_eq!(saved(empty, Some(true)), VANISH);
    assert_eq!(saved(MINE, Some(true)), []);
    // Written in another way, with counters, and the same.
    let otherwise = "*filter\n:INPUT ACCEPT [0:0]\n[3:180] -A INPUT -p tcp -m comment --comment mail -m tcp --dport 25 -j DROP\nCOMMIT\n";
    assert_eq!(saved(otherwise, Some(true)), []);
    let another = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 26 -j DROP\nCOMMIT\n";
    assert!(saved(another, Some(true)).contains(&VANISH[0]));
    // The file is there, and nobody loads it.
    assert_eq!(saved(MINE, Some(false)), VANISH);
    // What is started at boot can't be told here, in a container for example.
    assert_eq!(saved(empty, None), []);
    // Rules of tools come with their tools.
    let ufw = "*filter\n:INPUT ACCEPT [0:0]\n:ufw-before-input - [0:0]\n-A INPUT -j ufw-before-input\nCOMMIT\n";
    assert_eq!(at_boot(ufw, Manager::NetfilterPersistent, empty, Some(true)), []);
}

#[test]
fn tables_of_nft_are_compared_by_name() {
    let native = |text: &str| at_boot(MINE, Manager::Nftables, text, Some(true));
    assert_eq!(native("flush ruleset\ntable ip filter {\n}\n"), []);
    assert_eq!(native("include \"/etc/nftables.d/*.nft\"\n"), []);
    assert_eq!(native("add table filter\n"), []);
    let mut told = native("flush ruleset\n# table ip filter {\ntable inet mine {\n");
    told.sort();
    assert_eq!(
        told,
        [
            ("rules-appear-at-boot", Severity::Risky),
            ("rules-vanish-at-boot", Severity::Risky)
        ]
    );
}

#[test]
fn rules_of_a_file_appear_unless_they_are_there() {
    let two = "# by hand\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 25 -j DROP\n-A INPUT -s 192.0.2.1/32 -j DROP\nCOMMIT\n";
    let appear = [("rules-appear-at-boot", Severity::Risky)];
    assert_eq!(at_boot(MINE, Manager::Iptables, two, Some(true)), appear);
    assert_eq!(at_boot(two, Manager::Iptables, two, Some(true)), []);
    assert_eq!(
        at_boot(two, Manager::Iptables, "*filter\n-A INPUT -j DROP\n", Some(false)),
        [("rules-vanish-at-boot", Severity::Risky)]
    );
    let netfilter = nft(MINE);
    let world = World::default();
    let found = findings(&Evidence {
        netfilter: Some(&netfilter),
        world: Some(&world),
        on_disk: &[disk(Manager::Iptables, Some(true))],
        boot_files: &[file(Manager::Iptables, two)],
        ..Evidence::default()
    });
    assert_eq!(found[0].place.line, Some(5));
    assert_eq!(found[0].subject(), "-A INPUT -s 192.0.2.1/32 -j DROP");
    // Without root nobody knows what is in the kernel.
    let blind = told(&Evidence {
        on_disk: &[disk(Manager::Iptables, Some(true))],
        boot_files: &[file(Manager::Iptables, two)],
        ..Evidence::default()
    });
    assert_eq!(blind, []);
}

#[test]
fn a_file_that_is_cut_off_is_not_compared() {
    let cut = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.1/32 -j DROP\n";
    let found = at_boot(MINE, Manager::NetfilterPersistent, cut, Some(true));
    assert!(!found.iter().any(|(id, _)| *id == "rules-appear-at-boot"), "{found:?}");
}

fn published(port: u16, reach: Reach) -> Row {
    let id = format!("{port}/tcp").parse().unwrap();
    let service = Service {
        published: Some(Published {
            to: "172.17.0.2:80".parse().unwrap(),
            by: Tool::Docker,
            container: Some("web".into()),
            families: vec![Family::Ipv4],
        }),
        ..Service::absent(id)
    };
    Row {
        service: Arc::new(service),
        decision: Decision::Undecided,
        from: Vec::new(),
        reach_now: reach,
        reach_after: reach,
        is_new: true,
        is_changed: false,
        blocks: Vec::new(),
        disabled: None,
        since: None,
        tally: None,
        kept_out_by: None,
    }
}

/// With the rules of the real tools.
fn beside(fixture: &str, row: Row) -> Vec<(&'static str, Severity)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/rulesets")
        .join(fixture);
    let netfilter = nft(&fs::read_to_string(folder.join("rules.v4")).unwrap());
    told(&Evidence {
        netfilter: Some(&netfilter),
        managers: &[presence(Manager::Ufw, Some(true), Some(true))],
        rows: &[row],
        ..Evidence::default()
    })
}

#[test]
fn docker_bypasses_ufw_where_everyone_gets_through() {
    let found = [("docker-bypasses-ufw", Severity::Harmful)];
    // 'ufw deny 8080' does not help, either.
    assert_eq!(beside("docker-ufw", published(8080, Reach::Everyone)), found);
    assert_eq!(beside("docker-ufw", published(8080, Reach::Trusted)), []);
    assert_eq!(beside("docker-ufw", published(8080, Reach::Unknown)), []);
    // There is a rule that allows it: somebody means it.
    assert_eq!(beside("docker-ufw", published(22, Reach::Everyone)), []);
    // ufw lets everything in by default.
    assert_eq!(beside("ufw-open", published(8080, Reach::Everyone)), []);
}

#[test]
fn nothing_of_this_is_found_in_a_file() {
    let managers = [
        presence(Manager::Ufw, Some(true), Some(false)),
        presence(Manager::Firewalld, Some(true), Some(true)),
    ];
    let found = findings(&Evidence {
        managers: &managers,
        ..Evidence::default()
    });
    assert_eq!(found, []);
}

#[test]
fn many_rules_of_a_file_are_compared() {
    let rules = |port: &str| -> String {
        let rule = |n: u32| {
            let (high, low) = (n / 250, n % 250);
            format!("-A INPUT -s 10.{high}.{low}.1/32 -p tcp -m tcp --dport {port} -j DROP\n")
        };
        let rules: String = (0..10_000).map(rule).collect();
        format!("*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n{rules}COMMIT\n")
    };
    let (kernel, other) = (rules("22"), rules("23"));
    assert_eq!(at_boot(&kernel, Manager::NetfilterPersistent, &kernel, Some(true)), []);
    assert_eq!(
        at_boot(&kernel, Manager::NetfilterPersistent, &other, Some(true)).len(),
        2
    );
}
