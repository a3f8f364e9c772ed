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
        [Popup::Apply(_), Popup::Help(0)]
    ));
    session.keys("?");
    assert!(matches!(session.model.popups.as_slice(), [Popup::Apply(_)]));
    session.keys("esc /");
    session.text("?");
    assert_eq!(session.model.filter(), "?");
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
