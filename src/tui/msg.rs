//! What comes into `update`, and what it asks for.

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::app::{Error, Observation, Status, TrialView};
use crate::core::policy::Policy;
use crate::core::service::ServiceId;
use crate::tui::port::{ApplyRequest, Depth, Seen, Started};

/// Something happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The machine was looked at.
    Seen(Depth, Box<Observation>),
    /// The policy was written, or not.
    Saved(Box<Policy>, Result<(), Error>),
    /// The trial has begun, or not.
    Applied(Result<Started, Error>),
    /// The trial was kept, or not.
    Confirmed(Result<(), Error>),
    /// The trial was ended, or not.
    Reverted(Result<(), Error>),
    /// The trial was made longer, or not.
    Extended(Result<TrialView, Error>),
    /// Where fwtui stands.
    Status(Box<Status>),
    /// What the sandbox's neighbours get at a service.
    Knocked(ServiceId, Option<Vec<Seen>>),
    /// It is this long since boot.
    Tick(Duration),
}

/// Something to do outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Look at the machine.
    Look(Depth),
    /// Write the policy over the one it was made from.
    Save {
        /// The one it was made from.
        before: Box<Policy>,
        /// The one to write.
        wanted: Box<Policy>,
    },
    /// Start a trial.
    Apply(ApplyRequest),
    /// Keep the trial with this id, and no other.
    Confirm(String),
    /// End it.
    Revert(String),
    /// Make it longer.
    Extend(String),
    /// Ask where fwtui stands.
    AskStatus,
    /// Let the sandbox's neighbours knock at a service.
    Knock(ServiceId),
    /// Draw every cell anew: another program may have written over the screen.
    Redraw,
    /// End the program.
    Quit,
}
