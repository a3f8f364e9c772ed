//! A trial as the screens see it: keeping, reverting, its end, and rules that others changed.

use std::time::Duration;

use fwtui::app::{Error, Kind, Last, Observation, State, Status};
use fwtui::tui::popups::Popup;
use fwtui::tui::{Depth, Effect, Msg, Restored};

use crate::Session;
use crate::fixture::{self, NOW};
use crate::sessions::SIZE;
use crate::snapshot::{draw, text};

#[test]
fn keeping_asks_once() {
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    assert_eq!(session.keys("k"), []);
    assert_eq!(session.keys("esc k y"), [keep(false)]);
    session.send(Msg::Confirmed(Ok(None)));
    assert!(session.model.trial().is_none());
    // A look that began before must not bring the trial back.
    session.send(Msg::Seen(Depth::Complete, Box::new(fixture::on_trial(60))));
    assert!(session.model.trial().is_none());
}

/// What is asked for when a trial is to be kept.
fn keep(is_unproven_fine: bool) -> Effect {
    Effect::Confirm {
        id: fixture::TRIAL.into(),
        is_unproven_fine,
    }
}

pub(crate) fn unproven() -> Msg {
    let error = Error::new(Kind::Unproven, "not kept, since nothing shows it")
        .hint("Open a new connection.")
        .hint("Or type this.");
    Msg::Confirmed(Err(error))
}

#[test]
fn keeping_without_proof_takes_a_second_yes() {
    let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &[]));
    assert_eq!(session.keys("k enter"), [keep(false)]);
    session.send(unproven());
    assert!(session.model.trial().is_some() && session.model.task.is_none());
    // Another Enter is no answer to this.
    assert_eq!(session.keys("enter enter"), []);
    assert!(matches!(session.model.popups.as_slice(), [Popup::Unproven(_)]));
    assert_eq!(session.keys("y"), [keep(true)]);
    session.send(Msg::Confirmed(Ok(None)));
    assert!(session.model.trial().is_none() && session.model.popups.is_empty());
    assert!(session.notice().starts_with("Kept"));
}

#[test]
fn the_second_question_can_be_declined_and_asked_again() {
    let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &[]));
    session.keys("k y");
    session.send(unproven());
    assert_eq!(session.keys("esc"), []);
    assert!(session.model.popups.is_empty());
    assert_eq!(session.keys("k y"), [keep(false)], "the first question again");
}

#[test]
fn keeping_with_proof_asks_once() {
    let evidence = [fixture::evidence("192.0.2.7", 12)];
    let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &evidence));
    assert_eq!(session.keys("k enter"), [keep(false)]);
    session.send(Msg::Confirmed(Ok(None)));
    assert!(session.model.trial().is_none() && session.model.popups.is_empty());
}

#[test]
fn a_second_yes_is_not_taken_for_another_trial_or_after_the_end() {
    let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &[]));
    session.keys("k y");
    session.send(unproven());
    let mut status = fixture::on_trial_over_ssh(60, &[]).status;
    status.trial.as_mut().unwrap().id = "another".into();
    session.send(Msg::Status(Box::new(status)));
    assert!(session.model.popups.is_empty());
    assert!(session.notice().contains("Another trial"), "{}", session.notice());
    let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &[]));
    session.keys("k y");
    session.send(unproven());
    session.send(Msg::Status(Box::new(fixture::decided().status)));
    assert!(
        !session
            .model
            .popups
            .iter()
            .any(|popup| matches!(popup, Popup::Unproven(_)))
    );
    assert!(!session.keys("y").contains(&keep(true)));
}

#[test]
fn too_early_is_said_in_the_question_and_costs_no_key() {
    // Begun this moment.
    let mut session = Session::on(SIZE, fixture::on_trial(90));
    session.keys("k");
    let said = |session: &Session| text(&draw(&session.model));
    let words = "Too early: look first whether everything works. In 2 s y keeps";
    assert!(said(&session).contains(words), "{}", said(&session));
    assert!(said(&session).contains("TRIAL   90 seconds"), "{}", said(&session));
    assert_eq!(session.keys("y enter"), []);
    assert!(matches!(session.model.popups.as_slice(), [Popup::Keep(_)]));
    session.send(Msg::Tick(NOW + Duration::from_secs(2)));
    assert!(!said(&session).contains("Too early"), "{}", said(&session));
    assert_eq!(session.keys("y"), [keep(false)]);
}

