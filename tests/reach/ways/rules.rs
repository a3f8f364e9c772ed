//! Random rules about types of ICMP, states, and the way out.

use fwtui::core::listener::Family;

use super::ENDS;
use crate::dice::Dice;

/// A rule's conditions, in iptables' words.
fn asked(dice: &mut Dice, family: Family, is_in: bool) -> String {
    let not = if dice.once_in(4) { "! " } else { "" };
    let types: &[&str] = match family {
        Family::Ipv4 => &["8", "0", "3", "3/4", "3/1", "3/3", "13", "any", "echo-request"],
        Family::Ipv6 => &[
            "128",
            "129",
            "1",
            "1/4",
            "2",
            "130",
            "134",
            "135",
            "136",
            "router-advertisement",
        ],
    };
    let icmp = match family {
        Family::Ipv4 => "-p icmp -m icmp",
        Family::Ipv6 => "-p ipv6-icmp -m icmp6",
    };
    let option = if family == Family::Ipv4 {
        "--icmp-type"
    } else {
        "--icmpv6-type"
    };
    let (_, own, peer) = ENDS[family as usize];
    let (source, destination) = if is_in { (peer, own) } else { (own, peer) };
    match dice.below(12) {
        0..4 => {
            let kind = dice.one(types);
            let not = if kind == "any" { "" } else { not };
            format!("{icmp} {not}{option} {kind}")
        }
        4 => icmp.split(" -m").next().unwrap().to_owned(),
        5 => format!("-p udp -m udp {not}--{} 9", if is_in { "sport" } else { "dport" }),
        6 | 7 => format!(
            "-m conntrack {not}--ctstate {}",
            dice.one(&[
                "NEW",
                "ESTABLISHED",
                "RELATED",
                "INVALID",
                "UNTRACKED",
                "RELATED,ESTABLISHED",
                "NEW,UNTRACKED"
            ])
        ),
        8 => format!("-m conntrack --ctdir {}", dice.one(&["ORIGINAL", "REPLY"])),
        9 => format!(
            "{not}{} {}",
            if is_in { "-i" } else { "-o" },
            dice.one(&["eth0", "eth1", "lo", "eth+"])
        ),
        10 if family == Family::Ipv6 && is_in => {
            let kind = dice.one(&["135", "136", "134"]);
            format!("{icmp} {option} {kind} -m hl {not}--hl-eq 255")
        }
        10 => format!(
            "-m conntrack --ctproto udp -m conntrack --ctstate {}",
            dice.one(&["NEW", "ESTABLISHED"])
        ),
        _ => format!(
            "{not}{}",
            if dice.once_in(2) {
                format!("-s {source}")
            } else {
                format!("-d {destination}")
            }
        ),
    }
}

/// Rules of iptables for one family.
pub fn saved(dice: &mut Dice, family: Family) -> String {
    let mut text = String::new();
    for (table, chains) in [
        ("raw", &["PREROUTING", "OUTPUT"][..]),
        ("mangle", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
        ("filter", &["INPUT", "OUTPUT"]),
    ] {
        text.push_str(&format!("*{table}\n"));
        let mut rules = String::new();
        for chain in chains {
            let drops = table == "filter" && dice.once_in(3);
            text.push_str(&format!(":{chain} {}\n", if drops { "DROP" } else { "ACCEPT" }));
            let is_in = matches!(*chain, "PREROUTING" | "INPUT");
            let most = if table == "filter" { 6 } else { 2 };
            for _ in 0..dice.below(most) {
                let target = match (table, dice.below(5)) {
                    ("raw", 0) if is_in => "CT --notrack",
                    ("filter", 0) => "REJECT",
                    (_, 1 | 2) => "DROP",
                    _ => "ACCEPT",
                };
                rules.push_str(&format!("-A {chain} {} -j {target}\n", asked(dice, family, is_in)));
            }
        }
        text.push_str(&rules);
        text.push_str("COMMIT\n");
    }
    text
}

/// Rules of nft for both.
pub fn native(dice: &mut Dice) -> String {
    let mut text = "table inet t {\n".to_owned();
    for (hook, priority) in [("prerouting", -350), ("input", 5), ("output", 5)] {
        text.push_str(&format!(
            "chain {hook} {{\ntype filter hook {hook} priority {priority}; policy accept;\n"
        ));
        for _ in 0..dice.below(4) {
            let asked = dice.one(&[
                "icmp type echo-request",
                "icmp type != echo-request",
                "icmp type { echo-request, timestamp-request, destination-unreachable }",
                "icmp type destination-unreachable icmp code 4",
                "icmp type . ip saddr { echo-request . 203.0.113.1 }",
                "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }",
                "icmpv6 type nd-router-advert ip6 hoplimit 255",
                "icmpv6 type >= 133",
                "icmpv6 type != { echo-request, packet-too-big }",
                "icmpv6 code 4",
                "meta l4proto icmp",
                "meta l4proto ipv6-icmp",
                "ct state untracked",
                "ct state invalid",
                "ct state related",
                "ct state { established, new }",
                "ct direction reply",
                "udp dport 9",
            ]);
            let verdict = dice.one(&["drop", "accept", "accept"]);
            text.push_str(&format!("{asked} {verdict}\n"));
        }
        text.push_str("}\n");
    }
    text + "}\n"
}
