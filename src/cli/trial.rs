//! `fwtui confirm`, `revert`, `extend` and `restore`

use crate::app::{Error, Machine, Restored, State, boot_trouble};
use crate::cli::DONE;
use crate::cli::args::Confirm;
use crate::cli::output::Out;

pub(super) fn confirm(machine: &Machine, args: &Confirm, out: &Out) -> Result<u8, Error> {
    let trouble = machine.confirm(None, args.unproven)?;
    out.line(&kept(machine))?;
    if let Some(trouble) = trouble {
        out.note(&format!("fwtui: {trouble}."));
    }
    machine.note_listened();
    Ok(DONE)
}

/// What keeping comes to.
pub(super) fn kept(machine: &Machine) -> String {
    let status = machine.status();
    let at_boot = match boot_trouble(&status.protection) {
        None => ", and restored at boot".to_owned(),
        Some(why) => format!(", but not restored at boot: {why}"),
    };
    let kept = match status.state {
        State::Off => "Confirmed. fwtui's rules are gone, and none are loaded at boot.".to_owned(),
        State::Drifted => {
            format!("Confirmed{at_boot}. The kernel does not hold all of it any more: 'fwtui status' says why.")
        }
        State::Confirmed | State::Trial | State::Unknown => format!("Confirmed. These rules are kept{at_boot}."),
    };
    // What was decided meanwhile was not on trial; who took everything out waits for nothing.
    match status.has_pending == Some(true) && status.state != State::Off {
        true => format!("{kept}\nMore has been decided meanwhile: 'fwtui preview' shows what waits for an apply."),
        false => kept,
    }
}

pub(super) fn revert(machine: &Machine, out: &Out) -> Result<u8, Error> {
    machine.revert(None)?;
    out.line("Reverted. The old rules are in force.")?;
    Ok(DONE)
}

pub(super) fn extend(machine: &Machine, out: &Out) -> Result<u8, Error> {
    let trial = machine.extend(None)?;
    out.line(&format!(
        "The trial goes on for {} seconds.",
        trial.seconds_left(machine.since_boot())
    ))?;
    Ok(DONE)
}

pub(super) fn restore(machine: &Machine, out: &Out) -> Result<u8, Error> {
    let (restored, unclosed) = machine.restore()?;
    out.line(match restored {
        Restored::Loaded => "The confirmed rules are loaded.",
        Restored::Recompiled => "The confirmed policy is loaded, with the addresses that trusted networks have now.",
        Restored::TakenOut => "No rules are confirmed; rules of fwtui that were there all the same are out.",
        Restored::Nothing => "Nothing to restore: no rules are confirmed.",
    })?;
    if let Some(error) = unclosed {
        out.note("fwtui: the last trial is not closed:");
        out.error(&error);
    }
    Ok(DONE)
}
