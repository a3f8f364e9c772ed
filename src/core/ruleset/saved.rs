//! What `iptables-save` and `ip6tables-save` print, read back.
//!
//! fwtui's own chains become typed rules; everything else stays text, of which only one question
//! is asked here: does it stand in the way in?

use std::collections::{BTreeMap, BTreeSet};

use crate::core::ruleset::{FamilyRules, Hook, Own, PREFIX, Rule, Slot, Table, Target};

mod others;
mod spec;
#[cfg(test)]
mod tests;

pub use others::{Obstacle, own_text_removed};

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
}

/// What `iptables-save` printed for one family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedTables {
    tables: BTreeMap<String, SavedTable>,
    /// Tables of which `iptables-save` says that it can't show all.
    incompatible: BTreeSet<String>,
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
    /// What slot the entry chain of a hook goes to, with or without other rules beside.
    pub selected: BTreeMap<Hook, Slot>,
    /// The hooks whose jump stands behind a rule that may accept.
    pub misplaced: BTreeSet<Hook>,
    /// What others put in the way in.
    pub foreign: Vec<Obstacle>,
}

impl SavedFamily {
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
    /// Reads a save. Unknown matches and targets are kept as text; only what is no save at all is
    /// an error.
    ///
    /// # Errors
    /// The first line that is neither a table, a chain, a rule, a comment nor COMMIT.
    pub fn parse(text: &str) -> Result<Self, SaveError> {
        let mut saved = Self::default();
        let mut current: Option<String> = None;
        for (index, line) in text.lines().enumerate() {
            let error = |reason: &str| SaveError {
                line: index + 1,
                reason: reason.to_owned(),
            };
            let line = line.trim_end();
            if let Some(comment) = line.strip_prefix('#') {
                saved.read_comment(comment);
            } else if let Some(name) = line.strip_prefix('*') {
                saved.tables.entry(name.to_owned()).or_default();
                current = Some(name.to_owned());
            } else if line == "COMMIT" {
                current = None;
            } else if !line.is_empty() {
                let table = current.as_ref().and_then(|name| saved.tables.get_mut(name));
                table
                    .ok_or_else(|| error("a rule outside of any table"))?
                    .read_line(line)
                    .map_err(|reason| error(&reason))?;
            }
        }
        match current {
            None => Ok(saved),
            Some(table) => Err(SaveError {
                line: text.lines().count(),
                reason: format!("table {table} is cut off"),
            }),
        }
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
            || self.tables.values().any(|table| {
                !table.rules.is_empty()
                    || table
                        .chains
                        .values()
                        .any(|policy| !matches!(policy.as_str(), "-" | "ACCEPT"))
            })
    }

