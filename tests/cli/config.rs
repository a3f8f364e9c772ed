//! `fwtui config`: what holds, where it comes from, and what is wrong.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Done, Home, finish};

/// The user's file, with this in it.
fn write(home: &Home, text: impl AsRef<[u8]>) -> PathBuf {
    let folder = home.root().parent().unwrap().join(".config/fwtui");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("config.json");
    fs::write(&path, text).unwrap();
    path
}

fn with(home: &Home, variable: &str, value: &str, args: &[&str]) -> Done {
    finish(home.command(args).env(variable, value))
}

fn value<'a>(config: &'a Value, name: &str) -> &'a Value {
    let values = config["values"].as_array().unwrap();
    values.iter().find(|value| value["name"] == name).unwrap()
}

#[test]
fn without_a_file_everything_is_the_default() {
    let home = Home::new();
    let done = home.fwtui(&["config"]).exits(0);
    assert!(
        done.stdout.contains(".config/fwtui/config.json (not there)"),
        "{}",
        done.stdout
    );
    for words in [
        "theme    dark      default",
        "refresh  3s        default",
        "timeout  90s       default",
    ] {
        assert!(done.stdout.contains(words), "{}", done.stdout);
    }
    assert_eq!(done.stderr, "");
    let config = home.fwtui(&["config", "--json"]).exits(0).json();
    assert_eq!((&config["schema"], &config["exists"]), (&json!(1), &json!(false)));
    assert_eq!((&config["wrong"], &config["keys"]), (&json!([]), &json!([])));
}

#[test]
fn the_path_is_told_and_all_keys_are_printed_as_a_file_takes_them() {
    let home = Home::new();
    let path = home.fwtui(&["config", "--path"]).exits(0).stdout;
    let keys = home.fwtui(&["config", "--keys"]).exits(0).stdout;
    let written = write(&home, &keys);
    assert_eq!(path.trim_end(), written.to_str().unwrap());
    let config = home.fwtui(&["config", "--json"]).exits(0).json();
    assert!(config["keys"].as_array().unwrap().len() > 50, "{config}");
    assert_eq!(home.fwtui(&["config", "--keys"]).exits(0).stdout, keys);
}

#[test]
fn command_line_over_environment_over_file_over_default() {
    let home = Home::new();
    let text = "{\n  \"theme\": \"light\",\n  \"refresh\": 10,\n  \"keys\": {\"services.confine\": [\"f6\", \"x\"]}\n}";
    let path = write(&home, text);
    let place = |line: u32| format!("{}:{line}", path.display());
    let done = home
        .fwtui(&["config"])
        .exits(0)
        .says(&place(2))
        .says(&place(3))
        .says(&place(4));
    assert!(done.stdout.contains("F6, x"), "{}", done.stdout);
    let config = home.fwtui(&["config", "--json"]).exits(0).json();
    assert_eq!(
        *value(&config, "theme"),
        json!({"name": "theme", "value": "light", "source": "file", "line": 2})
    );
    assert_eq!(config["keys"][0]["command"], "services.confine");
    let config = with(&home, "FWTUI_THEME", "monochrome", &["config", "--json"])
        .exits(0)
        .json();
    let theme = json!({"name": "theme", "value": "monochrome", "source": "environment", "variable": "FWTUI_THEME"});
    assert_eq!(*value(&config, "theme"), theme);
    let config = with(
        &home,
        "FWTUI_THEME",
        "monochrome",
        &["--theme", "dark", "config", "--json"],
    )
    .exits(0)
    .json();
    assert_eq!(
        *value(&config, "theme"),
        json!({"name": "theme", "value": "dark", "source": "command-line"})
    );
}

