//! Writing what is shown to a file.

use std::path::PathBuf;

use fwtui::app::{Error, Writing, Written};
use fwtui::tui::popups::Popup;
use fwtui::tui::{Effect, Msg};

use super::drawn;
use crate::screens::at_every_size;
use crate::sessions::SIZE;
use crate::{Session, fixture};

/// What is asked to be written.
fn writing(effects: &[Effect]) -> Writing {
    let [Effect::Write(writing)] = effects else {
        panic!("{effects:?}")
    };
    (**writing).clone()
}

fn missing() -> Error {
    Error::failed("/root/reports is not there").hint("Make the folder first, or name another one.")
}

#[test]
fn what_is_shown_is_written() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.model.observation.world.now = std::time::Duration::from_secs(1_795_440_000);
    session.keys("p v w");
    assert!(
        drawn(&session).contains("./fwtui-preview-2026-11-23.txt"),
        "{}",
        drawn(&session)
    );
    let asked = writing(&session.keys("enter"));
    assert_eq!(
        (asked.path.as_str(), asked.may_replace),
        ("./fwtui-preview-2026-11-23.txt", false)
    );
    for words in [
        "fwtui: preview of lumen, 2026-11-23 13:20:00 UTC\n",
        "! 1 service that can be reached now is undecided and will be refused\n",
        "nginx 80/tcp, now everyone\n",
        "Rules (full)\n",
        "IPv6\n",
        "-A FWTUI-PUB-TCP -p tcp -m conntrack --ctorigdstport 5432 -m comment --comment fwtui:5432/tcp -g FWTUI-REFUSE\n",
    ] {
        assert!(asked.text.contains(words), "{words}: {}", asked.text);
    }
    assert!(
        asked
            .text
            .chars()
            .all(|character| character == '\n' || !character.is_control())
    );
    let path = PathBuf::from("/root/fwtui-preview-2026-11-23.txt");
    session.send(Msg::Written(Box::new(asked), Ok(Written::Done(path))));
    assert!(session.model.popups.is_empty());
    assert!(
        session.notice().contains("/root/fwtui-preview-2026-11-23.txt"),
        "{}",
        session.notice()
    );
}

#[test]
fn what_is_there_is_replaced_only_after_a_question() {
    let mut session = Session::on(SIZE, fixture::decided());
    let asked = writing(&session.keys("p w enter"));
    let there = || Ok(Written::Exists("/root/preview.txt".into()));
    session.send(Msg::Written(Box::new(asked.clone()), there()));
    assert_eq!(session.keys("enter"), [], "Enter is not enough");
    session.keys("n");
    // Back where the name is typed.
    assert!(matches!(session.model.popups.as_slice(), [Popup::Entry(_)]));
    session.send(Msg::Written(Box::new(asked.clone()), there()));
    let again = writing(&session.keys("y"));
    assert!(again.may_replace && again.text == asked.text);
}

#[test]
fn what_is_wrong_is_said_where_the_name_is_typed() {
    let mut session = Session::on(SIZE, fixture::decided());
    session.keys("p w ctrl-u");
    assert_eq!(session.keys("enter"), []);
    assert!(drawn(&session).contains("A file needs a name."), "{}", drawn(&session));
    session.text("/root/reports/x");
    let asked = writing(&session.keys("enter"));
    session.send(Msg::Written(Box::new(asked), Err(missing())));
    let shown = drawn(&session);
    assert!(
        shown.contains("/root/reports is not there. Make the folder first"),
        "{shown}"
    );
    session.keys("backspace");
    assert!(!drawn(&session).contains("is not there"), "{}", drawn(&session));
    session.keys("esc");
    assert!(session.model.popups.is_empty());
}

#[test]
fn names_that_mean_harm_are_shown_harmlessly() {
    let mut observation = fixture::weird();
    observation.policy = fixture::wanted_policy();
    let mut session = Session::on(SIZE, observation);
    let asked = writing(&session.keys("p w enter"));
    assert!(
        asked
            .text
            .chars()
            .all(|character| character == '\n' || !character.is_control())
    );
}

#[test]
fn the_file_is_drawn() {
    at_every_size("write", &fixture::decided, &|session| {
        session.keys("p w");
    });
    at_every_size("write-error", &fixture::decided, &|session| {
        let asked = writing(&session.keys("p w enter"));
        session.send(Msg::Written(Box::new(asked), Err(missing())));
    });
    at_every_size("write-replace", &fixture::decided, &|session| {
        let asked = writing(&session.keys("p w enter"));
        session.send(Msg::Written(
            Box::new(asked),
            Ok(Written::Exists("/root/preview.txt".into())),
        ));
    });
}
