//! Findings that are known and intended: marks in the policy, which nothing waits for.

use std::fs;
use std::process::Command;

use fwtui::core::checkup::kinds;
use fwtui::core::policy::Policy;

use crate::harness::{Home, finish, in_sandbox};
use crate::trial::{apply, confirm};

/// The wanted policy with one mark more, as an editor would write it.
fn mark(home: &Home, id: &str, at: &str) {
    let path = home.policy();
    let text = fs::read_to_string(&path).unwrap_or_else(|_| Policy::default().to_text());
    let mut policy = Policy::parse(&text).unwrap();
    policy.mark_known(id, at, "the auditors want it").unwrap();
    fs::write(path, policy.to_text()).unwrap();
}

#[test]
fn a_mark_waits_for_no_apply() {
    in_sandbox(|home| {
        let is_pending = |code: i32| home.fwtui(&["status", "--json"]).exits(code).json()["pending_changes"].clone();
        // Before anything was decided.
        mark(home, "drop-invalid", "-A INPUT -m conntrack --ctstate INVALID -j DROP");
        assert_eq!(is_pending(0), false);
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        assert_eq!(is_pending(0), true);
        apply(home, &["apply", "--yes"]);
        confirm(home).exits(0);
        assert_eq!(is_pending(0), false);
        // After it was confirmed.
        mark(home, "updates-pending", "");
        assert_eq!(is_pending(0), false);
        home.fwtui(&["preview", "--exit-code"]).exits(0);
        home.fwtui(&["apply", "--yes"]).exits(0).says("Nothing to change");
        // Taking one back is no change either, and other changes are seen beside it.
        home.fwtui(&["check", "--unmark", "updates-pending"])
            .exits(0)
            .says("updates-pending is no longer intended");
        assert_eq!(is_pending(0), false);
        home.fwtui(&["set", "80/tcp", "open"]).exits(0);
        assert_eq!(is_pending(0), true);
        home.fwtui(&["preview", "--exit-code"]).exits(3);
        let kept = fs::read_to_string(home.policy()).unwrap();
        assert!(
            kept.contains("drop-invalid") && !kept.contains("updates-pending"),
            "{kept}"
        );
    });
}

#[test]
fn marks_are_checked_and_strange_ones_told() {
    in_sandbox(|home| {
        mark(home, "a-finding-of-tomorrow", "somewhere");
        let done = home.fwtui(&["check", "--json"]);
        let notes = done.json()["notes"].to_string();
        assert!(notes.contains("a-finding-of-tomorrow"), "{notes}");
        home.fwtui(&["check", "--known"])
            .says("MARKED, BUT NOT FOUND")
            .says("a-finding-of-tomorrow=somewhere")
            .says("\"the auditors want it\"");
        home.fwtui(&["check", "--unmark", "a-finding-of-tomorrow=elsewhere"])
            .complains(1, "is not marked");
        home.fwtui(&["check", "--unmark", "a-finding-of-tomorrow"]).exits(0);
        home.fwtui(&["check", "--unmark", "a-finding-of-tomorrow"])
            .complains(1, "is not marked");
        mark(home, "twice", "one");
        mark(home, "twice", "two");
        home.fwtui(&["check", "--unmark", "twice"])
            .complains(2, "fwtui check --unmark 'twice=two'");
        // What can't be read hides nothing, and is not overwritten.
        let text = fs::read_to_string(home.policy())
            .unwrap()
            .replace("auditors", "\\u001b");
        fs::write(home.policy(), &text).unwrap();
        let done = home.fwtui(&["check", "--json"]);
        let notes = done.json()["notes"].to_string();
        assert!(
            notes.contains("Nothing counts as intended") && notes.contains("line 14"),
            "{notes}"
        );
        home.fwtui(&["check", "--unmark", "twice=one"]).complains(1, "line 14");
        assert_eq!(fs::read_to_string(home.policy()).unwrap(), text);
    });
}

