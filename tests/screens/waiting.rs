//! What takes its time is said, can be stopped, and shows nothing half-wrong meanwhile.

use std::sync::Arc;
use std::time::Duration;

use fwtui::app::Observation;
use fwtui::core::policy::{Decision, Policy};
use fwtui::core::service::Service;
use fwtui::tui::{Depth, Effect, Msg, update};

use crate::{Session, fixture, key, snapshot};

const SIZE: (u16, u16) = (120, 40);

fn shown(session: &Session) -> String {
    snapshot::text(&snapshot::draw(&session.model))
}

fn see(session: &mut Session, depth: Depth, observation: Observation) -> Vec<Effect> {
    session.send(Msg::Looking(depth));
    session.send(Msg::Seen(depth, Box::new(observation)))
}

fn after(session: &mut Session, seconds: u64) {
    session.model.now += Duration::from_secs(seconds);
}

/// A machine whose owners nobody has looked for.
fn unsought() -> Observation {
    let mut observation = fixture::fresh();
    observation.has_owners = false;
    for service in &mut observation.services {
        *service = Arc::new(Service {
            name: String::new(),
            owners: Vec::new(),
            is_unsought: true,
            ..Service::clone(service)
        });
    }
    observation
}

#[test]
fn a_first_look_that_is_stopped_says_what_is_not_known_and_how_to_know_it() {
    let mut session = Session::unseen((80, 24));
    see(&mut session, Depth::Sockets, fixture::fresh());
    session.send(Msg::Looking(Depth::Owners));
    assert!(shown(&session).contains("looking up owners …"));
    assert!(session.keys("esc").is_empty(), "too early to be meant for it");
    after(&mut session, 2);
    assert!(shown(&session).contains("looking up owners … 2 s   esc stops it"));
    // The key closes what lies over the screen first, and that is what is said.
    session.keys("?");
    assert!(!shown(&session).contains("esc stops it"));
    assert!(session.keys("esc").is_empty());
    assert_eq!(session.keys("esc"), [Effect::StopLook(Depth::Owners)]);
    assert!(shown(&session).contains("stopping …"));
    assert!(session.keys("esc").is_empty());
    session.send(Msg::Seen(Depth::Owners, Box::new(unsought())));
    session.send(Msg::Looking(Depth::Complete));
    let text = shown(&session);
    assert!(text.contains("looking at the rules … 2 s   esc stops it"), "{text}");
    assert!(text.contains("(not looked up)") && !text.contains("(kernel)"), "{text}");
    let line = "Who holds the sockets was not looked up: that was stopped. F5 looks again.";
    assert!(text.contains(line), "{text}");

    // So can the rules be: then nothing can be applied.
    assert_eq!(session.keys("esc"), [Effect::StopLook(Depth::Complete)]);
    let mut blind = unsought();
    (blind.is_stopped, blind.filter, blind.netfilter) = (true, None, None);
    session.send(Msg::Seen(Depth::Complete, Box::new(blind)));
    session.keys("a");
    assert_eq!(
        session.notice(),
        "The rules in the kernel were not read: that was stopped. F5 reads them."
    );
    assert!(session.model.popups.is_empty());
    let look = Effect::Look(Depth::Complete);
    assert_eq!(
        session.keys("f5"),
        [Effect::Redraw, Effect::LookForOwners, look.clone()]
    );
    see(&mut session, Depth::Complete, fixture::fresh());
    let text = shown(&session);
    assert!(!text.contains("not looked up") && !text.contains("not read"), "{text}");
    assert_eq!(session.keys("f5"), [Effect::Redraw, look]);
}

#[test]
fn a_later_look_that_is_stopped_leaves_what_is_shown() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.send(Msg::Looking(Depth::Complete));
    assert!(!shown(&session).contains("looking"));
    after(&mut session, 3);
    assert!(shown(&session).contains("looking again … 3 s   esc stops it"));
    assert_eq!(session.keys("esc"), [Effect::StopLook(Depth::Complete)]);
    let mut blind = unsought();
    (blind.is_stopped, blind.filter, blind.netfilter) = (true, None, None);
    session.send(Msg::Seen(Depth::Complete, Box::new(blind)));
    assert_eq!(
        session.notice(),
        "Stopped: what is shown is as it was before. F5 looks again."
    );
    let text = shown(&session);
    assert!(
        text.contains("sshd") && !text.contains("not looked up") && !text.contains("looking again"),
        "{text}"
    );
}

