//! The question before an apply, and what comes of it.

use std::time::Duration;

use fwtui::app::{Error, Rehearsal};
use fwtui::core::policy::Decision;
use fwtui::tui::popups::Popup;
use fwtui::tui::{ApplyRequest, Depth, Effect, Msg};

use crate::Session;
use crate::fixture::{self, decide};
use crate::sessions::SIZE;

#[test]
fn applying_asks_and_then_starts_a_trial() {
    let mut session = Session::on(SIZE, fixture::decided());
    assert_eq!(session.keys("a + + -"), [Effect::Look(Depth::Complete)]);
    let effects = session.keys("y");
    let request = ApplyRequest {
        previewed: session.model.policy.clone(),
        is_off: false,
        timeout: Duration::from_secs(120),
        replace: false,
        accepted_lockouts: Vec::new(),
        end_connections: false,
        rehearse: true,
    };
    assert_eq!(effects, [Effect::Apply(request)]);
    assert_eq!(session.keys("a"), []);
    assert!(session.model.popups.is_empty());
    let effects = session.send(Msg::Applied(Ok(fixture::started(120))));
    assert_eq!(effects, [Effect::Look(Depth::Complete)]);
    assert_eq!(session.model.seconds_left(), Some(120));
}

#[test]
fn running_connections_are_ended_only_if_one_says_so() {
    let asked = |observation, keys| {
        let mut session = Session::on(SIZE, observation);
        let effects = session.keys(keys);
        let [Effect::Look(_), Effect::Apply(request)] = effects.as_slice() else {
            panic!("{keys}: {effects:?}");
        };
        request.end_connections
    };
    assert!(!asked(fixture::busy(), "a y"));
    assert!(asked(fixture::busy(), "a e y"));
    assert!(!asked(fixture::busy(), "a e e y"));
    // There are none.
    assert!(!asked(fixture::decided(), "a e y"));
}

#[test]
fn the_question_counts_connections_again_while_it_is_open() {
    let mut session = Session::on(SIZE, fixture::busy());
    session.keys("a e");
    let mut fewer = fixture::busy();
    fewer.running.truncate(3);
    session.send(Msg::Seen(Depth::Complete, Box::new(fewer)));
    let Some(Popup::Apply(apply)) = session.model.popups.last() else {
        panic!("the question is still asked");
    };
    assert_eq!(apply.plan.count_going_on(), 1);
    assert!(apply.request().unwrap().end_connections);
    let mut none = fixture::busy();
    none.running.clear();
    session.send(Msg::Seen(Depth::Complete, Box::new(none)));
    let effects = session.keys("y");
    let [Effect::Apply(request)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert!(!request.end_connections, "there is nothing left to end");
}

#[test]
fn what_is_in_force_is_applied_again_for_what_it_would_end() {
    let mut observation = fixture::decided();
    observation.policy = fixture::confirmed_policy();
    observation.running = fixture::busy().running;
    let mut session = Session::on(SIZE, observation);
    session.keys("a");
    assert!(matches!(session.model.popups.last(), Some(Popup::Apply(_))));
}

#[test]
fn what_could_not_be_rehearsed_is_told() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("a y");
    let mut started = fixture::started(90);
    let not_held = Some("ip is not installed".to_owned());
    started.rehearsal = Some(Rehearsal {
        not_held,
        ..Rehearsal::default()
    });
    session.send(Msg::Applied(Ok(started)));
    assert_eq!(
        session.notice(),
        "The new rules are in force. Not rehearsed: ip is not installed."
    );
}

#[test]
fn warnings_need_more_than_enter() {
    let mut observation = fixture::decided();
    observation.status.other_backend = Some("iptables-legacy".into());
    let mut session = Session::on(SIZE, observation);
    assert_eq!(session.keys("a enter"), [Effect::Look(Depth::Complete)]);
    assert!(matches!(session.keys("y").as_slice(), [Effect::Apply(_)]));
}

#[test]
fn a_lockout_needs_its_service_typed_out() {
    let mut observation = fixture::decided();
    decide(&mut observation.policy, "22/tcp", Decision::Confine, &[]);
    let mut session = Session::on(SIZE, observation);
    session.keys("a");
    // y is a letter of the word here, not an answer.
    assert_eq!(session.keys("y enter"), []);
    session.text("22/tcp");
    session.keys("enter");
    assert_eq!(session.keys("enter"), []);
    let effects = session.keys("y");
    let [Effect::Apply(request)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(request.accepted_lockouts, ["22/tcp".parse().unwrap()]);
}

#[test]
fn what_is_in_force_is_not_applied_again() {
    let mut observation = fixture::decided();
    observation.policy = fixture::confirmed_policy();
    let mut session = Session::on(SIZE, observation);
    assert_eq!(session.keys("a"), []);
    assert!(session.notice().starts_with("Nothing to apply"));
    session.keys("p O");
    assert!(matches!(session.keys("y").as_slice(), [Effect::Apply(request)] if request.is_off));
}

#[test]
fn an_apply_that_fails_says_why_and_what_next() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("a y");
    session.send(Msg::Applied(Err(Error::failed("no").hint("Try this."))));
    assert!(
        matches!(session.model.popups.as_slice(), [Popup::Message(message)] if message.text == ["No.", "Try this."])
    );
    session.keys("enter");
    assert!(session.model.popups.is_empty() && session.model.task.is_none());
}
