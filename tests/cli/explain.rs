//! `fwtui explain`: words, exit codes, and the contract for scripts.

use serde_json::json;

use crate::harness::{Home, in_sandbox};

#[test]
fn the_contract_holds() {
    in_sandbox(|home| {
        let answer = home.fwtui(&["explain", "8080/tcp", "--from", "203.0.113.77", "--json"]);
        let answer = answer.exits(0).json();
        assert_eq!(answer["schema"], 1);
        assert_eq!(answer["verdict"], "refused", "nothing listens: {answer}");
        let kernel = json!({"owner": "kernel", "table": "", "chain": "", "rule": "nothing listens there"});
        assert_eq!(answer["decided_by"], kernel);
        assert_eq!(
            (&answer["interface"], &answer["to"]),
            (&json!("eth0"), &json!("203.0.113.10"))
        );
        for step in answer["walk"].as_array().unwrap() {
            for field in ["hook", "chain", "rule", "effect"] {
                assert!(step[field].is_string(), "{field}: {step}");
            }
        }
    });
}

#[test]
fn it_is_asked_of_the_rules_to_come_as_well() {
    in_sandbox(|home| {
        let listener = std::net::TcpListener::bind("0.0.0.0:8080").unwrap();
        let ask = |more: &[&str]| {
            let question = [&["explain", "8080/tcp", "--from", "203.0.113.77"], more].concat();
            home.fwtui(&question).exits(0).stdout
        };
        let now = ask(&[]);
        assert!(
            now.contains("gets in.") && now.contains("no rule stands in the way"),
            "{now}"
        );
        let after = ask(&["--after"]);
        assert!(
            after.contains("After applying, a new connection from 203.0.113.77"),
            "{after}"
        );
        assert!(
            after.contains("is refused.") && after.contains("Decided by fwtui's rule"),
            "{after}"
        );
        assert!(after.contains("FWTUI"), "{after}");
        drop(listener);
    });
}

#[test]
fn what_makes_no_sense_is_said() {
    in_sandbox(|home| {
        let ask = |more: &[&str]| home.fwtui(&[&["explain"], more].concat());
        ask(&["8080/tcp", "--from", "203.0.113.77", "--interface", "eth\u{1b}9"])
            .complains(2, "there is no interface 'eth?9': there are lo, ");
        ask(&["8080", "--from", "203.0.113.77"]).complains(2, "no protocol");
        ask(&["8080/tcp"]).complains(2, "--from");
        ask(&["8080/tcp", "--from", "example"]).complains(2, "invalid");
        ask(&["192.0.2.1:8080/tcp", "--from", "2001:db8::7"]).complains(2, "different families");
    });
}

#[test]
fn without_root_it_says_what_it_cannot_see() {
    let home = Home::unprivileged();
    let done = home.fwtui(&["explain", "9/tcp", "--from", "127.0.0.1"]);
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("can't be seen") && !said.contains("panicked"), "{said}");
}
