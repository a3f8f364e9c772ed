//! What `nft -j list ruleset` prints (libnftables-json(5)), of nft 0.9 to 1.1.
//!
//! Read object by object: one that is not understood spoils nothing but itself.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "of the shapes JSON may have, each place means one or two"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{Base, Chain, ChainType, Engine, Hook, Netfilter, Rule, Statement, Table, TableFamily};

mod bits;
mod conditions;
mod nat;
mod operands;
mod sets;
mod statements;
#[cfg(test)]
mod tests;
mod text;
mod words;

use operands::{several, word};
use statements::Context;

/// What is no list of rules at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// No JSON.
    #[error("nft printed no JSON: {0}")]
    Syntax(String),
    /// JSON, but not of nft.
    #[error("nft printed JSON without a list \"nftables\"")]
    NoList,
}

/// What nft listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The tables, but those of ARP.
    pub netfilter: Netfilter,
    /// The rules with matches or targets of `x_tables`, which nft shows by name only.
    pub extensions: BTreeSet<Place>,
}

/// Where a rule stands, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which table.
    pub table: usize,
    /// Which chain of it.
    pub chain: usize,
    /// Which rule of it.
    pub rule: usize,
}

/// The document, its objects not read yet: all of them at once would take many times the memory.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    nftables: Vec<&'a RawValue>,
}

/// Reads what `nft -j list ruleset` printed.
///
/// # Errors
/// Only for what is no JSON, or has no list `nftables`.
pub fn parse(text: &str) -> Result<Listed, JsonError> {
    let Document { nftables } = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => JsonError::NoList,
        Category::Io | Category::Syntax | Category::Eof => JsonError::Syntax(error.to_string()),
    })?;
    let mut reader = Reader::default();
    let object = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).unwrap_or_default();
    let is_limit = |raw: &&&RawValue| {
        ["{\"limit\"", "{\"quota\""]
            .iter()
            .any(|head| raw.get().starts_with(head))
    };
    for raw in nftables.iter().filter(is_limit) {
        reader.note_limit(&object(raw));
    }
    for raw in nftables {
        reader.add(&object(raw));
    }
    reader.doubt();
    Ok(reader.listed)
}

/// A table's family and name.
type TableKey = (TableFamily, String);

#[derive(Debug, Default)]
struct Reader {
    listed: Listed,
    tables: BTreeMap<TableKey, usize>,
    /// By table and name.
    chains: BTreeMap<(usize, String), usize>,
    /// Named limits and quotas of each table: whether they match a quiet peer's first packet.
    named: BTreeMap<TableKey, BTreeMap<String, bool>>,
    /// Tables with flags that make no sense.
    doubtful: BTreeSet<usize>,
}

impl Reader {
    fn note_limit(&mut self, object: &Value) {
        for kind in ["limit", "quota"] {
            let Some(limit) = object.get(kind) else { continue };
            if let (Some(table), Some(name)) = (table_of(limit, "table"), word(limit, "name")) {
                let matches = statements::first_matches(limit);
                let of_table = self.named.entry(table).or_default();
                of_table.insert(format!("{kind} {name}"), matches);
            }
        }
    }

    fn add(&mut self, object: &Value) {
        let Some((kind, inner)) = operands::only(object) else {
            return;
        };
        let table = match kind {
            "table" => table_of(inner, "name"),
            "chain" | "rule" | "set" | "map" => table_of(inner, "table"),
            _ => None,
        };
        let Some(key) = table else {
            return;
        };
        let at = self.table(&key);
        match kind {
            "table" => {
                let flags = several(inner.get("flags"));
                if let Some(table) = self.listed.netfilter.tables.get_mut(at) {
                    table.is_dormant = flags.contains(&"dormant");
                }
                // nft 1.0.6 takes the words from a wrong place, and prints any for dormant.
                if flags
                    .iter()
                    .any(|flag| !matches!(*flag, "dormant" | "owner" | "persist"))
                {
                    self.doubtful.insert(at);
                }
            }
            "chain" => {
                if let Some(name) = word(inner, "name")
                    && let Some(chain) = self.chain(at, name)
                {
                    chain.1.base = base(inner, key.0);
                }
            }
            "rule" => self.add_rule(at, &key, inner),
            _ => {
                if let (Some(name), Some(table)) = (word(inner, "name"), self.listed.netfilter.tables.get_mut(at)) {
                    table.sets.push(sets::named(inner, name.to_owned(), key.0));
                }
            }
        }
    }

    /// Whether the rules of a doubtful table are in force is not known: its base chains begin so.
    fn doubt(&mut self) {
        const WHY: &str = "nft does not say whether the table is dormant";
        for at in &self.doubtful {
            let Some(table) = self.listed.netfilter.tables.get_mut(*at) else {
                continue;
            };
            for (number, chain) in table
                .chains
                .iter_mut()
                .enumerate()
                .filter(|chain| chain.1.base.is_some())
            {
                let rule = Rule {
                    statements: vec![Statement::Unknown(WHY.to_owned())],
                    text: format!("# {WHY}"),
                    comment: None,
                };
                chain.rules.insert(0, rule);
                let moved = |place: Place| match (place.table, place.chain) == (*at, number) {
                    true => Place {
                        rule: place.rule + 1,
                        ..place
                    },
                    false => place,
                };
                self.listed.extensions = self.listed.extensions.iter().copied().map(moved).collect();
            }
        }
    }

