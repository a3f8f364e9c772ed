//! The threads that call the machine.

use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use super::looker::{Looker, UnderWay};
use super::{Event, Options};
use crate::app::Cancel;
use crate::tui::msg::{Effect, Msg};
use crate::tui::port::Machine;

/// After changes of the rules were told, the next ones are told together so much later: a program
/// that changes many writes each by itself.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the thread that waits for changes looks whether anybody still wants to know.
const PATIENCE: Duration = Duration::from_secs(60);

/// The workers; dropped, they end after what they are doing.
pub(super) struct Workers {
    looks: Sender<(Effect, Cancel)>,
    look: UnderWay,
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
        let looker = Looker::new(machine, events, options.settings.refresh);
        let look = looker.under_way();
        spawn("looks", events, move || looker.run(&jobs))?;
        let (trial, jobs) = channel();
        let (trials, sender) = (Arc::clone(machine), events.clone());
        spawn("trial", events, move || hold_trial(&trials, &sender, &jobs))?;
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
            look,
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
            Effect::Look(_) | Effect::LookForOwners => {
                self.looks.send((effect, Cancel::default())).ok();
                return;
            }
            Effect::StopLook(depth) => {
                self.look.stop(depth);
                return;
            }
            Effect::Save { .. }
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
                // Work does not wait for a look, which may wait for a lock.
                self.look.put_off();
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
            Effect::WorkOut(_) | Effect::AskAccess(_) | Effect::AskWay(..) | Effect::AskClasses(_) => &self.questions,
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
    while let Ok(first) = jobs.recv() {
        let mut waiting: Vec<Effect> = std::iter::once(first).chain(jobs.try_iter()).collect();
        // Of several edits the last one alone is asked about any more.
        let last = waiting.iter().rposition(|job| matches!(job, Effect::WorkOut(_)));
        let mut index = 0;
        waiting.retain(|job| {
            index += 1;
            !matches!(job, Effect::WorkOut(_)) || Some(index - 1) == last
        });
        for job in waiting {
            if let Some(msg) = job.answer()
                && events.send(Event::Msg(msg)).is_err()
            {
                return;
            }
        }
    }
}

fn hold_trial(machine: &Arc<dyn Machine>, events: &SyncSender<Event>, jobs: &Receiver<Effect>) {
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
            // It looks at the machine, which may hang; the next trial's keep and revert wait for nothing.
            let machine = Arc::clone(machine);
            spawn("listened", events, move || machine.note_listened()).unwrap_or_default();
        }
    }
}
