//! What a configuration comes to.

use std::time::Duration;

use super::{Ascii, Config, DEFAULT_REFRESH, Field, Said, Source};

const SCREENS: [&str; 4] = ["services", "networks", "preview", "checkup"];

fn of(said: &Said) -> Config {
    let theme = |name: &str| match ["dark", "light", "monochrome"].contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("there is no theme '{name}'")),
    };
    Config::of(said, theme, &SCREENS)
}

fn from_file(text: &str) -> Config {
    let file = Some(text.to_owned());
    of(&Said {
        file,
        ..Said::default()
    })
}

/// What is wrong, each with its line.
fn wrong(text: &str) -> Vec<(usize, String)> {
    let line = |source| match source {
        Source::File(line) => line.unwrap_or_default(),
        Source::CommandLine | Source::Environment(_) | Source::Default => 0,
    };
    let wrong = from_file(text).wrong;
    wrong
        .into_iter()
        .map(|wrong| (line(wrong.source), wrong.reason))
        .collect()
}

#[test]
fn nothing_said_is_the_default() {
    let config = of(&Said::default());
    assert_eq!(
        (config.theme.value.as_str(), config.screen.value.as_str()),
        ("dark", "services")
    );
    assert_eq!((config.mouse.value, config.ascii.value), (true, Ascii::Auto));
    assert_eq!(config.refresh.value, Some(DEFAULT_REFRESH));
    assert_eq!(config.theme.source, Source::Default);
    assert!(config.wrong.is_empty() && config.keys.is_empty());
}

#[test]
fn a_file_is_read_with_its_lines() {
    let text = "{\n \"theme\": \"light\",\n \"mouse\": false,\n\n \"refresh\": 10, \"timeout\": \"5m\",\n \"ascii\": \"yes\",\n \"keys\": {\n  \"services.confine\": [\"x\", \"f6\"],\n  \"screens.quit\": \"ctrl-q\"\n }\n}";
    let config = from_file(text);
    assert!(config.wrong.is_empty(), "{:?}", config.wrong);
    assert_eq!(
        (config.theme.value.as_str(), config.theme.source),
        ("light", Source::File(Some(2)))
    );
    assert_eq!(
        (config.mouse.value, config.mouse.source),
        (false, Source::File(Some(3)))
    );
    assert_eq!(config.refresh.value, Some(Duration::from_secs(10)));
    assert_eq!(
        (config.timeout.value, config.timeout.source),
        (Duration::from_secs(300), Source::File(Some(5)))
    );
    assert_eq!(config.ascii.value, Ascii::Yes);
    let keys: Vec<_> = config
        .keys
        .iter()
        .map(|choice| (choice.command.as_str(), choice.keys.len(), choice.line))
        .collect();
    assert_eq!(keys, [("services.confine", 2, 8), ("screens.quit", 1, 9)]);
}

#[test]
fn what_is_nearer_counts_more() {
    let mut said = Said {
        file: Some(r#"{"theme": "light", "mouse": "no", "screen": "checkup"}"#.to_owned()),
        environment: vec![
            (Field::Theme, "monochrome".to_owned()),
            (Field::Screen, "nonsense".to_owned()),
        ],
        ..Said::default()
    };
    let config = of(&said);
    assert_eq!(
        (config.theme.value.as_str(), config.theme.source),
        ("monochrome", Source::Environment("FWTUI_THEME"))
    );
    // A wrong word gives way to the next source, and is named.
    assert_eq!(
        (config.screen.value.as_str(), config.screen.source),
        ("checkup", Source::File(Some(1)))
    );
    assert_eq!(config.wrong.len(), 1);
    assert_eq!(config.wrong[0].source, Source::Environment("FWTUI_SCREEN"));
    said.command_line = vec![(Field::Theme, "dark".to_owned())];
    assert_eq!(of(&said).theme.source, Source::CommandLine);
}

#[test]
fn mistakes_are_named_with_line_and_the_word_meant_and_the_rest_holds() {
    let text = "{\n \"theem\": \"light\",\n \"screen\": \"servces\",\n \"mouse\": 3,\n \"refresh\": 0,\n \"timeout\": \"2h\",\n \"ascii\": [],\n \"theme\": \"light\",\n \"theme\": \"dark\",\n \"keys\": {\"a\": 1}\n}";
    let expected = [
        (2, "unknown field 'theem': did you mean 'theme'?"),
        (3, "'servces': there is no such screen: did you mean 'services'?"),
        (4, "'3': write yes or no"),
        (5, "'0': write the seconds, 1 to 60, or off"),
        (6, "'2h': a trial lasts from 20 seconds to 1 hour"),
        (7, "'ascii' takes one word or number"),
        (9, "'theme' is there twice: the first one holds"),
        (10, "'a' takes a list of keys, like [\"x\", \"f5\"]"),
    ];
    let mut found = wrong(text);
    found.sort();
    let found: Vec<(usize, &str)> = found.iter().map(|(line, reason)| (*line, reason.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(from_file(text).theme.value, "light");
}

#[test]
fn what_is_no_object_is_one_mistake() {
    for (text, line) in [
        ("", 1),
        ("[]", 1),
        ("{\n\"theme\": \"dark\"\n", 3),
        ("{}\n\n}", 3),
        ("\u{1b}[2J", 1),
    ] {
        let wrong = wrong(text);
        assert_eq!(wrong.len(), 1, "{text}");
        assert_eq!(wrong[0].0, line, "{wrong:?}");
        assert!(!wrong[0].1.contains('\u{1b}'));
    }
}

#[test]
fn a_hostile_file_is_read_in_time_and_quoted_harmlessly() {
    let deep = format!("{{\"theme\": {}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(wrong(&deep), [(1, "'theme' takes one word or number".to_owned())]);
    let many = format!("{{{}\"theme\": \"light\"}}", "\"\\u001b[2J\": 1,\n".repeat(5000));
    let found = wrong(&many);
    assert_eq!(found.len(), super::document::MOST_COMPLAINTS);
    assert!(found.iter().all(|(_, reason)| !reason.contains('\u{1b}')));
}

#[test]
fn looking_now_and_then_can_be_turned_off() {
    for (text, expected) in [
        ("1", Some(Some(1))),
        ("60", Some(Some(60))),
        ("5s", Some(Some(5))),
        ("off", Some(None)),
        ("false", Some(None)),
        ("61", None),
        ("-1", None),
        ("", None),
        ("1.5", None),
    ] {
        let seconds = super::refresh(text).ok().map(|time| time.map(|time| time.as_secs()));
        assert_eq!(seconds, expected, "{text}");
    }
}
