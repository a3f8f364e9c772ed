//! The rules printed for nft.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use crate::harness::{Home, finish, in_sandbox};

/// Who tries what: an open service, one for trusted networks, one confined, one blocked, one that nobody
/// listens on; neighbours and strangers of both networks, in both families.
const TRIED: [(&str, &str, &str); 14] = [
    ("2222/tcp", "203.0.113.77", "eth0"),
    ("2222/tcp", "2001:db8:1::77", "eth0"),
    ("2222/tcp", "198.18.0.7", "eth0"),
    ("5432/tcp", "203.0.113.77", "eth0"),
    ("5432/tcp", "2001:db8:1::77", "eth0"),
    ("5432/tcp", "198.18.0.7", "eth0"),
    ("5432/tcp", "198.51.100.7", "eth0"),
    ("5432/udp", "198.51.100.7", "eth0"),
    ("8080/tcp", "203.0.113.77", "eth0"),
    ("60500/udp", "203.0.113.77", "eth0"),
    ("60500/udp", "192.0.2.7", "eth0"),
    ("8445/tcp", "203.0.113.77", "eth0"),
    ("8445/tcp", "192.0.2.7", "eth0"),
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
        let _tcp = [2222, 5432, 8080, 8445].map(|port| TcpListener::bind(("::", port)).unwrap());
        let _udp = UdpSocket::bind("[::]:60500").unwrap();
        for args in [
            &["set", "2222/tcp", "open"][..],
            &["set", "5432/tcp", "trusted"],
            &["set", "8080/tcp", "confine"],
            &["set", "8445/tcp", "open"],
            &["set", "60000-61000/udp", "open", "--from", "192.0.2.0/24"],
            &["block", "8445/tcp", "--from", "192.0.2.0/24", "--note", "a test"],
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
        for service in [
            "2222/tcp from 198.18.0.7",
            "5432/tcp from 198.51.100.7",
            "60500/udp from 192.0.2.7",
        ] {
            assert!(
                meant.contains(&format!("{service}: \"accepted\"")),
                "{service}: {meant:?}"
            );
        }
        // With an end as well, which the kernel's clock tells.
        home.fwtui(&["block", "9/udp", "--for", "7d"]).exits(0);
        let text = home.fwtui(&["preview", "--format", "nft"]).exits(0).stdout;
        assert!(text.contains("udp dport 9 meta time < "), "{text}");
        fs::write(&file, text).unwrap();
        finish(Command::new("nft").arg("-c").arg("-f").arg(&file)).exits(0);
    });
}
