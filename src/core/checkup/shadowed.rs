//! Rules that can never match, rules that stand there twice, chains that nothing leads to.
//!
//! A rule never matches where an earlier one of its chain takes every packet that it asks for and ends
//! their way in the chain. Only what is sure counts: a condition that is not understood, or that may
//! change between two rules (a limit, a mark, a set), never takes anything.

use std::collections::BTreeMap;

use crate::core::checkup::gist::{about, counted, hooks, tool};
use crate::core::checkup::{Evidence, Finding, Kind, Place, Placed, Severity};
use crate::core::netfilter::{Chain, Condition, Elements, Field, Part, Rule, Statement, Table, Tool, Verdict, owner};
use crate::core::ruleset::PREFIX;

mod implied;
mod index;
#[cfg(test)]
mod tests;

use index::Index;

const RULE_NEVER_MATCHES: Kind = Kind {
    id: "rule-never-matches",
    severity: Severity::Redundant,
    line: "An earlier rule of the chain takes every packet that the rule asks for",
};
const RULE_TWICE: Kind = Kind {
    id: "rule-twice",
    severity: Severity::Redundant,
    line: "The same rule stands in the chain already",
};
const CHAIN_UNUSED: Kind = Kind {
    id: "chain-unused",
    severity: Severity::Redundant,
    line: "No rule leads to a chain",
};

pub(super) const KINDS: &[Kind] = &[RULE_NEVER_MATCHES, RULE_TWICE, CHAIN_UNUSED];

/// So many comparisons of two rules are made at most: a chain of ten thousand odd rules needs fewer.
const MOST_COMPARISONS: usize = 2_000_000;

pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut budget = MOST_COMPARISONS;
    let tables = evidence.netfilter.map(|netfilter| netfilter.tables.as_slice());
    for (t, table) in tables.unwrap_or_default().iter().enumerate() {
        let state_changes = changes_state(table);
        for (c, chain) in table.chains.iter().enumerate() {
            if chain.name.starts_with(PREFIX) {
                continue;
            }
            let at = |rule: usize| {
                Some(Placed {
                    table,
                    chain,
                    rule: chain.rules.get(rule)?,
                    at: (t, c, rule),
                })
            };
            let taken = taken(chain, state_changes, &mut budget);
            findings.extend(taken.iter().filter_map(|(by, rules)| {
                let by = at(*by)?;
                // Those that are the same rule are told one by one.
                let rules: Vec<Placed<'_>> = rules.iter().filter_map(|rule| at(*rule)).collect();
                let others = rules
                    .iter()
                    .filter(|placed| placed.rule.statements != by.rule.statements);
                never_matches(evidence, &by, &others.copied().collect::<Vec<_>>())
            }));
            let pairs = taken
                .iter()
                .flat_map(|(by, rules)| rules.iter().map(move |rule| (*by, *rule)));
            findings.extend(pairs.filter_map(|(by, rule)| {
                let (by, placed) = (at(by)?, at(rule)?);
                (placed.rule.statements == by.rule.statements).then(|| twice(evidence, &by, &placed))
            }));
        }
        findings.extend(unused(evidence, t, table));
    }
    findings
}

/// Whether conntrack's state of a packet may change on its way through the table's chains.
fn changes_state(table: &Table) -> bool {
    let rules = table.chains.iter().flat_map(|chain| &chain.rules);
    table.name == "raw"
        || rules
            .flat_map(|rule| &rule.statements)
            .any(|statement| *statement == Statement::NoTrack)
}

/// Which rules take the packets of which others: the first that does, with the others.
fn taken(chain: &Chain, state_changes: bool, budget: &mut usize) -> BTreeMap<usize, Vec<usize>> {
    let rules = chain.rules.iter().enumerate();
    let ending: Vec<(usize, &Rule)> = rules.filter(|(_, rule)| takes(rule, state_changes)).collect();
    let index = Index::new(&ending);
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, rule) in chain.rules.iter().enumerate() {
        let asked: Vec<&Condition> = rule
            .statements
            .iter()
            .map_while(|statement| match statement {
                Statement::If(condition) => Some(condition),
                _ => None,
            })
            .filter(|condition| !is_supposed(condition) && !is_of_connection(rule, condition))
            .collect();
        let by = index.first_before(place, &asked, |taker| {
            *budget = budget.saturating_sub(1);
            let rule = chain.rules.get(taker);
            *budget > 0 && rule.is_some_and(|rule| implied::all(rule, &asked))
        });
        if let Some(by) = by {
            found.entry(by).or_default().push(place);
        }
    }
    found
}

/// Whether a rule ends the way of every packet that it asks for, and what it asks is sure.
fn takes(rule: &Rule, state_changes: bool) -> bool {
    let Some((Statement::End(verdict), conditions)) = rule.statements.split_last() else {
        return false;
    };
    let ends = match verdict {
        Verdict::Accept | Verdict::Drop | Verdict::Reject(_) | Verdict::Return | Verdict::Goto(_) => true,
        Verdict::Jump(_) | Verdict::Continue | Verdict::Queue => false,
    };
    let is_sure = |statement: &Statement| match statement {
        Statement::If(Condition::Is { field, .. }) => is_lasting(field, state_changes),
        Statement::If(Condition::In { key, elements, .. }) => {
            matches!(elements, Elements::Inline(set) if set.unknown.is_none())
                && key.iter().all(|field| is_lasting(field, state_changes))
        }
        _ => false,
    };
    let is_whole = |statement: &Statement| !matches!(statement, Statement::If(condition) if is_supposed(condition));
    // `--pol none` asks for something, although nothing of it is among the conditions.
    ends && conditions.iter().all(is_sure) && conditions.iter().all(is_whole) && !rule.text.contains("-m policy ")
}

