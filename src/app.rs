//! What a user can do: look, decide, preview, apply, confirm, revert. The TUI and the command line
//! both come through here, and reach nothing below.

mod access;
mod block;
mod boot;
pub mod check;
mod classes;
mod error;
pub mod explain;
mod look;
mod machine;
mod observation;
mod preview;
mod protection;
mod published;
pub mod rehearsal;
mod remedy;
mod restore;
pub mod sandbox;
mod setup;
mod status;
mod tools;
mod trial;
mod units;
mod writing;

pub use access::Inquiry;
pub use block::BlockView;
pub use boot::{Init, Installed};
pub use classes::ClassInquiry;
pub use error::{Error, Kind};
pub use look::{Depth, Stops};
pub use machine::{Machine, Options};
pub use observation::{Beginning, Last, Observation, OnTrial, State, Status, TRIAL_BEGINS, TrialView};
pub use preview::{Outlook, plan, plan_and_rows, plan_and_rows_since};
pub use protection::{Line, Protection, boot_trouble, protection_words};
pub use rehearsal::Rehearsal;
pub use restore::Restored;
pub use setup::Setup;
pub use trial::{ApplyRequest, Started};
pub use writing::{Writing, Written};

pub use crate::core::tools::Presence;
pub use crate::sys::cancel::Cancel;
pub use crate::sys::job;
pub use crate::sys::nftables::{Change, Changes};
