//! What the user chose reaches the screens, and what is wrong in it is told there.

use std::process::Command;

use crate::terminal::Terminal;

const MOUSE_ON: &str = "\u{1b}[?1000h";
const MOUSE_OFF: &str = "\u{1b}[?1000l";

fn screens_in(folder: &tempfile::TempDir, config: &str) -> Terminal {
    std::fs::create_dir(folder.path().join("fwtui")).unwrap();
    std::fs::write(folder.path().join("fwtui/config.json"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
    command
        .args(["--root", "/nowhere", "--screen", "services"])
        .env("XDG_CONFIG_HOME", folder.path());
    let mut terminal = Terminal::with((100, 30), &command);
    terminal.until("the first look", |text| {
        text.contains("quit") && !text.contains("looking")
    });
    terminal
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = screens_in(&folder, r#"{"mouse": "no"}"#);
    assert!(!terminal.written().contains(MOUSE_ON));
    terminal.types("M");
    terminal.sees(&["clicks and scrolls here again"]);
    assert!(terminal.written().contains(MOUSE_ON));
    terminal.types("M");
    terminal.sees(&["left to the terminal"]);
    assert!(terminal.written().contains(MOUSE_OFF));
    terminal.types("q");
    terminal.ends_well(0);
}

#[test]
fn what_is_wrong_is_told_and_the_rest_holds() {
    let folder = tempfile::tempdir().unwrap();
    let config = "{\n\"mouse\": \"no\",\n\"theme\": \"drak\",\n\"keys\": {\"screens.quit\": [\"f10\"]}\n}";
    let mut terminal = screens_in(&folder, config);
    terminal.sees(&["config.json, line 3", "'drak'", "fwtui config"]);
    assert!(!terminal.written().contains(MOUSE_ON));
    // F10, as terminals send it.
    terminal.types("\u{1b}[21~");
    terminal.ends_well(0);
}

#[test]
fn the_screens_open_with_defaults_where_the_file_is_refused() {
    for (target, words) in [
        ("/dev/zero", "it is no plain file"),
        ("/nowhere/config.json", "which is not there"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("fwtui")).unwrap();
        std::os::unix::fs::symlink(target, folder.path().join("fwtui/config.json")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
        command
            .args(["--root", "/nowhere", "--screen", "services"])
            .env("XDG_CONFIG_HOME", folder.path());
        let mut terminal = Terminal::with((100, 30), &command);
        terminal.sees(&["config.json", words]);
        assert!(terminal.written().contains(MOUSE_ON), "the default");
        terminal.types("q");
        terminal.ends_well(0);
    }
}
