//! What ends a trial takes, for the guard and for who comes after it.

use std::thread;
use std::time::Duration;

use crate::backend::switch::{self, Base};
use crate::backend::{Backend, BackendError};
use crate::core::listener::Family;
use crate::core::ruleset;
use crate::core::trial::Reason;
use crate::core::unit::UnitWork;
use crate::store::state::{Journal, Outcome};
use crate::sys::clock;

/// Pauses between attempts to revert. A kernel short of memory may refuse once; together they stay
/// below the half minute in which a machine must be reachable again.
const REVERT_PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Tries again after each pause until it is done.
fn patiently(mut work: impl FnMut() -> Result<(), BackendError>) -> Result<(), BackendError> {
    let mut result = work();
    for pause in REVERT_PAUSES {
        if result.is_ok() {
            break;
        }
        thread::sleep(pause);
        result = work();
    }
    result
}

/// Reverts, again and again for half a minute.
pub(super) fn revert_patiently(backend: &dyn Backend, base: &Base) -> Result<(), BackendError> {
    patiently(|| switch::revert(backend, base))
}

/// Takes the kernel's timer off rules that are kept, as patiently.
pub(super) fn take_off_timer(backend: &dyn Backend, want: &Base) -> Result<(), BackendError> {
    patiently(|| switch::set_timer(backend, want, None))
}

/// The outcome of a trial, at this moment.
pub(super) fn outcome(
    journal: &Journal,
    reverted: Option<Reason>,
    has_failed: bool,
    trouble: Option<String>,
) -> Outcome {
    Outcome {
        id: journal.id.clone(),
        began: journal.at.clone(),
        reverted,
        has_failed,
        trouble,
        at: clock::rfc3339(clock::now()),
    }
}

/// The script that puts rules, and what a trial has stopped, back without fwtui.
pub fn restore_script(backend: &dyn Backend, rules: &Base, units: &UnitWork) -> String {
    let variant = backend.name().rsplit('-').next().unwrap_or_default();
    let families: Vec<_> = [Family::Ipv6, Family::Ipv4]
        .into_iter()
        .filter(|family| backend.families().contains(family))
        .map(|family| (family, rules.family(family)))
        .collect();
    ruleset::restore_script(variant, &families, &units.shell_lines())
}
