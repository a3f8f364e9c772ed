//! One example and one near miss of each kind.

use super::*;
use crate::core::checkup::Lines;

const BOTH: [Family; 2] = Family::ALL;
const LO: &str = "-A INPUT -i lo -j ACCEPT";
const KNOWN: &str = "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT";
const SSH: &str = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT";

/// Rules of one family, judged alone.
fn alone(family: Family, save: &str) -> Vec<Finding> {
    let netfilter = match family {
        Family::Ipv4 => kernel(save, ""),
        Family::Ipv6 => kernel("", save),
    };
    found(&netfilter, &[family])
}

/// That a finding is there as bad as that, and gone when its own advice is followed.
fn is_cured(family: Family, save: &str, id: &str, severity: Severity) -> Finding {
    let findings = alone(family, save);
    let finding = findings.iter().find(|finding| finding.id == id);
    let Some(finding) = finding else {
        panic!("{id} not among {:?}\n{save}", ids(&findings));
    };
    assert_eq!(finding.severity, severity, "{id}\n{save}");
    let after = following(save, &finding.advice, family);
    assert_ne!(after, save, "{}", finding.advice);
    let left = alone(family, &after);
    assert!(
        left.iter().all(|left| left.id != id),
        "{id} is still there after {}\n{after}",
        finding.advice
    );
    finding.clone()
}

fn is_absent(family: Family, save: &str, id: &str) {
    let findings = alone(family, save);
    let there = findings.iter().find(|finding| finding.id == id);
    assert!(there.is_none(), "{there:?}\n{save}");
}

#[test]
fn the_classic_ipv6_ruleset_breaks_neighbour_discovery() {
    let classic = filter(
        "DROP",
        "ACCEPT",
        &[
            LO,
            "-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT",
            SSH,
            "-A INPUT -j REJECT --reject-with icmp6-port-unreachable",
        ],
    );
    let found = is_cured(
        Family::Ipv6,
        &classic,
        "ipv6-neighbour-discovery-refused",
        Severity::Harmful,
    );
    assert_eq!(
        found.place.rule.as_deref(),
        Some("-A INPUT -j REJECT --reject-with icmp6-port-unreachable")
    );
    for (id, severity) in [
        ("ipv6-router-advertisements-refused", Severity::Harmful),
        ("ipv6-multicast-listener-refused", Severity::Risky),
        ("ipv6-echo-refused", Severity::Info),
        ("dhcpv6-answers-refused", Severity::Risky),
    ] {
        is_cured(Family::Ipv6, &classic, id, severity);
    }
    is_absent(Family::Ipv6, &classic, "ipv6-packet-too-big-refused");
    is_absent(Family::Ipv6, &classic, "answers-refused");
    is_absent(Family::Ipv6, &classic, "loopback-refused");
    // One of the two types is not enough.
    for (types, is_there) in [
        (vec![135, 136], false),
        (vec![135], true),
        (vec![136], true),
        (vec![], true),
    ] {
        let types: Vec<String> = types
            .iter()
            .map(|kind| format!("-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j ACCEPT"))
            .collect();
        let rules: Vec<&str> = [LO, KNOWN]
            .into_iter()
            .chain(types.iter().map(String::as_str))
            .collect();
        let findings = alone(Family::Ipv6, &filter("DROP", "ACCEPT", &rules));
        let is_found = ids(&findings).contains_key("ipv6-neighbour-discovery-refused");
        assert_eq!(is_found, is_there, "{types:?}");
    }
    // The policy is a place as well.
    let policy = alone(Family::Ipv6, &filter("DROP", "ACCEPT", &[LO, KNOWN]));
    let of_policy = policy.iter().find(|finding| finding.id.contains("discovery")).unwrap();
    assert_eq!(of_policy.place.chain.as_deref(), Some("ip6 filter INPUT"));
    assert_eq!(of_policy.place.rule, None);
}

