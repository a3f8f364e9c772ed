//! The thread that looks at the machine, and does what is done in the order it was asked for.
//!
//! Work goes before looks: a look that is under way is put off for it, and taken again afterwards, so
//! that nothing waits behind a look that waits for somebody's lock, and a look never shows what was there
//! before the work. Looks that are asked for while one waits are the same look.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Event;
use crate::app::{Cancel, Observation, Status, Stops};
use crate::tui::msg::{Effect, Msg};
use crate::tui::port::{Depth, Machine};

/// How many shallow looks go by until the status is asked for too: it has to read the kernel's rules,
/// which starts other programs.
const PROBES_PER_STATUS: u32 = 5;

/// The look that is under way, as the main thread sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<Option<Current>>>);

#[derive(Debug)]
struct Current {
    depth: Depth,
    cancel: Cancel,
    /// Whether it is to be taken again.
    is_put_off: bool,
}

impl UnderWay {
    /// The user no longer wants to wait for this look.
    pub(super) fn stop(&self, depth: Depth) {
        if let Some(current) = self.current().as_ref().filter(|current| current.depth == depth) {
            current.cancel.cancel();
        }
    }

    /// Something else is to be done first. A look the user has stopped is as good as done.
    pub(super) fn put_off(&self) {
        if let Some(current) = self.current().as_mut()
            && !current.cancel.is_cancelled()
        {
            current.is_put_off = true;
            current.cancel.cancel();
        }
    }

    fn begin(&self, depth: Depth) -> Cancel {
        let cancel = Cancel::default();
        *self.current() = Some(Current {
            depth,
            cancel: cancel.clone(),
            is_put_off: false,
        });
        cancel
    }

    /// Whether it was put off.
    fn end(&self) -> bool {
        self.current().take().is_some_and(|current| current.is_put_off)
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Looker {
    machine: Arc<dyn Machine>,
    events: SyncSender<Event>,
    under_way: UnderWay,
    work: VecDeque<(Effect, Cancel)>,
    looks: BTreeSet<Depth>,
    /// Whether the search for owners was stopped: it does not begin again by itself.
    skips_owners: bool,
    /// What the last shallow look saw.
    sockets: Option<Observation>,
    status: Option<Status>,
    probes: u32,
    /// How often the sockets are looked at while nothing else is asked for; none for never.
    refresh: Option<Duration>,
}

impl Looker {
    pub(super) fn new(machine: &Arc<dyn Machine>, events: &SyncSender<Event>, refresh: Option<Duration>) -> Self {
        Self {
            machine: Arc::clone(machine),
            events: events.clone(),
            under_way: UnderWay::default(),
            work: VecDeque::new(),
            looks: BTreeSet::new(),
            skips_owners: false,
            sockets: None,
            status: None,
            probes: 0,
            refresh,
        }
    }

    /// What stops its looks.
    pub(super) fn under_way(&self) -> UnderWay {
        self.under_way.clone()
    }

    /// Until nobody wants anything any more.
    pub(super) fn run(mut self, jobs: &Receiver<(Effect, Cancel)>) {
        loop {
            if self.work.is_empty() && self.looks.is_empty() {
                let job = match self.refresh {
                    Some(refresh) => jobs.recv_timeout(refresh),
                    None => jobs.recv().map_err(RecvTimeoutError::from),
                };
                match job {
                    Ok(job) => self.take(job),
                    Err(RecvTimeoutError::Timeout) if self.probe() => continue,
                    Err(_) => return,
                }
            }
            self.take_all(jobs);
            let is_heard = match self.work.pop_front() {
                Some((effect, cancel)) => self.perform(effect, &cancel),
                None => match self.looks.pop_first() {
                    Some(depth) => self.look(depth, jobs),
                    None => true,
                },
            };
            if !is_heard {
                return;
            }
        }
    }

    fn take_all(&mut self, jobs: &Receiver<(Effect, Cancel)>) {
        jobs.try_iter().for_each(|job| self.take(job));
    }

    fn take(&mut self, job: (Effect, Cancel)) {
        match job.0 {
            Effect::Look(depth) => {
                self.looks.insert(depth);
            }
            Effect::LookForOwners => self.skips_owners = false,
            _ => self.work.push_back(job),
        }
    }

    /// Does a piece of work; whether anybody hears of it.
    fn perform(&self, effect: Effect, cancel: &Cancel) -> bool {
        let msg = match effect {
            Effect::Save { before, wanted } => {
                let result = self.machine.save(&before, &wanted);
                Msg::Saved(wanted, result)
            }
            Effect::Apply(request) => Msg::Applied(self.machine.apply(&request, cancel)),
            Effect::Restore => Msg::Restored(self.machine.restore()),
            Effect::Write(writing) => {
                let result = self.machine.write(&writing);
                Msg::Written(writing, result)
            }
            Effect::Propose(id) => {
                let proposed = self.machine.propose(&id);
                Msg::Proposed(id, proposed.map(Box::new))
            }
            Effect::AskSetup(observation) => Msg::SetupFound {
                found: Box::new(self.machine.setup(&observation)),
                is_new: self.machine.needs_setup(),
            },
            Effect::KeepAnswers(answers) => Msg::AnswersKept(self.machine.keep_answers(&answers)),
            Effect::ForgetAnswers => Msg::AnswersKept(self.machine.forget_answers()),
            Effect::Told(id) => {
                self.machine.told(&id);
                return true;
            }
            _ => return true,
        };
        self.send(msg)
    }

    fn send(&self, msg: Msg) -> bool {
        self.events.send(Event::Msg(msg)).is_ok()
    }

    /// Looks, unless something else is to be done first; whether anybody hears of it.
    fn look(&mut self, depth: Depth, jobs: &Receiver<(Effect, Cancel)>) -> bool {
        let cancel = self.under_way.begin(depth);
        // What was asked for before that did not put it off.
        self.take_all(jobs);
        if !self.work.is_empty() {
            self.under_way.end();
            self.looks.insert(depth);
            return true;
        }
        let stops = Stops::both(&cancel);
        if self.skips_owners {
            let stopped = Cancel::default();
            stopped.cancel();
            return self.look_until(
                depth,
                &Stops {
                    owners: stopped,
                    ..stops
                },
            );
        }
        self.look_until(depth, &stops)
    }

    fn look_until(&mut self, depth: Depth, stops: &Stops) -> bool {
        if !self.send(Msg::Looking(depth)) {
            return false;
        }
        let observation = self.machine.look(depth, stops);
        if self.under_way.end() {
            self.looks.insert(depth);
            return true;
        }
        if depth >= Depth::Owners {
            self.skips_owners = stops.owners.is_cancelled() && !observation.has_owners;
        }
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
        let sockets = self.machine.look(Depth::Sockets, &Stops::default());
        if self.sockets.as_ref() != Some(&sockets) {
            self.sockets = Some(sockets);
            self.looks.insert(Depth::Complete);
            return true;
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
