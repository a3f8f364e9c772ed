//! The user's keys: sentences and hints name them, and never those of the table in their place.
//!
//! What is compared with a file is drawn once more, with a key of its own for every command before
//! those it has. So the sessions go on as they are, and whatever names one of the old keys gives itself away.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use fwtui::core::config::Choice;
use fwtui::tui::commands::{self, Keymap};
use fwtui::tui::popups::Popup;
use fwtui::tui::{Model, Settings};

use crate::Session;
use crate::fixture;
use crate::snapshot::{draw, text};

thread_local! {
    static HAS_OTHER_KEYS: Cell<bool> = const { Cell::new(false) };
}

static OTHERS: LazyLock<Keymap> = LazyLock::new(others);
static OLD: LazyLock<BTreeSet<String>> = LazyLock::new(old_keys);

/// The settings of a session that begins now.
pub(crate) fn settings(settings: Settings) -> Settings {
    match HAS_OTHER_KEYS.get() {
        true => Settings {
            keymap: OTHERS.clone(),
            ..settings
        },
        false => settings,
    }
}

/// Does it with the user's own keys.
pub(crate) fn with_other_keys(act: impl FnOnce()) {
    HAS_OTHER_KEYS.set(true);
    act();
    HAS_OTHER_KEYS.set(false);
}

/// Letters that nothing else on the screens is written with; where characters are typed, keys that type none.
fn others() -> Keymap {
    let mut letters = ('А'..='ӿ').chain('Ա'..='Ֆ').filter(|letter| letter.is_alphabetic());
    let choices: Vec<Choice> = commands::table()
        .iter()
        .map(|command| {
            let mut with_ctrl = ["f12", "f11", "f10", "f9", "f8", "f7", "f6"].into_iter();
            let is_typed_into = command.context.is_typed_into();
            let position = commands::of(command.context)
                .position(|other| other == command)
                .unwrap();
            let key = match is_typed_into {
                true => with_ctrl.nth(position).unwrap().to_owned(),
                false => letters.next().unwrap().to_string(),
            };
            Choice {
                command: command.name(),
                keys: std::iter::once(key)
                    .chain(command.keys.iter().map(ToString::to_string))
                    .collect(),
                line: 1,
            }
        })
        .collect();
    let (keymap, complaints) = Keymap::with(&choices);
    assert_eq!(complaints, []);
    keymap
}

/// The keys of the table, as sentences would name them.
fn old_keys() -> BTreeSet<String> {
    let keys = commands::table().iter().flat_map(|command| command.keys);
    let names = keys.map(|key| key.to_string().to_lowercase());
    // Words of every sentence here, signs that mean something else as well, and the numbers in the tabs,
    // which go on meaning what they did.
    let others = [
        "space", "home", "end", "-", "+", "*", ":", "!", "↑", "↓", "1", "2", "3", "4",
    ];
    let is_telling = |name: &String| !others.contains(&name.as_str());
    names
        .filter(is_telling)
        .chain(["page down".to_owned(), "page up".to_owned()])
        .collect()
}

/// What a sentence says of a key that it names.
const VERBS: [&str; 32] = [
    "adds", "all", "again", "applies", "begins", "brings", "checks", "clears", "closes", "confines", "ends", "enables",
    "gives", "goes", "keeps", "leaves", "loads", "marks", "opens", "or", "puts", "reads", "removes", "reverts",
    "searches", "shows", "stops", "takes", "to", "trusts", "undoes", "writes",
];

/// Whether this is a session with the user's own keys; what it draws names no other ones then.
pub(crate) fn check(name: &str, model: &Model) -> bool {
    // The help lists all keys of a command, and in ASCII every other letter is a question mark.
    let is_told = !matches!(model.popups.last(), Some(Popup::Help(_))) && !model.settings.is_ascii;
    if HAS_OTHER_KEYS.get() && is_told {
        let drawn = text(&draw(model));
        let named: Vec<&str> = drawn.lines().filter(|line| names_an_old_key(line)).collect();
        assert!(
            named.is_empty(),
            "{name} names keys that are others here: {named:#?}\n\n{drawn}"
        );
    }
    HAS_OTHER_KEYS.get()
}

fn names_an_old_key(line: &str) -> bool {
    // What is under way is stopped by that key whatever the user chose.
    let line = line.replace("esc stops", "");
    let words: Vec<&str> = line.split_whitespace().filter(|word| !"│|".contains(word)).collect();
    let is_old = |word: &str| OLD.contains(&word.to_lowercase());
    words.iter().enumerate().any(|(index, word)| {
        let bare = word.trim_end_matches(['.', ',', ';']);
        let inner = bare.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
        let before = index.checked_sub(1).and_then(|before| words.get(before)).unwrap_or(&"");
        let after = words.get(index + 1).unwrap_or(&"");
        let is_named = before.eq_ignore_ascii_case("press")
            || VERBS.contains(after) && !(*word == "a" && ["again", "all", "or", "to"].contains(after))
            || before.ends_with(':') && after.is_empty();
        inner.is_some_and(is_old) || is_old(bare) && is_named
    })
}

#[test]
fn sentences_that_name_a_key_are_told_from_others() {
    for line in [
        " ▌Something is wrong … more: ?",
        "  Press y to replace it by what is shown here",
        "A trial is running: keep it (k) or revert it (r) first.",
        "Nothing matches the filter. esc shows all.",
        "decided yet. c confines it, t trusts your networks",
        "  f reads all ",
    ] {
        assert!(names_an_old_key(line), "{line}");
    }
    for line in [
        "  SERVICE         PORT v     REACH NOW      AFTER DECISION",
        " D ╰──────────╯",
        "a new connection from 192.0.2.7 to 22/tcp, 12 s ago",
        "In 2 s й keeps them.",
        "Checking the machine … 3 s   esc stops it",
    ] {
        assert!(!names_an_old_key(line), "{line}");
    }
}

#[test]
fn a_tab_names_the_key_that_shows_it() {
    let choice = |command: &str, keys: &[&str]| Choice {
        command: command.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        line: 1,
    };
    let choices = [
        choice("screens.show-services", &["f9"]),
        choice("screens.show-checkup", &[]),
    ];
    let (keymap, complaints) = Keymap::with(&choices);
    assert_eq!(complaints, []);
    let mut session = Session::on((80, 24), fixture::fresh());
    session.model.settings.keymap = keymap;
    let drawn = text(&draw(&session.model));
    assert!(
        drawn.contains(" F9 Services   2 Networks   3 Preview   Checkup"),
        "{drawn}"
    );
}
