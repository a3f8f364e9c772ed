//! Standard output and standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::app::Error;
use crate::core::text::printable_within;

/// Longest line on standard error, in characters: it may quote what it complains about.
const LONGEST_LINE: usize = 1000;

/// Where answers go. A reader that has gone (`fwtui list | head`) is not an error.
#[derive(Debug)]
pub(super) struct Out {
    stdout: io::Stdout,
    stderr: io::Stderr,
}

impl Out {
    pub(super) fn new() -> Self {
        Self {
            stdout: io::stdout(),
            stderr: io::stderr(),
        }
    }

    /// Whether a person reads it.
    pub(super) fn is_terminal(&self) -> bool {
        self.stdout.is_terminal()
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// Where it can't be written (a full disk), except that nobody reads any more.
    pub(super) fn print(&self, text: &str) -> Result<(), Error> {
        let mut stdout = self.stdout.lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::failed(format!("the output can't be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub(super) fn line(&self, text: &str) -> Result<(), Error> {
        self.print(&format!("{text}\n"))
    }

    /// Prints a value as JSON.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub(super) fn json<T: Serialize>(&self, value: &T) -> Result<(), Error> {
        let text = serde_json::to_string(value).map_err(|error| Error::failed(error.to_string()))?;
        self.line(&text)
    }

    /// Says something beside the answer, on standard error.
    pub(super) fn note(&self, text: &str) {
        let lines = text.lines().map(|line| printable_within(line, LONGEST_LINE));
        let text = lines.collect::<Vec<_>>().join("\n");
        // Nowhere is left to say that standard error is gone.
        let _unheard = writeln!(self.stderr.lock(), "{text}");
    }

    /// Says what went wrong and what to do next, on standard error.
    pub(super) fn error(&self, error: &Error) {
        self.note(&format!("fwtui: {}", error.message));
        for hint in &error.hints {
            self.note(&format!("  {hint}"));
        }
    }
}
