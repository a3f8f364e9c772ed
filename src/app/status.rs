//! Off, confirmed, on trial, drifted: where fwtui stands.

use crate::app::look::Kernel;
use crate::app::trial::rules_for_now;
use crate::app::{Error, Last, Machine, Observation, Restored, State, Status, TrialView};
use crate::core::listener::Family;
use crate::core::network::Interface;
use crate::core::reach::Filter;
use crate::core::ruleset::{Obstacle, Ruleset};
use crate::guard::{self, Answer, Message, Request};
use crate::store::StoreError;
use crate::store::policy;
use crate::store::state::{self, Confirmed};
use crate::sys::{host, interfaces};

impl Machine {
    /// Where fwtui stands, without looking at sockets and processes.
    pub fn status(&self) -> Status {
        let is_root = host::is_root();
        if let Some((trial, backend)) = self.trial() {
            let kernel = Kernel {
                backend: Some(backend),
                ..Kernel::nothing()
            };
            return Status {
                state: State::Trial,
                trial: Some(trial),
                ..self.status_outside_trial(&kernel, &[])
            };
        }
        if let Some(why) = self.unclosed() {
            return Status {
                state: State::Unknown,
                drift: Some(why),
                ..self.status_outside_trial(&Kernel::nothing(), &[])
            };
        }
        let interfaces = interfaces::interfaces().unwrap_or_default();
        self.status_outside_trial(&Self::kernel(is_root), &interfaces)
    }

    /// Fills in what depends on the kernel's rules.
    pub(super) fn judge(&self, observation: &mut Observation, kernel: Kernel) {
        observation.confirmed = self.confirmed().ok().flatten().map(|confirmed| confirmed.policy);
        observation.status = self.status_outside_trial(&kernel, &observation.interfaces);
        if let Some((trial, _)) = self.trial() {
            observation.status.state = State::Trial;
            observation.status.drift = None;
            observation.status.trial = Some(trial);
        }
        observation.filter = kernel.filter;
    }

    /// Closes the trial of a guard that died, whose twin died as well; where that fails, why.
    pub(super) fn unclosed(&self) -> Option<String> {
        let tried = host::is_root().then(|| self.recover())?;
        let error = tried.err()?;
        Some(format!("a trial whose guard died is not undone: {error}"))
    }

    /// The running trial, and the backend it goes through.
    fn trial(&self) -> Option<(TrialView, String)> {
        if !host::is_root() {
            return None;
        }
        match guard::ask(
            &self.paths,
            &Message {
                request: Request::Status,
                id: None,
            },
        ) {
            Ok(Some(Answer::Running {
                id,
                deadline,
                timeout,
                backend,
            })) => Some((TrialView { id, deadline, timeout }, backend)),
            _ => None,
        }
    }

    fn confirmed(&self) -> Result<Option<Confirmed>, StoreError> {
        if !host::is_root() {
            return Ok(None);
        }
        state::confirmed(&self.paths)
    }

    fn status_outside_trial(&self, kernel: &Kernel, interfaces: &[Interface]) -> Status {
        if !host::is_root() {
            return Status::default();
        }
        let confirmed = self.confirmed();
        let wanted = policy::load(&self.paths);
        let has_pending = match (&wanted, &confirmed) {
            (Ok(wanted), Ok(Some(confirmed))) => Some(wanted.clone().unwrap_or_default() != confirmed.policy),
            (Ok(wanted), Ok(None)) => Some(wanted.is_some()),
            _ => None,
        };
        let (state, drift) = match (&confirmed, &kernel.filter) {
            (Err(error), _) => (State::Unknown, Some(error.to_string())),
            // Why, where there is a reason beyond not being root.
            (_, None) => (
                State::Unknown,
                kernel.unseen.as_ref().map(|why| why.trim_end_matches('.').to_owned()),
            ),
            (Ok(confirmed), Some(filter)) => standing(confirmed.as_ref(), filter, interfaces),
        };
        Status {
            state,
            drift,
            backend: kernel.backend.clone(),
            other_backend: kernel.report.clone(),
            trial: None,
            last: self.last().ok().flatten(),
            has_pending,
        }
    }

    /// How the last trial ended.
    pub(super) fn last(&self) -> Result<Option<Last>, Error> {
        Ok(state::last(&self.paths)?.map(|outcome| Last {
            id: outcome.id,
            outcome: if outcome.reverted.is_some() {
                "reverted"
            } else {
                "confirmed"
            }
            .to_owned(),
            reason: outcome.reverted.map(|reason| match outcome.trouble {
                Some(trouble) => format!("{reason}; {trouble}"),
                None => reason.to_string(),
            }),
            at: outcome.at,
        }))
    }
}

impl Kernel {
    /// For when the guard has answered and the rules are its business.
    fn nothing() -> Self {
        Self {
            filter: None,
            backend: None,
            report: None,
            unseen: None,
        }
    }
}

/// What the kernel holds against what was confirmed.
fn standing(confirmed: Option<&Confirmed>, filter: &Filter, interfaces: &[Interface]) -> (State, Option<String>) {
    let drifted = |why: String| (State::Drifted, Some(why));
    let Some(confirmed) = confirmed.filter(|confirmed| !confirmed.is_off) else {
        let is_there = |family| filter.family(family).own.slot.is_some();
        return match Family::ALL.into_iter().any(is_there) {
            true => drifted("rules of fwtui are in the kernel, but none were confirmed".to_owned()),
            false => (State::Off, None),
        };
    };
    let Ok((rules, restored)) = rules_for_now(confirmed, interfaces.to_vec()) else {
        return (
            State::Unknown,
            Some("the confirmed rules can't be read back".to_owned()),
        );
    };
    let Some(why) = difference(&rules, filter) else {
        return (State::Confirmed, None);
    };
    let is_as_confirmed = || {
        let rules = confirmed.rules.ruleset();
        rules.is_some_and(|rules| difference(&rules, filter).is_none())
    };
    drifted(match restored {
        Restored::Recompiled if is_as_confirmed() => {
            "the addresses of trusted networks have changed since they were applied".to_owned()
        }
        _ => why,
    })
}

fn difference(rules: &Ruleset, filter: &Filter) -> Option<String> {
    Family::ALL.into_iter().find_map(|family| {
        let (part, wanted) = (filter.family(family), rules.family(family));
        let own = &part.own;
        if let Some(obstacle) = part.foreign.iter().find(|obstacle: &&Obstacle| obstacle.goes_first()) {
            return Some(format!("{family}: {obstacle}"));
        }
        match part.enforces(wanted) {
            true => None,
            false if own.slot.is_none() => Some(format!("{family}: fwtui's rules are gone from the kernel")),
            false if own.rules == *wanted => Some(format!(
                "{family}: the jump to fwtui's rules is gone, or its chain does not lead there"
            )),
            false => Some(format!("{family}: fwtui's rules in the kernel have been changed")),
        }
    })
}
