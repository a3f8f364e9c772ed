//! What the screens need of the machine; the layer that starts them provides it.

use std::time::Duration;

use crate::app::{Error, Observation, Status, TrialView};
use crate::core::policy::Policy;
use crate::core::service::ServiceId;

/// How far a look goes. Each depth includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Sockets, interfaces and the policy: what the first paint needs, in milliseconds.
    Sockets,
    /// Also who owns the sockets.
    Owners,
    /// Also the kernel's rules, the status and the ways in.
    Complete,
}

/// What to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyRequest {
    /// Take all of fwtui's rules out instead of loading what the wanted policy compiles to.
    pub is_off: bool,
    /// How long the trial lasts.
    pub timeout: Duration,
    /// The services the user typed out, knowing that losing them locks him out.
    pub accepted_lockouts: Vec<ServiceId>,
}

/// The machine as the runtime calls it, from its worker threads. Calls may block; the screens do
/// not wait for them.
pub trait Machine: Send + Sync + 'static {
    /// Looks at the machine. What can't be seen is said in the observation.
    fn look(&self, depth: Depth) -> Observation;
    /// Writes the wanted policy.
    ///
    /// # Errors
    /// Where it can't be written; the old one is then still there.
    fn save(&self, policy: &Policy) -> Result<(), Error>;
    /// Starts a trial of the wanted policy as it was last saved.
    ///
    /// # Errors
    /// Where nothing was applied, or what was applied has been reverted.
    fn apply(&self, request: &ApplyRequest) -> Result<TrialView, Error>;
    /// Keeps what is on trial.
    ///
    /// # Errors
    /// Where it is too early, too late, or refused.
    fn confirm(&self) -> Result<(), Error>;
    /// Ends the trial and puts the old rules back.
    ///
    /// # Errors
    /// Where there is no trial, or the guard can't be reached.
    fn revert(&self) -> Result<(), Error>;
    /// One minute more.
    ///
    /// # Errors
    /// Where there is no trial, or it would last too long.
    fn extend(&self) -> Result<TrialView, Error>;
    /// Where fwtui stands. Cheap: it is asked every second while a trial runs, else every three.
    fn status(&self) -> Status;
    /// The time since boot (`CLOCK_BOOTTIME`), which deadlines are given in.
    fn since_boot(&self) -> Duration;
}
