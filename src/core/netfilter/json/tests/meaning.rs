//! What single rules mean.

use serde_json::json;

use super::*;
use crate::core::listener::Family;
use crate::core::netfilter::{
    Condition, Data, Elements, End, Field, Nat, NatKind, OfInterface, Part, Pattern, SetMark, To, Verdict, ct,
};

/// A rule of a document, by its text.
fn find(text: &str) -> Vec<Statement> {
    for (_, json, _) in documents::ALL {
        let listed = parse(json).unwrap();
        let chains = listed.netfilter.tables.iter().flat_map(|table| &table.chains);
        let mut rules = chains.flat_map(|chain| &chain.rules);
        if let Some(rule) = rules.find(|rule| rule.text == text) {
            return rule.statements.clone();
        }
    }
    panic!("no rule {text}");
}

/// What one statement means in an inet table.
fn one(statement: &Value) -> Vec<Statement> {
    let document = json!({"nftables": [
        {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [statement]}}
    ]});
    read(&document).unwrap().netfilter.tables[0].chains[0].rules[0]
        .statements
        .clone()
}

fn is(field: Field, value: u128) -> Statement {
    Statement::If(Condition::is(field, value))
}

fn ends(verdict: Verdict) -> Statement {
    Statement::End(verdict)
}

#[test]
fn the_version_of_a_family_is_the_family() {
    let version = |protocol: &str, operator: &str, number: u8| {
        let left = json!({"payload": {"protocol": protocol, "field": "version"}});
        one(&json!({"match": {"op": operator, "left": left, "right": number}}))
    };
    assert_eq!(version("ip", "==", 4), [is(Field::NetworkProtocol, 2)]);
    assert_eq!(version("ip6", "==", 6), [is(Field::NetworkProtocol, 10)]);
    for [.., last] in [version("ip", "!=", 4), version("ip", "==", 6)].map(|all| <[_; 2]>::try_from(all).unwrap()) {
        assert!(matches!(last, Statement::If(Condition::Unknown(_))), "{last:?}");
    }
}

#[test]
fn fields_are_told_apart() {
    let to_tcp = || Field::Port(Some(6), End::Destination);
    for (text, expected) in [
        ("tcp dport 22 accept", Condition::is(to_tcp(), 22)),
        ("tcp dport != 22 accept", Condition::is(to_tcp(), 22).negated()),
        (
            "tcp dport < 1024 accept",
            Condition::among(to_tcp(), vec![Part::Range(0, 1023)]),
        ),
        (
            "tcp dport >= 1024 accept",
            Condition::among(to_tcp(), vec![Part::Range(1024, 65535)]),
        ),
        (
            "th dport 53 accept",
            Condition::is(Field::Port(None, End::Destination), 53),
        ),
        (
            "iifname \"docker*\" accept",
            Condition::among(Field::InInterface, vec![Part::Name(Pattern::parse("docker*", '*'))]),
        ),
        (
            "iifname \"a\\*\" drop",
            Condition::among(Field::InInterface, vec![Part::Name(Pattern::exact("a*"))]),
        ),
        (
            "ip saddr 10.0.0.0/8 accept",
            Condition::among(
                Field::Address(Family::Ipv4, End::Source),
                vec![Part::Range(10 << 24, (11 << 24) - 1)],
            ),
        ),
        (
            "ct state established,related accept",
            Condition::has_any(Field::State, ct::ESTABLISHED | ct::RELATED),
        ),
        (
            "ct state ! established,related drop",
            Condition::has_any(Field::State, ct::ESTABLISHED | ct::RELATED).negated(),
        ),
        (
            "ct status dnat accept",
            Condition::has_any(Field::Status, ct::STATUS_DNAT),
        ),
        (
            "fib daddr . iif type local accept",
            Condition::is(Field::AddressType(End::Destination, OfInterface::In), 2),
        ),
        (
            "fib saddr . mark . iif oif 0 drop",
            Condition::is(Field::RouteBack(OfInterface::In), 0),
        ),
        (
            "fib saddr oif exists accept",
            Condition::is(Field::RouteBack(OfInterface::Any), 1),
        ),
        ("meta protocol ip6 accept", Condition::is(Field::NetworkProtocol, 10)),
        (
            "tcp flags syn / fin,syn,rst,ack accept",
            Condition::Is {
                field: Field::TcpFlags,
                mask: Some(0b1_0111),
                values: vec![Part::number(2)],
                is_negated: false,
            },
        ),
        (
            "meta mark & 0x000000ff != 0x00000001 accept",
            Condition::Is {
                field: Field::Mark,
                mask: Some(255),
                values: vec![Part::number(1)],
                is_negated: true,
            },
        ),
        ("ct zone 1 accept", Condition::Unknown("ct zone 1".to_owned())),
    ] {
        assert_eq!(find(text).first(), Some(&Statement::If(expected)), "{text}");
    }
}

