//! Preview, apply, confirm, revert, restore, off: what they say, and their exit codes.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{Done, Home, eventually, finish, in_sandbox};

/// What iptables shows of fwtui, both families.
fn own_rules() -> String {
    let all = ["iptables-save", "ip6tables-save"].map(|program| finish(&mut Command::new(program)).exits(0).stdout);
    let text = all.concat();
    let own: Vec<&str> = text.lines().filter(|line| line.contains("FWTUI")).collect();
    own.join("\n")
}

/// Starts a trial, as soon as the guard of the one before has gone.
pub fn apply(home: &Home, args: &[&str]) {
    eventually(|| {
        let done = home.fwtui(args);
        if done.stderr.contains("running already") {
            return None;
        }
        done.exits(0).says("On trial for");
        Some(())
    });
}

/// Confirms, as soon as that is not too early.
pub fn confirm(home: &Home) -> Done {
    eventually(|| {
        let done = home.fwtui(&["confirm"]);
        (!done.stderr.contains("too early")).then_some(done)
    })
}

#[test]
fn a_preview_tells_by_its_exit_code() {
    in_sandbox(|home| {
        home.fwtui(&["preview"]).exits(0);
        home.fwtui(&["preview", "--exit-code"]).exits(3);
        apply(home, &["apply", "--yes"]);
        home.fwtui(&["preview", "--exit-code"]).exits(0).says("Nothing changes");
        home.fwtui(&["preview", "--exit-code", "--off"]).exits(3);
    });
}

#[test]
fn previewed_rules_are_what_the_programs_take_and_what_apply_loads() {
    in_sandbox(|home| {
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        home.fwtui(&["network", "eth1", "trusted"]).exits(0);
        home.fwtui(&["set", "5432/tcp", "trusted"]).exits(0);
        let texts = [("iptables", "iptables-restore"), ("ip6tables", "ip6tables-restore")]
            .map(|(format, program)| (program, home.fwtui(&["preview", "--format", format]).exits(0).stdout));
        apply(home, &["apply", "--yes"]);
        confirm(home).exits(0);
        let applied = own_rules();
        assert!(applied.contains("fwtui:5432/tcp"), "{applied}");
        apply(home, &["off", "--yes"]);
        confirm(home).exits(0);
        eventually(|| own_rules().is_empty().then_some(()));
        for (program, text) in texts {
            let mut child = Command::new(program)
                .arg("--noflush")
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success(), "{program}: {text}");
        }
        assert_eq!(own_rules(), applied);
    });
}

#[test]
fn what_is_confirmed_stays_and_comes_back() {
    in_sandbox(|home| {
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        apply(home, &["apply", "--yes"]);
        home.fwtui(&["apply", "--yes"])
            .complains(1, "a trial is running already");
        confirm(home).exits(0).says("Confirmed");
        // Twice is once too often, and changes nothing.
        home.fwtui(&["confirm"]).complains(1, "no trial is running");
        home.fwtui(&["status"]).exits(0).says("Confirmed");
        home.fwtui(&["apply", "--yes"]).exits(0).says("Nothing to change");
        let confirmed = own_rules();
        // Somebody flushes everything.
        for program in ["iptables", "ip6tables"] {
            for args in [&["-F"][..], &["-X"]] {
                finish(Command::new(program).args(args)).exits(0);
            }
        }
        home.fwtui(&["status"]).exits(3).says("Drifted");
        home.fwtui(&["restore"]).exits(0).says("The confirmed rules are loaded");
        home.fwtui(&["status"]).exits(0).says("Confirmed");
        // Perhaps in the other slot.
        let slots = |rules: &str| rules.replace("FWTUI-B-", "FWTUI-A-");
        let lines = |rules: &str| {
            let mut lines: Vec<String> = slots(rules).lines().map(str::to_owned).collect();
            lines.sort();
            lines.dedup();
            lines
        };
        assert_eq!(lines(&own_rules()), lines(&confirmed));
    });
}

#[test]
fn what_is_reverted_is_gone_and_confirming_it_is_too_late() {
    in_sandbox(|home| {
        apply(home, &["apply", "--yes"]);
        assert!(!own_rules().is_empty());
        home.fwtui(&["revert"]).exits(0).says("Reverted");
        home.fwtui(&["confirm"]).complains(4, "too late");
        eventually(|| own_rules().is_empty().then_some(()));
        home.fwtui(&["restore"]).exits(0).says("Nothing to restore");
    });
}

#[test]
fn off_is_a_trial_too() {
    in_sandbox(|home| {
        apply(home, &["apply", "--yes"]);
        confirm(home).exits(0);
        let before = own_rules();
        apply(home, &["off", "--yes"]);
        home.fwtui(&["status"]).exits(3);
        home.fwtui(&["revert"]).exits(0);
        eventually(|| (own_rules() == before).then_some(()));
        home.fwtui(&["status"]).exits(0).says("Confirmed");
        apply(home, &["off", "--yes"]);
        confirm(home).exits(0);
        eventually(|| own_rules().is_empty().then_some(()));
        home.fwtui(&["status"]).exits(0).says("Off");
        home.fwtui(&["restore"]).exits(0).says("Nothing to restore");
    });
}

#[test]
fn waiting_tells_the_outcome() {
    in_sandbox(|home| {
        for (verb, code, words) in [("revert", 4, "reverted"), ("confirm", 0, "Confirmed")] {
            let waiting = eventually(|| {
                let mut child = home.command(&["apply", "--wait"]).spawn().unwrap();
                let is_running = || home.fwtui(&["status"]).code == Some(3);
                eventually(|| (is_running() || child.try_wait().unwrap().is_some()).then_some(()));
                child.try_wait().unwrap().is_none().then_some(child)
            });
            eventually(|| (home.fwtui(&[verb]).code == Some(0)).then_some(()));
            let output = waiting.wait_with_output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert!(said.contains(words), "{said}");
        }
    });
}

#[test]
fn waiting_tells_of_another_trial_in_its_place() {
    in_sandbox(|home| {
        let mut command = home.command(&["apply", "--wait"]);
        let waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        eventually(|| (home.fwtui(&["status"]).code == Some(3)).then_some(()));
        let replaced = home.fwtui(&["off", "--yes", "--replace"]).exits(0);
        replaced.says("keep it so");
        let output = waiting.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("replaced by another trial"), "{said}");
    });
}

#[test]
fn a_trial_can_be_made_longer() {
    in_sandbox(|home| {
        apply(home, &["apply", "--yes", "--timeout", "20"]);
        home.fwtui(&["extend"]).exits(0).says("The trial goes on for");
        let left = home.fwtui(&["status", "--json"]).json()["trial"]["seconds_left"].as_u64();
        assert!(left > Some(20), "{left:?}");
    });
}

#[test]
fn without_a_trial_there_is_nothing_to_decide() {
    in_sandbox(|home| {
        for args in [&["confirm"][..], &["confirm", "--unproven"], &["revert"], &["extend"]] {
            home.fwtui(args).complains(1, "no trial is running");
        }
        // Nor is there anything to replace, and then it is simply applied.
        home.fwtui(&["apply", "--yes", "--replace", "--timeout", "1m"])
            .exits(0)
            .says("On trial for 60 seconds");
    });
}
