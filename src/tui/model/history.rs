//! The edits that can be taken back, or done again.

use crate::core::policy::Policy;

/// How many.
const DEPTH: usize = 100;

/// The policies before and after the one that is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    past: Vec<Policy>,
    future: Vec<Policy>,
}

impl History {
    /// Takes down what was before an edit. What had been taken back before it can't be done again over it.
    pub(super) fn note(&mut self, before: Policy) {
        if self.past.len() == DEPTH {
            self.past.remove(0);
        }
        self.past.push(before);
        self.future.clear();
    }

    pub(super) const fn has_past(&self) -> bool {
        !self.past.is_empty()
    }

    pub(super) const fn has_future(&self) -> bool {
        !self.future.is_empty()
    }

    /// Goes back by one; the policy that was left comes back.
    pub(super) fn back(&mut self, policy: &mut Policy) -> Option<Policy> {
        let left = std::mem::replace(policy, self.past.pop()?);
        self.future.push(left.clone());
        Some(left)
    }

    /// Goes forth by one; the policy that was left comes back.
    pub(super) fn forth(&mut self, policy: &mut Policy) -> Option<Policy> {
        let left = std::mem::replace(policy, self.future.pop()?);
        self.past.push(left.clone());
        Some(left)
    }

    /// Forgets everything: another policy than any of these is there.
    pub(super) fn forget(&mut self) {
        self.past.clear();
        self.future.clear();
    }
}
