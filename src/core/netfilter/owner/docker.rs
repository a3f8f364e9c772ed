//! Docker's rules in built-in chains: they carry no name but its bridges'.

use super::{conditions, interfaces};
use crate::core::listener::Family;
use crate::core::netfilter::{Chain, Condition, End, Field, NatKind, Part, Rule, Statement, Table, Verdict, number};
use std::net::{IpAddr, Ipv4Addr};

/// Whether Docker wrote a rule of a built-in chain. It never writes into INPUT.
pub(super) fn wrote(table: &Table, chain: &Chain, rule: &Rule) -> bool {
    match (table.name.as_str(), chain.name.as_str()) {
        ("filter", "FORWARD") => forwards(rule),
        ("nat", "POSTROUTING") => masks(table, rule),
        ("raw", "PREROUTING") => shields(rule) || (is_for_loopback(rule) && chain.rules.iter().any(shields)),
        _ => false,
    }
}

/// `docker0`, or `br-` and the first half of a network's id.
fn is_bridge(name: &str) -> bool {
    let is_id = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    name == "docker0" || name.strip_prefix("br-").is_some_and(is_id)
}

fn names_bridge(rule: &Rule) -> bool {
    interfaces(rule).any(is_bridge)
}

/// Between bridges and elsewhere: nothing is asked but interfaces and the connection's state, and more
/// than one of these.
fn forwards(rule: &Rule) -> bool {
    let is_plain = |condition: &Condition| {
        matches!(
            condition,
            Condition::Is {
                field: Field::InInterface | Field::OutInterface | Field::State,
                ..
            }
        )
    };
    names_bridge(rule)
        && interfaces(rule).all(is_bridge)
        && conditions(rule).all(is_plain)
        && conditions(rule).count() > 1
        && rule
            .statements
            .iter()
            .any(|statement| matches!(statement, Statement::End(Verdict::Accept | Verdict::Drop)))
}

/// Source addresses of containers, and of one that asks for itself.
fn masks(table: &Table, rule: &Rule) -> bool {
    let is_masquerade =
        |statement: &Statement| matches!(statement, Statement::Nat(nat) if nat.kind == NatKind::Masquerade);
    if !rule.statements.iter().any(is_masquerade) {
        return false;
    }
    let is_to_itself = || {
        let source = single(rule, End::Source);
        source.is_some() && source == single(rule, End::Destination)
    };
    names_bridge(rule) || (table.chain("DOCKER").is_some() && is_to_itself())
}

/// What comes for a container's own address by another way than its bridge.
fn shields(rule: &Rule) -> bool {
    let is_excluded = |condition: &Condition| {
        matches!(
            condition,
            Condition::Is {
                field: Field::InInterface,
                is_negated: true,
                ..
            }
        )
    };
    drops(rule) && names_bridge(rule) && conditions(rule).any(is_excluded) && single(rule, End::Destination).is_some()
}

/// What comes for a port that is published on 127.0.0.1 by another way than lo.
fn is_for_loopback(rule: &Rule) -> bool {
    let localhost = number(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let asks_port = |condition: &Condition| {
        matches!(
            condition,
            Condition::Is {
                field: Field::Port(_, End::Destination),
                ..
            }
        )
    };
    drops(rule)
        && single(rule, End::Destination) == Some((Family::Ipv4, localhost))
        && interfaces(rule).eq(["lo"])
        && conditions(rule).any(asks_port)
}

fn drops(rule: &Rule) -> bool {
    matches!(rule.statements.last(), Some(Statement::End(Verdict::Drop)))
}

/// The one address a rule asks for.
fn single(rule: &Rule, wanted: End) -> Option<(Family, u128)> {
    conditions(rule).find_map(|condition| {
        let Condition::Is {
            field: Field::Address(family, end),
            mask: None,
            values,
            is_negated: false,
        } = condition
        else {
            return None;
        };
        match values.as_slice() {
            [Part::Range(first, last)] if first == last && *end == wanted => Some((*family, *first)),
            _ => None,
        }
    })
}
