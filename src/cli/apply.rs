//! `fwtui apply` and `fwtui off`

use std::io::{self, BufRead, IsTerminal};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGINT;

use crate::app::{
    ApplyRequest, Depth, Error, Kind, Machine, Rehearsal, Started, State, TrialView, plan, protection_words,
};
use crate::cli::args::Apply;
use crate::cli::output::Out;
use crate::cli::trial::kept;
use crate::cli::{DONE, preview};
use crate::core::text::capitalised;

mod interrupt;

use interrupt::{Interrupt, leave};

/// How often the trial is looked at while waiting for it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn run(machine: &Machine, args: &Apply, is_off: bool, out: &Out) -> Result<u8, Error> {
    let is_asked = !args.yes && !args.wait;
    if is_asked && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(Error::new(Kind::Usage, "this is no terminal, so nobody can be asked")
            .hint("Add --yes to start the trial and return, or --wait to wait for its end."));
    }
    if !is_off {
        machine.policy()?;
    }
    let observation = machine.look(Depth::Plan);
    let plan = plan(&observation, &observation.policy, is_off);
    let status = &observation.status;
    let is_settled = match is_off {
        true => status.state == State::Off && plan.is_in_force,
        false => status.state == State::Confirmed && plan.is_done() && status.has_pending == Some(false),
    };
    // Old connections may be there although the rules are.
    let has_to_end = args.end_connections && !plan.going_on.is_empty();
    if is_settled && !has_to_end {
        out.line(match is_off {
            true => "Nothing to change: fwtui is off.",
            false => "Nothing to change: the kernel holds these rules, and they are confirmed.",
        })?;
        return Ok(DONE);
    }
    let is_refused = status.state == State::Trial && !args.replace;
    if observation.is_root && !is_refused {
        out.prose(&preview::words(&plan, args.end_connections))?;
        out.line(&format!("{}.", capitalised(&protection_words(&status.protection))))?;
        if let Some(note) = plan.kernel_note() {
            out.line(&format!("{}.", capitalised(&note)))?;
        }
    }
    // Locking oneself out is refused before anybody is asked.
    if is_asked && plan.lockouts.is_empty() && observation.is_root && !ask(args.timeout, out)? {
        out.line("Nothing has been changed.")?;
        return Ok(DONE);
    }
    let interrupt =
        Interrupt::watch(out.again()).map_err(|error| Error::failed(format!("ctrl-c can't be handled: {error}")))?;
    let request = ApplyRequest {
        previewed: observation.policy,
        is_off,
        timeout: args.timeout,
        replace: args.replace,
        accepted_lockouts: args.accept_lockout.clone(),
        end_connections: args.end_connections,
        rehearse: !args.no_rehearsal,
    };
    let Started {
        trial,
        switched_in,
        rehearsal,
    } = machine.apply_unless(&request, interrupt.cancel())?;
    interrupt.has_applied();
    if let Some(missed) = rehearsal.as_ref().and_then(Rehearsal::missed) {
        out.note(&missed);
    }
    if let Some(done) = rehearsal.as_ref().and_then(Rehearsal::done) {
        out.line(&done)?;
    }
    out.line(&format!(
        "On trial for {} seconds (switched in {:.1} ms). {}\n  \
         sudo fwtui revert     put the old rules back now\n  \
         sudo fwtui extend     one minute more",
        args.timeout.as_secs(),
        switched_in.as_secs_f64() * 1000.0,
        how_to_keep(&trial, is_off)
    ))?;
    if let Some(signal) = interrupt.take() {
        return Ok(leave(&trial, signal, machine.since_boot(), out));
    }
    match (is_asked, args.wait) {
        (true, _) => converse(machine, &trial, &interrupt, out),
        (false, true) => wait(machine, &trial, &interrupt, out),
        (false, false) => Ok(DONE),
    }
}

/// How to keep it, for whoever is at the machine and for whoever is not.
fn how_to_keep(trial: &TrialView, is_off: bool) -> String {
    let what = if is_off { "it so" } else { "the new rules" };
    match &trial.second_session {
        Some(command) => format!(
            "Open a new connection from a second terminal: that shows whether you still get in, and keeps {what}:\n  \
             {command}"
        ),
        None => format!("See whether everything works, then:\n  sudo fwtui confirm    keep {what}"),
    }
}

