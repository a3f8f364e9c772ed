//! What `iptables-save` and `ip6tables-save` print, read back.
//!
//! fwtui's own chains become typed rules; everything else stays text, of which only one question
//! is asked here: does it stand in the way in?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::counters::Count;
use crate::core::ruleset::{Entry, FamilyRules, Hook, Own, PREFIX, Rule, Slot, Table, Target};

mod counted;
mod others;
mod parts;
mod spec;
#[cfg(test)]
mod tests;
mod way;

pub use others::{Obstacle, own_text_removed};
pub use parts::{RuleParts, TableParts, words_of};
pub use way::DockerUser;

/// What can't be read of a save.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of what iptables-save printed: {reason}")]
pub struct SaveError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// One rule of a save.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SavedRule {
    chain: String,
    /// Everything after `-A CHAIN`, quotes resolved.
    words: Vec<String>,
    /// The line as printed, without counters.
    line: String,
    /// What it has counted, where that was asked for.
    count: Option<Count>,
}

impl SavedRule {
    /// Whether every packet that comes to it goes on in a chain and may return.
    fn is_jump_to(&self, chain: &str) -> bool {
        self.words == ["-j", chain]
    }

    /// Whether it goes to a chain for good.
    fn is_goto(&self) -> bool {
        self.words.iter().any(|word| word == "-g")
    }

    /// The chain this rule jumps or goes to, or its target.
    fn target(&self) -> Option<&str> {
        let at = self
            .words
            .iter()
            .position(|word| matches!(word.as_str(), "-j" | "-g"))?;
        self.words.get(at + 1).map(String::as_str)
    }
}

/// One table of a save.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SavedTable {
    /// Chain name to policy; `-` for user chains.
    chains: BTreeMap<String, String>,
    rules: Vec<SavedRule>,
    /// Lines that are neither.
    unread: Vec<String>,
}

/// What `iptables-save` printed for one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedTables {
    tables: BTreeMap<String, SavedTable>,
    /// Tables of which `iptables-save` says that it can't show all.
    incompatible: BTreeSet<String>,
    /// Lines outside of any table.
    unread: Vec<String>,
}

/// The same, taken apart into what is fwtui's and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedFamily {
    /// fwtui's rules in force.
    pub own: Own,
    /// Every chain of fwtui, in force or left over, by table.
    pub chains: BTreeSet<(Table, String)>,
    /// The hooks whose jump there is, in whatever place, and how many times.
    pub jumps: BTreeMap<Hook, usize>,
    /// What the entry chain of a hook does; empty ones are left out.
    pub entries: BTreeMap<Hook, Entry>,
    /// What slot that was when it was read, with or without other rules beside.
    pub selected: BTreeMap<Hook, Slot>,
    /// The hooks whose jump stands behind a rule that may accept.
    pub misplaced: BTreeSet<Hook>,
    /// What [`DOCKER_USER`](crate::core::ruleset::DOCKER_USER) does for fwtui, where there is such a chain.
    pub docker_user: Option<DockerUser>,
    /// What others put in the way in.
    pub foreign: Vec<Obstacle>,
    /// The machine has no such family: nothing can come in by it.
    pub is_absent: bool,
}

impl SavedFamily {
    /// For a machine without this family.
    pub fn absent() -> Self {
        Self {
            is_absent: true,
            ..Self::default()
        }
    }

    /// What to put back where a change is undone: what is in force, and made whole where an entry
    /// chain goes to fwtui's rules but to another slot or not only there. One that goes nowhere
    /// stays out of force.
    pub fn to_put_back(&self) -> Own {
        let is_cut = |hook: &Hook| !(self.jumps.contains_key(hook) && self.selected.contains_key(hook));
        let mut own = self.own.clone();
        let hooks = own.rules.hooks();
        own.jumps = hooks.into_iter().filter(|hook| !is_cut(hook)).collect();
        own
    }
}

