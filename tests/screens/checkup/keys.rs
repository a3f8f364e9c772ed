//! What keys, answers and the mouse do on the Checkup screen.

use fwtui::app::Error;
use fwtui::core::checkup::Severity;
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{Depth, Effect, Msg};

use super::found::{INVALID, SIZE, checked, findings, found, normal, with};
use super::mark;
use crate::snapshot::{draw, text};
use crate::{Session, fixture};

fn selected(session: &Session) -> &'static str {
    session.model.checkup.selected_item().unwrap().finding.id
}

fn checks(effects: &[Effect]) -> Vec<u64> {
    let number = |effect: &Effect| match effect {
        Effect::Check(number) => Some(*number),
        _ => None,
    };
    effects.iter().filter_map(number).collect()
}

#[test]
fn the_machine_is_checked_when_the_screen_is_first_shown() {
    let mut session = Session::on(SIZE, fixture::decided());
    assert_eq!(checks(&session.keys("1 2 3")), [0u64; 0]);
    assert_eq!(checks(&session.keys("4")), [1]);
    assert_eq!(checks(&session.keys("1 4 down")), [0u64; 0]);
    session.send(checked(1, found(findings())));
    assert_eq!(checks(&session.keys("1 4 tab tab tab tab")), [0u64; 0]);
    assert_eq!(session.model.screen, ScreenId::Checkup);
    let effects = session.keys("f5");
    assert_eq!(checks(&effects), [2]);
    assert!(effects.contains(&Effect::Look(Depth::Complete)) && effects.contains(&Effect::Redraw));
    assert_eq!(checks(&session.keys("1 f5")), [0u64; 0]);
}

#[test]
fn impatience_starts_one_check_more_at_most() {
    let mut session = Session::on(SIZE, fixture::decided());
    assert_eq!(checks(&session.keys("4 f5 f5 f5")), [1]);
    assert_eq!(checks(&session.send(checked(1, found(findings())))), [2]);
    assert!(session.model.checkup.is_under_way());
    assert_eq!(checks(&session.send(checked(2, found(findings())))), [0u64; 0]);
    assert!(!session.model.checkup.is_under_way());
}

#[test]
fn an_older_answer_does_not_overwrite_a_newer_one() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("4 f5");
    session.send(checked(1, found(findings())));
    session.send(checked(2, found(Vec::new())));
    session.send(checked(1, found(findings())));
    assert!(session.model.checkup.items().is_empty());
}

#[test]
fn the_cursor_stays_on_its_finding_when_all_is_checked_again() {
    let mut session = normal();
    session.keys("down down down");
    assert_eq!(selected(&session), "drop-invalid");
    session.keys("f5");
    session.send(checked(2, found(findings().split_off(2))));
    assert_eq!(selected(&session), "drop-invalid");
    session.keys("f5");
    session.send(checked(3, found(findings().split_off(6))));
    assert_eq!(selected(&session), "drop-instead-of-reject");
}

#[test]
fn what_is_intended_goes_to_the_end_and_is_saved() {
    let mut session = normal();
    session.keys("down down down");
    assert_eq!(session.model.checkup.count(Severity::Redundant), 2);
    let before = session.model.policy.clone();
    let effects = mark(&mut session, "the auditors want it");
    let Some(Effect::Save { wanted, .. }) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(wanted.known.note("drop-invalid", INVALID), Some("the auditors want it"));
    assert!(wanted.wants_the_same_as(&before));
    // The cursor is where it was, on what came next.
    assert_eq!(selected(&session), "sysctl-rp-filter");
    assert_eq!(session.model.checkup.count(Severity::Redundant), 1);
    assert_eq!(session.model.checkup.known(), 1);
    assert!(session.notice().contains("no longer counts"), "{}", session.notice());
    session.keys("end");
    assert_eq!(selected(&session), "drop-invalid");
    // i again takes it back, and u brings it back.
    let effects = session.keys("i");
    assert!(matches!(effects.as_slice(), [Effect::Save { wanted, .. }] if **wanted == before));
    assert_eq!(session.model.checkup.known(), 0);
    session.keys("u");
    assert_eq!(session.model.checkup.known(), 1);
    session.keys("u");
    assert_eq!(session.model.checkup.known(), 0);
    assert_eq!(session.model.policy, before);
}

#[test]
fn a_mark_is_no_change_that_waits() {
    let mut observation = fixture::decided();
    observation.policy = fixture::confirmed_policy();
    let mut session = Session::on(SIZE, observation);
    session.keys("4");
    session.send(checked(1, found(findings())));
    mark(&mut session, "so be it");
    assert!(!session.model.has_pending());
    assert_eq!(session.model.services.counts().changed, 0);
    session.keys("esc a");
    assert!(session.notice().contains("Nothing to apply"), "{}", session.notice());
}

/// Another fwtui may mark something while the question is open: what would be applied is the same.
#[test]
fn a_mark_made_elsewhere_does_not_take_the_question_away() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("a");
    let mut marked = fixture::decided();
    marked.policy.mark_known("drop-invalid", INVALID, "elsewhere").unwrap();
    session.send(Msg::Seen(Depth::Complete, Box::new(marked.clone())));
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    marked.policy = fixture::confirmed_policy();
    session.send(Msg::Seen(Depth::Complete, Box::new(marked)));
    assert!(session.model.popups.is_empty());
}

