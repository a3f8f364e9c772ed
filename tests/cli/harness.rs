//! fwtui as a script starts it: no environment, no terminal, nothing on standard input.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use serde_json::Value;

/// Set inside.
const INSIDE: &str = "FWTUI_CLI_TEST";
/// Said at the end, so that a test that never ran does not pass.
const DONE: &str = "cli: done";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the programs are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Somebody without any rights.
const NOBODY: u32 = 65534;

/// What the program did.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Checks the exit code, with everything that was said where it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that it complained, and of what.
    #[track_caller]
    pub fn complains(self, code: i32, words: &str) -> Self {
        let done = self.exits(code);
        assert!(done.stderr.contains(words), "wanted '{words}', got: {}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
        assert_eq!(done.stdout, "", "an error is no answer");
        done
    }

    /// Checks what it answered.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.stdout.contains(words),
            "wanted '{words}', got: {}{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The answer as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A machine of its own as far as fwtui's files go.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
    root: PathBuf,
    program: PathBuf,
    is_nobody: bool,
}

impl Home {
    /// With files of its own; on the machine's network, so for what reads only.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        Self {
            folder,
            root,
            program: env!("CARGO_BIN_EXE_fwtui").into(),
            is_nobody: false,
        }
    }

    /// The same without root, whoever runs the tests.
    pub fn unprivileged() -> Self {
        let mut home = Self::new();
        if geteuid().is_root() {
            // Others may not enter the folder the program is in.
            home.program = home.folder.path().join("fwtui");
            // By another process: one that this one starts meanwhile would inherit the file while it is
            // written to, and nobody could run it ("text file busy").
            finish(Command::new("cp").arg(env!("CARGO_BIN_EXE_fwtui")).arg(&home.program)).exits(0);
            for path in [home.folder.path(), &home.root, &home.program] {
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            home.is_nobody = true;
        }
        home
    }

    /// A command that has nothing but what a test gives it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", PATH)
            .env("FWTUI_ROOT", &self.root)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if self.is_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Runs it.
    pub fn fwtui(&self, args: &[&str]) -> Done {
        finish(&mut self.command(args))
    }

    /// Where fwtui's files are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The wanted policy's file; its folder is there.
    pub fn policy(&self) -> PathBuf {
        let folder = self.root.join("etc/fwtui");
        fs::create_dir_all(&folder).unwrap();
        folder.join("policy.json")
    }
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the body as root of a sandbox of its own: outside, by running this very test again inside.
pub fn in_sandbox<F: FnOnce(&Home)>(body: F) {
    if let Some(root) = std::env::var_os(INSIDE) {
        let mut home = Home::new();
        // The sandbox's own root: at its end it ends the trial there.
        home.root = root.into();
        fs::create_dir_all(&home.root).unwrap();
        body(&home);
        println!("\n{DONE}");
        return;
    }
    // The closure's type is named after the function it is in: `cli::set::twice::{{closure}}`.
    let path = std::any::type_name::<F>();
    let path = path.strip_prefix("cli::").unwrap_or(path);
    let name = path.strip_suffix("::{{closure}}").unwrap_or(path);
    let done = finish(
        Command::new(env!("CARGO_BIN_EXE_fwtui"))
            .args(["sandbox", "--bare", "--", "sh", "-c"])
            .arg(format!("{INSIDE}=$FWTUI_ROOT exec \"$0\" \"$@\""))
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture", "--test-threads=1"])
            .stdin(Stdio::null()),
    );
    assert!(
        done.code == Some(0) && done.stdout.contains(DONE),
        "{name} failed in the sandbox ({:?}):\n{}\n{}",
        done.code,
        done.stdout,
        done.stderr
    );
}

/// Asks again and again until there is an answer, or patience ends.
#[track_caller]
pub fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "it did not happen in time");
        std::thread::yield_now();
    }
}