/// Keys, with what they ask for left unanswered.
fn press(session: &mut Session, keys: &str) -> Vec<Effect> {
    let keys = keys.split(' ').map(key);
    keys.flat_map(|key| update(&mut session.model, Msg::Key(key))).collect()
}

fn answer(effects: &[Effect]) -> Msg {
    let work = effects.iter().find(|effect| matches!(effect, Effect::WorkOut(_)));
    work.unwrap().answer().unwrap()
}

fn decision(policy: &Policy) -> Option<Decision> {
    policy
        .entry_for(&"1000/tcp".parse().unwrap())
        .map(|(_, entry)| entry.decision)
}

#[test]
fn what_an_edit_changes_on_a_large_machine_is_worked_out_beside_and_the_newest_wins() {
    let mut session = Session::on(SIZE, fixture::crowded(2000));
    let before = session.model.plan.clone();
    let first = press(&mut session, "o");
    assert!(
        matches!(&first[..], [Effect::Save { wanted, .. }, Effect::WorkOut(_)] if decision(wanted) == Some(Decision::Open))
    );
    // Everything in sight is of the policy before; the keys do what they do.
    let model = &session.model;
    assert_eq!(
        (decision(&model.policy), decision(model.wanted())),
        (None, Some(Decision::Open))
    );
    assert_eq!(model.plan, before);
    assert!(shown(&session).contains("working out the last edit …"));
    press(&mut session, "down up a");
    assert!(session.model.popups.is_empty(), "what is not known is not applied");
    assert_eq!(
        session.notice(),
        "It is being worked out what the last edit changes: one moment."
    );
    let second = press(&mut session, "c");
    let [Effect::Save { before: from, wanted }, _] = &second[..] else {
        panic!("{second:?}")
    };
    assert_eq!(
        (decision(from), decision(wanted)),
        (Some(Decision::Open), Some(Decision::Confine))
    );
    // What comes of the older one is not shown.
    update(&mut session.model, answer(&first));
    assert!(session.model.is_working_out());
    assert_eq!(session.model.plan, before);
    // A look taken meanwhile is of another machine: it is asked for again.
    let again = update(
        &mut session.model,
        Msg::Seen(Depth::Complete, Box::new(fixture::crowded(2001))),
    );
    update(&mut session.model, answer(&second));
    assert!(session.model.is_working_out());
    update(&mut session.model, answer(&again));
    assert!(!session.model.is_working_out() && !shown(&session).contains("working out"));
    assert_eq!(decision(&session.model.policy), Some(Decision::Confine));
    assert_eq!(session.model.services.rows().len(), 2001);
    let whole = fwtui::app::plan(&session.model.observation, &session.model.policy, false);
    assert_eq!(session.model.plan, whole);
    // Each edit is taken back by itself.
    session.keys("u");
    assert_eq!(decision(&session.model.policy), Some(Decision::Open));
    session.keys("u");
    assert_eq!(decision(&session.model.policy), None);
    assert_eq!(
        session.model.plan,
        fwtui::app::plan(&session.model.observation, &Policy::default(), false)
    );
}

#[test]
fn an_edit_that_could_not_be_saved_is_forgotten_whatever_comes_of_it() {
    let mut session = Session::on(SIZE, fixture::crowded(2000));
    let effects = press(&mut session, "o");
    let Effect::Save { wanted, .. } = effects[0].clone() else {
        panic!("{effects:?}")
    };
    let error = fwtui::app::Error::failed("no room");
    update(&mut session.model, Msg::Saved(wanted, Err(error)));
    update(&mut session.model, answer(&effects));
    assert_eq!(decision(session.model.wanted()), None);
    assert!(!session.model.is_working_out());
}

#[test]
fn what_was_worked_out_beside_a_look_is_what_would_be_here() {
    let observation = fixture::decided();
    let outlook = fwtui::app::Outlook::of(&observation, &observation.policy, None);
    let mut beside = Session::unseen(SIZE);
    beside.send(Msg::SeenWith(
        Depth::Complete,
        Box::new(observation.clone()),
        Box::new(outlook.clone()),
    ));
    let here = Session::on(SIZE, observation.clone());
    assert_eq!(beside.model.plan, here.model.plan);
    assert_eq!(beside.model.services.rows(), here.model.services.rows());
    // After an edit it is of another policy, and does not count.
    beside.model.popups.clear();
    beside.keys("c");
    let edited = beside.model.policy.clone();
    beside.send(Msg::SeenWith(
        Depth::Complete,
        Box::new(observation.clone()),
        Box::new(outlook),
    ));
    assert_eq!(beside.model.plan, fwtui::app::plan(&observation, &edited, false));
}