fn ask(timeout: Duration, out: &Out) -> Result<bool, Error> {
    out.prose(&format!(
        "Apply? Without a 'keep' the old rules are back after {} seconds. [y/N] ",
        timeout.as_secs()
    ))?;
    let mut line = String::new();
    // The end of input is a no.
    let read = io::stdin().lock().read_line(&mut line);
    Ok(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Waits for the trial's end.
fn wait(machine: &Machine, trial: &TrialView, interrupt: &Interrupt, out: &Out) -> Result<u8, Error> {
    while is_running(machine, trial) {
        if let Some(signal) = interrupt.take() {
            return Ok(leave(trial, signal, machine.since_boot(), out));
        }
        thread::sleep(LOOK_EVERY);
    }
    conclude(machine, trial, out)
}

fn is_running(machine: &Machine, trial: &TrialView) -> bool {
    let status = machine.status();
    // A guard that does not answer has ended nothing.
    status.is_guard_silent && trial.is_awaited(machine.since_boot())
        || status.trial.is_some_and(|running| running.id == trial.id)
}

/// Says how the trial ended.
fn conclude(machine: &Machine, trial: &TrialView, out: &Out) -> Result<u8, Error> {
    let status = machine.status();
    // Somebody reads it, and the screens need not tell it again; a terminal that was hung up is none.
    if out.is_terminal() {
        machine.note_told(&trial.id);
    }
    // The outcome of another trial says nothing about this one.
    match status.last.filter(|last| last.id == trial.id) {
        Some(last) if last.outcome == "confirmed" => {
            let said = out.line(&kept(machine));
            machine.note_listened();
            said.map(|()| DONE)
        }
        Some(last) => {
            let why = last.why.unwrap_or_default();
            let error = Error::new(Kind::Reverted, format!("{}: {why}", last.outcome));
            Err(match last.outcome.as_str() {
                "reverted" => error.hint("The old rules are in force."),
                _ => error.hint("Look with 'fwtui status'; by hand: sudo sh /var/lib/fwtui/restore.sh."),
            })
        }
        None if status.trial.is_some_and(|running| running.id != trial.id) => {
            Err(Error::failed("the trial was replaced by another trial").hint("Look with 'fwtui status'."))
        }
        None => Err(Error::failed("how the trial ended is not known").hint("Look with 'fwtui status'.")),
    }
}

/// Waits for the trial's end, or for the user's word.
fn converse(machine: &Machine, trial: &TrialView, interrupt: &Interrupt, out: &Out) -> Result<u8, Error> {
    out.line("Type keep, revert or more, and Enter. Ctrl-C reverts at once.")?;
    let lines = read_lines();
    let mut trial = trial.clone();
    let mut shown = None;
    while is_running(machine, &trial) {
        match interrupt.take() {
            Some(SIGINT) => {
                // Decided elsewhere a moment ago is told by the outcome.
                let _decided = machine.revert(Some(&trial.id));
                break;
            }
            Some(signal) => return Ok(leave(&trial, signal, machine.since_boot(), out)),
            None => {}
        }
        let left = trial.seconds_left(machine.since_boot());
        if shown != Some(left) && out.is_terminal() {
            out.print(&format!("\r\u{1b}[K{left} s left > "))?;
            shown = Some(left);
        }
        match lines.recv_timeout(LOOK_EVERY) {
            Ok(line) => {
                shown = None;
                obey(machine, line.trim(), &mut trial, out)?;
            }
            // The terminal is gone: the guard holds the trial, and nothing here can help it.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(LOOK_EVERY),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    out.line("")?;
    conclude(machine, &trial, out)
}

fn obey(machine: &Machine, word: &str, trial: &mut TrialView, out: &Out) -> Result<(), Error> {
    let keep = |is_unproven_fine| {
        machine
            .confirm(Some(&trial.id), is_unproven_fine)
            .map(|_told_by_status| ())
    };
    let done = match word {
        "keep" => keep(false).map_err(|error| match error.kind {
            // Here the second yes is a word more.
            Kind::Unproven => Error {
                hints: error.hints.into_iter().take(1).collect(),
                ..error
            }
            .hint("Or, if you are sure all the same, type: keep unproven"),
            _ => error,
        }),
        "keep unproven" => keep(true),
        "revert" => machine.revert(Some(&trial.id)),
        "more" => machine.extend(Some(&trial.id)).map(|extended| *trial = extended),
        "" => Ok(()),
        _ => Err(Error::failed("the words are keep, revert and more")),
    };
    match done {
        // Too early, or an hour reached: the trial goes on, so does the conversation.
        Err(error) if matches!(error.kind, Kind::Failed | Kind::Unproven) => {
            out.error(&error);
            Ok(())
        }
        Err(error) if error.kind == Kind::Reverted => Ok(()),
        other => other,
    }
}

fn read_lines() -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    receive
}
