//! The only place that starts programs.
//!
//! Programs are started by absolute path with a clean environment, in `/`, never through a shell,
//! with a limit on their time and on their output. Everything above asks through [`Runner`], so
//! tests can put a [`ScriptedRunner`] in its place.

mod foreground;
mod scripted;
mod spawn;
mod system;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};

pub use foreground::run_in_foreground;
pub use scripted::{ScriptedCall, ScriptedRunner};
pub use spawn::{Environment, SelfCall, Stdin, close_inherited, own_path, spawn_self};
pub use system::SystemRunner;

/// Where programs are looked for, in this order; the caller's `PATH` has no say, because what is
/// found here runs as root.
pub const SYSTEM_DIRECTORIES: [&str; 6] = [
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
];
/// [`SYSTEM_DIRECTORIES`] as a program's `PATH`.
pub const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin";

/// How long a program may take where the call does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much a program may print, in bytes on both outputs together, where the call does not say.
/// A saved ruleset of 100,000 rules is a tenth of it.
const DEFAULT_OUTPUT_LIMIT: usize = 64 * 1024 * 1024;

/// Starts programs and waits for them.
pub trait Runner: fmt::Debug + Send + Sync {
    /// Runs one program to its end. A program that ends by itself with an exit code other than 0
    /// is not an error here: the caller knows what its codes mean.
    ///
    /// # Errors
    ///
    /// Where it could not be started, was killed by a signal, or went past a limit (and was killed
    /// for it).
    fn run(&self, call: &Call) -> Result<Output, RunError>;
}

/// One run of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// An absolute path, or a bare name that is looked for in [`SYSTEM_DIRECTORIES`].
    pub program: PathBuf,
    /// The arguments, without the program's own name.
    pub args: Vec<OsString>,
    /// What it reads from its standard input.
    pub stdin: Vec<u8>,
    /// How long it may take before it is killed.
    pub timeout: Duration,
    /// How many bytes it may print, on both outputs together, before it is killed.
    pub output_limit: usize,
}

impl Call {
    /// A call without arguments and input, with the default limits.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            stdin: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            output_limit: DEFAULT_OUTPUT_LIMIT,
        }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// The same with more arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// The same with something to read.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// The same with another time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with another output limit, in bytes.
    #[must_use]
    pub fn output_limit(mut self, output_limit: usize) -> Self {
        self.output_limit = output_limit;
        self
    }
}

/// The command as one would type it, for messages.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        self.args
            .iter()
            .try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

/// What a program that ended by itself left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code.
    pub code: i32,
    /// What it printed; what is not UTF-8 is replaced.
    pub stdout: String,
    /// What it complained about; what is not UTF-8 is replaced.
    pub stderr: String,
}

impl Output {
    /// Whether the exit code is 0.
    pub const fn is_success(&self) -> bool {
        self.code == 0
    }
}

/// Why a program gave no exit code.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not installed.
    #[error("{} is not installed (looked in {SYSTEM_PATH})", program.display())]
    NotFound {
        /// The program as it was asked for.
        program: PathBuf,
    },
    /// It took too long and was killed.
    #[error("{} did not end within {:.1} s and was killed", program.display(), after.as_secs_f64())]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The limit.
        after: Duration,
    },
    /// It was no longer wanted, and was killed.
    #[error("{} was stopped", program.display())]
    Stopped {
        /// The program.
        program: PathBuf,
    },
    /// A signal ended it.
    #[error("{} was ended by signal {signal}", program.display())]
    Signalled {
        /// The program.
        program: PathBuf,
        /// The signal's number; 11 is a crash.
        signal: i32,
    },
    /// It printed more than it may and was killed.
    #[error("{} printed more than {limit} bytes and was killed", program.display())]
    TooMuchOutput {
        /// The program.
        program: PathBuf,
        /// The limit in bytes.
        limit: usize,
    },
    /// The system refused to start it, or to talk to it.
    #[error("{} could not be run: {source}", program.display())]
    Io {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// The absolute path of a program: itself where it has one, else the first executable of that name
/// in [`SYSTEM_DIRECTORIES`]. Relative paths with a directory in them are never found.
pub fn find_program(program: &Path) -> Option<PathBuf> {
    let is_executable = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if program.is_absolute() {
        return is_executable(program).then(|| program.to_owned());
    }
    if program.components().count() != 1 || program.file_name().is_none() {
        return None;
    }
    SYSTEM_DIRECTORIES
        .iter()
        .map(|directory| Path::new(directory).join(program))
        .find(|path| is_executable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_names_and_absolute_paths_are_found() {
        assert!(find_program(Path::new("cat")).is_some_and(|path| path.is_absolute()));
        assert!(find_program(Path::new("/bin/cat")).is_some());
        for wrong in ["./cat", "bin/cat", "..", "", "/", "/etc/passwd", "/nowhere/cat"] {
            assert_eq!(find_program(Path::new(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn a_call_reads_as_it_is_typed() {
        let call = Call::new("iptables-restore").args(["--noflush", "-w"]).arg("5");
        assert_eq!(call.to_string(), "iptables-restore --noflush -w 5");
    }
}
