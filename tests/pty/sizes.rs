//! Terminals of no size, of every size, and of a thousand sizes.

use crate::lab::in_sandbox;
use crate::terminal::Terminal;

fn running(size: (u16, u16)) -> Terminal {
    Terminal::start(size, &["--root", "/nowhere", "--screen", "services"])
}

#[test]
fn a_storm_of_sizes_ends_in_the_last_one() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial((80, 24));
        terminal.answers("m", &["One more minute."]);
        for round in 0..1000_u16 {
            let size = match round % 5 {
                0 => (1, 1),
                1 => (500, 200),
                2 => (1 + round % 97, 1 + round % 31),
                3 => (60, 20),
                _ => (1000 - round, 2),
            };
            terminal.resize(size);
            // As fast as it goes, but the terminal's buffer must not fill up.
            terminal.reads();
        }
        terminal.resize((80, 24));
        terminal.types("\u{c}");
        terminal.sees(&["TRIAL", "REACH NOW", "quit"]);
        terminal.answers("r", &["Reverted"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn one_cell_and_back() {
    let mut terminal = running((80, 24));
    terminal.until("the first complete look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    for size in [(1, 1), (2, 1), (1, 2), (59, 19), (500, 200), (1, 200), (500, 1)] {
        terminal.resize(size);
        for keys in ["2?", "\u{1b}", "1"] {
            terminal.types(keys);
            terminal.is_quiet();
        }
    }
    terminal.resize((80, 24));
    // Where nothing is seen, keys change nothing: which screen it is depends on what came first.
    terminal.sees(&["quit"]);
    terminal.answers("1", &["SERVICE", "quit"]);
    terminal.types("q");
    terminal.ends_well(0);
}

/// Some pseudo-terminals say 0x0 until they are told otherwise.
#[test]
fn no_size_is_the_usual_one() {
    let mut terminal = running((80, 24));
    terminal.until("the first complete look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    terminal.says_no_size();
    terminal.answers("2\u{c}", &["class", "quit"]);
    terminal.resize((100, 30));
    terminal.until("the larger screen", |text| {
        text.lines().count() == 30 && text.contains("quit")
    });
    terminal.types("q");
    terminal.ends_well(0);
}
