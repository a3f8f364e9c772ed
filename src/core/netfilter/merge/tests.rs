//! Tables made by hand, beside what nft 1.0.6 printed of a table of iptables-nft.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use super::*;
use crate::core::netfilter::json::parse;
use crate::core::netfilter::{End, Engine, Set, Verdict, ct};

/// `-p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT`, `-p tcp --dport 80 -j ACCEPT`, and a
/// native `tcp dport { 443 } accept`, as nft lists them.
const LISTED: &str = r#"{"nftables": [
    {"table": {"family": "ip", "name": "filter", "handle": 1}},
    {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}},
    {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 2, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}}, {"xt": {"type": "match", "name": "conntrack"}}, {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}},
    {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 3, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}, {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}},
    {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 4, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [443]}}}, {"accept": null}]}}
]}"#;

fn port(number: u128) -> Statement {
    Statement::If(Condition::is(Field::Port(Some(6), End::Destination), number))
}

fn rule(text: &str, statements: Vec<Statement>) -> Rule {
    Rule {
        statements,
        text: text.to_owned(),
        comment: None,
    }
}

fn tcp() -> Statement {
    Statement::If(Condition::is(Field::Protocol, 6))
}

/// What the save says: the third rule wrongly.
fn saved() -> Table {
    let accept = || Statement::End(Verdict::Accept);
    Table {
        engine: Engine::Nft,
        family: TableFamily::Ip,
        name: "filter".to_owned(),
        is_dormant: false,
        chains: vec![Chain {
            name: "INPUT".to_owned(),
            base: None,
            rules: vec![
                rule(
                    "-A INPUT new",
                    vec![
                        tcp(),
                        port(22),
                        Statement::If(Condition::has_any(Field::State, ct::NEW)),
                        accept(),
                    ],
                ),
                rule("-A INPUT 80", vec![tcp(), port(80), accept()]),
                rule("-A INPUT -p tcp -j ACCEPT", vec![tcp(), accept()]),
            ],
        }],
        sets: vec![Set {
            name: "bans".to_owned(),
            ..Set::default()
        }],
    }
}

#[test]
fn each_rule_is_taken_from_the_one_that_knows_it() {
    let merged = merge(parse(LISTED).unwrap(), Some(vec![saved()]), None);
    let table = &merged.tables[0];
    let rules = &table.chains[0].rules;
    assert_eq!(rules[0], saved().chains[0].rules[0]);
    assert_eq!(rules[1].text, "-A INPUT 80");
    assert_eq!(rules[2].text, "tcp dport { 443 } accept");
    assert_eq!(rules[2].statements, [port(443), Statement::End(Verdict::Accept)]);
    assert!(table.chains[0].base.is_some(), "the hook is nft's word");
    assert!(table.set("bans").is_some());
}

#[test]
fn without_a_save_what_nft_does_not_know_is_unknown() {
    let mut short = saved();
    short.chains[0].rules.pop();
    let mut other = saved();
    other.name = "mangle".to_owned();
    for save in [None, Some(Vec::new()), Some(vec![short]), Some(vec![other])] {
        let merged = merge(parse(LISTED).unwrap(), save, Some(vec![saved()]));
        let rules = &merged.tables[0].chains[0].rules;
        assert_eq!(
            rules[0].statements,
            [
                port(22),
                Statement::If(Condition::Unknown("xt match conntrack".to_owned())),
                Statement::End(Verdict::Accept)
            ]
        );
        assert_eq!(rules[0].text, "tcp dport 22 xt match \"conntrack\" counter accept");
    }
}

#[test]
fn a_set_of_nft_and_one_of_ipset_are_not_mixed_up() {
    let mut listed = parse(LISTED).unwrap();
    listed.netfilter.tables[0].sets.push(Set {
        name: "bans".to_owned(),
        ..Set::default()
    });
    let merged = merge(listed, Some(vec![saved()]), None);
    assert_eq!(merged.tables[0].sets.len(), 1);
    assert!(merged.tables[0].sets[0].unknown.is_some());
}
