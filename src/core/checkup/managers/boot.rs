//! The files that are loaded at boot, against the kernel.
//!
//! Files of iptables-save's are compared rule by rule, as they are understood and not as they are
//! written; of nft's only the tables are.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{APPEAR, VANISH};
use crate::core::checkup::{Evidence, Finding, Place, Placed};
use crate::core::netfilter::{Condition, Engine, Rule, Statement, Table, TableFamily, Tool, owner, save};
use crate::core::ruleset::SavedTables;
use crate::core::tools::{BootFile, Manager};

/// Rules of the administrator's that no file loads.
pub(super) fn vanishing(evidence: &Evidence<'_>) -> Vec<Finding> {
    let is_known = evidence.on_disk.iter().any(|disk| disk.at_boot.is_some());
    // Its direct rules look as if they were typed.
    if !is_known || boots(evidence, Manager::Firewalld) {
        return Vec::new();
    }
    let files = files(evidence);
    let saved = Known::of(files.iter().flat_map(|(_, tables)| tables));
    let nft: Vec<&BootFile> = evidence
        .boot_files
        .iter()
        .filter(|file| file.manager == Manager::Nftables && boots(evidence, Manager::Nftables))
        .collect();
    let is_loaded = |placed: &Placed<'_>| {
        saved.has(placed.table, &placed.chain.name, placed.rule)
            || nft
                .iter()
                .any(|file| names(&file.text, placed.table) || file.text.contains("include "))
    };
    let lost: Vec<Placed<'_>> = evidence
        .rules()
        .filter(|placed| owner(placed.table, placed.chain, Some(placed.rule)) == Tool::Admin)
        .filter(|placed| !is_loaded(placed))
        .collect();
    let Some(first) = lost.first() else {
        return Vec::new();
    };
    let rest = match lost.len() - 1 {
        0 => String::new(),
        1 => " So is one more.".to_owned(),
        more => format!(" So are {more} more."),
    };
    vec![Finding::new(
        &VANISH,
        evidence.place(first),
        format!("This rule is in the kernel, and nothing that is known here loads it at boot.{rest}"),
        "After the next boot it is gone, unless a script of your own loads it, such as wg-quick's PostUp or a hook of the \
         network.",
        "Save it where it is loaded from ('netfilter-persistent save', 'iptables-save', or nftables.conf), or let fwtui \
         decide instead: its rules come back.",
    )]
}

/// Rules of files that are loaded at boot and are not there now.
pub(super) fn appearing(evidence: &Evidence<'_>) -> Vec<Finding> {
    let Some(netfilter) = evidence.netfilter else {
        return Vec::new();
    };
    let now = Known::of(&netfilter.tables);
    let by_save = files(evidence).into_iter().filter_map(|(file, tables)| {
        let mut missing = tables.iter().flat_map(|table| {
            let chains = table.chains.iter();
            chains.flat_map(move |chain| chain.rules.iter().map(move |rule| (table, chain, rule)))
        });
        let (_, _, first) = missing.find(|(table, chain, rule)| !now.has(table, &chain.name, rule))?;
        let more = missing
            .filter(|(table, chain, rule)| !now.has(table, &chain.name, rule))
            .count();
        let line = file.text.lines().position(|line| without_counters(line) == first.text);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(appears(
            Place {
                line: line.map(|line| line + 1),
                rule: Some(first.text.clone()),
                ..place(file)
            },
            format!(
                "'{}'{more} in {} is loaded at boot, and is not in the kernel now.",
                first.text, file.path
            ),
        ))
    });
    let is_loaded = |file: &&BootFile| file.manager == Manager::Nftables && boots(evidence, Manager::Nftables);
    let by_nft = evidence.boot_files.iter().filter(is_loaded).filter_map(|file| {
        let is_there = |(family, name): &(String, String)| {
            netfilter
                .tables
                .iter()
                .any(|table| table.family.word() == family && table.name == *name)
        };
        let (family, name) = tables_of(&file.text).find(|table| !is_there(table))?;
        Some(appears(
            place(file),
            format!(
                "{} loads the table {family} {name} at boot, and it is not in the kernel now.",
                file.path
            ),
        ))
    });
    by_save.chain(by_nft).collect()
}

