//! Whatever becomes of the screens during a trial: the guard lives, and the old rules come back.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::lab::{Lab, eventually, in_sandbox};
use crate::terminal::PATIENCE;

const SIZE: (u16, u16) = (80, 24);

/// The trial goes on, and is reverted at its own deadline, for want of a confirmation.
fn comes_back(lab: &Lab) {
    let status = lab.status();
    assert_eq!(status["state"], "trial", "{status}");
    let left = Duration::from_secs(status["trial"]["seconds_left"].as_u64().unwrap());
    assert_eq!(lab.knocks("80/tcp"), ["refused"; 6], "the guard holds the trial");
    let deadline = Instant::now() + left;
    let status = eventually("the old rules", left + PATIENCE, || {
        let status = lab.status();
        (status["state"] == "off").then_some(status)
    });
    // It was asked for over and over, and each question takes its time.
    assert!(Instant::now() < deadline + Duration::from_secs(4), "at the deadline");
    assert_eq!(status["last"]["outcome"], "reverted");
    assert_eq!(lab.knocks("80/tcp"), ["answers"; 6]);
}

#[test]
fn the_terminal_is_closed() {
    in_sandbox(|lab| {
        let mut child = lab.on_trial(SIZE).close();
        let status = eventually("its end", PATIENCE, || child.try_wait().unwrap());
        assert!(status.code().is_some(), "it ends by itself: {status}");
        comes_back(lab);
    });
}

#[test]
fn the_screens_are_killed() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial(SIZE);
        terminal.signal(Signal::KILL);
        assert_eq!(terminal.ends().code(), None);
        comes_back(lab);
    });
}

#[test]
fn the_screens_are_stopped() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial(SIZE);
        terminal.is_stopped();
        comes_back(lab);
        // They go on where they find themselves.
        terminal.signal(Signal::CONT);
        terminal.sees(&["off: nothing is refused"]);
        terminal.signal(Signal::TERM);
        terminal.ends_well(143);
    });
}
