//! What keys and news do.

use std::time::Duration;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use fwtui::app::{Error, Kind, Last, Observation, Rehearsal, State, Status};
use fwtui::core::network::NetworkClass;
use fwtui::core::policy::{Decision, Logging, Policy, Refusal};
use fwtui::tui::model::{Pane, RulesView};
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{ApplyRequest, Depth, Effect, Msg, Restored};

use crate::Session;
use crate::fixture::{self, NOW, decide};

const SIZE: (u16, u16) = (80, 24);

fn decision(session: &Session, id: &str) -> Decision {
    session.model.policy.decision_for(&id.parse().unwrap())
}

fn saved(effects: &[Effect]) -> Option<&Policy> {
    effects.iter().find_map(|effect| match effect {
        Effect::Save { wanted, .. } => Some(wanted.as_ref()),
        _ => None,
    })
}

/// Moves the cursor to a service.
fn select(session: &mut Session, id: &str) {
    session.keys("home");
    for _ in 0..session.model.services.len() {
        if session.model.services.selected().unwrap().service.id.to_string() == id {
            return;
        }
        session.keys("down");
    }
    panic!("{id} is not in the list");
}

#[test]
fn a_decision_is_saved_at_once_and_can_be_taken_back() {
    let mut session = Session::on(SIZE, fixture::fresh());
    select(&mut session, "5432/tcp");
    let effects = session.keys("c");
    assert_eq!(decision(&session, "5432/tcp"), Decision::Confine);
    assert_eq!(saved(&effects), Some(&session.model.policy));
    session.keys("t o");
    assert_eq!(decision(&session, "5432/tcp"), Decision::Open);
    session.keys("u");
    assert_eq!(decision(&session, "5432/tcp"), Decision::Trusted);
    let effects = session.keys("-");
    assert_eq!(decision(&session, "5432/tcp"), Decision::Undecided);
    assert_eq!(saved(&effects), Some(&Policy::default()));
    session.keys("u u u");
    assert_eq!(session.model.policy, Policy::default());
    assert!(session.keys("u").is_empty());
    assert_eq!(session.notice(), "Nothing to undo.");
}

#[test]
fn the_same_decision_again_saves_nothing() {
    let mut session = Session::on(SIZE, fixture::decided());
    select(&mut session, "22/tcp");
    assert_eq!(session.keys("o"), []);
}

#[test]
fn marked_rows_are_decided_together_and_undone_together() {
    let mut session = Session::on(SIZE, fixture::fresh());
    select(&mut session, "80/tcp");
    session.keys("space space");
    assert_eq!(session.model.services.marked(), 2);
    let effects = session.keys("c");
    assert_eq!(effects.len(), 1);
    assert_eq!(decision(&session, "80/tcp"), Decision::Confine);
    assert_eq!(decision(&session, "111/tcp"), Decision::Confine);
    assert_eq!(session.model.services.marked(), 0);
    session.keys("u");
    assert_eq!(session.model.policy, Policy::default());
}

#[test]
fn without_root_keys_that_edit_say_how() {
    let mut session = Session::on(SIZE, fixture::without_root());
    for keys in ["c", "t", "o", "f", "u", "a", "2 enter", "2 +", "p x", "p l", "p O"] {
        let effects = session.keys(keys);
        assert_eq!(effects, [], "{keys}");
        assert!(session.notice().contains("sudo fwtui"), "{keys}: {}", session.notice());
        assert!(session.model.popups.is_empty(), "{keys}");
        session.keys("1");
    }
}

#[test]
fn a_broken_policy_is_not_overwritten() {
    let mut observation = fixture::decided();
    observation.policy_error = Some("line 3, column 1: truncated".into());
    let mut session = Session::on(SIZE, observation);
    assert_eq!(session.keys("c"), []);
    assert!(session.notice().contains("mended"), "{}", session.notice());
}

#[test]
fn a_save_that_fails_is_not_shown_as_done() {
    let mut session = Session::on(SIZE, fixture::decided());
    select(&mut session, "22/tcp");
    session.keys("c");
    let policy = Box::new(session.model.policy.clone());
    session.send(Msg::Saved(policy, Err(Error::failed("no space left on device"))));
    assert_eq!(decision(&session, "22/tcp"), Decision::Open);
    assert!(matches!(session.model.popups.as_slice(), [Popup::Message(_)]));
}

#[test]
fn what_is_read_back_before_the_save_is_done_does_not_undo_the_edit() {
    let mut session = Session::on(SIZE, fixture::fresh());
    select(&mut session, "22/tcp");
    session.keys("o");
    session.send(Msg::Seen(Depth::Complete, Box::new(fixture::fresh())));
    assert_eq!(decision(&session, "22/tcp"), Decision::Open);
    let policy = Box::new(session.model.policy.clone());
    session.send(Msg::Saved(policy, Ok(())));
    session.send(Msg::Seen(Depth::Complete, Box::new(fixture::fresh())));
    assert_eq!(decision(&session, "22/tcp"), Decision::Undecided);
    assert!(session.notice().contains("changed elsewhere"));
}

