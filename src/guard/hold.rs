//! Holding a trial: everything but the waiting.

use std::time::Duration;

use crate::backend::switch::{self, Base, Fallback};
use crate::backend::{Backend, BackendError};
use crate::core::proof::{Caller, Doubt, Seen};
use crate::core::ruleset::{Ruleset, Stamp};
use crate::core::trial::{Event, Phase, Step, Trial};
use crate::core::unit::UnitWork;
use crate::guard::{Answer, GuardError, Job, Running};
use crate::store::paths::Paths;
use crate::store::state::{self, BaseText, Confirmed, Journal};
use crate::sys::clock::{self, Moment};
use crate::sys::files::{self, Lock};
use crate::sys::runner::{Runner, SystemRunner};
use crate::sys::session;

use super::closing::restore_script;
use super::units;
use timer::TOO_SHORT;

mod ending;
#[cfg(test)]
mod tests;
mod timer;

/// How long a guard whose trial is over may take to clean up.
const CLEAN_UP: Duration = Duration::from_secs(40);
/// How long switching takes, usually; where it takes longer the kernel's timer is set again.
const SWITCH_TIME: Duration = Duration::from_millis(100);
/// How often new connections are looked for: it takes a walk over the processes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// So shortly before the deadline services are not looked at any more: more than that takes.
const LOOKING_AT_UNITS: Duration = Duration::from_secs(15);
/// How often what is in the kernel is compared while somebody looks: it starts other programs.
const COMPARE_AGAIN: Duration = Duration::from_secs(5);

/// Takes the lock; none while a trial runs. A guard whose trial is over, so that its journal is
/// closed, only cleans up: that is waited for.
///
/// # Errors
/// Where the file can't be made or opened.
pub fn take_lock(paths: &Paths) -> std::io::Result<Option<Lock>> {
    Lock::take_within(&paths.lock(), CLEAN_UP, || !paths.journal().exists())
}

/// What a switch comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switched {
    /// When it is undone, since boot.
    pub deadline: Duration,
    /// How long it took.
    pub took: Duration,
}

/// A trial in the hands of a guard.
#[derive(Debug)]
pub struct Holder<'a> {
    backend: &'a dyn Backend,
    paths: Paths,
    job: Job,
    trial: Trial,
    base: Base,
    want: Base,
    /// When the kernel goes back by itself; none where it does not.
    stamp: Option<Stamp>,
    /// Why the kernel does not, or too late.
    kernel_trouble: Option<String>,
    seen: Seen,
    /// When new connections were last looked for, since boot.
    last_look: Duration,
    /// When what is in the kernel was last compared, since boot, and what was wrong with it.
    last_comparison: Duration,
    drift: Option<String>,
    trouble: Option<String>,
    journal: Journal,
    /// Starts what stops and starts services.
    runner: Box<dyn Runner>,
    /// Held until the process ends, cleaning up included.
    lock: Lock,
}

impl<'a> Holder<'a> {
    /// Arms a trial: the lock is taken, what is there is read, and both what is to come and what is
    /// to be put back are on disk. Nothing in the kernel has changed.
    ///
    /// # Errors
    /// Where any of it fails: then there is no trial and nothing to undo.
    pub fn arm(backend: &'a dyn Backend, job: Job, boot_id: &str) -> Result<Self, GuardError> {
        Self::arm_with(backend, Box::new(SystemRunner::new()), job, boot_id)
    }

