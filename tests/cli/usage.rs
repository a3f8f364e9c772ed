//! Help, version, and asking wrongly.

use crate::harness::Home;

const VERBS: [&str; 17] = [
    "setup",
    "list",
    "set",
    "network",
    "preview",
    "apply",
    "confirm",
    "revert",
    "extend",
    "status",
    "off",
    "restore",
    "sandbox",
    "knock",
    "themes",
    "completions",
    "man",
];

#[test]
fn help_names_every_verb_and_every_exit_code() {
    let home = Home::new();
    let done = home.fwtui(&["--help"]).exits(0);
    assert_eq!(done.stderr, "");
    for verb in VERBS {
        assert!(done.stdout.contains(&format!("\n  {verb} ")), "{verb}: {}", done.stdout);
    }
    for hidden in ["guard", "sandbox-service"] {
        assert!(!done.stdout.contains(&format!("\n  {hidden}")), "{hidden}");
    }
    assert!(done.stdout.contains("Exit codes: 0 done; 1 failed"));
}

#[test]
fn every_verb_has_help() {
    let home = Home::new();
    for verb in VERBS {
        home.fwtui(&[verb, "--help"]).exits(0).says("Usage: fwtui");
        home.fwtui(&["help", verb]).exits(0).says("Usage: fwtui");
    }
}

#[test]
fn help_fits_eighty_columns_and_more() {
    let home = Home::new();
    let done = home.fwtui(&["--help"]).exits(0);
    for line in done.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let home = Home::new();
    let done = home.fwtui(&["--version"]).exits(0);
    assert_eq!(done.stdout, concat!("fwtui ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_exits_with_two_and_an_explanation() {
    let home = Home::new();
    for (args, words) in [
        (&["nonsense"][..], "unrecognized subcommand 'nonsense'"),
        (&["--nonsense"], "unexpected argument '--nonsense'"),
        (&["list", "extra"], "unexpected argument 'extra'"),
        (&["--root"], "a value is required for '--root"),
        (&["set"], "<SUBJECT>"),
        (&["set", "22/tcp"], "<VALUE>"),
        (
            &["network", "eth1", "trusted", "--json"],
            "cannot be used with '--json'",
        ),
        (&["preview", "--format", "toml"], "invalid value 'toml'"),
        (&["preview", "--json", "--format", "diff"], "cannot be used with"),
        (&["apply", "--timeout", "19"], "from 20 seconds to 1 hour"),
        (&["apply", "--timeout", "2h"], "from 20 seconds to 1 hour"),
        (&["apply", "--timeout", "soon"], "write it like 90, 90s or 5m"),
        (&["apply", "--timeout", "0"], "from 20 seconds to 1 hour"),
        (&["apply", "--timeout", "1000000000000"], "from 20 seconds to 1 hour"),
        (&["apply", "--timeout", "3601"], "from 20 seconds to 1 hour"),
        (&["apply", "--timeout", "-1"], "write it like 90, 90s or 5m"),
        (&["off", "--timeout", "-5m"], "write it like 90, 90s or 5m"),
        (&["apply", "--timeout=-1"], "write it like 90, 90s or 5m"),
        (&["apply", "--timeout", "inf"], "write it like 90, 90s or 5m"),
        (&["apply", "--timeout", ""], "--timeout"),
        (&["off", "--timeout", "1e3"], "write it like 90, 90s or 5m"),
        (&["apply", "--replace=yes"], "unexpected value 'yes'"),
        (&["confirm", "--unproven=no"], "unexpected value 'no'"),
        (&["confirm", "--replace"], "unexpected argument '--replace'"),
        (&["confirm", "t1"], "unexpected argument 't1'"),
        (&["apply", "--accept-lockout", "ssh"], "invalid value 'ssh'"),
        (&["setup", "--take-all", "--show"], "cannot be used with"),
        (&["--screen", "blocked"], "invalid value 'blocked'"),
        (&["themes", "drak"], "no theme 'drak': did you mean 'dark'?"),
        (&["themes", "../../etc/passwd"], "there is no theme"),
        (&["themes", "dark", "--json"], "cannot be used with"),
        (&["--theme", "lihgt", "themes"], "did you mean 'light'?"),
        (&["completions", "tcsh"], "invalid value 'tcsh'"),
        (&["sandbox", "--root", "/x"], "--root has no effect here"),
        (&["--root", "/x", "themes"], "--root has no effect here"),
        (&["--theme", "dark", "list"], "--theme has no effect here"),
        (&["setup", "--screen", "preview"], "--screen has no effect here"),
        (
            &["explain", "22/tcp", "--from", "me"],
            "write an address like 192.0.2.7",
        ),
        (&["--root", "/etc/passwd", "status"], "/etc/passwd is no folder"),
        (&["off", "--end-connections"], "--end-connections has no effect here"),
    ] {
        home.fwtui(args).complains(2, words);
    }
}

#[test]
fn apply_and_off_ask_nobody_where_nobody_is() {
    let home = Home::new();
    for args in [&["apply"][..], &["off"], &["apply", "--timeout", "60"]] {
        home.fwtui(args).complains(2, "--yes");
    }
}

#[test]
fn completions_are_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        home.fwtui(&["completions", shell]).exits(0).says("preview");
    }
}

#[test]
fn knocking_needs_the_sandbox() {
    Home::new().fwtui(&["knock"]).complains(1, "fwtui sandbox");
}
