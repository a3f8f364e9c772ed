//! Without root: read-only, and it says so.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use crate::harness::Home;

#[test]
fn the_list_works_and_says_what_it_lacks() {
    let home = Home::unprivileged();
    let done = home.fwtui(&["list"]).exits(0);
    assert!(done.stderr.contains("Without root"), "{}", done.stderr);
    assert!(done.stderr.contains("sudo fwtui"), "{}", done.stderr);
    let json = home.fwtui(&["list", "--json"]).exits(0).json();
    for service in json["services"].as_array().unwrap() {
        // What only this machine can reach anyway is known; the rest depends on rules nobody showed us.
        let now = &service["reach"]["now"];
        let is_loopback = service["bound_to"] == "loopback";
        assert_eq!(now, if is_loopback { "this-machine" } else { "unknown" }, "{service}");
    }
    home.fwtui(&["network"]).exits(0).says("loopback");
    home.fwtui(&["preview", "--format", "iptables"])
        .exits(0)
        .says("*filter");
}

#[test]
fn a_preview_claims_nothing_about_rules_it_cant_see() {
    let home = Home::unprivileged();
    let _listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let said = home.fwtui(&["preview"]).exits(0).stdout;
    assert!(said.contains(" that may be reached now "), "{said}");
    for args in [&["preview"][..], &["preview", "--off"]] {
        let said = home.fwtui(args).exits(0).stdout;
        assert!(said.contains("Who gains or loses access can't be told"), "{said}");
        assert!(
            !said.contains("Nobody gains") && !said.contains("Nothing changes"),
            "{said}"
        );
    }
}

#[test]
fn what_cannot_be_read_has_a_next_step() {
    let home = Home::unprivileged();
    home.fwtui(&["check", "/etc/shadow"]).complains(5, "sudo");
    let done = home.fwtui(&["explain", "22/tcp", "--from", "127.0.0.1"]);
    assert!(
        !done.stdout.contains(" in :") && !done.stdout.contains("   1:"),
        "{}",
        done.stdout
    );
    let done = home.fwtui(&["explain", "22/tcp", "--from", "192.0.2.1", "--interface", "lo"]);
    assert!(
        !done.stdout.contains(" in :") && !done.stdout.contains("inet   1"),
        "{}",
        done.stdout
    );
}

#[test]
fn the_status_is_unknown() {
    let home = Home::unprivileged();
    let status = home.fwtui(&["status", "--json"]).exits(5).json();
    assert_eq!(status["schema"], 1);
    assert_eq!(status["state"], "unknown");
    for field in ["backend", "trial", "last", "pending_changes"] {
        assert_eq!(status.get(field), Some(&Value::Null), "{field}");
    }
    home.fwtui(&["status"]).exits(5).says("sudo fwtui status");
}

#[test]
fn nothing_can_be_changed() {
    let home = Home::unprivileged();
    for args in [
        &["set", "22/tcp", "open"][..],
        &["network", "eth1", "trusted"],
        &["apply", "--yes"],
        &["apply", "--wait"],
        &["off", "--yes"],
        &["confirm"],
        &["revert"],
        &["extend"],
        &["restore"],
    ] {
        home.fwtui(args).complains(5, "sudo");
    }
    assert_eq!(fs::read_dir(home.root()).unwrap().count(), 0, "nothing was written");
}