#[test]
fn discovery_from_the_link_only_is_half_of_it() {
    let local = "-A INPUT -s fe80::/10 -p ipv6-icmp -j ACCEPT";
    let rules = filter("DROP", "ACCEPT", &[LO, KNOWN, local]);
    is_cured(
        Family::Ipv6,
        &rules,
        "ipv6-neighbour-discovery-refused",
        Severity::Risky,
    );
    is_absent(Family::Ipv6, &rules, "ipv6-router-advertisements-refused");
    let all = filter("DROP", "ACCEPT", &[LO, KNOWN, "-A INPUT -p ipv6-icmp -j ACCEPT"]);
    assert_eq!(
        ids(&alone(Family::Ipv6, &all)).keys().collect::<Vec<_>>(),
        [&"dhcpv6-answers-refused"]
    );
}

#[test]
fn errors_need_related() {
    let only = filter(
        "DROP",
        "ACCEPT",
        &[LO, "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT", SSH],
    );
    is_cured(Family::Ipv4, &only, "icmp-errors-refused", Severity::Harmful);
    is_cured(Family::Ipv6, &only, "ipv6-packet-too-big-refused", Severity::Harmful);
    let both = filter("DROP", "ACCEPT", &[LO, KNOWN, SSH]);
    is_absent(Family::Ipv4, &both, "icmp-errors-refused");
    is_absent(Family::Ipv6, &both, "ipv6-packet-too-big-refused");
    // What drops all of ICMP in raw is in front of conntrack, and the cure is there too.
    let raw = "*raw\n:PREROUTING ACCEPT\n-A PREROUTING -p icmp -j DROP\nCOMMIT\n";
    let found = is_cured(Family::Ipv4, raw, "icmp-errors-refused", Severity::Harmful);
    assert!(
        found.advice.contains("iptables -t raw -I PREROUTING"),
        "{}",
        found.advice
    );
    let pings = raw.replace("-p icmp -j", "-p icmp -m icmp --icmp-type 8 -j");
    is_absent(Family::Ipv4, &pings, "icmp-errors-refused");
}

#[test]
fn echo_is_asked_of_neighbours() {
    let none = filter(
        "ACCEPT",
        "ACCEPT",
        &["-A INPUT -p icmp -m icmp --icmp-type echo-request -j DROP"],
    );
    is_cured(Family::Ipv4, &none, "icmp-echo-refused", Severity::Risky);
    let limited = filter(
        "DROP",
        "ACCEPT",
        &[
            LO,
            KNOWN,
            "-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 1/sec -j ACCEPT",
        ],
    );
    is_absent(Family::Ipv4, &limited, "icmp-echo-refused");
    let lan = filter("DROP", "ACCEPT", &[LO, KNOWN, "-A INPUT -s 192.168.1.0/24 -j ACCEPT"]);
    is_absent(Family::Ipv4, &lan, "icmp-echo-refused");
}

#[test]
fn what_is_not_understood_does_no_harm() {
    let rules = [LO, "-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT"];
    for family in BOTH {
        let findings = alone(
            family,
            &filter(
                "DROP",
                "DROP",
                &[
                    rules[0],
                    rules[1],
                    "-A OUTPUT -m owner --uid-owner 0 -j ACCEPT",
                    "-A OUTPUT -o lo -j ACCEPT",
                ],
            ),
        );
        let harmful: Vec<_> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Harmful)
            .collect();
        assert!(harmful.is_empty(), "{harmful:#?}");
    }
    let unseen = Netfilter::unseen("no root");
    assert_eq!(found(&unseen, &BOTH), []);
}