impl SavedTables {
    /// Reads a save. What others wrote is kept as text where it is not understood; only what is no
    /// save at all is an error.
    ///
    /// # Errors
    /// A rule outside of any table, or a table without its COMMIT: then something is missing.
    pub fn parse(text: &str) -> Result<Self, SaveError> {
        let mut saved = Self::default();
        let mut current: Option<String> = None;
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let mut index = 0;
        while let Some(line) = lines.get(index).copied() {
            let error = |reason: String| SaveError {
                line: index + 1,
                reason,
            };
            let mut taken = 1;
            if let Some(comment) = line.strip_prefix('#') {
                saved.read_comment(comment);
            } else if let Some(name) = line.strip_prefix('*') {
                if let Some(open) = current {
                    return Err(error(format!("table {open} is cut off")));
                }
                saved.tables.entry(name.to_owned()).or_default();
                current = Some(name.to_owned());
            } else if line == "COMMIT" {
                current = None;
            } else if let Some(table) = current.as_ref().and_then(|name| saved.tables.get_mut(name)) {
                taken = table.read_line(&lines, index);
            } else if without_counters(line).starts_with('-') {
                return Err(error("a rule outside of any table".to_owned()));
            } else if !line.is_empty() {
                saved.unread.push(line.to_owned());
            }
            index += taken;
        }
        match current {
            None => Ok(saved),
            Some(table) => Err(SaveError {
                line: lines.len(),
                reason: format!("table {table} is cut off"),
            }),
        }
    }

    /// Whether everything in it was understood as a table, a chain or a rule.
    pub(super) fn is_understood(&self) -> bool {
        self.unread.is_empty() && self.tables.values().all(|table| table.unread.is_empty())
    }

    /// "Table `filter` contains incompatible base-chains, use 'nft' tool to list them."
    fn read_comment(&mut self, comment: &str) {
        if comment.contains("incompatible") {
            let table = comment.split(['`', '\'']).nth(1).unwrap_or("?");
            self.incompatible.insert(table.to_owned());
        }
    }

    /// Whether `iptables-save` says that it can't show a table, or not all of it.
    pub fn is_hidden(&self, table: Table) -> bool {
        self.incompatible.contains(table.name())
    }

    /// Whether there is any rule, or a policy other than ACCEPT: the variant is in use.
    pub fn has_rules(&self) -> bool {
        !self.incompatible.is_empty()
            || !self.is_understood()
            || self.tables.values().any(|table| {
                !table.rules.is_empty()
                    || table
                        .chains
                        .values()
                        .any(|policy| !matches!(policy.as_str(), "-" | "ACCEPT"))
            })
    }

    /// Takes the save apart into fwtui's rules and others'. `now`, the time since 1970, tells which
    /// rules are in force where a timer is on them.
    pub fn take_apart(&self, now: Duration) -> SavedFamily {
        let mut family = SavedFamily {
            foreign: self.obstacles(),
            ..SavedFamily::default()
        };
        for table in Table::ALL {
            let Some(saved) = self.tables.get(table.name()) else {
                continue;
            };
            let own = saved.chains.keys().filter(|name| name.starts_with(PREFIX));
            family.chains.extend(own.map(|name| (table, name.clone())));
        }
        for hook in Hook::ALL {
            if let Some(saved) = self.tables.get(hook.table().name()) {
                saved.look_at(hook, now, &mut family);
            }
        }
        // A load that was killed between its tables leaves the hooks in different slots. Every slot
        // holds the rules of all hooks, so the last one decides which are fwtui's, and the others
        // are not in force.
        if let Some(slot) = family.selected.values().next_back().copied() {
            family.own.slot = Some(slot);
            family.own.rules = self.rules_of_slot(slot);
            let selects = |hook: &Hook| {
                let entry = family.entries.get(hook);
                entry.is_some_and(|entry| !matches!(entry, Entry::Other { .. }) && entry.selected(now) == Some(slot))
            };
            family.own.jumps = family.jumps.keys().copied().filter(selects).collect();
        }
        family
    }

    pub(super) fn rules_of_slot(&self, slot: Slot) -> FamilyRules {
        let mut rules = FamilyRules::default();
        for table in Table::ALL {
            let Some(saved) = self.tables.get(table.name()) else {
                continue;
            };
            for chain in saved.chains.keys() {
                let Some(name) = chain.strip_prefix(slot.prefix()) else {
                    continue;
                };
                let parsed: Vec<Rule> = saved
                    .rules_of(chain)
                    .map(|rule| spec::parse(&rule.words, slot))
                    .collect();
                rules.table_mut(table).insert(name.to_owned(), parsed);
            }
        }
        rules.drop_unused();
        rules
    }