#[test]
fn a_shallow_look_does_not_take_the_owners_away() {
    let mut session = Session::on(SIZE, fixture::decided());
    let mut shallow = fixture::decided();
    shallow
        .services
        .iter_mut()
        .for_each(|service| std::sync::Arc::make_mut(service).owners.clear());
    session.send(Msg::Seen(Depth::Sockets, Box::new(shallow)));
    assert!(!session.model.observation.services[0].owners.is_empty());
}

#[test]
fn the_cursor_stays_on_its_service() {
    let mut session = Session::on(SIZE, fixture::fresh());
    select(&mut session, "5432/tcp");
    let mut later = fixture::fresh();
    later.services.remove(0);
    session.send(Msg::Seen(Depth::Complete, Box::new(later)));
    session.keys("s");
    assert_eq!(
        session.model.services.selected().unwrap().service.id.to_string(),
        "5432/tcp"
    );
}

#[test]
fn the_filter_works_while_it_is_typed() {
    let mut session = Session::on(SIZE, fixture::decided());
    let all = session.model.services.len();
    session.keys("/");
    session.text("POST");
    assert_eq!(session.model.services.len(), 1);
    session.keys("esc");
    assert_eq!(session.model.services.len(), all);
    session.keys("/");
    session.text("udp avahi");
    session.keys("enter");
    assert!(session.model.popups.is_empty());
    assert_eq!(session.model.services.len(), 1);
    session.keys("c");
    assert_eq!(decision(&session, "5353/udp"), Decision::Confine);
    session.keys("esc esc");
    assert_eq!(session.model.services.len(), all);
}

#[test]
fn sources_are_checked_as_they_are_typed() {
    let mut session = Session::on(SIZE, fixture::decided());
    select(&mut session, "22/tcp");
    session.keys("f");
    session.text("192.0.2.0/24, nonsense");
    assert_eq!(session.keys("enter"), []);
    for _ in 0.."nonsense".len() {
        session.keys("backspace");
    }
    session.text("2001:db8::7");
    let effects = session.keys("enter");
    let policy = saved(&effects).unwrap();
    let from: Vec<String> = policy.services[&"22/tcp".parse().unwrap()]
        .from
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(from, ["192.0.2.0/24", "2001:db8::7/128"]);
}

#[test]
fn networks_are_given_a_class() {
    let mut session = Session::on(SIZE, fixture::fresh());
    let class = |session: &Session| session.model.policy.networks.interfaces.get("eth0").copied();
    session.keys("2");
    for expected in [NetworkClass::Trusted, NetworkClass::Guests, NetworkClass::Public] {
        assert!(saved(&session.keys("enter")).is_some());
        assert_eq!(class(&session), Some(expected));
    }
    session.keys("end");
    assert_eq!(session.keys("enter"), []);
    assert!(session.notice().contains("Loopback"));
}

#[test]
fn networks_are_trusted_by_hand_and_no_longer() {
    let mut session = Session::on(SIZE, fixture::fresh());
    session.keys("2 +");
    session.text("198.51.100.77/24");
    session.keys("enter");
    assert_eq!(
        session.model.policy.networks.trusted_sources,
        ["198.51.100.0/24".parse().unwrap()]
    );
    session.keys("end delete");
    assert!(session.model.policy.networks.trusted_sources.is_empty());
}

#[test]
fn refusal_and_logging_are_switched_on_the_preview() {
    let mut session = Session::on(SIZE, fixture::fresh());
    session.keys("p x l");
    assert_eq!(session.model.policy.refusal, Refusal::Drop);
    assert_eq!(session.model.policy.logging, Logging::Kernel);
    session.keys("l l x");
    assert_eq!(session.model.policy, Policy::default());
}

#[test]
fn the_preview_scrolls_each_side_by_itself() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("p v right pgdn");
    assert_eq!(session.model.preview.pane, Pane::Rules);
    assert!(session.model.preview.rules_top > 0);
    assert_eq!(session.model.preview.words_top, 0);
    session.keys("v");
    assert_eq!(
        session.model.preview.view,
        RulesView::Full(fwtui::core::listener::Family::Ipv6)
    );
    assert_eq!(session.model.preview.rules_top, 0);
}

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

