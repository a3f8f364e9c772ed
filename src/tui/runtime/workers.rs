//! The threads that call the machine.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use super::{Event, Options};
use crate::app::{Cancel, Observation, Status};
use crate::tui::msg::{Effect, Msg};
use crate::tui::port::{Depth, Machine};

/// After changes of the rules were told, the next ones are told together so much later: a program
/// that changes many writes each by itself.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the thread that waits for changes looks whether anybody still wants to know.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many such looks go by until the status is asked for too: it has to read the kernel's rules,
/// which starts other programs.
const PROBES_PER_STATUS: u32 = 5;

/// The workers; dropped, they end after what they are doing.
pub(super) struct Workers {
    looks: Sender<(Effect, Cancel)>,
    trial: Sender<Effect>,
    questions: Sender<Effect>,
    checks: Sender<(Effect, Cancel)>,
    /// Stops the last apply, and the last check.
    apply: Cancel,
    check: Cancel,
    /// In the sandbox.
    knocks: Option<Sender<Effect>>,
    /// While it is there, changes are waited for.
    _interest: Arc<()>,
}

impl Workers {
    /// Starts them.
    pub(super) fn start(machine: &Arc<dyn Machine>, events: &SyncSender<Event>, options: &Options) -> io::Result<Self> {
        let (looks, jobs) = channel();
        let looker = Looker {
            machine: Arc::clone(machine),
            events: events.clone(),
            sockets: None,
            status: None,
            probes: 0,
            refresh: options.settings.refresh,
        };
        spawn("looks", events, move || looker.run(&jobs))?;
        let (trial, jobs) = channel();
        let (trials, sender) = (Arc::clone(machine), events.clone());
        spawn("trial", events, move || hold_trial(trials.as_ref(), &sender, &jobs))?;
        let (questions, jobs) = channel();
        let sender = events.clone();
        spawn("questions", events, move || answer(&sender, &jobs))?;
        let (checks, jobs) = channel();
        let (checker, sender) = (Arc::clone(machine), events.clone());
        spawn("checkup", events, move || check(checker.as_ref(), &sender, &jobs))?;
        let mut knocks = None;
        if options.is_sandbox {
            let (knock, jobs) = channel();
            let (machine, sender) = (Arc::clone(machine), events.clone());
            spawn("knocks", events, move || knock_at(machine.as_ref(), &sender, &jobs))?;
            knocks = Some(knock);
        }
        let interest = Arc::new(());
        let wanted = Arc::downgrade(&interest);
        let (machine, sender) = (Arc::clone(machine), events.clone());
        spawn("changes", events, move || {
            tell_changes(machine.as_ref(), &sender, &wanted);
        })?;
        Ok(Self {
            looks,
            trial,
            questions,
            checks,
            apply: Cancel::default(),
            check: Cancel::default(),
            knocks,
            _interest: interest,
        })
    }

    /// Stops the last apply; whether that was in time.
    pub(super) fn stop_apply(&self) -> bool {
        self.apply.cancel()
    }

    /// Whether it is too late to stop an apply.
    pub(super) fn is_past_stopping(&self) -> bool {
        self.apply.is_closed()
    }

    /// Hands an effect to the worker it is for.
    pub(super) fn perform(&mut self, effect: Effect) {
        let worker = match effect {
            Effect::Confirm { .. } | Effect::Revert(_) | Effect::Extend(_) | Effect::AskStatus => &self.trial,
            Effect::Look(_)
            | Effect::Save { .. }
            | Effect::Apply(_)
            | Effect::Restore
            | Effect::Propose(_)
            | Effect::AskSetup(_)
            | Effect::KeepAnswers(_)
            | Effect::ForgetAnswers
            | Effect::Told(_)
            | Effect::Write(_) => {
                if matches!(effect, Effect::Apply(_)) {
                    self.apply = Cancel::default();
                }
                // A worker that is gone has panicked, and has said so.
                self.looks.send((effect, self.apply.clone())).ok();
                return;
            }
            Effect::Check(_) => {
                self.check = Cancel::default();
                self.checks.send((effect, self.check.clone())).ok();
                return;
            }
            Effect::StopApply => {
                self.stop_apply();
                return;
            }
            Effect::StopCheck => {
                self.check.cancel();
                return;
            }
            Effect::Knock(_) => match &self.knocks {
                Some(knocks) => knocks,
                None => return,
            },
            Effect::AskAccess(_) | Effect::AskWay(..) | Effect::AskClasses(_) => &self.questions,
            Effect::Redraw | Effect::SetMouse(_) | Effect::Suspend | Effect::Quit => return,
        };
        worker.send(effect).ok();
    }
}

/// Tells the main thread when its thread panics.
struct Alarm(SyncSender<Event>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.send(Event::Panicked).ok();
        }
    }
}

fn spawn(name: &str, events: &SyncSender<Event>, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let alarm = Alarm(events.clone());
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _alarm = alarm;
        work();
    })?;
    Ok(())
}

struct Looker {
    machine: Arc<dyn Machine>,
    events: SyncSender<Event>,
    /// What the last shallow look saw.
    sockets: Option<Observation>,
    status: Option<Status>,
    probes: u32,
    /// How often the sockets are looked at while nothing else is asked for; none for never.
    refresh: Option<Duration>,
}

