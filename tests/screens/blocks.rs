//! Quick blocks: what is drawn of them, and how they are made and taken back.

use std::sync::Arc;
use std::time::Duration;

use fwtui::app::Observation;
use fwtui::core::netfilter::Netfilter;
use fwtui::core::policy::{Block, Policy};
use fwtui::tui::popups::Popup;

use crate::Session;
use crate::fixture;
use crate::screens::at_every_size;
use crate::sessions::{SIZE, saved, select};

/// 2026-11-22T14:00:00Z
const TODAY: Duration = Duration::from_secs(1_795_356_000);

fn block(policy: &mut Policy, line: &str) {
    policy.block(Block::parse_line(line, TODAY).unwrap());
}

/// Something blocked for everyone, for some, and where nothing listens; the last one not applied.
fn blocked() -> Observation {
    let mut confirmed = fixture::confirmed_policy();
    block(
        &mut confirmed,
        "22/tcp until 2026-12-24 note CVE-2026-0001, patch ordered",
    );
    block(&mut confirmed, "80/tcp from 198.51.100.0/24 2001:db8:66::/48");
    let mut observation = fixture::decided();
    observation.filter = Some(fixture::in_force(&confirmed));
    let rules = observation.compile(&confirmed);
    observation.netfilter = Some(Arc::new(Netfilter::default().with_own(&rules)));
    observation.policy = confirmed.clone();
    block(&mut observation.policy, "445/tcp for 7d note CVE-2026-0002");
    observation.confirmed = Some(confirmed);
    observation.world.now = TODAY;
    observation
}

fn blocks(session: &Session) -> Vec<String> {
    session.model.policy.blocks.iter().map(Block::line).collect()
}

#[test]
fn blocked_services() {
    at_every_size("blocked-services", &blocked, &|session| select(session, "22/tcp"));
    at_every_size("blocked-for-some", &blocked, &|session| select(session, "80/tcp"));
    at_every_size("blocked-absent", &blocked, &|session| select(session, "445/tcp"));
    at_every_size("blocked-preview", &blocked, &|session| {
        session.keys("p");
    });
    at_every_size("blocked-entry", &blocked, &|session| {
        select(session, "22/tcp");
        session.keys("b ctrl-u");
        session.text("22/tcp until yesterday");
        session.keys("enter");
    });
}

#[test]
fn one_line_blocks_and_one_key_takes_it_back() {
    let mut observation = fixture::decided();
    observation.world.now = TODAY;
    observation.policy.blocks.clear();
    let mut session = Session::on(SIZE, observation);
    select(&mut session, "5432/tcp");
    session.keys("b");
    session.text("from 192.0.2.0/24 for 7d note CVE-2026-0003");
    let effects = session.keys("enter");
    let line = "5432/tcp from 192.0.2.0/24 until 2026-11-29T14:00:00Z note CVE-2026-0003";
    assert_eq!(blocks(&session), [line]);
    assert_eq!(saved(&effects), Some(&session.model.policy));
    assert!(session.notice().contains("Waits for an apply"), "{}", session.notice());
    // What is there is what is typed on, and is replaced.
    session.keys("b");
    let Some(Popup::Entry(entry)) = session.model.popups.last() else {
        panic!("no line to type")
    };
    assert_eq!(entry.text, line);
    session.keys("ctrl-u");
    session.text("5432/tcp");
    session.keys("enter");
    assert_eq!(blocks(&session), ["5432/tcp"]);
    session.keys("u");
    assert_eq!(blocks(&session), [line]);
    let effects = session.keys("B");
    assert_eq!(blocks(&session), [""; 0]);
    assert!(saved(&effects).is_some());
    session.keys("u");
    assert_eq!(blocks(&session), [line]);
    session.keys("B");
    assert_eq!(session.keys("B"), []);
    assert!(session.notice().contains("not blocked"), "{}", session.notice());
}

#[test]
fn a_line_that_makes_no_sense_changes_nothing_and_can_be_mended() {
    let mut session = Session::on(SIZE, blocked());
    let before = blocks(&session);
    select(&mut session, "111/tcp");
    session.keys("b");
    session.text("until 2026-11-22");
    assert_eq!(session.keys("enter"), []);
    let Some(Popup::Entry(entry)) = session.model.popups.last() else {
        panic!("the line is gone")
    };
    let error = entry.error.clone().unwrap();
    assert!(error.contains("over already"), "{error}");
    assert_eq!(blocks(&session), before);
    session.keys("esc");
    assert!(session.model.popups.is_empty());
}

#[test]
fn a_wider_block_is_taken_back_where_it_was_made() {
    let mut observation = blocked();
    block(&mut observation.policy, "100-200/tcp");
    let mut session = Session::on(SIZE, observation);
    select(&mut session, "111/tcp");
    assert_eq!(session.keys("B"), []);
    assert!(session.notice().contains("100-200/tcp"), "{}", session.notice());
}

/// The time goes on between looks.
#[test]
fn a_length_of_time_counts_from_now() {
    let mut observation = fixture::decided();
    observation.world.now = TODAY;
    let mut session = Session::on(SIZE, observation);
    session.send(fwtui::tui::Msg::Tick(fixture::NOW + Duration::from_secs(3600)));
    session.keys("b ctrl-u");
    session.text("445/tcp for 1h");
    session.keys("enter");
    assert_eq!(blocks(&session), ["445/tcp until 2026-11-22T16:00:00Z"]);
}

/// What is over has no row, no mark and no rule, and waits for nothing.
#[test]
fn what_is_over_is_nowhere() {
    let mut observation = blocked();
    observation.policy = observation.confirmed.clone().unwrap();
    let december = Duration::from_secs(1_798_070_400);
    observation.world.now = december;
    // As a look gives it.
    let filter = observation.filter.as_mut().unwrap();
    for part in [&mut filter.ipv4, &mut filter.ipv6] {
        part.own.rules = part.own.rules.clone().current(december);
    }
    let session = Session::on(SIZE, observation);
    let rows = session.model.services.rows();
    let ssh = rows.iter().find(|row| row.service.id.to_string() == "22/tcp").unwrap();
    assert!(ssh.blocks.is_empty() && !ssh.is_changed);
    assert_eq!(ssh.reach_now, ssh.reach_after);
    assert!(session.model.plan.is_in_force, "{:?}", session.model.plan.diff);
    assert_eq!(session.model.plan.blocks, [""; 0]);
}
