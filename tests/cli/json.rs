//! The contract for scripts, field by field. Fields may be added; none may go or change.

use std::collections::BTreeSet;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::fs::MetadataExt;

use serde_json::{Value, json};

use crate::harness::in_sandbox;

/// The names of an object's fields include these.
#[track_caller]
fn has(value: &Value, fields: &[&str]) {
    let names: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    for field in fields {
        assert!(names.contains(field), "{field} is missing in {value}");
    }
}

#[test]
fn a_list() {
    in_sandbox(|home| {
        let everywhere = TcpListener::bind("0.0.0.0:5432").unwrap();
        let loopback = UdpSocket::bind("[::1]:323").unwrap();
        home.fwtui(&["set", "5432/tcp", "open", "--from", "192.0.2.0/24"])
            .exits(0);
        home.fwtui(&["set", "8443/tcp", "trusted"]).exits(0);
        let list = home.fwtui(&["list", "--json"]).exits(0).json();
        assert_eq!(list["schema"], 1);
        let service = |id: &str| {
            let services = list["services"].as_array().unwrap();
            let found = services.iter().find(|service| service["id"] == id);
            found.unwrap_or_else(|| panic!("{id} in {list}"))
        };
        let postgres = service("5432/tcp");
        let fields = [
            "id",
            "protocol",
            "port",
            "name",
            "bound_to",
            "listeners",
            "owners",
            "decision",
            "from",
            "reach",
        ];
        has(postgres, &fields);
        assert_eq!(postgres["protocol"], "tcp");
        assert_eq!(postgres["port"], 5432);
        assert_eq!(postgres["bound_to"], "all");
        assert_eq!(postgres["decision"], "open");
        assert_eq!(postgres["from"], json!(["192.0.2.0/24"]));
        assert_eq!(postgres["reach"]["now"], "everyone");
        let inode = std::fs::metadata(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(&everywhere)
        ));
        let listener = json!({
            "address": "0.0.0.0", "family": "ipv4", "v6only": false, "interface": null,
            "inode": inode.unwrap().st_ino(), "uid": 0,
        });
        assert_eq!(postgres["listeners"], json!([listener]));
        let owner = &postgres["owners"][0];
        has(owner, &["pid", "name", "exe", "user", "unit"]);
        assert_eq!(owner["pid"], std::process::id());
        let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(owner["name"], comm.trim_end());
        assert_eq!(postgres["name"], comm.trim_end());
        let exe = std::env::current_exe().unwrap();
        assert_eq!(owner["exe"], exe.to_str().unwrap());
        assert!(owner["user"].is_string() && (owner["unit"].is_string() || owner["unit"].is_null()));

        let chrony = service("323/udp");
        assert_eq!(chrony["protocol"], "udp");
        assert_eq!(chrony["bound_to"], "loopback");
        assert_eq!(chrony["listeners"][0]["family"], "ipv6");
        assert_eq!(chrony["decision"], "undecided");
        assert_eq!(chrony["from"], json!([]));
        assert_eq!(
            (&chrony["reach"]["now"], &chrony["reach"]["after"]),
            (&json!("this-machine"), &json!("this-machine"))
        );
        let [own] = chrony["reach"]["by_network"].as_array().unwrap().as_slice() else {
            panic!("nobody else even tries: {chrony}");
        };
        assert_eq!(
            (&own["interface"], &own["family"], &own["who"]),
            (&json!("lo"), &json!("ipv6"), &json!("this-machine"))
        );
        for network in postgres["reach"]["by_network"].as_array().unwrap() {
            let fields = [
                "interface",
                "class",
                "family",
                "who",
                "now",
                "after",
                "decided_by",
                "decided_by_after",
            ];
            has(network, &fields);
            for decider in ["decided_by", "decided_by_after"] {
                has(&network[decider], &["owner", "table", "chain", "rule"]);
            }
        }
        assert_eq!(postgres.get("published"), None);

        let absent = service("8443/tcp");
        assert_eq!(absent["decision"], "trusted");
        assert_eq!((&absent["listeners"], &absent["owners"]), (&json!([]), &json!([])));
        drop((everywhere, loopback));
    });
}

