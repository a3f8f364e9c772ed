//! The first-time setup: sessions from its beginning to every end.

mod elsewhere;
mod ends;
mod pages;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use fwtui::app::{Observation, Setup, State};
use fwtui::core::network::NetworkClass;
use fwtui::core::policy::{Decision, Logging, Policy, Refusal};
use fwtui::core::service::Ports;
use fwtui::core::setup::{Answers, Found, Step, propose};
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{Depth, Effect, Msg, Start};

use crate::Session;
use crate::fixture::{self, decide};
use crate::sessions::{SIZE, saved};

/// What the machine recommends.
pub(crate) fn found(observation: &Observation, draft: Option<Answers>) -> Setup {
    let proposals = propose(&Found {
        services: &observation.services,
        interfaces: &observation.interfaces,
        catalogue: &observation.catalogue,
        ways_in: &observation.ways_in,
        is_desktop: Some(true),
        ephemeral: Ports::new(32768, 50000).unwrap(),
        policy: &observation.policy,
    });
    Setup {
        proposals,
        tools: observation.status.tools.clone(),
        conflicts: observation.status.conflicts.clone(),
        ways_in: observation.ways_in.clone(),
        draft,
        notes: Vec::new(),
    }
}

/// The setup as it begins by itself.
fn begun_with(size: (u16, u16), observation: Observation, draft: Option<Answers>) -> Session {
    let mut session = Session::unseen(size);
    session.model.start = Start::SetupIfNew;
    let found = Box::new(found(&observation, draft));
    let effects = session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::AskSetup(_))),
        "{effects:?}"
    );
    session.send(Msg::SetupFound { found, is_new: true });
    assert!(session.model.setup.is_some());
    session.effects.clear();
    session
}

fn begun(observation: Observation) -> Session {
    begun_with(SIZE, observation, None)
}

fn step(session: &Session) -> Step {
    session.model.setup.as_ref().unwrap().step()
}

fn answers(session: &Session) -> &Answers {
    &session.model.setup.as_ref().unwrap().answers
}

/// The machine is looked at again, and asked what it recommends by now.
fn sees(session: &mut Session, observation: &Observation) {
    let effects = session.send(Msg::Seen(Depth::Complete, Box::new(observation.clone())));
    for effect in effects {
        if let Effect::AskSetup(observation) = effect {
            let found = Box::new(found(&observation, None));
            session.send(Msg::SetupFound { found, is_new: false });
        }
    }
}

/// Goes on to a step.
fn go_to(session: &mut Session, wanted: Step) {
    for _ in 0..Step::ALL.len() {
        if step(session) == wanted {
            return;
        }
        session.keys("enter");
    }
    panic!("{wanted:?} never comes");
}

/// Moves the cursor to a service.
fn select(session: &mut Session, id: &str) {
    session.keys("home");
    let setup = session.model.setup.as_ref().unwrap();
    let place = setup.proposals.services.iter().position(|one| one.id.to_string() == id);
    for _ in 0..place.unwrap_or_else(|| panic!("{id} is not asked about")) {
        session.keys("down");
    }
}

fn saves(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Save { .. } | Effect::Apply(_) | Effect::Restore))
}

#[test]
fn it_begins_by_itself_only_where_nothing_was_decided() {
    let mut session = Session::unseen(SIZE);
    session.model.start = Start::SetupIfNew;
    // Not before everything has been seen.
    let shallow = session.send(Msg::Seen(Depth::Owners, Box::new(fixture::fresh())));
    assert!(!shallow.iter().any(|effect| matches!(effect, Effect::AskSetup(_))));
    session.send(Msg::Seen(Depth::Complete, Box::new(fixture::fresh())));
    let found = Box::new(found(&fixture::fresh(), None));
    session.send(Msg::SetupFound { found, is_new: false });
    assert!(session.model.setup.is_none());

    for (start, observation) in [
        (Start::SetupIfNew, fixture::without_root()),
        (Start::SetupIfNew, fixture::on_trial(60)),
        (Start::Setup, fixture::without_root()),
        (Start::Setup, fixture::on_trial(60)),
        (Start::Screens, fixture::fresh()),
    ] {
        let mut session = Session::unseen(SIZE);
        session.model.start = start;
        let effects = session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::AskSetup(_))));
        assert!(session.model.setup.is_none());
        if start == Start::Setup {
            let said = session.notice();
            assert!(
                said.contains("sudo fwtui") || said.contains("A trial is running"),
                "{said}"
            );
        }
    }
}

