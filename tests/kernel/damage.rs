//! Documents that are torn, newer or nonsense: never believed, never deleted, always told.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use rustix::process::{Signal, kill_process};

use crate::harness::{Lab, in_sandbox};
use crate::machine::{paths, policy, twin_of};

/// Ways to spoil a document: torn, of a newer and an older fwtui, with a bit turned, empty, nonsense.
fn spoiled(whole: &str) -> [String; 6] {
    let other_format = |format: &str| {
        assert!(whole.contains("\"format\":2,"), "{whole}");
        whole.replace("\"format\":2,", format)
    };
    // One bit, and it can still be read.
    let turned = whole.replacen("\"at\":\"2", "\"at\":\"3", 1);
    assert_ne!(turned, whole);
    [
        whole[..whole.len() / 2].to_owned(),
        other_format("\"format\":3,\"more\":true,"),
        other_format("\"format\":1,"),
        turned,
        String::new(),
        "[]".to_owned(),
    ]
}

/// It fails, names the document, and leaves it as it is.
fn is_told(lab: &Lab, verb: &[&str], path: &Path) {
    let before = fs::read(path).unwrap();
    let output = lab.fwtui(verb);
    let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{verb:?}: {words}");
    assert!(words.contains(path.to_str().unwrap()), "{verb:?}: {words}");
    assert_eq!(fs::read(path).unwrap(), before, "{verb:?}");
}

#[test]
fn a_spoiled_policy_is_told_and_what_was_confirmed_is_shown() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "confine")]));
        fs::write(paths().policy(), "{\"version\": 1, \"services\": ").unwrap();
        let list = lab.json(&["list", "--json"]);
        let services = list["services"].as_array().unwrap();
        let decided = services.iter().find(|service| service["id"] == "8080/tcp").unwrap();
        assert_eq!(decided["decision"], "confine", "{decided}");
        assert!(list["policy_error"].is_string(), "{list}");
        let output = lab.fwtui(&["status"]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "what can't be read must not pass for all is well"
        );
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains("the policy can't be used"), "{complaint}");
    });
}

#[test]
fn a_spoiled_confirmed_document_is_not_restored_and_not_deleted() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        let path = paths().confirmed();
        for text in spoiled(&fs::read_to_string(&path).unwrap()) {
            fs::write(&path, text).unwrap();
            is_told(lab, &["restore"], &path);
            is_told(lab, &["status"], &path);
            assert_eq!(lab.base(), base, "what is in force stays");
        }
        // A new confirmation mends it.
        lab.keep(&policy(&[("8081/tcp", "open")]));
        assert_eq!(lab.status().0["state"], "confirmed");
        assert!(lab.answers(Neighbour::Public, 8081));
    });
}

#[test]
fn a_spoiled_journal_stops_every_change_until_somebody_has_looked() {
    in_sandbox(|lab| {
        let mut guard = lab.hold(&policy(&[("8080/tcp", "open")]), Duration::from_secs(60));
        kill_process(twin_of(guard.pid()), Signal::KILL).unwrap();
        guard.kill();
        let base = lab.base();
        let path = paths().journal();
        let whole = fs::read_to_string(&path).unwrap();
        for text in spoiled(&whole) {
            fs::write(&path, text).unwrap();
            for verb in [&["apply", "--yes"][..], &["off", "--yes"], &["confirm"], &["status"]] {
                is_told(lab, verb, &path);
            }
            assert_eq!(lab.base(), base);
            // Looking still works.
            lab.does(&["list"]);
        }
        // By hand it goes without any document, and without fwtui.
        assert!(!lab.observed().ipv4.chains.is_empty());
        lab.run(&["sh", paths().script().to_str().unwrap()]);
        assert!(lab.base().ipv4.rules.is_empty() && lab.base().ipv6.rules.is_empty());
        assert!(path.exists(), "it is not the script's");
        fs::write(&path, whole).unwrap();
        lab.status();
        assert!(!path.exists());
        assert!(lab.observed().ipv4.chains.is_empty(), "undone");
    });
}

#[test]
fn a_policy_with_a_mistake_is_not_applied_and_not_overwritten() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base().ipv4.rules;
        let path = paths().policy();
        let whole = fs::read_to_string(&path).unwrap();
        for (text, why) in [
            (whole[..whole.len() / 2].to_owned(), "line"),
            (whole.replace("8080/tcp", "70000/tcp"), "line"),
            (whole.replace("8080/tcp", "0/tcp"), "line"),
            (whole.replace("\"open\"", "\"ajar\""), "ajar"),
            (whole.replace("\"decision\"", "\"desicion\""), "desicion"),
            (format!("{whole}{}", " ".repeat(100_000_000)), "larger than"),
        ] {
            fs::write(&path, &text).unwrap();
            for verb in [&["apply", "--yes"][..], &["preview"], &["set", "22/tcp", "open"]] {
                is_told(lab, verb, &path);
                let complaint = lab.fails(1, verb);
                assert!(complaint.contains(why), "{complaint}");
            }
            assert_eq!(lab.base().ipv4.rules, base);
            lab.fails(1, &["list"]);
            // What was confirmed does not hang on it.
            lab.does(&["restore"]);
        }
        fs::remove_file(&path).unwrap();
        fs::write("/run/elsewhere", &whole).unwrap();
        symlink("/run/elsewhere", &path).unwrap();
        let complaint = lab.fails(1, &["set", "22/tcp", "open"]);
        assert!(complaint.contains("symbolic link"), "{complaint}");
        assert_eq!(fs::read_to_string("/run/elsewhere").unwrap(), whole);
    });
}
