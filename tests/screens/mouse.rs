//! Clicks and the wheel.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use fwtui::tui::model::Column;
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{Effect, Msg};

use crate::Session;
use crate::fixture;
use crate::screens::at_every_size;
use crate::sessions::SIZE;
use crate::snapshot::{draw, text};

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

fn mouse(session: &mut Session, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    session.send(Msg::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }))
}

/// Where a text stands on the screen, the last time it does.
fn place_of(session: &Session, words: &str) -> (u16, u16) {
    let drawn = text(&draw(&session.model));
    let (row, line) = drawn
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains(words))
        .last()
        .unwrap_or_else(|| panic!("'{words}' is not there:\n{drawn}"));
    let column = line.split(words).next().unwrap().chars().count();
    (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

fn click_on(session: &mut Session, words: &str) -> Vec<Effect> {
    let (column, row) = place_of(session, words);
    mouse(session, CLICK, column, row)
}

#[test]
fn tabs_rows_and_columns_are_clicked() {
    let mut session = Session::on(SIZE, fixture::decided());
    click_on(&mut session, "4 Checkup");
    assert_eq!(session.model.screen, ScreenId::Checkup);
    click_on(&mut session, "1 Services");
    click_on(&mut session, "DECISION");
    assert_eq!(session.model.services.order(), (Column::Decision, false));
    click_on(&mut session, "DECISION");
    assert_eq!(session.model.services.order(), (Column::Decision, true));
    click_on(&mut session, "PORT");
    click_on(&mut session, "5432/tcp");
    assert_eq!(
        session.model.services.selected().unwrap().service.id.to_string(),
        "5432/tcp"
    );
}

#[test]
fn what_the_footer_names_is_clicked() {
    let mut session = Session::on(SIZE, fixture::decided());
    click_on(&mut session, "a apply");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    click_on(&mut session, "+ longer");
    assert_eq!(session.model.timeout.as_secs(), 120);
    click_on(&mut session, "esc back");
    assert!(session.model.popups.is_empty());
    assert_eq!(click_on(&mut session, "q quit"), [Effect::Quit]);
}

#[test]
fn a_trials_keys_are_clicked_in_the_banner() {
    for size in [(60, 20), SIZE, (120, 40)] {
        let mut session = Session::on(size, fixture::on_trial(83));
        click_on(&mut session, "keep");
        assert!(matches!(session.model.popups.as_slice(), [Popup::Keep(_)]), "{size:?}");
        click_on(&mut session, "esc no");
        assert!(matches!(
            click_on(&mut session, "revert now").as_slice(),
            [Effect::Revert(_)]
        ));
    }
}

#[test]
fn rows_of_a_popup_are_selected_and_then_taken() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("w");
    click_on(&mut session, "strangers on eth0");
    let Some(Popup::WhoCan(who)) = session.model.popups.last() else {
        panic!("the list is gone");
    };
    assert!(who.list.cursor > 0);
    click_on(&mut session, "strangers on eth0");
    assert!(matches!(session.model.popups.last(), Some(Popup::Way(_))));
    session.keys("esc esc :");
    session.text("networks");
    // The first one found is selected already.
    click_on(&mut session, "networks          2");
    assert_eq!(session.model.screen, ScreenId::Networks);
}

#[test]
fn what_is_below_a_list_is_no_row_of_it() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys(":");
    let before = session.model.popups.clone();
    for row in 16..21 {
        mouse(&mut session, CLICK, 10, row);
        let Some(Popup::Palette(palette)) = session.model.popups.last() else {
            panic!("a click on line {row} ran something");
        };
        assert!(palette.list.cursor <= 12, "{row}");
    }
    assert_eq!(session.model.popups.len(), before.len());
}

#[test]
fn a_click_beside_a_popup_or_in_its_text_is_nothing() {
    let mut session = Session::on(SIZE, fixture::decided());
    for keys in ["a", "?", ":", "w", "f"] {
        session.keys(keys);
        let before = format!("{:?}", session.model);
        for (column, row) in [(0, 0), (1, 1), (79, 23), (2, 23), (0, 12)] {
            assert_eq!(mouse(&mut session, CLICK, column, row), [], "{keys}");
        }
        assert_eq!(format!("{:?}", session.model), before, "{keys}");
        session.keys("esc");
    }
}

#[test]
fn the_wheel_moves_whatever_is_on_top() {
    let mut session = Session::on((60, 20), fixture::decided());
    session.keys("?");
    mouse(&mut session, MouseEventKind::ScrollDown, 30, 10);
    assert!(matches!(session.model.popups.as_slice(), [Popup::Help(help)] if help.top == 3));
    session.keys("esc :");
    mouse(&mut session, MouseEventKind::ScrollDown, 30, 10);
    assert!(matches!(session.model.popups.as_slice(), [Popup::Palette(palette)] if palette.list.cursor == 3));
    session.keys("esc /");
    mouse(&mut session, MouseEventKind::ScrollDown, 30, 10);
    assert_eq!(session.model.services.list.cursor, 3);
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_taken_back() {
    let mut session = Session::on(SIZE, fixture::decided());
    assert_eq!(session.keys("M"), [Effect::SetMouse(false)]);
    assert!(session.notice().contains("left to the terminal"));
    // In a popup as well: an error is what one wants to copy.
    session.keys("w");
    assert_eq!(session.keys("M"), [Effect::SetMouse(true)]);
    session.keys("esc /");
    assert_eq!(session.keys("M"), []);
    assert_eq!(session.model.filter(), "M");
    at_every_size("mouse-off", &fixture::decided, &|session| {
        session.keys("M");
    });
    at_every_size("mouse-off-help", &fixture::decided, &|session| {
        session.keys("M ? end");
    });
}

#[test]
fn clicks_anywhere_at_any_size_do_no_harm() {
    for (width, height) in [(1, 1), (10, 3), (60, 20), (90, 30)] {
        for keys in ["f5", "a", "?", ":", "w", "f", "/", "p", "2", "4"] {
            let mut session = Session::on((width, height), fixture::on_trial(83));
            session.keys(keys);
            for row in (0..height).step_by(6).chain([height - 1]) {
                for column in (0..width).step_by(17).chain([width - 1]) {
                    mouse(&mut session, CLICK, column, row);
                    mouse(&mut session, MouseEventKind::ScrollUp, column, row);
                }
            }
        }
    }
}
