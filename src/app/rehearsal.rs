//! The rehearsal of an apply: before the machine's rules change, the new ones and the way back from
//! them are loaded in a network namespace of their own, by the same programs into the same kernel.
//! What is refused, is refused there.

mod loads;

use std::time::Duration;

use crate::app::{Error, Machine, Observation};
use crate::backend::switch::Base;
use crate::backend::{Backend, BackendError, Observed, detect, iptables};
use crate::core::overview::Row;
use crate::core::plan::Plan;
use crate::core::ruleset::Ruleset;
use crate::sys::clock;
use crate::sys::files;
use crate::sys::netns::{NetnsError, Scratch};
use crate::sys::runner::SystemRunner;

/// How a rehearsal went that found nothing wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// How long it took.
    pub took: Duration,
    /// Why it was not held, or only in part: one sentence without a full stop.
    pub not_held: Option<String>,
}

/// What is rehearsed.
#[derive(Debug)]
pub struct Script<'a> {
    /// What loads the rules in the namespace: that of the machine, but reading nothing beside it.
    pub backend: &'a dyn Backend,
    /// What fwtui has in the kernel now, and a revert puts back.
    pub base: Base,
    /// What would be loaded.
    pub candidate: &'a Ruleset,
}

/// Why a rehearsal found nothing out.
type NotHeld = String;

impl Machine {
    /// Rehearses the apply of a plan.
    ///
    /// # Errors
    /// Where the kernel refuses the new rules or the way back. A rehearsal that can't be held is no
    /// error: why is told.
    pub(super) fn rehearse(&self, _observation: &Observation, plan: &Plan, _rows: &[Row]) -> Result<Rehearsal, Error> {
        let started = clock::since_boot();
        let not_held = |why: String| Rehearsal {
            took: clock::since_boot().saturating_sub(started),
            not_held: Some(why),
        };
        // Whoever could put a file of his own there could make root wait for his lock.
        if let Err(error) = files::private_folder(&self.paths.run()) {
            return Ok(not_held(format!(
                "{} can't be used: {error}",
                self.paths.run().display()
            )));
        }
        let runner = SystemRunner::with_lock_file(self.paths.rehearsal_lock());
        let opened = Self::in_force().and_then(|base| Ok((base, iptables::open_for_scratch(runner)?)));
        let (base, backend) = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok(not_held(format!("the rules in force can't be read ({error})"))),
        };
        rehearse(&Script {
            backend: &backend,
            base,
            candidate: &plan.candidate,
        })
    }

    /// What of fwtui is in the kernel now.
    fn in_force() -> Result<Base, BackendError> {
        let observed = match detect::is_pristine() {
            true => Observed::default(),
            false => Self::open()?.backend.read()?,
        };
        Ok(Base::of(&observed))
    }
}

/// Holds a rehearsal.
///
/// # Errors
/// Where the kernel refuses the new rules or the way back.
pub fn rehearse(script: &Script<'_>) -> Result<Rehearsal, Error> {
    let started = clock::since_boot();
    let not_held = hold(script)?.err();
    Ok(Rehearsal {
        took: clock::since_boot().saturating_sub(started),
        not_held,
    })
}

fn hold(script: &Script<'_>) -> Result<Result<(), NotHeld>, Error> {
    let machine = match Scratch::new() {
        Ok(machine) => machine,
        Err(error) => return Ok(Err(words(&error))),
    };
    let loaded = machine.run(|| {
        let base = loads::forth(script)?;
        loads::back(script, &base)
    });
    match loaded {
        Ok(loaded) => loaded.map(Ok),
        Err(error) => Ok(Err(words(&error))),
    }
}

fn words(error: &NetnsError) -> NotHeld {
    error.to_string()
}

/// An error of the rehearsal, with what to do next.
fn stopped(message: impl std::fmt::Display) -> Error {
    Error::failed(format!("{message}; nothing has been changed"))
        .hint("Look at it again: fwtui preview.")
        .hint("To go ahead without a rehearsal, add --no-rehearsal.")
}
