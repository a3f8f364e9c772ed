//! A save, part by part, for whoever reads more of it than fwtui's own rules.

use super::{SavedTables, spec};

/// One table of a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableParts<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether `iptables-save` says that it can't show all of it.
    pub is_hidden: bool,
    /// Its chains and their policies; `-` for chains of users.
    pub chains: Vec<(&'a str, &'a str)>,
    /// Its rules, in the order of the save.
    pub rules: Vec<RuleParts<'a>>,
    /// Lines of it that are neither.
    pub unread: &'a [String],
}

/// One rule of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleParts<'a> {
    /// Its chain.
    pub chain: &'a str,
    /// Everything after `-A CHAIN`, quotes resolved.
    pub words: &'a [String],
    /// The line as printed, without counters.
    pub line: &'a str,
}

impl SavedTables {
    /// Its tables by name, those that it only says it can't show among them.
    pub fn parts(&self) -> Vec<TableParts<'_>> {
        let shown = self.tables.iter().map(|(name, table)| TableParts {
            name,
            is_hidden: self.incompatible.contains(name),
            chains: table
                .chains
                .iter()
                .map(|(name, policy)| (name.as_str(), policy.as_str()))
                .collect(),
            rules: table
                .rules
                .iter()
                .map(|rule| RuleParts {
                    chain: &rule.chain,
                    words: &rule.words,
                    line: &rule.line,
                })
                .collect(),
            unread: &table.unread,
        });
        let hidden = self.incompatible.iter().filter(|name| !self.tables.contains_key(*name));
        let hidden = hidden.map(|name| TableParts {
            name,
            is_hidden: true,
            chains: Vec::new(),
            rules: Vec::new(),
            unread: &[],
        });
        shown.chain(hidden).collect()
    }

    /// Lines outside of any table that make no sense.
    pub fn strays(&self) -> &[String] {
        &self.unread
    }
}

/// The words of a line, split as `iptables-restore` does.
///
/// # Errors
/// A quote that is never closed.
pub fn words_of(line: &str) -> Result<Vec<String>, String> {
    spec::words(line)
}
