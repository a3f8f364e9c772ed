//! Forth and back.

use super::{Script, stopped};
use crate::app::Error;
use crate::backend::switch::{self, Base, Fallback};
use crate::backend::{BackendError, Observed};
use crate::core::ruleset::{Rule, Stamp};
use crate::core::trial::LONGEST_TIMEOUT;
use crate::sys::clock;

/// Loads what is in force now and the new rules over it, in the calling thread's new namespace, and
/// reads them back. Gives what to go [`back`] to.
///
/// # Errors
/// What the kernel refuses, or keeps otherwise than it was given.
pub(super) fn forth(script: &Script<'_>) -> Result<Base, Error> {
    let nothing = Base::default();
    let base = match has_rules_of_others(&script.base) {
        true => nothing.clone(),
        false => script.base.clone(),
    };
    let mut now = Observed::default();
    if base != nothing {
        let again = switch::put(script.backend, &now, &base, None).and_then(|_took| script.backend.read());
        now = again.map_err(|error| refused(script, "the rules in force could not be loaded again", &error))?;
    }
    // As the guard does it: with the kernel's timer, far enough ahead.
    let later = Stamp::at_or_after(clock::since_1970() + LONGEST_TIMEOUT);
    let fallback = later
        .filter(|_| script.has_kernel_timer)
        .map(|from| Fallback { from, base: &base });
    switch::put(script.backend, &now, &base.successor(script.candidate), fallback)
        .map_err(|error| refused(script, "the new rules could not be loaded", &error))?;
    Ok(base)
}

/// Reverts, and reads that back, too.
///
/// # Errors
/// As for [`forth`].
pub(super) fn back(script: &Script<'_>, base: &Base) -> Result<(), Error> {
    switch::revert(script.backend, base).map_err(|error| refused(script, "the old rules could not be put back", &error))
}

/// A rule somebody else put between fwtui's own may need what a new namespace does not have.
fn has_rules_of_others(base: &Base) -> bool {
    [&base.ipv4, &base.ipv6]
        .into_iter()
        .flat_map(|own| own.rules.rules())
        .any(|rule| matches!(rule, Rule::Other(_)))
}

fn refused(script: &Script<'_>, what: &str, error: &BackendError) -> Error {
    stopped(script, format!("{what}: {error}"))
}
