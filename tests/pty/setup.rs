//! The first-time setup by keys alone, from the welcome to rules that do what was promised.

use std::net::TcpListener;
use std::path::PathBuf;

use fwtui::app::sandbox::{Knock, neighbours_at};
use rustix::process::Signal;

use crate::cycle::keep;
use crate::lab::{Lab, eventually, in_sandbox};
use crate::terminal::{PATIENCE, Terminal};

const SIZE: (u16, u16) = (80, 24);
const DOWN: &str = "\u{1b}[B";
const HOME: &str = "\u{1b}[H";

/// The setup as it begins by itself.
fn open(_: &Lab) -> Terminal {
    let mut terminal = Terminal::start(SIZE, &[]);
    terminal.sees(&[
        "What was found",
        "This is a sandbox. Nothing is changed until you apply.",
    ]);
    terminal
}

/// Puts the cursor on a row, and presses a key there.
fn at(terminal: &mut Terminal, row: &str, key: &str, answer: &str) {
    const MOST: usize = 60;
    let is_there = |terminal: &Terminal| {
        let text = terminal.text();
        text.lines().any(|line| line.starts_with('▸') && line.contains(row))
    };
    terminal.types(HOME);
    for _ in 0..MOST {
        if is_there(terminal) {
            break;
        }
        let before = terminal.text();
        terminal.types(DOWN);
        terminal.until("another row", |text| text != before);
    }
    assert!(is_there(terminal), "{row} in:\n{}", terminal.text());
    terminal.types(key);
    terminal.until(answer, |text| {
        text.lines()
            .any(|line| line.starts_with('▸') && line.contains(row) && line.contains(answer))
    });
}

/// Where the sandbox keeps fwtui's files.
fn file(path: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("FWTUI_ROOT").unwrap()).join(path)
}

/// Nothing has been decided, and nothing is refused.
fn is_untouched(lab: &Lab) {
    assert!(!file("etc/fwtui/policy.json").exists());
    assert!(!file("var/lib/fwtui/confirmed.json").exists());
    assert_eq!(lab.status()["state"], "off");
    assert_eq!(lab.knocks("5432/tcp"), ["answers"; 6]);
}

/// From the welcome to the services, with eth1 trusted on the way.
fn to_the_services(terminal: &mut Terminal) {
    terminal.answers("\r", &["Whom do you trust?", "eth1"]);
    at(terminal, "eth1", " ", "trusted");
    terminal.answers("\r", &["How shall others be refused?", "Reject  recommended"]);
    terminal.answers("\r", &["Who may connect to what?", "sshd"]);
}

#[test]
fn the_whole_of_it() {
    in_sandbox(|lab| {
        // A program that nobody knows.
        let unknown = TcpListener::bind("[::]:7777").unwrap();
        let mut terminal = open(lab);
        to_the_services(&mut terminal);
        at(&mut terminal, "sshd", "o", "● open");
        at(&mut terminal, "avahi-daemon", "t", "◐ trusted");
        // As they are recommended.
        at(&mut terminal, "postgres", "r", "○ confine");
        at(&mut terminal, "7777/tcp", "r", "○ confine");
        terminal.answers("\r", &["Shall refusals be logged?"]);
        terminal.answers(
            "\r",
            &["This is what you chose", "Everyone can connect to", "sshd 22/tcp"],
        );
        terminal.answers("\r", &["What changes"]);
        is_untouched(lab);
        terminal.answers("\r", &["Apply?", "On trial for 90 seconds"]);
        terminal.answers("y", &["TRIAL", "Does everything work?"]);
        behaves(lab);
        keep(&mut terminal);
        terminal.sees(&["Done", "What to do next", "install-service"]);
        assert_eq!(lab.status()["state"], "confirmed");
        behaves(lab);
        eventually("the draft is forgotten", PATIENCE, || {
            (!file("var/lib/fwtui/setup.json").exists()).then_some(())
        });
        terminal.answers("\r", &["REACH NOW"]);
        terminal.types("q");
        terminal.ends_well(0);
        drop(unknown);
        // It does not begin by itself again.
        let mut again = Terminal::start(SIZE, &[]);
        again.sees(&["REACH NOW", "confirmed"]);
        again.types("q");
        again.ends_well(0);
    });
}

