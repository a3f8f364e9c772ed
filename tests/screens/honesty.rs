//! The footer never lies: each key that it names does something, wherever it is named.

use std::collections::BTreeSet;

use fwtui::app::{Observation, State};
use fwtui::tui::commands::{self, Command};
use fwtui::tui::popups::{Popup, draw_one};
use fwtui::tui::theme::Token;
use fwtui::tui::widgets::footer;
use fwtui::tui::{Effect, Msg};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::Session;
use crate::checkup::{findings, found};
use crate::fixture;

/// Wide enough for every hint.
const SIZE: (u16, u16) = (240, 40);

fn fixtures() -> Vec<(&'static str, Observation)> {
    let mut drifted = fixture::decided();
    drifted.status.state = State::Drifted;
    drifted.status.can_restore = true;
    let mut broken = fixture::decided();
    broken.policy_error = Some("line 3: truncated".into());
    let empty = Observation {
        services: Vec::new(),
        interfaces: Vec::new(),
        ..fixture::fresh()
    };
    vec![
        ("fresh", fixture::fresh()),
        ("decided", fixture::decided()),
        ("busy", fixture::busy()),
        ("trial", fixture::on_trial(83)),
        ("without root", fixture::without_root()),
        ("drifted", drifted),
        ("broken policy", broken),
        ("empty", empty),
        ("containers", fixture::containers()),
        ("weird", fixture::weird()),
    ]
}

/// Keys to every place that has hints.
const PLACES: [&str; 30] = [
    "f5",
    "down",
    "down down down down",
    "end",
    "space down space",
    "2",
    "2 down",
    "2 end",
    "p",
    "p right",
    "p v",
    "4",
    "4 down",
    "a",
    "a e",
    "a - - -",
    "w",
    "w enter",
    "/",
    "/ x",
    "f",
    "f 1 enter",
    "b",
    "2 +",
    ":",
    "k",
    "?",
    "q",
    "4 end",
    "4 f",
];

/// A machine that was looked at and checked, after these keys.
fn looked_at(observation: &Observation, place: &str) -> Session {
    let mut session = Session::on(SIZE, observation.clone());
    let asked = session.keys("4").into_iter().find_map(|effect| match effect {
        Effect::Check(number) => Some(number),
        _ => None,
    });
    session.send(Msg::Checked(asked.unwrap(), Box::new(found(findings()))));
    session.keys("1");
    session.keys(place);
    session
}

/// The hints in sight, each with its command.
fn hints(session: &Session) -> Vec<footer::Hint> {
    let model = &session.model;
    let frames = model.frames();
    match model.popups.last() {
        None => footer::of_screen(model, frames.footer),
        Some(popup) => {
            let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
            let mut drawn = None;
            terminal
                .draw(|frame| drawn = Some(draw_one(model, popup, frame, frames.beside_popups())))
                .unwrap();
            drawn.unwrap().hints().to_vec()
        }
    }
}

/// The model without what only says something (a text about nothing done is a warning), and without what
/// no key changes, which is long.
fn fingerprint(session: &Session) -> String {
    let mut model = session.model.clone();
    model.observation = Observation::default();
    model.plan = fwtui::core::plan::Plan::default();
    if model.notice.as_ref().is_some_and(|notice| notice.token == Token::Warn) {
        model.notice = None;
    }
    format!("{model:?}")
}

fn has_done_something(session: &mut Session, press: impl FnOnce(&mut Session) -> Vec<Effect>) -> bool {
    session.model.notice = None;
    let before = fingerprint(session);
    let effects = press(session);
    !effects.is_empty() || fingerprint(session) != before
}

#[test]
fn every_hint_in_sight_does_what_it_says() {
    let mut pressed = BTreeSet::new();
    let mut dead = Vec::new();
    for (name, observation) in fixtures() {
        for place in PLACES {
            let there = looked_at(&observation, place);
            for hint in hints(&there) {
                let mut session = Session {
                    model: there.model.clone(),
                    effects: Vec::new(),
                };
                let id = hint.id;
                let contexts = session.model.contexts();
                let command: &Command = contexts
                    .iter()
                    .flat_map(|context| commands::of(*context))
                    .find(|command| command.id == id)
                    .unwrap();
                let key = command.keys[0];
                assert_eq!(key.to_string(), hint.key);
                if !has_done_something(&mut session, |session| session.send(Msg::Key(key.event()))) {
                    dead.push(format!("{name}, after '{place}': {} {}", hint.key, hint.label));
                }
                pressed.insert(command.name());
            }
        }
    }
    assert_eq!(dead, [""; 0]);
    assert!(pressed.len() > 50, "{pressed:?}");
}

/// What the palette says can be run can be, and what it says can't says why.
#[test]
fn the_palette_keeps_its_word() {
    for (name, observation) in fixtures() {
        for place in ["f5", "end", "2", "2 end", "p", "4"] {
            let mut there = looked_at(&observation, place);
            there.keys(":");
            let Some(Popup::Palette(palette)) = there.model.popups.last() else {
                panic!("no palette");
            };
            for (index, found) in palette.found(&there.model).into_iter().enumerate() {
                let mut session = Session {
                    model: there.model.clone(),
                    effects: Vec::new(),
                };
                for _ in 0..index {
                    session.keys("down");
                }
                session.model.notice = None;
                let mut closed = session.model.clone();
                closed.popups.clear();
                let effects = session.keys("enter");
                let has_said = session.model.notice.is_some();
                let before = Session {
                    model: closed,
                    effects: Vec::new(),
                };
                let is_same = effects.is_empty() && !has_said && fingerprint(&session) == fingerprint(&before);
                assert!(
                    !is_same,
                    "{name}, after '{place}': {} does nothing",
                    found.command.name()
                );
                if let Some(why) = found.why_not {
                    assert_eq!(effects, [], "{}", found.command.name());
                    assert_eq!(session.notice(), why);
                }
            }
        }
    }
}

#[test]
fn what_is_under_way_takes_its_keys_out_of_the_footer() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("a enter");
    session.keys("y");
    assert!(session.model.task.is_some());
    let names: Vec<&str> = hints(&session).iter().map(|hint| hint.label).collect();
    assert!(!names.contains(&"apply") && !names.contains(&"quit"), "{names:?}");
}

/// One can always get out.
#[test]
fn the_way_out_is_in_sight_at_the_smallest_size() {
    for keys in ["a", "w", "w enter", "f", "/", ":", "?"] {
        let mut session = Session::on((60, 20), fixture::decided());
        session.keys(keys);
        let drawn = crate::snapshot::text(&crate::snapshot::draw(&session.model));
        let is_there = drawn.lines().any(|line| line.contains("esc "));
        assert!(is_there, "{keys}:\n{drawn}");
    }
}
