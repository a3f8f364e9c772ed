//! Closing a trial whose guard is gone.

use crate::backend::Backend;
use crate::backend::switch::{self, Base};
use crate::core::trial::Reason;
use crate::guard::GuardError;
use crate::guard::hold::{outcome, revert_patiently};
use crate::store::StoreError;
use crate::store::paths::Paths;
use crate::store::state::{self, Journal, Outcome};
use crate::sys::clock;
use crate::sys::files::{self, Lock};

/// Closes the trial a journal tells of, if its guard is gone: confirmed where the decision had been
/// made, else reverted. None where there is nothing to close, or the guard (or a program it started)
/// lives.
///
/// # Errors
/// Where the journal is damaged, or reverting fails; the journal then stays as it is.
pub fn recover(paths: &Paths, backend: &dyn Backend, boot_id: &str) -> Result<Option<Outcome>, GuardError> {
    close(paths, backend, boot_id, None)
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
    close(paths, backend, boot_id, Some(known))
}

fn close(
    paths: &Paths,
    backend: &dyn Backend,
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
    let is_confirmed = confirmed.is_some_and(|confirmed| confirmed.id == journal.id);
    let base = base_of(&journal).ok_or_else(|| {
        GuardError::Store(StoreError::Damaged {
            path: paths.journal(),
            reason: "its rules can't be read back".to_owned(),
        })
    })?;
    let reverted = match (is_confirmed, journal.boot_id == boot_id) {
        (true, _) => None,
        // A new boot starts with empty tables, and `restore` loads what was confirmed.
        (false, false) => Some(Reason::Reboot),
        (false, true) => {
            revert_patiently(backend, &base)?;
            Some(Reason::GuardDied)
        }
    };
    let outcome = outcome(&journal.id, reverted, None, clock::now());
    state::close(paths, &outcome)?;
    let keep = match outcome.reverted {
        Some(Reason::GuardDied) => base,
        _ => Base::of(&backend.read()?),
    };
    // Best effort, as ever.
    let _left_behind = switch::clean(backend, &keep);
    Ok(Some(outcome))
}

fn base_of(journal: &Journal) -> Option<Base> {
    Some(Base {
        ipv4: journal.ipv4.own()?,
        ipv6: journal.ipv6.own()?,
    })
}