#[test]
fn what_is_marked_must_make_sense() {
    let home = Home::new();
    for (args, words) in [
        (&["--mark", "drop-invalid"][..], "--note"),
        (&["--note", "why"], "--mark"),
        (&["--mark", "no-such-thing", "--note", "why"], "no kind of finding"),
        (&["--mark", "x", "--note", " "], "a note is needed"),
        (&["--mark", "x", "--note", "a\nb"], "one line"),
        (&["--mark", "x", "--note", "why", "/dev/null"], "cannot be used with"),
        (
            &["--mark", "x", "--note", "why", "--unmark", "x"],
            "cannot be used with",
        ),
        (&["--known", "/dev/null"], "cannot be used with"),
        (&["--severity", "awful"], "unknown severity"),
    ] {
        let args: Vec<&str> = ["check"].iter().chain(args).copied().collect();
        home.fwtui(&args).complains(2, words);
    }
    assert!(!home.root().join("etc").exists());
}

#[test]
fn a_finding_can_be_marked_before_it_is_found() {
    in_sandbox(|home| {
        let kind = kinds().next().unwrap().id;
        let name = format!("{kind}=some subject");
        let args = ["check", "--mark", &name, "--note", "by the book"];
        home.fwtui(&args).exits(0).says("is intended, and no longer counted");
        home.fwtui(&args).exits(0).says("nothing changed");
        let policy = Policy::parse(&fs::read_to_string(home.policy()).unwrap()).unwrap();
        assert_eq!(policy.known.note(kind, "some subject"), Some("by the book"));
    });
}

#[test]
fn only_root_marks() {
    let home = Home::unprivileged();
    let kind = kinds().next().unwrap().id;
    let args = ["check", "--mark", &format!("{kind}=x"), "--note", "why"];
    home.fwtui(&args).complains(5, "only root");
}

/// Loads what nobody needs.
fn iptables(program: &str, rule: &str) {
    finish(Command::new(program).args(rule.split(' '))).exits(0);
}

#[test]
fn what_is_marked_is_neither_shown_nor_counted() {
    in_sandbox(|home| {
        let rule = "-A INPUT -m conntrack --ctstate INVALID -j DROP";
        iptables("iptables", rule);
        home.fwtui(&["check"]).says("drop-invalid").says("redundant");
        home.fwtui(&["check", "--mark", "drop-invalid", "--note", "the auditors want it"])
            .exits(0)
            .says(&format!("drop-invalid at {rule} is intended"));
        let policy = Policy::parse(&fs::read_to_string(home.policy()).unwrap()).unwrap();
        assert_eq!(policy.known.note("drop-invalid", rule), Some("the auditors want it"));
        let hidden = home.fwtui(&["check"]).says("1 known and intended: --known shows them.");
        assert!(!hidden.stdout.contains("drop-invalid"), "{}", hidden.stdout);
        home.fwtui(&["check", "--known"])
            .says("KNOWN, INTENDED")
            .says("drop-invalid")
            .says("Note: \"the auditors want it\"");
        let json = home
            .fwtui(&["check", "--json", "--severity", "redundant,missing"])
            .json();
        let findings = json["findings"].as_array().unwrap();
        let of_it = findings.iter().find(|finding| finding["id"] == "drop-invalid").unwrap();
        assert_eq!(of_it["known"], "the auditors want it");
        assert!(
            findings
                .iter()
                .all(|finding| finding["severity"] == "redundant" || finding["severity"] == "missing")
        );
        let none = home.fwtui(&["check", "--severity", "harmful"]);
        assert!(!none.stdout.contains("drop-invalid"), "{}", none.stdout);
        // Another rule of the kind is another finding: which one is meant must be said.
        iptables("ip6tables", "-A INPUT -m conntrack --ctstate INVALID -j REJECT");
        home.fwtui(&["check"]).says("drop-invalid");
        home.fwtui(&["check", "--mark", "drop-invalid", "--note", "this one too"])
            .complains(2, "say which");
        home.fwtui(&["check", "--unmark", "drop-invalid"]).exits(0);
    });
}
