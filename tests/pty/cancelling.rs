//! Long work: how long it takes is said, and it is stopped for real.

use std::fs;
use std::path::Path;

use crate::lab::{Lab, eventually, in_sandbox};
use crate::slow::Slow;
use crate::terminal::{PATIENCE, Terminal};

const SIZE: (u16, u16) = (100, 30);

fn is_gone(pid: &str) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

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

fn ip() -> &'static str {
    ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .unwrap()
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
