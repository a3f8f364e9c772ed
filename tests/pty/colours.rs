//! No colours for those who want none, and none for terminals that have none.

use std::process::Command;

use crate::terminal::Terminal;

/// The parameters of all SGR sequences (ECMA-48, 8.3.117) that choose a colour.
fn colours(written: &str) -> Vec<String> {
    let sequences = written.split("\u{1b}[").filter_map(|rest| {
        let (parameters, _) = rest.split_once('m')?;
        let is_sgr = parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
        is_sgr.then(|| parameters.to_owned())
    });
    sequences
        .filter(|parameters| {
            parameters
                .split(';')
                .any(|number| matches!(number.parse(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
        })
        .collect()
}

fn screens_with(variable: &str, value: &str) -> Terminal {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
    command
        .args(["--root", "/nowhere", "--screen", "services"])
        .env(variable, value);
    let mut terminal = Terminal::with((80, 24), &command);
    terminal.until("the first look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    terminal.types("q");
    terminal.ends_well(0);
    terminal
}

#[test]
fn none_where_they_are_not_wanted() {
    for (variable, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "vt100-m")] {
        let written = screens_with(variable, value).written();
        assert_eq!(colours(&written), Vec::<String>::new(), "{variable}={value}");
    }
}

#[test]
fn as_many_as_the_terminal_has() {
    let written = screens_with("COLORTERM", "truecolor").written();
    assert!(written.contains("38;2;"), "true colours");
    let written = screens_with("TERM", "xterm-256color").written();
    assert!(written.contains("38;5;") && !written.contains("38;2;"), "256 colours");
}

#[test]
fn an_empty_no_color_is_none() {
    let written = screens_with("NO_COLOR", "").written();
    assert!(!colours(&written).is_empty());
}