/// What is true of the first packet of a connection from a peer without IPsec only: `policy`, `esp`, `frag`
/// and their like are supposed not to match (see `core::netfilter::save`).
fn is_supposed(condition: &Condition) -> bool {
    let none = |values: &[Part]| values.is_empty() || values.contains(&Part::number(NO_TRANSPORT));
    matches!(condition, Condition::Is { field: Field::Protocol, values, .. } if none(values))
}

/// The protocol of the connection that an error is about, which is not the error's own.
fn is_of_connection(rule: &Rule, condition: &Condition) -> bool {
    let is_protocol = matches!(
        condition,
        Condition::Is {
            field: Field::Protocol,
            ..
        }
    );
    is_protocol && rule.text.contains("--ctproto")
}

/// A number that no transport protocol has, for headers that stand before one.
const NO_TRANSPORT: u128 = 255;

/// Whether a field stays as it is while a packet passes a chain.
const fn is_lasting(field: &Field, state_changes: bool) -> bool {
    match field {
        Field::State | Field::Status | Field::Direction | Field::ConnectionAddress(..) | Field::ConnectionPort(..) => {
            !state_changes
        }
        Field::Mark | Field::ConnectionMark | Field::Labels | Field::RouteBack(_) | Field::Other(_) => false,
        _ => true,
    }
}

/// `the one in line 5`, or the rule itself where there are no lines.
fn named(evidence: &Evidence<'_>, placed: &Placed<'_>) -> String {
    match evidence.place(placed).line {
        Some(line) => format!("'{}' (line {line})", placed.rule.text),
        None => format!("'{}'", placed.rule.text),
    }
}

fn never_matches(evidence: &Evidence<'_>, by: &Placed<'_>, rules: &[Placed<'_>]) -> Option<Finding> {
    let first = rules.first()?;
    let by = named(evidence, by);
    let what = match rules.len() {
        1 => format!("It can never match: {by} takes all of its packets before."),
        count => format!(
            "It and {} behind it can never match: {by} takes all of their packets before.",
            counted(count - 1)
        ),
    };
    let why = "A rule that never matches does nothing, and whoever reads it believes that it does.";
    let advice = "Remove it, or put it before the other one if it is meant to hold.";
    Some(about(&RULE_NEVER_MATCHES, evidence, first, &what, why, advice))
}

fn twice(evidence: &Evidence<'_>, by: &Placed<'_>, placed: &Placed<'_>) -> Finding {
    let what = format!("The same rule stands in this chain before: {}.", named(evidence, by));
    let why = "The second one never meets a packet; often a script was run twice, or appends what is there already.";
    let advice = "Remove one of them; a script asks with -C before it appends with -A.";
    about(&RULE_TWICE, evidence, placed, &what, why, advice)
}

/// Chains that no packet comes to. Those that tools keep for later are left out.
fn unused(evidence: &Evidence<'_>, t: usize, table: &Table) -> Vec<Finding> {
    let hooks = hooks(table);
    let rules = || table.chains.iter().flat_map(|chain| &chain.rules);
    // What is not understood may lead there.
    let words: Vec<&str> = rules()
        .flat_map(|rule| &rule.statements)
        .filter_map(|statement| match statement {
            Statement::Unknown(words) => Some(words.as_str()),
            _ => None,
        })
        .collect();
    let is_named = |name: &str| {
        words
            .iter()
            .any(|words| words.split_whitespace().any(|word| word == name))
    };
    let chains = table.chains.iter().enumerate();
    let unused = chains.filter(|(_, chain)| {
        let is_made = chain.base.is_none() && !chain.name.starts_with(PREFIX);
        is_made && !hooks.contains_key(chain.name.as_str()) && !is_named(&chain.name)
    });
    unused
        .filter(|(_, chain)| owner(table, chain, None) == Tool::Admin)
        .filter(|(_, chain)| {
            let mut rules = chain.rules.iter();
            !rules.any(|rule| {
                let at = (t, 0, 0);
                tool(&Placed { table, chain, rule, at }).is_some()
            })
        })
        .map(|(c, chain)| {
            let place = Place {
                line: evidence.lines.and_then(|lines| lines.rules.get(&(t, c, 0)).copied()),
                ..evidence.place_of_policy(t, c)
            };
            let what = match chain.rules.len() {
                0 => format!("No rule leads to the chain {}, which is empty.", chain.name),
                count => format!("No rule leads to the chain {} and its {}.", chain.name, counted(count)),
            };
            let why = "What stands in it is never asked, whatever its name promises.";
            let advice = "Remove the chain, or add the jump that is missing.";
            Finding::new(&CHAIN_UNUSED, place, what, why, advice)
        })
        .collect()
}
