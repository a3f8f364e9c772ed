//! What a user can do: look, decide, preview, apply, confirm, revert. The TUI and the command line
//! both come through here, and reach nothing below.

mod error;
mod observation;
pub mod sandbox;

pub use error::{Error, Kind};
pub use observation::{Last, Observation, State, Status, TrialView};
