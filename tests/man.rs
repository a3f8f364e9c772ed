//! man/fwtui.8 is what `fwtui man` prints, and names everything the program has.
//!
//! `make man` writes it anew; so does `UPDATE=1 cargo test --test man`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "test code"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;
use fwtui::cli::args::Cli;
use fwtui::core::checkup::kinds;
use fwtui::tui::commands::{self, Context};

/// What the binary prints.
fn printed() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fwtui"))
        .arg("man")
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// The page as one reads it: without roff's escapes.
fn plain() -> String {
    let mut text = printed();
    for (escape, meaning) in [("\\fB", ""), ("\\fR", ""), ("\\-", "-"), ("\\(aq", "'"), ("\\&", "")] {
        text = text.replace(escape, meaning);
    }
    text
}

#[test]
fn the_page_in_the_repository_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/fwtui.8");
    let printed = printed();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    for (number, (kept, printed)) in kept.lines().zip(printed.lines()).enumerate() {
        assert_eq!(
            kept,
            printed,
            "line {} of man/fwtui.8; 'make man' writes it anew",
            number + 1
        );
    }
    assert!(kept == printed, "man/fwtui.8 ends otherwise; 'make man' writes it anew");
}

#[test]
fn every_command_and_option_is_there() {
    let text = plain();
    let program = Cli::command();
    for verb in program.get_subcommands() {
        let heading = format!(".SS \"fwtui {}", verb.get_name());
        assert_eq!(text.contains(&heading), !verb.is_hide_set(), "{heading}");
        for option in verb.get_arguments().filter(|_| !verb.is_hide_set()) {
            let spelled = option.get_long().map_or_else(
                || option.get_id().to_string().to_uppercase(),
                |long| format!("--{long}"),
            );
            assert!(text.contains(&spelled), "{} {spelled}", verb.get_name());
        }
    }
}

#[test]
fn every_key_is_there() {
    // Lines are broken where they are full.
    let text = plain().replace('\n', " ");
    for context in Context::ALL {
        assert!(text.contains(&format!(".SS \"{}\"", context.title())), "{context:?}");
        for command in commands::of(context) {
            assert!(text.contains(command.doc), "{}", command.doc);
        }
    }
}

#[test]
fn the_sections_are_those_of_a_man_page() {
    let text = printed();
    let titles: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    assert_eq!(
        titles,
        [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "DECISIONS",
            "QUICK BLOCKS",
            "NETWORKS",
            "SETUP",
            "COMMANDS",
            "FINDINGS",
            "THE SCREENS",
            "THE TRIAL",
            "THE POLICY FILE",
            "OUTPUT FOR SCRIPTS",
            "FILES",
            "ENVIRONMENT",
            "EXIT STATUS",
            "EXAMPLES",
            "SEE ALSO",
        ]
    );
}

#[test]
fn nothing_in_it_is_left_over_from_its_source() {
    for line in printed().lines() {
        assert!(!line.contains('`'), "{line}");
        assert!(line.is_ascii(), "{line}");
        assert!(!line.ends_with(' '), "{line}");
    }
}

#[test]
fn every_kind_of_finding_is_explained_once() {
    let page = plain();
    let (_, findings) = page.split_once("\n.SH FINDINGS\n").unwrap();
    let (findings, _) = findings.split_once("\n.SH ").unwrap();
    for kind in kinds() {
        let times = findings.lines().filter(|line| *line == kind.id).count();
        assert_eq!(times, 1, "{}", kind.id);
        assert!(!kind.line.ends_with('.') && !kind.line.is_empty(), "{}", kind.id);
    }
}
