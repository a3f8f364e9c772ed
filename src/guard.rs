//! The trial's own process.
//!
//! Whoever applies starts a guard and hands it the whole job. The guard writes down what it is
//! about to do, makes the change itself, holds the deadline, and puts the old rules back unless it
//! is told to keep the new ones. It has its own session, no terminal and no need of whoever started
//! it. A [`twin`] waits for its death and then does what it would have done; should both be gone,
//! the next start of fwtui finds the journal ([`recover`]).
//!
//! There is one decision point: the rename in `store::state::confirm`.

mod channel;
mod client;
mod closing;
mod hold;
mod process;
mod pulse;
mod recover;
pub mod supervise;
pub mod twin;
mod units;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::backend::BackendError;
use crate::core::proof::{Doubt, Evidence};
use crate::core::trial::Reason;
use crate::core::unit::UnitWork;
use crate::core::way_in::WayIn;
use crate::store::StoreError;
use crate::store::state::Confirmed;

pub use client::{ask, start};
pub use closing::restore_script;
pub use hold::{Holder, Switched, take_lock};
pub use process::run;
pub use recover::recover;
pub use supervise::{Supervisor, supervisor};

/// What a guard is to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The root of fwtui's folders.
    pub root: PathBuf,
    /// How long the trial lasts, counted from the switch.
    pub timeout: Duration,
    /// How long it can't be confirmed; also counted from the switch.
    pub settle: Duration,
    /// What to load, and what becomes the confirmed document.
    pub candidate: Confirmed,
    /// Why the kernel is not to go back by itself at the deadline; none where it is.
    pub no_kernel_timer: Option<String>,
    /// Once it is kept, end the running connections that it refuses as new ones.
    pub end_connections: bool,
    /// The user's own ways in: new connections by them are evidence.
    pub ways_in: Vec<WayIn>,
    /// Who applies, in words; empty where that is not known.
    #[serde(default)]
    pub begun_by: String,
    /// The services that are stopped or started with it.
    pub units: UnitWork,
}

/// What a guard says once it has tried: one line on its standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Report {
    /// The trial runs.
    Applied {
        /// Its deadline, since boot.
        deadline: Duration,
        /// How long it took to switch both families.
        switched_in: Duration,
    },
    /// Nothing has changed, or it has been undone: why.
    Failed(String),
    /// Another guard is at work.
    Busy,
}

/// What a guard is asked over its socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// How does it stand?
    Status,
    /// Keep the new rules.
    Confirm {
        /// Even where nothing shows that a new connection gets in.
        is_unproven_fine: bool,
    },
    /// Put the old ones back now.
    Revert,
    /// One minute more.
    Extend,
    /// Try this instead.
    Replace(Box<Job>),
}

/// A request with the id of the trial it means, so that a late one can't hit another trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What is asked.
    pub request: Request,
    /// The trial's id; none means whichever runs.
    pub id: Option<String>,
}

/// What a guard answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The trial goes on.
    Running(Box<Running>),
    /// Another one has taken its place.
    Replaced {
        /// Its deadline, since boot.
        deadline: Duration,
        /// How long it took to switch both families.
        switched_in: Duration,
    },
    /// It is kept.
    Confirmed {
        /// What went wrong with that.
        trouble: Option<String>,
    },
    /// It is not kept, since nothing shows that a new connection gets in. The trial goes on.
    Unproven(Doubt),
    /// It is undone.
    Reverted {
        /// Why.
        reason: Reason,
        /// What went wrong with that.
        trouble: Option<String>,
    },
    /// Not done: why. The trial goes on, unless the words say otherwise.
    Refused(String),
}

/// A trial that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its id.
    pub id: String,
    /// When the switch was made, since boot.
    pub applied_at: Duration,
    /// Its deadline, since boot.
    pub deadline: Duration,
    /// How long it was to last.
    pub timeout: Duration,
    /// Who applied it, in words; empty where that is not known.
    #[serde(default)]
    pub begun_by: String,
    /// Through which backend.
    pub backend: String,
    /// Why the kernel does not go back by itself, or not in time; none where it does.
    pub kernel_trouble: Option<String>,
    /// What of the rules on trial is no longer in the kernel as it was loaded.
    pub drift: Option<String>,
    /// Whether the twin hears the guard.
    pub has_twin: bool,
    /// The user's own ways in.
    pub ways_in: Vec<WayIn>,
    /// New connections by them that were accepted.
    pub evidence: Vec<Evidence>,
    /// Which services the kernel's timer can't start or stop again, in one sentence; none where it
    /// has none to.
    pub kernel_note: Option<String>,
}

/// Why there is no trial.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// Another guard holds the lock.
    #[error("a trial is running already")]
    Busy,
    /// Something about the state folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something about the rules.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The guard tried and undid it.
    #[error("{0}")]
    Failed(String),
    /// The guard ended without a word.
    #[error("the guard ended without a word, and its twin puts the old rules back; look with 'fwtui status'")]
    Died,
    /// The guard is there and says nothing.
    #[error(
        "the guard does not answer; it may be stopped, and then its twin, systemd or the kernel goes back without it"
    )]
    Silent,
    /// What came over the socket makes no sense.
    #[error("the guard's answer makes no sense")]
    Gibberish,
}

impl GuardError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
