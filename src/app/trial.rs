//! Apply, confirm, revert, extend.

use std::net::IpAddr;
use std::time::Duration;

use crate::app::machine::require_root;
use crate::app::rehearsal::called_off;
use crate::app::remedy::HOW_IT_STANDS;
use crate::app::{
    Beginning, Cancel, Depth, Error, Kind, Machine, Observation, Rehearsal, State, Stops, TrialView, plan_and_rows,
    units,
};
use crate::core::plan::Plan;
use crate::core::policy::{Block, Policy};
use crate::core::ruleset::{Rule, Ruleset};
use crate::core::service::ServiceId;
use crate::core::trial::SETTLE_TIME;
use crate::core::way_in::Standing;
use crate::guard::{self, Answer, GuardError, Job, Message, Request, Switched};
use crate::store::state::{self, Confirmed, RulesText};
use crate::sys::{clock, host, sock_diag};

/// What to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "what the user says of it, each by itself")]
pub struct ApplyRequest {
    /// The policy that was previewed: another one by now is refused.
    pub previewed: Policy,
    /// Take all of fwtui's rules out instead of loading what the wanted policy compiles to.
    pub is_off: bool,
    /// How long the trial lasts.
    pub timeout: Duration,
    /// Take the place of a trial that is running; what is put back in the end stays the same.
    pub replace: bool,
    /// The services the user named, knowing that losing them locks him out.
    pub accepted_lockouts: Vec<ServiceId>,
    /// Once the trial is kept, end the running connections that the rules refuse as new ones.
    pub end_connections: bool,
    /// Rehearse it before anything changes.
    pub rehearse: bool,
}

/// A trial that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The trial.
    pub trial: TrialView,
    /// How long it took to switch both families.
    pub switched_in: Duration,
    /// What was rehearsed before; none where that was not wanted.
    pub rehearsal: Option<Rehearsal>,
}

impl Machine {
    /// Starts a trial of the wanted policy.
    ///
    /// # Errors
    /// Where nothing was applied, or what was applied has been reverted.
    pub fn apply(&self, request: &ApplyRequest) -> Result<Started, Error> {
        self.apply_unless(request, &Cancel::default())
    }

    /// The same, unless it is stopped before a guard is started: nothing has changed then. From that
    /// moment on the way back is closed, and a revert is the way to go.
    ///
    /// # Errors
    /// As for [`Self::apply`], and where it was stopped.
    pub fn apply_unless(&self, request: &ApplyRequest, cancel: &Cancel) -> Result<Started, Error> {
        require_root("apply rules")?;
        self.recover()?;
        self.forget_blocks_that_are_over();
        let observation = self.look_unless(Depth::Plan, &Stops::both(cancel));
        if cancel.is_cancelled() {
            return Err(called_off());
        }
        self.check(&observation, request)?;
        let (plan, rows) = plan_and_rows(&observation, &observation.policy, request.is_off);
        refuse_lockout(&plan, request)?;
        if has_an_end(&plan.candidate) {
            self.can_end_blocks()?;
        }
        if request.end_connections && !request.is_off {
            can_end_connections()?;
        }
        let rehearsal = match request.rehearse {
            true => Some(self.rehearse(&observation, &plan, &rows, cancel)?),
            false => None,
        };
        let confirmed = state::confirmed(&self.paths).ok().flatten();
        let mut policy = observation.policy.current(observation.world.now).into_owned();
        if request.is_off {
            // It takes rules out, and leaves services as they are.
            policy.disabled = confirmed
                .as_ref()
                .map(|confirmed| confirmed.policy.disabled.clone())
                .unwrap_or_default();
        }
        let (work, stopped) = units::work(&policy, confirmed.as_ref())?;
        let id = host::new_id();
        let candidate = Confirmed {
            id: id.clone(),
            at: clock::rfc3339(clock::now()),
            is_off: request.is_off,
            policy,
            interfaces: observation.interfaces,
            rules: RulesText::of(&plan.candidate),
            stopped,
        };
        let second_session = self.second_session(&observation.ways_in);
        let is_replacing = request.replace && observation.status.state == State::Trial;
        let job = Job {
            root: self.paths.root().to_owned(),
            timeout: request.timeout,
            settle: SETTLE_TIME,
            candidate,
            no_kernel_timer: self.no_kernel_timer(),
            end_connections: request.end_connections,
            ways_in: observation.ways_in,
            begun_by: self.begun_by(),
            units: work,
        };
        let kernel_note = job.units.kernel_note().map(Into::into);
        if !cancel.close() {
            return Err(called_off());
        }
        let switched = if is_replacing {
            self.replace(job)?
        } else {
            guard::start(&job)?
        };
        Ok(Started {
            trial: TrialView {
                id,
                beginning: Box::new(Beginning {
                    at: switched.deadline.saturating_sub(request.timeout),
                    by: self.begun_by(),
                }),
                deadline: switched.deadline,
                timeout: request.timeout,
                evidence: Vec::new(),
                second_session: second_session.map(Into::into),
                kernel_note,
            },
            switched_in: switched.took,
            rehearsal,
        })
    }

