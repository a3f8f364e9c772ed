//! What keys and news do.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use fwtui::app::Error;
use fwtui::core::network::NetworkClass;
use fwtui::core::policy::{Decision, Logging, Policy, Refusal};
use fwtui::tui::model::{Pane, RulesView};
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{Depth, Effect, Msg};

use crate::Session;
use crate::fixture;

pub(crate) const SIZE: (u16, u16) = (80, 24);

fn decision(session: &Session, id: &str) -> Decision {
    session.model.policy.decision_for(&id.parse().unwrap())
}

pub(crate) fn saved(effects: &[Effect]) -> Option<&Policy> {
    effects.iter().find_map(|effect| match effect {
        Effect::Save { wanted, .. } => Some(wanted.as_ref()),
        _ => None,
    })
}

/// Moves the cursor to a service.
pub(crate) fn select(session: &mut Session, id: &str) {
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
    assert_eq!(session.notice(), "Nothing was edited that could be taken back.");
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
    for keys in [
        "c", "t", "o", "f", "b", "B", "u", "a", "2 c", "2 +", "p x", "p l", "p O",
    ] {
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
fn a_policy_that_is_gone_is_no_new_one() {
    let mut session = Session::on(SIZE, fixture::decided());
    let mut gone = fixture::decided();
    gone.policy = Policy::default();
    session.send(Msg::Seen(Depth::Complete, Box::new(gone)));
    assert!(
        session.notice().contains("nothing is decided any more"),
        "{}",
        session.notice()
    );
    session.send(Msg::Seen(Depth::Complete, Box::new(fixture::decided())));
    assert!(session.notice().contains("changed elsewhere"), "{}", session.notice());
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
    assert!(session.notice().contains("removed or emptied elsewhere"));
    // Then what was edited can't be taken back any more, which is another matter than that nothing was.
    assert_eq!(session.keys("u"), []);
    assert!(
        session.notice().contains("came from the disk anew"),
        "{}",
        session.notice()
    );
    select(&mut session, "22/tcp");
    session.keys("o u");
    assert!(session.notice().contains("Taken back"), "{}", session.notice());
    session.keys("u");
    assert!(session.notice().contains("Nothing was edited"), "{}", session.notice());
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
        assert!(saved(&session.keys("c")).is_some());
        assert_eq!(class(&session), Some(expected));
    }
    session.keys("space space space");
    assert_eq!(class(&session), Some(NetworkClass::Public));
    session.keys("end");
    assert_eq!(session.keys("c"), []);
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
    assert_eq!(session.notice(), "198.51.100.0/24: trusted. Waits for an apply.");
    session.keys("+");
    session.text("198.51.100.1/24");
    assert_eq!(session.keys("enter"), []);
    assert_eq!(session.notice(), "Trusted already; nothing changed.");
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
    session.keys("p v v right pgdn");
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
    for expected in [
        ScreenId::Networks,
        ScreenId::Preview,
        ScreenId::Checkup,
        ScreenId::Services,
    ] {
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

#[test]
fn a_paste_is_text_where_one_types_and_nothing_elsewhere() {
    let mut session = Session::on(SIZE, fixture::decided());
    let paste = |text: &str| Msg::Paste(text.to_owned());
    assert_eq!(session.send(paste("aykq\n")), []);
    assert!(session.model.popups.is_empty());
    assert!(session.notice().contains("ignored"), "{}", session.notice());
    session.keys(":");
    session.send(paste(&"previ\tew".repeat(100_000)));
    let typed = match session.model.popups.as_slice() {
        [Popup::Palette(palette)] => palette.text.clone(),
        other => panic!("{other:?}"),
    };
    assert!(typed.starts_with("preview") && typed.len() <= 500, "{typed}");
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
    // What they got a moment ago stays in sight meanwhile: nothing flickers.
    let id = "22/tcp".parse().unwrap();
    session.send(answer("22/tcp"));
    session.send(look(fixture::decided()));
    assert!(session.model.neighbours.at(&id).is_some());
}

#[test]
fn outside_the_sandbox_nobody_knocks() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("down down up p 1 f5");
    session.send(Msg::Applied(Ok(fixture::started(90))));
    session.send(Msg::Reverted(Ok(())));
    assert!(knocked(&session.effects).is_empty());
}
