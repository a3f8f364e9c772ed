//! Services on trial: stopped, kept from coming back, and started again as they were.
//!
//! Unlike rules, nothing in the kernel can do this without a process. What each unit was is in the
//! journal before anything is done to it, and every way a trial can end (the guard, its twin,
//! `ExecStopPost=`, the next start as root, `restore.sh`) starts it again. After a reboot nothing has
//! to: what is masked for a trial is masked in `/run`, and nothing is disabled before it is kept.
//!
//! Kept, a unit is disabled and not masked: that is what the administrator would have done, a package's
//! scripts and other units go on working, and a unit that lives in `/etc` can't be masked at all. What
//! else may start it is said before.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::core::unit::{Unit, UnitBefore, UnitWork, listed};
use crate::sys::clock;
use crate::sys::runner::Runner;
use crate::sys::units::{UnitError, Verb, change, is_going_down, show, show_all};

/// The longest that stopping may take; a trial that is shorter gives it as long as it lasts.
const STOPPING: Duration = Duration::from_secs(45);
/// How long starting is watched; systemd goes on with it by itself.
const STARTING: Duration = Duration::from_secs(15);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Writes down what the units are, and what is stopped with them. Nothing changes.
///
/// # Errors
/// Where one is not there, or systemd can't be asked: in words.
pub(super) fn prepare(runner: &dyn Runner, work: &mut UnitWork) -> Result<(), String> {
    if work.is_empty() {
        return Ok(());
    }
    let started = work.start.iter().map(|before| before.unit.clone());
    let named: Vec<String> = work.stop.iter().cloned().chain(started).collect();
    let known = show_all(runner, &named).map_err(|error| format!("the services can't be looked at: {error}"))?;
    // What was removed since it was disabled needs no starting.
    let is_there = |name: &str| known.get(name).is_some_and(|unit| unit.load != "not-found");
    work.start.retain(|before| is_there(&before.unit));
    let named: Vec<String> = named
        .into_iter()
        .filter(|name| is_there(name) || work.stop.contains(name))
        .collect();
    let (mut before, mut seen) = (Vec::new(), BTreeSet::new());
    for name in &named {
        let unit = known.get(name).filter(|unit| unit.load != "not-found");
        let unit = unit.ok_or_else(|| format!("there is no unit {name}"))?;
        if seen.insert(name.clone()) {
            before.push(UnitBefore {
                unit: name.clone(),
                is_active: unit.is_running(),
                is_enabled: unit.is_enabled(),
                with: None,
            });
        }
    }
    // Those that need them, those that need these, and so on: each with the one of ours that it goes
    // with, since that one's return is what it comes back with.
    let mut open: Vec<(String, String)> = work.stop.iter().map(|name| (name.clone(), name.clone())).collect();
    while let Some((with, name)) = open.pop() {
        for other in known
            .get(&name)
            .map(|unit| unit.needed_by.as_slice())
            .unwrap_or_default()
        {
            let Some(unit) = known.get(other).filter(|unit| unit.is_running()) else {
                continue;
            };
            if seen.insert(other.clone()) {
                open.push((with.clone(), other.clone()));
                before.push(UnitBefore {
                    unit: other.clone(),
                    is_active: true,
                    is_enabled: unit.is_enabled(),
                    with: Some(with.clone()),
                });
            }
        }
    }
    let can_be_masked = |name: &&String| known.get(*name).is_some_and(Unit::can_be_masked);
    work.mask = work.stop.iter().filter(can_be_masked).cloned().collect();
    work.before = before;
    Ok(())
}

/// Stops what is to be stopped and starts what is to be started, and waits until it is so.
///
/// # Errors
/// Where it is not, in the time given: in words. What was done of it has to be undone then.
pub(super) fn begin(runner: &dyn Runner, work: &UnitWork, at_most: Duration) -> Result<(), String> {
    let failed = |error: UnitError| error.to_string();
    // Stopped first, masked then: a unit that is masked while it runs forgets how it is stopped
    // (ExecStop=, KillMode=), and a database would be killed. What would start it is stopped with it.
    if !work.stop.is_empty() {
        let stopping = at_most.min(STOPPING);
        let all = listed(&work.stop);
        change(runner, Verb::Stop, &work.stop).map_err(|error| format!("{all} can't be stopped: {error}"))?;
        let left = wait(runner, &work.stop, false, stopping).map_err(failed)?;
        if !left.is_empty() {
            let seconds = stopping.as_secs();
            return Err(format!("{} did not stop within {seconds} seconds", listed(&left)));
        }
        change(runner, Verb::Mask, &work.mask)
            .map_err(|error| format!("{} can't be masked: {error}", listed(&work.mask)))?;
    }
    let start = work.to_start();
    change(runner, Verb::Start, &start).map_err(|error| format!("{} can't be started: {error}", listed(&start)))?;
    let left = wait(runner, &start, true, STARTING).map_err(failed)?;
    if !left.is_empty() {
        return Err(format!(
            "{} can't be started; see: systemctl status {}",
            listed(&left),
            left.join(" ")
        ));
    }
    // Something may have started it between the stop and the mask.
    look(runner, work)
}

