//! The network namespace the tests were started in: nothing of theirs may be seen there.

use std::process::Command;

use rustix::process::geteuid;

/// The rules outside, as root sees them; without root nothing could be changed, nor seen.
pub fn rules() -> Option<String> {
    if !geteuid().is_root() {
        return None;
    }
    let mut text = String::new();
    for names in ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"] {
        // Missing: the kernel has not loaded its legacy tables, which is no table either.
        text += &std::fs::read_to_string(names).unwrap_or_default();
    }
    match Command::new("nft").args(["list", "ruleset"]).output() {
        Ok(output) => text += &String::from_utf8_lossy(&output.stdout),
        // Without nft only iptables can make rules; its nft variant's are in its own listing.
        Err(_) => text += &String::from_utf8_lossy(&Command::new("iptables-save").output().unwrap().stdout),
    }
    Some(text)
}

#[test]
fn rules_inside_are_not_seen_outside() {
    crate::harness::in_sandbox(|lab| {
        lab.run(&["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP"]);
        lab.run(&["ip6tables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP"]);
        assert!(lab.run(&["iptables-save"]).contains("--dport 9"));
    });
}
