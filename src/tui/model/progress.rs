//! What is waited for, and how long already.

use std::time::Duration;

use crate::tui::model::Task;
use crate::tui::port::Depth;

/// Below it, nobody wants to read how long it takes.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// Since when what is under way is under way.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    task: Option<(Task, Duration)>,
    check: Option<Duration>,
    look: Option<Duration>,
    /// How far the look goes that is under way, as far as that was told.
    looking: Option<Depth>,
    /// Whether the user has stopped it, or one before.
    look_stop: LookStop,
    /// Whether the user has asked for the task to be stopped.
    pub is_stopping: bool,
    /// Whether it is too late for that.
    pub is_past_stopping: bool,
}

/// Whether the user has stopped a look since he last asked for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum LookStop {
    #[default]
    None,
    /// The one that is under way.
    ThisOne,
    /// One that is over.
    Earlier,
}

impl Progress {
    /// Takes note of what is under way now.
    pub fn follow(&mut self, task: Option<Task>, is_checking: bool, is_looking: bool, now: Duration) {
        if self.task.map(|(task, _)| task) != task {
            self.task = task.map(|task| (task, now));
            (self.is_stopping, self.is_past_stopping) = (false, false);
        }
        self.check = is_checking.then(|| self.check.unwrap_or(now));
        self.look = is_looking.then(|| self.look.unwrap_or(now));
    }

    /// Whether an apply can be asked to stop.
    pub fn can_stop(&self) -> bool {
        matches!(self.task, Some((Task::Applying, _))) && !self.is_stopping && !self.is_past_stopping
    }

    /// What is being done, for how long, and the key that stops it, where `has_key` says that it would.
    pub fn words(&self, task: Task, has_key: bool, now: Duration) -> String {
        let what = match task {
            Task::Applying if self.is_past_stopping => "Applying …",
            Task::Applying if self.is_stopping => "Stopping: nothing will be changed …",
            task => task.words(),
        };
        let key = if has_key && self.can_stop() {
            "   esc stops it"
        } else {
            ""
        };
        format!("{what}{}{key}", for_so_long(self.task.map(|(_, since)| since), now))
    }

    /// How long a check takes already.
    pub fn check(&self, now: Duration) -> String {
        for_so_long(self.check, now)
    }

    /// A look has begun.
    pub fn begin_look(&mut self, depth: Depth) {
        self.looking = Some(depth);
        self.forget_stop();
    }

    /// A look has ended.
    pub fn end_look(&mut self, depth: Depth) {
        if self.looking == Some(depth) {
            self.looking = None;
            self.forget_stop();
        }
    }

    fn forget_stop(&mut self) {
        if self.look_stop == LookStop::ThisOne {
            self.look_stop = LookStop::Earlier;
        }
    }

    /// Whether a look is under way.
    pub const fn is_looking(&self) -> bool {
        self.looking.is_some()
    }

    /// The look that can be stopped: one that takes so long that it is told, and more than a moment at all.
    pub fn stoppable_look(&self, now: Duration) -> Option<Depth> {
        let is_told = self.look_takes(now) >= WORTH_TELLING;
        self.looking
            .filter(|depth| *depth > Depth::Sockets && is_told && self.look_stop != LookStop::ThisOne)
    }

    /// The user stops it.
    pub const fn stop_look(&mut self) {
        self.look_stop = LookStop::ThisOne;
    }

    /// The user asks for a look; whether he has stopped one before.
    pub fn ask_look(&mut self) -> bool {
        let has_stopped = self.look_stop != LookStop::None;
        if self.look_stop == LookStop::Earlier {
            self.look_stop = LookStop::None;
        }
        has_stopped
    }

    /// What is said of the look that is under way, after one that went so far; `has_key` is whether the key
    /// that stops things would stop this one. None where there is nothing to say.
    pub fn look(&self, seen: Option<Depth>, has_key: bool, now: Duration) -> Option<String> {
        let is_long = self.look_takes(now) >= WORTH_TELLING;
        let what = match seen {
            Some(Depth::Complete) if !is_long => return None,
            _ if self.look_stop == LookStop::ThisOne => return Some("stopping …".to_owned()),
            None => "looking …",
            Some(Depth::Sockets) => "looking up owners …",
            Some(Depth::Complete) => "looking again …",
            Some(_) => "looking at the rules …",
        };
        let key = match has_key && self.stoppable_look(now).is_some() {
            true => "   esc stops it",
            false => "",
        };
        Some(format!("{what}{}{key}", for_so_long(self.look, now)))
    }

