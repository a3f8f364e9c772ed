//! What comes into `update`, and what it asks for.

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::app::check::Checkup;
use crate::app::explain::Answer;
use crate::app::{ClassInquiry, Error, Inquiry, Observation, Outlook, Setup, Status, TrialView, Writing, Written};
use crate::core::overview::{ClassReach, NetworkReach};
use crate::core::policy::Policy;
use crate::core::service::ServiceId;
use crate::core::setup::Answers;
use crate::core::unit::Proposal;
use crate::tui::model::Work;
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
    /// A look of this depth has begun.
    Looking(Depth),
    /// The machine was looked at.
    Seen(Depth, Box<Observation>),
    /// The same, and what the policy that was read comes to there.
    SeenWith(Depth, Box<Observation>, Box<Outlook>),
    /// What the edit with this number changes.
    WorkedOut(u64, Box<Outlook>),
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
    /// What another class of an interface would change.
    Classes(String, Vec<ClassReach>),
    /// A text was written to a file, or not.
    Written(Box<Writing>, Result<Written, Error>),
    /// The way of a peer through the rules, now and after applying.
    Way(ServiceId, Box<NetworkReach>, Box<[Answer; 2]>),
    /// What the check with this number found.
    Checked(u64, Box<Checkup>),
    /// The check with this number was stopped.
    CheckStopped(u64),
    /// What disabling a service would do, or why it can't be.
    Proposed(ServiceId, Result<Box<Proposal>, Error>),
    /// What the setup recommends here, and how far the user got with it before.
    SetupFound {
        /// That.
        found: Box<Setup>,
        /// Whether nobody has decided anything on this machine.
        is_new: bool,
    },
    /// The answers to the setup were kept or forgotten, or not.
    AnswersKept(Result<(), Error>),
    /// It is this long since boot.
    Tick(Duration),
}

/// Something to do outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Look at the machine.
    Look(Depth),
    /// With the next look, look for the owners again whose search was stopped.
    LookForOwners,
    /// Stop the look of this depth, if it is the one that is under way: what it has not seen by then is
    /// not shown.
    StopLook(Depth),
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
    /// Take down that the user was told how this trial ended.
    Told(String),
    /// Let the sandbox's neighbours knock at a service.
    Knock(ServiceId),
    /// Work out what an edit changes.
    WorkOut(Box<Work>),
    /// Work out who can connect to a service.
    AskAccess(Box<Inquiry>),
    /// Work out the way of a peer through the rules.
    AskWay(Box<Inquiry>, Box<NetworkReach>),
    /// Work out what another class of an interface would change.
    AskClasses(Box<ClassInquiry>),
    /// Write a text to a file.
    Write(Box<Writing>),
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
    /// Find out what the setup recommends on the machine that was seen so.
    AskSetup(Box<Observation>),
    /// Keep the answers to the setup for later.
    KeepAnswers(Box<Answers>),
    /// Forget them.
    ForgetAnswers,
    /// Draw every cell anew: another program may have written over the screen.
    Redraw,
    /// Take the mouse, or leave it to the terminal.
    SetMouse(bool),
    /// End the program.
    Quit,
}

impl Effect {
    /// What comes of an effect that touches nothing outside; none for the others.
    pub fn answer(&self) -> Option<Msg> {
        match self {
            Self::WorkOut(work) => Some(Msg::WorkedOut(work.number, Box::new(work.outlook()))),
            Self::AskAccess(inquiry) => Some(Msg::Access(inquiry.service.id.clone(), inquiry.networks())),
            Self::AskWay(inquiry, network) => Some(Msg::Way(
                inquiry.service.id.clone(),
                network.clone(),
                Box::new(inquiry.walks(network)),
            )),
            Self::AskClasses(inquiry) => Some(Msg::Classes(inquiry.interface.clone(), inquiry.answer())),
            Self::Look(_)
            | Self::LookForOwners
            | Self::StopLook(_)
            | Self::Write(_)
            | Self::Save { .. }
            | Self::Apply(_)
            | Self::Confirm { .. }
            | Self::Revert(_)
            | Self::Extend(_)
            | Self::Restore
            | Self::AskStatus
            | Self::Told(_)
            | Self::Knock(_)
            | Self::Check(_)
            | Self::StopCheck
            | Self::StopApply
            | Self::Suspend
            | Self::Propose(_)
            | Self::AskSetup(_)
            | Self::KeepAnswers(_)
            | Self::ForgetAnswers
            | Self::Redraw
            | Self::SetMouse(_)
            | Self::Quit => None,
        }
    }
}