fn unproven() -> Msg {
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
        last.why = Some("in words".into());
        for depth in [Depth::Sockets, Depth::Owners, Depth::Complete] {
            session.send(Msg::Seen(depth, Box::new(observation.clone())));
        }
        let told = session.notice().to_owned();
        session.keys("down");
        session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
        assert_eq!(session.notice(), "", "once");
        told
    };
    for (outcome, reason) in [
        ("reverted", "guard-died"),
        ("reverted", "reboot"),
        ("reverted", "signal"),
        ("revert-failed", "deadline"),
    ] {
        let told = start(outcome, reason);
        assert!(
            told.starts_with("The trial of 14:01") && told.contains("in words"),
            "{told}"
        );
    }
    for reason in ["asked", "deadline", "apply-failed"] {
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
    let [Popup::Message(message)] = session.model.popups.as_slice() else {
        panic!("{:?}", session.model.popups);
    };
    assert!(message.text[0].contains("nobody confirmed in time"));
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

#[test]
fn leaving_otherwise_does_not_ask() {
    assert_eq!(Session::on(SIZE, fixture::decided()).keys("q"), [Effect::Quit]);
    assert_eq!(Session::on(SIZE, fixture::decided()).keys("ctrl-c"), [Effect::Quit]);
    assert_eq!(Session::unseen(SIZE).keys("q"), [Effect::Quit]);
}

#[test]
fn refreshing_looks_and_draws_anew() {
    let mut session = Session::on(SIZE, fixture::decided());
    for keys in ["f5", "ctrl-l", "? f5"] {
        assert_eq!(session.keys(keys), [Effect::Redraw, Effect::Look(Depth::Complete)]);
    }
}

#[test]
fn the_mouse_selects_and_scrolls() {
    let mut session = Session::on(SIZE, fixture::decided());
    let mut mouse = |kind, column, row| {
        let modifiers = KeyModifiers::NONE;
        session.send(Msg::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers,
        }));
        (session.model.screen, session.model.services.list.cursor)
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    assert_eq!(mouse(click, 5, 7), (ScreenId::Services, 3));
    assert_eq!(mouse(MouseEventKind::ScrollDown, 5, 7), (ScreenId::Services, 6));
    assert_eq!(mouse(click, 17, 1), (ScreenId::Networks, 6));
    assert_eq!(mouse(click, 31, 1), (ScreenId::Preview, 6));
    assert_eq!(mouse(click, 79, 23), (ScreenId::Preview, 6));
}

#[test]
fn screens_follow_each_other() {
    let mut session = Session::on(SIZE, fixture::decided());
    for expected in [ScreenId::Networks, ScreenId::Preview, ScreenId::Services] {
        session.keys("tab");
        assert_eq!(session.model.screen, expected);
    }
}

#[test]
fn a_book_pasted_into_a_line_does_no_harm() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("f");
    session.text(&"0123456789".repeat(10_000));
    assert!(matches!(session.model.popups.as_slice(), [Popup::Entry(entry)] if entry.text.len() <= 500));
}

/// The services that are knocked at.
fn knocked(effects: &[Effect]) -> Vec<String> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Knock(id) => Some(id.to_string()),
        _ => None,
    });
    ids.collect()
}

#[test]
fn in_the_sandbox_the_neighbours_knock_where_the_cursor_rests() {
    let mut session = Session::unseen(SIZE);
    session.model.neighbours.are_there = true;
    let look = |observation| Msg::Seen(Depth::Complete, Box::new(observation));
    let answer = |id: &str| Msg::Knocked(id.parse().unwrap(), Some(Vec::new()));
    assert_eq!(knocked(&session.send(look(fixture::decided()))), ["22/tcp"]);
    // One at a time; then the newest, not those passed on the way.
    assert!(knocked(&session.keys("down down down")).is_empty());
    let selected = session.model.services.selected().unwrap().service.id.to_string();
    assert_eq!(knocked(&session.send(answer("22/tcp"))), [selected.as_str()]);
    assert!(knocked(&session.send(answer(&selected))).is_empty());
    assert!(knocked(&session.keys("c")).is_empty(), "nothing is in force yet");
    // The rules change while a knock is under way: what it brings is of no use.
    assert_eq!(knocked(&session.keys("home")), ["22/tcp"]);
    session.send(Msg::Applied(Ok(fixture::started(90))));
    assert_eq!(knocked(&session.send(answer("22/tcp"))), ["22/tcp"]);
    session.send(answer("22/tcp"));
    assert_eq!(knocked(&session.send(Msg::Reverted(Ok(())))), ["22/tcp"]);
    session.send(answer("22/tcp"));
    assert_eq!(knocked(&session.send(look(fixture::decided()))), ["22/tcp"]);
}

#[test]
fn outside_the_sandbox_nobody_knocks() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("down down up p 1 f5");
    session.send(Msg::Applied(Ok(fixture::started(90))));
    session.send(Msg::Reverted(Ok(())));
    assert!(knocked(&session.effects).is_empty());
}
