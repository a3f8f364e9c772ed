//! Without a terminal there are no screens: it says so, and what to do instead.

use std::process::{Command, Stdio};

use crate::terminal::Terminal;

fn complains(command: &mut Command) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the screens need a terminal"), "{stderr}");
    assert!(stderr.contains("fwtui list"), "the next step: {stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn neither_is_a_terminal() {
    complains(Command::new(env!("CARGO_BIN_EXE_fwtui")).stdin(Stdio::null()));
}

/// The shell's redirections leave the other two streams on the terminal.
#[test]
fn one_of_them_is_not_a_terminal() {
    for redirection in ["< /dev/null", "> /dev/null", "< /dev/null > /dev/null", "<&-", ">&-"] {
        let mut command = Command::new("sh");
        let script = format!("\"$0\" {redirection}; echo code $?");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_fwtui")]);
        let mut terminal = Terminal::with((80, 24), &command);
        terminal.ends_well(0);
        let text = terminal.text();
        assert!(text.contains("the screens need a terminal"), "{redirection}: {text}");
        assert!(text.contains("code 2"), "{redirection}: {text}");
        assert!(
            !terminal.written().contains('\u{1b}'),
            "{redirection}: nothing is drawn"
        );
    }
}
