//! Too few descriptors, processes or bytes of memory: when it begins, and when it is to end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use fwtui::guard::{Answer, Report, Request};
use fwtui::sys::clock;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::{Guard, guards, job, paths, policy, processes, twin_of};
use crate::trial::{back_at, closed};

const SHORT: Duration = Duration::from_millis(2500);

fn limit(pid: Pid, resource: Resource, most: Option<u64>) {
    // The upper limit stays, so that the lower one can be raised again without privilege; it is ours, too.
    let maximum = getrlimit(resource).maximum;
    let new = Rlimit {
        current: most.or(maximum),
        maximum,
    };
    prlimit(Some(pid), resource, new).unwrap();
}

/// A trial whose guard and twin get no more of something, until it is over.
fn starved(lab: &Lab, resource: Resource, most: u64) -> Guard {
    let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), SHORT);
    for pid in [guard.pid(), twin_of(guard.pid())] {
        limit(pid, resource, Some(most));
    }
    back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
    guard
}

#[test]
fn without_descriptors_the_kernel_goes_back_and_the_guard_goes_on_trying() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let base = lab.base();
        // No program can be started, no file opened.
        let guard = starved(lab, Resource::Nofile, 3);
        assert!(paths().journal().exists(), "it is not closed: nothing could be read");
        limit(guard.pid(), Resource::Nofile, None);
        eventually(|| (!paths().journal().exists()).then_some(())).expect("it is closed then");
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        assert_eq!(lab.base(), base);
    });
}

#[test]
fn without_processes_the_old_rules_are_back_all_the_same() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let base = lab.base();
        // The machine's own root has no such limit, others have.
        let guard = starved(lab, Resource::Nproc, 0);
        limit(guard.pid(), Resource::Nproc, None);
        eventually(|| (!paths().journal().exists()).then_some(())).expect("it is closed");
        closed(lab, &Reason::NotConfirmed);
        assert_eq!(lab.base(), base);
    });
}

#[test]
fn without_memory_the_old_rules_are_back_whoever_dies_of_it() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let base = lab.base();
        let guard = starved(lab, Resource::As, 1 << 20);
        for pid in fwtuis() {
            // One that is gone needs nothing any more.
            let ours = getrlimit(Resource::As);
            let _gone = prlimit(Some(pid), Resource::As, ours);
        }
        let is_closed = || {
            lab.status();
            (!paths().journal().exists()).then_some(())
        };
        eventually(is_closed).expect("somebody closes it");
        lab.settled();
        assert!(matches!(
            lab.last_reason(),
            Some(Reason::NotConfirmed | Reason::GuardDied)
        ));
        assert_eq!(lab.base(), base);
        drop(guard);
    });
}

/// What a guard with so many descriptors says; none where it ended without a word. One that can't
/// get on gets more of them after a second: it would try for half a minute.
fn report_of_a_guard_with(lab: &Lab, descriptors: u64) -> Option<Report> {
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -S -n {descriptors}; exec \"$0\" guard")])
        .arg(lab.command(&[]).get_program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let job = job(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
    // It may have ended before it read anything.
    let _unread = child
        .stdin
        .take()
        .unwrap()
        .write_all(&serde_json::to_vec(&job).unwrap());
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        say.send(serde_json::from_str(&line).ok()).unwrap();
    });
    let report = said.recv_timeout(Duration::from_secs(1)).unwrap_or_else(|_| {
        for pid in fwtuis() {
            limit(pid, Resource::Nofile, None);
        }
        said.recv().unwrap()
    });
    let end = thread::spawn(move || child.wait().unwrap());
    if !matches!(report, Some(Report::Applied { .. })) {
        end.join().unwrap();
    }
    report
}

/// The guard and its twin.
fn fwtuis() -> Vec<Pid> {
    processes(|args| args.iter().any(|arg| arg == "guard"))
}

/// One more descriptor each time: every place where there may be none left is passed.
#[test]
fn with_few_descriptors_it_is_applied_whole_or_not_begun() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let (base, foreign) = (lab.base(), lab.foreign());
        let (mut refused, started) = (0, clock::since_boot());
        for descriptors in 3.. {
            match report_of_a_guard_with(lab, descriptors) {
                Some(Report::Applied { .. }) => break,
                Some(Report::Busy) => panic!("{descriptors}: nobody else is at work"),
                Some(Report::Failed(_)) | None => refused += 1,
            }
            assert_eq!(
                (lab.base(), lab.foreign()),
                (base.clone(), foreign.clone()),
                "{descriptors}"
            );
            assert!(guards().is_empty(), "{descriptors}");
            // What could not be closed for want of descriptors is closed by the twin or the next start.
            let is_closed = || {
                lab.status();
                (!paths().journal().exists() && fwtuis().is_empty()).then_some(())
            };
            eventually(is_closed).unwrap_or_else(|| panic!("{descriptors}: it is not closed"));
        }
        println!("{refused} refused in {:?}", clock::since_boot().saturating_sub(started));
        assert!(refused > 5, "{refused}");
        assert!(lab.refuses(Neighbour::Public, 8080), "it is applied whole");
        // Whoever asks takes one more than the deadline does.
        for pid in fwtuis() {
            limit(pid, Resource::Nofile, None);
        }
        let answer = lab.ask(Request::Revert, None);
        assert!(
            matches!(answer, Some(Answer::Reverted { trouble: None, .. })),
            "{answer:?}"
        );
        lab.settled();
        assert_eq!((lab.base(), lab.foreign()), (base, foreign));
    });
}
