//! Whatever dies during a trial, the old rules are back.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use fwtui::guard::{Answer, Request, Running};
use fwtui::sys::clock;
use rustix::process::{Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::faults::Replaced;
use crate::harness::{Lab, PATIENCE, eventually, in_sandbox};
use crate::machine::{guards, job, paths, policy, processes, twin_of};
use crate::trial::{back_at, closed};

/// fwtui in a terminal of its own, as the leader of that terminal's session.
struct InTerminal {
    master: File,
    child: Child,
}

impl InTerminal {
    fn start(lab: &Lab, args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal: OwnedFd = OpenOptions::new().read(true).write(true).open(name).unwrap().into();
        let fwtui = lab.command(args);
        // util-linux: a new session with its standard input as the controlling terminal.
        let child = Command::new("setsid")
            .arg("--ctty")
            .arg(fwtui.get_program())
            .args(fwtui.get_args())
            .env_remove("SSH_CONNECTION")
            .stdin(terminal.try_clone().unwrap())
            .stdout(terminal.try_clone().unwrap())
            .stderr(terminal)
            .spawn()
            .unwrap();
        Self {
            master: master.into(),
            child,
        }
    }

    /// Reads until this appears.
    fn until(&mut self, word: &str) {
        let mut seen = String::new();
        let mut buffer = [0; 4096];
        while !seen.contains(word) {
            let poll = &mut [rustix::event::PollFd::new(&self.master, rustix::event::PollFlags::IN)];
            let patience = PATIENCE.try_into().unwrap();
            assert_eq!(
                rustix::event::poll(poll, Some(&patience)),
                Ok(1),
                "{word:?} after {seen}"
            );
            let count = self.master.read(&mut buffer).unwrap();
            seen += &String::from_utf8_lossy(&buffer[..count]);
        }
    }

    fn type_in(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }
}

#[test]
fn a_dropped_terminal_leaves_the_deadline_as_it_was() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        let mut session = InTerminal::start(lab, &["apply", "--timeout", "20"]);
        session.until("[y/N]");
        session.type_in("y\n");
        session.until("s left");
        let Some(Running { deadline, .. }) = lab.running() else {
            panic!("the trial runs");
        };
        let InTerminal { master, mut child } = session;
        // As when an SSH connection breaks: a hang-up, and every write after it fails.
        drop(master);
        eventually(|| child.try_wait().unwrap()).expect("it ends with its terminal");
        assert!(lab.refuses(Neighbour::Public, 8080), "the trial goes on without it");
        back_at(deadline, || lab.answers(Neighbour::Public, 8080));
        closed(lab, &Reason::NotConfirmed);
    });
}

#[test]
fn ctrl_c_in_the_conversation_reverts_at_once() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        let mut session = InTerminal::start(lab, &["apply"]);
        session.until("[y/N]");
        session.type_in("y\n");
        session.until("s left");
        session.type_in("\u{3}");
        session.until("reverted");
        let status = eventually(|| session.child.try_wait().unwrap()).unwrap();
        assert_eq!(status.code(), Some(4));
        assert!(lab.answers(Neighbour::Public, 8080));
        closed(lab, &Reason::Asked);
    });
}

#[test]
fn a_fresh_session_confirms_what_a_dropped_one_began() {
    in_sandbox(|lab| {
        lab.does(&["set", "8080/tcp", "confine"]);
        let mut session = InTerminal::start(lab, &["apply"]);
        session.until("[y/N]");
        session.type_in("y\n");
        session.until("s left");
        drop(session.master);
        lab.confirm();
        assert_eq!(lab.status().0["state"], "confirmed");
        eventually(|| session.child.try_wait().unwrap()).expect("it ends with its terminal");
    });
}

#[test]
fn a_killed_starter_leaves_the_deadline_as_it_was() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        let mut command = lab.command(&["apply", "--wait", "--timeout", "20"]);
        // A group of its own, all of which is killed.
        let mut starter = command.process_group(0).stdout(Stdio::null()).spawn().unwrap();
        let running = || match lab.ask(Request::Status, None) {
            Some(Answer::Running(running)) => Some(running.deadline),
            _ => None,
        };
        let deadline = eventually(running).expect("the trial runs");
        rustix::process::kill_process_group(rustix::process::Pid::from_child(&starter), Signal::KILL).unwrap();
        starter.wait().unwrap();
        assert!(lab.refuses(Neighbour::Public, 8080), "the trial goes on without it");
        back_at(deadline, || lab.answers(Neighbour::Public, 8080));
        closed(lab, &Reason::NotConfirmed);
    });
}

#[test]
fn a_starter_killed_while_applying_leaves_a_trial_or_nothing() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        for pause in [0, 20, 60, 120, 200, 300] {
            let mut starter = lab.command(&["apply", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
            let kill_at = clock::since_boot() + Duration::from_millis(pause);
            eventually(|| (clock::since_boot() >= kill_at).then_some(()));
            starter.kill().unwrap();
            starter.wait().unwrap();
            // Its guard, where one was started, carries on alone until it is told.
            let settled = || match lab.ask(Request::Revert, None) {
                Some(Answer::Reverted { trouble: None, .. }) => Some(()),
                Some(other) => panic!("{other:?}"),
                None => guards().is_empty().then_some(()),
            };
            eventually(settled).expect("the trial ends");
            lab.settled();
            assert!(lab.answers(Neighbour::Public, 8080), "killed after {pause} ms");
            assert!(!paths().journal().exists(), "killed after {pause} ms");
        }
    });
}