    pub(super) fn arm_with(
        backend: &'a dyn Backend,
        runner: Box<dyn Runner>,
        mut job: Job,
        boot_id: &str,
    ) -> Result<Self, GuardError> {
        let paths = Paths::under(&job.root);
        for folder in [paths.run(), paths.state()] {
            files::private_folder(&folder).map_err(GuardError::io("the state folder can't be used"))?;
        }
        let lock = take_lock(&paths).map_err(GuardError::io("the lock can't be taken"))?;
        let lock = lock.ok_or(GuardError::Busy)?;
        // What is in force now may be a trial's whose guard died: no base to go back to.
        if paths.journal().exists() {
            let why = "the last trial is not closed yet; 'fwtui status' says why";
            return Err(GuardError::Failed(why.to_owned()));
        }
        let rules = rules_of(&job)?;
        let base = Base::of(&backend.read()?);
        let want = base.successor(&rules);
        units::prepare(runner.as_ref(), &mut job.units).map_err(GuardError::Failed)?;
        job.candidate.stopped.extend(job.units.stopped());
        let journal = Journal {
            id: job.candidate.id.clone(),
            boot_id: boot_id.to_owned(),
            at: job.candidate.at.clone(),
            ipv4: BaseText::of(&base.ipv4),
            ipv6: BaseText::of(&base.ipv6),
            units: job.units.clone(),
        };
        let script = restore_script(backend, &base, &job.units);
        state::arm(&paths, &job.candidate, &journal, &script)?;
        Ok(Self {
            backend,
            paths,
            trial: Trial::new(job.timeout, job.settle),
            kernel_trouble: job.no_kernel_timer.clone(),
            job,
            base,
            want,
            stamp: None,
            seen: Seen::default(),
            last_look: Duration::ZERO,
            last_comparison: Duration::ZERO,
            drift: None,
            trouble: None,
            journal,
            runner,
            lock,
        })
    }

