//! What is printed is what the kernel's own programs read back, through every kind of them; and
//! what is said where they are missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fwtui::app::sandbox::Neighbour;
use fwtui::backend::switch::{self, Base};
use fwtui::backend::{Backend, iptables};
use fwtui::core::listener::Family;
use fwtui::core::policy::{Decision, Entry, Policy};
use fwtui::core::ruleset::{Hook, Ruleset, Table, compile};
use fwtui::sys::interfaces::interfaces;
use fwtui::sys::runner::{SYSTEM_DIRECTORIES, SystemRunner};

use crate::harness::{Lab, in_sandbox};
use crate::machine::{paths, policy};

/// A policy with something of everything.
const EVERYTHING: &str = r#"{ "version": 1, "refusal": "drop", "logging": "kernel",
    "networks": { "interfaces": { "eth0": "guests", "eth1": "trusted" },
                  "trusted_sources": ["198.51.100.0/24", "203.0.113.7/32", "2001:db8:7::/48"] },
    "services": {
        "22/tcp": { "decision": "open", "from": ["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"] },
        "60000-61000/udp": { "decision": "open" },
        "60500/udp": { "decision": "confine" },
        "1-65535/udplite": { "decision": "trusted" },
        "192.168.7.10:53/udp": { "decision": "open" },
        "[fd07::10]:53/udp": { "decision": "trusted" },
        "[fe80::1%eth1]:53/udp": { "decision": "confine" },
        "5353/udp": { "decision": "confine" } } }"#;

fn policies() -> Vec<(&'static str, Policy)> {
    let mut thousand = Policy::default();
    for number in 0..1000_u16 {
        let entry = Entry {
            decision: [Decision::Open, Decision::Trusted, Decision::Confine][usize::from(number % 3)],
            from: if number % 30 == 0 {
                vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()]
            } else {
                Vec::new()
            },
        };
        let protocol = if number % 2 == 0 { "tcp" } else { "udp" };
        thousand
            .decide(format!("{}/{protocol}", 1000 + number * 7).parse().unwrap(), entry)
            .unwrap();
    }
    let everything = Policy::parse(EVERYTHING).unwrap();
    let nflog = Policy::parse(r#"{ "version": 1, "logging": "nflog", "services": {} }"#).unwrap();
    vec![
        ("the empty policy", Policy::default()),
        ("everything", everything),
        ("nflog", nflog),
        (
            "few ports",
            policy(&[("22/tcp", "open"), ("80/tcp", "open"), ("443/tcp", "open")]),
        ),
        ("1,000 services", thousand),
    ]
}

/// Loads each policy over the one before; what is read back must be what was meant.
fn all_are_read_back(name: &str) {
    let (backend, _) = iptables::open(SystemRunner::new()).unwrap();
    assert_eq!(backend.name(), name);
    assert_eq!(backend.families(), Family::ALL);
    let interfaces = interfaces().unwrap();
    let mut rulesets: Vec<(&str, Ruleset)> = policies()
        .into_iter()
        .map(|(what, policy)| (what, compile(&policy, &interfaces)))
        .collect();
    rulesets.push(("nothing", Ruleset::default()));
    for (what, ruleset) in rulesets {
        let now = backend.read().unwrap();
        let want = Base::of(&now).successor(&ruleset);
        for family in Family::ALL {
            let text = fwtui::core::ruleset::switch_text(now.family(family), want.family(family), None);
            backend
                .check(family, &text)
                .unwrap_or_else(|error| panic!("{what}, {family}: {error}"));
        }
        // It reads back and compares by itself.
        switch::put(&backend, &now, &want, None).unwrap_or_else(|error| panic!("{what}: {error}"));
        let now = Base::of(&backend.read().unwrap());
        for family in Family::ALL {
            assert_eq!(now.family(family), want.family(family), "{what}, {family}");
        }
        switch::clean(&backend, &want).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let observed = backend.read().unwrap();
    assert!(observed.ipv4.chains.is_empty() && observed.ipv6.chains.is_empty());
}

#[test]
fn iptables_nft_keeps_every_policy_as_it_was_printed() {
    in_sandbox(|_lab| all_are_read_back("iptables-nft"));
}

#[test]
fn iptables_legacy_keeps_every_policy_as_it_was_printed() {
    in_sandbox(|lab| {
        lab.use_legacy();
        all_are_read_back("iptables-legacy");
    });
}

/// What `preview` prints is what the system's own programs take, over nothing and over rules.
fn previews_load(lab: &Lab, suffix: &str) {
    fs::create_dir_all(paths().policy().parent().unwrap()).unwrap();
    for (what, policy) in policies() {
        fs::write(paths().policy(), policy.to_text()).unwrap();
        let ruleset = compile(&policy, &interfaces().unwrap());
        for (format, family) in [("iptables", Family::Ipv4), ("ip6tables", Family::Ipv6)] {
            let text = lab.does(&["preview", "--format", format]);
            lab.feed(&[&format!("{format}{suffix}-restore"), "--noflush"], &text);
            let own = &lab.observed().family(family).own.clone();
            assert!(own.enforces(ruleset.family(family)), "{what}, {family}");
        }
        let diff = lab.does(&["preview", "--format", "diff"]);
        assert!(!diff.lines().any(|line| line.starts_with(['+', '-'])), "{what}: {diff}");
        let preview = lab.json(&["preview", "--format", "json"]);
        assert_eq!(preview["changes"], false, "{what}");
    }
}

#[test]
fn previews_load_with_iptables_nft() {
    in_sandbox(|lab| previews_load(lab, "-nft"));
}

#[test]
fn previews_load_with_iptables_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        previews_load(lab, "-legacy");
    });
}

