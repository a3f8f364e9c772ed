//! Keeping what was tried: only what was confirmed stays, and it comes back.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::policy::Decision;
use fwtui::core::setup::Answers;
use fwtui::core::trial::{Reason, SETTLE_TIME};
use fwtui::guard::{Answer, Message, Request, Running};
use fwtui::store::{self, state};
use fwtui::sys::clock;

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::{CONFIRM, paths, policy};
use crate::trial::closed;

const LONG: Duration = Duration::from_secs(60);

/// As another tool's reload does: every rule and chain of every table, in both families.
fn flush(lab: &Lab) {
    for program in ["iptables", "ip6tables"] {
        for table in ["raw", "filter"] {
            for what in ["-F", "-X"] {
                lab.line(&format!("{program} -t {table} {what}"));
            }
        }
    }
}

fn state_of(lab: &Lab) -> (String, i32) {
    let (status, code) = lab.status();
    (status["state"].as_str().unwrap().to_owned(), code)
}

#[test]
fn a_confirmation_is_not_taken_before_anybody_can_have_looked() {
    in_sandbox(|lab| {
        let guard = lab.hold(&policy(&[]), LONG);
        let switched = guard.deadline.saturating_sub(LONG);
        loop {
            let output = lab.fwtui(&["confirm"]);
            let settled = clock::since_boot() > switched + SETTLE_TIME;
            match output.status.code() {
                Some(0) => {
                    assert!(settled, "too early");
                    break;
                }
                code => {
                    assert_eq!(code, Some(1));
                    let complaint = String::from_utf8(output.stderr).unwrap();
                    assert!(complaint.contains("too early"), "{complaint}");
                }
            }
            assert!(clock::since_boot() < switched + SETTLE_TIME * 4, "never accepted");
        }
        closed_as_confirmed(lab, &guard.id);
    });
}

#[test]
fn what_is_decided_during_a_trial_is_told_and_is_not_kept() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "open"]);
        lab.does(&["apply", "--yes", "--timeout", "60"]);
        assert!(lab.status().0["trial"]["decided_since"].is_null());
        lab.does(&["set", "8080/tcp", "confine"]);
        let said = "Decided since it began, and not on trial: 8080/tcp confine.";
        let status = lab.fwtui(&["status"]);
        assert!(String::from_utf8_lossy(&status.stdout).contains(said), "{status:?}");
        let told = lab.status().0["trial"]["decided_since"].as_str().unwrap().to_owned();
        assert!(told.starts_with(said), "{told}");
        let kept = eventually(|| {
            let confirm = lab.fwtui(&["confirm"]);
            confirm
                .status
                .success()
                .then(|| String::from_utf8(confirm.stdout).unwrap())
        });
        let kept = kept.expect("it can be kept");
        assert!(kept.contains("waits for an apply"), "{kept}");
        assert!(lab.answers(Neighbour::Public, 8080));
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080));
    });
}

#[test]
fn what_is_on_trial_is_no_change_to_come() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let names = |source| lab.does(&["set", "8080/tcp", "open", "--from", source]);
        names("192.0.2.7");
        let said = "8080/tcp: only 192.0.2.7/32 can connect; others are refused";
        assert!(lab.fails(3, &["preview", "--exit-code"]).is_empty());
        assert!(lab.does(&["preview"]).contains(said));
        lab.does(&["apply", "--yes", "--timeout", "60"]);
        let preview = lab.does(&["preview", "--exit-code"]);
        assert!(
            preview.contains("Nothing changes") && !preview.contains(said),
            "{preview}"
        );
        assert_eq!(lab.json(&["preview", "--json"])["consequences"], serde_json::json!([]));
        lab.does(&["set", "8081/tcp", "open"]);
        let preview = lab.does(&["preview"]);
        assert!(preview.contains("8081/tcp") && !preview.contains(said), "{preview}");
        // The word for who can connect stays, but it means others.
        names("192.0.2.8");
        assert!(lab.does(&["preview"]).contains("only 192.0.2.8/32 can connect"));
        // Back to what was confirmed is a change, too, while something else is on trial.
        lab.confirm();
        lab.does(&["apply", "--yes", "--timeout", "60"]);
        names("192.0.2.7");
        assert!(lab.does(&["preview"]).contains(said));
    });
}

#[test]
fn a_setup_is_done_once_all_its_answers_were_confirmed() {
    in_sandbox(|lab| {
        let answers = Answers {
            services: [("8080/tcp".parse().unwrap(), Decision::Confine)].into(),
            ..Answers::default()
        };
        store::setup::save(&paths(), &answers).unwrap();
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let is_resumable = || lab.json(&["setup", "--json"])["resumable"].as_bool().unwrap();
        assert!(is_resumable(), "another answer waits");
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["off", "--yes"]);
        lab.confirm();
        assert!(is_resumable(), "it is decided, and not in force");
        lab.keep(&policy(&[("8080/tcp", "confine"), ("8081/tcp", "open")]));
        assert!(!is_resumable());
    });
}

/// The kernel, the state folder and `status` all say that it was kept.
fn closed_as_confirmed(lab: &Lab, id: &str) {
    eventually(|| (!paths().journal().exists()).then_some(())).expect("the journal is closed");
    lab.settled();
    assert_eq!(lab.last_reason(), None);
    assert_eq!(state::confirmed(&paths()).unwrap().unwrap().id, id);
    assert_eq!(state_of(lab), ("confirmed".to_owned(), 0));
}

