//! What went wrong, why, and what to do next: the same for the command line and the screens.

use std::fmt;

/// What sort of failure it is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It failed, or something could not be read. Exit code 1.
    Failed,
    /// It was asked for wrongly. Exit code 2.
    Usage,
    /// Nothing shows that a new connection gets in: it takes a second yes. Exit code 1.
    Unproven,
    /// It was reverted, or the confirmation came too late. Exit code 4.
    Reverted,
    /// It was stopped before anything changed, as asked. Exit code 1.
    Stopped,
    /// Root is needed. Exit code 5.
    NotPermitted,
}

/// A failure in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: Kind,
    /// What happened and why, one sentence without a full stop.
    pub message: String,
    /// What to do next, one sentence each; commands as they are typed.
    pub hints: Vec<String>,
}

impl Error {
    /// A failure of the first kind.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Failed,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// A failure of some kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// The same with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
