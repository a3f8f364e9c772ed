//! Having a service stopped and disabled, and enabled again.

use fwtui::app::Error;
use fwtui::core::policy::Policy;
use fwtui::core::unit::Proposal;
use fwtui::tui::popups::Popup;
use fwtui::tui::{Effect, Msg};

use crate::Session;
use crate::fixture;
use crate::sessions::{SIZE, saved, select};

fn units(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What disabling the database would do.
pub(crate) fn proposal() -> Proposal {
    Proposal {
        id: "5432/tcp".parse().unwrap(),
        name: "postgres".into(),
        units: units(&["postgresql.service", "postgresql@15-main.service"]),
        needed_by: units(&["gitea.service", "nextcloud.service"]),
        wanted_by: units(&["backup.service"]),
        unmasked: Vec::new(),
        also: vec!["5433/tcp".parse().unwrap()],
        is_known: true,
    }
}

/// The question is asked.
pub(crate) fn asked(session: &mut Session) {
    select(session, "5432/tcp");
    let id = proposal().id;
    assert_eq!(session.keys("d"), [Effect::Propose(id.clone())]);
    session.send(Msg::Proposed(id, Ok(Box::new(proposal()))));
}

fn disabled(policy: &Policy) -> Vec<String> {
    policy.disabled.keys().map(ToString::to_string).collect()
}

#[test]
fn a_service_is_disabled_after_a_question_and_enabled_by_the_same_key() {
    let mut session = Session::on(SIZE, fixture::decided());
    asked(&mut session);
    assert!(disabled(&session.model.policy).is_empty(), "a question changes nothing");
    let effects = session.keys("y");
    assert_eq!(disabled(saved(&effects).unwrap()), ["5432/tcp"]);
    assert!(session.notice().contains("Waits for an apply"), "{}", session.notice());
    let row = session.model.services.selected().unwrap();
    assert!(row.disabled.is_some() && row.is_changed && !row.is_new);
    assert!(!session.model.plan.is_done());
    let effects = session.keys("d");
    assert!(disabled(saved(&effects).unwrap()).is_empty());
    session.keys("u");
    assert_eq!(disabled(&session.model.policy), ["5432/tcp"], "undone");
    session.keys("u");
    assert!(disabled(&session.model.policy).is_empty());
}

#[test]
fn no_is_no_and_who_went_elsewhere_is_not_asked() {
    let mut session = Session::on(SIZE, fixture::decided());
    asked(&mut session);
    assert!(saved(&session.keys("n")).is_none());
    assert!(session.model.popups.is_empty());
    select(&mut session, "5432/tcp");
    session.keys("d down");
    session.send(Msg::Proposed(proposal().id, Ok(Box::new(proposal()))));
    assert!(session.model.popups.is_empty());
}

#[test]
fn what_can_not_be_disabled_says_how_to_stop_it() {
    let mut session = Session::on(SIZE, fixture::decided());
    select(&mut session, "5432/tcp");
    session.keys("d");
    let error = Error::failed("5432/tcp can't be disabled: it is the container db of docker").hint("docker stop db");
    session.send(Msg::Proposed(proposal().id, Err(error)));
    let Some(Popup::Message(message)) = session.model.popups.last() else {
        panic!("a message")
    };
    assert_eq!(message.text[1], "docker stop db");
}

#[test]
fn a_disabled_service_stays_in_the_list_when_nothing_listens_any_more() {
    let mut observation = fixture::decided();
    let id = proposal().id;
    observation.services.retain(|service| service.id != id);
    observation.policy.disable(id.clone(), &proposal().units).unwrap();
    observation
        .policy
        .decide(id.clone(), fwtui::core::policy::Entry::default())
        .unwrap();
    observation.confirmed = Some(observation.policy.clone());
    let mut session = Session::on(SIZE, observation);
    select(&mut session, "5432/tcp");
    let row = session.model.services.selected().unwrap();
    assert!(!row.is_changed && !row.is_new && row.disabled.is_some());
    assert_eq!(row.service.name, "postgresql@15-main");
    assert!(session.model.plan.services.is_empty());
    // What is decided on it is for when it comes back.
    session.keys("t");
    assert_eq!(disabled(&session.model.policy), ["5432/tcp"]);
}

#[test]
fn without_root_nothing_is_asked() {
    let mut session = Session::on(SIZE, fixture::without_root());
    assert_eq!(session.keys("d"), []);
    assert!(session.notice().contains("Read-only"), "{}", session.notice());
}
