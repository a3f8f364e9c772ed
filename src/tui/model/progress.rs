//! What is waited for, and how long already.

use std::time::Duration;

use crate::tui::model::Task;

/// Below it, nobody wants to read how long it takes.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// Since when what is under way is under way.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    task: Option<(Task, Duration)>,
    check: Option<Duration>,
    look: Option<Duration>,
    /// Whether the user has asked for the task to be stopped.
    pub is_stopping: bool,
    /// Whether it is too late for that.
    pub is_past_stopping: bool,
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

    /// What is being done, for how long, and the key that stops it.
    pub fn words(&self, task: Task, now: Duration) -> String {
        let what = match task {
            Task::Applying if self.is_past_stopping => "Applying …",
            Task::Applying if self.is_stopping => "Stopping: nothing will be changed …",
            task => task.words(),
        };
        let key = if self.can_stop() { "   esc stops it" } else { "" };
        format!("{what}{}{key}", for_so_long(self.task.map(|(_, since)| since), now))
    }

    /// How long a check takes already.
    pub fn check(&self, now: Duration) -> String {
        for_so_long(self.check, now)
    }

    /// How long the first look takes already.
    pub fn look(&self, now: Duration) -> String {
        for_so_long(self.look, now)
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
            progress.words(Task::Applying, at(5_900)),
            "Rehearsing and applying …   esc stops it"
        );
        progress.follow(Some(Task::Applying), false, false, at(6_500));
        let told = progress.words(Task::Applying, at(7_200));
        assert_eq!(told, "Rehearsing and applying … 2 s   esc stops it");
        progress.is_past_stopping = true;
        assert_eq!(progress.words(Task::Applying, at(7_200)), "Applying … 2 s");
        assert!(!progress.can_stop());
        progress.follow(None, false, false, at(8_000));
        progress.follow(Some(Task::Confirming), false, false, at(9_000));
        assert_eq!(progress.words(Task::Confirming, at(9_500)), "Keeping the new rules …");
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
}
