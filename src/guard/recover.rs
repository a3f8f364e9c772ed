//! Closing a trial whose guard is gone.

use crate::backend::Backend;
use crate::backend::switch::{self, Base};
use crate::core::listener::Family;
use crate::core::ruleset::Entry;
use crate::core::trial::Reason;
use crate::core::unit::UnitWork;
use crate::guard::GuardError;
use crate::guard::closing::{outcome, restore_script, revert_patiently};
use crate::guard::units;
use crate::store::StoreError;
use crate::store::paths::Paths;
use crate::store::state::{self, Confirmed, Journal, Outcome};
use crate::sys::files::{self, Lock};
use crate::sys::runner::{Runner, SystemRunner};
use crate::sys::units::UnitError;

/// Closes the trial a journal tells of, if its guard is gone: confirmed where the decision had been
/// made, else reverted. None where there is nothing to close, or the guard (or a program it started)
/// lives.
///
/// # Errors
/// Where the journal is damaged, or reverting fails; the journal then stays as it is.
pub fn recover(paths: &Paths, backend: &dyn Backend, boot_id: &str) -> Result<Option<Outcome>, GuardError> {
    close(paths, backend, &SystemRunner::new(), boot_id, None)
}

/// The same for one who knows what the journal says, should it be spoiled by now.
///
/// # Errors
/// Where reverting fails; the journal then stays as it is.
pub(super) fn recover_known(
    paths: &Paths,
    backend: &dyn Backend,
    boot_id: &str,
    known: &Journal,
) -> Result<Option<Outcome>, GuardError> {
    close(paths, backend, &SystemRunner::new(), boot_id, Some(known))
}

pub(super) fn close(
    paths: &Paths,
    backend: &dyn Backend,
    runner: &dyn Runner,
    boot_id: &str,
    known: Option<&Journal>,
) -> Result<Option<Outcome>, GuardError> {
    if !paths.journal().exists() {
        return Ok(None);
    }
    files::private_folder(&paths.run()).map_err(GuardError::io("the run folder can't be used"))?;
    let lock = Lock::try_take(&paths.lock()).map_err(GuardError::io("the lock can't be taken"))?;
    let Some(_lock) = lock else { return Ok(None) };
    // Read under the lock: the guard may have closed it a moment ago.
    let read = match (state::journal(paths), known) {
        (Err(_), Some(known)) => Some(known.clone()),
        (read, _) => read?,
    };
    let Some(journal) = read else { return Ok(None) };
    // What can't be read was not confirmed.
    let confirmed = state::confirmed(paths).ok().flatten();
    let confirmed = confirmed.filter(|confirmed| confirmed.id == journal.id);
    let base = base_of(&journal).ok_or_else(|| {
        GuardError::Store(StoreError::Damaged {
            path: paths.journal(),
            reason: "its rules can't be read back".to_owned(),
        })
    })?;
    // Where it is not known, the rules of the trial may be in force.
    let is_same_boot = [boot_id, &journal.boot_id].contains(&"") || journal.boot_id == boot_id;
    let reverted = match (&confirmed, is_same_boot) {
        (Some(confirmed), true) => {
            take_off_timer(backend, confirmed)?;
            None
        }
        // A new boot starts with empty tables, and `restore` loads what was confirmed.
        (Some(_), false) => None,
        (None, false) => Some(Reason::Reboot),
        (None, true) => {
            revert_patiently(backend, &base)?;
            Some(begun_for(paths, &journal).unwrap_or(Reason::GuardDied))
        }
    };
    let has_reverted = confirmed.is_none() && is_same_boot;
    // The rules are as they should be by now, after a reboot by `restore`; services come after them.
    let services = match (&confirmed, is_same_boot) {
        (Some(_), _) => units::finish(runner, &journal.units),
        (None, true) => units::put_back(runner, &journal.units),
        // Nothing was disabled, and what was masked was so until the next boot.
        (None, false) => Ok(()),
    };
    let trouble = match services {
        Ok(()) => None,
        // Another attempt would do no better.
        Err(UnitError::Refused(why)) => Some(why),
        Err(UnitError::Unreachable(why)) => return Err(GuardError::Failed(why)),
    };
    let outcome = outcome(&journal, reverted, false, trouble);
    state::close(paths, &outcome)?;
    // Best effort, as ever.
    let keep = if has_reverted {
        Ok(base)
    } else {
        backend.read().map(|now| Base::of(&now))
    };
    let _left_behind = keep.and_then(|keep| {
        if confirmed.is_some() && is_same_boot {
            let _not_written = state::save_script(paths, &restore_script(backend, &keep, &UnitWork::default()));
        }
        switch::clean(backend, &keep)
    });
    Ok(Some(outcome))
}

/// Why a revert that failed so far was begun, by a guard that has said so.
fn begun_for(paths: &Paths, journal: &Journal) -> Option<Reason> {
    let last = state::last(paths).ok().flatten()?;
    last.reverted.filter(|_| last.has_failed && last.id == journal.id)
}

/// The guard may have died before it took the kernel's timer off what was decided to stay.
fn take_off_timer(backend: &dyn Backend, confirmed: &Confirmed) -> Result<(), GuardError> {
    let now = backend.read()?;
    let is_timed = |entry: &Entry| matches!(entry, Entry::Timed { .. });
    let has_timer = |family| now.family(family).entries.values().any(is_timed);
    if !Family::ALL.into_iter().any(has_timer) {
        return Ok(());
    }
    let rules = confirmed.rules.ruleset();
    let rules = rules.ok_or_else(|| GuardError::Failed("the confirmed rules can't be read back".to_owned()))?;
    switch::put(backend, &now, &Base::of(&now).successor(&rules), None)?;
    Ok(())
}

fn base_of(journal: &Journal) -> Option<Base> {
    Some(Base {
        ipv4: journal.ipv4.own()?,
        ipv6: journal.ipv6.own()?,
    })
}