#[test]
fn it_can_be_asked_for_from_the_screens() {
    let mut session = Session::on(SIZE, fixture::decided());
    let effects = session.keys("f2");
    assert!(matches!(effects.as_slice(), [Effect::AskSetup(_)]), "{effects:?}");
    let found = Box::new(found(&fixture::decided(), None));
    session.send(Msg::SetupFound { found, is_new: false });
    assert_eq!(step(&session), Step::Welcome);
    // What is decided already stays.
    session.keys("A");
    assert!(session.model.policy.wants_the_same_as(&{
        let mut policy = fixture::wanted_policy();
        policy.networks = session.model.policy.networks.clone();
        for (id, decision) in &answers(&session).services {
            if policy.decision_for(id) != *decision {
                decide(&mut policy, &id.to_string(), *decision, &[]);
            }
        }
        policy
    }));
    for (id, entry) in &fixture::wanted_policy().services {
        assert_eq!(session.model.policy.services.get(id), Some(entry), "{id}");
    }
}

#[test]
fn every_step_goes_on_and_back_and_changes_nothing() {
    let mut session = begun(fixture::fresh());
    for (index, expected) in Step::ALL.iter().enumerate() {
        assert_eq!(step(&session), *expected);
        if index + 1 < Step::ALL.len() {
            session.keys(if index % 2 == 0 { "enter" } else { "right" });
        }
    }
    for (index, expected) in Step::ALL.iter().rev().enumerate() {
        assert_eq!(step(&session), *expected);
        if index + 1 < Step::ALL.len() {
            session.keys(["left", "backspace", "esc"][index % 3]);
        }
    }
    assert!(!saves(&session.effects), "{:?}", session.effects);
    assert_eq!(session.model.observation.policy, Policy::default());
    // Before the first step is the question whether to leave.
    session.keys("left");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Setup(_)]));
    assert!(session.keys("esc").is_empty() && session.model.popups.is_empty());
}

#[test]
fn answers_are_kept_as_they_are_given() {
    let mut session = begun(fixture::fresh());
    go_to(&mut session, Step::Networks);
    let effects = session.keys("space");
    let first = session.model.setup.as_ref().unwrap().proposals.networks[0].clone();
    let class = answers(&session).networks[&first.interface];
    assert_ne!(class, first.class);
    assert_eq!(effects, [Effect::KeepAnswers(Box::new(answers(&session).clone()))]);
    assert_eq!(session.model.policy.networks.interfaces[&first.interface], class);
    session.keys("r");
    assert_eq!(answers(&session).networks[&first.interface], first.class);
    session.keys("c c c");
    assert_eq!(answers(&session).networks[&first.interface], first.class);

    go_to(&mut session, Step::Refusal);
    assert_eq!(answers(&session).refusal, Refusal::Reject);
    session.keys("down down");
    assert_eq!(session.model.policy.refusal, Refusal::Drop);
    session.keys("up");
    assert_eq!(session.model.policy.refusal, Refusal::Reject);
    session.keys("space r");
    assert_eq!(session.model.policy.refusal, Refusal::Reject);

    go_to(&mut session, Step::Services);
    select(&mut session, "5432/tcp");
    for (key, decision) in [
        ("o", Decision::Open),
        ("t", Decision::Trusted),
        ("c", Decision::Confine),
        ("-", Decision::Undecided),
        ("space", Decision::Confine),
    ] {
        session.keys(key);
        assert_eq!(
            session.model.policy.decision_for(&"5432/tcp".parse().unwrap()),
            decision
        );
    }
    session.keys("o r");
    let advice = session.model.setup.as_ref().unwrap().proposals.services.iter();
    let advice = advice.clone().find(|one| one.id.to_string() == "5432/tcp").unwrap();
    assert_eq!(answers(&session).services[&advice.id], advice.decision);

    go_to(&mut session, Step::Logging);
    session.keys("down");
    assert_eq!(session.model.policy.logging, Logging::Kernel);
    assert!(!saves(&session.effects), "{:?}", session.effects);
    let kept = session.effects.iter().rev().find_map(|effect| match effect {
        Effect::KeepAnswers(kept) => Some(kept.as_ref().clone()),
        _ => None,
    });
    assert_eq!(kept.as_ref(), Some(answers(&session)));
}

#[test]
fn all_recommendations_are_taken_at_once_but_not_over_own_answers() {
    let mut session = begun(fixture::fresh());
    session.keys("A");
    assert_eq!(step(&session), Step::Summary);
    let recommended = session.model.policy.clone();
    session.keys("left left");
    select(&mut session, "22/tcp");
    session.keys("c A");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Setup(_)]));
    session.keys("n");
    assert_eq!(
        session.model.policy.decision_for(&"22/tcp".parse().unwrap()),
        Decision::Confine
    );
    assert_eq!(step(&session), Step::Services);
    let effects = session.keys("A y");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::KeepAnswers(_))));
    assert_eq!(session.model.policy, recommended);
    assert_eq!(step(&session), Step::Summary);
    assert!(!saves(&session.effects));
}

