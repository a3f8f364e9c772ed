//! Single cases.

use super::*;

#[test]
fn the_empty_policy_is_the_good_start() {
    let text = switch_text(&SavedFamily::default(), &own(&Policy::default(), true), None);
    for line in [
        "-A FWTUI-A-INPUT -i lo -m comment --comment fwtui:loopback -j RETURN",
        "-A FWTUI-A-INPUT -m conntrack --ctstate RELATED -m comment --comment fwtui:related -j RETURN",
        "-A FWTUI-A-REFUSE -p tcp -j REJECT --reject-with tcp-reset",
        "-A FWTUI-A-REFUSE -j REJECT",
    ] {
        assert!(text.lines().any(|have| have == line), "{line}\n{text}");
    }
    assert!(!text.contains("ACCEPT"), "{text}");
}

#[test]
fn published_ports_are_refused_by_few_rules_where_nothing_is_decided() {
    let rules = compile(&Policy::default(), &interfaces());
    let text = rules.ipv4.to_text();
    let published: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("-A FWTUI-A-PUBLISHED "))
        .collect();
    let labelled =
        "-A FWTUI-A-PUBLISHED -m connlabel --label 119 -m comment --comment fwtui:published -g FWTUI-A-REFUSE";
    let related = "-A FWTUI-A-PUBLISHED -m conntrack --ctstate RELATED -m comment --comment fwtui:related -j RETURN";
    assert_eq!(published, [related, labelled]);
    assert!(!text.contains("PUB-") && !text.contains("DECIDED"), "{text}");
    let label = "-A FWTUI-A-PREROUTING -m conntrack --ctdir ORIGINAL -m addrtype --dst-type LOCAL -m connlabel \
                 --label 119 --set -m comment --comment \"fwtui:sent here\"\n";
    for rules in [&rules.ipv4, &rules.ipv6] {
        assert!(rules.to_text().contains(label), "{}", rules.to_text());
    }
    // Whatever addresses there are.
    let mut elsewhere = interfaces();
    for interface in &mut elsewhere {
        interface.addresses.clear();
    }
    assert_eq!(compile(&Policy::default(), &elsewhere), rules);
}

#[test]
fn without_labels_published_ports_are_told_by_the_addresses_of_now() {
    let rules = compile_by_address(&Policy::default(), &interfaces()).ipv4;
    let text = rules.to_text();
    let own: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split("--ctorigdst ").nth(1)?.split(' ').next())
        .collect();
    assert_eq!(own, ["172.17.0.1", "192.168.7.10", "198.51.100.10"]);
    assert!(!text.contains("connlabel") && !text.contains("*mangle"), "{text}");
    assert_eq!(rules.telling(), Some(Telling::ByAddress));
    // Without an address there is nothing to be published at.
    let nowhere = compile_by_address(&Policy::default(), &[]).ipv4;
    assert!(!nowhere.hooks().contains(&Hook::Forward));
    assert_eq!(nowhere.telling(), None);
}

#[test]
fn rules_whose_label_somebody_took_away_still_ask_for_it() {
    let mut installed = own(&Policy::default(), true);
    let wanted = installed.rules.clone();
    installed.rules.mangle.clear();
    installed.jumps.remove(&Hook::Label);
    assert_eq!(installed.rules.telling(), Some(Telling::ByLabel));
    assert!(!installed.enforces(&wanted), "it is drift");
}

#[test]
fn prefixes_stand_for_addresses_that_come_and_go() {
    let mut interfaces = interfaces();
    interfaces[1].addresses.push("fe80::10/64".parse().unwrap());
    interfaces[2].addresses.push("2001:db8:2::abcd/64".parse().unwrap());
    interfaces[2].changing.push("2001:db8:2::/64".parse().unwrap());
    let text = compile_by_address(&Policy::default(), &interfaces).ipv6.to_text();
    let own: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split("--ctorigdst ").nth(1)?.split(' ').next())
        .collect();
    assert_eq!(own, ["2001:db8:1::10", "2001:db8:2::/64", "fd07::10", "fe80::/10"]);
}

#[test]
fn decisions_nobody_can_meet_at_a_published_port_are_left_out() {
    let mut policy = Policy::default();
    let open = Entry {
        decision: Decision::Open,
        from: vec![],
    };
    for id in ["127.0.0.1:80/tcp", "203.0.113.77:81/tcp", "192.168.7.10:82/tcp"] {
        policy.decide(id.parse().unwrap(), open.clone()).unwrap();
    }
    let text = compile(&policy, &interfaces()).ipv4.to_text();
    assert!(!text.contains("--ctorigdstport 80 "), "{text}");
    // It may come.
    assert!(text.contains("--ctorigdst 203.0.113.77 --ctorigdstport 81 "), "{text}");
    let text = compile_by_address(&policy, &interfaces()).ipv4.to_text();
    assert!(
        !text.contains("--ctorigdstport 80 ") && !text.contains("--ctorigdstport 81 "),
        "{text}"
    );
    assert!(
        text.contains("-A FWTUI-A-PUB-TCP -p tcp -m conntrack --ctorigdst 192.168.7.10 --ctorigdstport 82 "),
        "{text}"
    );
}

