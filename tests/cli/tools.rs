//! Other firewalls beside fwtui: what status and preview say of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{Home, finish, in_sandbox};

/// Loads the rules ufw makes.
fn load_ufw() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets/ufw");
    for (program, file) in [
        ("iptables-nft-restore", "rules.v4"),
        ("ip6tables-nft-restore", "rules.v6"),
    ] {
        finish(Command::new(program).arg(folder.join(file))).exits(0);
    }
}

fn enable(home: &Home, unit: &str) {
    let wants = home.root().join("etc/systemd/system/sysinit.target.wants");
    fs::create_dir_all(&wants).unwrap();
    symlink("/lib/systemd/system", wants.join(unit)).unwrap();
}

fn write(home: &Home, path: &str, text: &str) {
    let path = home.root().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_firewall_in_the_kernel_is_told() {
    in_sandbox(|home| {
        let status = home.fwtui(&["status"]).exits(0);
        assert!(!status.stdout.contains("Also decides"), "{}", status.stdout);
        load_ufw();
        home.fwtui(&["status"]).exits(0).says("\nAlso decides: ufw (active).\n");
        enable(home, "ufw.service");
        home.fwtui(&["status"])
            .exits(0)
            .says("\nAlso decides: ufw (active, not at boot).\n");
        write(home, "etc/ufw/ufw.conf", "ENABLED=yes\n");
        home.fwtui(&["status"])
            .exits(0)
            .says("\nAlso decides: ufw (active, at boot before fwtui).\n");
        let status = home.fwtui(&["status", "--json"]).exits(0).json();
        let ufw = &status["tools"][0];
        assert_eq!(
            (&ufw["tool"], &ufw["in_kernel"], &ufw["at_boot"]),
            (&json!("ufw"), &json!(true), &json!(true))
        );
        assert_eq!(ufw["how"], "/etc/systemd/system/sysinit.target.wants/ufw.service");
        assert!(
            ufw["boot"]
                .as_str()
                .unwrap()
                .starts_with("ufw loads its rules before fwtui")
        );
        assert_eq!(status["conflicts"], json!([]));
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        let preview = home.fwtui(&["preview", "--json"]).exits(0).json();
        let warnings = preview["warnings"].as_array().unwrap();
        let says = |warning: &serde_json::Value| warning.as_str().is_some_and(|said| said.starts_with("ufw is active"));
        assert_eq!(
            warnings.iter().filter(|warning| says(warning)).count(),
            1,
            "{warnings:?}"
        );
    });
}

#[test]
fn those_that_undo_one_another_are_told() {
    in_sandbox(|home| {
        enable(home, "ufw.service");
        write(home, "etc/ufw/ufw.conf", "ENABLED=yes\n");
        enable(home, "nftables.service");
        write(
            home,
            "etc/nftables.conf",
            "flush ruleset\ntable inet f { chain i { drop; } }\n",
        );
        let status = home.fwtui(&["status"]).exits(0);
        status
            .says("\nAlso decides: ufw (at boot before fwtui), nftables (at boot before fwtui).\n")
            .says("\nBeware: nftables.service empties all of nf_tables when it starts or reloads");
        let status = home.fwtui(&["status", "--json"]).exits(0).json();
        assert_eq!(status["tools"][1]["in_kernel"], json!(null));
        assert_eq!(status["conflicts"].as_array().unwrap().len(), 1);
    });
}
