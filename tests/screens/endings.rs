//! What is said of the rules on trial where they are to be kept, are kept or reverted, or nobody answers.

use std::time::Duration;

use fwtui::app::{Last, Observation, State, Status};
use fwtui::core::policy::{Decision, Policy};
use fwtui::tui::{Effect, Msg};

use crate::Session;
use crate::fixture::{self, NOW, decide};
use crate::sessions::{SIZE, select};
use crate::snapshot::{draw, text};

/// A status that tells how the trial ended.
fn ended(outcome: &str, state: State) -> Msg {
    Msg::Status(Box::new(Status {
        state,
        last: Some(Last {
            id: fixture::TRIAL.into(),
            outcome: outcome.into(),
            reason: (outcome == "reverted").then(|| "asked".into()),
            why: None,
            began: "2026-11-22T14:01:00Z".into(),
            at: "2026-11-22T14:02:00Z".into(),
        }),
        ..Status::default()
    }))
}

/// The screens with a trial of taking everything out.
fn of_off() -> Observation {
    let mut observation = fixture::on_trial(60);
    observation.on_trial.as_mut().unwrap().after = None;
    observation.filter = Some(fixture::in_force(&Policy::default()));
    observation
}

fn shown(session: &Session) -> String {
    text(&draw(&session.model))
}

#[test]
fn a_guard_that_does_not_answer_ends_no_trial() {
    let silent = || {
        let status = Status {
            state: State::Unknown,
            drift: Some("a trial may be running: the guard does not answer".into()),
            is_guard_silent: true,
            ..Status::default()
        };
        Msg::Status(Box::new(status))
    };
    let mut session = Session::on(SIZE, fixture::on_trial(20));
    session.send(silent());
    assert_eq!(session.model.trial().unwrap().id, fixture::TRIAL);
    assert!(session.model.popups.is_empty());
    // A guard that reverts against resistance is silent for longer than the trial lasts.
    session.send(Msg::Tick(NOW + Duration::from_secs(50)));
    session.send(silent());
    assert!(session.model.trial().is_some());
    session.send(ended("reverted", State::Confirmed));
    assert!(session.model.trial().is_none());
    assert!(
        session.notice().starts_with("Reverted elsewhere"),
        "{}",
        session.notice()
    );
    // It is not waited for without end.
    let mut session = Session::on(SIZE, fixture::on_trial(20));
    session.send(Msg::Tick(NOW + Duration::from_secs(90)));
    session.send(silent());
    assert!(session.model.trial().is_none());
    assert!(
        shown(&session).contains("How it ended is not known"),
        "{}",
        shown(&session)
    );
}

#[test]
fn the_ways_in_that_the_rules_on_trial_refuse_are_told_whatever_is_decided_since() {
    let locks_out = "Your own way in, 22/tcp, is refused by them";
    let asked = |tried: Decision, since: char| {
        let mut observation = fixture::on_trial(60);
        observation.ways_in = vec![fixture::ssh()];
        decide(&mut observation.policy, "22/tcp", tried, &[]);
        observation.on_trial.as_mut().unwrap().after = Some(observation.policy.clone());
        let mut session = Session::on(SIZE, observation);
        select(&mut session, "22/tcp");
        session.keys(&format!("{since} k"));
        shown(&session)
    };
    let said = asked(Decision::Confine, 'o');
    assert!(said.contains(locks_out) && said.contains("Decided since"), "{said}");
    let said = asked(Decision::Open, 'c');
    assert!(!said.contains(locks_out) && said.contains("Decided since"), "{said}");
    let mut off = of_off();
    off.ways_in = vec![fixture::ssh()];
    decide(&mut off.policy, "22/tcp", Decision::Confine, &[]);
    let mut session = Session::on(SIZE, off);
    session.keys("k");
    assert!(!shown(&session).contains(locks_out), "{}", shown(&session));
}

