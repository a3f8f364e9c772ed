//! A running trial: ended, made longer, left, found again, started and ended from elsewhere.

use rustix::process::Signal;

use crate::lab::in_sandbox;

const SIZE: (u16, u16) = (80, 24);

/// The seconds in the banner.
fn seconds(line: &str) -> u64 {
    let word = line.split_whitespace().nth(1).unwrap_or_default();
    word.parse().unwrap_or_else(|_| panic!("seconds in '{line}'"))
}

#[test]
fn one_minute_more_then_back_to_the_old_rules() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial(SIZE);
        assert!(seconds(&terminal.line("TRIAL")) <= 20);
        assert_eq!(lab.knocks("80/tcp"), ["refused"; 6]);
        terminal.answers("m", &["One more minute."]);
        assert!(seconds(&terminal.line("TRIAL")) > 20, "{}", terminal.text());
        terminal.answers("r", &["Reverted: the old rules are back."]);
        terminal.loses("TRIAL");
        assert_eq!(lab.knocks("80/tcp"), ["answers"; 6]);
        let status = lab.becomes("off");
        assert_eq!(status["last"]["outcome"], "reverted");
        assert_eq!(status["pending_changes"], true, "the decision is kept");
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn left_running_it_is_there_again() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial(SIZE);
        terminal.answers("m", &["One more minute."]);
        terminal.answers("q", &["A trial is running", "To confirm it later"]);
        terminal.types("y");
        terminal.ends_well(0);
        assert!(
            terminal.text().contains("The trial goes on: its guard holds it"),
            "{}",
            terminal.text()
        );
        let left = lab.status()["trial"]["seconds_left"].as_u64().unwrap();
        let mut again = lab.open(SIZE);
        again.sees(&[
            "TRIAL",
            "A trial is running",
            "Begun ",
            "sshd 22/tcp",
            "k keep  r revert now",
        ]);
        again.types("\u{1b}");
        again.loses("Begun ");
        again.sees(&["[k] keep"]);
        let shown = seconds(&again.line("TRIAL"));
        assert!(shown <= left && shown + 20 > left, "{shown} of {left}");
        assert_eq!(lab.knocks("80/tcp"), ["refused"; 6]);
        again.answers("q", &["A trial is running"]);
        again.types("r");
        again.ends_well(0);
        lab.becomes("off");
        assert_eq!(lab.knocks("80/tcp"), ["answers"; 6]);
    });
}

#[test]
fn what_is_done_elsewhere_is_shown() {
    in_sandbox(|lab| {
        let mut terminal = lab.open(SIZE);
        lab.does(&["set", "22/tcp", "open"]);
        terminal.sees(&["The policy was changed elsewhere", "* open"]);
        lab.does(&["apply", "--yes"]);
        terminal.sees(&["TRIAL", "[k] keep", "A trial was begun elsewhere"]);
        lab.does(&["extend"]);
        terminal.sees(&["Made longer elsewhere: "]);
        lab.does(&["revert"]);
        terminal.sees(&["Reverted elsewhere: the old rules are back."]);
        assert!(!terminal.text().contains("TRIAL"), "{}", terminal.text());
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn a_trial_that_ran_out_is_told_once_to_whoever_comes() {
    in_sandbox(|lab| {
        let mut terminal = lab.on_trial(SIZE);
        terminal.signal(Signal::KILL);
        terminal.ends();
        lab.becomes("off");
        let mut later = lab.open(SIZE);
        later.sees(&[
            "Time ran out: the old rules are back",
            "Your decisions are saved and wait",
        ]);
        later.types("\u{1b}");
        later.loses("Your decisions are saved and wait");
        later.types("q");
        later.ends_well(0);
        let mut again = lab.open(SIZE);
        again.sees(&["1 change waits for an apply"]);
        assert!(!again.text().contains("Time ran out"), "{}", again.text());
        again.types("q");
        again.ends_well(0);
    });
}
