//! What stands in for rules that nothing can show.

use std::collections::BTreeMap;

use super::shown;
use crate::core::listener::Family;
use crate::core::netfilter::{
    Base, Chain, ChainType, Condition, Engine, Field, Hook, Rule, Statement, Table, TableFamily, Verdict, save,
};
use crate::core::ruleset::PREFIX;
use crate::sys::nftables::{self, BaseChain};

/// A legacy table that may do anything anywhere.
pub(super) fn legacy(family: Family, why: &str) -> Table {
    let chains = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
    let chains = chains.map(|name| Chain {
        name: name.to_owned(),
        base: save::base("filter", name, "ACCEPT"),
        rules: vec![unknown(why)],
    });
    Table {
        engine: Engine::Legacy,
        family: of(family),
        name: "?".to_owned(),
        is_dormant: false,
        chains: chains.to_vec(),
        sets: Vec::new(),
    }
}

/// The tables of iptables-nft as they are without nft's view: rules that may be native ones are not
/// believed, and every base chain that no save shows may do anything. With a note for the user.
pub(super) fn native(mut tables: Vec<Table>, bases: &[&BaseChain], why: &str) -> (Vec<Table>, String) {
    let mut doubted = 0;
    for rule in tables.iter_mut().flat_map(|table| &mut table.chains).flat_map(|chain| {
        let is_own = chain.name.starts_with(PREFIX);
        chain.rules.iter_mut().filter(move |_| !is_own)
    }) {
        if may_be_native(rule) {
            doubt(rule, why);
            doubted += 1;
        }
    }
    let seen = shown(&tables);
    let unseen: Vec<&BaseChain> = bases.iter().copied().filter(|base| !is_shown(base, &seen)).collect();
    let chains = unseen.len();
    let mut added: BTreeMap<(TableFamily, String), Vec<Chain>> = BTreeMap::new();
    for base in unseen {
        if let Some(family) = family(base.family) {
            let of_table = added.entry((family, base.table.clone())).or_default();
            of_table.push(chain(base, why));
        }
    }
    for ((family, name), chains) in added {
        let table = tables
            .iter_mut()
            .find(|table| table.family == family && table.name == name);
        match table {
            Some(table) => table.chains.extend(chains),
            None => tables.push(Table {
                engine: Engine::Nft,
                family,
                name,
                is_dormant: false,
                chains,
                sets: Vec::new(),
            }),
        }
    }
    let what = match (chains, doubted) {
        (0, 0) => "rules made with nft beside those of iptables would not be seen".to_owned(),
        (0, rules) => format!("{rules} rules of iptables may be native ones, shown wrongly, and are not believed"),
        (chains, 0) => format!("what {chains} of its base chains do is not known"),
        (chains, rules) => format!(
            "what {chains} of its base chains do is not known, and {rules} rules of iptables may be native ones, \
             shown wrongly, and are not believed"
        ),
    };
    (tables, format!("The rules of nft can't be read ({why}): {what}."))
}

/// Whether a save shows the base chain: it is hooked in as iptables does it.
fn is_shown(base: &BaseChain, seen: &std::collections::BTreeSet<(&'static str, &str, &str)>) -> bool {
    let is_iptables = save::base(&base.table, &base.name, "ACCEPT")
        .is_some_and(|own| own.hook.word() == base.hook && own.priority == base.priority);
    is_iptables && seen.contains(&(base.family.word(), base.table.as_str(), base.name.as_str()))
}

/// Whether `iptables-save` may show a native rule so: `tcp dport @s accept` as `-p tcp -j ACCEPT`, a
/// verdict map as `-p tcp`. A jump into fwtui's chains is compared elsewhere.
fn may_be_native(rule: &Rule) -> bool {
    rule.statements.iter().all(|statement| match statement {
        Statement::If(Condition::Is { field, .. }) => matches!(
            field,
            Field::InInterface | Field::OutInterface | Field::Protocol | Field::Address(..)
        ),
        Statement::End(Verdict::Jump(chain) | Verdict::Goto(chain)) => !chain.starts_with(PREFIX),
        Statement::End(_) => true,
        _ => false,
    })
}

/// What the rule asks it does ask; what else it asks, and what it does then, is not known.
fn doubt(rule: &mut Rule, why: &str) {
    rule.statements
        .retain(|statement| matches!(statement, Statement::If(_)));
    let words = format!("{}: it may ask for more than iptables-save shows ({why})", rule.text);
    rule.statements.push(Statement::Unknown(words));
}

fn chain(base: &BaseChain, why: &str) -> Chain {
    Chain {
        name: base.name.clone(),
        base: Some(Base {
            hook: hook(base.hook),
            kind: match base.chain_type.as_str() {
                "nat" => ChainType::Nat,
                "route" => ChainType::Route,
                _ => ChainType::Filter,
            },
            priority: base.priority,
            drops: base.drops_by_policy,
            devices: Vec::new(),
        }),
        rules: match base.has_rules {
            true => vec![unknown(why)],
            false => Vec::new(),
        },
    }
}

/// A hook of tomorrow counts as the first one there is.
fn hook(word: &str) -> Hook {
    match word {
        "input" => Hook::Input,
        "forward" => Hook::Forward,
        "output" => Hook::Output,
        "postrouting" => Hook::Postrouting,
        // Devices are not known: in front of everything, for all of them.
        _ => Hook::Prerouting,
    }
}

const fn family(family: nftables::TableFamily) -> Option<TableFamily> {
    Some(match family {
        // A device is not known by its chain: it stands before everything.
        nftables::TableFamily::Inet | nftables::TableFamily::Netdev => TableFamily::Inet,
        nftables::TableFamily::Ip => TableFamily::Ip,
        nftables::TableFamily::Ip6 => TableFamily::Ip6,
        nftables::TableFamily::Bridge => TableFamily::Bridge,
        nftables::TableFamily::Arp => return None,
    })
}

const fn of(family: Family) -> TableFamily {
    match family {
        Family::Ipv4 => TableFamily::Ip,
        Family::Ipv6 => TableFamily::Ip6,
    }
}

fn unknown(why: &str) -> Rule {
    Rule {
        statements: vec![Statement::Unknown(why.to_owned())],
        text: why.to_owned(),
        comment: None,
    }
}
