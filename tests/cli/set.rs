//! `fwtui set`

use std::fs;

use crate::harness::in_sandbox;

#[test]
fn a_decision_is_kept_and_said_once() {
    in_sandbox(|home| {
        let first = home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        assert_eq!(
            first.stdout,
            "22/tcp is open to everyone. That is not in force yet: 'fwtui preview' shows it, 'sudo fwtui apply' applies it.\n"
        );
        let text = fs::read_to_string(home.policy()).unwrap();
        let second = home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        assert_eq!(second.stdout, "22/tcp is open to everyone already; nothing changed.\n");
        assert_eq!(fs::read_to_string(home.policy()).unwrap(), text);
        home.fwtui(&["set", "22/tcp", "undecided"])
            .exits(0)
            .says("22/tcp is undecided");
        assert!(!fs::read_to_string(home.policy()).unwrap().contains("22/tcp"));
    });
}

#[test]
fn every_decision_has_its_words() {
    in_sandbox(|home| {
        for (args, words) in [
            (&["5432/tcp", "confine"][..], "5432/tcp is confined to this machine"),
            (&["5353/udp", "trusted"], "5353/udp is for trusted networks"),
            (
                &["22/tcp", "open", "--from", "2001:db8::/32", "--from", "192.0.2.7"],
                "22/tcp is open to 192.0.2.7/32, 2001:db8::/32",
            ),
            (&["192.0.2.1:53/udp", "open"], "192.0.2.1:53/udp is open to everyone"),
            (&["refusal", "drop"], "gets no answer"),
            (&["refusal", "reject"], "gets an answer"),
            (&["logging", "kernel"], "the kernel's log"),
            (&["logging", "nflog"], "NFLOG group 7"),
            (&["logging", "off"], "not logged"),
        ] {
            let args: Vec<&str> = std::iter::once("set").chain(args.iter().copied()).collect();
            home.fwtui(&args).exits(0).says(words);
        }
    });
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    in_sandbox(|home| {
        home.fwtui(&["set", "80/tcp", "open"]).exits(0);
        let before = fs::read_to_string(home.policy()).unwrap();
        for (args, words) in [
            (&["0/tcp", "open"][..], "ports go from 1 to 65535"),
            (&["70000/tcp", "open"], "ports go from 1 to 65535"),
            (&["22/icmp", "open"], "unknown protocol 'icmp'"),
            (&["22", "open"], "22"),
            (&["200-100/tcp", "open"], "200-100"),
            (&["22/tcp", "closed"], "unknown decision 'closed'"),
            (&["22/tcp", "open", "--from", "192.0.2.0/33"], "is no network"),
            (&["22/tcp", "confine", "--from", "192.0.2.0/24"], "takes no sources"),
            (&["refusal", "maybe"], "use reject or drop"),
            (&["refusal", "drop", "--from", "192.0.2.0/24"], "takes no sources"),
            (&["logging", "syslog"], "use off or kernel or nflog"),
        ] {
            let args: Vec<&str> = std::iter::once("set").chain(args.iter().copied()).collect();
            home.fwtui(&args).complains(2, words);
        }
        assert_eq!(fs::read_to_string(home.policy()).unwrap(), before);
    });
}

#[test]
fn ranges_may_nest_but_not_cross() {
    in_sandbox(|home| {
        home.fwtui(&["set", "60000-61000/udp", "open"]).exits(0);
        home.fwtui(&["set", "60500/udp", "confine"]).exits(0);
        home.fwtui(&["set", "60900-62000/udp", "confine"])
            .complains(2, "overlap in part");
        // The same decision on both sides needs no order.
        home.fwtui(&["set", "60900-62000/udp", "open"]).exits(0);
        home.fwtui(&["set", "60000-61000/udp", "trusted"])
            .complains(2, "overlap in part");
        home.fwtui(&["set", "60900-62000/tcp", "confine"]).exits(0);
    });
}

#[test]
fn the_root_given_as_an_argument_goes_before_the_variable() {
    in_sandbox(|home| {
        let other = tempfile::tempdir().unwrap();
        let root = other.path().to_str().unwrap();
        home.fwtui(&["--root", root, "set", "22/tcp", "open"]).exits(0);
        assert!(other.path().join("etc/fwtui/policy.json").exists());
        assert!(!home.policy().exists());
    });
}
