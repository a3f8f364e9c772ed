//! Off, confirmed, on trial, drifted: where fwtui stands.

use std::sync::Arc;

use crate::app::look::Kernel;
use crate::app::restore::rules_for_now;
use crate::app::{
    Beginning, Changes, Depth, Error, Last, Machine, Observation, OnTrial, Restored, State, Status, TrialView,
};
use crate::core::listened::Listened;
use crate::core::listener::Family;
use crate::core::network::Interface;
use crate::core::policy::Policy;
use crate::core::reach::Filter;
use crate::core::ruleset::{Obstacle, Ruleset};
use crate::core::way_in::{Carrier, WayIn};
use crate::guard::{self, Answer, Message, Request, Running};
use crate::store::StoreError;
use crate::store::policy;
use crate::store::state::{self, Confirmed};
use crate::sys::{clock, host, interfaces};

impl Machine {
    /// Where fwtui stands, without looking at sockets and processes.
    pub fn status(&self) -> Status {
        let mut status = self.status_of_rules();
        status.blocks = self.current_blocks();
        self.add_tools(&mut status, None);
        status
    }

    fn status_of_rules(&self) -> Status {
        let is_root = host::is_root();
        let running = match self.running() {
            Ok(running) => running,
            Err(why) => {
                return Status {
                    state: State::Unknown,
                    drift: Some(why),
                    is_guard_silent: true,
                    ..self.status_outside_trial(&Kernel::nothing(), &[])
                };
            }
        };
        if let Some(running) = running {
            let kernel = Kernel {
                backend: Some(running.backend.clone()),
                ..Kernel::nothing()
            };
            return Status {
                state: State::Trial,
                drift: running.drift.clone(),
                protection: self.protection(Some(&running)),
                trial: Some(self.view(&running)),
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
        Status {
            protection: if is_root { self.protection(None) } else { Vec::new() },
            ..self.status_outside_trial(&Self::kernel(is_root), &interfaces)
        }
    }

    /// What tells that the kernel's rules were changed. None where nothing does: without root, and
    /// where the kernel has no `nf_tables`; of iptables-legacy it never tells.
    pub fn changes() -> Option<Changes> {
        host::is_root().then(Changes::subscribe)?.ok().flatten()
    }

    /// Fills in what depends on the kernel's rules.
    pub(super) fn judge(&self, observation: &mut Observation, kernel: Kernel) {
        let confirmed = self.confirmed().ok().flatten();
        observation.listened = confirmed.as_ref().and_then(|confirmed| self.listened(&confirmed.id));
        observation.confirmed = confirmed.map(|confirmed| confirmed.policy);
        // The guard first: a trial that is over has said how it ended by then.
        let running = self.running();
        observation.status = self.status_outside_trial(&kernel, &observation.interfaces);
        if let Err(why) = &running {
            observation.status.state = State::Unknown;
            observation.status.drift = Some(why.clone());
            observation.status.is_guard_silent = true;
        }
        if let Ok(Some(running)) = running {
            observation.status.state = State::Trial;
            observation.status.drift.clone_from(&running.drift);
            observation.status.trial = Some(self.view(&running));
            observation.status.protection = self.protection(Some(&running));
            observation.on_trial = self.on_trial();
        }
        observation.status.blocks = observation.policy.current(observation.world.now).blocks.clone();
        observation.filter = kernel.filter;
    }

    /// Closes the trial of a guard that died, whose twin died as well; where that fails, why.
    pub(super) fn unclosed(&self) -> Option<String> {
        let tried = host::is_root().then(|| self.recover())?;
        let error = tried.err()?;
        Some(format!("a trial whose guard died is not undone: {error}"))
    }

    /// What is shown of a running trial.
    pub(super) fn view(&self, running: &Running) -> TrialView {
        TrialView {
            id: running.id.clone(),
            beginning: Box::new(Beginning {
                at: running.applied_at,
                by: running.begun_by.clone(),
            }),
            deadline: running.deadline,
            timeout: running.timeout,
            evidence: running.evidence.clone(),
            second_session: self.second_session(&running.ways_in).map(Into::into),
            kernel_note: running.kernel_note.clone().map(Into::into),
        }
    }

    /// What to type in another terminal of the user's to open a new connection and confirm there. The
    /// address is this machine's own: where it is translated on the way, the user knows a better one.
    pub(super) fn second_session(&self, ways: &[WayIn]) -> Option<String> {
        let way = ways.iter().find(|way| way.carrier == Carrier::Ssh)?;
        let mut words = vec!["ssh -t -o ControlPath=none".to_owned()];
        if way.port != 22 {
            words.push(format!("-p {}", way.port));
        }
        let host = way
            .local
            .map_or_else(|| "THIS-MACHINE".to_owned(), |local| local.to_string());
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        words.push(format!("{user}{host} sudo fwtui confirm"));
        Some(words.join(" "))
    }

    /// The running trial.
    ///
    /// # Errors
    /// Where there is a guard, and it says nothing that makes sense.
    fn running(&self) -> Result<Option<Running>, String> {
        if !host::is_root() {
            return Ok(None);
        }
        match guard::ask(
            &self.paths,
            &Message {
                request: Request::Status,
                id: None,
            },
        ) {
            Ok(Some(Answer::Running(running))) => Ok(Some(*running)),
            Ok(_) => Ok(None),
            Err(error) => Err(format!("a trial may be running: {error}")),
        }
    }

    /// What the running trial tries; none where that can't be read.
    fn on_trial(&self) -> Option<OnTrial> {
        let policy = |document: Confirmed| (!document.is_off).then_some(document.policy);
        Some(OnTrial {
            before: self.confirmed().ok()?.and_then(policy),
            after: policy(state::candidate(&self.paths).ok()??),
        })
    }

    /// What was decided since the running trial began and is not on trial, in words.
    pub fn decided_since(&self) -> Option<String> {
        self.on_trial()?
            .decided_since(&self.policy().ok()?, clock::since_1970())
    }

    /// Takes down that a user was told how this trial ended: he is not told again.
    pub fn note_told(&self, id: &str) {
        // Told once more at the next start is better than an error about it.
        let _not_written = state::note_told(&self.paths, id);
    }

    /// The policy that was confirmed last; empty where there is none, or it can't be read.
    pub(super) fn last_confirmed(&self) -> Policy {
        let confirmed = self.confirmed().ok().flatten();
        confirmed.map(|confirmed| confirmed.policy).unwrap_or_default()
    }

    fn confirmed(&self) -> Result<Option<Confirmed>, StoreError> {
        if !host::is_root() {
            return Ok(None);
        }
        state::confirmed(&self.paths)
    }

    /// What listened when this trial was confirmed. A record that is torn, or of another trial, tells
    /// nothing.
    fn listened(&self, id: &str) -> Option<Arc<Listened>> {
        let listened = state::listened(&self.paths).ok().flatten()?;
        (listened.id == id).then(|| Arc::new(listened))
    }

    /// Takes down what listens, as known to whoever has just confirmed.
    pub fn note_listened(&self) {
        let Ok(Some(confirmed)) = self.confirmed() else {
            return;
        };
        let services = self.look(Depth::Reach).services;
        let listened = Listened::of(confirmed.id, &services);
        // Where the disk does not take it, nothing is marked as new: no reason to call the rules, which are
        // confirmed, into question.
        let _noted = state::save_listened(&self.paths, &listened);
    }

    fn status_outside_trial(&self, kernel: &Kernel, interfaces: &[Interface]) -> Status {
        if !host::is_root() {
            return Status::default();
        }
        let confirmed = self.confirmed();
        let (wanted, now) = (policy::load(&self.paths), clock::since_1970());
        let has_pending = match (&wanted, &confirmed) {
            (Ok(wanted), Ok(Some(confirmed))) => {
                let wanted = wanted.clone().unwrap_or_default();
                Some(!wanted.current(now).wants_the_same_as(&confirmed.policy.current(now)))
            }
            (Ok(wanted), Ok(None)) => Some(wanted.as_ref().is_some_and(|wanted| !wanted.has_only_marks())),
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
            counters: kernel.counters.clone(),
            backend: kernel.backend.clone(),
            other_backend: kernel.report.clone(),
            trial: None,
            last: self.last().ok().flatten(),
            told: state::told(&self.paths),
            protection: Vec::new(),
            can_restore: matches!(&confirmed, Ok(Some(confirmed)) if !confirmed.is_off),
            has_pending,
            ..Status::default()
        }
    }

    /// How the last trial ended.
    pub(super) fn last(&self) -> Result<Option<Last>, Error> {
        Ok(state::last(&self.paths)?.map(|outcome| Last {
            id: outcome.id,
            outcome: match (&outcome.reverted, outcome.has_failed) {
                (None, _) => "confirmed",
                (Some(_), false) => "reverted",
                (Some(_), true) => "revert-failed",
            }
            .to_owned(),
            reason: outcome.reverted.as_ref().map(|reason| reason.word().to_owned()),
            why: match (outcome.reverted, outcome.trouble) {
                (Some(reason), Some(trouble)) => Some(format!("{reason}; {trouble}")),
                (Some(reason), None) => Some(reason.to_string()),
                (None, trouble) => trouble,
            },
            began: outcome.began,
            at: outcome.at,
        }))
    }
}

impl Kernel {
    /// For when the guard has answered and the rules are its business.
    fn nothing() -> Self {
        Self::default()
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
        rules.is_some_and(|rules| difference(&rules.current(clock::since_1970()), filter).is_none())
    };
    drifted(match restored {
        Restored::Recompiled if is_as_confirmed() => {
            "the addresses of trusted networks have changed since they were applied".to_owned()
        }
        _ => why,
    })
}

pub(super) fn difference(rules: &Ruleset, filter: &Filter) -> Option<String> {
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
