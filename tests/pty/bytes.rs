//! What a keystroke costs on a slow link, and what nothing costs.

use crate::lab::{Lab, in_sandbox};
use crate::terminal::Terminal;

/// More than that takes two seconds at 9,600 baud.
const MOST: usize = 2048;
/// Another screen, or a text over most of one, is nearly every cell, and no cell is less than a byte.
const MOST_FOR_ALL_CELLS: usize = 2 * MOST;
const ALL_CELLS: [&str; 6] = ["networks", "preview", "checkup", "services", "help", "closing help"];

/// How many bytes are written for a key, until these words are there and nothing more comes: also what
/// the neighbours answer at the next service.
#[track_caller]
fn cost(terminal: &mut Terminal, key: &str, words: &[&str]) -> usize {
    terminal.is_quiet();
    let before = terminal.written().len();
    terminal.types(key);
    terminal.changes(before);
    terminal.sees(words);
    terminal.is_quiet();
    terminal.written().len() - before
}

/// The screens when the neighbours have answered, too.
fn open(_: &Lab, size: (u16, u16), color: &str) -> Terminal {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fwtui"));
    command.args(["--screen", "services"]).env("COLORTERM", color);
    let mut terminal = Terminal::with(size, &command);
    terminal.until("the first complete look", |text| {
        text.contains("Services") && !text.contains("looking") && text.contains("far answers")
    });
    terminal
}

#[test]
fn a_keystroke_costs_less_than_two_kilobytes() {
    in_sandbox(|lab| {
        for color in ["", "truecolor"] {
            let mut terminal = open(lab, (80, 24), color);
            let mut dear = Vec::new();
            for (name, key, words) in [
                ("down", "\u{1b}[B", &["quit"] as &[&str]),
                ("page down", "\u{1b}[6~", &["quit"]),
                ("end", "\u{1b}[F", &["quit"]),
                ("home", "\u{1b}[H", &["quit"]),
                ("filter", "/", &["cancel"]),
                ("a letter of the filter", "s", &["/ s"]),
                ("cancel", "\u{1b}", &["q quit"]),
                ("networks", "2", &["class"]),
                ("preview", "3", &["What changes"]),
                ("services", "1", &["REACH NOW"]),
                ("help", "?", &["close"]),
                ("closing help", "\u{1b}", &["REACH NOW"]),
            ] {
                let bytes = cost(&mut terminal, key, words);
                println!("{color:10} {name:24} {bytes:6}");
                let most = if ALL_CELLS.contains(&name) {
                    MOST_FOR_ALL_CELLS
                } else {
                    MOST
                };
                if bytes >= most {
                    dear.push(format!("{name}: {bytes} ({color})"));
                }
            }
            assert!(dear.is_empty(), "{dear:?}");
            terminal.types("q");
            terminal.ends_well(0);
        }
    });
}

#[test]
fn nothing_costs_nothing_and_a_second_of_a_trial_a_few_cells() {
    in_sandbox(|lab| {
        let mut terminal = open(lab, (80, 24), "");
        terminal.is_quiet();
        let before = terminal.written().len();
        // Two looks at the sockets: the listing of one's own sockets has not changed.
        for _ in 0..2 {
            lab.status();
            lab.knocks("80/tcp");
        }
        terminal.is_quiet();
        assert_eq!(terminal.written().len(), before, "nothing happened");
        lab.does(&["set", "22/tcp", "open"]);
        terminal.sees(&["The policy was changed elsewhere"]);
        terminal.answers("a", &["Apply?"]);
        terminal.answers("y", &["TRIAL", "quit"]);
        let second = |text: &str| -> u64 {
            let banner = text.lines().find(|line| line.contains("TRIAL")).unwrap();
            banner.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let first = second(&terminal.text());
        // By then the first looks of the trial are over.
        terminal.until("seconds", |text| second(text) + 4 <= first);
        let (start, before) = (second(&terminal.text()), terminal.written().len());
        terminal.until("seconds", |text| second(text) + 4 <= start);
        let bytes = terminal.written().len() - before;
        println!("a second of a trial: {} bytes", bytes / 4);
        assert!(bytes < 4 * 120, "{bytes} in 4 seconds");
        terminal.answers("r", &["Reverted"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}
