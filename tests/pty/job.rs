//! Stopped by ctrl-z or from elsewhere, and continued: as a job of a shell's, and without a shell.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::lab::{Lab, eventually, in_sandbox};
use crate::slow::{Slow, ip};
use crate::terminal::{PATIENCE, Terminal};

const SIZE: (u16, u16) = (80, 24);
/// Starts its arguments as a job, says when it is stopped, and has it go on for a line of input; as
/// often as that happens.
const SHELL: &str = "set -m; \"$@\"; code=$?; \
    while [ $code -gt 128 ]; do echo \"stop $((stops += 1))\"; read -r line || exit 1; fg >/dev/null; code=$?; done; \
    echo \"ended with $code\"; exit $code";

/// fwtui as the job of a shell with job control.
fn as_a_job(arguments: &[&str]) -> Terminal {
    job_of("bash", &[], arguments)
}

/// The same, with the shell started by a program with arguments.
fn job_of(starter: &str, starting: &[&str], arguments: &[&str]) -> Terminal {
    let mut command = Command::new(starter);
    command
        .args(starting)
        .args(["-c", SHELL, "shell", env!("CARGO_BIN_EXE_fwtui")])
        .args(["--screen", "services"])
        .args(arguments);
    let mut terminal = Terminal::with(SIZE, &command);
    terminal.until("the first complete look", |text| {
        text.contains("Services") && text.contains("quit") && !text.contains("looking")
    });
    assert!(terminal.is_taken());
    terminal
}

/// What the shell says once its job is stopped. What it said of earlier stops is seen before that, as
/// soon as the terminal is given back.
fn prompt(stop: u32) -> String {
    format!("stop {stop}")
}

/// The shell has the terminal as it was; then fwtui goes on.
#[track_caller]
fn the_shell_has_it_and_gives_it_back(terminal: &mut Terminal, stop: u32) {
    terminal.sees(&[&prompt(stop)]);
    terminal.is_as_before();
    terminal.types("\n");
    terminal.until("the screens again", |text| {
        text.contains("Services") && text.contains("quit") && !text.contains("stop ")
    });
    assert!(terminal.is_taken());
}

/// The process id of the screens: the first of their group, which the shell waits for.
fn screens(terminal: &Terminal) -> Pid {
    let children = format!("/proc/{0}/task/{0}/children", terminal.process());
    let pid = std::fs::read_to_string(children).unwrap();
    Pid::from_raw(pid.split_whitespace().next().unwrap().parse().unwrap()).unwrap()
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again() {
    let mut terminal = as_a_job(&["--root", "/nowhere"]);
    for stop in 1..=2 {
        terminal.types("\u{1a}");
        the_shell_has_it_and_gives_it_back(&mut terminal, stop);
    }
    // What is typed after is heard.
    terminal.answers("2", &["class"]);
    // Another size meanwhile is drawn in.
    terminal.types("\u{1a}");
    terminal.sees(&[&prompt(3)]);
    terminal.resize((100, 30));
    terminal.types("\n");
    terminal.until("the larger screen", |text| {
        text.lines().count() == 30 && text.contains("quit")
    });
    terminal.types("q");
    terminal.sees(&["ended with 0"]);
    terminal.ends_well(0);
}

#[test]
fn a_signal_from_elsewhere_does_the_same() {
    let mut terminal = as_a_job(&["--root", "/nowhere"]);
    kill_process(screens(&terminal), Signal::TSTP).unwrap();
    the_shell_has_it_and_gives_it_back(&mut terminal, 1);
    terminal.types("q");
    terminal.sees(&["ended with 0"]);
    terminal.ends_well(0);
}

#[test]
fn the_sandbox_stops_with_its_screens() {
    let mut terminal = as_a_job(&["sandbox"]);
    terminal.types("\u{1a}");
    the_shell_has_it_and_gives_it_back(&mut terminal, 1);
    terminal.types("q");
    terminal.sees(&["ended with 0"]);
    terminal.ends_well(0);
}

#[test]
fn a_trial_goes_on_meanwhile_and_its_countdown_is_right_afterwards() {
    in_sandbox(|lab: &Lab| {
        lab.does(&["set", "22/tcp", "open"]);
        let mut terminal = as_a_job(&[]);
        terminal.answers("a", &["Apply?"]);
        terminal.answers("y", &["TRIAL"]);
        terminal.types("\u{1a}");
        terminal.sees(&[&prompt(1)]);
        let left = |lab: &Lab| lab.status()["trial"]["seconds_left"].as_u64().unwrap();
        let before = left(lab);
        while left(lab) + 2 > before {
            assert_eq!(lab.knocks("80/tcp"), ["refused"; 6], "the guard holds the trial");
        }
        terminal.types("\n");
        terminal.until("the countdown", |text| text.contains("TRIAL") && text.contains("quit"));
        let banner = terminal.line("TRIAL");
        let shown: u64 = banner.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(shown + 2 <= before, "{shown} of {before}");
        assert!(shown >= left(lab), "{shown}: {banner}");
        terminal.answers("r", &["Reverted"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn without_a_shell_nothing_stops() {
    // The leader of a session of its own: nobody would have it go on.
    let mut terminal = Terminal::start(SIZE, &["--root", "/nowhere", "--screen", "services"]);
    terminal.until("the first complete look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    terminal.answers("\u{1a}", &["There is no shell here"]);
    terminal.signal(Signal::TSTP);
    terminal.answers("2", &["class"]);
    assert!(terminal.is_taken());
    terminal.types("q");
    terminal.ends_well(0);
}

#[test]
fn an_apply_under_way_goes_on() {
    in_sandbox(|lab: &Lab| {
        lab.does(&["set", "22/tcp", "open"]);
        let slow = Slow::new(ip());
        let mut terminal = as_a_job(&[]);
        slow.begin();
        terminal.answers("a", &["Apply?"]);
        terminal.types("y");
        let child = slow.is_running();
        terminal.types("\u{1a}");
        terminal.sees(&[&prompt(1)]);
        terminal.is_as_before();
        slow.end();
        let stat = || std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        let has_ended = || stat().is_empty() || stat().contains(") Z ");
        eventually("the child's end", PATIENCE, || has_ended().then_some(()));
        terminal.types("\n");
        terminal.sees(&["TRIAL", "quit"]);
        terminal.answers("r", &["Reverted"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

/// A container that is entered from outside: the session is none of its own, and its id 0 there.
const CONTAINER: [&str; 3] = ["--pid", "--fork", "--mount-proc"];

#[test]
fn in_a_container_the_shell_may_be_of_a_session_outside() {
    // An interactive shell takes a group of its own.
    let starting = [&CONTAINER[..], &["bash", "--norc", "-i"]].concat();
    let mut terminal = job_of("unshare", &starting, &["--root", "/nowhere"]);
    terminal.types("\u{1a}");
    the_shell_has_it_and_gives_it_back(&mut terminal, 1);
    terminal.types("q");
    terminal.sees(&["ended with 0"]);
    terminal.ends_well(0);
}

#[test]
fn in_a_container_without_a_shell_nothing_stops() {
    let mut command = Command::new("unshare");
    command.args(CONTAINER).arg(env!("CARGO_BIN_EXE_fwtui"));
    command.args(["--root", "/nowhere", "--screen", "services"]);
    let mut terminal = Terminal::with(SIZE, &command);
    terminal.until("the first complete look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    terminal.answers("\u{1a}", &["There is no shell here"]);
    terminal.types("q");
    terminal.ends_well(0);
}
