//! What is found, is so, and what is so, is found: of rules written in many ways, each harm is tried
//! with packets, and there must be a finding of it where there is harm, and none where there is none.
//! Then everything is done that is advised, and there is neither.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};

use super::ipv6::{after_forgetting_within, hasten, is_configured};
use super::{CLOSED, OPEN, findings, follow, knock_out, listen_at};
use crate::checks::{self, SIZE, at, transfer};
use crate::harness::{Lab, SILENCE, in_sandbox};
use crate::raw;

/// The harm that is done, by the ids of its findings.
fn harm(lab: &Lab, prefix: u16) -> BTreeSet<&'static str> {
    let target =
        |neighbour: Neighbour, port| Family::ALL.map(|family| SocketAddr::new(neighbour.addresses().of(family), port));
    let works = |targets: &[SocketAddr], protocol| targets.iter().all(|to| knock_out(*to, protocol) == Knock::Answered);
    let public = Neighbour::Public.machine().v4;
    let echo = at(Neighbour::Public, || raw::ping(public.into()));
    let answers = [(CLOSED, Protocol::Tcp), (53, Protocol::Udp)]
        .iter()
        .all(|(port, protocol)| works(&target(Neighbour::Public, *port), *protocol));
    let own = [(Ipv4Addr::LOCALHOST, OPEN).into(), (Ipv6Addr::LOCALHOST, CLOSED).into()];
    let all = [
        ("answers-refused", answers),
        ("loopback-refused", works(&own, Protocol::Tcp)),
        ("ipv6-router-advertisements-refused", is_configured(lab, prefix)),
        ("dhcpv6-answers-refused", checks::dhcpv6(lab).is_ok()),
        ("icmp-echo-refused", echo),
        ("icmp-errors-refused", transfer(lab, Family::Ipv4, 23).0 == SIZE),
        ("ipv6-packet-too-big-refused", transfer(lab, Family::Ipv6, 23).0 == SIZE),
        // At the end: the others need neighbours that are known.
        (
            "ipv6-neighbour-discovery-refused",
            [None, Some(Neighbour::Trusted)]
                .iter()
                .all(|from| after_forgetting_within(SILENCE, lab, *from) != Knock::Unreachable),
        ),
    ];
    all.into_iter().filter(|(_, works)| !works).map(|(id, _)| id).collect()
}

/// Commands as one types them; those that begin with an option are meant for both families.
fn load(lab: &Lab, commands: &[&str]) {
    lab.line("nft flush ruleset");
    // Neighbours know each other, and don't ask again for the time being.
    checks::pings(lab).unwrap();
    checks::dhcpv6(lab).unwrap();
    lab.line("conntrack -F");
    for command in commands {
        if command.starts_with('-') {
            lab.line(&format!("iptables {command}"));
            lab.line(&format!("ip6tables {command}"));
        } else {
            lab.line(command);
        }
    }
}

/// Listeners, and neighbours that are not asked for again and again.
fn prepare(lab: &Lab) {
    lab.listen_everywhere(OPEN);
    lab.listen_everywhere(CLOSED);
    listen_at(lab, Neighbour::Trusted, CLOSED);
    listen_at(lab, Neighbour::Public, CLOSED);
    listen_at(lab, Neighbour::Public, 53);
    hasten(lab);
    for (at, devices) in [
        (None, "eth0 eth1"),
        (Some(Neighbour::Public), "eth0"),
        (Some(Neighbour::Trusted), "eth0"),
    ] {
        for device in devices.split(' ') {
            let line = format!(
                "sysctl -qw net.ipv6.neigh.{device}.base_reachable_time_ms=120000 \
                 net.ipv6.neigh.{device}.delay_first_probe_time=60"
            );
            at.map_or_else(|| lab.line(&line), |neighbour| lab.line_at(neighbour, &line));
        }
    }
    // Addresses that change: nothing is static here.
    assert!(is_configured(lab, 0xfd90));
}

/// Finds in each ruleset what is so.
fn is_told(lab: &Lab, rulesets: &[&[&str]]) {
    prepare(lab);
    for (prefix, commands) in (0xfd91..).zip(rulesets) {
        load(lab, commands);
        let done = harm(lab, prefix);
        assert_eq!(told(lab), done, "{commands:#?}\n{:#?}", findings(lab));
        for id in &done {
            follow(lab, id);
        }
        // A route by a router that was not found is asked for again after a minute only; a neighbour at once.
        raw::ping(Neighbour::Trusted.addresses().v6.into());
        let none = BTreeSet::new();
        assert_eq!(
            (harm(lab, prefix + 0x10), told(lab)),
            (none.clone(), none),
            "{commands:#?}"
        );
    }
}

