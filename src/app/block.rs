//! Quick blocks: those that hold, and what becomes of those that are over.

use crate::app::look::filter_of;
use crate::app::machine::Opened;
use crate::app::restore::rules_for_now;
use crate::app::status::difference;
use crate::app::{Error, Machine};
use crate::core::listener::Family;
use crate::core::policy::Block;
use crate::guard;
use crate::store::{policy, state};
use crate::sys::{clock, host, interfaces};

/// A block, and whether it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockView {
    /// The block.
    pub block: Block,
    /// Whether the kernel holds it; none where that can't be seen.
    pub is_in_force: Option<bool>,
}

impl Machine {
    /// The blocks of the wanted policy, without those that are over.
    ///
    /// # Errors
    /// Where the policy can't be read or is wrong.
    pub fn blocks(&self) -> Result<Vec<BlockView>, Error> {
        let blocks = self.policy()?.current(clock::since_1970()).into_owned().blocks;
        let filter = match blocks.is_empty() {
            true => None,
            false => Self::kernel(host::is_root()).filter,
        };
        let view = |block: Block| BlockView {
            is_in_force: filter.as_ref().map(|filter| block.is_in_force(filter)),
            block,
        };
        Ok(blocks.into_iter().map(view).collect())
    }

    /// The same for a status: of a policy that can't be read there is nothing to say here.
    pub(super) fn current_blocks(&self) -> Vec<Block> {
        let policy = self.policy().unwrap_or_default();
        policy.current(clock::since_1970()).into_owned().blocks
    }

    /// Takes the blocks that are over out of the wanted policy. Where that can't be written they stay
    /// there, and count for nothing.
    pub(super) fn forget_blocks_that_are_over(&self) {
        let now = clock::since_1970();
        let is_over = |block: &Block| block.is_over(now);
        let has_some = || Ok::<_, Error>(self.policy()?.blocks.iter().any(is_over));
        let forget = || -> Result<(), Error> {
            let _lock = self.policy_lock()?;
            Ok(policy::save(&self.paths, &self.policy()?.current(now))?)
        };
        if has_some().unwrap_or_default() {
            let _left_there = forget();
        }
    }

    /// Takes rules out of the kernel whose time is over.
    ///
    /// No packet meets such a rule: the kernel's clock match has ended it. Whatever compares rules
    /// leaves it out ([`crate::core::ruleset::FamilyRules::current`]), so it is neither drift nor a
    /// change that waits. What is loaded next, by apply or by restore at boot, comes without it; until
    /// then it costs a comparison per packet, and a clock that is set back would bring it to life.
    ///
    /// So every edit as root does what `restore` does, where that changes no verdict: the kernel holds
    /// what was confirmed and nothing else but such rules. It goes the ordinary way, by a whole load with
    /// its reading back, and under the lock that a guard holds: never while a trial runs, whose base
    /// would no longer be what its guard is to put back.
    pub(super) fn clean_blocks_that_are_over(&self) -> Result<(), Error> {
        let now = clock::since_1970();
        if !host::is_root() || self.paths.journal().exists() {
            return Ok(());
        }
        let confirmed = state::confirmed(&self.paths)?.filter(|confirmed| !confirmed.is_off);
        let Some(confirmed) = confirmed.filter(|confirmed| confirmed.policy.blocks.iter().any(|b| b.is_over(now)))
        else {
            return Ok(());
        };
        let lock = guard::take_lock(&self.paths);
        let lock = lock.map_err(|error| Error::failed(format!("the lock can't be taken: {error}")))?;
        let Some(_lock) = lock else { return Ok(()) };
        let Opened { backend, .. } = Self::open()?;
        let observed = backend.read()?;
        let mut families = Family::ALL.into_iter().map(|family| &observed.family(family).own.rules);
        if !families.any(|rules| rules.rules().any(|rule| rule.is_over(now))) {
            return Ok(());
        }
        let (rules, _) = rules_for_now(&confirmed, interfaces::interfaces().unwrap_or_default())?;
        if difference(&rules, &filter_of(observed)).is_some() {
            return Ok(());
        }
        Ok(self.put_in_force(backend.as_ref(), &rules)?)
    }
}