    /// What others put where packets come in: every table's PREROUTING and INPUT.
    fn obstacles(&self) -> Vec<Obstacle> {
        let mut obstacles: Vec<Obstacle> = self.incompatible.iter().cloned().map(Obstacle::Incompatible).collect();
        obstacles.extend(self.unread.iter().cloned().map(Obstacle::Unread));
        for (name, table) in &self.tables {
            obstacles.extend(table.unread.iter().cloned().map(Obstacle::Unread));
            for chain in ["PREROUTING", "INPUT"] {
                if let Some(policy) = table.chains.get(chain).filter(|policy| policy.as_str() != "ACCEPT") {
                    obstacles.push(Obstacle::ChainPolicy {
                        table: name.clone(),
                        chain: chain.to_owned(),
                        policy: policy.clone(),
                    });
                }
                let is_own = |rule: &&SavedRule| {
                    Hook::ALL
                        .into_iter()
                        .filter(|hook| (hook.table().name(), hook.chain()) == (name.as_str(), chain))
                        .any(|hook| rule.is_jump_to(&hook.entry()))
                };
                let foreign = table.rules_of(chain).filter(|rule| !is_own(rule));
                obstacles.extend(foreign.map(|rule| Obstacle::Rule {
                    table: name.clone(),
                    text: rule.line.clone(),
                }));
            }
        }
        obstacles
    }
}

impl FamilyRules {
    /// Forgets empty chains that nothing goes to: what an earlier ruleset in the same slot left behind.
    fn drop_unused(&mut self) {
        let target = |rule: &Rule| match rule {
            Rule::Known {
                target: Target::Goto(chain),
                ..
            } => Some(chain.clone()),
            Rule::Known { .. } | Rule::Other(_) => None,
        };
        for table in Table::ALL {
            let chains = self.table_mut(table);
            let targets: BTreeSet<String> = chains.values().flatten().filter_map(target).collect();
            let is_main = |name: &str| {
                Hook::ALL
                    .into_iter()
                    .any(|hook| (hook.table(), hook.chain()) == (table, name))
            };
            chains.retain(|name, rules| !rules.is_empty() || targets.contains(name) || is_main(name));
        }
    }
}

impl SavedTable {
    /// Reads the line at an index, and those behind it that belong to it; how many it took.
    fn read_line(&mut self, lines: &[&str], index: usize) -> usize {
        let line = lines.get(index).copied().unwrap_or_default();
        if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split(' ');
            if let Some(name) = words.next().filter(|name| !name.is_empty()) {
                self.chains
                    .insert(name.to_owned(), words.next().unwrap_or("-").to_owned());
                return 1;
            }
        }
        let rule = whole_rule(lines, index);
        if let Some((rule, words, taken)) = &rule
            && let [append, chain, rest @ ..] = words.as_slice()
            && append == "-A"
        {
            self.rules.push(SavedRule {
                chain: chain.clone(),
                words: rest.to_vec(),
                line: rule.clone(),
                count: counted::counters(line),
            });
            return *taken;
        }
        if !line.is_empty() {
            self.unread.push(line.to_owned());
        }
        // One whose quotes don't close still stands in its place in its chain: its effect is not known.
        let mut words = without_counters(line).split(' ');
        if rule.is_none()
            && let (Some("-A"), Some(chain)) = (words.next(), words.next())
        {
            let rest: Vec<String> = words.map(str::to_owned).collect();
            self.rules.push(SavedRule {
                chain: chain.to_owned(),
                words: [vec!["-j".to_owned(), "?".to_owned()], rest].concat(),
                line: line.to_owned(),
                count: None,
            });
        }
        1
    }

    fn rules_of<'a>(&'a self, chain: &'a str) -> impl Iterator<Item = &'a SavedRule> {
        self.rules.iter().filter(move |rule| rule.chain == chain)
    }
}

/// The rule that begins at an index, its words, and how many lines it takes: a line break in a
/// comment is printed as it is.
fn whole_rule(lines: &[&str], index: usize) -> Option<(String, Vec<String>, usize)> {
    // A comment has 255 characters at most.
    const MOST_LINES: usize = 256;
    let mut rule = without_counters(lines.get(index)?).to_owned();
    for taken in 1..=MOST_LINES {
        if let Ok(words) = spec::words(&rule) {
            return Some((rule, words, taken));
        }
        rule.push('\n');
        rule.push_str(lines.get(index + taken)?);
    }
    None
}

/// `[12:3456] -A INPUT ...` without the counters of `iptables-save -c`.
fn without_counters(line: &str) -> &str {
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, rule)) => rule,
        None => line,
    }
}