fn place(file: &BootFile) -> Place {
    Place {
        file: Some(file.path.clone()),
        ..Place::default()
    }
}

fn appears(place: Place, what: String) -> Finding {
    Finding::new(
        &APPEAR,
        place,
        what,
        "What was tried out since the last boot, or taken out for good, is undone by the next one.",
        "Save the rules as they are now over the file, or load the file, so that both are the same.",
    )
}

fn boots(evidence: &Evidence<'_>, manager: Manager) -> bool {
    evidence
        .on_disk
        .iter()
        .any(|disk| disk.manager == manager && disk.at_boot == Some(true))
}

/// The files of iptables-save's that are loaded at boot, parsed; one that is cut off is left out.
fn files<'a>(evidence: &Evidence<'a>) -> Vec<(&'a BootFile, Vec<Table>)> {
    let loaded = evidence.boot_files.iter().filter(|file| boots(evidence, file.manager));
    let parse = |file: &'a BootFile| {
        let saved = SavedTables::parse(&file.text).ok()?;
        Some((file, save::tables(&saved, Engine::Nft, file.family?, &[])))
    };
    loaded.filter_map(parse).collect()
}

/// The rules there are, by family, table and chain.
struct Known<'a>(BTreeMap<(&'static str, &'a str, &'a str), Chains<'a>>);

/// The rules of chains of one name.
#[derive(Default)]
struct Chains<'a> {
    rules: Vec<&'a Rule>,
    texts: BTreeSet<&'a str>,
    has_unclear: bool,
    /// What is understood of each: what is equal prints the same. Only needed where a text is not there.
    meanings: OnceCell<BTreeSet<String>>,
}

impl<'a> Known<'a> {
    fn of(tables: impl IntoIterator<Item = &'a Table>) -> Self {
        let mut known: BTreeMap<_, Chains<'a>> = BTreeMap::new();
        for table in tables {
            for chain in &table.chains {
                let place = (table.family.word(), table.name.as_str(), chain.name.as_str());
                let chains = known.entry(place).or_default();
                chains.rules.extend(&chain.rules);
                chains.texts.extend(chain.rules.iter().map(|rule| rule.text.as_str()));
                chains.has_unclear |= chain.rules.iter().any(is_unclear);
            }
        }
        Self(known)
    }

    /// Whether a rule is in a chain of a table of the same name. What is understood is compared, so that
    /// other ways of writing it are no difference; what is not may be the same.
    fn has(&self, table: &Table, chain: &str, rule: &Rule) -> bool {
        let place = (table.family.word(), table.name.as_str(), chain);
        let Some(chains) = self.0.get(&place).filter(|chains| !chains.rules.is_empty()) else {
            return false;
        };
        let meaning = |rule: &Rule| format!("{:?}", rule.statements);
        let meanings = || {
            chains
                .meanings
                .get_or_init(|| chains.rules.iter().map(|rule| meaning(rule)).collect())
        };
        chains.texts.contains(rule.text.as_str())
            || chains.has_unclear
            || is_unclear(rule)
            || meanings().contains(&meaning(rule))
    }
}

fn is_unclear(rule: &Rule) -> bool {
    rule.statements.iter().any(is_unknown)
}

fn is_unknown(statement: &Statement) -> bool {
    matches!(statement, Statement::Unknown(_) | Statement::If(Condition::Unknown(_)))
}

/// Without what `iptables-save -c` puts in front.
fn without_counters(line: &str) -> &str {
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, rule)) => rule.trim(),
        None => line.trim(),
    }
}

/// Whether a file of nft's makes a table.
fn names(text: &str, table: &Table) -> bool {
    tables_of(text).any(|(family, name)| family == table.family.word() && name == table.name)
}

/// The tables that a file of nft's makes: `table inet filter {`; without a family it is ip's.
fn tables_of(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().take_while(|word| *word != "{").collect();
        let is_command = matches!(words.first(), Some(&"add" | &"create"));
        let words = words.get(usize::from(is_command)..).unwrap_or_default();
        let clean = |name: &str| name.trim_end_matches(['{', ';']).to_owned();
        match words {
            ["table", family, name, ..] => Some(((*family).to_owned(), clean(name))),
            ["table", name] => Some((TableFamily::Ip.word().to_owned(), clean(name))),
            _ => None,
        }
    })
}