    fn look_takes(&self, now: Duration) -> Duration {
        self.look.map(|since| now.saturating_sub(since)).unwrap_or_default()
    }

    /// When what is told of it changes; none where nothing is under way.
    pub fn until_change(&self, now: Duration) -> Option<Duration> {
        let since = [self.task.map(|(_, since)| since), self.check, self.look];
        let gone_by = now.saturating_sub(since.into_iter().flatten().min()?);
        Some(Duration::from_secs(1).saturating_sub(Duration::from_nanos(gone_by.subsec_nanos().into())))
    }
}

/// ` 3 s`
fn for_so_long(since: Option<Duration>, now: Duration) -> String {
    let gone_by = now.saturating_sub(since.unwrap_or(now));
    match gone_by < WORTH_TELLING {
        true => String::new(),
        false => format!(" {} s", gone_by.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn it_tells_how_long_and_what_stops_it() {
        let mut progress = Progress::default();
        progress.follow(Some(Task::Applying), false, false, at(5_000));
        assert_eq!(
            progress.words(Task::Applying, true, at(5_900)),
            "Rehearsing and applying …   esc stops it"
        );
        progress.follow(Some(Task::Applying), false, false, at(6_500));
        let told = progress.words(Task::Applying, true, at(7_200));
        assert_eq!(told, "Rehearsing and applying … 2 s   esc stops it");
        assert_eq!(
            progress.words(Task::Applying, false, at(7_200)),
            "Rehearsing and applying … 2 s"
        );
        progress.is_past_stopping = true;
        assert_eq!(progress.words(Task::Applying, true, at(7_200)), "Applying … 2 s");
        assert!(!progress.can_stop());
        progress.follow(None, false, false, at(8_000));
        progress.follow(Some(Task::Confirming { then_quit: false }), false, false, at(9_000));
        assert_eq!(
            progress.words(Task::Confirming { then_quit: false }, true, at(9_500)),
            "Keeping the new rules …"
        );
        assert!(!progress.can_stop() && !progress.is_past_stopping);
    }

    #[test]
    fn it_asks_to_be_told_again_once_a_second_and_only_while_something_is_under_way() {
        let mut progress = Progress::default();
        assert_eq!(progress.until_change(at(1)), None);
        progress.follow(None, true, false, at(1_300));
        assert_eq!(progress.until_change(at(1_300)), Some(at(1_000)));
        assert_eq!(progress.until_change(at(3_100)), Some(at(200)));
        progress.follow(None, false, false, at(3_200));
        assert_eq!(progress.until_change(at(3_200)), None);
    }

    #[test]
    fn a_look_that_takes_long_says_so_and_can_be_stopped() {
        let mut progress = Progress::default();
        progress.follow(None, false, true, at(1_000));
        progress.begin_look(Depth::Owners);
        let said = |progress: &Progress, seen, now| progress.look(seen, true, at(now)).unwrap_or_default();
        let first = Some(Depth::Sockets);
        assert_eq!(said(&progress, first, 1_500), "looking up owners …");
        assert_eq!(progress.stoppable_look(at(1_500)), None);
        assert_eq!(said(&progress, first, 3_000), "looking up owners … 2 s   esc stops it");
        assert_eq!(
            progress.look(first, false, at(3_000)).unwrap(),
            "looking up owners … 2 s"
        );
        assert_eq!(progress.stoppable_look(at(3_000)), Some(Depth::Owners));
        progress.stop_look();
        assert_eq!(said(&progress, first, 3_100), "stopping …");
        assert_eq!(progress.stoppable_look(at(3_100)), None);
        progress.end_look(Depth::Owners);
        progress.begin_look(Depth::Complete);
        let rules = said(&progress, Some(Depth::Owners), 3_200);
        assert_eq!(rules, "looking at the rules … 2 s   esc stops it");
        progress.end_look(Depth::Complete);
        progress.follow(None, false, progress.is_looking(), at(3_300));
        assert!(progress.ask_look() && !progress.ask_look());
        // Later ones are told when they take long, and only then.
        progress.begin_look(Depth::Complete);
        progress.follow(None, false, true, at(5_000));
        let seen = Some(Depth::Complete);
        assert_eq!(progress.look(seen, true, at(5_900)), None);
        assert_eq!(said(&progress, seen, 6_000), "looking again … 1 s   esc stops it");
    }
}
