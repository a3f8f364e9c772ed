//! Own rules, and rules that make no sense.

use proptest::prelude::*;

use super::*;

/// A policy with decisions of every kind, compiled for a machine with networks of every class.
fn own_rules() -> crate::core::ruleset::Ruleset {
    use crate::core::network::{Interface, InterfaceKind};
    use crate::core::policy::{Entry, Policy};
    let mut policy = Policy::default();
    for (id, decision) in [
        ("22/tcp", "open"),
        ("5353/udp", "trusted"),
        ("631/tcp", "confine"),
        ("53/udplite", "confine"),
        ("8000/tcp", "open"),
    ] {
        let entry = Entry {
            decision: decision.parse().unwrap(),
            from: Vec::new(),
        };
        policy.decide(id.parse().unwrap(), entry).unwrap();
    }
    let interface = |index, name: &str, kind, nets: &[&str]| Interface {
        index,
        name: name.into(),
        kind,
        driver: None,
        addresses: nets.iter().map(|net| net.parse().unwrap()).collect(),
        on_link: nets
            .iter()
            .map(|net| net.parse::<ipnet::IpNet>().unwrap().trunc())
            .collect(),
        is_up: true,
        changing: Vec::new(),
        has_default_route: name == "eth0",
        has_physical_port: false,
    };
    let interfaces = [
        interface(1, "lo", InterfaceKind::Loopback, &["127.0.0.1/8", "::1/128"]),
        interface(
            2,
            "eth0",
            InterfaceKind::Ethernet,
            &["198.51.100.10/24", "2001:db8:1::10/64"],
        ),
        interface(3, "eth1", InterfaceKind::Ethernet, &["192.168.7.10/24", "fd07::10/64"]),
        interface(4, "docker0", InterfaceKind::Bridge, &["172.17.0.1/16"]),
    ];
    crate::core::ruleset::compile(&policy, &interfaces)
}

#[test]
fn every_rule_of_fwtui_is_understood() {
    let rules = own_rules();
    let mut seen = 0;
    for family in Family::ALL {
        let own = rules.family(family);
        for line in own.to_text().lines().filter(|line| line.starts_with("-A")) {
            let rule = rule(line, family);
            let text = format!("{:?}", rule.statements);
            assert!(!text.contains("Unknown"), "{line}: {text}");
            assert_eq!(rule.text, line);
            seen += 1;
        }
        let saved = SavedTables::parse(&own.to_text()).unwrap();
        let tables = tables(&saved, Engine::Nft, family, &[]);
        assert!(!format!("{tables:?}").contains("Unknown"), "{tables:?}");
    }
    assert!(seen > 20, "{seen}");
}

/// Words that mean something to somebody, in any order.
fn any_words() -> impl Strategy<Value = Vec<String>> {
    let known = prop::sample::select(vec![
        "!",
        "-m",
        "-j",
        "-g",
        "-s",
        "-d",
        "-i",
        "-o",
        "-p",
        "-f",
        "tcp",
        "conntrack",
        "--ctstate",
        "NEW",
        "set",
        "--match-set",
        "src,dst",
        "--dport",
        "22",
        "1:2",
        "--tcp-flags",
        "SYN",
        "ACCEPT",
        "DNAT",
        "--to-destination",
        "10.0.0.1:80",
        "[::1]:80",
        "10.0.0.0/8",
        "::/0",
        "recent",
        "--set",
        "--name",
        "comment",
        "--comment",
        "time",
        "--datestop",
        "MARK",
        "--set-xmark",
        "0x1/0x2",
        "multiport",
        "--ports",
        "TPROXY",
        "--on-port",
        "",
    ]);
    prop::collection::vec(prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,8}"], 0..14)
}

proptest! {
    #[test]
    fn no_words_make_the_reader_panic(words in any_words(), is_ipv6 in any::<bool>()) {
        let family = if is_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        let context = spec::Context::alone(family);
        let rule = spec::rule(&words, &words.join(" "), &context);
        // Whoever says ACCEPT last means it, or it is not understood.
        if let [.., jump, target] = words.as_slice()
            && jump == "-j" && target == "ACCEPT" && words.iter().filter(|word| *word == "-j").count() == 1
            && !words.iter().any(|word| takes_any_text(word))
        {
            let is_there = rule.statements.iter().any(|statement| {
                matches!(statement, Statement::End(Verdict::Accept) | Statement::Unknown(_))
                    || matches!(statement, Statement::If(Condition::Unknown(_)))
            });
            prop_assert!(is_there, "{:?}", rule);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\*filter\n)?(:INPUT [A-Z-]{1,6}\n)?([ -~]{0,40}\n){0,6}(COMMIT\n)?") {
        if let Ok(saved) = SavedTables::parse(&text) {
            drop(tables(&saved, Engine::Legacy, Family::Ipv6, &[]));
        }
    }
}