#[test]
fn interfaces_that_rules_name_are_the_ones_walked() {
    let rules = filter(
        "DROP",
        "ACCEPT",
        &[LO, KNOWN, "-A INPUT -i enp3s0 -p ipv6-icmp -j ACCEPT"],
    );
    is_absent(Family::Ipv6, &rules, "ipv6-neighbour-discovery-refused");
    let gateway = filter(
        "DROP",
        "ACCEPT",
        &[
            LO,
            KNOWN,
            "-A INPUT -i eth1 -j ACCEPT",
            "-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT",
        ],
    );
    let found = is_cured(
        Family::Ipv6,
        &gateway,
        "ipv6-neighbour-discovery-refused",
        Severity::Harmful,
    );
    assert!(found.what.contains("on eth0"), "{}", found.what);
    // A telephone line has errors and answers, and no neighbours.
    let line = filter(
        "DROP",
        "ACCEPT",
        &[
            LO,
            "-A INPUT -i ppp0 -m state --state ESTABLISHED -j ACCEPT",
            "-A INPUT -i eth1 -j ACCEPT",
        ],
    );
    let found = is_cured(Family::Ipv4, &line, "icmp-errors-refused", Severity::Harmful);
    assert!(found.what.contains("on ppp0"), "{}", found.what);
    is_absent(Family::Ipv6, &line, "ipv6-neighbour-discovery-refused");
    let tunnel = filter("DROP", "ACCEPT", &[LO, KNOWN, "-A INPUT -i tun0 -j ACCEPT"]);
    is_cured(
        Family::Ipv6,
        &tunnel,
        "ipv6-neighbour-discovery-refused",
        Severity::Harmful,
    );
}

#[test]
fn a_host_address_in_the_rules_may_be_its_own() {
    let rules = filter(
        "DROP",
        "ACCEPT",
        &[
            LO,
            "-A INPUT -d 203.0.113.10/32 -m state --state RELATED,ESTABLISHED -j ACCEPT",
        ],
    );
    is_absent(Family::Ipv4, &rules, "answers-refused");
    is_absent(Family::Ipv4, &rules, "icmp-errors-refused");
}

#[test]
fn loopback_and_answers_stand_in_front() {
    let neither = filter("DROP", "ACCEPT", &[SSH]);
    is_cured(Family::Ipv4, &neither, "loopback-refused", Severity::Harmful);
    is_cured(Family::Ipv4, &neither, "answers-refused", Severity::Harmful);
    let by_address = filter("DROP", "ACCEPT", &["-A INPUT -s 127.0.0.0/8 -j ACCEPT", KNOWN]);
    is_cured(Family::Ipv4, &by_address, "loopback-refused", Severity::Risky);
    is_absent(Family::Ipv4, &by_address, "answers-refused");
    let good = filter("DROP", "ACCEPT", &[LO, KNOWN]);
    is_absent(Family::Ipv4, &good, "loopback-refused");
    // Without conntrack, as it was done before there was any; DNS has to be let in by its port.
    let stateless = [LO, "-A INPUT -p tcp ! --syn -j ACCEPT"];
    let refused = alone(Family::Ipv4, &filter("DROP", "ACCEPT", &stateless));
    let answers = refused.iter().find(|finding| finding.id == "answers-refused").unwrap();
    assert!(answers.what.contains("DNS"), "{}", answers.what);
    let with_dns = [
        LO,
        "-A INPUT -p tcp -m tcp ! --syn -j ACCEPT",
        "-A INPUT -p udp -m udp --sport 53 -j ACCEPT",
    ];
    is_absent(Family::Ipv4, &filter("DROP", "ACCEPT", &with_dns), "answers-refused");
    // Who may ask nothing misses no answers.
    let closed = filter("DROP", "DROP", &[LO, "-A OUTPUT -o lo -j ACCEPT"]);
    is_absent(Family::Ipv4, &closed, "answers-refused");
    // And who is let in wants to hear something.
    let mute = filter("DROP", "DROP", &[LO, KNOWN, SSH, "-A OUTPUT -o lo -j ACCEPT"]);
    let found = is_cured(Family::Ipv4, &mute, "answers-refused", Severity::Harmful);
    assert!(found.what.contains("port 22/tcp"), "{}", found.what);
}