#[test]
fn what_is_wrong_is_named_with_file_line_and_the_word_meant() {
    let home = Home::new();
    let text = "{\n  \"theem\": \"light\",\n  \"theme\": \"lihgt\",\n  \"keys\": {\n    \"services.confin\": [\"x\"],\n    \
                \"services.open\": [\"k\"],\n    \"services.trust\": [\"spaec\"]\n  }\n}";
    let path = write(&home, text);
    let done = home.fwtui(&["config"]).exits(1).says("theme    dark");
    for (line, words) in [
        (2, "unknown field 'theem': did you mean 'theme'?"),
        (3, "'lihgt'"),
        (5, "unknown command 'services.confin': did you mean 'services.confine'?"),
        (6, "k can't be 'services.open': it is 'trial.keep' there"),
        (7, "'services.trust': there is no key 'spaec': did you mean 'space'?"),
    ] {
        let place = format!("fwtui: {}:{line}: ", path.display());
        let is_told = done
            .stderr
            .lines()
            .any(|told| told.starts_with(&place) && told.contains(words));
        assert!(is_told, "{line} {words}: {}", done.stderr);
    }
    let config = home.fwtui(&["config", "--json"]).exits(1).json();
    assert_eq!(config["wrong"].as_array().unwrap().len(), 5);
    with(&home, "FWTUI_MOUSE", "maybe", &["config"]).exits(1).says("mouse");
    let done = with(&home, "FWTUI_MOUSE", "maybe", &["config"]);
    assert!(
        done.stderr.contains("FWTUI_MOUSE: 'maybe': write yes or no"),
        "{}",
        done.stderr
    );
    home.fwtui(&["--theme", "nonsense", "config"])
        .complains(2, "there is no theme 'nonsense'");
}

/// Other commands neither read it nor mind it.
#[test]
fn a_wrong_file_stops_no_command() {
    let home = Home::new();
    write(&home, "{ this is no JSON");
    home.fwtui(&["config"]).exits(1).says("theme    dark");
    let done = home.fwtui(&["status", "--json"]);
    assert!(!done.stderr.contains("config.json"), "{}", done.stderr);
}

#[test]
fn hostile_files_do_no_harm() {
    let home = Home::new();
    let deep = format!("{{\"keys\": {}{}}}", "{\"a\":".repeat(8000), "}".repeat(100));
    let cases: [(Vec<u8>, &str); 6] = [
        (vec![b' '; 10 << 20], "it is larger than 65536 bytes"),
        (b"{\"theme\": \"\xff\xfe\"}".to_vec(), "UTF-8"),
        (deep.into_bytes(), "config.json:1: "),
        ("[".repeat(60_000).into_bytes(), "config.json:1: "),
        (Vec::new(), "config.json:1: the file ends too early"),
        (
            b"{\"\\u001b[2J\": 1, \"theme\": \"\\u001b]0;x\\u0007\"}".to_vec(),
            "unknown field '?[2J'",
        ),
    ];
    for (text, words) in cases {
        let path = write(&home, &text);
        let done = home.fwtui(&["config"]).exits(1).says("theme    dark");
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
        assert!(done.stderr.contains(path.to_str().unwrap()), "{}", done.stderr);
        assert!(!done.stderr.contains('\u{1b}') && !done.stdout.contains('\u{1b}'));
    }
    let path = write(&home, "{}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    home.fwtui(&["config"]).exits(1).says("theme    dark");
    fs::remove_dir(&path).unwrap();
    // Followed, and no JSON.
    std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
    let done = home.fwtui(&["config"]).exits(1);
    assert!(done.stderr.contains("config.json:1: "), "{}", done.stderr);
}

#[test]
fn the_screen_named_on_the_command_line_is_told_as_such() {
    let home = Home::new();
    let config = home
        .fwtui(&["--screen", "networks", "config", "--json"])
        .exits(0)
        .json();
    let values = config["values"].as_array().unwrap();
    let screen = values.iter().find(|value| value["name"] == "screen").unwrap();
    assert_eq!(screen["value"], "networks", "{screen}");
    assert_ne!(screen["source"], "default", "{screen}");
}
