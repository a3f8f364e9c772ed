//! Searching on the Preview screen.

use fwtui::tui::model::Pane;

use super::drawn;
use crate::screens::at_every_size;
use crate::sessions::SIZE;
use crate::{Session, fixture};

#[test]
fn a_search_goes_from_place_to_place() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("p /");
    session.text("5432");
    let shown = drawn(&session);
    assert!(shown.contains("1 of "), "{shown}");
    session.keys("enter");
    let (at, all) = session.model.found();
    assert!(at == 1 && all > 3, "{at} of {all}");
    assert_eq!(session.model.preview.pane, Pane::Words);
    session.keys("n");
    assert_eq!(session.model.preview.pane, Pane::Rules);
    assert!(drawn(&session).contains("5432"), "{}", drawn(&session));
    for number in 3..=all {
        session.keys("n");
        assert_eq!(session.model.found(), (number, all));
        let hit = session.model.preview.search.current().unwrap().line();
        let top = session.model.preview.rules_top;
        assert!((top..top + 20).contains(&hit), "{hit} is out of sight of {top}");
    }
    session.keys("n");
    assert_eq!(session.model.found(), (1, all));
    session.keys("N");
    assert_eq!(session.model.found(), (all, all));
    assert!(
        drawn(&session).contains(&format!("{all} of {all}")),
        "{}",
        drawn(&session)
    );
    // Another view has other places.
    session.keys("v");
    assert_ne!(session.model.found().1, all);
    session.keys("esc");
    assert_eq!(session.model.found(), (0, 0));
    session.keys("n");
    assert_eq!(session.notice(), "Nothing is searched for yet: / begins.");
}

#[test]
fn what_is_broken_over_two_lines_is_found_and_what_is_not_there_is_said() {
    let mut session = Session::on((60, 20), fixture::decided());
    session.keys("p /");
    session.text("--ctorigdstport 5432 -m comment");
    session.keys("enter");
    let (_, all) = session.model.found();
    assert!(all > 0, "{}", drawn(&session));
    let places = session.model.preview.search.hits();
    assert!(places.iter().any(|hit| hit.places.len() > 1), "{places:?}");
    session.keys("/ ctrl-u");
    session.text("nowhere at all");
    session.keys("enter n");
    assert_eq!(session.notice(), "'nowhere at all' is nowhere in what is shown.");
    // Given up while it is typed, the search before holds again.
    session.keys("esc / x");
    session.keys("esc");
    assert_eq!(session.model.filter(), "nowhere at all");
}

#[test]
fn an_edit_keeps_the_search() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("p /");
    session.text("reject");
    session.keys("enter");
    let (_, before) = session.model.found();
    session.keys("x");
    let (_, after) = session.model.found();
    assert!(before > 0 && after > 0 && before != after, "{before} {after}");
}

#[test]
fn searching_is_drawn() {
    at_every_size("preview-search", &fixture::decided, &|session| {
        session.keys("p /");
        session.text("5432");
    });
    at_every_size("preview-found", &fixture::decided, &|session| {
        session.keys("p /");
        session.text("5432");
        session.keys("enter n n");
    });
}
