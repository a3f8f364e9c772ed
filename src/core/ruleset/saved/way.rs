//! The way into fwtui's chains: the jump, what comes before it, and what it leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Obstacle, SavedFamily, SavedRule, SavedTable};
use crate::core::ruleset::{DOCKER_USER, Entry, Hook, Slot};

/// What the chain [`DOCKER_USER`] holds of fwtui.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DockerUser {
    /// How many jumps to the entry chain of FORWARD.
    pub jumps: usize,
    /// Whether one of them comes before all that may let a packet past it.
    pub leads_in: bool,
}

impl DockerUser {
    /// Whether it is as it is to be, with a jump or without.
    pub const fn is_as_wanted(self, is_wanted: bool) -> bool {
        match is_wanted {
            true => self.jumps == 1 && self.leads_in,
            false => self.jumps == 0,
        }
    }
}

impl SavedTable {
    /// Takes down what there is for a hook of this table.
    pub(super) fn look_at(&self, hook: Hook, now: Duration, family: &mut SavedFamily) {
        let entry = hook.entry();
        let jumps = self.rules_of(hook.chain()).filter(|rule| rule.is_jump_to(&entry));
        let count = jumps.count();
        if count > 0 {
            family.jumps.insert(hook, count);
        }
        if hook == Hook::Forward && self.chains.contains_key(DOCKER_USER) {
            family.docker_user = Some(DockerUser {
                jumps: self
                    .rules_of(DOCKER_USER)
                    .filter(|rule| rule.is_jump_to(&entry))
                    .count(),
                leads_in: self.docker_user_leads_in(),
            });
        }
        if let Some(rule) = self.rule_before_jump(hook) {
            family.misplaced.insert(hook);
            family.foreign.push(Obstacle::BeforeJump(rule.line.clone()));
        }
        let rules: Vec<&[String]> = self.rules_of(&entry).map(|rule| rule.words.as_slice()).collect();
        let does = Entry::parse(hook, &rules);
        family.selected.extend(does.selected(now).map(|slot| (hook, slot)));
        if let Entry::Other { .. } = does {
            // Before the rule that goes on to the slot they come first; without it they are all there is.
            let is_own = |rule: &&SavedRule| {
                Slot::ALL
                    .into_iter()
                    .any(|slot| rule.words == ["-g".to_owned(), slot.main(hook)])
            };
            let others = self.rules_of(&entry).filter(|rule| !is_own(rule));
            family
                .foreign
                .extend(others.map(|rule| Obstacle::BeforeJump(rule.line.clone())));
        }
        if does != Entry::Empty {
            family.entries.insert(hook, does);
        }
    }

    /// The first rule before fwtui's jump with which a packet may get in without meeting the jump.
    /// Rules that only refuse (fail2ban's) may stand there.
    fn rule_before_jump(&self, hook: Hook) -> Option<&SavedRule> {
        let entry = hook.entry();
        if !self.rules_of(hook.chain()).any(|rule| rule.is_jump_to(&entry)) {
            return None;
        }
        let is_way_in = |rule: &SavedRule| {
            let by_docker = hook == Hook::Forward && rule.is_jump_to(DOCKER_USER);
            rule.is_jump_to(&entry) || by_docker && self.docker_user_leads_in()
        };
        self.lets_past(hook.chain(), is_way_in)
    }

    /// Whether every packet that comes to [`DOCKER_USER`], and is not refused there, meets fwtui's
    /// rules for FORWARD.
    fn docker_user_leads_in(&self) -> bool {
        let entry = Hook::Forward.entry();
        let is_way_in = |rule: &SavedRule| rule.is_jump_to(&entry);
        self.rules_of(DOCKER_USER).any(is_way_in) && self.lets_past(DOCKER_USER, is_way_in).is_none()
    }

    /// The first rule of a chain, before the first one that leads to fwtui's, with which a packet may
    /// get past that.
    fn lets_past<'a>(&'a self, chain: &'a str, is_way_in: impl Fn(&SavedRule) -> bool) -> Option<&'a SavedRule> {
        let mut before = self.rules_of(chain).take_while(|rule| !is_way_in(rule)).peekable();
        before.peek()?;
        let mut rules: BTreeMap<&str, Vec<&SavedRule>> = BTreeMap::new();
        for rule in &self.rules {
            rules.entry(&rule.chain).or_default().push(rule);
        }
        // Chains that were looked into and let nothing past.
        let mut seen = BTreeSet::new();
        // In a built-in chain, RETURN ends in its policy; in docker's, behind it.
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
                    | "SET" | "TOS" | "DSCP" | "TTL" | "HL" | "TEE" | "TCPMSS" | "CLASSIFY",
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
