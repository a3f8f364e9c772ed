//! The kernel's own timer on a trial, kept in step with the guard's.

use std::time::Duration;

use super::Holder;
use crate::backend::BackendError;
use crate::backend::switch::{self, Fallback};
use crate::core::ruleset::Stamp;
use crate::sys::clock::Moment;

/// How far behind the deadline the kernel's timer may be: it counts whole seconds.
const LATEST_STAMP: Duration = Duration::from_millis(1100);
/// So shortly before the deadline the kernel is left alone: asking it takes time itself.
pub(super) const TOO_SHORT: Duration = Duration::from_secs(3);

impl Holder<'_> {
    /// Sets the kernel's timer again where the wall clock was set, so that it agrees with the deadline.
    pub fn keep_time(&mut self, now: Moment) {
        let (Some(stamp), Some(deadline)) = (self.stamp, self.trial.deadline()) else {
            return;
        };
        let left = deadline.saturating_sub(now.boot);
        let exact = now.wall + left;
        let is_good = stamp.since_1970() >= exact && stamp.since_1970() < exact + LATEST_STAMP;
        if is_good || left < TOO_SHORT.min(self.job.timeout / 2) {
            return;
        }
        let stamp = self.stamp_for(exact);
        if let Err(error) = self.move_stamp(stamp) {
            self.kernel_trouble = Some(error.to_string());
        }
    }

    /// When the kernel is to go back by itself, for a deadline by the wall clock.
    pub(super) fn stamp_for(&mut self, wall: Duration) -> Option<Stamp> {
        if self.job.no_kernel_timer.is_some() {
            return None;
        }
        let stamp = Stamp::at_or_after(wall);
        if stamp.is_none() {
            self.kernel_trouble = Some("the kernel's time match ends in 2038".to_owned());
        }
        stamp
    }

    pub(super) fn move_stamp(&mut self, stamp: Option<Stamp>) -> Result<(), BackendError> {
        if stamp == self.stamp {
            return Ok(());
        }
        let fallback = |stamp: Option<Stamp>| stamp.map(|from| Fallback { from, base: &self.base });
        if let Err(error) = switch::set_timer(self.backend, &self.want, fallback(stamp)) {
            // One family may have moved. The error that counts is the first.
            let moved_back = switch::set_timer(self.backend, &self.want, fallback(self.stamp));
            if let Err(error) = moved_back {
                self.kernel_trouble = Some(format!("it may go back too late: {error}"));
            }
            return Err(error);
        }
        self.stamp = stamp;
        if stamp.is_some() {
            self.kernel_trouble = None;
        }
        Ok(())
    }

    pub(super) fn fallback(&self) -> Option<Fallback<'_>> {
        self.stamp.map(|from| Fallback { from, base: &self.base })
    }
}