#[test]
fn confirmed_rules_are_restored_after_a_flush() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        flush(lab);
        assert!(lab.answers(Neighbour::Public, 8081));
        assert_eq!(state_of(lab), ("drifted".to_owned(), 3));
        lab.does(&["restore"]);
        assert!(lab.answers(Neighbour::Public, 8080) && lab.refuses(Neighbour::Public, 8081));
        assert_eq!(state_of(lab), ("confirmed".to_owned(), 0));
        // The rules are the same; the slot is free to differ.
        assert_eq!(lab.base().ipv4.rules, base.ipv4.rules);
        assert_eq!(lab.base().ipv6.rules, base.ipv6.rules);
        // Over what is there, it changes nothing and does no harm.
        lab.does(&["restore"]);
        assert_eq!(lab.base().ipv4.rules, base.ipv4.rules);
        assert!(lab.answers(Neighbour::Public, 8080) && lab.refuses(Neighbour::Public, 8081));
    });
}

#[test]
fn what_was_tried_and_not_confirmed_is_never_restored() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        lab.does(&["revert"]);
        closed(lab, &Reason::Asked);
        let said = lab.does(&["restore"]);
        assert!(said.contains("Nothing to restore"), "{said}");
        assert!(lab.answers(Neighbour::Public, 8080));
        // The same over something confirmed.
        lab.keep(&policy(&[("8080/tcp", "open")]));
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080));
        lab.does(&["revert"]);
        lab.settled();
        flush(lab);
        lab.does(&["restore"]);
        assert!(lab.answers(Neighbour::Public, 8080));
        // What is wanted stays as it is, with its changes pending.
        assert_eq!(lab.status().0["pending_changes"], true);
    });
}

#[test]
fn a_flush_during_the_trial_is_no_way_around_the_revert() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        for flush in ["nft flush ruleset", "iptables -F INPUT", "iptables -t raw -F"] {
            lab.hold(&policy(&[("8081/tcp", "open")]), LONG);
            lab.line(flush);
            lab.does(&["revert"]);
            closed(lab, &Reason::Asked);
            assert_eq!(lab.base(), base, "{flush}");
            assert!(lab.answers(Neighbour::Public, 8080) && lab.refuses(Neighbour::Public, 8081));
        }
    });
}

#[test]
fn a_confirmation_that_comes_too_late_says_so_by_its_exit_code() {
    in_sandbox(|lab| {
        let complaint = lab.fails(1, &["confirm"]);
        assert!(complaint.contains("no trial is running"), "{complaint}");
        let guard = lab.hold(&policy(&[]), Duration::from_millis(500));
        guard.ended();
        let complaint = lab.fails(4, &["confirm"]);
        assert!(complaint.contains("too late"), "{complaint}");
        for verb in ["revert", "extend"] {
            let complaint = lab.fails(1, &[verb]);
            assert!(complaint.contains("no trial is running"), "{complaint}");
        }
    });
}

#[test]
fn a_confirmation_of_another_trial_changes_nothing() {
    in_sandbox(|lab| {
        let first = lab.hold(&policy(&[]), LONG);
        lab.does(&["revert"]);
        lab.settled();
        let second = lab.hold(&policy(&[]), LONG);
        assert_ne!(first.id, second.id);
        for request in [CONFIRM, Request::Revert, Request::Extend] {
            let answer = lab.ask(request, Some(&first.id));
            assert!(
                matches!(&answer, Some(Answer::Refused(why)) if why.contains("another trial")),
                "{answer:?}"
            );
        }
        let Some(Running { id, deadline, .. }) = lab.running() else {
            panic!("the trial goes on");
        };
        assert_eq!((id, deadline), (second.id, second.deadline));
        lab.does(&["revert"]);
    });
}

#[test]
fn who_says_keep_and_dies_has_kept() {
    in_sandbox(|lab| {
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), LONG);
        let switched = guard.deadline.saturating_sub(LONG);
        eventually(|| (clock::since_boot() > switched + SETTLE_TIME).then_some(())).unwrap();
        let message = Message {
            request: CONFIRM,
            id: Some(guard.id.clone()),
        };
        // A client that says half a line, one that says nothing and one that talks nonsense first.
        let connect = || UnixStream::connect(paths().socket()).unwrap();
        let (mut half, _silent, mut nonsense) = (connect(), connect(), connect());
        half.write_all(b"{\"request\":\"conf").unwrap();
        nonsense
            .write_all(b"{\"request\":\"surrender\",\"id\":null}\n")
            .unwrap();
        let mut client = connect();
        client
            .write_all(&[serde_json::to_vec(&message).unwrap(), b"\n".to_vec()].concat())
            .unwrap();
        drop(client);
        closed_as_confirmed(lab, &guard.id);
        guard.ended();
    });
}

#[test]
fn off_is_a_trial_too_and_when_confirmed_stays_off() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let foreign = lab.foreign();
        lab.keep(&policy(&[("8080/tcp", "confine")]));
        lab.does(&["off", "--yes"]);
        assert!(lab.answers(Neighbour::Public, 8080));
        assert_eq!(state_of(lab).0, "trial");
        lab.does(&["revert"]);
        assert!(lab.refuses(Neighbour::Public, 8080));
        lab.does(&["off", "--yes"]);
        lab.confirm();
        assert_eq!(state_of(lab), ("off".to_owned(), 0));
        let observed = lab.observed();
        assert!(observed.ipv4.chains.is_empty() && observed.ipv6.chains.is_empty());
        assert_eq!(lab.foreign(), foreign);
        let said = lab.does(&["restore"]);
        assert!(said.contains("Nothing to restore"), "{said}");
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}
