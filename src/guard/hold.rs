//! Holding a trial: everything but the waiting.

use std::thread;
use std::time::{Duration, SystemTime};

use crate::backend::switch::{self, Base};
use crate::backend::{Backend, BackendError};
use crate::core::ruleset::Ruleset;
use crate::core::trial::{Event, Phase, Reason, Step, Trial};
use crate::guard::{Answer, GuardError, Job};
use crate::store::paths::Paths;
use crate::store::state::{self, BaseText, Journal, Outcome};
use crate::sys::clock;
use crate::sys::files::{self, Lock};

/// Pauses between attempts to revert. A kernel short of memory may refuse once; together they stay
/// below the half minute in which a machine must be reachable again.
const REVERT_PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// How long a guard whose trial is over may take to clean up.
const CLEAN_UP: Duration = Duration::from_secs(40);

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
    id: String,
    trial: Trial,
    base: Base,
    want: Base,
    trouble: Option<String>,
    journal: Journal,
    /// Held until the process ends, cleaning up included.
    lock: Lock,
}

impl<'a> Holder<'a> {
    /// Arms a trial: the lock is taken, what is there is read, and both what is to come and what is
    /// to be put back are on disk. Nothing in the kernel has changed.
    ///
    /// # Errors
    /// Where any of it fails: then there is no trial and nothing to undo.
    pub fn arm(backend: &'a dyn Backend, job: &Job, boot_id: &str) -> Result<Self, GuardError> {
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
        let rules = job.candidate.rules.ruleset();
        let rules: Ruleset = rules.ok_or_else(|| GuardError::Failed("the rules handed over are torn".to_owned()))?;
        let base = Base::of(&backend.read()?);
        let want = base.successor(&rules);
        let journal = Journal {
            id: job.candidate.id.clone(),
            boot_id: boot_id.to_owned(),
            at: job.candidate.at.clone(),
            ipv4: BaseText::of(&base.ipv4),
            ipv6: BaseText::of(&base.ipv6),
        };
        state::arm(&paths, &job.candidate, &journal)?;
        let (id, trial) = (job.candidate.id.clone(), Trial::new(job.timeout));
        Ok(Self {
            backend,
            paths,
            id,
            trial,
            base,
            want,
            trouble: None,
            journal,
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
        &self.id
    }

    /// Makes the change. Where it fails, what was done of it is undone at once.
    ///
    /// # Errors
    /// Why it failed; it has been reverted then.
    pub fn switch(&mut self, clock: impl Fn() -> Duration) -> Result<Switched, GuardError> {
        let put = self.backend.read().and_then(|now| match Base::of(&now) == self.base {
            true => switch::put(self.backend, &now, &self.want),
            // What would be put back is no longer what was there.
            false => Err(BackendError::ChangedMeanwhile),
        });
        let event = match &put {
            Ok(_) => Event::Switched,
            Err(error) => Event::Failed(error.to_string()),
        };
        match self.trial.on(event, clock()) {
            Step::Arm(deadline) => Ok(Switched {
                deadline,
                took: put.unwrap_or_default(),
            }),
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

    /// Takes an event, does what it calls for, and says how the trial stands.
    pub fn on(&mut self, event: Event, now: Duration) -> Answer {
        let mut next = self.trial.clone();
        match next.on(event, now) {
            Step::Keep => {
                // Only what is in force can have been looked at.
                if let Err(error) = switch::verify(self.backend, &self.want) {
                    return Answer::Refused(format!(
                        "the rules on trial are not in the kernel as they were loaded ({error}); \
                         end the trial with 'fwtui revert', and apply again"
                    ));
                }
                // The decision is the rename; without it nothing is confirmed and the timer runs on.
                if let Err(error) = state::confirm(&self.paths) {
                    return Answer::Refused(format!("it could not be kept: {error}"));
                }
                self.trial = next;
                self.close(None);
                Answer::Confirmed
            }
            Step::Revert(reason) => {
                self.trial = next;
                self.revert(&reason);
                self.answer()
            }
            Step::Refuse(why) => Answer::Refused(why.to_owned()),
            Step::Arm(_) | Step::Wait => {
                self.trial = next;
                self.answer()
            }
        }
    }

    /// How the trial stands.
    pub fn answer(&self) -> Answer {
        match self.trial.phase() {
            Phase::Armed => Answer::Refused("nothing has been applied yet".to_owned()),
            Phase::Applied { deadline, .. } => Answer::Running {
                id: self.id.clone(),
                deadline: *deadline,
                timeout: self.trial.timeout(),
                backend: self.backend.name().to_owned(),
            },
            Phase::Confirmed => Answer::Confirmed,
            Phase::Reverted(reason) => Answer::Reverted {
                reason: reason.clone(),
                trouble: self.trouble.clone(),
            },
        }
    }

    fn revert(&mut self, reason: &Reason) {
        match revert_patiently(self.backend, &self.base) {
            Ok(()) => self.close(Some(reason.clone())),
            // The journal stays open: the twin, or the next start, tries again.
            Err(error) => self.trouble = Some(format!("the old rules are not back whole: {error}")),
        }
    }

    fn close(&mut self, reverted: Option<Reason>) {
        let outcome = outcome(&self.id, reverted, self.trouble.clone(), clock::now());
        if let Err(error) = state::close(&self.paths, &outcome) {
            let trouble =
                format!("the rules in force are as they should be, but that could not be written down: {error}");
            self.trouble = Some(trouble);
        }
    }

    /// Removes what is no longer needed, as far as it goes. After everything that matters: nobody
    /// waits for it and nothing depends on it.
    pub fn clean(&self) {
        let keep = if *self.trial.phase() == Phase::Confirmed {
            &self.want
        } else {
            &self.base
        };
        if self.trial.is_over() {
            // Chains left over are in nobody's way, and the next clean-up meets them again.
            let _left_behind = switch::clean(self.backend, keep);
        }
    }
}

/// Reverts, again and again for half a minute.
pub(super) fn revert_patiently(backend: &dyn Backend, base: &Base) -> Result<(), BackendError> {
    let mut result = switch::revert(backend, base);
    for pause in REVERT_PAUSES {
        if result.is_ok() {
            break;
        }
        thread::sleep(pause);
        result = switch::revert(backend, base);
    }
    result
}

/// An outcome of this moment.
pub(super) fn outcome(id: &str, reverted: Option<Reason>, trouble: Option<String>, at: SystemTime) -> Outcome {
    Outcome {
        id: id.to_owned(),
        reverted,
        trouble,
        at: clock::rfc3339(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::memory::Memory;
    use crate::core::listener::Family;
    use crate::core::policy::Policy;
    use crate::core::ruleset::compile;
    use crate::guard::recover;
    use crate::store::state::{Confirmed, RulesText};

    const BOOT: &str = "boot-1";

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn job(root: &std::path::Path, id: &str) -> Job {
        let policy = Policy::default();
        let rules = RulesText::of(&compile(&policy, &[]));
        let candidate = Confirmed {
            id: id.into(),
            at: "now".into(),
            is_off: false,
            policy,
            interfaces: vec![],
            rules,
        };
        Job {
            root: root.to_owned(),
            timeout: at(90),
            candidate,
        }
    }

    #[test]
    fn confirmed_is_kept_and_reverted_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let backend = Memory::default();
        let mut holder = Holder::arm(&backend, &job(folder.path(), "t1"), BOOT).unwrap();
        assert_eq!(holder.switch(|| at(100)).unwrap().deadline, at(190));
        assert!(matches!(holder.on(Event::Confirm, at(101)), Answer::Refused(_)));
        assert!(state::confirmed(&paths).unwrap().is_none());
        assert_eq!(holder.on(Event::Confirm, at(110)), Answer::Confirmed);
        drop(holder);
        assert_eq!(state::confirmed(&paths).unwrap().unwrap().id, "t1");

        let mut holder = Holder::arm(&backend, &job(folder.path(), "t2"), BOOT).unwrap();
        holder.switch(|| at(200)).unwrap();
        assert!(matches!(
            holder.on(Event::Tick, at(290)),
            Answer::Reverted {
                reason: Reason::NotConfirmed,
                ..
            }
        ));
        holder.clean();
        drop(holder);
        assert_eq!(state::confirmed(&paths).unwrap().unwrap().id, "t1");
        assert_eq!(
            state::last(&paths).unwrap().unwrap().reverted,
            Some(Reason::NotConfirmed)
        );
        assert!(!backend.saved_text(Family::Ipv4).contains("FWTUI-B-"));
    }

    #[test]
    fn one_trial_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let backend = Memory::default();
        let _first = Holder::arm(&backend, &job(folder.path(), "t1"), BOOT).unwrap();
        assert!(matches!(
            Holder::arm(&backend, &job(folder.path(), "t2"), BOOT),
            Err(GuardError::Busy)
        ));
    }

    #[test]
    fn a_failed_switch_is_undone_in_both_families() {
        let folder = tempfile::tempdir().unwrap();
        let backend = Memory::default();
        backend.refuse_next_load(Family::Ipv4);
        let mut holder = Holder::arm(&backend, &job(folder.path(), "t1"), BOOT).unwrap();
        holder.switch(|| at(1)).unwrap_err();
        holder.clean();
        for family in Family::ALL {
            assert!(
                !backend.saved_text(family).contains("FWTUI"),
                "{}",
                backend.saved_text(family)
            );
        }
        let last = state::last(&Paths::under(folder.path())).unwrap().unwrap();
        assert!(matches!(last.reverted, Some(Reason::Failed(_))));
    }

    #[test]
    fn a_dead_guards_trial_is_reverted_by_who_comes_next() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let backend = Memory::default();
        let mut holder = Holder::arm(&backend, &job(folder.path(), "t1"), BOOT).unwrap();
        holder.switch(|| at(1)).unwrap();
        assert!(recover(&paths, &backend, BOOT).unwrap().is_none(), "its guard is alive");
        drop(holder);
        let outcome = recover(&paths, &backend, BOOT).unwrap().unwrap();
        assert_eq!(outcome.reverted, Some(Reason::GuardDied));
        assert!(backend.read().unwrap().ipv4.own.rules.is_empty());
        assert!(recover(&paths, &backend, BOOT).unwrap().is_none());
    }

    #[test]
    fn a_trial_cut_by_a_reboot_is_closed_and_the_kernel_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let holder_backend = Memory::default();
        let mut holder = Holder::arm(&holder_backend, &job(folder.path(), "t1"), BOOT).unwrap();
        holder.switch(|| at(1)).unwrap();
        drop(holder);
        let outcome = recover(&paths, &Memory::default(), "boot-2").unwrap().unwrap();
        assert_eq!(outcome.reverted, Some(Reason::Reboot));
    }

    #[test]
    fn a_guard_that_died_after_the_decision_is_rolled_forward() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let backend = Memory::default();
        let mut holder = Holder::arm(&backend, &job(folder.path(), "t1"), BOOT).unwrap();
        holder.switch(|| at(1)).unwrap();
        state::confirm(&paths).unwrap();
        drop(holder);
        let outcome = recover(&paths, &backend, BOOT).unwrap().unwrap();
        assert_eq!(outcome.reverted, None);
        assert!(!backend.read().unwrap().ipv4.own.rules.is_empty());
    }
}
