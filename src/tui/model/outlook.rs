//! What the policy comes to: plan and rows, worked out between two keys, or beside them where that would
//! take too long.
//!
//! Until they are known, everything on the screen stays what it was, and is of one policy: the one before
//! the edit. The newest edit wins; what was worked out for an older one is dropped.

use super::Model;
use crate::app::{Observation, OnTrial, Outlook, State, plan, plan_and_rows_since};
use crate::core::overview::{Before, Row};
use crate::core::plan::{Lockout, Plan};
use crate::core::policy::Policy;
use crate::tui::msg::Effect;
use crate::tui::popups;

/// From so many microseconds on, as far as that can be told before, somebody would notice: on a slow
/// machine it is several times as long.
const DEAR: usize = 10_000;
/// What one of each costs at most, in microseconds (measured: `cargo bench --bench fwtui -- large`).
const ROW: usize = 40;
const RULE: usize = 1;
const BLOCK: usize = 70;
const LINE: usize = 45;

/// An edit, until it is known what it changes.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    policy: Policy,
    number: u64,
    is_asked: bool,
}

/// What there is to be worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Its number: only what comes of the newest counts.
    pub number: u64,
    /// The edited policy.
    pub policy: Policy,
    observation: Observation,
    before: Policy,
    rows: Vec<Row>,
}

impl Work {
    /// Does it.
    pub fn outlook(&self) -> Outlook {
        let before = Before {
            policy: &self.before,
            rows: &self.rows,
        };
        Outlook::of(&self.observation, &self.policy, Some(before))
    }
}

impl Model {
    /// The wanted policy with every edit, whether or not it is known by now what the last ones change.
    pub fn wanted(&self) -> &Policy {
        self.pending.as_ref().map_or(&self.policy, |pending| &pending.policy)
    }

    /// Whether an edit waits until it is known what it changes.
    pub const fn is_working_out(&self) -> bool {
        self.pending.is_some()
    }

    /// Goes over to another policy, at once or when it is known what that changes; the one before comes
    /// back.
    pub(super) fn turn_to(&mut self, policy: Policy) -> Policy {
        let before = self.wanted().clone();
        if self.setup.is_none() && self.is_dear(&policy) {
            self.work_number += 1;
            self.pending = Some(Pending {
                policy,
                number: self.work_number,
                is_asked: false,
            });
        } else {
            self.pending = None;
            let shown = std::mem::replace(&mut self.policy, policy);
            self.recompute_since(Some(&shown));
        }
        before
    }

    /// Another policy than the edited one counts.
    pub fn forget_pending(&mut self) {
        self.pending = None;
    }

    /// What is to be worked out, once.
    pub fn work_out(&mut self) -> Option<Effect> {
        let pending = self.pending.as_mut().filter(|pending| !pending.is_asked)?;
        pending.is_asked = true;
        Some(Effect::WorkOut(Box::new(Work {
            number: pending.number,
            policy: pending.policy.clone(),
            observation: self.observation.clone(),
            before: self.policy.clone(),
            rows: self.services.rows().to_vec(),
        })))
    }

    /// Takes what was worked out, unless there is something newer.
    pub fn adopt_outlook(&mut self, number: u64, outlook: Outlook) {
        if self.pending.as_ref().is_some_and(|pending| pending.number == number) {
            self.pending = None;
            self.policy = outlook.policy;
            self.show(outlook.plan, outlook.rows);
        }
    }

    /// The machine is no longer the one it is being worked out for.
    pub(super) fn work_out_again(&mut self) {
        if let Some(pending) = &mut self.pending {
            self.work_number += 1;
            pending.number = self.work_number;
            pending.is_asked = false;
        }
    }

    /// Has what was worked out beside a look at hand while something is done with that look.
    pub fn with_outlook<T>(&mut self, outlook: Box<Outlook>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.outlook = Some(outlook);
        let done = work(self);
        self.outlook = None;
        done
    }

