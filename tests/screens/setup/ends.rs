//! How the setup ends: kept, reverted, refused.

use fwtui::app::{Error, Last, Observation, Started, State};
use fwtui::core::policy::{Decision, Entry, Policy};
use fwtui::core::setup::Step;
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{Depth, Effect, Msg, Start};

use super::elsewhere::shows;
use super::{begun, step};
use crate::Session;
use crate::fixture;
use crate::sessions::saved;

/// The machine with what the setup made on trial.
fn on_trial(policy: &Policy) -> Observation {
    let mut observation = fixture::fresh();
    observation.policy = policy.clone();
    observation.filter = Some(fixture::in_force(policy));
    observation.status.state = State::Trial;
    observation.status.trial = Some(fixture::trial(80));
    observation
}

/// All recommendations, on trial.
pub(super) fn applied(session: &mut Session) -> Policy {
    session.keys("A enter enter");
    let effects = session.keys("y");
    let wanted = saved(&effects).cloned().unwrap();
    session.send(Msg::Saved(Box::new(wanted.clone()), Ok(())));
    let started = Started {
        trial: fixture::trial(90),
        rehearsal: None,
        ..fixture::started(90)
    };
    session.send(Msg::Applied(Ok(started)));
    session.send(Msg::Seen(Depth::Complete, Box::new(on_trial(&wanted))));
    wanted
}