#[test]
fn what_goes_out_is_looked_at_as_well() {
    let closed = filter("ACCEPT", "DROP", &[]);
    is_cured(Family::Ipv4, &closed, "outbound-loopback-refused", Severity::Harmful);
    is_cured(Family::Ipv4, &closed, "outbound-dns-refused", Severity::Harmful);
    is_cured(Family::Ipv4, &closed, "outbound-dhcp-refused", Severity::Risky);
    is_cured(Family::Ipv6, &closed, "outbound-dhcp-refused", Severity::Risky);
    is_cured(Family::Ipv4, &closed, "outbound-ntp-refused", Severity::Risky);
    is_cured(
        Family::Ipv6,
        &closed,
        "outbound-neighbour-discovery-refused",
        Severity::Harmful,
    );
    assert_eq!(
        ids(&alone(Family::Ipv4, &closed)).get("outbound-filtered"),
        Some(&Severity::Info)
    );
    let open = filter("ACCEPT", "ACCEPT", &["-A OUTPUT -p tcp -m tcp --dport 25 -j REJECT"]);
    assert_eq!(alone(Family::Ipv4, &open), []);
    let careful = filter(
        "ACCEPT",
        "DROP",
        &[
            "-A OUTPUT -o lo -j ACCEPT",
            "-A OUTPUT -m state --state RELATED,ESTABLISHED -j ACCEPT",
            "-A OUTPUT -p ipv6-icmp -j ACCEPT",
            "-A OUTPUT -d 9.9.9.9/32 -p udp -m udp --dport 53 -j ACCEPT",
            "-A OUTPUT -p udp -m udp --dport 123 -j ACCEPT",
            "-A OUTPUT -p udp -m udp --dport 67 -j ACCEPT",
        ],
    );
    assert_eq!(
        ids(&alone(Family::Ipv4, &careful)).keys().collect::<Vec<_>>(),
        [&"outbound-filtered"]
    );
    // Everything by a tunnel, and nothing beside it: names are found there.
    for tunnel in ["-A OUTPUT -o tun0 -j ACCEPT", "-A OUTPUT -o wg+ -j ACCEPT"] {
        let tunnelled = filter(
            "ACCEPT",
            "DROP",
            &[
                "-A OUTPUT -o lo -j ACCEPT",
                tunnel,
                "-A OUTPUT -d 198.51.100.1/32 -p udp -m udp --dport 1194 -j ACCEPT",
            ],
        );
        is_absent(Family::Ipv4, &tunnelled, "outbound-dns-refused");
        is_absent(Family::Ipv4, &tunnelled, "outbound-ntp-refused");
    }
    // One family of two: somebody may still answer.
    let one = found(&kernel(&closed, ""), &BOTH);
    assert_eq!(ids(&one).get("outbound-dns-refused"), Some(&Severity::Risky));
    let both = found(&kernel(&closed, &closed), &BOTH);
    assert_eq!(ids(&both).get("outbound-dns-refused"), Some(&Severity::Harmful));
}

#[test]
fn running_connections_come_first() {
    let ports: Vec<String> = (1..=20)
        .map(|port| format!("-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT"))
        .collect();
    let mut rules: Vec<&str> = vec![LO];
    rules.extend(ports.iter().map(String::as_str));
    let early: Vec<&str> = [LO, KNOWN].into_iter().chain(rules[1..].iter().copied()).collect();
    is_absent(Family::Ipv4, &filter("DROP", "ACCEPT", &early), "established-late");
    rules.push(KNOWN);
    let found = alone(Family::Ipv4, &filter("DROP", "ACCEPT", &rules));
    let late = found.iter().find(|finding| finding.id == "established-late").unwrap();
    assert_eq!(late.place.rule.as_deref(), Some(KNOWN));
    assert!(late.what.contains("21 rules"), "{}", late.what);
}