    /// The place of a table, made where there is none.
    fn table(&mut self, key: &TableKey) -> usize {
        if let Some(at) = self.tables.get(key) {
            return *at;
        }
        let tables = &mut self.listed.netfilter.tables;
        tables.push(Table {
            engine: Engine::Nft,
            family: key.0,
            name: key.1.clone(),
            is_dormant: false,
            chains: Vec::new(),
            sets: Vec::new(),
        });
        self.tables.insert(key.clone(), tables.len() - 1);
        tables.len() - 1
    }

    /// A chain and its place, made where there is none.
    fn chain(&mut self, table: usize, name: &str) -> Option<(usize, &mut Chain)> {
        let chains = &mut self.listed.netfilter.tables.get_mut(table)?.chains;
        let at = *self.chains.entry((table, name.to_owned())).or_insert_with(|| {
            chains.push(Chain {
                name: name.to_owned(),
                base: None,
                rules: Vec::new(),
            });
            chains.len() - 1
        });
        Some((at, chains.get_mut(at)?))
    }

    fn add_rule(&mut self, table: usize, key: &TableKey, inner: &Value) {
        let nothing = BTreeMap::new();
        let context = Context {
            family: key.0,
            named: self.named.get(key).unwrap_or(&nothing),
        };
        let mut statements = Vec::new();
        let mut has_extensions = false;
        match inner.get("expr") {
            Some(Value::Array(expressions)) => {
                for statement in expressions {
                    has_extensions |= statements::add(statement, &context, &mut statements);
                }
            }
            None | Some(Value::Null) => {}
            Some(other) => {
                has_extensions |= statements::add(other, &context, &mut statements);
            }
        }
        let rule = Rule {
            statements,
            text: text::rule(inner, key.0),
            comment: word(inner, "comment").map(str::to_owned),
        };
        let name = word(inner, "chain").unwrap_or_default();
        let Some((chain, found)) = self.chain(table, name) else {
            return;
        };
        found.rules.push(rule);
        let rule = found.rules.len() - 1;
        if has_extensions {
            self.listed.extensions.insert(Place { table, chain, rule });
        }
    }
}

/// The family and name of a table; none for ARP's, and what is no table.
fn table_of(object: &Value, name: &str) -> Option<TableKey> {
    let family = match word(object, "family")? {
        "ip" => TableFamily::Ip,
        "ip6" => TableFamily::Ip6,
        "inet" => TableFamily::Inet,
        "bridge" => TableFamily::Bridge,
        "netdev" => TableFamily::Netdev,
        _ => return None,
    };
    Some((family, word(object, name)?.to_owned()))
}

/// How a chain is hooked in. A netdev's egress is none of ours: there packets leave.
fn base(chain: &Value, family: TableFamily) -> Option<Base> {
    let hook = match word(chain, "hook")? {
        "ingress" => Hook::Ingress,
        "prerouting" => Hook::Prerouting,
        "input" => Hook::Input,
        "forward" => Hook::Forward,
        "output" => Hook::Output,
        "postrouting" => Hook::Postrouting,
        _ => return None,
    };
    let devices = several(chain.get("dev").or_else(|| chain.get("devices")));
    Some(Base {
        hook,
        kind: match word(chain, "type") {
            Some("nat") => ChainType::Nat,
            Some("route") => ChainType::Route,
            _ => ChainType::Filter,
        },
        priority: chain.get("prio").map_or(0, |priority| self::priority(priority, family)),
        drops: word(chain, "policy") == Some("drop"),
        devices: devices.into_iter().map(str::to_owned).collect(),
    })
}

/// A priority: a number, or nft's word for it with what is added.
fn priority(value: &Value, family: TableFamily) -> i32 {
    match value {
        Value::Number(number) => number
            .as_i64()
            .and_then(|number| i32::try_from(number).ok())
            .unwrap_or(0),
        Value::String(text) => {
            let text: String = text.split_whitespace().collect();
            let cut = text.find(['+', '-']).unwrap_or(text.len());
            let (word, added) = text.split_at_checked(cut).unwrap_or((text.as_str(), ""));
            let added = added.trim_start_matches('+').parse().unwrap_or(0);
            standard_priority(word, family).saturating_add(added)
        }
        _ => 0,
    }
}

/// The numbers of nft(8)'s words.
fn standard_priority(word: &str, family: TableFamily) -> i32 {
    let is_bridge = family == TableFamily::Bridge;
    match word {
        "dstnat" if is_bridge => -300,
        "filter" if is_bridge => -200,
        "srcnat" if is_bridge => 300,
        "raw" => -300,
        "mangle" => -150,
        "dstnat" => -100,
        "security" => 50,
        "srcnat" | "out" => 100,
        _ => 0,
    }
}