#[test]
fn keeping_that_everything_is_out_says_so() {
    let mut session = Session::on(SIZE, of_off());
    session.keys("k");
    let said = shown(&session);
    assert!(
        said.contains("fwtui's rules stay out") && !said.contains("come back after a reboot"),
        "{said}"
    );
    session.keys("y");
    session.send(Msg::Confirmed(Ok(None)));
    assert_eq!(
        session.notice(),
        "Kept. fwtui's rules are gone, and none are loaded at boot."
    );
    assert_eq!(session.model.observation.status.state, State::Off);
    let mut session = Session::on(SIZE, of_off());
    session.send(ended("confirmed", State::Off));
    assert!(
        session.notice().starts_with("Kept elsewhere. fwtui's rules are gone"),
        "{}",
        session.notice()
    );
}

#[test]
fn what_was_kept_is_in_force_before_the_next_look() {
    let is_kept: [&dyn Fn(&mut Session); 2] = [
        &|session| {
            session.keys("k y");
            session.send(Msg::Confirmed(Ok(None)));
        },
        &|session| {
            session.send(ended("confirmed", State::Confirmed));
        },
    ];
    for keep in is_kept {
        let mut session = Session::on(SIZE, fixture::on_trial(60));
        keep(&mut session);
        assert_eq!(session.model.is_in_force(), Some(true));
        // What is taken back now is to be applied.
        select(&mut session, "22/tcp");
        session.keys("c");
        assert_eq!(session.notice(), "22/tcp: confine. Waits for an apply.");
    }
    let mut session = Session::on(SIZE, fixture::on_trial(60));
    session.send(ended("reverted", State::Confirmed));
    assert_eq!(session.model.is_in_force(), Some(false));
}

#[test]
fn what_reverting_leaves_to_be_applied_is_told_alike() {
    for how in ["Reverted", "Reverted elsewhere"] {
        let said = |observation: Observation| {
            let mut session = Session::on(SIZE, observation);
            if how == "Reverted" {
                session.keys("r");
                session.send(Msg::Reverted(Ok(())));
            } else {
                session.send(ended("reverted", State::Confirmed));
            }
            session.notice().to_owned()
        };
        let back = format!("{how}: the old rules are back.");
        assert_eq!(
            said(fixture::on_trial(60)),
            format!("{back} Your decisions are kept and wait for an apply.")
        );
        let mut off = of_off();
        off.policy = off.confirmed.clone().unwrap();
        assert_eq!(said(off), format!("{back} Nothing waits for an apply."));
    }
}

#[test]
fn undo_says_what_waits_after_it() {
    let mut session = Session::on(SIZE, fixture::fresh());
    select(&mut session, "22/tcp");
    session.keys("o u");
    assert_eq!(session.notice(), "Taken back: 22/tcp open. Nothing waits for an apply.");
    let mut observation = fixture::decided();
    observation.confirmed = Some(observation.policy.clone());
    let mut session = Session::on(SIZE, observation.clone());
    select(&mut session, "22/tcp");
    session.keys("c");
    // It is applied and kept: now taking it back is what waits.
    let confined = session.model.wanted().clone();
    (observation.policy, observation.confirmed) = (confined.clone(), Some(confined));
    session.send(Msg::Saved(Box::new(observation.policy.clone()), Ok(())));
    session.send(Msg::Seen(fwtui::tui::Depth::Complete, Box::new(observation)));
    let effects = session.keys("u");
    assert_eq!(session.notice(), "Taken back: 22/tcp confine. Waits for an apply.");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Save { .. })));
}

#[test]
fn rules_that_were_changed_are_not_kept_without_proof_either() {
    let mut session = Session::on(SIZE, fixture::on_trial_over_ssh(60, &[]));
    session.keys("k y");
    session.send(crate::trials::unproven());
    let mut status = fixture::on_trial_over_ssh(60, &[]).status;
    status.drift = Some("IPv4: fwtui's rules are gone from the kernel".into());
    session.send(Msg::Status(Box::new(status)));
    let said = shown(&session);
    assert!(
        said.contains("can't be kept") && !said.contains("to keep the new rules all the same"),
        "{said}"
    );
    assert_eq!(session.keys("y"), []);
}
