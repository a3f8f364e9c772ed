//! Checkup on a real machine: what it finds, marks, and finds again.

use std::process::Command;

use crate::lab::in_sandbox;

#[test]
fn a_finding_is_marked_as_intended_and_stays_so() {
    in_sandbox(|lab| {
        let rule = "-A INPUT -m conntrack --ctstate INVALID -j DROP";
        let loaded = Command::new("iptables").args(rule.split(' ')).status().unwrap();
        assert!(loaded.success());
        let known = |lab: &crate::lab::Lab| {
            let output = lab.fwtui(&["check", "--json"]);
            let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            let findings = found["findings"].as_array().unwrap().clone();
            let found = findings.iter().find(|finding| finding["id"] == "drop-invalid");
            found.unwrap_or_else(|| panic!("{findings:?}"))["known"].clone()
        };
        assert!(known(lab).is_null());
        let mut terminal = lab.open((100, 30));
        terminal.answers("4", &["Checkup", "SEVERITY"]);
        terminal.loses("Checking");
        terminal.answers("/", &["cancel"]);
        terminal.types("drop-invalid\r");
        terminal.sees(&["redundant · drop-invalid", rule, "1/1"]);
        terminal.answers("i", &["Why is it intended?"]);
        terminal.answers("the auditors want it\r", &["is marked as intended"]);
        terminal.answers("\u{1b}", &["Known and intended: the auditors want it"]);
        assert_eq!(known(lab), "the auditors want it");
        assert_eq!(lab.status()["pending_changes"], false);
        // Another one says so, too, without being asked.
        terminal.types("q");
        terminal.ends_well(0);
        let mut terminal = lab.open((120, 40));
        terminal.answers("4", &["Checkup"]);
        terminal.loses("Checking");
        terminal.answers("/drop-invalid\r", &["Known and intended: the auditors want it"]);
        terminal.answers("i", &["counts again"]);
        assert!(known(lab).is_null());
        // F5 checks again: the rule is gone, and so is what was found.
        assert!(
            Command::new("iptables")
                .args(["-F", "INPUT"])
                .status()
                .unwrap()
                .success()
        );
        terminal.types("\u{1b}[15~");
        terminal.loses("redundant · drop-invalid");
        terminal.types("q");
        terminal.ends_well(0);
    });
}
