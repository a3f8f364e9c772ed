//! The edits that can be taken back, or done again.

use super::Model;
use crate::core::policy::Policy;

const READ_AGAIN: &str = "The policy came from the disk anew: edits made before that are no longer known.";

/// How many.
const DEPTH: usize = 100;

/// The policies before and after the one that is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    past: Vec<Policy>,
    future: Vec<Policy>,
    /// Whether there were others, and another policy came from the disk.
    is_forgotten: bool,
}

impl History {
    /// Takes down what was before an edit. What had been taken back before it can't be done again over it.
    pub(super) fn note(&mut self, before: Policy) {
        if self.past.len() == DEPTH {
            self.past.remove(0);
        }
        self.past.push(before);
        self.future.clear();
        self.is_forgotten = false;
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
        self.is_forgotten |= self.has_past() || self.has_future();
        self.past.clear();
        self.future.clear();
    }
}

impl Model {
    /// Takes an edited policy; the one before can be had back.
    pub fn adopt_edit(&mut self, policy: Policy) {
        let before = self.turn_to(policy);
        self.history.note(before);
    }

    /// Takes what the answers of a setup decide: they are gone back over, and not taken back.
    pub fn adopt_answers(&mut self, policy: Policy) {
        self.turn_to(policy);
    }

    /// Why no edit can be taken back, in one sentence; none where one can.
    pub fn why_no_undo(&self) -> Option<&'static str> {
        match (self.history.has_past(), self.history.is_forgotten) {
            (true, _) => None,
            (false, true) => Some(READ_AGAIN),
            (false, false) => Some("Nothing was edited that could be taken back."),
        }
    }

    /// Why none can be done again, in one sentence; none where one can.
    pub fn why_no_redo(&self) -> Option<&'static str> {
        match (self.history.has_future(), self.history.is_forgotten) {
            (true, _) => None,
            (false, true) => Some(READ_AGAIN),
            (false, false) => Some("Nothing was taken back that could be done again."),
        }
    }

    /// Goes back before the last edit, and says which that was; none where there was none.
    pub fn take_back(&mut self) -> Option<String> {
        let mut policy = self.wanted().clone();
        let after = self.history.back(&mut policy)?;
        let words = policy.change_to(&after);
        self.turn_to(policy);
        Some(words)
    }

    /// Does the edit again that was taken back last, and says which; none where there is none.
    pub fn do_again(&mut self) -> Option<String> {
        let mut policy = self.wanted().clone();
        let before = self.history.forth(&mut policy)?;
        let words = before.change_to(&policy);
        self.turn_to(policy);
        Some(words)
    }

    /// Takes the policy from the disk; edits made here can't be taken back over it.
    pub fn adopt_stored(&mut self, policy: Policy) {
        self.history.forget();
        self.pending = None;
        self.policy = policy;
        self.recompute();
    }
}