    /// Works out rows and plan again after the observation or the policy changed.
    pub fn recompute(&mut self) {
        self.work_out_again();
        let (policy, status) = (&self.policy, &self.observation.status);
        let is_of_now = |outlook: &Outlook| outlook.policy == *policy && outlook.status == *status;
        match self.outlook.take().filter(|outlook| is_of_now(outlook)) {
            Some(outlook) => self.show(outlook.plan, outlook.rows),
            None => self.recompute_since(None),
        }
    }

    /// The same after an edit: with the policy before it, what the edit does not concern is kept.
    fn recompute_since(&mut self, before: Option<&Policy>) {
        let before = before.map(|policy| Before {
            policy,
            rows: self.services.rows(),
        });
        let (plan, rows) = plan_and_rows_since(&self.observation, &self.policy, before, false);
        self.show(plan, rows);
    }

    /// Takes what the policy comes to.
    fn show(&mut self, plan: Plan, rows: Vec<Row>) {
        self.plan = plan;
        self.access.forget();
        popups::forget_ways(&mut self.popups);
        self.services.replace(rows, self.observation.listened.is_some());
        self.networks.replace(&self.observation.interfaces, &self.policy);
        self.preview.replace();
        self.checkup.mark(&self.policy.known);
        self.settle();
    }

    /// The plan of taking everything out.
    pub fn off_plan(&self) -> Plan {
        plan(&self.observation, &self.policy, true)
    }

    /// Whether something waits for an apply, as far as can be seen.
    pub fn has_pending(&self) -> bool {
        self.observation.filter.is_some() && !self.plan.is_done() && self.observation.status.state != State::Off
    }

    /// The policy whose rules the kernel holds: the one on trial, or confirmed. None where none does, or that
    /// is not known.
    pub fn policy_in_force(&self) -> Option<&Policy> {
        match self.observation.status.state {
            State::Trial => self.observation.on_trial.as_ref()?.after.as_ref(),
            State::Confirmed => self.observation.confirmed.as_ref(),
            State::Off | State::Drifted | State::Unknown => None,
        }
    }

    /// Whether the wanted policy, with every edit, is the one in force. None where none is, or that is not
    /// known.
    pub fn is_in_force(&self) -> Option<bool> {
        let (held, now) = (self.policy_in_force()?, self.since_1970());
        Some(held.current(now).wants_the_same_as(&self.wanted().current(now)))
    }

    /// Whether an apply would change nothing of what is decided: that is in force, or nothing is decided.
    pub fn waits_for_nothing(&self) -> bool {
        let is_off = self.observation.status.state == State::Off;
        self.is_in_force()
            .unwrap_or_else(|| is_off && self.wanted().wants_nothing())
    }

    /// The ways in of the user's that the rules on trial refuse.
    pub fn lockouts_on_trial(&self) -> Vec<Lockout> {
        // The plan at hand is of the policy on trial, unless something was decided since.
        let is_at_hand = self.pending.is_none() && self.is_in_force() == Some(true);
        match &self.observation.on_trial {
            Some(OnTrial { after, .. }) if !is_at_hand => {
                // Nothing is refused where everything is taken out.
                let tried = after.as_ref();
                tried.map_or_else(Vec::new, |tried| plan(&self.observation, tried, false).lockouts)
            }
            Some(_) | None => self.plan.lockouts.clone(),
        }
    }

    /// What was decided since a trial began, and is not on trial, in a sentence.
    pub fn decided_since(&self) -> Option<String> {
        let tried = self.observation.on_trial.as_ref()?;
        tried.decided_since(self.wanted(), self.since_1970())
    }

    /// Whether that would keep the next key waiting.
    fn is_dear(&self, policy: &Policy) -> bool {
        let tables = self.observation.netfilter.iter().flat_map(|all| &all.tables);
        let rules: usize = tables
            .flat_map(|table| &table.chains)
            .map(|chain| chain.rules.len())
            .sum();
        let rows = self.services.rows().len().max(policy.services.len());
        let cost = rows * ROW + rules * RULE + policy.blocks.len() * BLOCK + self.plan.diff.len() * LINE;
        cost >= DEAR
    }
}
