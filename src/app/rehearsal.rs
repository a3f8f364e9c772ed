//! The rehearsal of an apply: before the machine's rules change, the new ones and the way back from
//! them are loaded in a network namespace of their own, by the same programs into the same kernel.
//! What is refused, is refused there. And what the preview promises is tried there, with real packets
//! through interfaces of the machine's names and addresses.

mod doors;
mod knocks;
mod loads;
mod stage;
mod world;

use std::fmt;
use std::thread;
use std::time::Duration;

use crate::app::{Cancel, Error, Kind, Machine, Observation};
use crate::backend::switch::Base;
use crate::backend::{Backend, BackendError, Observed, detect, iptables};
use crate::core::network::Interface;
use crate::core::overview::Row;
use crate::core::plan::Plan;
use crate::core::policy::Policy;
use crate::core::ruleset::Ruleset;
use crate::core::way_in::WayIn;
use crate::sys::clock;
use crate::sys::files;
use crate::sys::netns::Scratch;
use crate::sys::runner::{Runner, SystemRunner};

use doors::doors;
use knocks::Seen;
use stage::Stage;

/// How a rehearsal went that found nothing wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// How long it took.
    pub took: Duration,
    /// Whether the new rules were loaded and taken out again.
    pub is_loaded: bool,
    /// How many connections were tried.
    pub connections: usize,
    /// How many services that others may reach were not tried: too many, or at addresses that were
    /// not rebuilt.
    pub left_out: usize,
    /// Why it was not held, or only in part, without a full stop.
    pub not_held: Option<String>,
}

impl Rehearsal {
    const fn not_held(why: String) -> Self {
        Self {
            took: Duration::ZERO,
            is_loaded: false,
            connections: 0,
            left_out: 0,
            not_held: Some(why),
        }
    }

    /// What was done, as a sentence; none where nothing was.
    pub fn done(&self) -> Option<String> {
        let left_out = match self.left_out {
            0 => String::new(),
            1 => " (1 service left out)".to_owned(),
            many => format!(" ({many} services left out)"),
        };
        let tried = match self.connections {
            0 => "no connection".to_owned(),
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        };
        let took = self.took.as_secs_f64() * 1000.0;
        self.is_loaded
            .then(|| format!("Rehearsed in {took:.0} ms: loaded, {tried} tried{left_out}, taken out again."))
    }

    /// What was not, as a sentence, with the reason.
    pub fn missed(&self) -> Option<String> {
        let why = self.not_held.as_ref()?;
        Some(match self.is_loaded {
            true => format!("No connections were rehearsed: {why}."),
            false => format!("Not rehearsed: {why}."),
        })
    }
}

/// What is rehearsed.
#[derive(Debug)]
pub struct Script<'a> {
    /// What loads the rules in the namespace: that of the machine, but reading nothing beside it.
    pub backend: &'a dyn Backend,
    /// What makes the links.
    pub runner: &'a dyn Runner,
    /// What fwtui has in the kernel now, and a revert puts back.
    pub base: Base,
    /// What would be loaded.
    pub candidate: &'a Ruleset,
    /// Whether the kernel is to go back by itself.
    pub has_kernel_timer: bool,
    /// The rules by which it is foretold who gets in: the candidate itself.
    pub promised: &'a Ruleset,
    /// The policy it was made from.
    pub policy: &'a Policy,
    /// The machine's interfaces.
    pub interfaces: &'a [Interface],
    /// The services, with what is decided on them.
    pub rows: &'a [Row],
    /// The ways in of the user's session.
    pub ways_in: &'a [WayIn],
}

/// How many differences are told beside the first one.
const MOST_TOLD: usize = 4;

