//! Keys nobody asked for, pastes, and terminals of every size.

use crate::lab::in_sandbox;

#[test]
fn a_wrong_key_does_nothing() {
    in_sandbox(|lab| {
        let mut terminal = lab.open((80, 24));
        terminal.sees(&[
            "off: nothing is refused",
            "Decide on each service",
            "far answers",
            "q quit",
        ]);
        let before = terminal.text();
        // Letters without a meaning, control characters, function keys, an unknown sequence, half
        // a character, and a mouse far away.
        terminal.types("zXj\u{1}\u{2}\u{1b}[17~\u{1b}[200~\u{1b}[201~\u{1b}OZ\u{1b}[<0;900;900M");
        // What comes after shows that all of it has been read.
        terminal.answers("2", &["eth0", "eth1", "class"]);
        terminal.answers("1", &["REACH NOW"]);
        terminal.until("the screen as it was", |text| text == before);
        assert_eq!(lab.status()["pending_changes"], false);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn a_paste_into_the_filter_is_only_text() {
    in_sandbox(|lab| {
        let mut terminal = lab.open((80, 24));
        terminal.answers("/", &["25 of 25", "cancel"]);
        // No key of it decides, applies or quits.
        terminal.types(&"coatyq ".repeat(3000));
        terminal.answers("\u{1b}", &["sshd", "quit"]);
        assert_eq!(lab.status()["pending_changes"], false);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn every_size() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial((120, 40));
        terminal.answers("m", &["One more minute."]);
        terminal.sees(&["second terminal: sudo fwtui confirm"]);
        terminal.resize((60, 20));
        terminal.until("the narrow screen", |text| {
            text.contains("TRIAL") && text.contains("quit") && !text.contains("BOUND TO")
        });
        terminal.types("?");
        terminal.sees(&["Services", "close"]);
        terminal.resize((20, 5));
        terminal.until("a polite line", |text| text.contains("60") && text.contains("20"));
        terminal.resize((120, 40));
        terminal.sees(&["Services", "close"]);
        terminal.types("\u{1b}");
        terminal.sees(&["BOUND TO", "second terminal: sudo fwtui confirm"]);
        for size in [(1, 1), (500, 3), (3, 200), (300, 100), (80, 24)] {
            terminal.resize(size);
        }
        terminal.sees(&["TRIAL", "BOUND TO", "quit"]);
        terminal.answers("r", &["Reverted"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn what_others_wrote_over_the_screen_is_drawn_anew() {
    in_sandbox(|lab| {
        let mut terminal = lab.open((80, 24));
        // The neighbours answer in their own time.
        terminal.sees(&["far answers", "q quit"]);
        let before = terminal.text();
        for key in ["\u{c}", "\u{1b}[15~"] {
            terminal.is_written_over("a message of the kernel's");
            terminal.types(key);
            terminal.until("the screen as it was", |text| text == before);
        }
        terminal.types("q");
        terminal.ends_well(0);
    });
}
