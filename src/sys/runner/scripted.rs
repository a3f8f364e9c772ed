//! A runner that starts nothing, for tests.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::{Call, Output, RunError, Runner};

/// One expected call and its answer.
#[derive(Debug)]
pub struct ScriptedCall {
    program: PathBuf,
    args: Vec<OsString>,
    stdin: Option<Vec<u8>>,
    answer: Result<Output, RunError>,
}

impl ScriptedCall {
    /// Expects this program with exactly these arguments; answers with exit code 0 and silence.
    /// Its input is not looked at unless [`stdin`](Self::stdin) says so.
    pub fn new<A: Into<OsString>>(program: impl Into<PathBuf>, args: impl IntoIterator<Item = A>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            stdin: None,
            answer: Ok(Output {
                code: 0,
                stdout: String::new(),
                stderr: String::new(),
            }),
        }
    }

    /// The same, but the input must be exactly this.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// The same, printing this with exit code 0.
    #[must_use]
    pub fn prints(self, stdout: impl Into<String>) -> Self {
        self.answers(Ok(Output {
            code: 0,
            stdout: stdout.into(),
            stderr: String::new(),
        }))
    }

    /// The same, failing with an exit code and a complaint.
    #[must_use]
    pub fn fails(self, code: i32, stderr: impl Into<String>) -> Self {
        self.answers(Ok(Output {
            code,
            stdout: String::new(),
            stderr: stderr.into(),
        }))
    }

    /// The same with any answer.
    #[must_use]
    pub fn answers(mut self, answer: Result<Output, RunError>) -> Self {
        self.answer = answer;
        self
    }

    /// How the call differs from what is expected.
    fn difference(&self, call: &Call) -> Option<String> {
        if self.program != call.program || self.args != call.args {
            let mut expected = Call::new(&self.program);
            expected.args.clone_from(&self.args);
            return Some(format!("expected: {expected}\n  called: {call}"));
        }
        let stdin = self.stdin.as_ref().filter(|stdin| **stdin != call.stdin)?;
        Some(format!(
            "{call} was expected to read:\n{}\n  but got:\n{}",
            String::from_utf8_lossy(stdin),
            String::from_utf8_lossy(&call.stdin)
        ))
    }
}

/// A [`Runner`] that answers from a script, in order. A call that is extra or different fails, and
/// is remembered for [`finish`](Self::finish), which also tells of calls that never came.
#[derive(Debug, Default)]
pub struct ScriptedRunner {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<ScriptedCall>,
    wrong: Vec<String>,
}

impl ScriptedRunner {
    /// A runner that expects these calls in this order.
    pub fn new(script: impl IntoIterator<Item = ScriptedCall>) -> Self {
        Self {
            state: Mutex::new(State {
                script: script.into_iter().collect(),
                wrong: Vec::new(),
            }),
        }
    }

    /// Ends the play; call it at the end of every test.
    ///
    /// # Errors
    ///
    /// All that did not go by the script, in words: different, extra and missing calls.
    pub fn finish(self) -> Result<(), String> {
        let State { script, wrong } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut report = wrong.join("\n");
        for missing in script {
            let mut call = Call::new(missing.program);
            call.args = missing.args;
            // Writing to a string does not fail.
            let _ = write!(report, "\nnever called: {call}");
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }
}

impl Runner for ScriptedRunner {
    fn run(&self, call: &Call) -> Result<Output, RunError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = match state.script.pop_front() {
            None => format!("extra call: {call}"),
            Some(expected) => match expected.difference(call) {
                None => return expected.answer,
                Some(difference) => {
                    // Left in place, so that what follows is compared with the right lines.
                    state.script.push_front(expected);
                    difference
                }
            },
        };
        state.wrong.push(wrong.clone());
        Err(RunError::Io {
            program: call.program.clone(),
            source: std::io::Error::other(wrong),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_followed_script_is_silent() {
        let runner = ScriptedRunner::new([
            ScriptedCall::new("iptables", ["-V"]).prints("iptables v1.8.9 (nf_tables)\n"),
            ScriptedCall::new("iptables-restore", ["--noflush"])
                .stdin("COMMIT\n")
                .fails(4, "locked"),
        ]);
        let version = runner.run(&Call::new("iptables").arg("-V")).unwrap();
        assert_eq!(version.stdout, "iptables v1.8.9 (nf_tables)\n");
        let restore = Call::new("iptables-restore").arg("--noflush").stdin("COMMIT\n");
        assert_eq!(runner.run(&restore).unwrap().code, 4);
        runner.finish().unwrap();
    }

    #[test]
    fn extra_missing_and_different_calls_are_told() {
        let runner = ScriptedRunner::new([]);
        runner.run(&Call::new("reboot")).unwrap_err();
        assert_eq!(runner.finish().unwrap_err(), "extra call: reboot");

        let runner = ScriptedRunner::new([ScriptedCall::new("nft", ["-f", "-"]).stdin("a")]);
        runner.run(&Call::new("nft").args(["-f", "x"])).unwrap_err();
        runner.run(&Call::new("nft").args(["-f", "-"]).stdin("b")).unwrap_err();
        let report = runner.finish().unwrap_err();
        for part in [
            "expected: nft -f -",
            "called: nft -f x",
            "but got:\nb",
            "never called: nft",
        ] {
            assert!(report.contains(part), "{part} in {report}");
        }
    }
}
