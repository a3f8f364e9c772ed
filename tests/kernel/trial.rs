//! A trial that nobody confirms: the old rules are back at its deadline, in both families, through
//! both kinds of iptables, over nothing and over earlier rules.

use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use fwtui::guard::{Answer, Report, Request, Running};
use fwtui::sys::clock;
use rustix::process::Signal;

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::{Guard, paths, policy, twin_of};

/// The promise, and as much again for a machine that runs other tests meanwhile.
pub const LATEST: Duration = Duration::from_secs(2);
/// How long the trials here last.
const SHORT: Duration = Duration::from_millis(1500);

/// Waits for the old rules; they must be back at the deadline and not before it.
pub fn back_at(deadline: Duration, is_back: impl Fn() -> bool) {
    loop {
        let is_back = is_back();
        let now = clock::since_boot();
        if is_back {
            assert!(now >= deadline, "{:?} early", deadline.saturating_sub(now));
            assert!(now < deadline + LATEST, "{:?} late", now.saturating_sub(deadline));
            return;
        }
        assert!(
            now < deadline + LATEST,
            "not back {:?} after the deadline",
            now.saturating_sub(deadline)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The journal is closed, nothing is left behind, and that is how it ended.
pub fn closed(lab: &Lab, reason: &Reason) {
    eventually(|| (!paths().journal().exists()).then_some(())).expect("the journal is closed");
    lab.settled();
    assert_eq!(lab.last_reason().as_ref(), Some(reason));
    assert!(!paths().candidate().exists());
}

/// A trial over nothing runs out.
fn over_nothing(lab: &Lab) {
    lab.listen_everywhere(8080);
    let (base, foreign) = (lab.base(), lab.foreign());
    let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), SHORT);
    assert!(lab.refuses(Neighbour::Public, 8080), "the trial is in force");
    back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
    guard.ended();
    closed(lab, &Reason::NotConfirmed);
    assert_eq!((lab.base(), lab.foreign()), (base, foreign));
    let observed = lab.observed();
    assert!(observed.ipv4.chains.is_empty() && observed.ipv6.chains.is_empty());
    assert_eq!(lab.status().0["state"], "off");
    assert!(!paths().confirmed().exists());
}

/// A trial over a confirmed policy runs out.
fn over_a_confirmed_policy(lab: &Lab) {
    lab.listen_everywhere(8080);
    lab.listen_everywhere(8081);
    lab.keep(&policy(&[("8080/tcp", "open")]));
    let base = lab.base();
    let guard = lab.hold(&policy(&[("8081/tcp", "open")]), SHORT);
    assert!(lab.refuses(Neighbour::Public, 8080) && lab.answers(Neighbour::Public, 8081));
    assert_eq!(lab.status().1, 3, "a trial is running");
    back_at(guard.deadline, || {
        lab.answers(Neighbour::Public, 8080) && lab.refuses(Neighbour::Public, 8081)
    });
    guard.ended();
    closed(lab, &Reason::NotConfirmed);
    assert_eq!(lab.base(), base);
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("confirmed"), 0), "{status}");
    assert_eq!(status["last"]["outcome"], "reverted");
}

#[test]
fn unconfirmed_over_nothing_there_is_nothing_at_the_deadline() {
    in_sandbox(|lab| {
        over_nothing(lab);
        assert_eq!(lab.json(&["status", "--json"])["backend"], "iptables-nft");
    });
}

#[test]
fn unconfirmed_over_confirmed_rules_they_are_back_at_the_deadline() {
    in_sandbox(|lab| {
        over_a_confirmed_policy(lab);
        assert_eq!(lab.json(&["status", "--json"])["backend"], "iptables-nft");
    });
}

#[test]
fn with_iptables_legacy_over_nothing_there_is_nothing_at_the_deadline() {
    in_sandbox(|lab| {
        lab.use_legacy();
        over_nothing(lab);
    });
}

#[test]
fn with_iptables_legacy_confirmed_rules_are_back_at_the_deadline() {
    in_sandbox(|lab| {
        lab.use_legacy();
        over_a_confirmed_policy(lab);
    });
}

/// A running trial that refuses 8080/tcp, with a way to end it and what that is to be called.
fn ended_early(lab: &Lab, end: impl Fn(&Guard), reason: &Reason) {
    let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
    assert!(lab.refuses(Neighbour::Public, 8080));
    end(&guard);
    eventually(|| lab.answers(Neighbour::Public, 8080).then_some(())).expect("the old rules are back");
    guard.ended();
    closed(lab, reason);
}

#[test]
fn a_trial_ends_at_once_by_revert_and_by_sigterm() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let revert = |_: &Guard| {
            lab.does(&["revert"]);
            assert!(lab.answers(Neighbour::Public, 8080), "back before revert returns");
        };
        ended_early(lab, revert, &Reason::Asked);
        ended_early(lab, |guard| guard.signal(Signal::TERM), &Reason::Stopped);
    });
}

#[test]
fn what_a_terminal_sends_does_not_move_the_guard() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), SHORT);
        for signal in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TSTP, Signal::PIPE] {
            guard.signal(signal);
            rustix::process::kill_process(twin_of(guard.pid()), signal).unwrap();
        }
        assert!(matches!(lab.ask(Request::Status, None), Some(Answer::Running(_))));
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        closed(lab, &Reason::NotConfirmed);
        guard.ended();
    });
}

#[test]
fn extending_moves_the_deadline_by_a_minute() {
    in_sandbox(|lab| {
        let guard = lab.hold(&policy(&[]), Duration::from_secs(30));
        let said = lab.does(&["extend"]);
        let Some(Running { deadline, .. }) = lab.running() else {
            panic!("the trial goes on");
        };
        assert_eq!(deadline, guard.deadline + Duration::from_secs(60), "{said}");
        lab.does(&["revert"]);
    });
}

#[test]
fn a_second_apply_is_refused_and_leaves_the_first_alone() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(30));
        lab.does(&["set", "8081/tcp", "open"]);
        for _ in 0..2 {
            let complaint = lab.fails(1, &["apply", "--yes"]);
            assert!(complaint.contains("a trial is running already"), "{complaint}");
        }
        let report = lab.try_to_hold(&policy(&[]), SHORT).err();
        assert_eq!(report, Some(Report::Busy));
        let complaint = lab.fails(1, &["restore"]);
        assert!(complaint.contains("a trial is running already"), "{complaint}");
        let Some(Running { id, deadline, .. }) = lab.running() else {
            panic!("the trial goes on");
        };
        assert_eq!((id, deadline), (guard.id, guard.deadline));
        assert!(lab.refuses(Neighbour::Public, 8080));
        lab.does(&["revert"]);
    });
}

#[test]
fn of_two_applies_at_once_one_wins_and_the_other_says_so() {
    in_sandbox(|lab| {
        lab.does(&["set", "8080/tcp", "open"]);
        for _ in 0..3 {
            let mut both = [(); 2].map(|()| {
                let mut command = lab.command(&["apply", "--yes"]);
                command.stdout(std::process::Stdio::piped());
                command.stderr(std::process::Stdio::piped()).spawn().unwrap()
            });
            let codes = both.each_mut().map(|child| child.wait().unwrap().code());
            assert!(codes.contains(&Some(0)) && codes.contains(&Some(1)), "{codes:?}");
            for mut child in both {
                let complaint = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
                assert!(
                    complaint.is_empty() || complaint.contains("a trial is running already"),
                    "{complaint}"
                );
            }
            lab.does(&["revert"]);
        }
    });
}