/// Whether the units are as the trial made them.
///
/// # Errors
/// Which are not, or why that can't be told: in words.
pub(super) fn look(runner: &dyn Runner, work: &UnitWork) -> Result<(), String> {
    let failed = |error: UnitError| format!("the services can't be looked at: {error}");
    let again = off(runner, &work.stop, false).map_err(failed)?;
    if !again.is_empty() {
        return Err(format!("something has started it again: {}", listed(&again)));
    }
    let gone = off(runner, &work.to_start(), true).map_err(failed)?;
    match gone.is_empty() {
        true => Ok(()),
        false => Err(format!("not running any more: {}", listed(&gone))),
    }
}

/// Makes the units what they were before the trial; what is so already stays.
///
/// # Errors
/// Where they are not: with what to do by hand.
pub(super) fn put_back(runner: &dyn Runner, work: &UnitWork) -> Result<(), UnitError> {
    if work.is_empty() {
        return Ok(());
    }
    let (start, stop) = (work.to_start_again(), work.to_stop_again());
    let not_back = |what: String| match start.is_empty() {
        true => format!(
            "not stopped again: {}: {what}; by hand: systemctl stop {}",
            listed(&stop),
            stop.join(" ")
        ),
        false => format!(
            "not running again: {}: {what}; by hand: systemctl start {}",
            listed(&start),
            start.join(" ")
        ),
    };
    let mut refused = None;
    for (verb, units) in [(Verb::Unmask, &work.mask), (Verb::Start, &start), (Verb::Stop, &stop)] {
        match change(runner, verb, units) {
            Ok(()) => {}
            Err(UnitError::Unreachable(why)) => return Err(UnitError::Unreachable(not_back(why))),
            // Boot starts what is enabled, and that it still is.
            Err(UnitError::Refused(_)) if is_going_down(runner) => return Ok(()),
            // What can be done of the rest is done.
            Err(UnitError::Refused(why)) => refused = refused.or(Some(why)),
        }
    }
    if let Some(why) = refused {
        return Err(UnitError::Refused(not_back(why)));
    }
    let left = wait(runner, &start, true, STARTING).map_err(|error| match error {
        UnitError::Unreachable(why) => UnitError::Unreachable(not_back(why)),
        UnitError::Refused(why) => UnitError::Refused(not_back(why)),
    })?;
    match left.is_empty() {
        true => Ok(()),
        false => Err(UnitError::Refused(format!(
            "not running again: {0}; see: systemctl status {1}",
            listed(&left),
            left.join(" ")
        ))),
    }
}

/// Makes what was kept last: disabled is what was stopped, enabled what was started.
///
/// # Errors
/// Where it is not so: with what to do by hand.
pub(super) fn finish(runner: &dyn Runner, work: &UnitWork) -> Result<(), UnitError> {
    if work.is_empty() {
        return Ok(());
    }
    let by_hand = || match (work.stop.as_slice(), work.to_enable().as_slice()) {
        (stop @ [_, ..], _) => format!("systemctl disable --now {}", stop.join(" ")),
        ([], enable) => format!("systemctl enable --now {}", enable.join(" ")),
    };
    let changes = [
        // What is masked can't be disabled whole: systemd does not see its [Install] section.
        (Verb::Unmask, work.mask.clone()),
        (Verb::Disable, work.stop.clone()),
        // It was stopped long since, unless the machine was started meanwhile.
        (Verb::Stop, work.stop.clone()),
        (Verb::Enable, work.to_enable()),
        (Verb::Start, work.to_start()),
    ];
    for (verb, units) in changes {
        change(runner, verb, &units).map_err(|error| match error {
            UnitError::Unreachable(why) => UnitError::Unreachable(format!("{why}; by hand: {}", by_hand())),
            UnitError::Refused(why) => UnitError::Refused(format!("{why}; by hand: {}", by_hand())),
        })?;
    }
    let units = show(runner, &work.stop)?;
    let mut still = units
        .iter()
        .filter(|unit| unit.file == "enabled")
        .map(|unit| &unit.name);
    match still.next() {
        Some(unit) => Err(UnitError::Refused(format!(
            "{unit} is enabled still; by hand: {}",
            by_hand()
        ))),
        None => Ok(()),
    }
}

/// Waits until the units run, or do not; those that are otherwise in the end. One that is still being
/// started then is systemd's business, and counts as running.
fn wait(runner: &dyn Runner, units: &[String], to_run: bool, at_most: Duration) -> Result<Vec<String>, UnitError> {
    let deadline = clock::awake() + at_most;
    loop {
        let found = show(runner, units)?;
        let is_settled = |running: bool, has_job: bool, active: &str| match to_run {
            true => matches!(active, "active" | "reloading") || (!running && !has_job),
            false => !running,
        };
        let is_over = found
            .iter()
            .all(|unit| is_settled(unit.is_running(), unit.has_job, &unit.active));
        if is_over || clock::awake() >= deadline {
            let wrong = found.into_iter().filter(|unit| unit.is_running() != to_run);
            return Ok(wrong.map(|unit| unit.name).collect());
        }
        thread::sleep(PAUSE);
    }
}

/// Those of the units that run and should not, or do not and should.
fn off(runner: &dyn Runner, units: &[String], to_run: bool) -> Result<Vec<String>, UnitError> {
    let found = show(runner, units)?;
    let wrong = found.into_iter().filter(|unit| unit.is_running() != to_run);
    Ok(wrong.map(|unit| unit.name).collect())
}

#[cfg(test)]
mod tests;
