//! The ruleset: what a policy compiles to, and what is read back from the kernel.
//!
//! Compiled rules are typed ([`Rule`]); [`print`](Table) and parse are each other's inverse, so
//! what the kernel holds can be compared with, and walked like, what was meant.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::listener::Family;

mod classic;
mod compile;
mod diff;
mod entry;
mod install;
mod nft;
mod ports;
mod print;
mod rule;
mod saved;
mod script;
#[cfg(test)]
mod tests;
mod walk;

pub use classic::{Comparison, beside_the_classic};
pub use compile::{Telling, compile, compile_by, compile_by_address};
pub use diff::{DiffLine, Sign, diff};
pub use entry::{Entry, Stamp, Timer};
pub use install::{docker_user_text, in_one_commit, jump_text, leftovers, minimal_text, switch_text, timer_text};
pub use rule::{Limit, Match, RejectWith, Rule, State, Target};
pub use saved::{
    DockerUser, Obstacle, RuleParts, SaveError, SavedFamily, SavedTables, TableParts, own_text_removed, words_of,
};
pub use script::restore_script;
pub use walk::{Original, Packet, Verdict};

/// Everything fwtui makes in netfilter starts with this.
pub const PREFIX: &str = "FWTUI-";

/// An iptables table fwtui has rules in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Before routing and connection tracking: the guard for 127.0.0.0/8.
    Raw,
    /// Before routing and before anybody rewrites a destination: what is sent here is labelled.
    Mangle,
    /// The refusals.
    Filter,
}

impl Table {
    /// All of them, in the order of a restore text: what labels before what asks for the label.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Mangle, Self::Filter];

    /// The name in `*name`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Mangle => "mangle",
            Self::Filter => "filter",
        }
    }
}

/// A built-in chain fwtui jumps from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// raw PREROUTING.
    Prerouting,
    /// mangle PREROUTING: what is sent to this machine gets a label, by which FORWARD knows it.
    Label,
    /// filter FORWARD: what is sent to this machine and goes on to a container.
    Forward,
    /// filter INPUT.
    Input,
}

/// A chain that docker jumps to before all else of its own in FORWARD, each time it starts, and whose
/// rules it leaves alone: its documented place for those of others. Where there is one, fwtui jumps
/// from there as well, so that a restart of docker does not leave it behind docker's own rules.
pub const DOCKER_USER: &str = "DOCKER-USER";

impl Hook {
    /// Every hook, in the order packets meet them: of the last two, a packet meets one.
    pub const ALL: [Self; 4] = [Self::Prerouting, Self::Label, Self::Forward, Self::Input];

    /// The table of the built-in chain.
    pub const fn table(self) -> Table {
        match self {
            Self::Prerouting => Table::Raw,
            Self::Label => Table::Mangle,
            Self::Forward | Self::Input => Table::Filter,
        }
    }

    /// The built-in chain; also the name of fwtui's main chain for it, without prefix and slot. Two
    /// of them differ by their table only.
    pub const fn chain(self) -> &'static str {
        match self {
            Self::Prerouting | Self::Label => "PREROUTING",
            Self::Forward => "FORWARD",
            Self::Input => "INPUT",
        }
    }

    /// Whether fwtui ever has rules there for a family: IPv6 needs none in raw.
    pub const fn is_of(self, family: Family) -> bool {
        match self {
            Self::Prerouting => matches!(family, Family::Ipv4),
            Self::Label | Self::Forward | Self::Input => true,
        }
    }

    /// A name that no other hook has, for documents.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Label => "mangle PREROUTING",
            Self::Prerouting | Self::Forward | Self::Input => self.chain(),
        }
    }

    /// The entry chain, which the built-in chain jumps to and which selects the active slot.
    pub fn entry(self) -> String {
        format!("{PREFIX}{}", self.chain())
    }
}

/// Two generations of fwtui's chains can be in the kernel at once; the entry chains select one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// `FWTUI-A-...`
    A,
    /// `FWTUI-B-...`
    B,
}

impl Slot {
    /// Both slots.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The slot a candidate goes to while this one is active.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// What the names of this slot's chains start with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::A => "FWTUI-A-",
            Self::B => "FWTUI-B-",
        }
    }

    /// The main chain of a hook in this slot.
    pub fn main(self, hook: Hook) -> String {
        format!("{}{}", self.prefix(), hook.chain())
    }
}

/// The chains of one table by name (without prefix and slot), in a stable order.
pub type Chains = BTreeMap<String, Vec<Rule>>;