#[test]
fn back_and_more_time_are_one_key_away_in_both_questions() {
    let extend = || Effect::Extend(fixture::TRIAL.into());
    let revert = || Effect::Revert(fixture::TRIAL.into());
    let asked = |is_doubted: bool| {
        let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &[]));
        session.keys("k");
        if is_doubted {
            session.keys("y");
            session.send(unproven());
        }
        session
    };
    for is_doubted in [false, true] {
        let mut session = asked(is_doubted);
        let before = session.model.popups.clone();
        assert_eq!(session.keys("k"), [], "asked already");
        assert_eq!(session.keys("m"), [extend()]);
        assert_eq!(session.model.popups, before, "the question stays");
        assert_eq!(session.keys("y"), [], "one thing at a time");
        assert_eq!(
            session.model.popups, before,
            "a yes that can't be taken yet is not lost with the question"
        );
        let trial = session.model.trial().unwrap().clone();
        session.send(Msg::Extended(Ok(trial)));
        assert_eq!(session.keys("y"), [keep(is_doubted)]);
        let mut session = asked(is_doubted);
        assert_eq!(session.keys("r"), [revert()]);
        assert!(session.model.popups.is_empty());
    }
}

#[test]
fn a_new_connection_takes_the_doubt_away() {
    let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &[]));
    session.keys("k y");
    session.send(unproven());
    let seen = fixture::on_trial_over_ssh(60, &[fixture::evidence("192.0.2.7", 1)]);
    session.send(Msg::Status(Box::new(seen.status)));
    assert!(matches!(session.model.popups.as_slice(), [Popup::Keep(_)]));
    assert_eq!(session.keys("y"), [keep(false)]);
}

#[test]
fn who_reverts_and_quits_is_told_that_it_was_done() {
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    session.keys("q r");
    assert_eq!(session.send(Msg::Reverted(Ok(()))), [Effect::Quit]);
    let said = session.model.last_words.clone().unwrap();
    assert!(said.starts_with("Reverted: the old rules are back."), "{said}");
    assert!(session.model.trial().is_none(), "no trial is said to go on");
}

#[test]
fn who_leaves_before_the_answer_is_told_how_it_ended() {
    for leave in ["q q", "q y", "ctrl-c ctrl-c"] {
        let mut session = Session::on(SIZE, fixture::on_trial(60));
        session.keys("k y");
        assert_eq!(session.keys(leave), [], "{leave}");
        assert_eq!(session.send(Msg::Confirmed(Ok(None))), [Effect::Quit]);
        let said = session.model.last_words.clone().unwrap();
        assert!(said.starts_with("Kept"), "{said}");
        assert!(session.model.trial().is_none(), "no trial is said to go on");

        let mut session = Session::on(SIZE, fixture::on_trial(60));
        session.keys("r");
        assert_eq!(session.keys(leave), [], "{leave}");
        assert_eq!(session.send(Msg::Reverted(Ok(()))), [Effect::Quit]);
        let said = session.model.last_words.clone().unwrap();
        assert!(said.starts_with("Reverted"), "{said}");

        // Who will not wait need not; and what asks for a second yes is no end.
        let mut session = Session::on(SIZE, fixture::on_trial(60));
        session.keys("k y");
        session.keys(leave);
        assert_eq!(session.keys(leave), [Effect::Quit], "{leave}");
        let mut session = Session::on(SIZE, fixture::on_trial(60));
        session.keys("k y");
        session.keys(leave);
        session.send(unproven());
        assert!(matches!(session.model.popups.last(), Some(Popup::Unproven(_))));
    }
}

#[test]
fn what_went_wrong_after_keeping_is_shown() {
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    session.keys("k y");
    session.send(Msg::Confirmed(Ok(Some("a chain is left over".into()))));
    assert!(session.model.trial().is_none());
    assert!(
        matches!(session.model.popups.as_slice(), [Popup::Message(message)] if message.text == ["A chain is left over."])
    );
}

fn status(observation: Observation) -> Msg {
    Msg::Status(Box::new(observation.status))
}

