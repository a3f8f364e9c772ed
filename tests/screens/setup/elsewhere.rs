//! Answers that are gone on with while other things were decided elsewhere.

use fwtui::app::Observation;
use fwtui::core::network::NetworkClass;
use fwtui::core::plan::Warning;
use fwtui::core::policy::Decision;
use fwtui::core::service::Ports;
use fwtui::core::setup::{Answers, Step};
use fwtui::tui::popups::Popup;
use fwtui::tui::{Depth, Msg, Start};

use super::{answers, begun, begun_with, found, go_to, sees, select, step};
use crate::Session;
use crate::fixture::{self, decide};
use crate::sessions::SIZE;
use crate::snapshot::{check, draw, text};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 40)];

/// The answers of a setup that was left at the services, with postgres opened by the user.
fn draft() -> Answers {
    let mut session = begun(fixture::fresh());
    go_to(&mut session, Step::Services);
    select(&mut session, "5432/tcp");
    session.keys("o");
    Answers::parse(&answers(&session).to_text()).unwrap()
}

/// The same machine, with other things decided by `fwtui set` and `fwtui network` since.
fn decided_elsewhere() -> Observation {
    let mut observation = fixture::fresh();
    decide(&mut observation.policy, "5432/tcp", Decision::Trusted, &[]);
    decide(&mut observation.policy, "5353/udp", Decision::Confine, &[]);
    let networks = &mut observation.policy.networks.interfaces;
    networks.insert("eth0".into(), NetworkClass::Trusted);
    observation
}

/// The setup, asked for again.
fn resumed(size: (u16, u16), observation: Observation, draft: Answers) -> Session {
    let mut session = Session::unseen(size);
    session.model.start = Start::Setup;
    let found = Box::new(found(&observation, Some(draft)));
    session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
    session.send(Msg::SetupFound { found, is_new: false });
    session
}

fn decision(session: &Session, id: &str) -> Decision {
    session.model.policy.decision_for(&id.parse().unwrap())
}

pub(super) fn shows(session: &Session, words: &str) {
    let shown = text(&draw(&session.model));
    let flat: Vec<&str> = shown
        .split(|c: char| c.is_whitespace() || c == '│')
        .filter(|word| !word.is_empty())
        .collect();
    assert!(flat.join(" ").contains(words), "{words:?} in:\n{shown}");
}

const BOTH: &str = "5432/tcp: you answered open; trusted was decided elsewhere since.";

#[test]
fn what_was_decided_elsewhere_is_told_on_every_page_that_it_is_about() {
    for size in SIZES {
        let name = |what: &str| format!("setup-{what}-elsewhere-{}x{}", size.0, size.1);
        let mut session = resumed(size, decided_elsewhere(), draft());
        check(&name("resumed"), &session.model);
        session.keys("enter");
        assert!(session.model.popups.is_empty());
        select(&mut session, "5432/tcp");
        check(&name("services"), &session.model);
        go_to(&mut session, Step::Summary);
        check(&name("summary"), &session.model);
    }
}

#[test]
fn own_answers_hold_and_the_rest_follows_what_was_decided() {
    let mut session = resumed((120, 40), decided_elsewhere(), draft());
    shows(&session, BOTH);
    shows(
        &session,
        "5353/udp: now confine, as decided elsewhere since; here it was trusted.",
    );
    assert_eq!(step(&session), Step::Services);
    session.keys("enter");
    assert_eq!(
        (decision(&session, "5432/tcp"), decision(&session, "5353/udp")),
        (Decision::Open, Decision::Confine)
    );
    assert_eq!(answers(&session).networks["eth0"], NetworkClass::Trusted);
    go_to(&mut session, Step::Summary);
    shows(&session, BOTH);
    // Left and gone on with once more, it is said once more.
    let again = resumed((120, 40), decided_elsewhere(), answers(&session).clone());
    shows(&again, BOTH);
    // Taking what was decided settles it.
    session.keys("left left");
    select(&mut session, "5432/tcp");
    shows(&session, BOTH);
    session.keys("r");
    assert_eq!(decision(&session, "5432/tcp"), Decision::Trusted);
    assert_eq!(
        session
            .model
            .setup
            .as_ref()
            .unwrap()
            .elsewhere()
            .iter()
            .filter(|one| one.is_own)
            .count(),
        0
    );
}

#[test]
fn starting_again_begins_with_what_holds_now() {
    let mut session = resumed(SIZE, decided_elsewhere(), draft());
    session.keys("enter x y");
    assert_eq!(step(&session), Step::Welcome);
    assert_eq!(decision(&session, "5432/tcp"), Decision::Trusted);
    assert_eq!(decision(&session, "5353/udp"), Decision::Confine);
    assert_eq!(session.model.setup.as_ref().unwrap().elsewhere(), []);
}

#[test]
fn what_is_decided_elsewhere_meanwhile_is_taken_over_or_told() {
    let mut session = begun(fixture::fresh());
    go_to(&mut session, Step::Services);
    select(&mut session, "5432/tcp");
    session.keys("o");
    sees(&mut session, &decided_elsewhere());
    assert!(session.notice().contains("changed elsewhere"), "{}", session.notice());
    assert_eq!(
        (decision(&session, "5432/tcp"), decision(&session, "5353/udp")),
        (Decision::Open, Decision::Confine)
    );
    go_to(&mut session, Step::Summary);
    shows(&session, BOTH);
}

