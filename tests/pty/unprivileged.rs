//! Without root: the list, read-only, saying what it can't see.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rustix::process::geteuid;

use crate::terminal::Terminal;

/// Somebody without any rights.
const NOBODY: &str = "65534";

#[test]
fn read_only_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let program = folder.path().join("fwtui");
    fs::create_dir(&root).unwrap();
    // Others may not enter the folder the program is in.
    fs::copy(env!("CARGO_BIN_EXE_fwtui"), &program).unwrap();
    for path in [folder.path(), &root, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = if geteuid().is_root() {
        let mut command = Command::new("setpriv");
        let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
        command.args(ids).args(["--clear-groups", "--"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    command.arg("--root").arg(&root);
    let mut terminal = Terminal::with((80, 24), &command);
    terminal.sees(&["Without root", "sudo fwtui", "unknown"]);
    for key in ["c", "t", "o", "a"] {
        terminal.answers(key, &["Read-only without root."]);
        terminal.answers("s", &["Sorted by"]);
    }
    assert!(fs::read_dir(&root).unwrap().next().is_none(), "nothing was written");
    terminal.types("q");
    terminal.ends_well(0);
}
