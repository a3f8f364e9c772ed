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

/// For tests that start the program without the harness: the rules outside are the same at its end.
pub struct Outside(Option<String>);

impl Outside {
    pub fn now() -> Self {
        Self(rules())
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.0, rules(), "the rules outside are not what they were");
        }
    }
}

/// What the whole of the sandbox does is seen inside only.
#[test]
fn a_trial_in_the_sandbox_is_not_seen_outside() {
    let _outside = Outside::now();
    let script = "fwtui set 22/tcp confine && fwtui apply --yes && iptables-save | grep -c FWTUI-INPUT";
    let output = Command::new(env!("CARGO_BIN_EXE_fwtui"))
        .args(["sandbox", "--bare", "--", "sh", "-c", script])
        .env_remove("SSH_CONNECTION")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn rules_inside_are_not_seen_outside() {
    crate::harness::in_sandbox(|lab| {
        lab.run(&["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP"]);
        lab.run(&["ip6tables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP"]);
        assert!(lab.run(&["iptables-save"]).contains("--dport 9"));
    });
}
