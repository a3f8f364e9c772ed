//! A terminal that nobody reads from, and one that answers nothing.

use std::process::Command;

use rustix::process::Signal;

use crate::lab::{eventually, in_sandbox};
use crate::terminal::{PATIENCE, Terminal};

/// Large, so that a few frames fill the terminal.
const SIZE: (u16, u16) = (500, 200);

#[test]
fn it_can_be_ended_though_nobody_reads_what_it_writes() {
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut terminal = Terminal::start(SIZE, &["--root", "/nowhere", "--screen", "services"]);
        terminal.until("the first complete look", |text| {
            text.contains("quit") && !text.contains("looking")
        });
        terminal.stands_still();
        terminal.signal(signal);
        // Read nothing meanwhile.
        let status = eventually("its end", PATIENCE, || terminal.has_ended());
        assert!(!status.success(), "{signal:?}: by the signal");
        terminal.has_its_settings();
    }
}

#[test]
fn a_trial_outlives_that() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial((300, 100));
        terminal.stands_still();
        terminal.signal(Signal::TERM);
        eventually("its end", PATIENCE, || terminal.has_ended());
        assert_eq!(lab.status()["state"], "trial");
        lab.does(&["revert"]);
    });
}

#[test]
fn it_goes_on_when_it_is_read_again() {
    let mut terminal = Terminal::start(SIZE, &["--root", "/nowhere", "--screen", "services"]);
    terminal.until("the first complete look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    terminal.stands_still();
    terminal.answers("2", &["class"]);
    terminal.types("q");
    terminal.ends_well(0);
}

/// Nothing here answers questions about the cursor, the colours or the device; and no TERM is said.
#[test]
fn nothing_is_asked_of_the_terminal() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
    command
        .args(["--root", "/nowhere", "--screen", "services"])
        .env_remove("TERM");
    let mut terminal = Terminal::with((80, 24), &command);
    terminal.until("the first complete look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    let written = terminal.written();
    // Device attributes, status reports, colour queries.
    for question in ["\u{1b}[c", "\u{1b}[6n", "\u{1b}[5n", "\u{1b}]11;?", "\u{1b}[?u"] {
        assert!(!written.contains(question), "{question:?}");
    }
    terminal.types("q");
    terminal.ends_well(0);
}
