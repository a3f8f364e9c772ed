//! Pastes: text, and never commands.

use std::time::Instant;

use crate::lab::in_sandbox;
use crate::terminal::Terminal;

const MEGABYTE: usize = 1 << 20;

/// As a terminal sends it that knows of pastes.
fn in_brackets(text: &str) -> String {
    format!("\u{1b}[200~{text}\u{1b}[201~")
}

/// Letters that are all commands: they would decide, mark, apply and quit.
fn commands(length: usize) -> String {
    "coatyq\r".repeat(length / 7)
}

/// The program is still there and hears every key.
#[track_caller]
fn is_as_it_was(terminal: &mut Terminal) {
    terminal.answers("2", &["class"]);
    terminal.answers("1", &["REACH NOW"]);
}

#[test]
fn a_paste_runs_no_commands() {
    in_sandbox(|lab| {
        let mut terminal = lab.open((80, 24));
        for paste in [
            in_brackets("q"),
            in_brackets(&commands(MEGABYTE)),
            // What ends a paste in the text itself is the terminal's to filter; half of it is text.
            in_brackets("a\u{1b}[201"),
            // A terminal that does not know of pastes.
            commands(MEGABYTE),
        ] {
            terminal.types(&paste);
            terminal.sees(&["What was pasted is ignored"]);
            // What comes at once after a flood of letters would be taken for its end.
            terminal.is_quiet();
            is_as_it_was(&mut terminal);
        }
        assert_eq!(lab.status()["pending_changes"], false);
        assert_eq!(lab.status()["state"], "off");
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn a_line_takes_what_fits_and_says_what_was_left_out() {
    in_sandbox(|lab| {
        let mut terminal = lab.open((80, 24));
        for is_bracketed in [true, false] {
            let wrap = |text: &str| {
                if is_bracketed {
                    in_brackets(text)
                } else {
                    text.to_owned()
                }
            };
            // The filter, in the line below the table.
            terminal.answers("/", &["cancel"]);
            terminal.types(&wrap(&commands(MEGABYTE)));
            terminal.sees(&["0 of 25", "left out"]);
            terminal.answers("\u{15}", &["25 of 25"]);
            assert!(!terminal.text().contains("left out"));
            terminal.types("\u{1b}");
            terminal.loses("cancel");
            // A line of its own.
            terminal.answers("f", &["Networks or addresses"]);
            terminal.types(&wrap(&"192.0.2.7 ".repeat(MEGABYTE / 10)));
            terminal.sees(&["characters of the paste were left out"]);
            terminal.types("\u{1b}");
            terminal.loses("Networks or addresses");
        }
        // What fits is taken; lines become words.
        terminal.answers("/sshd\r", &["22/tcp"]);
        terminal.answers("f", &["Networks or addresses"]);
        terminal.types(&in_brackets("192.0.2.7\n198.51.100.0/24\n"));
        terminal.sees(&["> 192.0.2.7 198.51.100.0/24"]);
        terminal.answers("\r", &["22/tcp: open from 192.0.2.7/32, 198.51.100.0/24"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn the_word_for_a_lockout_must_be_typed() {
    in_sandbox(|lab| {
        let text = lab.does(&["set", "22/tcp", "confine"]);
        assert!(!text.is_empty());
        // Over SSH from a neighbour: what is confined is the way in.
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fwtui"));
        command.env("SSH_CONNECTION", "203.0.113.1 40000 203.0.113.10 22");
        let mut terminal = Terminal::with((80, 24), &command);
        terminal.until("the first complete look", |text| {
            text.contains("Services") && !text.contains("looking")
        });
        terminal.answers("a", &["type 22/tcp"]);
        terminal.types(&in_brackets("22/tcp"));
        terminal.sees(&["must be typed"]);
        terminal.types("\r");
        terminal.answers("2", &["type 22/tcp: 2"]);
        assert_eq!(lab.status()["state"], "off");
        terminal.types("\u{1b}");
        terminal.loses("type 22/tcp");
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn the_screens_answer_at_once_after_a_paste() {
    in_sandbox(|lab| {
        let mut terminal = lab.open((80, 24));
        terminal.answers("/", &["cancel"]);
        let start = Instant::now();
        terminal.types(&"x".repeat(MEGABYTE));
        terminal.answers("\u{1b}", &["sshd", "quit"]);
        // Said, not asserted: machines that run tests are busy.
        println!("1 MB without brackets: {:?}", start.elapsed());
        terminal.types("q");
        terminal.ends_well(0);
    });
}
