//! Everything the kernel's packet filters hold, of every tool, as far as anything installed can
//! show it.
//!
//! For those who look, not for those who change: neither applying nor reverting waits for nft.

use std::collections::BTreeSet;
use std::thread;

use crate::backend::{Observed, Save};
use crate::core::listener::Family;
use crate::core::netfilter::ipset::{self, IpSet};
use crate::core::netfilter::{Engine, Netfilter, Table, save};
use crate::core::ruleset::Obstacle;
use crate::sys::nftables::{self, BaseChain, TableFamily};
use crate::sys::runner::{Call, RunError, Runner};

mod blind;
mod native;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Everything {
    /// All tables. What could not be read stands in its place as unknown.
    pub netfilter: Netfilter,
    /// What could not be read, and why: one sentence each.
    pub notes: Vec<String>,
}

/// Reads what the saves that were made already do not show: the sets they refer to, and native nft
/// rules.
pub fn read(runner: &dyn Runner, observed: &Observed) -> Everything {
    let mut notes = Vec::new();
    let bases = nftables::base_chains().unwrap_or_else(|error| {
        notes.push(format!("The base chains of nf_tables can't be listed: {error}."));
        Vec::new()
    });
    let mut all = read_with(runner, observed, &bases);
    all.notes.extend(notes);
    all
}

/// The same with the base chains the kernel named.
fn read_with(runner: &dyn Runner, observed: &Observed, bases: &[BaseChain]) -> Everything {
    let mut notes = Vec::new();
    let bases: Vec<&BaseChain> = bases.iter().filter(|chain| may_decide(chain)).collect();
    let (sets, listing) = thread::scope(|scope| {
        let sets = refers_to_sets(&observed.saves).then(|| scope.spawn(|| sets(runner)));
        let listing = (!bases.is_empty()).then(|| listing(runner));
        let blind = || Err("The sets of ipset could not be read.".to_owned());
        (sets.map(|thread| thread.join().unwrap_or_else(|_| blind())), listing)
    });
    let sets = sets.unwrap_or_else(|| Ok(Vec::new())).unwrap_or_else(|why| {
        notes.push(why);
        Vec::new()
    });
    let of = |engine: Engine, family: Family| -> Vec<Table> {
        let saves = observed.saves.iter();
        saves
            .filter(|save| (save.engine, save.family) == (engine, family))
            .flat_map(|saved| save::tables(&saved.tables, engine, family, &sets))
            .collect()
    };
    let mut tables = of(Engine::Legacy, Family::Ipv4);
    tables.extend(of(Engine::Legacy, Family::Ipv6));
    for family in Family::ALL {
        let is_unread = |obstacle: &Obstacle| matches!(obstacle, Obstacle::NoReader(_));
        if let Some(Obstacle::NoReader(why)) = observed.family(family).foreign.iter().find(|one| is_unread(one)) {
            tables.push(blind::legacy(family, why));
        }
    }
    let (ipv4, ipv6) = (of(Engine::Nft, Family::Ipv4), of(Engine::Nft, Family::Ipv6));
    let merged = match listing {
        None => Ok([ipv4, ipv6].concat()),
        Some(Ok(text)) => native::merged(&text, &ipv4, &ipv6).map_err(|why| (why, ipv4, ipv6)),
        Some(Err(why)) => Err((why, ipv4, ipv6)),
    };
    tables.extend(merged.unwrap_or_else(|(why, ipv4, ipv6)| {
        let (tables, note) = blind::native([ipv4, ipv6].concat(), &bases, &why);
        notes.push(note);
        tables
    }));
    Everything {
        netfilter: Netfilter { tables },
        notes,
    }
}

/// Whether a base chain can change what becomes of a packet of a service's.
fn may_decide(chain: &BaseChain) -> bool {
    chain.family != TableFamily::Arp && chain.hook != "egress" && (chain.has_rules || chain.drops_by_policy)
}

/// Whether any rule asks for a set of ipset(8).
fn refers_to_sets(saves: &[Save]) -> bool {
    let mut parts = saves.iter().flat_map(|save| save.tables.parts());
    parts.any(|table| {
        let mut words = table.rules.iter().flat_map(|rule| rule.words);
        words.any(|word| word == "--match-set")
    })
}

/// Every set of ipset(8).
fn sets(runner: &dyn Runner) -> Result<Vec<IpSet>, String> {
    let output = runner
        .run(&Call::new("ipset").arg("save"))
        .map_err(|error| format!("Rules refer to sets of ipset, and they can't be read: {error}."))?;
    match output.is_success() {
        true => Ok(ipset::parse(&output.stdout)),
        false => Err(format!(
            "Rules refer to sets of ipset, and they can't be read: {}.",
            first_line(&output.stderr)
        )),
    }
}

/// What nft lists, as JSON; else why it does not.
fn listing(runner: &dyn Runner) -> Result<String, String> {
    match runner.run(&Call::new("nft").args(["-j", "list", "ruleset"])) {
        Ok(output) if output.is_success() => Ok(output.stdout),
        Ok(output) => Err(format!("nft failed: {}", first_line(&output.stderr))),
        Err(RunError::NotFound { .. }) => Err("nft is not installed".to_owned()),
        // Before 1.1.2 it falls over the description of a set that a newer one wrote.
        Err(RunError::Signalled { signal, .. }) => Err(format!(
            "nft was killed by signal {signal}; it may be older than the nft that wrote one of the sets"
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    crate::core::text::printable(line.unwrap_or("it said nothing").trim())
}

/// The built-in chains that a save of iptables-nft showed, by family, table and chain.
fn shown(tables: &[Table]) -> BTreeSet<(&'static str, &str, &str)> {
    tables
        .iter()
        .flat_map(|table| {
            let chains = table.chains.iter().filter(|chain| chain.base.is_some());
            chains.map(|chain| (table.family.word(), table.name.as_str(), chain.name.as_str()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
