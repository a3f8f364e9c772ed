//! What is on disk: the wanted policy, and the state folder with what was confirmed and what is
//! under way.

pub mod catalogue;
pub mod paths;
pub mod policy;
pub mod setup;
pub mod state;

use std::io;
use std::path::PathBuf;

use crate::core::policy::PolicyError;

/// Why a document could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{} could not be {what}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The policy is wrong.
    #[error("{}, {error}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        error: PolicyError,
    },
    /// A state document is torn, of another version, or no document at all.
    #[error("{} is not what fwtui wrote: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl StoreError {
    fn io(path: &std::path::Path, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, what, source }
    }
}
