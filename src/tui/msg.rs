//! What comes into `update`, and what it asks for.

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::app::check::Checkup;
use crate::app::explain::Answer;
use crate::app::{Error, Inquiry, Observation, Status, TrialView};
use crate::core::overview::NetworkReach;
use crate::core::policy::Policy;
use crate::core::service::ServiceId;
use crate::core::unit::Proposal;
use crate::tui::port::{ApplyRequest, Depth, Restored, Seen, Started};

/// Something happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// A text was pasted: never commands.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The machine was looked at.
    Seen(Depth, Box<Observation>),
    /// The policy was written, or not.
    Saved(Box<Policy>, Result<(), Error>),
    /// The trial has begun, or not.
    Applied(Result<Started, Error>),
    /// The trial was kept (and what went wrong after that), or not.
    Confirmed(Result<Option<String>, Error>),
    /// The trial was ended, or not.
    Reverted(Result<(), Error>),
    /// The trial was made longer, or not.
    Extended(Result<TrialView, Error>),
    /// What was confirmed is loaded (and why the last trial is not closed), or not.
    Restored(Result<(Restored, Option<Error>), Error>),
    /// Where fwtui stands, as asked.
    Status(Box<Status>),
    /// The same, without being asked.
    Probed(Box<Status>),
    /// Somebody changed the rules in the kernel: the programs' names, as far as they are known.
    RulesChanged(Vec<String>),
    /// What the sandbox's neighbours get at a service.
    Knocked(ServiceId, Option<Vec<Seen>>),
    /// Who can connect to a service.
    Access(ServiceId, Vec<NetworkReach>),
    /// The way of a peer through the rules, now and after applying.
    Way(ServiceId, Box<NetworkReach>, Box<[Answer; 2]>),
    /// What the check with this number found.
    Checked(u64, Box<Checkup>),
    /// The check with this number was stopped.
    CheckStopped(u64),
    /// What disabling a service would do, or why it can't be.
    Proposed(ServiceId, Result<Box<Proposal>, Error>),
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
    /// Keep a trial.
    Confirm {
        /// The one with this id, and no other.
        id: String,
        /// Even where nothing shows that a new connection gets in.
        is_unproven_fine: bool,
    },
    /// End it.
    Revert(String),
    /// Make it longer.
    Extend(String),
    /// Load what was last confirmed.
    Restore,
    /// Ask where fwtui stands.
    AskStatus,
    /// Let the sandbox's neighbours knock at a service.
    Knock(ServiceId),
    /// Work out who can connect to a service.
    AskAccess(Box<Inquiry>),
    /// Work out the way of a peer through the rules.
    AskWay(Box<Inquiry>, Box<NetworkReach>),
    /// Check the machine, and answer with this number.
    Check(u64),
    /// Stop the check that is under way.
    StopCheck,
    /// Stop the apply that is under way, unless it is too late.
    StopApply,
    /// Give the terminal back and stop, as ctrl-z does.
    Suspend,
    /// Find out what disabling a service would do.
    Propose(ServiceId),
    /// Draw every cell anew: another program may have written over the screen.
    Redraw,
    /// End the program.
    Quit,
}

impl Effect {
    /// What comes of an effect that touches nothing outside; none for the others.
    pub fn answer(&self) -> Option<Msg> {
        match self {
            Self::AskAccess(inquiry) => Some(Msg::Access(inquiry.service.id.clone(), inquiry.networks())),
            Self::AskWay(inquiry, network) => Some(Msg::Way(
                inquiry.service.id.clone(),
                network.clone(),
                Box::new(inquiry.walks(network)),
            )),
            Self::Look(_)
            | Self::Save { .. }
            | Self::Apply(_)
            | Self::Confirm { .. }
            | Self::Revert(_)
            | Self::Extend(_)
            | Self::Restore
            | Self::AskStatus
            | Self::Knock(_)
            | Self::Check(_)
            | Self::StopCheck
            | Self::StopApply
            | Self::Suspend
            | Self::Propose(_)
            | Self::Redraw
            | Self::Quit => None,
        }
    }
}