#[test]
fn a_change_of_the_rules_is_looked_into_and_said() {
    let mut session = Session::on(SIZE, fixture::decided());
    let changed = |programs: &[&str]| Msg::RulesChanged(programs.iter().map(ToString::to_string).collect());
    // Somebody's own business.
    assert_eq!(session.send(changed(&["dockerd"])), [Effect::AskStatus]);
    assert_eq!(session.send(status(fixture::decided())), []);
    // More of it while the status is being asked for: once more, afterwards.
    assert_eq!(session.send(changed(&["nft"])), [Effect::AskStatus]);
    assert_eq!(session.send(changed(&["iptables"])), []);
    session.keys("s");
    assert!(!session.notice().is_empty());
    assert_eq!(session.send(status(fixture::decided())), [Effect::AskStatus]);
    assert_eq!(
        session.send(status(fixture::drifted())),
        [Effect::Look(Depth::Complete)]
    );
    assert_eq!(session.model.drift.by().as_deref(), Some("nft and iptables"));
    assert_eq!(session.notice(), "", "nothing stands before what is said of it");
    // Those who come later did not do it.
    session.send(changed(&["dockerd"]));
    session.send(status(fixture::drifted()));
    assert_eq!(session.model.drift.by().as_deref(), Some("nft and iptables"));
    session.send(changed(&["fwtui"]));
    session.send(status(fixture::decided()));
    assert_eq!(session.model.drift.by(), None);
}

#[test]
fn what_was_loaded_here_is_not_taken_for_somebody_elses_doing() {
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    session.keys("k y");
    session.send(Msg::Confirmed(Ok(None)));
    session.send(Msg::RulesChanged(vec!["iptables-nft-re".into(), "nft".into()]));
    session.send(status(fixture::drifted()));
    assert_eq!(session.model.drift.by().as_deref(), Some("nft"));
    // Later it is somebody else's.
    session.send(status(fixture::decided()));
    session.send(Msg::Tick(NOW + Duration::from_secs(3)));
    session.send(Msg::RulesChanged(vec!["iptables-nft-re".into()]));
    session.send(status(fixture::drifted()));
    assert_eq!(session.model.drift.by().as_deref(), Some("iptables-nft-re"));
}

#[test]
fn a_status_nobody_asked_for_does_not_forget_who_did_it() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.send(Msg::RulesChanged(vec!["nft".into()]));
    // Begun before.
    session.send(Msg::Probed(Box::new(fixture::decided().status)));
    session.send(status(fixture::drifted()));
    assert_eq!(session.model.drift.by().as_deref(), Some("nft"));
}

#[test]
fn an_answer_from_before_the_trial_does_not_end_it() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("a");
    assert_eq!(session.send(Msg::RulesChanged(Vec::new())), [Effect::AskStatus]);
    session.keys("y");
    session.send(Msg::Applied(Ok(fixture::started(90))));
    session.send(status(fixture::decided()));
    assert!(session.model.trial().is_some() && session.model.popups.is_empty());
    assert_eq!(
        session.send(Msg::Tick(NOW + Duration::from_secs(1))),
        [Effect::AskStatus]
    );
}

#[test]
fn what_was_confirmed_is_put_back_after_a_question() {
    let mut session = Session::on(SIZE, fixture::decided());
    assert_eq!(session.keys("R"), []);
    assert!(session.model.popups.is_empty() && session.notice().starts_with("Nothing to put back"));
    let mut session = Session::on(SIZE, fixture::drifted());
    assert_eq!(session.keys("R"), []);
    assert_eq!(session.keys("esc R y"), [Effect::Restore]);
    assert_eq!(session.keys("R a"), [], "one thing at a time");
    let effects = session.send(Msg::Restored(Ok((Restored::Loaded, None))));
    assert_eq!(effects, [Effect::Look(Depth::Complete)]);
    assert!(session.notice().starts_with("Put back"));
    let mut session = Session::on(SIZE, fixture::drifted());
    session.keys("R y");
    session.send(Msg::Restored(Err(Error::failed("no").hint("Try this."))));
    assert!(matches!(session.model.popups.as_slice(), [Popup::Message(_)]));
    assert_eq!(Session::on(SIZE, fixture::without_root()).keys("R"), []);
    assert_eq!(Session::on(SIZE, fixture::on_trial(60)).keys("R"), []);
    // Where nothing is confirmed, restoring would take the rules out and open the machine.
    let mut unconfirmed = fixture::drifted();
    unconfirmed.status.can_restore = false;
    let mut session = Session::on(SIZE, unconfirmed);
    assert_eq!(session.keys("R y"), []);
    assert!(
        session.notice().starts_with("Nothing is confirmed"),
        "{}",
        session.notice()
    );
}

