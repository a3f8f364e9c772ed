//! However it ends, the terminal is as it was.

use std::fs::File;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use crate::lab::in_sandbox;
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (80, 24);

fn running() -> Terminal {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap().to_owned();
    // Where fwtui's files are is of no matter here: it looks at the machine and changes nothing.
    let mut terminal = Terminal::start(SIZE, &["--screen", "services", "--root", &root]);
    terminal.sees(&["Services", "quit"]);
    assert!(terminal.is_taken());
    terminal
}

#[test]
fn quitting() {
    for key in ["q", "\u{3}"] {
        let mut terminal = running();
        terminal.types(key);
        terminal.ends_well(0);
    }
}

#[test]
fn signals() {
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
    ] {
        let mut terminal = running();
        terminal.signal(signal);
        terminal.ends_well(code);
    }
}

#[test]
fn before_the_first_look_is_over() {
    let mut terminal = Terminal::start(SIZE, &["--screen", "services", "--root", "/nowhere"]);
    // Typed before anybody reads it: the terminal keeps it for the program.
    terminal.types("q");
    terminal.ends_well(0);
}

#[test]
fn ctrl_c_during_a_trial_asks_once() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial(SIZE);
        terminal.answers("\u{3}", &["A trial is running", "TRIAL"]);
        terminal.types("\u{3}");
        terminal.ends_well(0);
        assert_eq!(lab.status()["state"], "trial");
        lab.does(&["revert"]);
    });
}

#[test]
fn signals_during_a_trial_leave_it_running() {
    in_sandbox(|lab| {
        for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
            let mut terminal = lab.on_trial(SIZE);
            terminal.signal(signal);
            terminal.ends_well(code);
            let said = terminal.text();
            assert!(said.contains("The trial goes on: its guard holds it"), "{said}");
            assert!(
                said.contains("sudo fwtui confirm") && said.contains("sudo fwtui revert"),
                "{said}"
            );
            assert_eq!(lab.status()["state"], "trial");
            lab.does(&["revert"]);
        }
    });
}

#[test]
fn the_sandbox_ends_with_its_screens() {
    let mut terminal = Terminal::start(SIZE, &["--screen", "services", "sandbox"]);
    terminal.sees(&["sshd", "nginx", "off: nothing is refused"]);
    terminal.types("q");
    terminal.ends_well(0);
}

#[test]
fn stopped_and_continued_it_takes_the_terminal_again() {
    let mut terminal = running();
    // Stopped in the middle of a frame, it would write the rest of it wherever it goes on.
    terminal.until("the first complete look", |text| !text.contains("looking"));
    terminal.is_stopped();
    terminal.is_taken_by_a_shell();
    terminal.signal(Signal::CONT);
    terminal.until("the screens", |text| {
        text.contains("Services") && text.contains("quit") && !text.contains("prompt")
    });
    assert!(terminal.is_taken());
    terminal.types("q");
    terminal.ends_well(0);
}

/// Somebody else edits meanwhile: the edit waits, and so does the end.
#[test]
fn an_edit_made_before_a_signal_is_saved() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "trusted"]);
        let mut terminal = lab.open(SIZE);
        let root = PathBuf::from(std::env::var_os("FWTUI_ROOT").unwrap());
        let lock = File::open(root.join("run/fwtui/policy.lock")).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        terminal.sees(&["sshd"]);
        terminal.answers("o", &["open. Waits for an apply."]);
        terminal.signal(Signal::TERM);
        sleep(Duration::from_millis(300));
        assert!(terminal.has_ended().is_none(), "{}", terminal.text());
        drop(lock);
        terminal.ends_well(143);
        let policy = std::fs::read_to_string(root.join("etc/fwtui/policy.json")).unwrap();
        let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
        assert_eq!(policy["services"]["22/tcp"]["decision"], "open", "{policy}");
    });
}
