//! Sentences on a terminal break between words, and in a pipe not at all.

use std::process::Command;

use crate::lab::in_sandbox;
use crate::terminal::Terminal;

const SIZES: [(u16, u16); 3] = [(60, 200), (80, 200), (200, 100)];

/// A command's words, on a terminal of so many columns.
fn at_a_terminal(size: (u16, u16), args: &[&str]) -> Vec<String> {
    let mut terminal = Terminal::with(size, &command(args));
    terminal.ends();
    let text = terminal.text();
    let lines = text.trim_end().lines().skip(1);
    lines.map(str::to_owned).collect()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
    command
        .args(args)
        .env("FWTUI_ROOT", "/nowhere")
        .env("HOME", "/nowhere")
        .env_remove("XDG_CONFIG_HOME");
    command
}

/// The same, in pipes.
fn in_a_pipe(args: &[&str]) -> String {
    let output = command(args).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

/// The words, wherever lines end.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn sentences_have_all_their_words_and_none_is_broken() {
    for args in [
        &["themes", "no-such-theme-at-all"][..],
        &["apply"],
        &["set", "5432/tcp", "nonsense"],
        &["knock"],
        &["confirm"],
        &["explain", "22/tcp", "--from", "192.0.2.7"],
    ] {
        let piped = in_a_pipe(args);
        for size in SIZES {
            // A terminal is asked, a pipe is not.
            if args == ["apply"] && size.0 > 0 {
                continue;
            }
            let lines = at_a_terminal(size, args);
            assert_eq!(words(&lines.join("\n")), words(&piped), "{args:?} at {size:?}");
            let most = usize::from(size.0).min(100);
            for line in &lines {
                let is_one_word = line.split_whitespace().count() == 1;
                assert!(
                    line.chars().count() <= most || is_one_word,
                    "{args:?} at {size:?}: {line}"
                );
            }
        }
    }
}

#[test]
fn a_pipe_gets_a_sentence_in_one_line() {
    let piped = in_a_pipe(&["themes", "no-such-theme-at-all"]);
    assert_eq!(piped.lines().count(), 2, "{piped}");
    assert!(piped.lines().any(|line| line.len() > 100), "{piped}");
}

#[test]
fn reports_and_tables_fit() {
    for args in [
        &["status"][..],
        &["list"],
        &["setup", "--show"],
        &["network"],
        &["config"],
        &["check"],
    ] {
        for size in SIZES {
            let most = usize::from(size.0).min(100);
            for line in at_a_terminal(size, args) {
                let count = line.chars().count();
                let is_one_word = line.split_whitespace().count() == 1;
                assert!(count <= most || is_one_word, "{args:?} at {size:?}: {line}");
            }
        }
    }
}

#[test]
fn other_lines_of_an_error_begin_below_its_first_word() {
    let lines = at_a_terminal((60, 24), &["--theme", "no-such-theme-at-all", "themes"]);
    assert!(lines[0].starts_with("fwtui: there is no theme"), "{lines:?}");
    assert!(lines[1].starts_with("  There are dark"), "{lines:?}");
    assert!(lines[2].starts_with("    "), "{lines:?}");
}

/// With services and neighbours, and rules to talk about.
#[test]
fn what_a_server_says_fits_too() {
    in_sandbox(|_lab| {
        for args in [
            &["list"][..],
            &["knock"],
            &["network", "eth0"],
            &["setup", "--show"],
            &["check"],
            &["status"],
            &["explain", "5432/tcp", "--from", "203.0.113.1"],
        ] {
            for (columns, rows) in [(60, 900), (80, 900)] {
                let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
                command.args(args);
                let mut terminal = Terminal::with((columns, rows), &command);
                terminal.ends();
                let text = terminal.text();
                for line in text.trim_end().lines() {
                    let is_one_word = line.split_whitespace().count() == 1;
                    let count = line.chars().count();
                    assert!(
                        count <= usize::from(columns) || is_one_word,
                        "{args:?} at {columns}: {line}"
                    );
                }
            }
        }
        // Rules are for copying: the terminal breaks them, and the emulator tells so by longer lines.
        let mut terminal = Terminal::start((60, 900), &["preview", "--format", "iptables"]);
        terminal.ends();
        assert!(terminal.text().lines().any(|line| line.chars().count() > 60));
    });
}
