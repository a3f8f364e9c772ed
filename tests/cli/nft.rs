//! The rules printed for nft.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::harness::{Home, finish, in_sandbox};

/// Who tries what: an open service, one for trusted networks, one confined, one blocked, one that nobody
/// listens on; neighbours and strangers of both networks, in both families.
const TRIED: [(&str, &str, &str); 14] = [
    ("22/tcp", "203.0.113.77", "eth0"),
    ("22/tcp", "2001:db8:1::77", "eth0"),
    ("22/tcp", "198.18.0.7", "eth0"),
    ("5432/tcp", "203.0.113.77", "eth0"),
    ("5432/tcp", "2001:db8:1::77", "eth0"),
    ("5432/tcp", "198.18.0.7", "eth0"),
    ("5432/tcp", "198.51.100.7", "eth0"),
    ("5432/udp", "198.51.100.7", "eth0"),
    ("8080/tcp", "203.0.113.77", "eth0"),
    ("60500/udp", "203.0.113.77", "eth0"),
    ("60500/udp", "192.0.2.7", "eth0"),
    ("445/tcp", "203.0.113.77", "eth0"),
    ("445/tcp", "192.0.2.7", "eth0"),
    ("9/udp", "203.0.113.77", "eth0"),
];

fn verdicts(home: &Home, more: &[&str]) -> Vec<String> {
    let asked = TRIED.iter().map(|(service, from, interface)| {
        let mut args = vec!["explain", service, "--from", from, "--interface", interface, "--json"];
        args.extend(more);
        let told = home.fwtui(&args).exits(0).json();
        format!("{service} from {from}: {}", told["verdict"])
    });
    asked.collect()
}

/// The kernel takes them, and who gets in with them is who gets in with those for iptables.
#[test]
fn they_mean_the_same_as_those_for_iptables() {
    in_sandbox(|home| {
        let _listening = TcpListener::bind("[::]:5432").unwrap();
        for args in [
            &["set", "22/tcp", "open"][..],
            &["set", "5432/tcp", "trusted"],
            &["set", "8080/tcp", "confine"],
            &["set", "445/tcp", "open"],
            &["set", "60000-61000/udp", "open", "--from", "192.0.2.0/24"],
            &["block", "445/tcp", "--from", "192.0.2.0/24", "--for", "7d"],
            &["network", "eth0", "trusted"],
            &["network", "198.51.100.0/24", "trusted"],
        ] {
            home.fwtui(args).exits(0);
        }
        let meant = verdicts(home, &["--after"]);
        assert!(meant.iter().any(|verdict| verdict.contains("accepted")), "{meant:?}");
        assert!(meant.iter().any(|verdict| verdict.contains("refused")), "{meant:?}");
        let before = verdicts(home, &[]);
        assert_ne!(before, meant, "nothing is in force yet");
        let text = home.fwtui(&["preview", "--format", "nft"]).exits(0).stdout;
        let file = home.root().join("rules.nft");
        fs::write(&file, text).unwrap();
        finish(Command::new("nft").arg("-f").arg(&file)).exits(0);
        assert_eq!(verdicts(home, &[]), meant);
    });
}
