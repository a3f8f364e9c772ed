//! Standard output and standard error.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

use rustix::fd::AsFd;
use rustix::termios::tcgetwinsize;
use serde::Serialize;

use crate::app::Error;
use crate::cli::wrap::{WIDEST, wrap};
use crate::cli::{terminal, variable};
use crate::core::text::printable_within;
use crate::tui::ascii;

/// Longest line on standard error, in characters: it may quote what it complains about.
const LONGEST_LINE: usize = 1000;
/// A terminal with fewer columns gets lines of so many.
const NARROWEST: usize = 20;

/// Where answers go. A reader that has gone (`fwtui list | head`) is not an error.
#[derive(Debug)]
pub(super) struct Out {
    stdout: io::Stdout,
    stderr: io::Stderr,
    /// Whether standard output and standard error get ASCII only.
    is_ascii: [bool; 2],
    /// How wide lines on them may be, where they are terminals.
    widths: [Option<usize>; 2],
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
            widths: [columns(&stdout), columns(&stderr)],
            stdout,
            stderr,
            wants_ascii,
        }
    }

    /// How wide lines on standard output may be; none where it is no terminal, and lines are as long as they are.
    pub(super) const fn width(&self) -> Option<usize> {
        let [width, _] = self.widths;
        width
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

    /// Prints sentences: on a terminal in lines it has room for, else each in a line of its own.
    ///
    /// # Errors
    /// As [`Self::print_exactly`].
    pub(super) fn prose(&self, text: &str) -> Result<(), Error> {
        match self.width() {
            None => self.print(text),
            // ASCII may be wider.
            Some(width) if self.is_ascii() => self.print_exactly(&wrap(&ascii::text(text), width)),
            Some(width) => self.print_exactly(&wrap(text, width)),
        }
    }

    /// Prints text for people in the lines it has: rules, and what has been made to fit.
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
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritten(&error)),
            _ => Ok(()),
        }
    }

    /// Prints a sentence, as [`Self::prose`].
    ///
    /// # Errors
    /// As [`Self::print_exactly`].
    pub(super) fn line(&self, text: &str) -> Result<(), Error> {
        self.prose(&format!("{text}\n"))
    }

    /// Prints a value as JSON.
    ///
    /// # Errors
    /// As [`Self::print_exactly`].
    pub(super) fn json<T: Serialize>(&self, value: &T) -> Result<(), Error> {
        let text = serde_json::to_string(value).map_err(|error| Error::failed(error.to_string()))?;
        self.print_json(&format!("{text}\n"))
    }

    /// Prints a document that is JSON; in ASCII it is the same one, with other letters as `\\u` and a number.
    ///
    /// # Errors
    /// As [`Self::print_exactly`].
    pub(super) fn print_json(&self, document: &str) -> Result<(), Error> {
        match self.wants_ascii && !document.is_ascii() {
            true => self.print_exactly(&escaped(document)),
            false => self.print_exactly(document),
        }
    }

    /// Says something beside the answer, on standard error.
    pub(super) fn note(&self, text: &str) {
        let lines = text.lines().map(|line| printable_within(line, LONGEST_LINE));
        let mut text = lines.collect::<Vec<_>>().join("\n");
        if let [_, true] = self.is_ascii {
            text = ascii::text(&text);
        }
        if let [_, Some(width)] = self.widths {
            text = wrap(&text, width);
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

/// The error of an answer that can't be written.
pub(super) fn unwritten(error: &io::Error) -> Error {
    Error::failed(format!("the output can't be written: {error}"))
}

/// How wide lines on a stream may be; none where it is no terminal, or one that does not know its width.
fn columns(stream: &(impl AsFd + IsTerminal)) -> Option<usize> {
    let size = stream.is_terminal().then(|| tcgetwinsize(stream).ok())??;
    (size.ws_col > 0).then(|| usize::from(size.ws_col).clamp(NARROWEST, WIDEST))
}

/// JSON in ASCII: outside of its texts it is nothing else.
fn escaped(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    for character in document.chars() {
        if character.is_ascii() {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _never_fails = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn json_in_ascii_says_the_same() {
        let document = "{\"a\":\"caf\u{e9} \u{1f512}\"}";
        let escaped = super::escaped(document);
        assert_eq!(escaped, r#"{"a":"caf\u00e9 \ud83d\udd12"}"#);
        let [one, other] = [document, &escaped].map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert_eq!(one, other);
    }
}
