//! What `iptables-save` prints, typed.
//!
//! Whatever is not understood stands in its place as unknown; a table that can't be shown whole
//! begins, at every hook, with a rule that is.

use std::collections::{BTreeMap, BTreeSet};

use super::ipset::{self, IpSet};
use super::{Base, Chain, ChainType, Condition, Elements, Engine, Hook, Rule, Statement, Table, TableFamily};
use crate::core::listener::Family;
use crate::core::ruleset::{SavedTables, TableParts, words_of};

pub(crate) use options::takes_any_text;

mod icmp;
mod limits;
mod matches;
mod options;
mod spec;
mod states;
mod targets;
#[cfg(test)]
mod tests;
pub(super) mod values;

/// The tables of a save of one family, with the sets of ipset(8) that their rules refer to.
pub fn tables(saved: &SavedTables, engine: Engine, family: Family, sets: &[IpSet]) -> Vec<Table> {
    let sets = ipset::of_family(sets, family);
    let mut tables: Vec<Table> = saved
        .parts()
        .iter()
        .map(|parts| table(parts, engine, family, &sets))
        .collect();
    if let Some(stray) = saved.strays().first() {
        // Nobody knows which table it belongs to.
        let mut unread = empty("?", engine, family);
        for name in ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"] {
            unread.chains.push(Chain {
                name: name.to_owned(),
                base: base("filter", name, "ACCEPT"),
                rules: vec![unknown(stray)],
            });
        }
        tables.push(unread);
    }
    tables
}

/// One table from its parts; its sets of ipset(8) are not known.
pub fn table_of(parts: &TableParts<'_>, engine: Engine, family: Family) -> Table {
    table(parts, engine, family, &[])
}

/// One rule as iptables prints it, with or without `-A CHAIN`.
pub fn rule(line: &str, family: Family) -> Rule {
    let Ok(words) = words_of(line) else {
        return unknown(line);
    };
    let words = match words.as_slice() {
        [append, _, rest @ ..] if append == "-A" => rest,
        words => words,
    };
    spec::rule(words, line, &spec::Context::alone(family))
}

fn table(parts: &TableParts<'_>, engine: Engine, family: Family, sets: &[ipset::Resolved]) -> Table {
    let mut table = empty(parts.name, engine, family);
    let names: BTreeSet<&str> = parts.chains.iter().map(|(name, _)| *name).collect();
    let context = spec::Context {
        family,
        chains: Some(&names),
        sets,
    };
    let mut chains: BTreeMap<&str, Chain> = parts
        .chains
        .iter()
        .map(|(name, policy)| (*name, chain(name, base(parts.name, name, policy))))
        .collect();
    if parts.is_hidden {
        for name in BUILT_IN {
            let hidden = base(parts.name, name, "ACCEPT").filter(|_| is_hooked(parts.name, name));
            if hidden.is_some() {
                chains.entry(name).or_insert_with(|| chain(name, hidden));
            }
        }
    }
    // What is not shown, or not read, may stand before everything else.
    let hidden = parts.is_hidden.then(|| {
        let name = parts.name;
        unknown(&format!(
            "table {name} holds native nft rules that iptables-save can't show"
        ))
    });
    let before: Vec<Rule> = hidden
        .into_iter()
        .chain(parts.unread.iter().map(|line| unknown(line)))
        .collect();
    for chain in chains.values_mut().filter(|chain| chain.base.is_some()) {
        chain.rules.clone_from(&before);
    }
    for rule in &parts.rules {
        // What stands for one whose quotes don't close.
        let is_broken = matches!(rule.words, [jump, target, ..] if jump == "-j" && target == "?");
        let typed = match is_broken {
            true => unknown(rule.line),
            false => spec::rule(rule.words, rule.line, &context),
        };
        let holder = chains.entry(rule.chain).or_insert_with(|| chain(rule.chain, None));
        holder.rules.push(typed);
    }
    table.chains = chains.into_values().collect();
    let used: BTreeSet<&str> = table
        .chains
        .iter()
        .flat_map(|chain| &chain.rules)
        .flat_map(sets_of)
        .collect();
    let set = |resolved: &ipset::Resolved| used.contains(resolved.set.name.as_str()).then(|| resolved.set.clone());
    table.sets = sets.iter().filter_map(set).collect();
    table
}

/// The names of the sets a rule refers to.
fn sets_of(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.statements.iter().filter_map(|statement| {
        if let Statement::If(Condition::In { elements, .. }) = statement
            && let Elements::Named(name) = elements
        {
            Some(name.as_str())
        } else {
            None
        }
    })
}

fn empty(name: &str, engine: Engine, family: Family) -> Table {
    Table {
        engine,
        family: match family {
            Family::Ipv4 => TableFamily::Ip,
            Family::Ipv6 => TableFamily::Ip6,
        },
        name: name.to_owned(),
        is_dormant: false,
        chains: Vec::new(),
        sets: Vec::new(),
    }
}

fn chain(name: &str, base: Option<Base>) -> Chain {
    Chain {
        name: name.to_owned(),
        base,
        rules: Vec::new(),
    }
}

/// A rule that can't be read: it may do anything.
fn unknown(text: &str) -> Rule {
    Rule {
        statements: vec![Statement::Unknown(text.to_owned())],
        text: text.to_owned(),
        comment: None,
    }
}

const BUILT_IN: [&str; 5] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/// Whether a table has a built-in chain of that name.
fn is_hooked(table: &str, chain: &str) -> bool {
    match table {
        "raw" => matches!(chain, "PREROUTING" | "OUTPUT"),
        "nat" => chain != "FORWARD",
        "filter" | "security" => matches!(chain, "INPUT" | "FORWARD" | "OUTPUT"),
        _ => true,
    }
}

/// How a built-in chain is hooked in (the tables' `NF_IP_PRI_*` in `linux/netfilter_ipv4.h`); none for
/// a chain that somebody made, which has no policy.
pub fn base(table: &str, chain: &str, policy: &str) -> Option<Base> {
    let hook = match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" => Hook::Input,
        "FORWARD" => Hook::Forward,
        "OUTPUT" => Hook::Output,
        "POSTROUTING" => Hook::Postrouting,
        _ => return None,
    };
    let priority = match (table, hook) {
        ("raw", _) => -300,
        ("mangle", _) => -150,
        ("nat", Hook::Input | Hook::Postrouting) => 100,
        ("nat", _) => -100,
        ("security", _) => 50,
        _ => 0,
    };
    let kind = match (table, hook) {
        ("nat", _) => ChainType::Nat,
        ("mangle", Hook::Output) => ChainType::Route,
        _ => ChainType::Filter,
    };
    (policy != "-").then(|| Base {
        hook,
        kind,
        priority,
        drops: policy != "ACCEPT",
        devices: Vec::new(),
    })
}