#[test]
fn a_note_must_say_something_in_one_line() {
    let mut session = normal();
    assert_eq!(mark(&mut session, "  "), []);
    let Some(Popup::Entry(entry)) = session.model.popups.last() else {
        panic!("the question is gone");
    };
    assert!(
        entry.error.as_ref().unwrap().contains("a note is needed") || entry.error.as_ref().unwrap().contains("A note")
    );
    session.text(&"x".repeat(300));
    assert_eq!(session.keys("enter"), []);
    assert!(text(&draw(&session.model)).contains("200 characters at most"));
    session.keys("esc");
    assert!(session.model.popups.is_empty() && session.model.checkup.known() == 0);
}

#[test]
fn a_mark_that_can_not_be_saved_is_not_shown() {
    let mut session = normal();
    mark(&mut session, "so be it");
    let policy = Box::new(session.model.policy.clone());
    session.send(Msg::Saved(policy, Err(Error::failed("no space left on device"))));
    assert_eq!(session.model.checkup.known(), 0);
    assert!(matches!(session.model.popups.as_slice(), [Popup::Message(_)]));
}

#[test]
fn without_root_nothing_is_marked() {
    let mut session = Session::on(SIZE, fixture::without_root());
    session.keys("4");
    session.send(checked(1, found(findings())));
    assert_eq!(session.keys("i"), []);
    assert!(session.notice().contains("sudo fwtui"), "{}", session.notice());
    assert!(session.model.popups.is_empty());
}

#[test]
fn enter_leads_to_the_service() {
    let mut session = normal();
    // A filter on the other screen must not hide it.
    session.keys("1 /");
    session.text("sshd");
    session.keys("enter 4");
    session.keys("down down down down down enter");
    assert_eq!(session.model.screen, ScreenId::Services);
    assert_eq!(
        session.model.services.selected().unwrap().service.id.to_string(),
        "5432/tcp"
    );
    session.keys("4");
    assert_eq!(selected(&session), "service-could-be-loopback");
    // All of its text is there too.
    session.keys("f");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Finding(_)]));
    session.keys("esc");
    let mut gone = fixture::decided();
    gone.services.retain(|service| service.id.to_string() != "5432/tcp");
    gone.policy.services.retain(|id, _| id.to_string() != "5432/tcp");
    session.send(Msg::Seen(Depth::Complete, Box::new(gone)));
    session.keys("esc enter");
    assert_eq!(session.model.screen, ScreenId::Checkup);
    assert!(
        session.notice().contains("5432/tcp is no longer"),
        "{}",
        session.notice()
    );
}

#[test]
fn severities_are_shown_one_by_one_and_those_without_findings_left_out() {
    let mut session = with(SIZE, found(findings().split_off(2)));
    let mut seen = Vec::new();
    for _ in 0..5 {
        session.keys("s");
        seen.push(session.model.checkup.severity().map(Severity::word));
    }
    assert_eq!(
        seen,
        [Some("risky"), Some("redundant"), Some("missing"), Some("info"), None]
    );
    session.keys("s s");
    assert_eq!(session.model.checkup.len(), 2);
    session.keys("esc");
    assert_eq!(session.model.checkup.severity(), None);
}

#[test]
fn a_filter_is_this_screens_own() {
    let mut session = normal();
    session.keys("/");
    session.text("rp_filter");
    session.keys("enter");
    assert_eq!(
        (session.model.checkup.len(), selected(&session)),
        (1, "sysctl-rp-filter")
    );
    assert_eq!(session.model.services.filter(), "");
    session.keys("/ ctrl-u");
    session.text("nothing like that");
    assert!(text(&draw(&session.model)).contains("0 of 7"));
    session.keys("esc");
    assert_eq!(session.model.checkup.len(), 1);
    session.keys("esc");
    assert_eq!(session.model.checkup.len(), 7);
}

#[test]
fn changed_rules_make_it_outdated() {
    let mut session = normal();
    let shows = |session: &Session| text(&draw(&session.model)).contains("The rules have changed since");
    assert!(!shows(&session));
    session.send(Msg::RulesChanged(vec!["nft".into()]));
    assert!(shows(&session));
    session.keys("f5");
    session.send(checked(2, found(findings())));
    assert!(!shows(&session));
}

#[test]
fn a_click_selects_and_the_wheel_moves() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let mut session = normal();
    let at = |kind, column, row| {
        Msg::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    session.send(at(MouseEventKind::Down(MouseButton::Left), 20, 6));
    assert_eq!(session.model.checkup.list.cursor, 2);
    session.send(at(MouseEventKind::ScrollDown, 20, 6));
    assert_eq!(session.model.checkup.list.cursor, 5);
    session.send(at(MouseEventKind::Down(MouseButton::Left), 30, 1));
    assert_eq!(session.model.screen, ScreenId::Preview);
    session.send(at(MouseEventKind::Down(MouseButton::Left), 42, 1));
    assert_eq!(session.model.screen, ScreenId::Checkup);
}
