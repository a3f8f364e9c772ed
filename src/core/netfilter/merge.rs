//! Two views of the tables that iptables-nft and nft share, made one.
//!
//! `nft -j` shows a rule of iptables-nft with its `x_tables` parts by name only; `iptables-nft-save`
//! shows nft's own rules wrongly. Both list the rules of a chain in the same order. So each rule is
//! taken from the one that knows it.

use std::collections::{BTreeMap, BTreeSet};

use super::icmp;
use super::json::{Listed, Place};
use super::{Chain, Condition, Field, Netfilter, Part, Rule, Statement, Table, TableFamily};

/// The tables that iptables-nft knows.
const SHARED: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// Takes the rules with `x_tables` parts from what `iptables-nft-save` and `ip6tables-nft-save`
/// printed, the others from what nft listed. Where a save is missing, or does not show a table or
/// chain rule by rule, those rules stay as nft lists them, with parts that are unknown.
pub fn merge(listed: Listed, saved_v4: Option<Vec<Table>>, saved_v6: Option<Vec<Table>>) -> Netfilter {
    let Listed {
        mut netfilter,
        extensions,
    } = listed;
    for (family, saved) in [(TableFamily::Ip, saved_v4), (TableFamily::Ip6, saved_v6)] {
        let saved = saved.into_iter().flatten();
        for saved in saved.filter(|saved| SHARED.contains(&saved.name.as_str())) {
            let is_it = |table: &Table| table.family == family && table.name == saved.name;
            if let Some(number) = netfilter.tables.iter().position(is_it)
                && let Some(table) = netfilter.tables.get_mut(number)
            {
                merge_table(table, number, saved, &extensions);
            }
        }
    }
    netfilter
}

/// One table.
fn merge_table(table: &mut Table, number: usize, saved: Table, extensions: &BTreeSet<Place>) {
    let mut of_name: BTreeMap<String, Vec<Rule>> = saved
        .chains
        .into_iter()
        .map(|chain| (chain.name, chain.rules))
        .collect();
    for (at, chain) in table.chains.iter_mut().enumerate() {
        let Some(saved) = of_name.remove(&chain.name) else {
            continue;
        };
        if saved.len() == chain.rules.len() {
            merge_chain(chain, saved, |rule| {
                extensions.contains(&Place {
                    table: number,
                    chain: at,
                    rule,
                })
            });
        }
    }
    // Those of ipset, which only rules of iptables use.
    for set in saved.sets {
        match table.sets.iter_mut().find(|own| own.name == set.name) {
            Some(own) => own.unknown = Some(format!("nft and ipset both have a set {}", set.name)),
            None => table.sets.push(set),
        }
    }
}

/// One chain, whose rules both list one by one.
fn merge_chain(chain: &mut Chain, saved: Vec<Rule>, has_extensions: impl Fn(usize) -> bool) {
    for (at, (rule, saved)) in chain.rules.iter_mut().zip(saved).enumerate() {
        if has_extensions(at) {
            *rule = saved;
        } else if means_the_same(rule, &saved) {
            // The words its user knows.
            rule.text = saved.text;
            rule.comment = rule.comment.take().or(saved.comment);
        }
    }
}

/// Whether two rules ask for the same, in whatever order, and then do the same.
fn means_the_same(one: &Rule, other: &Rule) -> bool {
    let (one, one_does) = taken_apart(&one.statements);
    let (other, other_does) = taken_apart(&other.statements);
    one_does == other_does
        && one.iter().all(|condition| other.contains(condition))
        && other.iter().all(|condition| one.contains(condition))
}

/// The conditions at the head of a rule, without those that others imply, and the rest.
fn taken_apart(statements: &[Statement]) -> (Vec<Condition>, &[Statement]) {
    let asked = statements
        .iter()
        .take_while(|statement| matches!(statement, Statement::If(_)))
        .count();
    let (head, rest) = statements.split_at_checked(asked).unwrap_or((statements, &[]));
    let mut conditions: Vec<Condition> = head
        .iter()
        .filter_map(|statement| {
            let Statement::If(condition) = statement else {
                return None;
            };
            Some(condition.clone())
        })
        .collect();
    // `-p tcp --dport 22` asks for TCP, and then for a port of TCP.
    let implied: Vec<Condition> = conditions.iter().filter_map(protocol_of).collect();
    for condition in &mut conditions {
        if let Condition::Is {
            field: Field::Port(protocol @ None, _),
            ..
        } = condition
            && let [only] = implied.as_slice()
        {
            *protocol = number_of(only);
        }
    }
    let is_said = |condition: &Condition| {
        conditions.iter().any(|other| {
            let Condition::Is { field, .. } = other else {
                return false;
            };
            match (field, number_of(condition)) {
                (Field::Port(Some(port), _), Some(number)) => *port == number,
                (Field::TcpFlags, Some(number)) => number == 6,
                (Field::IcmpType(family), Some(number)) => number == icmp::protocol(*family),
                _ => false,
            }
        })
    };
    let kept = conditions.iter().filter(|condition| !is_said(condition)).cloned();
    (kept.collect(), rest)
}

/// The condition itself, if it asks for one protocol.
fn protocol_of(condition: &Condition) -> Option<Condition> {
    number_of(condition).map(|_| condition.clone())
}

/// The one protocol a condition asks for.
fn number_of(condition: &Condition) -> Option<u8> {
    let Condition::Is {
        field: Field::Protocol,
        mask: None,
        values,
        is_negated: false,
    } = condition
    else {
        return None;
    };
    match values.as_slice() {
        [Part::Range(first, last)] if first == last => u8::try_from(*first).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