/// What `fwtui check` says of these.
fn told(lab: &Lab) -> BTreeSet<&'static str> {
    let findings = findings(lab);
    let is_found = |id: &&str| findings.iter().any(|finding| finding["id"] == *id);
    KINDS.into_iter().filter(is_found).collect()
}

/// What is tried.
const KINDS: [&str; 8] = [
    "ipv6-neighbour-discovery-refused",
    "answers-refused",
    "loopback-refused",
    "ipv6-router-advertisements-refused",
    "dhcpv6-answers-refused",
    "icmp-echo-refused",
    "icmp-errors-refused",
    "ipv6-packet-too-big-refused",
];

const LO: &str = "-A INPUT -i lo -j ACCEPT";
const KNOWN: &str = "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT";
const SERVICES: &str = "-A INPUT -p tcp -m multiport --dports 22,23 -j ACCEPT";
const ICMP: &str = "iptables -A INPUT -p icmp -j ACCEPT";
const DHCPV6: &str = "ip6tables -A INPUT -s fe80::/10 -p udp --dport 546 -j ACCEPT";
const ICMPV6: &str = "ip6tables -A INPUT -p icmpv6 -j ACCEPT";

#[test]
fn of_nothing_and_of_what_asks_for_new_connections() {
    in_sandbox(|lab| {
        is_told(
            lab,
            &[
                &[],
                &[LO, SERVICES, "-A INPUT -m conntrack --ctstate NEW,INVALID -j DROP"],
                &[LO, SERVICES, "-A INPUT -p tcp --syn -j REJECT"],
                &[
                    LO,
                    KNOWN,
                    SERVICES,
                    "-A INPUT -p tcp -j DROP",
                    "-A INPUT -p udp -j DROP",
                ],
            ],
        );
    });
}

#[test]
fn of_drops_in_other_tables() {
    in_sandbox(|lab| {
        is_told(
            lab,
            &[
                &[
                    "iptables -t mangle -A PREROUTING -p icmp -j DROP",
                    "ip6tables -t mangle -A PREROUTING -p icmpv6 --icmpv6-type 136 -j DROP",
                ],
                &["-t raw -A PREROUTING -p udp --sport 53 -j DROP"],
            ],
        );
    });
}

/// Accepting what is ESTABLISHED would not help: nothing is.
#[test]
fn of_connections_that_are_not_tracked() {
    in_sandbox(|lab| {
        prepare(lab);
        let rules = [LO, KNOWN, SERVICES, ICMP, ICMPV6, DHCPV6, "-A INPUT -j DROP"];
        let untracked = ["-t raw -A PREROUTING -j NOTRACK", "-t raw -A OUTPUT -j NOTRACK"];
        load(lab, &[&untracked[..], &rules].concat());
        let only_answers = BTreeSet::from(["answers-refused"]);
        assert_eq!((told(lab), harm(lab, 0xfd91)), (only_answers.clone(), only_answers));
        let findings = findings(lab);
        let finding = findings
            .iter()
            .find(|finding| finding["id"] == "answers-refused")
            .unwrap();
        assert!(finding["do"].as_str().unwrap().contains("from conntrack"), "{finding}");
        load(lab, &rules);
        assert_eq!((told(lab), harm(lab, 0xfd92)), (BTreeSet::new(), BTreeSet::new()));
    });
}

#[test]
fn of_limits() {
    in_sandbox(|lab| {
        is_told(
            lab,
            &[&[
                LO,
                KNOWN,
                SERVICES,
                "iptables -A INPUT -p icmp -m limit --limit 100/second -j ACCEPT",
                "ip6tables -A INPUT -p icmpv6 -m limit --limit 100/second -j ACCEPT",
                "-A INPUT -j REJECT",
            ]],
        );
    });
}

#[test]
fn of_chains_and_sources() {
    in_sandbox(|lab| {
        is_told(
            lab,
            &[&[
                "-N IN",
                "-A INPUT -i eth+ -j IN",
                "-A IN -m conntrack --ctstate ESTABLISHED -j RETURN",
                "ip6tables -A IN -s fe80::/10 -p icmpv6 -j RETURN",
                "-A IN -p tcp -m multiport --dports 22,23 -j RETURN",
                "-A IN -j DROP",
            ]],
        );
    });
}

#[test]
fn of_iptables_legacy() {
    in_sandbox(|lab| {
        is_told(
            lab,
            &[&[
                "iptables-legacy -A INPUT -p icmp -j DROP",
                "ip6tables-legacy -A INPUT -p icmpv6 ! --icmpv6-type 128 -j DROP",
            ]],
        );
    });
}