impl Machine {
    /// Rehearses the apply of a plan.
    ///
    /// # Errors
    /// As for [`rehearse`].
    pub(super) fn rehearse(
        &self,
        observation: &Observation,
        plan: &Plan,
        rows: &[Row],
        cancel: &Cancel,
    ) -> Result<Rehearsal, Error> {
        let started = clock::since_boot();
        // Whoever could put a file of his own there could make root wait for his lock.
        if let Err(error) = files::private_folder(&self.paths.run()) {
            let folder = self.paths.run();
            return Ok(Rehearsal::not_held(format!(
                "{} can't be used: {error}",
                folder.display()
            )));
        }
        let runner = SystemRunner::with_lock_file(self.paths.rehearsal_lock()).unless(cancel);
        let opened = Self::in_force().and_then(|base| Ok((base, iptables::open_for_scratch(runner)?)));
        let (base, backend) = match opened {
            Ok(opened) => opened,
            Err(_) if cancel.is_cancelled() => return Err(called_off()),
            Err(error) => {
                let why = format!("the rules in force can't be read ({error})");
                return Ok(Rehearsal::not_held(why));
            }
        };
        let script = Script {
            backend: &backend,
            runner: &SystemRunner::new().unless(cancel),
            base,
            candidate: &plan.candidate,
            has_kernel_timer: self.no_kernel_timer().is_none(),
            promised: &plan.candidate,
            policy: &observation.policy,
            interfaces: &observation.interfaces,
            rows,
            ways_in: &observation.ways_in,
        };
        let rehearsal = rehearse_unless(&script, cancel)?;
        Ok(Rehearsal {
            took: clock::since_boot().saturating_sub(started),
            ..rehearsal
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

/// Holds a rehearsal. One that can't be held, or only in part, is no error: why is told.
///
/// # Errors
/// Where the kernel refuses the new rules or the way back from them, or somebody is let in, or kept
/// out, otherwise than promised.
pub fn rehearse(script: &Script<'_>) -> Result<Rehearsal, Error> {
    rehearse_unless(script, &Cancel::default())
}

/// The same, which is called off when it is no longer wanted: its namespaces end with it, and whatever
/// was in them.
///
/// # Errors
/// As for [`rehearse`], and where it was called off.
pub fn rehearse_unless(script: &Script<'_>, cancel: &Cancel) -> Result<Rehearsal, Error> {
    let started = clock::since_boot();
    let held = match (Scratch::new(), Scratch::new()) {
        (Ok(machine), Ok(peers)) => hold(script, &machine, &peers, cancel),
        (Err(error), _) | (_, Err(error)) => Ok(Rehearsal::not_held(error.to_string())),
    };
    // What a program said that was killed for it is of no interest.
    if cancel.is_cancelled() {
        return Err(called_off());
    }
    let mut rehearsal = held?;
    rehearsal.took = clock::since_boot().saturating_sub(started);
    Ok(rehearsal)
}

/// It was stopped in time.
pub(super) fn called_off() -> Error {
    Error::new(Kind::Stopped, "stopped before anything was changed")
}

fn hold(script: &Script<'_>, machine: &Scratch, peers: &Scratch, cancel: &Cancel) -> Result<Rehearsal, Error> {
    let stage = Stage::new(script);
    let (doors, left_out) = doors(script, &stage);
    // Loading takes its time, and so do links.
    let (base, built) = thread::scope(|scope| {
        let building = scope.spawn(|| world::build(&stage, machine, peers, script.runner));
        let base = machine.run(|| loads::forth(script));
        let built = building.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (base, built)
    });
    let base = match base {
        Ok(base) => base?,
        Err(error) => return Ok(Rehearsal::not_held(error.to_string())),
    };
    let mut rehearsal = Rehearsal::default();
    match built.and_then(|()| knocks::knock(&doors, machine, peers, cancel)) {
        Ok(seen) if seen.differences.is_empty() => {
            rehearsal.connections = seen.count;
            rehearsal.left_out = left_out;
        }
        Ok(seen) => return Err(otherwise(script, &seen)),
        Err(error) => rehearsal.not_held = Some(error.to_string()),
    }
    match machine.run(|| loads::back(script, &base)) {
        Ok(reverted) => reverted?,
        Err(error) => return Ok(Rehearsal::not_held(error.to_string())),
    }
    rehearsal.is_loaded = true;
    Ok(rehearsal)
}

/// The error of a rehearsal that went otherwise than promised.
fn otherwise(script: &Script<'_>, seen: &Seen<'_>) -> Error {
    let mut sentences = seen.differences.iter().map(|difference| {
        let (promised, happened) = (difference.door.promised.words(), difference.happened.words());
        format!("{} was to be {promised}, and was {happened}", difference.door)
    });
    let first = sentences.next().unwrap_or_default();
    let mut error = stopped(script, first);
    let mut others: Vec<String> = sentences
        .by_ref()
        .take(MOST_TOLD)
        .map(|one| format!("{one}."))
        .collect();
    let untold = sentences.count();
    if untold > 0 {
        others.push(format!("So it was with {untold} more of {} connections.", seen.count));
    }
    others.append(&mut error.hints);
    error.hints = others;
    error
}

/// An error of the rehearsal, with what to do next.
fn stopped(script: &Script<'_>, message: impl fmt::Display) -> Error {
    let verb = if script.candidate.is_empty() { "off" } else { "apply" };
    Error::failed(format!("in the rehearsal, {message}; nothing has been changed"))
        .hint("Look at it again: fwtui preview.")
        .hint(format!("To go ahead without a rehearsal: fwtui {verb} --no-rehearsal."))
}