    /// Who applies, for another session that finds the trial running.
    fn begun_by(&self) -> String {
        let process = format!("process {}", std::process::id());
        match &self.user {
            Some(user) => format!("{user}, {process}"),
            None => process,
        }
    }

    /// Better said before than by a program that does not know the match.
    fn can_end_blocks(&self) -> Result<(), Error> {
        let Some(why) = self.no_kernel_timer() else {
            return Ok(());
        };
        Err(Error::failed(format!("no block can end by itself here: {why}"))
            .hint("Block it without an end, and take it back yourself with 'fwtui unblock'."))
    }

    /// Hands a job to the guard that holds another.
    fn replace(&self, job: Job) -> Result<Switched, Error> {
        match self.ask(&Request::Replace(Box::new(job)), None)? {
            Answer::Replaced { deadline, switched_in } => Ok(Switched {
                deadline,
                took: switched_in,
            }),
            answer => Err(not_done(answer)),
        }
    }

    fn check(&self, observation: &Observation, request: &ApplyRequest) -> Result<(), Error> {
        if observation.status.state == State::Trial && !request.replace {
            return Err(GuardError::Busy.into());
        }
        if !request.is_off {
            // Once more, for the error with its hint.
            let wanted = self.policy()?;
            let now = observation.world.now;
            let previewed = request.previewed.current(now);
            let is_other = |policy: &Policy| !policy.current(now).wants_the_same_as(&previewed);
            if is_other(&wanted) || is_other(&observation.policy) {
                return Err(
                    Error::failed("the policy was changed since it was previewed; nothing is applied")
                        .hint("Look at it again: fwtui preview."),
                );
            }
        }
        match &observation.filter {
            Some(_) if observation.status.backend.is_some() => Ok(()),
            _ => Self::open()
                .and_then(|opened| opened.backend.read())
                .map_err(Error::from)
                .map(|_| ()),
        }
    }

    /// Keeps what is on trial; with an id, that trial and no other. What went wrong after that was
    /// decided is told. [`Self::note_listened`] comes next, when that has been said: it takes its time.
    ///
    /// # Errors
    /// Where it is too early or too late, nothing is on trial, or (unless that is fine) nothing shows
    /// that a new connection gets in.
    pub fn confirm(&self, id: Option<&str>, is_unproven_fine: bool) -> Result<Option<String>, Error> {
        match self.ask(&Request::Confirm { is_unproven_fine }, id)? {
            Answer::Confirmed { trouble } => {
                self.close_setup();
                Ok(trouble)
            }
            Answer::Unproven(doubt) => {
                let error = Error::new(Kind::Unproven, doubt.to_string());
                let session = self.status().trial.and_then(|trial| trial.second_session);
                let new = session.as_deref().unwrap_or("sudo fwtui confirm");
                Err(error
                    .hint(format!("Open a new connection and confirm there: {new}"))
                    .hint("Or, if you are sure all the same: fwtui confirm --unproven"))
            }
            answer => Err(not_done(answer)),
        }
    }

    /// Puts the old rules back; with an id, those before that trial and no other.
    ///
    /// # Errors
    /// Where nothing is on trial, or the old rules are not back whole.
    pub fn revert(&self, id: Option<&str>) -> Result<(), Error> {
        match self.ask(&Request::Revert, id)? {
            Answer::Reverted { trouble: None, .. } => Ok(()),
            answer => Err(not_done(answer)),
        }
    }

