//! The way into fwtui's chains: the jump, what comes before it, and what it leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Obstacle, SavedFamily, SavedRule, SavedTable};
use crate::core::ruleset::{Hook, Slot};

impl SavedTable {
    /// Takes down what there is for a hook of this table.
    pub(super) fn look_at(&self, hook: Hook, family: &mut SavedFamily) {
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
    pub(super) fn selects(&self, slot: Slot, hook: Hook) -> bool {
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
