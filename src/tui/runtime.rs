//! The one place that does things: it owns the terminal and the threads, and carries out effects.
//!
//! The main thread waits for events and draws; it never calls the machine for anything slow. Looks,
//! saves, applies and restores go to one worker, so that an apply comes after the save it depends on, and
//! a look after both; confirm, revert and extend have a worker of their own, so
//! that going back never waits for a look. Checkup has one too. Another thread waits for the kernel to
//! tell of changes of its rules. In the sandbox one more lets the neighbours knock.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use signal_hook::consts::SIGHUP;

use crate::app::{TRIAL_BEGINS, job};
use crate::tui::model::{Model, Task};
use crate::tui::msg::{Effect, Msg};
use crate::tui::port::{Depth, Machine};
use crate::tui::settings::Settings;
use crate::tui::theme::Token;
use crate::tui::update::update;
use crate::tui::view::view;

mod input;
mod keys;
mod looker;
mod pen;
mod terminal;
mod workers;

use terminal::Screen;
use workers::Workers;

/// Events under way; a paste that is longer waits in the terminal.
const QUEUE: usize = 256;
/// How long a save may take that is under way when the user leaves.
const LAST_SAVE: Duration = Duration::from_secs(5);

/// How to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the user has chosen.
    pub settings: Settings,
    /// Whether this is the sandbox: then it says so, and shows what the neighbours get.
    pub is_sandbox: bool,
    /// What opens first.
    pub start: Start,
}

/// What opens first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// The screens.
    #[default]
    Screens,
    /// The first-time setup.
    Setup,
    /// The setup where nobody has decided anything on this machine; else the screens.
    SetupIfNew,
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What ended it: the signal, or a hang-up where the terminal went away; none where the user left.
    pub signal: Option<i32>,
    /// What is to be said once the terminal is given back: above all, that a trial goes on.
    pub last_words: Option<String>,
}

impl Outcome {
    const fn by(signal: i32) -> Self {
        Self {
            signal: Some(signal),
            last_words: None,
        }
    }
}

/// What the main thread waits for.
#[derive(Debug)]
enum Event {
    /// For `update`.
    Msg(Msg),
    /// The process goes on after it was stopped: meanwhile the terminal was somebody else's.
    Resumed,
    /// A signal asks it to stop.
    Suspend,
    /// The terminal is gone, which is a hang-up, or this signal asks to end.
    End(i32),
    /// A worker panicked; its message has been printed after the terminal was restored.
    Panicked,
}

/// Shows the screens until the user leaves.
///
/// # Errors
/// Where standard input or output is no terminal, or a worker failed in a way it should not.
pub fn run(machine: Arc<dyn Machine>, options: &Options) -> io::Result<Outcome> {
    let (sender, events) = sync_channel(QUEUE);
    // Dropped after the screen: until the terminal is given back, no signal ends the process.
    let _signals = input::watch(&sender)?;
    let mut screen = Screen::enter(options.settings.has_mouse, options.settings.erases_in_color)?;
    let mut model = Model::new(options.settings.clone(), screen.size(), machine.since_boot());
    model.neighbours.are_there = options.is_sandbox;
    model.start = options.start;
    model.follow();
    // The first frame waits for nothing.
    if screen.draw(|frame| view(&model, frame)).is_err() {
        return Ok(Outcome::by(SIGHUP));
    }
    let _terminal = input::listen(&sender)?;
    let mut workers = Workers::start(&machine, &sender, options)?;
    drop(sender);
    for depth in [Depth::Sockets, Depth::Owners, Depth::Complete] {
        workers.perform(Effect::Look(depth));
    }
    let session = Session {
        machine,
        screen: &mut screen,
        workers,
        events,
        has_no_shell: false,
        answers_under_way: 0,
    };
    session.run(&mut model)
}

struct Session<'a> {
    machine: Arc<dyn Machine>,
    screen: &'a mut Screen,
    workers: Workers,
    events: Receiver<Event>,
    /// Whether the user wants to be told that there is no shell.
    has_no_shell: bool,
    /// Answers of the setup on their way to the disk, or to be forgotten there.
    answers_under_way: usize,
}

