//! Standard output that is gone, full, or closed.

use std::fs;
use std::process::Stdio;

use crate::harness::{Home, finish};

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let home = Home::new();
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["help"],
        &["completions", "bash"],
        &["network"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = finish(home.command(args).stdout(writer)).exits(0);
        assert!(!done.stderr.contains("pipe"), "{args:?}: {}", done.stderr);
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let home = Home::new();
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["network"],
        &["completions", "fish"],
        &["man"],
        &["themes", "dark"],
        &["config", "--path"],
        &["setup", "--show"],
        &["explain", "22/tcp", "--from", "127.0.0.1"],
        &["--help"],
        &["--version"],
        &["help", "list"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let done = finish(home.command(args).stdout(full)).exits(1);
        assert!(done.stderr.contains("can't be written"), "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains("No space left"), "{args:?}: {}", done.stderr);
    }
}

#[test]
fn nothing_is_written_over_an_answer_without_readers_of_errors() {
    let home = Home::new();
    let done = finish(home.command(&["network", "--json"]).stderr(Stdio::null())).exits(0);
    assert_eq!(done.json()["schema"], 1);
}

#[test]
fn a_pipe_gets_no_colours() {
    let home = Home::new();
    for args in [
        &["list"][..],
        &["network"],
        &["help"],
        &["set", "--help"],
        &["nonsense"],
    ] {
        let done = finish(
            home.command(args)
                .env("COLORTERM", "truecolor")
                .env("TERM", "xterm-256color"),
        );
        assert!(
            !done.stdout.contains('\u{1b}') && !done.stderr.contains('\u{1b}'),
            "{args:?}"
        );
    }
}
