//! The screens in ASCII. That every state of every other test can be drawn so is checked with its
//! snapshot; here is how it looks, and that signs stay what they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fwtui::app::State;
use fwtui::core::checkup::Severity;
use fwtui::core::network::NetworkClass;
use fwtui::core::reach::{Fate, Reach, Who};
use fwtui::tui::ascii::sign;
use fwtui::tui::widgets::symbols;

use crate::screens::at_every_size;
use crate::snapshot::{draw, text};
use crate::{Session, fixture};

pub(crate) fn fold(session: &mut Session) {
    session.model.settings.is_ascii = true;
    session.model.settings.keymap.is_ascii = true;
}

#[test]
fn the_screens() {
    at_every_size("ascii-services", &fixture::decided, &|session| {
        fold(session);
        session.keys("down down down down space down");
    });
    at_every_size("ascii-services-weird-names", &fixture::weird, &fold);
    at_every_size("ascii-networks", &fixture::decided, &|session| {
        fold(session);
        session.keys("2 down");
    });
    at_every_size("ascii-preview", &fixture::decided, &|session| {
        fold(session);
        session.keys("p");
    });
    at_every_size("ascii-trial", &|| fixture::on_trial(62), &fold);
}

#[test]
fn the_popups() {
    for (name, keys) in [("help", "?"), ("apply", "a"), ("filter", "/ p o"), ("who", "w")] {
        at_every_size(&format!("ascii-{name}"), &fixture::decided, &|session| {
            fold(session);
            session.keys(keys);
        });
    }
    at_every_size("ascii-keep", &|| fixture::on_trial(62), &|session| {
        fold(session);
        session.keys("k");
    });
}

#[test]
fn an_arrow_is_no_letter() {
    let mut session = Session::on((80, 160), fixture::decided());
    session.keys("?");
    // What stands before a text in the help.
    let before = |session: &Session, words: &str| {
        let drawn = text(&draw(&session.model));
        let line = drawn
            .lines()
            .find_map(|line| line.split_once(words))
            .unwrap_or_else(|| panic!("{words}:\n{drawn}"));
        line.0.trim_matches(['│', '|', ' ']).to_owned()
    };
    assert_eq!(before(&session, "Go down"), "↓");
    fold(&mut session);
    for (words, sign) in [
        ("Go up", "up"),
        ("Go down", "down"),
        ("Go to the rules", "right"),
        ("Everyone can connect", "@"),
        ("Trusted networks, or the", "o"),
        ("Only this machine can", "."),
    ] {
        assert_eq!(before(&session, words), sign, "{words}");
    }
}

/// Signs of one group, in ASCII.
fn folded(group: &str, signs: impl IntoIterator<Item = char>) -> Vec<char> {
    let mut found = BTreeMap::new();
    for one in signs {
        let folded = sign(one).unwrap_or_else(|| panic!("{group}: {one} has no likeness"));
        let other = found.insert(folded, one).unwrap_or(one);
        assert_eq!(other, one, "{group}: both are {folded}");
    }
    found.into_keys().collect()
}

#[test]
fn signs_of_one_group_stay_apart() {
    let reaches = [Reach::ThisMachine, Reach::Trusted, Reach::Unknown, Reach::Everyone];
    let reaches = folded("reach", reaches.map(|reach| symbols::reach(reach).0));
    let states = [
        State::Confirmed,
        State::Off,
        State::Trial,
        State::Drifted,
        State::Unknown,
    ];
    folded("state", states.map(|state| symbols::state(state).0));
    let severities = folded("severity", Severity::ALL.map(|severity| symbols::severity(severity).0));
    folded("class", NetworkClass::ALL.map(|class| symbols::class(class).0));
    let fates = [Fate::Accepted, Fate::Refused, Fate::Unknown { may_arrive: true }];
    let fates = folded(
        "fate",
        fates.map(|fate| symbols::fate(fate, Who::Strangers, NetworkClass::Public).0),
    );
    // What stands beside them in the same row, or in the help's list of signs.
    for beside in ['*', '!', '+', '-', '>'] {
        assert!(!reaches.contains(&beside) && !fates.contains(&beside), "{beside}");
    }
    for reach in reaches.iter().filter(|reach| **reach != '?') {
        assert!(!severities.contains(reach), "{reach}");
    }
}

/// All Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A screen that takes a new sign must say what it is in ASCII.
#[test]
fn every_sign_of_the_sources_has_a_likeness() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 50, "only {} files were found", files.len());
    let drawn = files.iter().filter(|(path, _)| !path.ends_with("tests.rs"));
    for (path, source) in drawn {
        // Tests take any letters they like.
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for character in source.chars().filter(|character| !character.is_ascii()) {
            assert!(sign(character).is_some(), "{path}: add {character} to src/tui/ascii.rs");
        }
    }
}