#[test]
fn comments_fit() {
    let mut policy = Policy::default();
    let id = "[2001:db8:1234:5678:9abc:def0:1234:5678]:60000-61000/udplite"
        .parse()
        .unwrap();
    policy
        .decide(
            id,
            Entry {
                decision: Decision::Open,
                from: vec![],
            },
        )
        .unwrap();
    let id = policy.services.keys().next().unwrap().clone();
    policy.block(Block::on(id));
    let text = switch_text(&SavedFamily::default(), &own(&policy, false), None);
    assert!(text.contains("fwtui:block [2001:db8:1234"), "{text}");
    assert!(
        text.contains("fwtui:[2001:db8:1234:5678:9abc:def0:1234:5678]:60000-61000/udplite"),
        "{text}"
    );
}

#[test]
fn foreign_rules_are_told_from_own_ones() {
    let saved = SavedTables::parse(
        "# Generated by iptables-save v1.8.9 (nf_tables)\n*filter\n:INPUT DROP [3:180]\n:FORWARD ACCEPT [0:0]\n\
         :FWTUI-INPUT - [0:0]\n:f2b-sshd - [0:0]\n[7:420] -A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd\n\
         -A INPUT -j FWTUI-INPUT\n-A INPUT -m recent --name \"a \\\"b\" --set\n-A f2b-sshd -s 192.0.2.7/32 -j REJECT\n\
         -A f2b-sshd -j RETURN\nCOMMIT\n",
    )
    .unwrap();
    let family = saved.take_apart(Duration::ZERO);
    assert!(family.misplaced.is_empty(), "fail2ban only refuses");
    assert_eq!(family.jumps.get(&Hook::Input), Some(&1));
    assert_eq!(family.own.slot, None);
    let foreign: Vec<String> = family.foreign.iter().map(ToString::to_string).collect();
    assert_eq!(foreign.len(), 3, "{foreign:?}");
    assert!(foreign[0].contains("policy DROP"), "{foreign:?}");
}

#[test]
fn what_is_no_save_is_refused_with_its_line() {
    for (text, line, why) in [
        ("-A INPUT -j ACCEPT\n", 1, "outside of any table"),
        ("*filter\n:INPUT ACCEPT [0:0]\n", 2, "cut off"),
        ("*raw\n*filter\nCOMMIT\n", 2, "cut off"),
        ("*filter\n-A INPUT -m comment --comment \"x\n", 2, "cut off"),
    ] {
        let error = SavedTables::parse(text).unwrap_err();
        assert_eq!(error.line, line, "{text}");
        assert!(error.reason.contains(why), "{error}");
    }
}

#[test]
fn a_rule_of_somebody_elses_makes_the_verdict_unknown() {
    let mut installed = own(&Policy::default(), true);
    installed
        .rules
        .filter
        .get_mut("INPUT")
        .unwrap()
        .insert(0, Rule::Other(vec!["-m".into(), "u32".into()]));
    let packet = Packet::opening(
        "eth0",
        "203.0.113.9".parse().unwrap(),
        destination(true),
        Protocol::Tcp,
        22,
    );
    assert!(matches!(installed.verdict(&packet), Verdict::Unknown(_)));
}

#[test]
fn a_source_that_is_everyone_is_no_match() {
    let mut policy = Policy::default();
    let entry = Entry {
        decision: Decision::Open,
        from: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
    };
    policy.decide("22/tcp".parse().unwrap(), entry).unwrap();
    policy.networks.trusted_sources = vec!["0.0.0.0/0".parse().unwrap()];
    let ruleset = compile(&policy, &[]);
    // The kernel's programs leave it out, and what is read back must be what was printed.
    assert!(!ruleset.ipv4.to_text().contains("-s 0.0.0.0/0"));
    assert!(!ruleset.ipv6.to_text().contains("-s ::/0"));
}

#[test]
fn clients_without_an_address_ask_a_trusted_dhcp_server() {
    let mut policy = Policy::default();
    policy.networks.interfaces.insert("eth1".into(), NetworkClass::Trusted);
    let trusted = Entry {
        decision: Decision::Trusted,
        from: vec![],
    };
    policy.decide("67/udp".parse().unwrap(), trusted).unwrap();
    let own = own(&policy, true);
    let everyone = IpAddr::from([255; 4]);
    let asks = |interface, source_port| Packet {
        source_port,
        ..Packet::opening(interface, Ipv4Addr::UNSPECIFIED.into(), everyone, Protocol::Udp, 67)
    };
    assert_eq!(own.verdict(&asks("eth1", 68)), Verdict::Pass);
    for packet in [asks("eth0", 68), asks("eth1", 50_000)] {
        assert!(matches!(own.verdict(&packet), Verdict::Reject(_)), "{packet:?}");
    }
}
