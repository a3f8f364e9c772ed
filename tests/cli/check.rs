//! `fwtui check FILE`: on any machine, without root, with nothing of the machine looked at.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::harness::{Done, Home};

/// A file with a text, in the home's own folder.
fn file(home: &Home, name: &str, text: &[u8]) -> String {
    let path = home.root().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn piped(home: &Home, args: &[&str], text: &str) -> Done {
    let mut child = home.command(args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

const SAVE: &str = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED \
-j ACCEPT\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j REJECT \
--reject-with tcp-reset\nCOMMIT\n";

#[test]
fn a_file_is_judged_without_root() {
    let home = Home::unprivileged();
    let path = file(&home, "rules.v4", SAVE.as_bytes());
    let done = home.fwtui(&["check", &path]).exits(0).says("REDUNDANT").says("line 5");
    assert_eq!(done.stderr, "");
    let json = home.fwtui(&["check", &path, "--json"]).exits(0).json();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["notes"].as_array().unwrap().len(), 0);
    let findings = json["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["id"] == "drop-invalid").unwrap();
    assert_eq!(finding["severity"], "redundant");
    assert_eq!(finding["place"]["file"], path.as_str());
    assert_eq!(finding["place"]["line"], 5);
    assert_eq!(
        finding["place"]["rule"],
        "-A INPUT -m conntrack --ctstate INVALID -j DROP"
    );
    for field in ["what", "why", "do"] {
        assert!(finding[field].as_str().unwrap().ends_with('.'), "{finding}");
    }
}

#[test]
fn the_standard_input_is_read_too() {
    let home = Home::unprivileged();
    piped(&home, &["check", "-"], SAVE)
        .exits(0)
        .says("standard input, line 5");
    piped(&home, &["check", "-"], "").complains(1, "there is no rule in it");
    let script = "iptables -A INPUT -s $(cat hosts) -j DROP\n";
    piped(&home, &["check", "-"], script)
        .exits(0)
        .says("Line 1: '$(cat hosts)'");
}

#[test]
fn the_report_fits_a_ticket_and_ends_with_a_count() {
    let home = Home::unprivileged();
    let name = "x".repeat(300);
    let script =
        format!("iptables -A INPUT -m comment --comment '{name} {SAVE}' -j DROP\niptables -A INPUT -f -j DROP\n");
    // It drops everything, answers among it.
    let report = piped(&home, &["check", "-"], &script).exits(3).stdout;
    for line in report.lines() {
        let is_one_word = line.split_whitespace().count() == 1;
        assert!(line.chars().count() <= 100 || is_one_word, "{line}");
        assert!(!line.contains(char::is_control), "{line}");
    }
    assert!(
        report.ends_with(".\n") && report.lines().last().unwrap().contains(" findings: "),
        "{report}"
    );
    let tidy = piped(&home, &["check", "-"], "iptables -A INPUT -i lo -j ACCEPT\n").exits(0);
    assert!(
        tidy.stdout.ends_with("Nothing found.\n") || tidy.stdout.contains("finding"),
        "{tidy:?}"
    );
}

#[test]
fn dropped_icmp_is_no_dropped_connection() {
    let home = Home::unprivileged();
    let info = |script: &str| piped(&home, &["check", "-", "--severity", "info"], script).exits(3);
    let icmp = "iptables -A INPUT -p icmp -j DROP\n";
    assert!(!info(icmp).stdout.contains("drop-instead-of-reject"));
    info(&format!("{icmp}iptables -A INPUT -p tcp --dport 25 -j DROP\n")).says("line 2, ip filter INPUT");
}

#[test]
fn what_is_not_shown_is_counted() {
    let home = Home::unprivileged();
    let script = "iptables -A INPUT -f -j DROP\n";
    piped(&home, &["check", "-", "--severity", "harmful"], script)
        .exits(0)
        .says("Nothing found.\n1 of other severities: without --severity they are shown.\n");
    home.fwtui(&["check", "--note", "why", "--severity", "info"])
        .complains(2, "--note");
}

#[test]
fn what_cant_be_read_is_told_with_its_place() {
    let home = Home::unprivileged();
    home.fwtui(&["check", "/nowhere/rules"])
        .complains(1, "/nowhere/rules can't be read");
    home.fwtui(&["check", "/"]).complains(1, "can't be read");
    let binary = file(&home, "binary", b"\x7fELF\0\0\0");
    home.fwtui(&["check", &binary]).complains(1, "it is not text");
    let empty = file(&home, "empty", b"");
    home.fwtui(&["check", &empty]).complains(1, "there is no rule in it");
    let cut = file(&home, "cut", b"*filter\n-A INPUT -j ACCEPT\n");
    home.fwtui(&["check", &cut])
        .complains(1, "cut, line 2: table filter is cut off");
    let native = file(&home, "native", b"table ip filter {\n}\n");
    home.fwtui(&["check", &native, "--json"]).complains(1, "nft");
    home.fwtui(&["check", "one", "two"]).complains(2, "two");
}

#[test]
fn large_and_long_files_are_bounded() {
    let home = Home::unprivileged();
    let large = file(&home, "large", &vec![b'#'; (8 << 20) + 1]);
    home.fwtui(&["check", &large]).complains(1, "larger than 8 MiB");
    let line = format!("iptables -A INPUT -s {} -j DROP\n", "1.2.3.4,".repeat(100_000));
    let long = file(&home, "long", line.as_bytes());
    home.fwtui(&["check", &long])
        .complains(1, "long, line 1: there is no rule in it that is read");
    let whole = file(
        &home,
        "whole",
        format!("{line}iptables -A INPUT -j ACCEPT\n").as_bytes(),
    );
    home.fwtui(&["check", &whole])
        .exits(0)
        .says("Line 1: this command is left out");
    // A device without an end.
    home.fwtui(&["check", "/dev/zero"]).complains(1, "larger than 8 MiB");
}

#[test]
fn a_terminal_obeys_nothing_of_it() {
    let home = Home::unprivileged();
    let script = "iptables -N \u{1b}[2J\niptables -A INPUT -m comment --comment '\u{1b}]0;x\u{7}' -f -j DROP\niptables -A INPUT \u{202e}\n";
    for args in [&["check", "-"][..], &["check", "-", "--json"]] {
        let done = piped(&home, args, script).exits(0);
        let is_bad = |text: &str| text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        assert!(!is_bad(&done.stdout) && !is_bad(&done.stderr), "{done:?}");
    }
    let bad = file(&home, "a\u{1b}[2J", b"");
    let done = home.fwtui(&["check", &bad]).exits(1);
    assert!(!done.stderr.contains('\u{1b}'), "{done:?}");
}
