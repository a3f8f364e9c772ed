//! Two views of the tables that iptables-nft and nft share, made one.
//!
//! `nft -j` shows a rule of iptables-nft with its `x_tables` parts by name only; `iptables-nft-save`
//! shows nft's own rules wrongly. Both list the rules of a chain in the same order. So each rule is
//! taken from the one that knows it.

use std::collections::BTreeSet;

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
    for (number, table) in netfilter.tables.iter_mut().enumerate() {
        let saved = match table.family {
            TableFamily::Ip => saved_v4.as_ref(),
            TableFamily::Ip6 => saved_v6.as_ref(),
            TableFamily::Inet | TableFamily::Bridge | TableFamily::Netdev => None,
        };
        let same_name = |saved: &&Table| saved.name == table.name && SHARED.contains(&saved.name.as_str());
        if let Some(saved) = saved.and_then(|tables| tables.iter().find(same_name)) {
            merge_table(table, number, saved, &extensions);
        }
    }
    netfilter
}

/// One table.
fn merge_table(table: &mut Table, number: usize, saved: &Table, extensions: &BTreeSet<Place>) {
    for (at, chain) in table.chains.iter_mut().enumerate() {
        if let Some(saved) = saved.chain(&chain.name)
            && saved.rules.len() == chain.rules.len()
        {
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
    for set in &saved.sets {
        match table.sets.iter_mut().find(|own| own.name == set.name) {
            Some(own) => own.unknown = Some(format!("nft and ipset both have a set {}", set.name)),
            None => table.sets.push(set.clone()),
        }
    }
}

/// One chain, whose rules both list one by one.
fn merge_chain(chain: &mut Chain, saved: &Chain, has_extensions: impl Fn(usize) -> bool) {
    for (at, (rule, saved)) in chain.rules.iter_mut().zip(&saved.rules).enumerate() {
        if has_extensions(at) {
            rule.clone_from(saved);
        } else if means_the_same(rule, saved) {
            // The words its user knows.
            rule.text.clone_from(&saved.text);
            rule.comment = rule.comment.take().or_else(|| saved.comment.clone());
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
        .filter_map(|statement| match statement {
            Statement::If(condition) => Some(condition.clone()),
            _ => None,
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
        conditions.iter().any(|other| match other {
            Condition::Is {
                field: Field::Port(Some(port), _),
                ..
            } => number_of(condition) == Some(*port),
            Condition::Is {
                field: Field::TcpFlags, ..
            } => number_of(condition) == Some(6),
            _ => false,
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
    match condition {
        Condition::Is {
            field: Field::Protocol,
            mask: None,
            values,
            is_negated: false,
        } => match values.as_slice() {
            [Part::Range(first, last)] if first == last => u8::try_from(*first).ok(),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