/// What was promised, from the neighbours' side: public, trusted, far, in IPv4 and IPv6.
fn behaves(lab: &Lab) {
    assert_eq!(lab.knocks("22/tcp"), ["answers"; 6]);
    assert_eq!(lab.knocks("5432/tcp"), ["refused"; 6]);
    let trusted = ["refused", "refused", "answers", "answers", "refused", "refused"];
    assert_eq!(lab.knocks("5353/udp"), trusted);
    let seen = neighbours_at(&"7777/tcp".parse().unwrap()).unwrap();
    assert_eq!(seen.len(), 6);
    for (who, family, knock) in seen {
        assert!(matches!(knock, Knock::Refused { .. }), "{who:?} {family:?}: {knock:?}");
    }
}

#[test]
fn leaving_changes_nothing() {
    in_sandbox(|lab| {
        let mut terminal = open(lab);
        to_the_services(&mut terminal);
        at(&mut terminal, "postgres", "o", "● open");
        terminal.answers("q", &["Leave the setup?", "Nothing has been changed"]);
        terminal.types("y");
        terminal.ends_well(0);
        is_untouched(lab);
        // What was answered is still there, and what is decided on the screens is nobody's answer.
        let mut terminal = Terminal::start(SIZE, &[]);
        terminal.sees(&["this goes on at step 4"]);
        at(&mut terminal, "postgres", "o", "● open *");
        terminal.answers("q", &["Leave the setup?"]);
        terminal.answers("s", &["REACH NOW", "F2 goes on with the setup"]);
        terminal.types("q");
        terminal.ends_well(0);
        is_untouched(lab);
    });
}

#[test]
fn killed_in_the_middle_it_goes_on() {
    in_sandbox(|lab| {
        let mut terminal = open(lab);
        to_the_services(&mut terminal);
        at(&mut terminal, "postgres", "o", "● open");
        let draft = file("var/lib/fwtui/setup.json");
        eventually("the answer on the disk", PATIENCE, || {
            let text = std::fs::read_to_string(&draft).ok()?;
            text.contains("\"5432/tcp\": \"open\"").then_some(())
        });
        terminal.signal(Signal::KILL);
        assert_eq!(terminal.ends().code(), None);
        is_untouched(lab);
        let mut again = Terminal::start(SIZE, &[]);
        again.sees(&["this goes on at step 4", "Who may connect to what?"]);
        at(&mut again, "postgres", "o", "● open *");
        again.signal(Signal::KILL);
        assert_eq!(again.ends().code(), None);
        // What was decided by other means meanwhile is told, and taken over where he answered nothing.
        lab.does(&["set", "5432/tcp", "trusted"]);
        lab.does(&["set", "80/tcp", "confine"]);
        let mut again = Terminal::start(SIZE, &["setup"]);
        again.sees(&[
            "5432/tcp: you answered open; trusted was decided",
            "80/tcp: now confine, as decided elsewhere",
        ]);
        again.types("\r");
        again.until("it is read", |text| !text.contains("Since you were here"));
        at(&mut again, "postgres", "o", "● open *");
        again.types("r");
        again.until("what was decided", |text| {
            let mut lines = text.lines();
            lines.any(|line| line.starts_with('▸') && line.contains("postgres") && line.contains("◐ trusted "))
        });
        again.signal(Signal::TERM);
        again.ends_well(143);
        lab.does(&["set", "5432/tcp", "undecided"]);
        lab.does(&["set", "80/tcp", "undecided"]);
        let mut again = Terminal::start(SIZE, &["setup"]);
        again.sees(&["Since you were here", "taken back elsewhere"]);
        again.types("\r");
        again.until("it is read", |text| !text.contains("Since you were here"));
        // From the beginning, it is as recommended.
        again.answers("x", &["Start again?"]);
        again.answers("y", &["What was found"]);
        again.answers("\r\r\r", &["Who may connect to what?"]);
        at(&mut again, "postgres", "c", "○ confine ");
        again.signal(Signal::TERM);
        again.ends_well(143);
        assert_eq!(lab.status()["state"], "off");
        assert_eq!(lab.knocks("5432/tcp"), ["answers"; 6]);
    });
}

#[test]
fn all_recommendations_and_a_revert() {
    in_sandbox(|lab| {
        let mut terminal = open(lab);
        terminal.answers("A", &["This is what you chose", "Everything is as recommended"]);
        terminal.answers("\r", &["What changes"]);
        terminal.answers("a", &["Apply?"]);
        terminal.answers("y", &["TRIAL", "Does everything work?"]);
        assert_eq!(lab.knocks("5432/tcp"), ["refused"; 6]);
        terminal.answers("r", &["This is what you chose", "the old rules are back"]);
        assert_eq!(lab.status()["state"], "off");
        assert_eq!(lab.knocks("5432/tcp"), ["answers"; 6]);
        terminal.answers("q", &["The old rules are in force"]);
        terminal.types("y");
        terminal.ends_well(0);
    });
}
