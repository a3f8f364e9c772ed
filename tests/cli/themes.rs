//! Themes: fwtui's own, the user's, and files that are none.

use std::fs;
use std::path::Path;

use crate::harness::{Done, Home, finish};

/// fwtui with a config folder of its own.
fn with(config: &Path, home: &Home, args: &[&str], more: &[(&str, &str)]) -> Done {
    let mut command = home.command(args);
    command.env("XDG_CONFIG_HOME", config).envs(more.iter().copied());
    finish(&mut command)
}

fn config(files: &[(&str, &str)]) -> tempfile::TempDir {
    let config = tempfile::tempdir().unwrap();
    let folder = config.path().join("fwtui/themes");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    config
}

#[test]
fn all_are_listed_without_escape_sequences_in_a_pipe() {
    let (home, config) = (Home::new(), config(&[]));
    let done = with(config.path(), &home, &["themes"], &[("TERM", "xterm-256color")]).exits(0);
    for name in [
        "dark",
        "light",
        "high-contrast",
        "colorblind",
        "ember",
        "fjord",
        "lagoon",
        "paper",
        "monochrome",
    ] {
        assert!(done.stdout.contains(&format!(" {name} ")), "{}", done.stdout);
    }
    assert!(
        done.stdout.lines().any(|line| line.starts_with("*  dark")),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains('\u{1b}') && done.stderr.is_empty(), "{done:?}");
    let done = with(
        config.path(),
        &home,
        &["themes", "--theme", "ember"],
        &[("TERM", "xterm")],
    )
    .exits(0);
    assert!(
        done.stdout.lines().any(|line| line.starts_with("*  ember")),
        "{}",
        done.stdout
    );
    let done = with(config.path(), &home, &["themes"], &[("FWTUI_THEME", "paper")]).exits(0);
    assert!(
        done.stdout.lines().any(|line| line.starts_with("*  paper")),
        "{}",
        done.stdout
    );
    let done = with(config.path(), &home, &["themes"], &[("NO_COLOR", "1")]).exits(0);
    assert!(
        done.stdout.lines().any(|line| line.starts_with("*  monochrome")),
        "{}",
        done.stdout
    );
}

#[test]
fn a_printed_theme_is_the_start_of_ones_own() {
    let home = Home::new();
    let printed = home.fwtui(&["themes", "fjord"]).exits(0).stdout;
    let mine = printed.replacen("#9fcc98", "#00ff00", 1);
    let config = config(&[("mine.json", &mine), ("read.me", "not a theme")]);
    let done = with(config.path(), &home, &["themes", "--json", "--theme", "mine"], &[]).exits(0);
    let json = done.json();
    assert_eq!((&json["schema"], &json["in_use"]), (&1.into(), &"mine".into()));
    assert_eq!(json["unusable"].as_array().unwrap().len(), 0);
    let themes = json["themes"].as_array().unwrap();
    let named = |name: &str| themes.iter().find(|theme| theme["name"] == name).unwrap();
    let (mine, fjord) = (named("mine"), named("fjord"));
    assert!(mine["path"].as_str().unwrap().ends_with("fwtui/themes/mine.json"));
    assert!(fjord["path"].is_null());
    assert_eq!(mine["tokens"]["good"]["rgb"], "#00ff00");
    assert_eq!(mine["tokens"]["bad"], fjord["tokens"]["bad"]);
    assert_eq!(fjord["tokens"].as_object().unwrap().len(), 21);
    assert!(fjord["least_contrast"].as_f64().unwrap() >= 4.5);
    assert!(named("monochrome")["least_contrast"].is_null());
}

#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let home = Home::new();
    let config = config(&[
        (
            "fine.json",
            r##"{ "inherits": "light", "tokens": { "bad": { "rgb": "#8a0000" } } }"##,
        ),
        (
            "typo.json",
            "{ \"inherits\": \"dark\",\n  \"tokens\": {\n    \"goood\": {}\n  }\n}",
        ),
        ("dark.json", "{}"),
        ("huge.json", &" ".repeat(100_000)),
        ("evil\u{1b}[2J.json", "{"),
    ]);
    std::os::unix::fs::symlink("/nowhere/link.json", config.path().join("fwtui/themes/link.json")).unwrap();
    let done = with(config.path(), &home, &["themes"], &[]).exits(0);
    assert!(
        done.stdout.contains("fine") && !done.stdout.contains("typo"),
        "{}",
        done.stdout
    );
    for words in [
        "typo.json, line 3: there is no token 'goood': did you mean 'good'?",
        "dark.json has the name of one of fwtui's own themes",
        "huge.json can't be read: it is larger than 65536 bytes",
        "link.json can't be read: it is a link to /nowhere/link.json, which is not there",
        "evil?[2J.json, line 1: ",
    ] {
        assert!(done.stderr.contains(words), "wanted '{words}', got: {}", done.stderr);
    }
    with(config.path(), &home, &["themes", "typo"], &[]).complains(2, "typo.json, line 3");
    with(config.path(), &home, &["--theme", "typo", "themes"], &[]).complains(2, "did you mean 'good'?");
    let json = with(config.path(), &home, &["themes", "--json"], &[]).exits(0).json();
    assert_eq!(json["unusable"].as_array().unwrap().len(), 5);
}

#[test]
fn a_config_folder_of_somebody_else_is_none_of_ours() {
    let home = Home::unprivileged();
    finish(home.command(&["themes"]).env("XDG_CONFIG_HOME", "/root"))
        .exits(0)
        .says("dark");
    finish(home.command(&["themes"]).env("XDG_CONFIG_HOME", "/dev/null"))
        .exits(0)
        .says("dark");
}