#[test]
fn the_way_in_is_kept_by_the_recommendations() {
    let mut session = begun(fixture::fresh());
    session.keys("A");
    assert!(session.model.plan.lockouts.is_empty());
    assert_eq!(session.model.plan.kept.len(), 1);
    assert_eq!(
        session.model.policy.decision_for(&"5432/tcp".parse().unwrap()),
        Decision::Confine
    );
    assert_eq!(
        session.model.policy.decision_for(&"5353/udp".parse().unwrap()),
        Decision::Trusted
    );
}

#[test]
fn a_lock_out_is_said_and_must_be_typed_out() {
    let mut session = begun(fixture::fresh());
    go_to(&mut session, Step::Services);
    select(&mut session, "22/tcp");
    session.keys("c");
    go_to(&mut session, Step::Preview);
    assert_eq!(session.keys("enter"), [Effect::Look(Depth::Complete)]);
    session.keys("y enter");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    session.text("22/tcp");
    session.keys("enter");
    let effects = session.keys("y");
    assert!(
        matches!(effects.as_slice(), [Effect::Save { .. }, Effect::Apply(_)]),
        "{effects:?}"
    );
}

#[test]
fn leaving_changes_nothing_and_keeps_the_answers() {
    for (keys, is_quitting) in [
        ("q q", true),
        ("q y", true),
        ("q enter", true),
        ("q s", false),
        ("esc y", true),
    ] {
        let mut session = begun(fixture::fresh());
        go_to(&mut session, Step::Services);
        session.keys("c");
        let kept = answers(&session).clone();
        session.keys("left left left");
        session.effects.clear();
        let effects = session.keys(keys);
        assert_eq!(effects.contains(&Effect::Quit), is_quitting, "{keys}");
        assert!(!saves(&session.effects) && !session.effects.contains(&Effect::ForgetAnswers));
        if !is_quitting {
            assert!(session.model.setup.is_none() && session.model.screen == ScreenId::Services);
            assert_eq!(session.model.policy, Policy::default());
            assert!(session.model.why_no_undo().is_some());
        }
        // Going on, with the services as they were answered.
        let resumed = begun_with(SIZE, fixture::fresh(), Some(kept.clone()));
        assert_eq!(answers(&resumed), &kept);
        assert_eq!(step(&resumed), Step::Services);
        assert!(
            resumed.notice().contains("step 4. x starts again"),
            "{}",
            resumed.notice()
        );
    }
}

#[test]
fn starting_again_forgets_the_answers() {
    let mut session = begun(fixture::fresh());
    let fresh = session.model.policy.clone();
    go_to(&mut session, Step::Services);
    session.keys("o down o x");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Setup(_)]));
    session.keys("n");
    assert_eq!(step(&session), Step::Services);
    assert_eq!(session.keys("x y"), [Effect::ForgetAnswers]);
    assert_eq!(step(&session), Step::Welcome);
    assert_eq!(session.model.policy, fresh);
}

#[test]
fn ctrl_c_leaves_at_once() {
    let mut session = begun(fixture::fresh());
    assert_eq!(session.keys("enter ctrl-c").last(), Some(&Effect::Quit));
}

#[test]
fn keys_of_the_screens_do_nothing_here() {
    let mut session = begun(fixture::fresh());
    for wanted in Step::ALL {
        go_to(&mut session, wanted);
        for key in [
            "1", "2", "3", "4", "p", "u", "d", "b", "f", "R", "l", "O", "S", "k", "m", "w", "/", "tab",
        ] {
            if wanted == Step::Preview && ["w", "/"].contains(&key) {
                continue;
            }
            session.keys(key);
            assert!(session.model.popups.is_empty(), "{key} at {wanted:?}");
        }
        assert_eq!(step(&session), wanted);
    }
    assert!(!saves(&session.effects), "{:?}", session.effects);
}