impl Session<'_> {
    fn run(mut self, model: &mut Model) -> io::Result<Outcome> {
        loop {
            let first = match self.wait(model) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => Event::Msg(Msg::Tick(self.machine.since_boot())),
                Err(RecvTimeoutError::Disconnected) => return Ok(self.end(model, Some(SIGHUP))),
            };
            model.now = self.machine.since_boot();
            if self.workers.is_past_stopping() {
                model.progress.is_past_stopping = true;
            }
            // What has come meanwhile is drawn in one frame, but not so much that nothing is drawn.
            let waiting: Vec<Event> = self.events.try_iter().take(QUEUE).collect();
            for event in std::iter::once(first).chain(waiting) {
                self.count(&event);
                match event {
                    Event::Msg(msg) => {
                        if self.perform(update(model, msg)) {
                            return self.leave(model);
                        }
                        if std::mem::take(&mut self.has_no_shell) {
                            model.say(Token::Text, "There is no shell here that could be gone back to.");
                        }
                    }
                    Event::Resumed => {
                        if self.screen.resume().is_err() {
                            return Ok(self.end(model, Some(SIGHUP)));
                        }
                    }
                    Event::Suspend => {
                        if self.suspend(false).is_err() {
                            return Ok(self.end(model, Some(SIGHUP)));
                        }
                    }
                    Event::End(signal) => return Ok(self.end(model, Some(signal))),
                    Event::Panicked => return Err(io::Error::other("a worker thread panicked")),
                }
            }
            if self.draw(model).is_err() {
                // EIO: the other end of the terminal was closed. A trial is the guard's business.
                return Ok(self.end(model, Some(SIGHUP)));
            }
        }
    }

    /// Waits for an event; while something counts seconds, no longer than until they change.
    fn wait(&self, model: &Model) -> Result<Event, RecvTimeoutError> {
        let now = self.machine.since_boot();
        let until_change = match (model.trial(), model.progress.until_change(now)) {
            (None, None) => return self.events.recv().map_err(RecvTimeoutError::from),
            (None, Some(until_change)) => until_change,
            (Some(trial), _) => match trial.deadline.saturating_sub(now).subsec_nanos() {
                0 => Duration::from_secs(1),
                nanos => Duration::from_nanos(u64::from(nanos)),
            },
        };
        // A millisecond later the new second has certainly begun.
        self.events.recv_timeout(until_change + Duration::from_millis(1))
    }

    /// Gives the terminal back and stops, until somebody has the process go on. Where nobody would,
    /// it does not stop.
    fn suspend(&mut self, is_from_key: bool) -> io::Result<()> {
        if !job::can_continue() {
            return Ok(());
        }
        self.screen.give_back();
        // The terminal is taken over again by the event that tells of going on.
        job::stop(is_from_key).or_else(|_goes_on| self.screen.resume())
    }

    fn draw(&mut self, model: &mut Model) -> io::Result<()> {
        let (width, height) = self.screen.size();
        if model.size != (width, height) {
            let effects = update(model, Msg::Resize(width, height));
            self.perform(effects);
        }
        self.screen.draw(|frame| view(model, frame))
    }

    /// Carries out effects; whether to leave.
    fn perform(&mut self, effects: Vec<Effect>) -> bool {
        let mut is_leaving = false;
        for effect in effects {
            match effect {
                Effect::Quit => is_leaving = true,
                Effect::Redraw => self.screen.forget(),
                // A terminal that is gone is noticed when the next frame is drawn.
                Effect::SetMouse(is_on) => self.screen.set_mouse(is_on).unwrap_or_default(),
                // What can't be drawn any more ends the screens with the next frame.
                Effect::Suspend => {
                    self.has_no_shell = !job::can_continue();
                    self.suspend(true).ok();
                }
                effect => {
                    if matches!(effect, Effect::KeepAnswers(_) | Effect::ForgetAnswers) {
                        self.answers_under_way += 1;
                    }
                    self.workers.perform(effect);
                }
            }
        }
        is_leaving
    }

    /// Takes note of answers that are on the disk, or can't be.
    const fn count(&mut self, event: &Event) {
        if matches!(event, Event::Msg(Msg::AnswersKept(_))) {
            self.answers_under_way = self.answers_under_way.saturating_sub(1);
        }
    }

    /// Leaves when the last edit is on the disk, and the last answer.
    fn leave(mut self, model: &mut Model) -> io::Result<Outcome> {
        while model.saves_under_way > 0 || self.answers_under_way > 0 {
            let event = self.events.recv_timeout(LAST_SAVE);
            if let Ok(event) = &event {
                self.count(event);
            }
            match event {
                // The last answer is not worth an error.
                Err(_) if model.saves_under_way == 0 => break,
                Ok(Event::Msg(Msg::Saved(_, Err(error)))) => {
                    return Err(io::Error::other(format!("the policy could not be saved: {error}")));
                }
                Ok(Event::Msg(Msg::Saved(..))) => model.saves_under_way -= 1,
                Ok(Event::Msg(_) | Event::Resumed | Event::Suspend) => {}
                Ok(Event::End(signal)) => return Ok(self.end(model, Some(signal))),
                Ok(Event::Panicked) | Err(_) => {
                    return Err(io::Error::other("the last edit may not have been saved"));
                }
            }
        }
        Ok(self.end(model, None))
    }

    /// Waits until the edits made so far are on the disk, and gives what is to be said of those that are
    /// not; never long, since whoever sends a signal may send the one that can't be waited for.
    fn last_saves(&self, model: &mut Model) -> Option<String> {
        let until = self.machine.since_boot() + LAST_SAVE;
        let mut failed = None;
        while model.saves_under_way > 0 {
            let left = until.saturating_sub(self.machine.since_boot());
            match self.events.recv_timeout(left) {
                Ok(Event::Msg(Msg::Saved(_, saved))) => {
                    model.saves_under_way -= 1;
                    failed = saved.err().or(failed);
                }
                Ok(Event::Panicked) | Err(_) => return Some("The last edit may not have been saved.".to_owned()),
                Ok(Event::Msg(_) | Event::Resumed | Event::Suspend | Event::End(_)) => {}
            }
        }
        failed.map(|error| format!("The last edit could not be saved: {error}"))
    }

    /// What is left behind. An apply that has not changed anything yet is stopped.
    fn end(&mut self, model: &mut Model, signal: Option<i32>) -> Outcome {
        let is_applying = model.task == Some(Task::Applying);
        let last_words = match model.trial() {
            Some(_) if matches!(model.task, Some(Task::Confirming { .. } | Task::Reverting { .. })) => {
                Some("The trial is about to end. How it stands: sudo fwtui status".to_owned())
            }
            Some(trial) => Some(trial.goes_on(self.machine.since_boot())),
            None if is_applying && !self.workers.stop_apply() => Some(TRIAL_BEGINS.to_owned()),
            None => model.last_words.clone(),
        };
        let unsaved = self.last_saves(model);
        let last_words: Vec<String> = [last_words, unsaved].into_iter().flatten().collect();
        Outcome {
            signal,
            last_words: (!last_words.is_empty()).then(|| last_words.join(" ")),
        }
    }
}
