//! `fwtui setup` without the screens.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::harness::{Home, in_sandbox};

/// The proposal with an id, or for an interface.
#[track_caller]
fn proposal<'a>(setup: &'a Value, list: &str, name: &str) -> &'a Value {
    let all = setup[list].as_array().unwrap();
    let found = all.iter().find(|one| one["id"] == name || one["interface"] == name);
    found.unwrap_or_else(|| panic!("{name} in {setup}"))
}

#[test]
fn it_shows_what_it_recommends_and_why_and_changes_nothing() {
    in_sandbox(|home| {
        let listeners = [
            TcpListener::bind("0.0.0.0:9999").unwrap(),
            TcpListener::bind("127.0.0.1:6379").unwrap(),
        ];
        let setup = home.fwtui(&["setup", "--json"]).exits(0).json();
        assert_eq!(setup["schema"], 1);
        assert_eq!(
            setup["found"],
            json!({"services": 2, "on_loopback": 1, "clients": 0, "networks": 2})
        );
        let eth0 = proposal(&setup, "networks", "eth0");
        assert_eq!((&eth0["class"], &eth0["decided"]), (&json!("public"), &json!(false)));
        assert!(eth0["why"].as_str().unwrap().contains("no private one"), "{eth0}");
        let service = proposal(&setup, "services", "9999/tcp");
        for (field, value) in [
            ("known", json!(false)),
            ("what", Value::Null),
            ("advice", json!("confine")),
            ("decision", json!("confine")),
            ("from", json!([])),
            ("carries_you", json!(false)),
            ("decided", json!(false)),
        ] {
            assert_eq!(service[field], value, "{field} in {service}");
        }
        let program = std::env::current_exe().unwrap();
        let why = service["why"].as_str().unwrap();
        let name = program.file_name().unwrap().to_str().unwrap();
        assert!(why.contains(name) && why.contains("run by root"), "{why}");
        for (field, value) in [("refusal", "reject"), ("logging", "off")] {
            assert_eq!(setup[field]["value"], value);
            assert!(setup[field]["why"].is_string());
        }
        for field in ["ways_in", "tools", "conflicts"] {
            assert!(setup[field].is_array(), "{field} in {setup}");
        }
        assert_eq!(
            (&setup["resumable"], setup["machine"].is_string()),
            (&json!(false), true)
        );
        let shown = home.fwtui(&["setup", "--show"]).exits(0);
        for words in [
            "2 services, of which 1 on loopback only",
            "9999/tcp",
            "confine",
            "sudo fwtui setup --take-all",
        ] {
            assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
        }
        for line in shown.stdout.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        assert!(!home.policy().exists());
        drop(listeners);
    });
}

#[test]
fn all_of_it_is_taken_and_what_is_decided_stays() {
    in_sandbox(|home| {
        let listeners = [
            TcpListener::bind("0.0.0.0:9999").unwrap(),
            TcpListener::bind("0.0.0.0:9998").unwrap(),
        ];
        home.fwtui(&["set", "9998/tcp", "open", "--from", "192.0.2.0/24"])
            .exits(0);
        home.fwtui(&["network", "eth1", "trusted"]).exits(0);
        home.fwtui(&["block", "445/tcp", "--note", "CVE-2026-0001"]).exits(0);
        home.fwtui(&["setup", "--take-all"])
            .exits(0)
            .says("eth0: public\n")
            .says("confine\n")
            .says("1 service was decided before, and stays so.")
            .says("'sudo fwtui apply'");
        let policy: Value = serde_json::from_str(&fs::read_to_string(home.policy()).unwrap()).unwrap();
        assert_eq!(
            policy["services"],
            json!({
                "9998/tcp": { "decision": "open", "from": ["192.0.2.0/24"] },
                "9999/tcp": { "decision": "confine" },
            })
        );
        assert_eq!(
            policy["networks"]["interfaces"],
            json!({ "eth0": "public", "eth1": "trusted" })
        );
        assert_eq!(policy["blocks"][0]["note"], "CVE-2026-0001");
        home.fwtui(&["status"]).exits(0).says("Off");
        home.fwtui(&["setup", "--take-all"]).exits(0).says("nothing changed");
        let setup = home.fwtui(&["setup", "--json"]).exits(0).json();
        assert_eq!(
            proposal(&setup, "services", "9998/tcp")["why"],
            "You decided so: only 192.0.2.0/24."
        );
        assert_eq!(proposal(&setup, "networks", "eth1")["decided"], true);
        drop(listeners);
    });
}

#[test]
fn what_is_trusted_by_hand_is_a_trusted_network() {
    in_sandbox(|home| {
        let listening = TcpListener::bind("0.0.0.0:9999").unwrap();
        home.fwtui(&["set", "9999/tcp", "trusted"]).exits(0);
        let nobody = "No network is trusted yet";
        home.fwtui(&["setup", "--show"]).exits(0).says(nobody);
        home.fwtui(&["setup", "--take-all"])
            .exits(0)
            .says(nobody)
            .says("\n  sudo fwtui network NAME trusted\n");
        home.fwtui(&["network", "198.51.100.0/24", "trusted"]).exits(0);
        let shown = home
            .fwtui(&["setup", "--show"])
            .exits(0)
            .says("198.51.100.0/24: trusted\n");
        assert!(!shown.stdout.contains(nobody), "{}", shown.stdout);
        let setup = home.fwtui(&["setup", "--json"]).exits(0).json();
        assert_eq!(setup["trusted_sources"], json!(["198.51.100.0/24"]));
        drop(listening);
    });
}