#[test]
fn applying_saves_first() {
    let mut session = begun(fixture::fresh());
    session.keys("A enter enter");
    let effects = session.keys("y");
    let [Effect::Save { before, wanted }, Effect::Apply(request)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(**before, Policy::default());
    assert_eq!(**wanted, request.previewed);
    assert_eq!(wanted.decision_for(&"22/tcp".parse().unwrap()), Decision::Open);
    let before = session
        .effects
        .iter()
        .take_while(|effect| !matches!(effect, Effect::Save { .. }));
    assert!(!before.clone().any(|effect| matches!(effect, Effect::Apply(_))));
}

#[test]
fn keeping_ends_it() {
    let mut session = begun(fixture::fresh());
    let wanted = applied(&mut session);
    // Only the trial's keys hold meanwhile.
    let effects = session.keys("o enter left A x space");
    assert!(effects.is_empty() && session.model.policy == wanted, "{effects:?}");
    session.keys("k y");
    let effects = session.send(Msg::Confirmed(Ok(None)));
    assert!(effects.contains(&Effect::ForgetAnswers), "{effects:?}");
    assert!(session.model.setup.as_ref().unwrap().is_done);
    let mut kept = on_trial(&wanted);
    kept.status.trial = None;
    kept.status.state = State::Confirmed;
    kept.confirmed = Some(wanted.clone());
    session.send(Msg::Seen(Depth::Complete, Box::new(kept.clone())));
    assert!(session.model.setup.is_some());
    shows(&session, "Everyone can connect to sshd 22/tcp");
    // What was decided elsewhere since the trial began does not hold, and is not told as if it did.
    let mut decided = wanted.clone();
    let entry = Entry {
        decision: Decision::Confine,
        from: Vec::new(),
    };
    decided.decide("22/tcp".parse().unwrap(), entry).unwrap();
    let elsewhere = Observation {
        policy: decided,
        netfilter: fixture::kernel(&wanted),
        ..kept.clone()
    };
    session.send(Msg::Seen(Depth::Complete, Box::new(elsewhere)));
    shows(
        &session,
        "What was decided since the trial began was not on trial: it waits for an apply.",
    );
    shows(&session, "Everyone can connect to sshd 22/tcp");
    session.send(Msg::Seen(Depth::Complete, Box::new(kept)));
    session.keys("enter");
    assert!(session.model.setup.is_none() && session.model.screen == ScreenId::Services);
    assert_eq!(session.model.policy, wanted);
    assert!(!session.model.has_pending());
}

#[test]
fn keeping_from_elsewhere_ends_it_too() {
    let mut session = begun(fixture::fresh());
    let wanted = applied(&mut session);
    let mut kept = on_trial(&wanted);
    kept.status.trial = None;
    kept.status.state = State::Confirmed;
    kept.status.last = Some(last("confirmed", None));
    let effects = session.send(Msg::Status(Box::new(kept.status)));
    assert!(effects.contains(&Effect::ForgetAnswers), "{effects:?}");
    assert!(session.model.setup.as_ref().unwrap().is_done);
    assert_eq!(session.keys("q"), [Effect::Quit]);
}

fn last(outcome: &str, why: Option<&str>) -> Last {
    Last {
        id: fixture::TRIAL.into(),
        outcome: outcome.into(),
        reason: why.map(|_| "deadline".into()),
        why: why.map(str::to_owned),
        began: "2026-11-20T14:01:00Z".into(),
        at: "2026-11-20T14:02:00Z".into(),
    }
}

#[test]
fn reverting_goes_back_to_the_summary() {
    let mut session = begun(fixture::fresh());
    let wanted = applied(&mut session);
    session.keys("r");
    let effects = session.send(Msg::Reverted(Ok(())));
    assert!(!effects.contains(&Effect::ForgetAnswers));
    assert_eq!(step(&session), Step::Summary);
    let told = session.model.setup.as_ref().unwrap().told.clone().unwrap();
    assert!(told.contains("the old rules are back"), "{told}");
    assert_eq!(session.model.policy, wanted);
    // Changed, and applied again.
    let mut reverted = fixture::fresh();
    reverted.policy = wanted.clone();
    session.send(Msg::Seen(Depth::Complete, Box::new(reverted)));
    session.keys("left left");
    super::select(&mut session, "80/tcp");
    session.keys("o enter enter enter enter");
    let effects = session.keys("y");
    let [Effect::Save { before, .. }, Effect::Apply(_)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(**before, wanted);
}

#[test]
fn what_is_saved_already_is_not_saved_again() {
    let mut session = begun(fixture::fresh());
    let wanted = applied(&mut session);
    session.keys("r");
    session.send(Msg::Reverted(Ok(())));
    let mut reverted = fixture::fresh();
    reverted.policy = wanted;
    session.send(Msg::Seen(Depth::Complete, Box::new(reverted)));
    session.keys("enter enter");
    let effects = session.keys("y");
    assert!(matches!(effects.as_slice(), [Effect::Apply(_)]), "{effects:?}");
}

#[test]
fn a_deadline_that_passes_goes_back_to_the_summary() {
    let mut session = begun(fixture::fresh());
    applied(&mut session);
    let mut status = fixture::fresh().status;
    status.last = Some(last("reverted", Some("nobody kept it in time")));
    session.send(Msg::Status(Box::new(status)));
    assert_eq!(step(&session), Step::Summary);
    let told = session.model.setup.as_ref().unwrap().told.clone().unwrap();
    assert!(told.contains("nobody kept it in time"), "{told}");
    session.keys("esc");
    assert!(session.model.popups.is_empty() && session.model.setup.is_some());
}

#[test]
fn what_could_not_be_applied_stays_to_be_changed() {
    let mut session = begun(fixture::fresh());
    session.keys("A enter enter");
    session.keys("y");
    let policy = session.model.policy.clone();
    session.send(Msg::Saved(
        Box::new(policy.clone()),
        Err(Error::failed("no space left on device")),
    ));
    session.send(Msg::Applied(Err(Error::failed("the policy is another one by now"))));
    assert!(
        session
            .model
            .popups
            .iter()
            .all(|popup| matches!(popup, Popup::Message(_)))
    );
    session.keys("esc esc");
    assert_eq!(step(&session), Step::Preview);
    assert_eq!(session.model.policy, policy);
    let effects = {
        session.keys("enter");
        session.keys("y")
    };
    assert!(
        matches!(effects.as_slice(), [Effect::Save { .. }, Effect::Apply(_)]),
        "{effects:?}"
    );
}

#[test]
fn quitting_during_the_trial_asks_as_ever() {
    let mut session = begun(fixture::fresh());
    applied(&mut session);
    session.keys("q");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Leave]));
    assert_eq!(session.keys("y"), [Effect::Quit]);
}

