//! Programs that call themselves what no terminal should be told.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::lab::in_sandbox;

/// The kernel keeps 15 bytes of a name.
const NAMES: [&[u8]; 4] = [
    b"a\x1b[2J\x1b[31mb",
    "x\u{202e}gpj\u{200b}\u{feff}".as_bytes(),
    b"c\xff\xc2\x9b2J\x07\n|",
    "z\u{301}\u{301}\u{301}\u{9d}y".as_bytes(),
];

#[test]
fn names_with_sequences_are_shown_harmlessly_everywhere() {
    in_sandbox(|lab| {
        let folder = tempfile::tempdir().unwrap();
        let mut children = Vec::new();
        for (port, name) in (7001..).zip(NAMES) {
            let path = folder.path().join(OsStr::from_bytes(name));
            std::fs::copy(env!("CARGO_BIN_EXE_fwtui"), &path).unwrap();
            let child = Command::new(&path)
                .args(["sandbox-service", &format!("tcp/0.0.0.0:{port}")])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            children.push(child);
        }
        let mut terminal = lab.open((120, 40));
        terminal.answers("/700\r", &["7001/tcp", "7002/tcp", "7003/tcp", "7004/tcp"]);
        let harmless = |text: &str| {
            let is_harmful = |character: char| {
                character.is_control() && character != '\n' || matches!(character, '\u{200b}' | '\u{202e}' | '\u{feff}')
            };
            assert!(!text.contains(is_harmful), "{text:?}");
        };
        for (port, shown) in [
            (7001, "a?[2J?[31mb"),
            (7002, "x?gpj??"),
            (7003, "c??2J??|"),
            (7004, "z\u{301}???y"),
        ] {
            // The row, the details, who may connect, the way, the question before disabling.
            terminal.answers(&format!("/\u{15}{port}\r"), &[&format!("{shown} · {port}/tcp")]);
            harmless(&terminal.text());
            terminal.answers("w", &[&format!("{port}/tcp")]);
            terminal.types("\r");
            terminal.is_quiet();
            harmless(&terminal.text());
            terminal.types("\u{1b}");
            terminal.is_quiet();
            terminal.types("\u{1b}");
            terminal.is_quiet();
        }
        for screen in ["2", "3", "4"] {
            terminal.types(screen);
            terminal.is_quiet();
            harmless(&terminal.text());
        }
        terminal.loses("Checking");
        harmless(&terminal.text());
        terminal.types("q");
        terminal.ends_well(0);
        // For people, who read it on a terminal.
        for verb in [
            &["list"] as &[&str],
            &["check"],
            &["preview"],
            &["status"],
            &["explain", "7001/tcp"],
        ] {
            let output = lab.fwtui(verb);
            harmless(&String::from_utf8_lossy(&output.stdout));
            harmless(&String::from_utf8_lossy(&output.stderr));
        }
        for mut child in children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    });
}