#[test]
fn a_damaged_policy_is_said_and_left_as_it_is() {
    in_sandbox(|home| {
        fs::write(home.policy(), "{ \"version\": 1, \"refuse\": 1 }").unwrap();
        home.fwtui(&["setup", "--take-all"])
            .complains(1, "unknown field `refuse`");
        let done = home.fwtui(&["setup", "--json"]).exits(1);
        assert!(
            done.json()["policy_error"].as_str().unwrap().contains("refuse"),
            "{}",
            done.stdout
        );
        assert!(fs::read_to_string(home.policy()).unwrap().contains("refuse"));
    });
}

#[test]
fn a_damaged_draft_is_told_and_in_nobodys_way() {
    in_sandbox(|home| {
        let folder = home.root().join("var/lib/fwtui");
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.join("setup.json"), "\u{1b}[2J").unwrap();
        let done = home.fwtui(&["setup", "--show"]).exits(0);
        assert!(done.stderr.contains("setup.json: line 1"), "{}", done.stderr);
        assert!(!done.stderr.contains('\u{1b}'), "{}", done.stderr);
        let kept = r#"{"version":1,"step":"services","refusal":"drop","logging":"off","networks":{},"services":{}}"#;
        fs::write(folder.join("setup.json"), kept).unwrap();
        assert_eq!(home.fwtui(&["setup", "--json"]).exits(0).json()["resumable"], true);
        home.fwtui(&["setup", "--show"]).exits(0).says("goes on with them");
        // Taking all loses no answer of the user's own, and says so; what is none goes.
        home.fwtui(&["setup", "--take-all"])
            .exits(0)
            .says("was not taken, and is kept");
        assert_eq!(fs::read_to_string(folder.join("setup.json")).unwrap(), kept);
    });
}

#[test]
fn what_a_newer_fwtui_wrote_is_told_and_kept() {
    in_sandbox(|home| {
        let folder = home.root().join("var/lib/fwtui");
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let newer = r#"{"version":2,"pages":[]}"#;
        fs::write(folder.join("setup.json"), newer).unwrap();
        let done = home.fwtui(&["setup", "--show"]).exits(0);
        assert!(
            done.stderr.contains("a newer fwtui wrote it (version 2"),
            "{}",
            done.stderr
        );
        home.fwtui(&["setup", "--take-all"]).exits(0);
        assert_eq!(fs::read_to_string(folder.join("setup.json")).unwrap(), newer);
    });
}

#[test]
fn what_was_decided_since_the_answers_is_told_with_both_values() {
    in_sandbox(|home| {
        let listeners = [
            TcpListener::bind("0.0.0.0:9999").unwrap(),
            TcpListener::bind("0.0.0.0:9998").unwrap(),
        ];
        let folder = home.root().join("var/lib/fwtui");
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let draft = json!({
            "version": 1, "step": "services", "refusal": "reject", "logging": "off", "networks": {},
            "services": { "9998/tcp": "confine", "9999/tcp": "trusted" },
            "against": { "services": {
                "9998/tcp": { "value": { "decision": "confine" } },
                "9999/tcp": { "value": { "decision": "confine" } },
            }},
        });
        fs::write(folder.join("setup.json"), draft.to_string()).unwrap();
        let quiet = home.fwtui(&["setup", "--json"]).exits(0).json();
        assert_eq!(quiet["elsewhere"], json!([]));
        home.fwtui(&["set", "9999/tcp", "open", "--from", "192.0.2.0/24"])
            .exits(0);
        home.fwtui(&["set", "9998/tcp", "open"]).exits(0);
        let told = home.fwtui(&["setup", "--json"]).exits(0).json();
        assert_eq!(
            told["elsewhere"],
            json!([
                { "about": "9999/tcp", "answered": "trusted", "now": "open to 192.0.2.0/24", "decided": true, "own": true },
                { "about": "9998/tcp", "answered": "confine", "now": "open", "decided": true, "own": false },
            ])
        );
        home.fwtui(&["setup", "--show"])
            .exits(0)
            .says("9999/tcp: you answered trusted; open to 192.0.2.0/24 was decided")
            .says("9998/tcp: now open, as decided elsewhere since; here it was confine.");
        drop(listeners);
    });
}

#[test]
fn without_root_it_only_shows() {
    let home = Home::unprivileged();
    for args in [&["setup"][..], &["setup", "--take-all"]] {
        home.fwtui(args).complains(5, "Run it with sudo.");
    }
    home.fwtui(&["setup"]).complains(5, "fwtui setup --show");
    home.fwtui(&["setup", "--show"]).exits(0).says("LOGGING");
    assert_eq!(fs::read_dir(home.root()).unwrap().count(), 0, "nothing was written");
    assert_eq!(home.fwtui(&["setup", "--json"]).exits(0).json()["resumable"], false);
    // What root keeps there can't be seen.
    let folder = home.root().join("var/lib/fwtui");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
    let done = home.fwtui(&["setup", "--json"]).exits(0);
    assert_eq!(done.json()["resumable"], Value::Null);
    assert!(done.stderr.contains("can't be seen without root"), "{}", done.stderr);
}

#[test]
fn the_screens_of_it_need_a_terminal() {
    in_sandbox(|home| {
        home.fwtui(&["setup"]).complains(2, "the setup needs a terminal");
        home.fwtui(&["--screen", "preview"])
            .complains(2, "the screens need a terminal");
    });
}
