//! The palette, the help where one is, and the user's own keys.

use fwtui::core::config::Choice;
use fwtui::tui::commands::{CommandId, Keymap};
use fwtui::tui::model::Column;
use fwtui::tui::popups::Popup;
use fwtui::tui::screens::ScreenId;
use fwtui::tui::{Effect, Msg};

use crate::Session;
use crate::fixture;
use crate::screens::at_every_size;
use crate::sessions::SIZE;
use crate::snapshot::{draw, text};

/// What the palette found, and why each can't be run.
fn found(session: &Session) -> Vec<(CommandId, Option<String>)> {
    let Some(Popup::Palette(palette)) = session.model.popups.last() else {
        panic!("no palette is open");
    };
    let found = palette.found(&session.model);
    found
        .into_iter()
        .map(|found| (found.command.id, found.why_not))
        .collect()
}

fn drawn_text(session: &Session) -> String {
    text(&draw(&session.model))
}

#[test]
fn drawn() {
    at_every_size("palette", &fixture::decided, &|session| {
        session.keys(": down down");
    });
    at_every_size("palette-filtered", &fixture::decided, &|session| {
        session.keys(":");
        session.text("trust");
    });
    at_every_size("palette-nothing-found", &fixture::decided, &|session| {
        session.keys(":");
        session.text("frobnicate");
    });
    at_every_size("palette-without-root", &fixture::without_root, &|session| {
        session.keys(":");
        session.text("co");
    });
    at_every_size("palette-trial", &|| fixture::on_trial(83), &|session| {
        session.keys(":");
        session.text("t");
    });
}

#[test]
fn help_begins_with_what_can_be_done_here() {
    for (name, keys) in [
        ("help-services", "?"),
        ("help-networks", "2 ?"),
        ("help-preview", "p ?"),
        ("help-checkup", "4 ?"),
        ("help-applying", "a ?"),
        ("help-who", "w ?"),
        ("help-typing", "/ f1"),
        ("help-palette", ": f1"),
    ] {
        at_every_size(name, &fixture::decided, &|session| {
            session.keys(keys);
        });
    }
    at_every_size("help-trial", &|| fixture::on_trial(83), &|session| {
        session.keys("?");
    });
    at_every_size("help-keep", &|| fixture::on_trial(83), &|session| {
        session.keys("k ?");
    });
}

#[test]
fn a_command_is_found_by_its_name_and_run_as_its_key_would() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys(":");
    session.text("checkup");
    session.keys("enter");
    assert_eq!(session.model.screen, ScreenId::Checkup);
    assert!(session.model.popups.is_empty());
    session.keys("1 :");
    session.text("order");
    session.keys("esc");
    assert!(session.model.popups.is_empty());
    session.keys(":");
    session.text("sort");
    session.keys("enter");
    assert_ne!(session.model.services.order(), (Column::Port, false));
    // It asks as the key does.
    session.keys(":");
    session.text("apply");
    session.keys("enter");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    session.keys("esc :");
    session.text("quit");
    assert_eq!(session.keys("enter"), [Effect::Quit]);
}

#[test]
fn typing_finds_by_label_by_line_and_by_letters() {
    let mut session = Session::on(SIZE, fixture::decided());
    let mut first = |text: &str| {
        session.keys(": ctrl-u");
        session.text(text);
        let first = found(&session).first().map(|(id, _)| *id);
        session.keys("esc");
        first
    };
    assert_eq!(first("conf"), Some(CommandId::Confine));
    assert_eq!(first("only this machine"), Some(CommandId::Confine));
    assert_eq!(first("UNBLOCK"), Some(CommandId::Unblock));
    assert_eq!(first("ublk"), Some(CommandId::Unblock));
    assert_eq!(first("help"), Some(CommandId::Help));
    assert_eq!(first("frobnicate"), None);
}

#[test]
fn what_can_not_be_run_says_why_and_comes_last() {
    let mut session = Session::on(SIZE, fixture::without_root());
    session.keys(":");
    session.text("confine");
    let first = found(&session).into_iter().next().unwrap();
    assert_eq!(first.0, CommandId::Confine);
    let why = first.1.unwrap();
    assert!(why.contains("sudo fwtui"), "{why}");
    assert_eq!(session.keys("enter"), []);
    assert!(session.notice().contains("sudo fwtui"), "{}", session.notice());
    session.keys(":");
    let all = found(&session);
    let first_not = all.iter().position(|(_, why)| why.is_some()).unwrap();
    assert!(all[first_not..].iter().all(|(_, why)| why.is_some()));
    // Nothing found is no command.
    session.text("frobnicate");
    assert_eq!(session.keys("enter"), []);
    assert!(matches!(session.model.popups.last(), Some(Popup::Palette(_))));
}

#[test]
fn a_trial_is_kept_and_reverted_from_the_palette_and_nothing_else_takes_its_letters() {
    let mut session = Session::on(SIZE, fixture::on_trial(83));
    session.keys(": k r m");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Palette(palette)] if palette.text == "krm"));
    session.keys("ctrl-u");
    session.text("revert now");
    assert!(matches!(session.keys("enter").as_slice(), [Effect::Revert(_)]));
}

#[test]
fn help_tells_the_keys_of_what_is_open_and_closes_to_it() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("a ?");
    assert!(matches!(
        session.model.popups.as_slice(),
        [Popup::Apply(_), Popup::Help(_)]
    ));
    session.keys("?");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    session.keys("esc /");
    session.text("?");
    assert_eq!(session.model.filter(), "?");
}

