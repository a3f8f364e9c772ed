//! Long work: how long it takes is said, and it is stopped for real.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::lab::{Lab, eventually, in_sandbox};
use crate::slow::{Slow, ip, is_gone};
use crate::terminal::{PATIENCE, Terminal};

const SIZE: (u16, u16) = (100, 30);

/// Nothing is in force, nothing waits, nothing was left behind.
#[track_caller]
fn nothing_has_happened(lab: &Lab) {
    let status = lab.status();
    assert_eq!(status["state"], "off", "{status}");
    assert!(status["trial"].is_null() && status["last"].is_null(), "{status}");
    assert_eq!(lab.knocks("80/tcp"), ["answers"; 6]);
    for left in ["candidate.json", "trial.json"] {
        assert!(!Path::new("/var/lib/fwtui").join(left).exists(), "{left}");
    }
}

#[test]
fn a_rehearsal_is_stopped_by_esc_and_by_ctrl_c_and_nothing_has_changed() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "open"]);
        // The links of the rehearsal are made by it.
        let slow = Slow::new(ip());
        let mut terminal = lab.open(SIZE);
        for key in ["\u{1b}", "\u{3}"] {
            slow.begin();
            terminal.answers("a", &["Apply?"]);
            terminal.answers("y", &["Rehearsing and applying …", "esc stops it"]);
            let pid = slow.is_running();
            // How long it takes already.
            terminal.sees(&["applying … 1 s"]);
            terminal.answers(key, &["Stopped: nothing has been changed."]);
            eventually("the end of the slow program", PATIENCE, || is_gone(&pid).then_some(()));
            slow.end();
            nothing_has_happened(lab);
            slow.forget();
        }
        // And it can be done all the same.
        terminal.answers("a", &["Apply?"]);
        terminal.answers("y", &["TRIAL"]);
        terminal.answers("r", &["Reverted"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn ctrl_c_in_the_rehearsal_of_the_verb_leaves_nothing_behind() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "open"]);
        let slow = Slow::new(ip());
        slow.begin();
        let mut terminal = Terminal::start(SIZE, &["apply", "--yes"]);
        let pid = slow.is_running();
        terminal.types("\u{3}");
        terminal.ends();
        slow.end();
        eventually("the end of what it started", PATIENCE, || is_gone(&pid).then_some(()));
        nothing_has_happened(lab);
        // The lock is free.
        lab.does(&["apply", "--yes"]);
        lab.does(&["revert"]);
    });
}

#[test]
fn a_signal_during_the_verbs_trial_is_answered_with_how_it_goes_on() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "open"]);
        for (args, signal, code) in [
            (["apply", "--wait"], Signal::INT, 130),
            (["apply", "--wait"], Signal::TERM, 143),
        ] {
            lab.does(&["set", "5432/tcp", "open"]);
            let mut terminal = Terminal::start(SIZE, &args);
            terminal.sees(&["On trial for 90 seconds"]);
            lab.becomes("trial");
            terminal.signal(signal);
            let status = terminal.ends();
            assert_eq!(status.code(), Some(code), "{args:?}: {}", terminal.text());
            for words in [
                "The trial goes on: its guard holds it",
                " s unless",
                "sudo fwtui confirm",
                "sudo fwtui revert",
            ] {
                assert!(terminal.text().contains(words), "{words}: {}", terminal.text());
            }
            assert_eq!(lab.status()["state"], "trial");
            lab.does(&["revert"]);
        }
        // While it waits for a word, ctrl-c has always meant back; SIGTERM leaves the trial to its guard.
        let mut terminal = Terminal::start(SIZE, &["apply"]);
        terminal.sees(&["[y/N]"]);
        terminal.answers("y\r", &["s left"]);
        terminal.signal(Signal::TERM);
        assert_eq!(terminal.ends().code(), Some(143), "{}", terminal.text());
        assert!(terminal.text().contains("The trial goes on"), "{}", terminal.text());
        lab.does(&["revert"]);
    });
}

#[test]
fn too_late_to_stop_is_said_and_then_how_it_goes_on() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "open"]);
        // Past the rehearsal, which is left out, this loads the rules.
        let is_from_guard = "tr '\\0' ' ' < /proc/$PPID/cmdline | grep -q ' guard'";
        let program = fs::canonicalize("/usr/sbin/iptables-nft-restore").unwrap();
        let slow = Slow::new_where(program.to_str().unwrap(), is_from_guard);
        slow.begin();
        let mut terminal = Terminal::start(SIZE, &["apply", "--yes", "--no-rehearsal"]);
        slow.is_running();
        terminal.answers("\u{3}", &["Too late to stop: the new rules are being put on trial."]);
        slow.end();
        assert_eq!(terminal.ends().code(), Some(130), "{}", terminal.text());
        for words in [
            "The trial goes on: its guard holds it",
            "sudo fwtui confirm",
            "sudo fwtui revert",
        ] {
            assert!(terminal.text().contains(words), "{words}: {}", terminal.text());
        }
        assert_eq!(lab.status()["state"], "trial");
        lab.does(&["revert"]);
    });
}

#[test]
fn a_check_is_stopped_and_begins_again() {
    in_sandbox(|_lab| {
        // By it, package managers are asked as nobody.
        let slow = Slow::new("/usr/bin/setpriv");
        slow.begin();
        // Where the database of this machine's package manager is, below a root of its own.
        let databases = [
            ("apt", "var/lib/dpkg/status"),
            ("zypper", "etc/zypp/repos.d"),
            ("dnf", "var/lib/dnf"),
            ("pacman", "var/lib/pacman/local"),
            ("apk", "lib/apk/db/installed"),
        ];
        let is_there = |name: &str| {
            ["/usr/bin", "/sbin"]
                .iter()
                .any(|folder| Path::new(folder).join(name).exists())
        };
        let root = tempfile::tempdir().unwrap();
        let (_, database) = databases.into_iter().find(|(name, _)| is_there(name)).unwrap();
        fs::create_dir_all(root.path().join(database)).unwrap();
        let mut terminal = Terminal::start(SIZE, &["--root", root.path().to_str().unwrap(), "--screen", "services"]);
        terminal.until("the first complete look", |text| {
            text.contains("Services") && !text.contains("looking")
        });
        terminal.answers("4", &["Checking the machine …", "esc stops it"]);
        let pid = slow.is_running();
        terminal.sees(&["Checking the machine … 1 s"]);
        // Meanwhile everything else goes on.
        terminal.answers("1", &["REACH NOW"]);
        terminal.answers("4", &["Checking the machine …"]);
        terminal.answers("\u{1b}", &["It was stopped before it was done. F5 checks again."]);
        eventually("the end of the slow program", PATIENCE, || is_gone(&pid).then_some(()));
        slow.end();
        terminal.types("\u{1b}[15~");
        terminal.loses("It was stopped");
        terminal.until("findings", |text| {
            text.contains("redundant") || text.contains("info") || text.contains("not seen")
        });
        terminal.loses("Checking");
        terminal.types("q");
        terminal.ends_well(0);
    });
}