    /// One minute more; with an id, for that trial and no other.
    ///
    /// # Errors
    /// Where nothing is on trial, or it would last too long.
    pub fn extend(&self, id: Option<&str>) -> Result<TrialView, Error> {
        match self.ask(&Request::Extend, id)? {
            Answer::Running(running) => Ok(self.view(&running)),
            answer => Err(not_done(answer)),
        }
    }

    fn ask(&self, request: &Request, id: Option<&str>) -> Result<Answer, Error> {
        require_root("decide on a trial")?;
        let id = id.map(str::to_owned);
        let message = Message {
            request: request.clone(),
            id,
        };
        if let Some(answer) = guard::ask(&self.paths, &message)? {
            return Ok(answer);
        }
        self.recover()?;
        let nothing = Error::failed("no trial is running").hint("Start one with 'fwtui apply'.");
        Err(match self.last()? {
            Some(last) if last.outcome == "reverted" && matches!(request, Request::Confirm { .. }) => {
                Error::new(Kind::Reverted, format!("too late: {}", last.sentence()))
                    .hint("The old rules are in force. Apply again with 'fwtui apply'.")
            }
            _ => nothing,
        })
    }
}

/// Whether there is a rule that the kernel is to end.
fn has_an_end(rules: &Ruleset) -> bool {
    let mut rules = rules.ipv4.rules().chain(rules.ipv6.rules());
    rules.any(|rule| matches!(rule, Rule::Known { matches, .. } if matches.until.is_some()))
}

fn refuse_lockout(plan: &Plan, request: &ApplyRequest) -> Result<(), Error> {
    let mut refused = plan
        .lockouts
        .iter()
        .filter(|lockout| !request.accepted_lockouts.contains(&lockout.service))
        .peekable();
    let Some(first) = refused.peek() else { return Ok(()) };
    let service = &first.service;
    let now = clock::since_1970();
    let is_of = |block: &&Block| {
        let peer = first.way_in.peer;
        let has_him = |ip: IpAddr| block.from.is_empty() || block.from.iter().any(|net| net.contains(&ip));
        !block.is_over(now) && peer.is_none_or(has_him)
    };
    let mut blocks = request.previewed.blocks_on(service).filter(is_of);
    let remedy = match (&first.standing, blocks.next()) {
        (Standing::Stopped(_), _) => format!("Leave it running: fwtui enable {service}"),
        (_, Some(block)) => format!(
            "It is {}. Take that back: fwtui unblock {}",
            block.mark(),
            block.service
        ),
        (_, None) => format!("Let it in: fwtui set {service} open"),
    };
    let mut error = Error::failed(first.to_string()).hint(remedy);
    for lockout in refused {
        error = error.hint(format!(
            "Or, if you are sure: fwtui apply --accept-lockout {}",
            lockout.service
        ));
    }
    Err(error)
}

/// Better said before than after the rules are kept.
fn can_end_connections() -> Result<(), Error> {
    sock_diag::can_destroy().map_err(|error| {
        Error::failed(format!("running connections can't be ended: {error}"))
            .hint("Apply without that; restarting a service ends its connections, too.")
    })
}

fn not_done(answer: Answer) -> Error {
    match answer {
        // Where nothing went wrong, the words say what to do themselves.
        Answer::Refused(why) => match why.contains("fwtui ") || why.starts_with("too early") {
            true => Error::failed(why),
            false => Error::failed(why).with_remedy(HOW_IT_STANDS),
        },
        Answer::Reverted { reason, trouble: None } => {
            Error::new(Kind::Reverted, format!("too late: the old rules are back ({reason})"))
                .hint("Apply again with 'fwtui apply'.")
        }
        Answer::Reverted {
            trouble: Some(trouble), ..
        } => Error::failed(trouble)
            .hint("fwtui goes on trying. How it stands: sudo fwtui status.")
            .hint("By hand: sudo sh /var/lib/fwtui/restore.sh."),
        Answer::Confirmed { .. } => Error::failed("it has been confirmed already").hint(
            "To go back all the same, change the decisions and apply again, or take all rules out: sudo fwtui off.",
        ),
        Answer::Unproven(doubt) => Error::failed(doubt.to_string()).hint(HOW_IT_STANDS),
        Answer::Running(_) | Answer::Replaced { .. } => Error::failed("the trial goes on").hint(HOW_IT_STANDS),
    }
}
