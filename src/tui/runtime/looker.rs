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
use crate::app::{Cancel, Observation, Outlook, Status, Stops};
use crate::tui::msg::{Effect, Msg};
use crate::tui::port::{Depth, Machine};

/// How many shallow looks go by until the status is asked for too: it has to read the kernel's rules,
/// which starts other programs.
const PROBES_PER_STATUS: u32 = 5;

/// The look that is under way, as the main thread sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<Place>>);

#[derive(Debug, Default)]
struct Place {
    current: Option<Current>,
    /// The one that is to be taken again, and whether the user no longer wants to wait for it.
    put_off: Option<(Depth, bool)>,
}

#[derive(Debug)]
struct Current {
    depth: Depth,
    cancel: Cancel,
    is_put_off: bool,
    is_stopped: bool,
}

impl UnderWay {
    /// The user no longer wants to wait for this look.
    pub(super) fn stop(&self, depth: Depth) {
        let place = &mut *self.place();
        if let Some(current) = place.current.as_mut().filter(|current| current.depth == depth) {
            current.is_stopped = true;
            current.cancel.cancel();
        } else if let Some((_, is_stopped)) = place.put_off.as_mut().filter(|(other, _)| *other == depth) {
            *is_stopped = true;
        }
    }

    /// Something else is to be done first. A look the user has stopped is as good as done.
    pub(super) fn put_off(&self) {
        if let Some(current) = self.place().current.as_mut().filter(|current| !current.is_stopped) {
            current.is_put_off = true;
            current.cancel.cancel();
        }
    }

    fn begin(&self, depth: Depth) -> Cancel {
        let place = &mut *self.place();
        let put_off = place.put_off.take_if(|(other, _)| *other == depth);
        let is_stopped = put_off.is_some_and(|(_, is_stopped)| is_stopped);
        let cancel = Cancel::default();
        if is_stopped {
            cancel.cancel();
        }
        place.current = Some(Current {
            depth,
            cancel: cancel.clone(),
            is_put_off: false,
            is_stopped,
        });
        cancel
    }

    /// Whether it was put off.
    fn end(&self) -> bool {
        let place = &mut *self.place();
        let Some(current) = place.current.take() else {
            return false;
        };
        if current.is_put_off {
            place.put_off = Some((current.depth, current.is_stopped));
        }
        current.is_put_off
    }

    fn place(&self) -> MutexGuard<'_, Place> {
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
        for job in jobs.try_iter() {
            self.take(job);
        }
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
            self.under_way.put_off();
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
        // Here it keeps no key waiting.
        let outlook = Outlook::of(&observation, &observation.policy, None);
        self.send(Msg::SeenWith(depth, Box::new(observation), Box::new(outlook)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_put_off_for_work_and_stopped_for_the_user() {
        let under_way = UnderWay::default();
        let cancel = under_way.begin(Depth::Complete);
        under_way.stop(Depth::Owners);
        assert!(!cancel.is_cancelled(), "it was meant for another");
        under_way.put_off();
        assert!(cancel.is_cancelled() && under_way.end());
        // Nothing is under way; the one that is put off can be stopped all the same.
        under_way.stop(Depth::Complete);
        assert!(under_way.begin(Depth::Complete).is_cancelled());
        under_way.put_off();
        assert!(!under_way.end(), "it is as good as done");
        let cancel = under_way.begin(Depth::Complete);
        assert!(!cancel.is_cancelled(), "the next one is another");
        under_way.stop(Depth::Complete);
        assert!(cancel.is_cancelled() && !under_way.end());
    }
}
