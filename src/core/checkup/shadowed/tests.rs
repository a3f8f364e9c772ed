use crate::core::checkup::script::read;
use crate::core::checkup::{Evidence, Finding, check};

/// The findings of rules of INPUT, in a file.
fn found(rules: &[&str]) -> Vec<(String, usize)> {
    let text = rules
        .iter()
        .fold("*filter\n".to_owned(), |text, rule| text + rule + "\n")
        + "COMMIT\n";
    let reading = read("rules.v4", &text).unwrap();
    let findings = check(&Evidence {
        netfilter: Some(&reading.netfilter),
        lines: Some(&reading.lines),
        families: &reading.families,
        ..Evidence::default()
    });
    let is_ours = |finding: &&Finding| ["rule-never-matches", "rule-twice", "chain-unused"].contains(&finding.id);
    let mut found: Vec<(String, usize)> = findings
        .iter()
        .filter(is_ours)
        .map(|finding| (finding.id.to_owned(), finding.place.line.unwrap_or(0)))
        .collect();
    found.sort();
    found
}

#[test]
fn what_is_taken_before_never_matches() {
    for (first, second) in [
        ("-j ACCEPT", "-p tcp -m tcp --dport 22 -j DROP"),
        ("-p tcp -j DROP", "-p tcp -m tcp --dport 22 -j ACCEPT"),
        (
            "-p tcp -m tcp --dport 20:30 -j DROP",
            "-p tcp -m tcp --dport 22 -j ACCEPT",
        ),
        (
            "-p tcp -m multiport --dports 22,80 -j DROP",
            "-p tcp -m tcp --dport 80 -m recent --set -j ACCEPT",
        ),
        (
            "-p tcp -m tcp --dport 80 -j DROP",
            "-p tcp -m multiport --dports 80 -j ACCEPT",
        ),
        (
            "-p tcp -m tcp --dport 1:60000 -j DROP",
            "-p tcp -m tcp --dport 20:30 -j ACCEPT",
        ),
        (
            "-p tcp -m tcp --dport 20:30 -j DROP",
            "-p tcp -m multiport --dports 25,22:24 -j ACCEPT",
        ),
        ("-s 10.0.0.0/8 -j DROP", "-s 10.1.2.0/24 -i eth0 -j LOG"),
        ("-i eth+ -j RETURN", "-i eth0 -j DROP"),
        ("-i lo -j ACCEPT", "-i lo -s 127.0.0.1/32 -j DROP"),
        ("! -i lo -j DROP", "-i eth0 -p tcp -j ACCEPT"),
        (
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-p icmp -m state --state ESTABLISHED -j ACCEPT",
        ),
        (
            "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",
            "-p tcp --dport 9 --syn -j ACCEPT",
        ),
        ("-p tcp -j DROP", "-p tcp -m unheardof --of it -j ACCEPT"),
    ] {
        let rules = [format!("-A INPUT {first}"), format!("-A INPUT {second}")];
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        assert_eq!(found(&rules), [("rule-never-matches".to_owned(), 3)], "{rules:?}");
    }
}

#[test]
fn what_may_match_is_left_alone() {
    for (first, second) in [
        ("-p tcp -m tcp --dport 22 -j DROP", "-p tcp -j ACCEPT"),
        ("-m limit --limit 5/min -j ACCEPT", "-j DROP"),
        ("-p tcp -j LOG", "-p tcp -j DROP"),
        ("-m unheardof -j ACCEPT", "-m unheardof -j DROP"),
        ("-m mark --mark 0x1 -j ACCEPT", "-m mark --mark 0x1 -j DROP"),
        ("-i eth0 -j ACCEPT", "-i eth+ -j DROP"),
        ("-i eth0 -j ACCEPT", "! -i eth0 -j DROP"),
        ("-s 10.0.0.0/24 -j ACCEPT", "-s 10.0.0.0/8 -j DROP"),
        ("! -s 10.0.0.0/8 -j ACCEPT", "-s 10.1.0.0/16 -j DROP"),
        (
            "-m multiport -p tcp --dports 22 -j ACCEPT",
            "-p udp -m udp --dport 22 -j DROP",
        ),
        ("-p udp -m udp --dport 22 -j ACCEPT", "-m multiport --dports 22 -j DROP"),
        ("-m state --state NEW -j ACCEPT", "-m state --state NEW,INVALID -j DROP"),
        (
            "-m set --match-set here src -j ACCEPT",
            "-m set --match-set here src -j DROP",
        ),
        (
            "-p tcp -m tcp --tcp-flags ALL SYN -j ACCEPT",
            "-p tcp -m tcp --syn -j DROP",
        ),
        ("-j NFQUEUE --queue-bypass", "-j ACCEPT"),
        ("-m policy --dir in --pol none -j DROP", "-p tcp -j ACCEPT"),
        ("-p tcp -j DROP", "-m policy --dir in --pol ipsec -j ACCEPT"),
        ("-p esp -m esp --espspi 1 -j ACCEPT", "-p esp -m esp --espspi 2 -j DROP"),
        (
            "-p tcp -j ACCEPT",
            "-m conntrack --ctproto tcp --ctstate RELATED -j DROP",
        ),
        (
            "-m rpfilter --loose -j ACCEPT",
            "-m rpfilter --loose --validmark -j ACCEPT",
        ),
        (
            "-m time --datestop 2026-01-01T00:00:00 -j ACCEPT",
            "-m time --datestop 2026-01-01T00:00:00 -j DROP",
        ),
    ] {
        let rules = [format!("-A INPUT {first}"), format!("-A INPUT {second}")];
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        assert_eq!(found(&rules), [], "{rules:?}");
    }
}

#[test]
fn the_same_rule_twice_and_unused_chains_are_told() {
    let rules = [
        "-N IDLE",
        "-N BUSY",
        "-A IDLE -p tcp -j INNER",
        "-N INNER",
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
        "-A INPUT -p udp -j BUSY",
        "-A INPUT -p tcp -m comment --comment again -m tcp --dport 22 -j ACCEPT",
    ];
    let wanted = [("chain-unused", 0), ("chain-unused", 4), ("rule-twice", 8)];
    assert_eq!(found(&rules), wanted.map(|(id, line)| (id.to_owned(), line)));
}

#[test]
fn many_rules_behind_one_are_one_finding() {
    let rules: Vec<String> = (1..=50)
        .map(|port| format!("-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT"))
        .collect();
    let rules: Vec<&str> = std::iter::once("-A INPUT -j DROP")
        .chain(rules.iter().map(String::as_str))
        .collect();
    assert_eq!(found(&rules), [("rule-never-matches".to_owned(), 3)]);
}