#[test]
fn leaving_after_a_revert_says_what_is_saved() {
    let mut session = begun(fixture::fresh());
    let wanted = applied(&mut session);
    session.keys("r");
    session.send(Msg::Reverted(Ok(())));
    let mut reverted = fixture::fresh();
    reverted.policy = wanted.clone();
    session.send(Msg::Seen(Depth::Complete, Box::new(reverted)));
    session.keys("q s");
    assert!(session.model.setup.is_none());
    assert_eq!(session.model.policy, wanted);
    assert!(session.notice().contains("waits for an apply"), "{}", session.notice());
}

#[test]
fn where_it_all_holds_already_it_is_done() {
    let mut session = begun(fixture::fresh());
    session.keys("A");
    let wanted = session.model.policy.clone();
    let mut confirmed = on_trial(&wanted);
    confirmed.status.trial = None;
    confirmed.status.state = State::Confirmed;
    confirmed.confirmed = Some(wanted);
    session.send(Msg::Seen(Depth::Complete, Box::new(confirmed)));
    super::go_to(&mut session, Step::Preview);
    let effects = session.keys("enter");
    assert_eq!(effects, [Effect::ForgetAnswers]);
    assert!(session.model.setup.as_ref().unwrap().is_done);
}

#[test]
fn an_answer_that_comes_too_late_does_not_begin_it_anew() {
    let mut session = begun(fixture::fresh());
    session.send(Msg::Seen(Depth::Complete, Box::new(fixture::fresh())));
    session.keys("q s");
    assert!(session.model.setup.is_none());
    let found = Box::new(super::found(&fixture::fresh(), None));
    session.send(Msg::SetupFound { found, is_new: true });
    assert!(session.model.setup.is_none());
}

#[test]
fn what_is_being_applied_is_waited_for() {
    let mut session = begun(fixture::fresh());
    session.keys("A enter enter y");
    let effects = session.keys("q");
    assert!(!effects.contains(&Effect::Quit));
    assert!(session.model.popups.is_empty());
    assert!(session.notice().contains("one moment"), "{}", session.notice());
}

#[test]
fn rules_that_are_not_back_are_not_called_so() {
    let mut session = begun(fixture::fresh());
    let policy = applied(&mut session);
    let mut observation = on_trial(&policy);
    observation.status.trial = None;
    observation.status.last = Some(last("revert-failed", Some("the kernel refused them")));
    session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
    let told = session.model.setup.as_ref().unwrap().told.clone().unwrap();
    assert!(
        !told.contains("are back") && told.contains("the kernel refused them"),
        "{told}"
    );
}

#[test]
fn an_edit_from_before_is_not_taken_back_over_what_was_set_up() {
    let mut session = Session::on((80, 24), fixture::decided());
    session.keys("o");
    let before = session.model.policy.clone();
    session.send(Msg::Saved(Box::new(before), Ok(())));
    session.model.start = Start::Setup;
    let found = Box::new(super::found(&session.model.observation.clone(), None));
    session.send(Msg::SetupFound { found, is_new: false });
    assert!(session.model.setup.is_some());
    session.model.setup.as_mut().unwrap().is_done = true;
    session.keys("enter");
    assert!(session.model.setup.is_none());
    assert!(session.model.why_no_undo().is_some());
}

#[test]
fn a_trial_of_somebody_else_is_not_its_own() {
    let mut session = begun(fixture::fresh());
    session.keys("A");
    let answered = session.model.policy.clone();
    session.send(Msg::Seen(Depth::Complete, Box::new(on_trial(&Policy::default()))));
    let text = crate::snapshot::text(&crate::snapshot::draw(&session.model));
    assert!(text.contains("Somebody else's trial is running"), "{text}");
    assert!(!text.contains("Everyone can connect"), "{text}");
    let mut kept = on_trial(&Policy::default()).status;
    kept.trial = None;
    kept.state = State::Confirmed;
    kept.last = Some(last("confirmed", None));
    let effects = session.send(Msg::Status(Box::new(kept)));
    assert!(!effects.contains(&Effect::ForgetAnswers), "{effects:?}");
    assert!(!session.model.setup.as_ref().unwrap().is_done);
    assert_eq!(step(&session), Step::Summary);
    assert!(session.notice().contains("your answers wait"), "{}", session.notice());
    assert_eq!(session.model.policy, answered);
}
