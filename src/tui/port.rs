//! What the screens need of the machine. Tests bring one of their own.

use std::time::Duration;

pub use crate::app::sandbox::{Knock, Neighbour, Seen};
pub use crate::app::{ApplyRequest, Cancel, Changes, Depth, Restored, Started, Stops};

use crate::app::check::Checkup;
use crate::app::{self, Error, Observation, Setup, Status, TrialView, Writing, Written};
use crate::core::policy::Policy;
use crate::core::service::ServiceId;
use crate::core::setup::Answers;
use crate::core::unit::Proposal;

/// The machine as the runtime calls it, from its worker threads. Calls may block; the screens do
/// not wait for them.
pub trait Machine: Send + Sync + 'static {
    /// Looks at the machine, as long as that is wanted. What can't be seen, or was not looked at, is said in
    /// the observation.
    fn look(&self, depth: Depth, stops: &Stops) -> Observation;
    /// Writes the wanted policy over the one it was made from.
    ///
    /// # Errors
    /// Where it can't be written, or another one is there by now; that one then stays.
    fn save(&self, before: &Policy, wanted: &Policy) -> Result<(), Error>;
    /// Rehearses and starts a trial of the wanted policy as it was last saved. Until it closes the way
    /// back, it can be stopped, and nothing has changed then.
    ///
    /// # Errors
    /// Where nothing was applied, or what was applied has been reverted.
    fn apply(&self, request: &ApplyRequest, cancel: &Cancel) -> Result<Started, Error>;
    /// Keeps this trial; what went wrong after that was decided is told.
    ///
    /// # Errors
    /// Where it is too early, too late, refused, or (unless that is fine) nothing shows that a new
    /// connection gets in.
    fn confirm(&self, id: &str, is_unproven_fine: bool) -> Result<Option<String>, Error>;
    /// Takes down what listens, once the rules are kept and that has been said.
    fn note_listened(&self) {}
    /// Ends this trial and puts the old rules back.
    ///
    /// # Errors
    /// Where there is no trial, or the guard can't be reached.
    fn revert(&self, id: &str) -> Result<(), Error>;
    /// One minute more for this trial.
    ///
    /// # Errors
    /// Where there is no trial, or it would last too long.
    fn extend(&self, id: &str) -> Result<TrialView, Error>;
    /// Loads what was last confirmed, without a trial; a last trial that can't be closed is told
    /// beside.
    ///
    /// # Errors
    /// Where it can't be read or loaded, or a trial is running.
    fn restore(&self) -> Result<(Restored, Option<Error>), Error>;
    /// The user was told how this trial ended, and has seen it: he need not be told again.
    fn told(&self, _id: &str) {}
    /// Where fwtui stands. It is asked every second while a trial runs or the rules keep changing,
    /// and seldom otherwise.
    fn status(&self) -> Status;
    /// What tells that the rules in the kernel were changed; none where nothing does.
    fn changes(&self) -> Option<Changes>;
    /// In the sandbox, what its neighbours get at a service, with real packets: a silent port takes
    /// its time. None outside, where it is never asked for.
    fn knock(&self, id: &ServiceId) -> Option<Vec<Seen>>;
    /// Checks the rules, settings, services and updates of the machine. It takes its time; none where
    /// it was stopped.
    fn checkup(&self, cancel: &Cancel) -> Option<Checkup>;
    /// What disabling a service would do; nothing is done.
    ///
    /// # Errors
    /// Where it can't be disabled, with the way to do it by hand.
    fn propose(&self, id: &ServiceId) -> Result<Proposal, Error>;
    /// What the setup recommends on the machine that was seen so, and the answers of a setup that was
    /// left before its end.
    fn setup(&self, observation: &Observation) -> Setup;
    /// Whether nobody has decided anything on this machine.
    fn needs_setup(&self) -> bool;
    /// Keeps the answers to the setup for later.
    ///
    /// # Errors
    /// Where they can't be written.
    fn keep_answers(&self, answers: &Answers) -> Result<(), Error>;
    /// Forgets them.
    ///
    /// # Errors
    /// Where they can't be removed.
    fn forget_answers(&self) -> Result<(), Error>;
    /// Writes a text to a file of the user's choice.
    ///
    /// # Errors
    /// Where it can't be written there, and why.
    fn write(&self, writing: &Writing) -> Result<Written, Error> {
        writing.perform()
    }
    /// The time since boot (`CLOCK_BOOTTIME`), which deadlines are given in.
    fn since_boot(&self) -> Duration;
}

impl Machine for app::Machine {
    fn look(&self, depth: Depth, stops: &Stops) -> Observation {
        self.look_unless(depth, stops)
    }

    fn save(&self, before: &Policy, wanted: &Policy) -> Result<(), Error> {
        self.save(before, wanted)
    }

    fn apply(&self, request: &ApplyRequest, cancel: &Cancel) -> Result<Started, Error> {
        self.apply_unless(request, cancel)
    }

    fn confirm(&self, id: &str, is_unproven_fine: bool) -> Result<Option<String>, Error> {
        self.confirm(Some(id), is_unproven_fine)
    }

    fn note_listened(&self) {
        self.note_listened();
    }

    fn revert(&self, id: &str) -> Result<(), Error> {
        self.revert(Some(id))
    }

    fn extend(&self, id: &str) -> Result<TrialView, Error> {
        self.extend(Some(id))
    }

    fn restore(&self) -> Result<(Restored, Option<Error>), Error> {
        self.restore()
    }

    fn told(&self, id: &str) {
        self.note_told(id);
    }

    fn status(&self) -> Status {
        self.status()
    }

    fn changes(&self) -> Option<Changes> {
        Self::changes()
    }

    fn knock(&self, id: &ServiceId) -> Option<Vec<Seen>> {
        app::sandbox::neighbours_at(id)
    }

    fn checkup(&self, cancel: &Cancel) -> Option<Checkup> {
        self.checkup_unless(cancel)
    }

    fn propose(&self, id: &ServiceId) -> Result<Proposal, Error> {
        self.propose(id, &[])
    }

    fn setup(&self, observation: &Observation) -> Setup {
        self.setup(observation)
    }

    fn needs_setup(&self) -> bool {
        self.needs_setup()
    }

    fn keep_answers(&self, answers: &Answers) -> Result<(), Error> {
        self.keep_answers(answers)
    }

    fn forget_answers(&self) -> Result<(), Error> {
        self.forget_answers()
    }

    fn since_boot(&self) -> Duration {
        self.since_boot()
    }
}