#[test]
fn a_state_is_compared_in_the_bits_that_nft_knows() {
    let Some(Statement::If(Condition::Is { mask, values, .. })) = find("ct state != new drop").into_iter().next()
    else {
        panic!("no condition");
    };
    assert_eq!(mask, Some(0b100_1111));
    assert_eq!(values, [Part::number(ct::NEW)]);
}

#[test]
fn what_nft_leaves_unsaid_is_said() {
    assert_eq!(
        find("ip protocol sctp accept"),
        [
            is(Field::NetworkProtocol, 2),
            is(Field::Protocol, 132),
            ends(Verdict::Accept)
        ]
    );
    assert_eq!(
        find("icmp type echo-request accept").first(),
        Some(&is(Field::IcmpType(Family::Ipv4), 8))
    );
    assert_eq!(
        find("tcp dport 11 reject with icmpv6 no-route").get(1),
        Some(&is(Field::NetworkProtocol, 10))
    );
    assert_eq!(
        find("tcp dport 79 dnat ip to 10.0.0.1").get(1),
        Some(&is(Field::NetworkProtocol, 2))
    );
    assert_eq!(
        find("tcp dport 57 add @recent { ip saddr }").get(1),
        Some(&is(Field::NetworkProtocol, 2))
    );
    assert_eq!(
        one(&json!({"reject": {"type": "tcp reset"}})).first(),
        Some(&is(Field::Protocol, 6))
    );
}

#[test]
fn a_flow_is_offloaded_only_once_it_runs() {
    let statements = one(&json!({"flow": {"op": "add", "flowtable": "@f"}}));
    assert!(matches!(
        statements.as_slice(),
        [Statement::If(Condition::FirstOfMany { matches: false, .. })]
    ));
}

#[test]
fn limits_know_the_first_packet() {
    for (text, expected) in [
        ("tcp dport 21 limit rate 3/minute accept", true),
        ("tcp dport 22 limit rate over 10/second burst 20 packets drop", false),
        ("tcp dport 24 limit name \"slow\" accept", true),
        ("tcp dport 20 quota name \"month\" drop", false),
        ("tcp dport 72 ct count over 20 drop", false),
    ] {
        let Some(Statement::If(Condition::FirstOfMany { matches, .. })) = find(text).into_iter().nth(1) else {
            panic!("no limit in {text}");
        };
        assert_eq!(matches, expected, "{text}");
    }
    let used_up = json!({"nftables": [
        {"quota": {"family": "inet", "name": "q", "table": "t", "bytes": 10, "used": 11, "inv": true}},
        {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [{"quota": "q"}, {"quota": "other"}]}}
    ]});
    let listed = read(&used_up).unwrap();
    let statements = &listed.netfilter.tables[0].chains[0].rules[0].statements;
    assert!(matches!(
        statements.as_slice(),
        [
            Statement::If(Condition::FirstOfMany { matches: true, .. }),
            Statement::Unknown(_)
        ]
    ));
}

#[test]
fn marks_are_formulas() {
    for (text, clear, flip) in [
        ("tcp dport 30 meta mark set 0x0000002a", u32::MAX, 0x2a),
        ("tcp dport 31 meta mark set meta mark | 0x00000010", 0x10, 0x10),
        ("tcp dport 32 meta mark set meta mark & 0xffffff00", 0xff, 0),
        (
            "tcp dport 33 meta mark set meta mark & 0xffffff12 | 0x00000012",
            0xff,
            0x12,
        ),
        ("tcp dport 39 meta mark set meta mark ^ 0x0000000f", 0, 0x0f),
    ] {
        let set = SetMark {
            of_connection: false,
            from_connection: false,
            clear,
            flip,
            is_unknown: false,
        };
        assert_eq!(find(text).get(1), Some(&Statement::Mark(set)), "{text}");
    }
    // Without an element of the map the rule ends before.
    assert!(matches!(
        find("tcp dport 63 meta mark set ip saddr map @marks").as_slice(),
        [
            ..,
            Statement::If(Condition::In { .. }),
            Statement::Mark(SetMark { is_unknown: true, .. })
        ]
    ));
}

#[test]
fn maps_hold_verdicts_and_addresses() {
    let Some(Statement::Choose {
        key,
        elements: Elements::Inline(set),
    }) = find("tcp dport vmap { 22 : accept, 23-25 : drop, 80 : jump other }").pop()
    else {
        panic!("no map");
    };
    assert_eq!(key, [Field::Port(Some(6), End::Destination)]);
    assert_eq!(set.elements[1].key, [Part::Range(23, 25)]);
    assert_eq!(
        set.elements[2].data,
        Some(Data::Verdict(Verdict::Jump("other".to_owned())))
    );
    let Some(Statement::Nat(Nat {
        kind: NatKind::Destination,
        to: To::Map { elements, .. },
    })) = find("tcp dport 86 dnat ip to ip daddr . tcp dport map @endpoints").pop()
    else {
        panic!("no translation");
    };
    assert_eq!(elements, Elements::Named("endpoints".to_owned()));
    let listed = parse(documents::ALL[1].1).unwrap();
    let endpoints = listed.netfilter.tables[0].set("endpoints").unwrap();
    assert!(matches!(
        endpoints.elements[0].data,
        Some(Data::Endpoint {
            addresses: Some(_),
            ports: Some((8080, 8080))
        })
    ));
}

