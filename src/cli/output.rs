//! Standard output and standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::app::Error;
use crate::cli::{terminal, variable};
use crate::core::text::printable_within;
use crate::tui::ascii;

/// Longest line on standard error, in characters: it may quote what it complains about.
const LONGEST_LINE: usize = 1000;

/// Where answers go. A reader that has gone (`fwtui list | head`) is not an error.
#[derive(Debug)]
pub(super) struct Out {
    stdout: io::Stdout,
    stderr: io::Stderr,
    /// Whether standard output and standard error get ASCII only.
    is_ascii: [bool; 2],
    wants_ascii: bool,
}

impl Out {
    /// In ASCII where the user wants that, or a terminal shows nothing else.
    pub(super) fn new(wants_ascii: bool) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let is_poor = terminal::is_ascii(&variable);
        Self {
            is_ascii: [stdout.is_terminal(), stderr.is_terminal()]
                .map(|is_terminal| wants_ascii || is_poor && is_terminal),
            stdout,
            stderr,
            wants_ascii,
        }
    }

    /// The same for another thread.
    pub(super) fn again(&self) -> Self {
        Self::new(self.wants_ascii)
    }

    /// Whether the user asked for ASCII on the command line.
    pub(super) const fn wants_ascii(&self) -> bool {
        self.wants_ascii
    }

    /// Whether what is read on standard output is to be ASCII.
    pub(super) const fn is_ascii(&self) -> bool {
        let [is_ascii, _] = self.is_ascii;
        is_ascii
    }

    /// Whether a person reads it.
    pub(super) fn is_terminal(&self) -> bool {
        self.stdout.is_terminal()
    }

    /// Prints text for people.
    ///
    /// # Errors
    /// As [`Self::print_exactly`].
    pub(super) fn print(&self, text: &str) -> Result<(), Error> {
        match self.is_ascii() && !text.is_ascii() {
            true => self.print_exactly(&ascii::text(text)),
            false => self.print_exactly(text),
        }
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// Where it can't be written (a full disk), except that nobody reads any more.
    pub(super) fn print_exactly(&self, text: &str) -> Result<(), Error> {
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
        self.print_exactly(&format!("{text}\n"))
    }

    /// Says something beside the answer, on standard error.
    pub(super) fn note(&self, text: &str) {
        let lines = text.lines().map(|line| printable_within(line, LONGEST_LINE));
        let mut text = lines.collect::<Vec<_>>().join("\n");
        if let [_, true] = self.is_ascii {
            text = ascii::text(&text);
        }
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