#[test]
fn what_is_decided_elsewhere_is_not_taken_back_before_it_is_known_what_is_recommended() {
    let mut session = begun(fixture::fresh());
    session.send(Msg::Seen(Depth::Complete, Box::new(decided_elsewhere())));
    assert_eq!(decision(&session, "5353/udp"), Decision::Confine);
    let networks = &session.model.policy.networks.interfaces;
    assert_eq!(networks.get("eth0"), Some(&NetworkClass::Trusted));
    assert_eq!(answers(&session).networks["eth0"], NetworkClass::Trusted);
}

#[test]
fn an_answer_on_what_is_gone_stays_in_the_list() {
    let mut smaller = fixture::fresh();
    smaller.services.retain(|one| one.id.to_string() != "5432/tcp");
    let mut session = resumed(SIZE, smaller, draft());
    assert!(session.model.popups.is_empty(), "{:?}", session.model.popups);
    let id = "5432/tcp".parse().unwrap();
    assert!(session.model.setup.as_ref().unwrap().is_gone(&id));
    assert_eq!(decision(&session, "5432/tcp"), Decision::Open);
    select(&mut session, "5432/tcp");
    shows(&session, "gone");
}

#[test]
fn answers_that_cant_be_read_are_told_where_nobody_overlooks_it() {
    let observation = fixture::fresh();
    let mut found = Box::new(found(&observation, None));
    let note = "The answers kept from an earlier setup can't be used: setup.json: line 2: a newer fwtui wrote it \
                (version 2, and this one reads version 1). A new setup begins without them, and keeps that file as \
                setup.json.damaged.";
    found.notes = vec![note.into()];
    let mut session = Session::unseen((60, 20));
    session.model.start = Start::Setup;
    session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
    session.send(Msg::SetupFound { found, is_new: true });
    assert!(matches!(session.model.popups.as_slice(), [Popup::Message(_)]));
    shows(&session, note);
    session.keys("enter");
    assert_eq!(step(&session), Step::Welcome);
}

#[test]
fn where_it_does_not_begin_by_itself_any_more_it_is_not_forgotten() {
    let opened = |draft: Option<Answers>| {
        let observation = decided_elsewhere();
        let mut session = Session::unseen(SIZE);
        session.model.start = Start::SetupIfNew;
        let found = Box::new(found(&observation, draft));
        session.send(Msg::Seen(Depth::Complete, Box::new(observation)));
        session.send(Msg::SetupFound { found, is_new: false });
        assert!(session.model.setup.is_none());
        session.model.notice.map(|notice| notice.text)
    };
    let said = opened(Some(draft())).unwrap();
    assert!(said.contains("F2 goes on with it"), "{said}");
    // Answers that are nobody's own are not worth a word.
    let untouched = answers(&begun(fixture::fresh())).clone();
    assert_eq!((opened(Some(untouched)), opened(None)), (None, None));
}

#[test]
fn where_nobody_is_trusted_the_summary_says_where_to_change_that() {
    let mut observation = fixture::fresh();
    observation.interfaces.retain(|one| one.name == "eth0");
    let mut session = begun_with((120, 40), observation, None);
    session.keys("A");
    shows(
        &session,
        "No network is trusted yet, so 'trusted' lets nobody in. Go back to the networks",
    );
    // Who takes it as it is recommended need not insist.
    session.keys("enter enter");
    let Some(Popup::Apply(apply)) = session.model.popups.last() else {
        panic!("{:?}", session.model.popups)
    };
    assert!(apply.is_harmless(), "{:?}", apply.plan.warnings);
    session.keys("esc left left left left left");
    assert_eq!(step(&session), Step::Networks);
    session.keys("space");
    assert_eq!(answers(&session).networks["eth0"], NetworkClass::Trusted);
    go_to(&mut session, Step::Summary);
    assert!(!text(&draw(&session.model)).contains("lets nobody in"));
}

#[test]
fn nobody_is_warned_of_what_he_was_not_asked_about() {
    let undecided = |session: &Session| {
        let warnings = session.model.plan.warnings.iter();
        warnings.filter(|one| matches!(one, Warning::Undecided { .. })).count()
    };
    // What a client waits for its answers at.
    let client = fixture::services_of(&[(
        "0.0.0.0",
        40001,
        fwtui::core::listener::Protocol::Udp,
        Some(("dhclient", "root", "dhclient.service")),
    )]);
    let id = client[0].id.clone();
    let mut observation = fixture::fresh();
    observation.services.extend(client);
    let mut session = begun(observation.clone());
    session.keys("A");
    assert_eq!(undecided(&session), 1, "the test can tell");
    observation.ephemeral = Ports::new(32768, 50000);
    let mut session = begun(observation);
    session.keys("A");
    assert!(answers(&session).services.keys().all(|one| *one != id));
    assert_eq!(undecided(&session), 0);
    // What was asked about and left open is warned of.
    session.keys("left left");
    select(&mut session, "80/tcp");
    session.keys("-");
    assert_eq!(undecided(&session), 1);
}