#[test]
fn the_networks() {
    in_sandbox(|home| {
        home.fwtui(&["network", "eth1", "trusted"]).exits(0);
        home.fwtui(&["network", "198.51.100.7/24", "trusted"]).exits(0);
        let list = home.fwtui(&["network", "--json"]).exits(0).json();
        assert_eq!(list["schema"], 1);
        assert_eq!(list["trusted_sources"], json!(["198.51.100.0/24"]));
        let of = |name: &str| {
            let networks = list["networks"].as_array().unwrap();
            let found = networks.iter().find(|network| network["interface"] == name).unwrap();
            let fields = [
                "interface",
                "kind",
                "addresses",
                "default_route",
                "class",
                "chosen",
                "who",
                "services",
            ];
            has(found, &fields);
            found
        };
        let public = of("eth0");
        assert_eq!(public["kind"], "ethernet");
        assert_eq!(public["default_route"], true);
        assert_eq!(public["class"], "public");
        assert_eq!(public["chosen"], false);
        let addresses = public["addresses"].as_array().unwrap();
        assert!(addresses.contains(&json!("203.0.113.10/24")), "{addresses:?}");
        assert!(addresses.contains(&json!("2001:db8:1::10/64")), "{addresses:?}");
        let trusted = of("eth1");
        assert_eq!(
            (&trusted["class"], &trusted["chosen"], &trusted["default_route"]),
            (&json!("trusted"), &json!(true), &json!(false))
        );
        assert_eq!(of("lo")["kind"], "loopback");
    });
}

#[test]
fn a_preview() {
    in_sandbox(|home| {
        let _listening = TcpListener::bind("0.0.0.0:5432").unwrap();
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        let preview = home.fwtui(&["preview", "--format", "json"]).exits(0).json();
        assert_eq!(preview["schema"], 1);
        assert_eq!(preview["changes"], true);
        has(
            &preview,
            &[
                "consequences",
                "services",
                "ways_in",
                "lockouts",
                "warnings",
                "running",
                "interrupted",
                "diff",
                "ruleset",
            ],
        );
        let consequence = &preview["consequences"][0];
        assert_eq!(consequence["id"], "5432/tcp");
        assert_eq!(
            (&consequence["before"], &consequence["after"]),
            (&json!("everyone"), &json!("this-machine"))
        );
        assert!(consequence["text"].as_str().unwrap().contains("only this machine"));
        assert_eq!(home.fwtui(&["preview", "--json"]).exits(0).json(), preview);
        for (format, field) in [("iptables", "ipv4"), ("ip6tables", "ipv6")] {
            let text = home.fwtui(&["preview", "--format", format]).exits(0).stdout;
            assert_eq!(preview["ruleset"][field], text.as_str());
        }
    });
}

#[test]
fn the_status_of_a_trial_from_beginning_to_end() {
    in_sandbox(|home| {
        let fields = [
            "schema",
            "state",
            "backend",
            "trial",
            "last",
            "pending_changes",
            "tools",
            "conflicts",
        ];
        let status = |code: i32| {
            let status = home.fwtui(&["status", "--json"]).exits(code).json();
            has(&status, &fields);
            assert_eq!(status["schema"], 1);
            status
        };
        let off = status(0);
        assert_eq!(off["state"], "off");
        assert_eq!(
            (&off["trial"], &off["last"], &off["pending_changes"]),
            (&Value::Null, &Value::Null, &json!(false))
        );
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        assert_eq!(status(0)["pending_changes"], true);
        home.fwtui(&["apply", "--yes", "--timeout", "5m"]).exits(0);
        let trial = status(3);
        assert_eq!(trial["state"], "trial");
        assert!(
            ["iptables-nft", "iptables-legacy"].contains(&trial["backend"].as_str().unwrap()),
            "{trial}"
        );
        has(&trial["trial"], &["id", "seconds_left", "timeout"]);
        assert_eq!(trial["trial"]["timeout"], 300);
        let left = trial["trial"]["seconds_left"].as_u64().unwrap();
        assert!((200..=300).contains(&left), "{left}");
        assert!(!trial["trial"]["id"].as_str().unwrap().is_empty());
        home.fwtui(&["revert"]).exits(0);
        let reverted = status(0);
        assert_eq!(reverted["state"], "off");
        assert_eq!(reverted["pending_changes"], true);
        assert_eq!(reverted["trial"], Value::Null);
        has(&reverted["last"], &["outcome", "reason", "at"]);
        assert_eq!(reverted["last"]["outcome"], "reverted");
        assert!(reverted["last"]["reason"].is_string());
        let at = reverted["last"]["at"].as_str().unwrap();
        // 2026-11-22T14:02:00Z
        assert!(at.len() == 20 && at.as_bytes()[10] == b'T' && at.ends_with('Z'), "{at}");
    });
}