#[test]
fn a_last_trial_that_nobody_ended_is_told_once() {
    let start = |outcome: &str, reason: &str| {
        let mut session = Session::unseen(SIZE);
        let mut observation = fixture::decided();
        let last = observation.status.last.as_mut().unwrap();
        last.outcome = outcome.into();
        last.reason = Some(reason.into());
        last.why = Some("because".into());
        for depth in [Depth::Sockets, Depth::Owners, Depth::Complete] {
            session.send(Msg::Seen(depth, Box::new(observation.clone())));
        }
        let told = text(&draw(&session.model));
        let has_told = matches!(session.model.popups.as_slice(), [Popup::Outcome(_)]);
        let expected: &[Effect] = if has_told { &[Effect::Told("4a1d".into())] } else { &[] };
        assert_eq!(session.keys("esc"), expected);
        session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
        assert!(session.model.popups.is_empty(), "once");
        if has_told { told } else { String::new() }
    };
    for (outcome, reason) in [
        ("reverted", "guard-died"),
        ("reverted", "reboot"),
        ("reverted", "signal"),
        ("reverted", "deadline"),
        ("revert-failed", "deadline"),
    ] {
        let told = start(outcome, reason);
        assert!(
            told.contains("The trial of 14:01") && told.contains("because"),
            "{told}"
        );
    }
    for reason in ["asked", "apply-failed"] {
        assert_eq!(start("reverted", reason), "");
    }
}

#[test]
fn keeping_too_early_leaves_the_trial_running() {
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    session.keys("k y");
    session.send(Msg::Confirmed(Err(Error::failed("too early"))));
    assert!(session.model.trial().is_some() && session.model.task.is_none());
}

#[test]
fn reverting_asks_nothing() {
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    assert_eq!(session.keys("r"), [Effect::Revert(fixture::TRIAL.into())]);
    assert_eq!(session.keys("r k m"), []);
    session.send(Msg::Reverted(Ok(())));
    assert!(session.model.trial().is_none());
    assert!(session.notice().starts_with("Reverted"));
}

#[test]
fn a_minute_more() {
    let mut session = Session::on(SIZE, fixture::on_trial(20));
    assert_eq!(session.keys("m"), [Effect::Extend(fixture::TRIAL.into())]);
    session.send(Msg::Extended(Ok(fixture::trial(80))));
    assert_eq!(session.model.seconds_left(), Some(80));
}

#[test]
fn every_second_the_status_is_asked_for_once() {
    let mut session = Session::on(SIZE, fixture::on_trial(20));
    let second = Duration::from_secs(1);
    assert_eq!(session.send(Msg::Tick(NOW + second)), [Effect::AskStatus]);
    assert_eq!(session.model.seconds_left(), Some(19));
    assert_eq!(session.send(Msg::Tick(NOW + 2 * second)), []);
    session.send(Msg::Status(Box::new(fixture::on_trial(20).status)));
    assert_eq!(session.send(Msg::Tick(NOW + 3 * second)), [Effect::AskStatus]);
}

#[test]
fn the_end_of_a_trial_is_told() {
    let ended = |outcome: &str, reason: Option<&str>| {
        let mut session = Session::on(SIZE, fixture::decided());
        session.keys("a y");
        session.send(Msg::Applied(Ok(fixture::started(1))));
        session.keys("k");
        session.send(Msg::Extended(Ok(fixture::trial(1))));
        let status = Status {
            state: State::Confirmed,
            last: Some(Last {
                id: fixture::TRIAL.into(),
                outcome: outcome.into(),
                reason: reason.map(|_| "deadline".into()),
                why: reason.map(Into::into),
                began: "2026-11-22T14:01:00Z".into(),
                at: "2026-11-22T14:02:00Z".into(),
            }),
            ..Status::default()
        };
        let effects = session.send(Msg::Status(Box::new(status)));
        assert_eq!(effects, [Effect::Look(Depth::Complete)]);
        session
    };
    let session = ended("reverted", Some("nobody confirmed in time"));
    let [Popup::Outcome(outcome)] = session.model.popups.as_slice() else {
        panic!("{:?}", session.model.popups);
    };
    assert!(outcome.title.starts_with("Time ran out"));
    assert_eq!(session.notice(), "");
    let session = ended("confirmed", None);
    assert!(session.model.popups.is_empty() && session.notice().starts_with("Kept"));
}

#[test]
fn leaving_during_a_trial_asks() {
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    assert_eq!(session.keys("q"), []);
    assert_eq!(session.keys("esc q y"), [Effect::Quit]);
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    assert_eq!(session.keys("ctrl-c"), []);
    assert_eq!(session.keys("ctrl-c"), [Effect::Quit]);
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    assert_eq!(session.keys("q r"), [Effect::Revert(fixture::TRIAL.into())]);
    assert_eq!(session.send(Msg::Reverted(Ok(()))), [Effect::Quit]);
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    session.keys("q r");
    session.send(Msg::Reverted(Err(Error::new(
        Kind::Failed,
        "the guard does not answer",
    ))));
    assert!(matches!(session.model.popups.as_slice(), [Popup::Message(_)]));
}