/// Takes programs away, in this mount namespace only.
fn uninstall(lab: &Lab, is: impl Fn(&str) -> bool) {
    let folders: BTreeSet<PathBuf> = SYSTEM_DIRECTORIES
        .iter()
        .filter_map(|folder| fs::canonicalize(folder).ok())
        .collect();
    for (index, folder) in folders.iter().enumerate() {
        let names: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| is(&path.file_name().unwrap().to_string_lossy()))
            .collect();
        if names.is_empty() {
            continue;
        }
        let scratch = Path::new("/run").join(format!("uninstalled-{index}"));
        let (upper, work) = (scratch.join("upper"), scratch.join("work"));
        fs::create_dir_all(&upper).unwrap();
        fs::create_dir_all(&work).unwrap();
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            folder.display(),
            upper.display(),
            work.display()
        );
        lab.run(&[
            "mount",
            "-t",
            "overlay",
            "-o",
            &options,
            "overlay",
            folder.to_str().unwrap(),
        ]);
        for name in names {
            fs::remove_file(name).unwrap();
        }
    }
}

#[test]
fn without_any_iptables_it_lists_and_says_what_to_install() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        uninstall(lab, |name| name.contains("tables"));
        let list = lab.json(&["list", "--json"]);
        let reach = |list: &serde_json::Value| {
            let services = list["services"].as_array().unwrap();
            let found = services.iter().find(|service| service["id"] == "8080/tcp");
            found.unwrap()["reach"]["now"].clone()
        };
        // In an ordinary user's namespaces the kernel hides the old tables, so there is no knowing.
        let is_hidden = fs::read_to_string("/proc/net/ip_tables_names")
            .is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied);
        assert_eq!(reach(&list), if is_hidden { "unknown" } else { "everyone" });
        lab.does(&["set", "8080/tcp", "confine"]);
        let complaint = lab.fails(1, &["apply", "--yes"]);
        assert!(complaint.contains("apt install iptables"), "{complaint}");
        assert!(!paths().journal().exists() && !paths().confirmed().exists());
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn where_ipv6_would_stay_open_nothing_is_applied() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        uninstall(lab, |name| name.starts_with("ip6tables"));
        let complaint = lab.fails(1, &["apply", "--yes"]);
        assert!(complaint.contains("this machine has IPv6"), "{complaint}");
        assert!(lab.answers(Neighbour::Public, 8080), "not half of it either");
        assert!(!paths().journal().exists());
        lab.does(&["list"]);
    });
}

#[test]
fn with_ipv6_switched_off_on_all_interfaces_both_families_are_still_loaded() {
    in_sandbox(|lab| {
        fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        lab.does(&["apply", "--yes"]);
        assert!(!lab.base().ipv6.rules.is_empty(), "it may be switched on again");
    });
}

#[test]
fn the_only_kind_installed_is_used() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        uninstall(lab, |name| name.contains("tables") && name.contains("-nft"));
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        assert_eq!(lab.observed().ipv4.jumps.len(), Hook::ALL.len());
        assert!(lab.refuses(Neighbour::Public, 8080));
        assert!(
            lab.run(&["iptables-legacy-save", "-t", "filter"])
                .contains("FWTUI-INPUT")
        );
        lab.does(&["revert"]);
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn rules_of_the_kind_that_is_not_installed_are_not_overlooked() {
    in_sandbox(|lab| {
        lab.listen("tcp/0.0.0.0:8080");
        lab.does(&["set", "8080/tcp", "open"]);
        lab.line("iptables-nft -A INPUT -p tcp --dport 8080 -j DROP");
        uninstall(lab, |name| name.contains("tables") && name.contains("-nft"));
        let list = lab.json(&["list", "--json"]);
        let service = list["services"]
            .as_array()
            .unwrap()
            .iter()
            .find(|service| service["id"] == "8080/tcp");
        // What iptables-nft does not show here, nft does.
        assert_eq!(service.unwrap()["reach"]["now"], "this-machine");
        let said = lab.does(&["status"]);
        assert!(said.contains("iptables-nft is not installed"), "{said}");
    });
}

#[test]
fn chains_that_cannot_be_removed_are_told_and_the_others_go() {
    in_sandbox(|lab| {
        for suffix in ["-nft", "-legacy"] {
            for chain in ["FWTUI-A-OLD", "FWTUI-A-HELD"] {
                lab.line(&format!("iptables{suffix} -N {chain}"));
            }
            lab.line(&format!("iptables{suffix} -A OUTPUT -j FWTUI-A-HELD"));
            let (backend, _) = iptables::open(SystemRunner::new()).unwrap();
            assert_eq!(backend.name(), format!("iptables{suffix}"));
            let chains = ["FWTUI-A-OLD", "FWTUI-A-HELD", "FWTUI-A-GONE"].map(|name| (Table::Filter, name.to_owned()));
            let error = backend.remove(Family::Ipv4, &chains).unwrap_err().to_string();
            assert!(error.ends_with(": FWTUI-A-HELD"), "{error}");
            let saved = lab.line(&format!("iptables{suffix}-save -t filter"));
            assert!(
                !saved.contains("FWTUI-A-OLD") && saved.contains("-j FWTUI-A-HELD"),
                "{saved}"
            );
            lab.line(&format!("iptables{suffix} -F OUTPUT"));
            backend.remove(Family::Ipv4, &chains[1..2]).unwrap();
            lab.line("nft flush ruleset");
        }
    });
}

#[test]
fn looking_makes_no_tables() {
    in_sandbox(|lab| {
        for verb in ["status", "list", "preview", "network"] {
            lab.fwtui(&[verb]);
        }
        assert_eq!(lab.run(&["nft", "list", "tables"]), "");
        for names in ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"] {
            assert_eq!(fs::read_to_string(names).unwrap_or_default(), "");
        }
    });
}