/// The rules of one family. Empty means that fwtui has no rules there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FamilyRules {
    /// The chains of table raw.
    pub raw: Chains,
    /// The chains of table mangle.
    pub mangle: Chains,
    /// The chains of table filter.
    pub filter: Chains,
}

impl FamilyRules {
    /// The chains of a table.
    pub const fn table(&self, table: Table) -> &Chains {
        match table {
            Table::Raw => &self.raw,
            Table::Mangle => &self.mangle,
            Table::Filter => &self.filter,
        }
    }

    /// The chains of a table, to change them.
    pub const fn table_mut(&mut self, table: Table) -> &mut Chains {
        match table {
            Table::Raw => &mut self.raw,
            Table::Mangle => &mut self.mangle,
            Table::Filter => &mut self.filter,
        }
    }

    /// Every rule of every chain.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        Table::ALL
            .into_iter()
            .flat_map(|table| self.table(table).values())
            .flatten()
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        Table::ALL.into_iter().all(|table| self.table(table).is_empty())
    }

    /// Without the rules whose time is over at a time since 1970. No packet meets them, so they make no
    /// difference; and it is what a policy without the blocks that are over compiles to.
    #[must_use]
    pub fn current(mut self, now: Duration) -> Self {
        for table in Table::ALL {
            for rules in self.table_mut(table).values_mut() {
                rules.retain(|rule| !rule.is_over(now));
            }
        }
        self
    }

    /// The hooks these rules hang on: those whose main chain there is.
    pub fn hooks(&self) -> BTreeSet<Hook> {
        Hook::ALL
            .into_iter()
            .filter(|hook| self.table(hook.table()).contains_key(hook.chain()))
            .collect()
    }

    /// How they tell what was sent to this machine; none where nothing forwarded is looked at.
    pub fn telling(&self) -> Option<Telling> {
        let has_label = |rule: &Rule| matches!(rule, Rule::Known { matches, .. } if matches.has_label);
        let is_forwarded = self.filter.contains_key(Hook::Forward.chain());
        is_forwarded.then(|| match self.filter.values().flatten().any(has_label) {
            true => Telling::ByLabel,
            false => Telling::ByAddress,
        })
    }
}

/// What a policy compiles to, for both families.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// For `iptables`.
    pub ipv4: FamilyRules,
    /// For `ip6tables`.
    pub ipv6: FamilyRules,
}

impl Ruleset {
    /// The rules of a family.
    pub const fn family(&self, family: Family) -> &FamilyRules {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// How they tell what was sent to this machine; none where nothing forwarded is looked at.
    pub fn telling(&self) -> Option<Telling> {
        let (ipv4, ipv6) = (self.ipv4.telling(), self.ipv6.telling());
        // With one family by address, the kernel has no labels.
        ipv4.max(ipv6)
    }

    /// Without the rules whose time is over: see [`FamilyRules::current`].
    #[must_use]
    pub fn current(self, now: Duration) -> Self {
        Self {
            ipv4: self.ipv4.current(now),
            ipv6: self.ipv6.current(now),
        }
    }

    /// Whether there is nothing to load: fwtui is off.
    pub fn is_empty(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty()
    }
}

/// What of fwtui is in the kernel, for one family. The default is "nothing was there".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// The slot the entry chains select (with a timer on them: at the time they were read); none
    /// when they select nothing. Where they differ, that of the last one a packet meets.
    pub slot: Option<Slot>,
    /// The rules of that slot.
    pub rules: FamilyRules,
    /// The hooks in force: the built-in chain jumps to the entry chain, and that does nothing but
    /// go to this slot.
    pub jumps: BTreeSet<Hook>,
}

impl Own {
    /// The rules as they are to be, in a slot, with every jump in place.
    pub fn wanted(slot: Slot, rules: FamilyRules) -> Self {
        match rules.is_empty() {
            true => Self::default(),
            false => Self {
                slot: Some(slot),
                jumps: rules.hooks(),
                rules,
            },
        }
    }

    /// Whether the same rules are in force, in whichever slot.
    pub fn enforces(&self, rules: &FamilyRules) -> bool {
        let effective = if self.jumps.is_superset(&self.rules.hooks()) {
            Some(&self.rules)
        } else {
            None
        };
        match rules.is_empty() {
            true => self.rules.is_empty() || self.jumps.is_empty(),
            false => effective == Some(rules),
        }
    }
}