#[test]
fn the_help_is_searched_as_the_preview_is() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("? /");
    session.text("frobnicate");
    let count = |session: &Session| session.model.help().unwrap().search.count();
    assert_eq!(count(&session), (0, 0));
    session.keys("ctrl-u");
    session.text("trusted networks");
    let (at, all) = count(&session);
    assert!(at == 1 && all >= 2, "{at} of {all}");
    let shown = drawn_text(&session);
    assert!(shown.contains(&format!(" / trusted networks    1 of {all}")), "{shown}");
    // The rows below are not filtered by it.
    session.keys("enter");
    assert_eq!(session.model.services.filter(), "");
    let shown = drawn_text(&session);
    assert!(
        shown.contains(&format!("Search: trusted networks (1 of {all}, esc ends it)")),
        "{shown}"
    );
    assert!(shown.contains("/ search  n next  N previous  esc close"), "{shown}");
    let mut tops = vec![session.model.help().unwrap().top];
    for number in 2..=all {
        session.keys("n");
        assert_eq!(count(&session), (number, all));
        tops.push(session.model.help().unwrap().top);
        assert!(drawn_text(&session).to_lowercase().contains("trusted networks"));
    }
    assert!(tops.windows(2).any(|pair| pair[0] < pair[1]), "{tops:?}");
    session.keys("n");
    assert_eq!(count(&session), (1, all));
    session.keys("N");
    assert_eq!(count(&session), (all, all));
    // Esc ends the search, and then the help.
    session.keys("esc");
    assert_eq!(count(&session), (0, 0));
    session.keys("n");
    assert_eq!(session.notice(), "Nothing is searched for yet: / begins.");
    session.keys("esc");
    assert!(session.model.popups.is_empty());
}

#[test]
fn what_the_help_breaks_over_lines_is_found_and_given_up_is_what_was_typed() {
    let mut session = Session::on((60, 20), fixture::decided());
    session.keys("? /");
    session.text("whatever is decided");
    session.keys("enter");
    let help = session.model.help().unwrap();
    let hit = help.search.current().unwrap();
    assert_eq!(hit.places.len(), 2, "{hit:?}");
    // In a wider terminal it is on one line, and still found.
    session.send(Msg::Resize(100, 30));
    let help = session.model.help().unwrap();
    assert_eq!(help.search.current().unwrap().places.len(), 1);
    session.keys("/");
    session.text("frobnicate");
    session.keys("esc");
    let help = session.model.help().unwrap();
    assert_eq!(help.search.needle(), "whatever is decided");
    session.keys("/");
    session.text("frobnicate");
    session.keys("enter n");
    assert_eq!(session.notice(), "'frobnicate' is nowhere in what is shown.");
}

#[test]
fn the_help_of_what_is_open_is_searched_too_and_arrows_scroll_it_while_one_types() {
    let mut session = Session::on((60, 20), fixture::decided());
    session.keys("a ? /");
    session.text("trial");
    assert!(session.model.help().unwrap().search.count().1 > 1);
    let before = session.model.help().unwrap().top;
    session.keys("pgdn f1");
    assert!(session.model.help().unwrap().top > before);
    assert!(matches!(
        session.model.popups.as_slice(),
        [Popup::Apply(_), Popup::Help(_), Popup::Entry(_)]
    ));
}

fn choose(session: &mut Session, choices: &[(&str, &str)]) {
    let choices: Vec<Choice> = choices
        .iter()
        .map(|(command, key)| Choice {
            command: (*command).to_owned(),
            keys: key
                .split(' ')
                .filter(|key| !key.is_empty())
                .map(str::to_owned)
                .collect(),
            line: 1,
        })
        .collect();
    let (keymap, complaints) = Keymap::with(&choices);
    assert_eq!(complaints, []);
    session.model.settings.keymap = keymap;
}

#[test]
fn the_users_keys_hold_in_footer_help_and_palette() {
    let own = |session: &mut Session| {
        choose(
            session,
            &[
                ("services.confine", "f6"),
                ("services.sort", ""),
                ("moving.down", "down j"),
                ("screens.quit", "ctrl-q"),
            ],
        );
    };
    let mut session = Session::on(SIZE, fixture::decided());
    own(&mut session);
    assert_eq!(session.keys("q c s"), []);
    session.keys("j");
    assert_eq!(session.model.services.list.cursor, 1);
    // Where one types, letters are letters.
    session.keys("/ j");
    assert_eq!(session.model.filter(), "j");
    session.keys("esc :");
    session.text("sort");
    session.keys("enter");
    assert_ne!(session.model.services.order(), (Column::Port, false));
    assert_eq!(session.keys("ctrl-q"), [Effect::Quit]);
    at_every_size("keys-of-the-user", &fixture::decided, &own);
    at_every_size("keys-of-the-user-help", &fixture::decided, &|session| {
        own(session);
        session.keys("?");
    });
}

#[test]
fn what_is_wrong_in_the_configuration_is_told() {
    let tell = |count: usize| {
        move |session: &mut Session| {
            let first = "config.json, line 3: unknown field 'theem': did you mean 'theme'?".to_owned();
            let other = "config.json, line 4: 'maybe': write yes or no".to_owned();
            session.model.settings.complaints = vec![first, other].into_iter().cycle().take(count).collect();
            session.send(Msg::Tick(fixture::NOW));
        }
    };
    at_every_size("config-wrong", &fixture::decided, &tell(1));
    at_every_size("config-wrong-thrice", &fixture::decided, &tell(3));
}
