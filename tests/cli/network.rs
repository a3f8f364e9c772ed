//! `fwtui network`

use std::fs;

use crate::harness::in_sandbox;

#[test]
fn interfaces_and_networks_have_classes() {
    in_sandbox(|home| {
        for (args, words) in [
            (["network", "eth1", "trusted"], "eth1 is trusted."),
            (
                ["network", "eth1", "trusted"],
                "eth1 is trusted already; nothing changed.",
            ),
            (["network", "eth1", "guests"], "eth1 is guests."),
            (["network", "198.51.100.0/24", "trusted"], "198.51.100.0/24 is trusted."),
            (["network", "2001:db8:7::/48", "trusted"], "2001:db8:7::/48 is trusted."),
        ] {
            home.fwtui(&args).exits(0).says(words);
        }
        home.fwtui(&["network"])
            .exits(0)
            .says("eth0       ethernet  public (default route, proposed)")
            .says("eth1       ethernet  guests")
            .says("Trusted wherever it comes in: 198.51.100.0/24, 2001:db8:7::/48");
        home.fwtui(&["network", "198.51.100.0/24", "public"]).exits(0);
        assert!(!fs::read_to_string(home.policy()).unwrap().contains("198.51.100.0"));
    });
}

#[test]
fn one_interface_is_told_whole() {
    in_sandbox(|home| {
        let _listening = std::net::TcpListener::bind("0.0.0.0:5432").unwrap();
        home.fwtui(&["set", "5432/tcp", "trusted"]).exits(0);
        home.fwtui(&["network", "eth1", "trusted"]).exits(0);
        home.fwtui(&["network", "eth0"])
            .exits(0)
            .says("Behind its router")
            .says("If it were trusted, after applying its neighbours would also reach")
            .says("IF GUESTS");
        home.fwtui(&["network", "eth1"])
            .exits(0)
            .says("If it were public, after applying its neighbours would no longer reach");
        home.fwtui(&["network", "lo"]).exits(0).says("This machine itself");
        for (subject, words) in [
            ("eth9", "there is no interface eth9 now"),
            ("eth\u{1b}[2J", "there is no interface eth?[2J now"),
            ("198.51.100.0/24", "fwtui network 198.51.100.0/24 trusted"),
        ] {
            let code = if subject.starts_with('e') { 1 } else { 2 };
            home.fwtui(&["network", subject]).complains(code, words);
        }
        let told = home.fwtui(&["network", "eth0", "--json"]).exits(0).json();
        let networks = told["networks"].as_array().unwrap();
        assert_eq!((networks.len(), &networks[0]["interface"]), (1, &"eth0".into()));
        let services = networks[0]["services"].as_array().unwrap();
        let postgres = services.iter().find(|service| service["id"] == "5432/tcp").unwrap();
        for (field, admits) in [
            ("now", "everyone"),
            ("if_public", "nobody"),
            ("if_trusted", "neighbours"),
            ("if_guests", "neighbours"),
        ] {
            assert_eq!(postgres[field], admits, "{field}: {postgres}");
        }
    });
}

#[test]
fn an_interface_may_come_later() {
    in_sandbox(|home| {
        let done = home
            .fwtui(&["network", "wlan0", "public"])
            .exits(0)
            .says("wlan0 is public.");
        assert!(done.stderr.contains("no interface wlan0 now"), "{}", done.stderr);
    });
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    in_sandbox(|home| {
        for (subject, class, words) in [
            ("eth1", "friend", "unknown class 'friend'"),
            ("lo", "trusted", "never refused"),
            ("eth/1", "trusted", "is no network"),
            ("192.0.2.0/33", "trusted", "is no network"),
            ("192.0.2.0/24", "guests", "not a network"),
            ("an-interface-with-a-long-name", "public", "is no interface"),
            ("eth0 ; reboot", "public", "is no interface"),
            ("", "public", "is no interface"),
        ] {
            home.fwtui(&["network", subject, class]).complains(2, words);
        }
        assert!(!home.policy().exists());
    });
}