    /// What is written down of the trial.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Lets the programs that load rules hold the lock as well: one that outlives us may still load
    /// what it was given, and nobody may take that for undone before it has ended.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn share_lock(&self) -> std::io::Result<()> {
        self.lock.share_with_children()
    }

    /// The trial as it stands.
    pub const fn trial(&self) -> &Trial {
        &self.trial
    }

    /// The trial's id.
    pub fn id(&self) -> &str {
        &self.job.candidate.id
    }

    /// Makes the change. Where it fails, what was done of it is undone at once.
    ///
    /// Services first, rules last. Stopping a service takes as long as it takes, and is what is most
    /// likely to fail: then no rule has changed. The rules change in a moment, and with them begin the
    /// trial's time and the kernel's timer, which could not go on while something is still waited for.
    /// A guard that dies in between leaves its journal, and the twin starts the services again. A
    /// revert goes the other way round: rules let in who has to mend what will not start.
    ///
    /// # Errors
    /// Why it failed; it has been reverted then.
    pub fn switch(&mut self, clock: impl Fn() -> Moment) -> Result<Switched, GuardError> {
        if let Err(why) = units::begin(self.runner.as_ref(), &self.job.units, self.job.timeout) {
            self.on(Event::Failed(why.clone()), clock());
            let after = self
                .trouble
                .as_ref()
                .map(|trouble| format!("; {trouble}"))
                .unwrap_or_default();
            return Err(GuardError::Failed(format!("{why}{after}")));
        }
        let now = self.backend.read().and_then(|now| match Base::of(&now) == self.base {
            true => Ok(now),
            // What would be put back is no longer what was there.
            false => Err(BackendError::ChangedMeanwhile),
        });
        let stamp = self.stamp_for(clock().wall + self.job.timeout + SWITCH_TIME);
        let put = now.and_then(|now| {
            let fallback = stamp.map(|from| Fallback { from, base: &self.base });
            switch::put(self.backend, &now, &self.want, fallback)
        });
        self.stamp = stamp;
        let event = match &put {
            Ok(_) => Event::Switched,
            Err(error) => Event::Failed(error.to_string()),
        };
        match self.trial.on(event, clock().boot) {
            Step::Arm(deadline) => {
                self.keep_time(clock());
                Ok(Switched {
                    deadline,
                    took: put.unwrap_or_default(),
                })
            }
            Step::Revert(reason) => {
                self.revert(&reason);
                Err(match (put.err(), &self.trouble) {
                    (Some(error), None) => GuardError::Backend(error),
                    (Some(error), Some(trouble)) => GuardError::Failed(format!("{error}; {trouble}")),
                    (None, _) => GuardError::Failed(reason.to_string()),
                })
            }
            Step::Wait | Step::Keep | Step::Refuse(_) => Err(GuardError::Died),
        }
    }

    /// Puts another candidate in the place of the one on trial, with a trial of its own; what is put
    /// back in the end stays the same. Where that fails, it is put back at once.
    ///
    /// # Errors
    /// Why it failed: nothing is on trial then, or, where it makes no sense, still the same.
    pub fn replace(&mut self, job: Job, clock: impl Fn() -> Moment) -> Result<Switched, GuardError> {
        let rules = rules_of(&job)?;
        let is_same_work = |other: &UnitWork| other.stop == self.job.units.stop && other.start == self.job.units.start;
        if !is_same_work(&job.units) {
            let why = "it stops or starts other services than the trial that runs: keep or revert that one first";
            return Err(GuardError::Failed(why.to_owned()));
        }
        let job = Job {
            candidate: Confirmed {
                stopped: self.job.candidate.stopped.clone(),
                ..job.candidate
            },
            units: self.job.units.clone(),
            ..job
        };
        // Too late, too.
        self.on(Event::Tick, clock());
        if self.trial.deadline().is_none() {
            return Err(GuardError::Failed("the trial is over".to_owned()));
        }
        self.journal.id.clone_from(&job.candidate.id);
        self.journal.at.clone_from(&job.candidate.at);
        self.want = self.base.successor(&rules);
        self.trial = Trial::new(job.timeout, job.settle);
        self.kernel_trouble.clone_from(&job.no_kernel_timer);
        self.seen = Seen::default();
        // What was wrong with the rules before says nothing about these.
        self.drift = None;
        self.job = job;
        let stamp = self.stamp_for(clock().wall + self.job.timeout + SWITCH_TIME);
        self.stamp = stamp;
        let script = restore_script(self.backend, &self.base, &self.job.units);
        let put = state::arm(&self.paths, &self.job.candidate, &self.journal, &script)
            .map_err(GuardError::from)
            .and_then(|()| Ok(self.backend.read()?))
            .and_then(|now| Ok(switch::put(self.backend, &now, &self.want, self.fallback())?));
        match put {
            Ok(took) => match self.trial.on(Event::Switched, clock().boot) {
                Step::Arm(deadline) => {
                    self.keep_time(clock());
                    Ok(Switched { deadline, took })
                }
                Step::Wait | Step::Keep | Step::Revert(_) | Step::Refuse(_) => Err(GuardError::Died),
            },
            Err(error) => {
                self.on(Event::Failed(error.to_string()), clock());
                let back = "the trial is over, and the rules from before it are back";
                let after = self.trouble.as_deref().unwrap_or(back);
                Err(GuardError::Failed(format!("{error}; {after}")))
            }
        }
    }

    /// Takes an event, does what it calls for, and says how the trial stands.
    pub fn on(&mut self, event: Event, now: Moment) -> Answer {
        let mut next = self.trial.clone();
        match next.on(event, now.boot) {
            Step::Keep => {
                // Only what is in force can have been looked at.
                if let Err(error) = switch::verify(self.backend, &self.want, self.fallback()) {
                    return Answer::Refused(format!(
                        "the rules on trial are not in the kernel as they were loaded ({error}); \
                         end the trial with 'fwtui revert', and apply again"
                    ));
                }
                if let Err(why) = units::look(self.runner.as_ref(), &self.job.units) {
                    return Answer::Refused(format!("{why}; end the trial with 'fwtui revert', and apply again"));
                }
                // The decision is the rename; without it nothing is confirmed and the timer runs on.
                if let Err(error) = state::confirm(&self.paths, &self.job.candidate) {
                    return Answer::Refused(format!("it could not be kept: {error}"));
                }
                self.trial = next;
                self.keep();
                self.answer()
            }
            Step::Revert(reason) => {
                self.trial = next;
                self.revert(&reason);
                self.answer()
            }
            Step::Refuse(why) => Answer::Refused(self.refusal(why, now.boot)),
            Step::Arm(deadline) => {
                // The kernel first: it must never be the earlier one.
                let stamp = self.stamp_for((now.wall + deadline).saturating_sub(now.boot));
                match self.move_stamp(stamp) {
                    Ok(()) => {
                        self.trial = next;
                        self.answer()
                    }
                    Err(error) => Answer::Refused(format!("the kernel's own timer can't be moved: {error}")),
                }
            }
            Step::Wait => {
                self.trial = next;
                self.answer()
            }
        }
    }

    /// Takes a confirmation by somebody who came in a certain way; `is_unproven_fine` is his word
    /// that he needs no proof.
    pub fn confirm(
        &mut self,
        caller: impl FnOnce() -> Caller,
        is_unproven_fine: bool,
        clock: impl Fn() -> Moment,
    ) -> Answer {
        match self.doubt(caller, is_unproven_fine, clock()) {
            Some(doubt) => Answer::Unproven(doubt),
            None => self.on(Event::Confirm, clock()),
        }
    }

    fn doubt(&self, caller: impl FnOnce() -> Caller, is_unproven_fine: bool, now: Moment) -> Option<Doubt> {
        // What can't be confirmed anyway is answered as that.
        let mut trial = self.trial.clone();
        let would_be_kept = trial.on(Event::Confirm, now.boot) == Step::Keep;
        if is_unproven_fine || !would_be_kept || !self.seen.evidence().is_empty() {
            return None;
        }
        caller().doubt()
    }

    /// What is refused, and when it would not be.
    fn refusal(&self, why: &str, now: Duration) -> String {
        let settled = self.trial.applied_at().map(|at| at.saturating_add(self.job.settle));
        match settled.filter(|settled| *settled > now) {
            Some(settled) => format!("{why} (in {:.1} s)", settled.saturating_sub(now).as_secs_f64()),
            None => why.to_owned(),
        }
    }

    /// Compares what is in the kernel with what was loaded, for whoever looks.
    pub fn look_at_kernel(&mut self, now: Duration) {
        let Some(deadline) = self.trial.deadline() else {
            return;
        };
        // Never so shortly before the deadline that it could come in its way.
        if now < self.last_comparison.saturating_add(COMPARE_AGAIN) || now.saturating_add(TOO_SHORT) > deadline {
            return;
        }
        self.last_comparison = now;
        let compared = switch::verify(self.backend, &self.want, self.fallback()).map_err(|error| error.to_string());
        // systemd may take its time to answer, too.
        let has_time = now.saturating_add(LOOKING_AT_UNITS) <= deadline;
        let compared = compared.and_then(|()| match has_time {
            true => units::look(self.runner.as_ref(), &self.job.units),
            false => Ok(()),
        });
        self.drift = compared.err();
    }

    /// Looks whether a new connection of the user's has been accepted, if the last look was long
    /// enough ago.
    pub fn look_for_evidence(&mut self, now: Duration) {
        if now < self.last_look.saturating_add(LOOK_AGAIN) || self.job.ways_in.is_empty() {
            return;
        }
        if let Some(since) = self.trial.applied_at() {
            self.last_look = clock::since_boot();
            let accepted = session::accepted_since(since, &self.job.ways_in);
            self.seen.note(&self.job.ways_in, accepted);
        }
    }

    /// How the trial stands.
    pub fn answer(&self) -> Answer {
        match self.trial.phase() {
            Phase::Armed => Answer::Refused("nothing has been applied yet".to_owned()),
            Phase::Applied { at, deadline } => Answer::Running(Box::new(Running {
                id: self.id().to_owned(),
                applied_at: *at,
                deadline: *deadline,
                timeout: self.trial.timeout(),
                begun_by: self.job.begun_by.clone(),
                backend: self.backend.name().to_owned(),
                kernel_trouble: self.kernel_trouble.clone(),
                drift: self.drift.clone(),
                has_twin: true,
                ways_in: self.job.ways_in.clone(),
                evidence: self.seen.evidence(),
                kernel_note: self.job.units.kernel_note(),
            })),
            Phase::Confirmed => Answer::Confirmed {
                trouble: self.trouble.clone(),
            },
            Phase::Reverted(reason) => Answer::Reverted {
                reason: reason.clone(),
                trouble: self.trouble.clone(),
            },
        }
    }
}

fn rules_of(job: &Job) -> Result<Ruleset, GuardError> {
    let rules = job.candidate.rules.ruleset();
    rules.ok_or_else(|| GuardError::Failed("the rules handed over are torn".to_owned()))
}
