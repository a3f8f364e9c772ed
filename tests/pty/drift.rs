//! What was confirmed is taken out by somebody else while the screens are open.

use std::process::Command;

use crate::lab::{Lab, in_sandbox};
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (100, 30);

/// Runs another program on the machine.
#[track_caller]
fn somebody_runs(command: &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The screens with something confirmed through this backend.
#[track_caller]
fn confirmed(lab: &Lab, backend: &str) -> Terminal {
    let mut terminal = lab.on_trial(SIZE);
    crate::cycle::keep(&mut terminal);
    terminal.loses("TRIAL");
    terminal.sees(&["● confirmed"]);
    assert_eq!(lab.status()["backend"], backend);
    assert_eq!(lab.knocks("80/tcp"), ["refused"; 6]);
    terminal
}

/// It is said in time, with what can be known of who did it; and one key, after a question, puts it
/// back.
#[track_caller]
fn is_said_and_put_back(lab: &Lab, terminal: &mut Terminal, wipe: &[&str], says: &[&str]) {
    terminal.loses("R put back");
    for command in wipe {
        somebody_runs(command);
    }
    terminal.sees(&["▲ drifted", "R put back"]);
    terminal.sees(says);
    assert_eq!(lab.knocks("80/tcp"), ["answers"; 6]);
    terminal.answers("R", &["Put back what was confirmed?", "without a trial"]);
    terminal.types("y");
    terminal.sees(&["● confirmed"]);
    terminal.loses("drifted");
    terminal.loses("Changed by");
    assert_eq!(lab.knocks("80/tcp"), ["refused"; 6]);
    assert_eq!(lab.status()["state"], "confirmed");
}

#[test]
fn a_flush_is_said_with_who_did_it_and_put_back_by_a_key() {
    in_sandbox(|lab| {
        let mut terminal = confirmed(lab, "iptables-nft");
        is_said_and_put_back(
            lab,
            &mut terminal,
            &["nft flush ruleset"],
            &["Changed by nft.", "rules are gone from the kernel"],
        );
        // Once more: what was said before is no excuse.
        is_said_and_put_back(
            lab,
            &mut terminal,
            &["iptables -D INPUT -j FWTUI-INPUT", "ip6tables -D INPUT -j FWTUI-INPUT"],
            &["Changed by iptables", "the jump to fwtui's rules is gone"],
        );
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn what_is_gone_before_the_start_is_said_at_the_start() {
    in_sandbox(|lab| {
        let mut terminal = confirmed(lab, "iptables-nft");
        terminal.types("q");
        terminal.ends_well(0);
        somebody_runs("nft flush ruleset");
        let mut terminal = lab.open(SIZE);
        terminal.sees(&["▲ drifted", "R puts back what was confirmed."]);
        terminal.answers("R", &["Put back what was confirmed?"]);
        terminal.answers("n", &["R puts back"]);
        lab.does(&["restore"]);
        terminal.sees(&["● confirmed"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn many_changes_of_others_are_no_drift_and_hide_none() {
    in_sandbox(|lab| {
        let mut terminal = confirmed(lab, "iptables-nft");
        for number in 0..50 {
            somebody_runs(&format!("nft add table inet other{number}"));
        }
        terminal.answers("\u{c}", &["● confirmed"]);
        assert!(!terminal.text().contains("drifted"), "{}", terminal.text());
        somebody_runs("nft flush ruleset");
        terminal.sees(&["▲ drifted", "Changed by nft."]);
        lab.does(&["restore"]);
        terminal.sees(&["● confirmed"]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn rules_on_trial_that_are_gone_are_said_to_be_and_are_not_kept() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "open"]);
        let mut terminal = lab.open(SIZE);
        terminal.answers("a", &["Apply?", "for 90 seconds"]);
        terminal.answers("y", &["TRIAL", "Does everything work?"]);
        somebody_runs("nft flush ruleset");
        terminal.sees(&["The rules on trial were changed, and can't be kept"]);
        terminal.loses("Does everything work?");
        terminal.answers("k", &["Keep the new rules?", "puts the old ones back"]);
        terminal.loses("y yes");
        terminal.answers("r", &["Reverted: the old rules are back."]);
        assert_eq!(lab.status()["state"], "off");
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn with_iptables_legacy_it_is_found_by_looking() {
    in_sandbox(|lab| {
        for program in ["iptables-legacy", "ip6tables-legacy"] {
            somebody_runs(&format!("{program} -A OUTPUT -p tcp --dport 9 -j ACCEPT"));
        }
        let mut terminal = confirmed(lab, "iptables-legacy");
        is_said_and_put_back(
            lab,
            &mut terminal,
            &[
                "iptables-legacy -D INPUT -j FWTUI-INPUT",
                "ip6tables-legacy -D INPUT -j FWTUI-INPUT",
            ],
            &["R puts back what was confirmed.", "the jump to fwtui's rules is gone"],
        );
        // The same again within the same look and the next.
        is_said_and_put_back(
            lab,
            &mut terminal,
            &["iptables-legacy -F INPUT", "ip6tables-legacy -F INPUT"],
            &["the jump to fwtui's rules is gone"],
        );
        terminal.types("q");
        terminal.ends_well(0);
    });
}