#[test]
fn the_twin_reverts_for_a_killed_guard_within_two_seconds() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        let mut guard = lab.hold(&policy(&[("8081/tcp", "open")]), Duration::from_secs(60));
        assert!(lab.refuses(Neighbour::Public, 8080));
        let killed = clock::since_boot();
        guard.kill();
        eventually(|| lab.answers(Neighbour::Public, 8080).then_some(())).expect("the old rules are back");
        let took = clock::since_boot().saturating_sub(killed);
        // Two seconds, and one more for a machine that runs other tests meanwhile.
        assert!(took < Duration::from_secs(3), "{took:?}");
        eventually(|| twins().is_empty().then_some(())).expect("the twin ends");
        closed(lab, &Reason::GuardDied);
        assert_eq!(lab.base(), base);
    });
}

fn twins() -> Vec<rustix::process::Pid> {
    processes(|args| args.iter().any(|arg| arg == "--twin-of"))
}

#[test]
fn where_guard_and_twin_are_killed_the_next_start_reverts() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for command in [&["status"][..], &["confirm"], &["restore"], &["list"]] {
            let mut guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
            kill_process(twin_of(guard.pid()), Signal::KILL).unwrap();
            guard.kill();
            eventually(|| twins().is_empty().then_some(())).expect("the twin is dead");
            assert!(lab.refuses(Neighbour::Public, 8080), "nobody is left to revert");
            lab.fwtui(command);
            assert!(lab.answers(Neighbour::Public, 8080), "{command:?} found the journal");
            closed(lab, &Reason::GuardDied);
        }
    });
}

#[test]
fn a_killed_guard_that_had_confirmed_is_not_undone() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
        kill_process(guard.pid(), Signal::STOP).unwrap();
        // The decision is the rename; what comes after it, the guard did not live to see.
        let candidate = fwtui::store::state::candidate(&paths()).unwrap().unwrap();
        fwtui::store::state::confirm(&paths(), &candidate).unwrap();
        guard.kill();
        eventually(|| twins().is_empty().then_some(())).expect("the twin ends");
        assert!(lab.refuses(Neighbour::Public, 8080));
        assert_eq!(lab.last_reason(), None);
        assert_eq!(lab.status().0["state"], "confirmed");
    });
}

#[test]
fn a_full_output_changes_nothing() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_millis(1500));
        let status = lab
            .command(&["status"])
            .stdout(full.as_fd().try_clone_to_owned().unwrap())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1));
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        closed(lab, &Reason::NotConfirmed);
    });
}

/// Runs fwtui with its streams where the shell puts them.
fn with_streams(lab: &Lab, verb: &str, streams: &str) -> Option<i32> {
    let script = format!("\"$0\" {verb} {streams}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(lab.command(&[]).get_program());
    shell.env_remove("SSH_CONNECTION").status().unwrap().code()
}

#[test]
fn closed_and_full_streams_leave_a_trial_or_nothing() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        let (closed_all, full) = ("<&- >&- 2>&-", "< /dev/full > /dev/full 2> /dev/full");
        // What it is about to do can't be said, so it is not begun.
        assert_eq!(with_streams(lab, "apply --yes", full), Some(1));
        assert!(guards().is_empty() && lab.answers(Neighbour::Public, 8080));
        for streams in [closed_all, full] {
            with_streams(lab, "apply --yes", closed_all);
            assert!(lab.running().is_some() && lab.refuses(Neighbour::Public, 8080));
            with_streams(lab, "status", streams);
            with_streams(lab, "revert", streams);
            closed(lab, &Reason::Asked);
            assert!(lab.answers(Neighbour::Public, 8080), "{streams}");
        }
    });
}

#[test]
fn a_guard_killed_between_the_families_leaves_neither() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let (base, foreign) = (lab.base(), lab.foreign());
        // IPv6 comes first. The program that loads IPv4 outlives the guard, and loads it all the same.
        let slow = Replaced::program(
            "iptables-nft-restore",
            r#"if [ "${0##*/}" = iptables-nft-restore ] && ! [ -e /run/between ]; then
                   : > /run/between; while ! [ -e /run/go ]; do sleep 0.02; done
               fi"#,
        );
        let mut starter = lab.command(&["guard"]).stdin(Stdio::piped()).spawn().unwrap();
        let text = serde_json::to_vec(&job(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60))).unwrap();
        starter.stdin.take().unwrap().write_all(&text).unwrap();
        eventually(|| std::path::Path::new("/run/between").exists().then_some(())).expect("one family is switched");
        let half = lab.observed();
        assert_ne!(half.ipv6.own.slot, base.ipv6.slot, "it is");
        assert_eq!(half.ipv4.own.slot, base.ipv4.slot, "the other is not");
        starter.kill().unwrap();
        starter.wait().unwrap();
        std::fs::write("/run/go", "").unwrap();
        eventually(|| (!paths().journal().exists()).then_some(())).expect("the twin closes it");
        closed(lab, &Reason::GuardDied);
        eventually(|| twins().is_empty().then_some(())).expect("the twin ends");
        drop(slow);
        assert_eq!((lab.base(), lab.foreign()), (base, foreign));
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}
