//! A guard that stands still, and what systemd does with one.

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::process::Stdio;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use fwtui::guard::{Answer, Report, Request};
use fwtui::sys::clock;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Lab, eventually, eventually_within, in_sandbox};
use crate::machine::{guards, job, paths, policy, processes, twin_of};
use crate::trial::closed;

/// A guard that stands still is gone after so long, and its rules with it.
const STANDS_STILL: Duration = Duration::from_secs(15);

fn twins() -> Vec<Pid> {
    processes(|args| args.iter().any(|arg| arg == "--twin-of"))
}

#[test]
fn a_guard_that_stands_still_is_killed_and_its_rules_are_gone() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        let guard = lab.hold(&policy(&[("8081/tcp", "open")]), Duration::from_secs(3600));
        assert!(lab.refuses(Neighbour::Public, 8080));
        guard.signal(Signal::STOP);
        let stopped = clock::since_boot();
        eventually_within(STANDS_STILL, || lab.answers(Neighbour::Public, 8080).then_some(()))
            .expect("the old rules are back");
        let took = clock::since_boot().saturating_sub(stopped);
        // Not for a pause of a moment, either: a machine may be out of breath.
        assert!(took > Duration::from_secs(5), "{took:?}");
        eventually(|| twins().is_empty().then_some(())).expect("the twin ends");
        closed(lab, &Reason::GuardDied);
        assert_eq!(lab.base(), base);
    });
}

#[test]
fn a_guard_and_a_twin_that_stood_still_together_go_on() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(3600));
        let twin = twin_of(guard.pid());
        guard.signal(Signal::STOP);
        kill_process(twin, Signal::STOP).unwrap();
        let over = clock::since_boot() + Duration::from_secs(12);
        eventually_within(STANDS_STILL, || (clock::since_boot() > over).then_some(()));
        // The twin first, so that it could be hasty.
        kill_process(twin, Signal::CONT).unwrap();
        let soon = clock::since_boot() + Duration::from_millis(500);
        eventually(|| (clock::since_boot() > soon).then_some(()));
        guard.signal(Signal::CONT);
        let late = clock::since_boot() + Duration::from_secs(5);
        eventually(|| (clock::since_boot() > late).then_some(()));
        assert!(matches!(lab.ask(Request::Status, None), Some(Answer::Running { .. })));
        assert!(lab.refuses(Neighbour::Public, 8080));
        lab.ask(Request::Revert, None);
        guard.ended();
    });
}

#[test]
fn a_guard_that_does_not_answer_is_waited_for() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        let mut command = lab.command(&["apply", "--wait", "--timeout", "60"]);
        let mut starter = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let running = || matches!(lab.ask(Request::Status, None), Some(Answer::Running { .. })).then_some(());
        eventually(running).expect("the trial runs");
        let guard = guards()[0];
        let both = [guard, twin_of(guard)];
        for pid in both {
            kill_process(pid, Signal::STOP).unwrap();
        }
        // Longer than an answer is waited for.
        let over = clock::since_boot() + Duration::from_secs(12);
        eventually_within(STANDS_STILL, || (clock::since_boot() > over).then_some(()));
        assert!(starter.try_wait().unwrap().is_none(), "the trial is not over");
        for pid in both {
            kill_process(pid, Signal::CONT).unwrap();
        }
        lab.ask(Request::Revert, None);
        let output = starter.wait_with_output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains("reverted"), "{complaint}");
        lab.settled();
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

/// What a notification socket hears.
fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 64];
    let count = socket.recv(&mut buffer).expect("a word in time");
    String::from_utf8(buffer[..count].to_vec()).unwrap()
}

#[test]
fn systemd_hears_that_the_guard_is_ready_and_that_it_lives() {
    in_sandbox(|lab| {
        let by_path = UnixDatagram::bind("/run/notify").unwrap();
        let abstract_name = SocketAddr::from_abstract_name("fwtui-notify").unwrap();
        let by_name = UnixDatagram::bind_addr(&abstract_name).unwrap();
        for (value, socket) in [("/run/notify", &by_path), ("@fwtui-notify", &by_name)] {
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let guard = handed_over(lab, value);
            assert_eq!(heard(socket), "READY=1");
            for _ in 0..2 {
                assert_eq!(heard(socket), "WATCHDOG=1");
            }
            assert!(matches!(
                lab.ask(Request::Revert, None),
                Some(Answer::Reverted { trouble: None, .. })
            ));
            guard.join().unwrap();
            lab.settled();
        }
    });
}

/// A guard that asks for its job as one of systemd's does, and has reported.
fn handed_over(lab: &Lab, notify: &str) -> std::thread::JoinHandle<()> {
    std::fs::create_dir_all(paths().run()).unwrap();
    let place = paths().run().join("start-test.sock");
    let _gone = std::fs::remove_file(&place);
    let listener = UnixListener::bind(&place).unwrap();
    let mut guard = lab
        .command(&["guard", "--job-from", place.to_str().unwrap()])
        .env("NOTIFY_SOCKET", notify)
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let job = job(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
    stream.write_all(&serde_json::to_vec(&job).unwrap()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    let report: Report = serde_json::from_str(&line).unwrap();
    assert!(matches!(report, Report::Applied { .. }), "{report:?}");
    std::thread::spawn(move || assert!(guard.wait().unwrap().success()))
}

#[test]
fn a_guard_that_comes_too_late_changes_nothing() {
    in_sandbox(|lab| {
        let base = lab.base();
        std::fs::create_dir_all(paths().run()).unwrap();
        let place = paths().run().join("start-test.sock");
        let complaint = lab.fails(1, &["guard", "--job-from", place.to_str().unwrap()]);
        assert!(complaint.contains("nobody hands over a job"), "{complaint}");
        // It was there, and has been left.
        drop(UnixListener::bind(&place).unwrap());
        lab.fails(1, &["guard", "--job-from", place.to_str().unwrap()]);
        assert_eq!(lab.base(), base);
        assert!(!paths().journal().exists());
    });
}

#[test]
fn what_systemd_runs_after_a_guard_closes_its_trial() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
        kill_process(twin_of(guard.pid()), Signal::KILL).unwrap();
        // It waits as long as the guard lives.
        let mut helper = lab
            .command(&["guard", "--recover"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        eventually(|| twins().is_empty().then_some(())).expect("the twin is dead");
        assert!(helper.try_wait().unwrap().is_none());
        assert!(lab.refuses(Neighbour::Public, 8080));
        guard.kill();
        let status = eventually_within(STANDS_STILL, || helper.try_wait().unwrap()).expect("it ends");
        assert!(status.success(), "{status}");
        assert!(lab.answers(Neighbour::Public, 8080));
        closed(lab, &Reason::GuardDied);
        // And where there is nothing to close, it is done at once.
        lab.does(&["guard", "--recover"]);
        assert!(guards().is_empty());
    });
}