#[test]
fn what_is_seen_meanwhile_loses_no_answer() {
    let mut session = begun(fixture::fresh());
    go_to(&mut session, Step::Services);
    select(&mut session, "80/tcp");
    session.keys("c");
    // One is gone, one is new, and the cursor stays where it is.
    let mut changed = fixture::fresh();
    changed
        .services
        .retain(|one| one.id.to_string() != "111/tcp" && one.id.to_string() != "80/tcp");
    changed.services.extend(fixture::services_of(&[(
        "0.0.0.0",
        3306,
        fwtui::core::listener::Protocol::Tcp,
        Some(("mariadbd", "mysql", "mariadb.service")),
    )]));
    sees(&mut session, &changed);
    let setup = session.model.setup.as_ref().unwrap();
    let selected = &setup.proposals.services[setup.services.cursor];
    assert_eq!(selected.id.to_string(), "80/tcp");
    assert!(setup.is_gone(&selected.id));
    let new = "3306/tcp".parse().unwrap();
    assert!(setup.is_new(&new));
    assert_eq!(setup.answers.services[&new], Decision::Confine);
    assert_eq!(
        session.model.policy.decision_for(&"80/tcp".parse().unwrap()),
        Decision::Confine
    );
    assert!(session.notice().contains("One more service"), "{}", session.notice());
    // It comes back with the answer it had.
    sees(&mut session, &fixture::fresh());
    let setup = session.model.setup.as_ref().unwrap();
    assert!(!setup.is_gone(&"80/tcp".parse().unwrap()));
    assert_eq!(setup.answers.services[&"80/tcp".parse().unwrap()], Decision::Confine);
    assert_eq!(step(&session), Step::Services);
}

#[test]
fn a_policy_that_was_changed_elsewhere_is_built_upon() {
    let mut session = begun(fixture::fresh());
    go_to(&mut session, Step::Services);
    select(&mut session, "80/tcp");
    session.keys("o");
    let mut changed = fixture::fresh();
    decide(&mut changed.policy, "9999/tcp", Decision::Open, &[]);
    sees(&mut session, &changed);
    assert!(session.notice().contains("changed elsewhere"), "{}", session.notice());
    let decision = |id: &str| session.model.policy.decision_for(&id.parse().unwrap());
    assert_eq!(
        (decision("9999/tcp"), decision("80/tcp")),
        (Decision::Open, Decision::Open)
    );
}

#[test]
fn nothing_new_slips_into_what_is_about_to_be_applied() {
    let mut session = begun(fixture::fresh());
    session.keys("A enter enter");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    let mut changed = fixture::fresh();
    changed.services.extend(fixture::services_of(&[(
        "0.0.0.0",
        3306,
        fwtui::core::listener::Protocol::Tcp,
        Some(("mariadbd", "mysql", "mariadb.service")),
    )]));
    sees(&mut session, &changed);
    let effects = session.keys("y");
    let Some(Effect::Apply(request)) = effects.last() else {
        panic!("{effects:?}")
    };
    assert_eq!(saved(&effects), Some(&request.previewed));
    assert_eq!(
        request.previewed.decision_for(&"3306/tcp".parse().unwrap()),
        Decision::Undecided
    );
}

/// A click on the cell where these words begin, on the first line that has them.
fn click(session: &mut Session, words: &str) -> Vec<Effect> {
    let text = crate::snapshot::text(&crate::snapshot::draw(&session.model));
    let (row, line) = text.lines().enumerate().find(|(_, line)| line.contains(words)).unwrap();
    let column = line.split(words).next().unwrap().chars().count();
    session.send(Msg::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column: column.try_into().unwrap(),
        row: row.try_into().unwrap(),
        modifiers: KeyModifiers::NONE,
    }))
}

#[test]
fn the_mouse_goes_to_steps_that_were_seen_and_selects() {
    let mut session = begun(fixture::fresh());
    click(&mut session, "Summary");
    assert_eq!(step(&session), Step::Welcome, "not seen yet");
    go_to(&mut session, Step::Services);
    click(&mut session, "postgres");
    session.keys("o");
    assert_eq!(
        session.model.policy.decision_for(&"5432/tcp".parse().unwrap()),
        Decision::Open
    );
    click(&mut session, "Networks");
    assert_eq!(step(&session), Step::Networks);
    click(&mut session, "Services");
    assert_eq!(step(&session), Step::Services);
    click(&mut session, "go on");
    assert_eq!(step(&session), Step::Logging);
    // The wheel moves, and answers nothing.
    let before = answers(&session).clone();
    session.send(Msg::Mouse(MouseEvent {
        kind: MouseEventKind::ScrollDown,
        column: 20,
        row: 10,
        modifiers: KeyModifiers::NONE,
    }));
    assert_eq!(answers(&session), &before);
    click(&mut session, "quit");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Setup(_)]));
    assert!(!saves(&session.effects));
}

#[test]
fn a_public_network_is_what_a_new_one_is() {
    let mut session = begun(fixture::fresh());
    go_to(&mut session, Step::Networks);
    let mut changed = fixture::fresh();
    changed.interfaces.push(fixture::interface(
        7,
        "wlan1",
        fwtui::core::network::InterfaceKind::Wifi,
        "",
        &["10.0.9.9/24"],
        &["10.0.9.0/24"],
    ));
    sees(&mut session, &changed);
    assert_eq!(answers(&session).networks["wlan1"], NetworkClass::Public);
    assert_eq!(session.model.observation.status.state, State::Off);
}
