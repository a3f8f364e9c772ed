//! The rules as the commands of a file leave them.

use std::collections::BTreeMap;

use crate::core::listener::Family;

/// Everything that is loaded.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    tables: BTreeMap<(Family, String), HeldTable>,
}

/// One table.
#[derive(Debug, Clone, Default)]
pub(super) struct HeldTable {
    /// Its chains by name.
    pub(super) chains: BTreeMap<String, HeldChain>,
    /// Whether iptables-save said that it can't show all of it.
    pub(super) is_hidden: bool,
}

/// One chain.
#[derive(Debug, Clone, Default)]
pub(super) struct HeldChain {
    /// Its policy; none for one that somebody made.
    pub(super) policy: Option<String>,
    /// The line that gave it.
    pub(super) policy_line: Option<usize>,
    /// Its rules, in order.
    pub(super) rules: Vec<HeldRule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct HeldRule {
    /// Its words, without its chain, as iptables-save would print them.
    pub(super) words: Vec<String>,
    /// What is shown of it.
    pub(super) text: String,
    /// The line it comes from.
    pub(super) line: usize,
}

impl Held {
    /// Whether nothing was ever loaded.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The families with a table.
    pub(super) fn families(&self) -> Vec<Family> {
        let has = |family: &Family| self.tables.keys().any(|(of, _)| of == family);
        Family::ALL.into_iter().filter(has).collect()
    }

    /// Every table.
    pub(super) fn tables(&self) -> impl Iterator<Item = (Family, &str, &HeldTable)> {
        self.tables
            .iter()
            .map(|((family, name), table)| (*family, name.as_str(), table))
    }

    /// How much is loaded: rules, and policies that drop.
    pub(super) fn weight(&self) -> usize {
        let chains = self.tables.values().flat_map(|table| table.chains.values());
        chains
            .map(|chain| {
                let drops = chain.policy.as_deref().is_some_and(|policy| policy != "ACCEPT");
                chain.rules.len() + usize::from(drops)
            })
            .sum()
    }

    /// A table, as it is from the start where nobody asked for it yet.
    pub(super) fn table(&mut self, family: Family, name: &str) -> &mut HeldTable {
        self.tables
            .entry((family, name.to_owned()))
            .or_insert_with(|| HeldTable::fresh(name))
    }

    /// Empties a table, as loading it anew does.
    pub(super) fn empty_table(&mut self, family: Family, name: &str) {
        self.tables.insert((family, name.to_owned()), HeldTable::fresh(name));
    }
}

impl HeldTable {
    fn fresh(name: &str) -> Self {
        let built_in: &[&str] = match name {
            "nat" => &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
            "mangle" => &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
            "raw" => &["PREROUTING", "OUTPUT"],
            _ => &["INPUT", "FORWARD", "OUTPUT"],
        };
        let chain = |name: &&str| {
            let chain = HeldChain {
                policy: Some("ACCEPT".to_owned()),
                ..HeldChain::default()
            };
            ((*name).to_owned(), chain)
        };
        Self {
            chains: built_in.iter().map(chain).collect(),
            is_hidden: false,
        }
    }
}
