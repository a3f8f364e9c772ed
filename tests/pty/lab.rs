//! A sandbox with its services and a test in it.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::terminal::{PATIENCE, Terminal};

/// Set inside.
const INSIDE: &str = "FWTUI_PTY_TEST";
/// Said at the end, so that a test that never ran does not pass.
const DONE: &str = "pty: done";
/// How long a whole test may take, in seconds.
const LIMIT: &str = "80";
/// Keys that make the trial in the question before an apply the shortest there is: 20 seconds.
pub const SHORTEST: &str = "---";

/// Runs the body in a sandbox of its own: outside, by running this very test again inside.
pub fn in_sandbox<F: FnOnce(&Lab)>(body: F) {
    if std::env::var_os(INSIDE).is_some() {
        body(&Lab(()));
        println!("\n{DONE}");
        return;
    }
    // The closure's type is named after the function it is in: `pty::cycle::keeps::{{closure}}`.
    let path = std::any::type_name::<F>();
    let path = path.strip_prefix("pty::").unwrap_or(path);
    let name = path.strip_suffix("::{{closure}}").unwrap_or(path);
    let output = Command::new("timeout")
        .args(["--kill-after=5", LIMIT])
        .arg(env!("CARGO_BIN_EXE_fwtui"))
        .args(["sandbox", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stdout.contains(DONE),
        "{name} failed in the sandbox ({}):\n{stdout}\n{stderr}",
        output.status
    );
}

/// What a test in the sandbox works with.
#[derive(Debug)]
pub struct Lab(());

impl Lab {
    /// The screens, when they have read everything.
    #[track_caller]
    pub fn open(&self, size: (u16, u16)) -> Terminal {
        let mut terminal = Terminal::start(size, &["--screen", "services"]);
        terminal.until("the first complete look", |text| {
            text.contains("Services") && !text.contains("looking")
        });
        terminal
    }

    /// The screens with a trial of `sshd` open and everything else refused, of 20 seconds.
    #[track_caller]
    pub fn on_trial(&self, size: (u16, u16)) -> Terminal {
        self.does(&["set", "22/tcp", "open"]);
        let mut terminal = self.open(size);
        terminal.answers("a", &["Apply?", "for 90 seconds"]);
        terminal.answers(SHORTEST, &["for 20 seconds"]);
        terminal.answers("y", &["TRIAL", "then the old rules come back"]);
        terminal
    }

    /// Runs fwtui beside the screens.
    pub fn fwtui(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_fwtui"))
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The same, which must succeed.
    #[track_caller]
    pub fn does(&self, args: &[&str]) -> String {
        let output = self.fwtui(args);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// `status --json`.
    #[track_caller]
    pub fn status(&self) -> Value {
        serde_json::from_slice(&self.fwtui(&["status", "--json"]).stdout).unwrap()
    }

    /// Waits for a state.
    #[track_caller]
    pub fn becomes(&self, state: &str) -> Value {
        eventually(&format!("state {state}"), PATIENCE, || {
            let status = self.status();
            (status["state"] == state).then_some(status)
        })
    }

    /// What the neighbours get at a port: public, trusted and far, IPv4 and IPv6 each.
    #[track_caller]
    pub fn knocks(&self, port: &str) -> Vec<String> {
        let table = self.does(&["knock"]);
        let line = table
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(port))
            .unwrap_or_else(|| panic!("{port} in:\n{table}"));
        line.split_whitespace().skip(2).map(str::to_owned).collect()
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn eventually<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited for {what}");
        std::thread::yield_now();
    }
}