impl Looker {
    fn run(mut self, jobs: &Receiver<(Effect, Cancel)>) {
        loop {
            let job = match self.refresh {
                Some(refresh) => jobs.recv_timeout(refresh),
                None => jobs.recv().map_err(RecvTimeoutError::from),
            };
            let (job, cancel) = job.map_or_else(
                |error| (Err(error), Cancel::default()),
                |(effect, cancel)| (Ok(effect), cancel),
            );
            let is_heard = match job {
                Ok(Effect::Look(depth)) => self.look(depth),
                Ok(Effect::Save { before, wanted }) => {
                    let result = self.machine.save(&before, &wanted);
                    self.send(Msg::Saved(wanted, result))
                }
                Ok(Effect::Apply(request)) => {
                    let result = self.machine.apply(&request, &cancel);
                    self.send(Msg::Applied(result))
                }
                Ok(Effect::Restore) => {
                    let result = self.machine.restore();
                    self.send(Msg::Restored(result))
                }
                Ok(Effect::Write(writing)) => {
                    let result = self.machine.write(&writing);
                    self.send(Msg::Written(writing, result))
                }
                Ok(Effect::Propose(id)) => {
                    let proposed = self.machine.propose(&id);
                    self.send(Msg::Proposed(id, proposed.map(Box::new)))
                }
                Ok(Effect::AskSetup(observation)) => {
                    let found = Box::new(self.machine.setup(&observation));
                    let is_new = self.machine.needs_setup();
                    self.send(Msg::SetupFound { found, is_new })
                }
                Ok(Effect::KeepAnswers(answers)) => {
                    let result = self.machine.keep_answers(&answers);
                    self.send(Msg::AnswersKept(result))
                }
                Ok(Effect::ForgetAnswers) => {
                    let result = self.machine.forget_answers();
                    self.send(Msg::AnswersKept(result))
                }
                Ok(Effect::Told(id)) => {
                    self.machine.told(&id);
                    true
                }
                Ok(_) => true,
                Err(RecvTimeoutError::Timeout) => self.probe(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if !is_heard {
                return;
            }
        }
    }

    fn send(&self, msg: Msg) -> bool {
        self.events.send(Event::Msg(msg)).is_ok()
    }

    fn look(&mut self, depth: Depth) -> bool {
        let observation = self.machine.look(depth);
        if depth == Depth::Sockets {
            self.sockets = Some(observation.clone());
        }
        if depth == Depth::Complete {
            self.status = Some(observation.status.clone());
        }
        self.send(Msg::Seen(depth, Box::new(observation)))
    }

    /// A shallow look costs little; only what changed is looked at closely and shown.
    fn probe(&mut self) -> bool {
        let sockets = self.machine.look(Depth::Sockets);
        if self.sockets.as_ref() != Some(&sockets) {
            self.sockets = Some(sockets);
            return self.look(Depth::Complete);
        }
        self.probes += 1;
        if self.probes < PROBES_PER_STATUS && !self.must_poll() {
            return true;
        }
        self.probes = 0;
        let status = self.machine.status();
        let has_changed = self.status.as_ref() != Some(&status);
        self.status = Some(status.clone());
        !has_changed || self.send(Msg::Probed(Box::new(status)))
    }

    /// Whether rules are in use that nothing tells the changes of.
    fn must_poll(&self) -> bool {
        let is_legacy =
            |status: &Status| status.backend.as_deref() == Some("iptables-legacy") || status.other_backend.is_some();
        self.status.as_ref().is_some_and(is_legacy)
    }
}

/// Waits for changes of the rules, and tells who made them.
fn tell_changes(machine: &dyn Machine, events: &SyncSender<Event>, wanted: &Weak<()>) {
    // Without, the status is asked for now and then.
    let Some(mut changes) = machine.changes() else {
        return;
    };
    while let Ok(heard) = changes.wait(PATIENCE) {
        if wanted.strong_count() == 0 {
            return;
        }
        if heard.is_empty() {
            continue;
        }
        let programs = heard.into_iter().filter_map(|change| change.program).collect();
        if events.send(Event::Msg(Msg::RulesChanged(programs))).is_err() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

fn knock_at(machine: &dyn Machine, events: &SyncSender<Event>, jobs: &Receiver<Effect>) {
    for job in jobs {
        let Effect::Knock(id) = job else { continue };
        let seen = machine.knock(&id);
        if events.send(Event::Msg(Msg::Knocked(id, seen))).is_err() {
            return;
        }
    }
}

fn check(machine: &dyn Machine, events: &SyncSender<Event>, jobs: &Receiver<(Effect, Cancel)>) {
    for (job, cancel) in jobs {
        let Effect::Check(number) = job else { continue };
        let msg = match machine.checkup(&cancel) {
            Some(found) => Msg::Checked(number, Box::new(found)),
            None => Msg::CheckStopped(number),
        };
        if events.send(Event::Msg(msg)).is_err() {
            return;
        }
    }
}

/// Works out what takes nothing but time.
fn answer(events: &SyncSender<Event>, jobs: &Receiver<Effect>) {
    for job in jobs {
        if let Some(msg) = job.answer()
            && events.send(Event::Msg(msg)).is_err()
        {
            return;
        }
    }
}

fn hold_trial(machine: &dyn Machine, events: &SyncSender<Event>, jobs: &Receiver<Effect>) {
    for job in jobs {
        let msg = match job {
            Effect::Confirm { id, is_unproven_fine } => Msg::Confirmed(machine.confirm(&id, is_unproven_fine)),
            Effect::Revert(id) => Msg::Reverted(machine.revert(&id)),
            Effect::Extend(id) => Msg::Extended(machine.extend(&id)),
            Effect::AskStatus => Msg::Status(Box::new(machine.status())),
            _ => continue,
        };
        let is_kept = matches!(msg, Msg::Confirmed(Ok(_)));
        if events.send(Event::Msg(msg)).is_err() {
            return;
        }
        if is_kept {
            machine.note_listened();
        }
    }
}
