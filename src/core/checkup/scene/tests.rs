//! Findings of packets: for each kind an example, a near miss, and that its own advice cures it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeMap;

use super::*;
use crate::core::checkup::{Severity, check, kinds};
use crate::core::netfilter::{Engine, save};
use crate::core::ruleset::SavedTables;

mod examples;
mod live;
mod tools;

/// What `iptables-save` and `ip6tables-save` printed; an empty one is a family without rules.
pub(super) fn kernel(ipv4: &str, ipv6: &str) -> Netfilter {
    let tables = |text: &str, family| save::tables(&SavedTables::parse(text).unwrap(), Engine::Nft, family, &[]);
    Netfilter {
        tables: [tables(ipv4, Family::Ipv4), tables(ipv6, Family::Ipv6)].concat(),
    }
}

/// The findings of rules from somewhere, worst first.
pub(super) fn found(netfilter: &Netfilter, families: &[Family]) -> Vec<Finding> {
    findings_of(&Evidence {
        netfilter: Some(netfilter),
        families,
        ..Evidence::default()
    })
}

/// The findings of packets only.
pub(super) fn findings_of(evidence: &Evidence<'_>) -> Vec<Finding> {
    let own: Vec<&str> = [icmp::KINDS, families::KINDS, outbound::KINDS, order::KINDS]
        .iter()
        .flat_map(|kinds| kinds.iter().map(|kind| kind.id))
        .collect();
    let mut findings = check(evidence);
    findings.retain(|finding| own.contains(&finding.id));
    findings
}

/// Rules of the filter table of one family, with the policies of INPUT and OUTPUT.
pub(super) fn filter(input: &str, output: &str, rules: &[&str]) -> String {
    let rules: Vec<&str> = rules.iter().copied().chain(["COMMIT\n"]).collect();
    format!(
        "*filter\n:INPUT {input}\n:FORWARD ACCEPT\n:OUTPUT {output}\n{}",
        rules.join("\n")
    )
}

/// A save with the commands of an advice carried out: `ip6tables -t raw -I INPUT ... -j ACCEPT`.
pub(super) fn following(save: &str, advice: &str, family: Family) -> String {
    let mut save = save.to_owned();
    let begins = match family {
        Family::Ipv4 => "iptables ",
        Family::Ipv6 => "ip6tables ",
    };
    let commands = advice.split(": ").nth(1).unwrap_or(advice);
    for command in commands.trim_end_matches('.').split("; ") {
        let Some(words) = command.strip_prefix(begins) else {
            continue;
        };
        let (table, words) = match words.strip_prefix("-t ") {
            Some(rest) => rest.split_once(' ').unwrap(),
            None => ("filter", words),
        };
        let rule = words.strip_prefix("-I ").unwrap();
        let (chain, rule) = rule.split_once(' ').unwrap();
        let start = save.find(&format!("*{table}\n")).unwrap();
        let (_, rest) = save.split_at(start);
        let end = rest.find("COMMIT").unwrap();
        let first = rest.find("\n-A ").map_or(end, |at| end.min(at + 1)) + start;
        save.insert_str(first, &format!("-A {chain} {rule}\n"));
    }
    save
}

/// The ids, with what stands beside each.
pub(super) fn ids(findings: &[Finding]) -> BTreeMap<&'static str, Severity> {
    findings.iter().map(|finding| (finding.id, finding.severity)).collect()
}

#[test]
fn every_kind_has_an_id_of_its_own_and_a_line() {
    let all: Vec<_> = kinds().collect();
    for kind in &all {
        assert_eq!(all.iter().filter(|other| other.id == kind.id).count(), 1, "{}", kind.id);
        assert!(!kind.line.ends_with('.') && !kind.line.contains('\n'), "{}", kind.id);
        assert!(
            kind.id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit()),
            "{}",
            kind.id
        );
    }
}

#[test]
fn groups_of_neighbour_discovery_are_the_rfcs() {
    let group = solicited_node("2001:db8::1:2345:6789".parse().unwrap());
    assert_eq!(group, "ff02::1:ff45:6789".parse::<IpAddr>().unwrap());
}