#[test]
fn the_element_for_all_others_fills_the_gaps() {
    let document = json!({"nftables": [{"map": {
        "family": "ip", "name": "m", "table": "t", "type": "inet_service", "map": "verdict",
        "elem": [[{"elem": {"val": "*", "comment": "rest"}}, {"drop": null}], [80, {"accept": null}], [{"range": [0, 22]}, {"accept": null}]]
    }}]});
    let listed = read(&document).unwrap();
    let set = listed.netfilter.tables[0].set("m").unwrap();
    let keys: Vec<_> = set.elements.iter().map(|element| element.key[0].clone()).collect();
    assert_eq!(
        keys,
        [
            Part::Range(0, 22),
            Part::Range(23, 79),
            Part::number(80),
            Part::Range(81, 65535)
        ]
    );
    assert_eq!(set.elements[1].data, Some(Data::Verdict(Verdict::Drop)));
}

#[test]
fn an_element_that_is_not_understood_makes_its_set_unknown() {
    let document = json!({"nftables": [{"set": {
        "family": "ip", "name": "s", "table": "t", "type": "ipv4_addr", "elem": ["10.0.0.1", {"new": 1}]
    }}]});
    let listed = read(&document).unwrap();
    let set = listed.netfilter.tables[0].set("s").unwrap();
    assert_eq!(set.elements.len(), 1);
    assert!(set.unknown.is_some());
}

#[test]
fn a_dormant_table_is_dormant_and_a_strange_flag_is_a_doubt() {
    let table = |flags: Value| {
        json!({"nftables": [
            {"table": {"family": "ip", "name": "t", "handle": 1, "flags": flags}},
            {"chain": {"family": "ip", "table": "t", "name": "c", "type": "filter", "hook": "input", "prio": "filter - 5", "policy": "drop"}},
            {"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [{"xt": {"type": "match", "name": "tcp"}}]}}
        ]})
    };
    let listed = read(&table(json!(["dormant", "owner"]))).unwrap();
    assert!(listed.netfilter.tables[0].is_dormant);
    assert_eq!(listed.netfilter.tables[0].chains[0].base.as_ref().unwrap().priority, -5);
    // nft 1.0.6 takes any word from its memory.
    let listed = read(&table(json!("six"))).unwrap();
    assert!(!listed.netfilter.tables[0].is_dormant);
    let rules = &listed.netfilter.tables[0].chains[0].rules;
    assert!(matches!(rules[0].statements.as_slice(), [Statement::Unknown(_)]));
    assert_eq!(
        listed.extensions.into_iter().collect::<Vec<_>>(),
        [Place {
            table: 0,
            chain: 0,
            rule: 1
        }]
    );
}

#[test]
fn arp_is_left_out() {
    let document = json!({"nftables": [{"table": {"family": "arp", "name": "a"}}]});
    assert!(read(&document).unwrap().netfilter.tables.is_empty());
}

#[test]
fn what_is_no_list_is_refused() {
    assert!(matches!(parse("Error: syntax error"), Err(JsonError::Syntax(_))));
    assert_eq!(parse("{}"), Err(JsonError::NoList));
    assert_eq!(parse(r#"{"nftables": []}"#), Ok(Listed::default()));
}

#[test]
fn labels_are_set_and_asked_for() {
    let asked = |op: &str, right: Value| json!({"match": {"op": op, "left": {"ct": {"key": "label"}}, "right": right}});
    let has_any = |bits| Statement::If(Condition::has_any(Field::Labels, bits));
    assert_eq!(one(&asked("in", json!(119))), [has_any(1 << 119)]);
    assert_eq!(one(&asked("in", json!([118, 119]))), [has_any(3 << 118)]);
    // Of a connection without it, not of a packet without a connection.
    let is_tracked = Condition::has_any(Field::State, ct::NEW | ct::ESTABLISHED | ct::RELATED);
    let has_not = Condition::has_any(Field::Labels, 1 << 119).negated();
    let not = [Statement::If(is_tracked), Statement::If(has_not)];
    assert_eq!(one(&asked("!", json!(119))), not);
    for odd in [json!("eth0-in"), json!(128)] {
        assert!(matches!(
            one(&asked("in", odd)).as_slice(),
            [Statement::If(Condition::Unknown(_))]
        ));
    }
    let set = |value: Value| json!({"mangle": {"key": {"ct": {"key": "label"}}, "value": value}});
    assert_eq!(one(&set(json!(119))), [Statement::SetLabel(119)]);
    assert_eq!(one(&set(json!("eth0-in"))), []);
}