    /// Takes the save apart into fwtui's rules and others'.
    pub fn take_apart(&self) -> SavedFamily {
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
                saved.look_at(hook, &mut family);
            }
        }
        // A load that was killed between its tables leaves the hooks in different slots. Every slot
        // holds the rules of all hooks, so the last one decides which are fwtui's, and the others
        // are not in force.
        if let Some(slot) = family.selected.values().next_back().copied() {
            family.own.slot = Some(slot);
            family.own.rules = self.rules_of_slot(slot);
            let selects = |hook: &Hook| {
                let table = self.tables.get(hook.table().name());
                table.is_some_and(|table| table.selects(slot, *hook))
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
        for (name, table) in &self.tables {
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
                        .any(|hook| hook.chain() == chain && rule.is_jump_to(&hook.entry()))
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
    fn read_line(&mut self, line: &str) -> Result<(), String> {
        if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split(' ');
            let name = words
                .next()
                .filter(|name| !name.is_empty())
                .ok_or("a chain without a name")?;
            self.chains
                .insert(name.to_owned(), words.next().unwrap_or("-").to_owned());
            return Ok(());
        }
        let rule = without_counters(line);
        let words = spec::words(rule)?;
        match words.as_slice() {
            [append, chain, rest @ ..] if append == "-A" => {
                self.rules.push(SavedRule {
                    chain: chain.clone(),
                    words: rest.to_vec(),
                    line: rule.to_owned(),
                });
                Ok(())
            }
            _ => Err("neither a chain nor a rule".to_owned()),
        }
    }

    fn rules_of<'a>(&'a self, chain: &'a str) -> impl Iterator<Item = &'a SavedRule> {
        self.rules.iter().filter(move |rule| rule.chain == chain)
    }

    /// Takes down what there is for a hook of this table.
    fn look_at(&self, hook: Hook, family: &mut SavedFamily) {
        let entry = hook.entry();
        let jumps = self.rules_of(hook.chain()).filter(|rule| rule.is_jump_to(&entry));
        let count = jumps.count();
        if count > 0 {
            family.jumps.insert(hook, count);
        }
        if let Some(rule) = self.rule_before_jump(hook) {
            family.misplaced.insert(hook);
            family.foreign.push(Obstacle::BeforeJump(rule.line.clone()));
        }
        let slot_of = |rule: &SavedRule| {
            Slot::ALL
                .into_iter()
                .find(|slot| rule.words == ["-g".to_owned(), slot.main(hook)])
        };
        family
            .selected
            .extend(self.rules_of(&entry).find_map(slot_of).map(|slot| (hook, slot)));
        // Before the rule that goes on to the slot they come first; without it they are all there is.
        let others = self.rules_of(&entry).filter(|rule| slot_of(rule).is_none());
        family
            .foreign
            .extend(others.map(|rule| Obstacle::BeforeJump(rule.line.clone())));
    }

    /// Whether the entry chain does nothing but go to the slot's main chain.
    fn selects(&self, slot: Slot, hook: Hook) -> bool {
        let entry = hook.entry();
        let mut rules = self.rules_of(&entry);
        rules
            .next()
            .is_some_and(|rule| rule.words == ["-g".to_owned(), slot.main(hook)])
            && rules.next().is_none()
    }

    /// The first rule before fwtui's jump with which a packet may get in without meeting the jump.
    /// Rules that only refuse (fail2ban's) may stand there.
    fn rule_before_jump(&self, hook: Hook) -> Option<&SavedRule> {
        let entry = hook.entry();
        let is_jump = |rule: &&SavedRule| rule.is_jump_to(&entry);
        if !self.rules_of(hook.chain()).any(|rule| is_jump(&rule)) {
            return None;
        }
        let mut before = self.rules_of(hook.chain()).take_while(|rule| !is_jump(rule)).peekable();
        before.peek()?;
        let mut rules: BTreeMap<&str, Vec<&SavedRule>> = BTreeMap::new();
        for rule in &self.rules {
            rules.entry(&rule.chain).or_default().push(rule);
        }
        // Chains that were looked into and let nothing past.
        let mut seen = BTreeSet::new();
        // In a built-in chain, RETURN ends in its policy.
        before.find(|rule| rule.target() == Some("RETURN") || self.may_accept(rule, &rules, &mut seen))
    }

    /// Whether a packet may be accepted by a rule, or return from it past the rules behind it.
    fn may_accept<'a>(
        &'a self,
        rule: &'a SavedRule,
        rules: &BTreeMap<&str, Vec<&'a SavedRule>>,
        seen: &mut BTreeSet<&'a str>,
    ) -> bool {
        let mut ahead = vec![rule];
        while let Some(rule) = ahead.pop() {
            match rule.target() {
                // From a chain gone to, a RETURN goes to where its caller would return to.
                _ if rule.is_goto() => return true,
                None
                | Some(
                    "DROP" | "REJECT" | "RETURN" | "LOG" | "NFLOG" | "MARK" | "CONNMARK" | "CT" | "NOTRACK" | "TRACE"
                    | "SET",
                ) => {}
                Some(chain) if self.chains.contains_key(chain) => {
                    if seen.insert(chain) {
                        ahead.extend(rules.get(chain).into_iter().flatten());
                    }
                }
                Some(_) => return true,
            }
        }
        false
    }
}

/// `[12:3456] -A INPUT ...` without the counters of `iptables-save -c`.
fn without_counters(line: &str) -> &str {
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, rule)) => rule,
        None => line,
    }
}