#[test]
fn what_accepts_everything_hides_what_refuses() {
    let telnet = "-A INPUT -p tcp -m tcp --dport 23 -j DROP";
    let hidden = filter("ACCEPT", "ACCEPT", &["-A INPUT -j ACCEPT", telnet]);
    let found = alone(Family::Ipv4, &hidden);
    let first = &found[0];
    assert_eq!(
        (first.id, first.severity),
        ("accepted-before-refused", Severity::Harmful)
    );
    assert_eq!(first.place.rule.as_deref(), Some("-A INPUT -j ACCEPT"));
    // Another table refuses it after all.
    let twice = format!(
        "*mangle\n:PREROUTING ACCEPT\n{}\nCOMMIT\n{hidden}",
        telnet.replace("INPUT", "PREROUTING")
    );
    assert_eq!(
        ids(&alone(Family::Ipv4, &twice)).get("accepted-before-refused"),
        Some(&Severity::Risky)
    );
    for rules in [
        [telnet, "-A INPUT -j ACCEPT"],
        [LO, telnet],
        ["-A INPUT -i eth1 -j ACCEPT", telnet],
    ] {
        is_absent(
            Family::Ipv4,
            &filter("ACCEPT", "ACCEPT", &rules),
            "accepted-before-refused",
        );
    }
}

#[test]
fn a_flush_leaves_the_policy() {
    let drop = filter("DROP", "ACCEPT", &[LO, KNOWN, SSH]);
    let found = alone(Family::Ipv4, &drop);
    let flush = found.iter().find(|finding| finding.id == "policy-drop-flush").unwrap();
    assert_eq!(flush.severity, Severity::Risky);
    let reject = filter("ACCEPT", "ACCEPT", &[LO, KNOWN, SSH, "-A INPUT -j REJECT"]);
    is_absent(Family::Ipv4, &reject, "policy-drop-flush");
    // Nobody gets in anyway.
    is_absent(
        Family::Ipv4,
        &filter("DROP", "ACCEPT", &[LO, KNOWN]),
        "policy-drop-flush",
    );
}

#[test]
fn a_family_without_rules_is_missed() {
    let ipv4 = filter("DROP", "ACCEPT", &[LO, KNOWN, SSH]);
    let both = found(&kernel(&ipv4, ""), &BOTH);
    assert_eq!(ids(&both).get("ipv6-forgotten"), Some(&Severity::Missing));
    assert!(!ids(&both).contains_key("ipv4-forgotten"));
    let reverse = found(&kernel("", &ipv4), &BOTH);
    assert_eq!(ids(&reverse).get("ipv4-forgotten"), Some(&Severity::Missing));
    // Of one family's rules by themselves nothing is known of the other; of a file, that it has none.
    assert!(!ids(&alone(Family::Ipv4, &ipv4)).contains_key("ipv6-forgotten"));
    let of_file = |file: &str, family: Family, save: &str| {
        let lines = Lines {
            file: file.to_owned(),
            ..Lines::default()
        };
        let netfilter = match family {
            Family::Ipv4 => kernel(save, ""),
            Family::Ipv6 => kernel("", save),
        };
        let findings = findings_of(&Evidence {
            netfilter: Some(&netfilter),
            families: &[family],
            lines: Some(&lines),
            ..Evidence::default()
        });
        ids(&findings).get("ipv6-forgotten").copied()
    };
    assert_eq!(of_file("firewall.sh", Family::Ipv4, &ipv4), Some(Severity::Missing));
    assert_eq!(of_file("/etc/iptables/rules.v4", Family::Ipv4, &ipv4), None);
    assert_eq!(of_file("firewall.sh", Family::Ipv6, &ipv4), None);
    let open = filter("ACCEPT", "ACCEPT", &["-A INPUT -p tcp -m tcp --dport 23 -j DROP"]);
    assert_eq!(of_file("firewall.sh", Family::Ipv4, &open), None);
    let same = found(&kernel(&ipv4, &ipv4), &BOTH);
    assert!(!ids(&same).contains_key("ipv6-forgotten"));
    let port = filter("ACCEPT", "ACCEPT", &["-A INPUT -p tcp -m tcp --dport 3306 -j DROP"]);
    let one = found(&kernel(&port, ""), &BOTH);
    assert!(one[0].what.contains("3306/tcp is refused over IPv4"), "{}", one[0].what);
}
