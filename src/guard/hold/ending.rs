//! How a trial ends, in the hands of its guard.

use super::Holder;
use crate::backend::switch;
use crate::core::connections::Spared;
use crate::core::ruleset::Ruleset;
use crate::core::trial::{Phase, Reason};
use crate::core::unit::UnitWork;
use crate::guard::closing::{outcome, restore_script, revert_patiently, take_off_timer};
use crate::store::state;
use crate::sys::connections;
use crate::sys::units::UnitError;

use crate::guard::units;

impl Holder<'_> {
    /// What follows the decision to keep.
    pub(super) fn keep(&mut self) {
        if self.stamp.is_some()
            && let Err(error) = take_off_timer(self.backend, &self.want)
        {
            // The journal stays open: the twin, or the next start, goes on with it.
            self.trouble = Some(format!(
                "kept, and loaded at boot; but the kernel's timer could not be taken off, so that the old \
                 rules may be in force until the next start of fwtui: {error}"
            ));
            return;
        }
        match units::finish(self.runner.as_ref(), &self.job.units) {
            Ok(()) => {}
            Err(UnitError::Refused(why)) => self.trouble = Some(format!("the rules are kept, but {why}")),
            // As above.
            Err(UnitError::Unreachable(why)) => {
                self.trouble = Some(format!("the rules are kept, but {why}; fwtui goes on trying"));
                return;
            }
        }
        self.close(None);
        if self.job.end_connections
            && let Err(error) = self.end_connections()
        {
            self.trouble = Some(format!("kept, but not all running connections could be ended: {error}"));
        }
        // The trial's own stays where this fails: rules that worked.
        let _not_written = state::save_script(
            &self.paths,
            &restore_script(self.backend, &self.want, &UnitWork::default()),
        );
    }

    /// Ends what the kept rules would refuse as new, the user's own ways in excepted.
    fn end_connections(&self) -> std::io::Result<usize> {
        let rules = Ruleset {
            ipv4: self.want.ipv4.rules.clone(),
            ipv6: self.want.ipv6.rules.clone(),
        };
        connections::end_refused(&rules, &Spared::of(&self.job.ways_in))
    }

    pub(super) fn revert(&mut self, reason: &Reason) {
        let rules = revert_patiently(self.backend, &self.base);
        // Whatever became of the rules.
        let services = units::put_back(self.runner.as_ref(), &self.job.units);
        self.trouble = match (&rules, &services) {
            (Ok(()), Ok(())) => None,
            (Ok(()), Err(error)) => Some(format!("the old rules are back, but {error}")),
            (Err(error), _) => Some(format!("the old rules are not back whole: {error}")),
        };
        if let (Ok(()), Ok(()) | Err(UnitError::Refused(_))) = (rules, services) {
            self.close(Some(reason.clone()));
            return;
        }
        // The journal stays open: the twin, or the next start, tries again.
        let failed = outcome(&self.journal, Some(reason.clone()), true, self.trouble.clone());
        // Whoever asks is told by the answer, too.
        let _not_written = state::note_failure(&self.paths, &failed);
    }

    fn close(&mut self, reverted: Option<Reason>) {
        let outcome = outcome(&self.journal, reverted, false, self.trouble.clone());
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
        // Where something has failed, chains that seem to be left over may be in force.
        if self.trial.is_over() && !self.paths.journal().exists() {
            // Chains left over are in nobody's way, and the next clean-up meets them again.
            let _left_behind = switch::clean(self.backend, keep);
        }
    }
}
