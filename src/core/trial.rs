//! The trial: an applied, unconfirmed ruleset with its deadline.
//!
//! A pure state machine: Armed, then Applied, then Confirmed or Reverted and never both. The guard
//! feeds it events and carries out what it answers. Times are durations since boot
//! (`CLOCK_BOOTTIME`, which goes on while the machine sleeps).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Timeout where none is given.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(90);
/// The shortest timeout a user may ask for.
pub const SHORTEST_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest; extending does not go beyond it either.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);
/// What one `extend` adds.
pub const EXTENSION: Duration = Duration::from_secs(60);
/// A confirmation sooner than this after the switch is a reflex, not a judgement.
pub const SETTLE_TIME: Duration = Duration::from_secs(2);

/// A trial's length: seconds, or a number with a unit.
///
/// # Errors
/// Where it is none, or beyond the limits.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    let plain = text.parse::<u64>().ok().map(Duration::from_secs);
    let parsed = plain.or_else(|| humantime::parse_duration(text).ok());
    let time = parsed.ok_or_else(|| format!("write it like {}, 90s or 5m", DEFAULT_TIMEOUT.as_secs()))?;
    match (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&time) {
        true => Ok(time),
        false => Err("a trial lasts from 20 seconds to 1 hour".to_owned()),
    }
}

/// Why a trial was reverted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nobody confirmed in time.
    NotConfirmed,
    /// Somebody asked for it.
    Asked,
    /// The guard was told to end (SIGTERM, shutdown).
    Stopped,
    /// Loading failed, or what was read back was not what was loaded: the error's words.
    Failed(String),
    /// The guard died; its successor reverted.
    GuardDied,
    /// The machine was restarted during the trial.
    Reboot,
}

impl Reason {
    /// The word for scripts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotConfirmed => "deadline",
            Self::Asked => "asked",
            Self::Stopped => "signal",
            Self::Failed(_) => "apply-failed",
            Self::GuardDied => "guard-died",
            Self::Reboot => "reboot",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfirmed => f.write_str("nobody confirmed in time"),
            Self::Asked => f.write_str("a revert was asked for"),
            Self::Stopped => f.write_str("the guard was stopped"),
            Self::Failed(error) => write!(f, "applying failed: {error}"),
            Self::GuardDied => f.write_str("the guard died"),
            Self::Reboot => f.write_str("the machine was restarted"),
        }
    }
}

/// Where a trial stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The guard holds it; nothing has changed yet.
    Armed,
    /// The rules are in the kernel since `at`, until `deadline`.
    Applied {
        /// When the switch was made.
        at: Duration,
        /// When it is undone.
        deadline: Duration,
    },
    /// Kept.
    Confirmed,
    /// Undone.
    Reverted(Reason),
}

/// What happens to a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The rules were switched.
    Switched,
    /// They could not be: the error's words.
    Failed(String),
    /// The timer rang, or may have.
    Tick,
    /// Somebody confirms.
    Confirm,
    /// Somebody wants the old rules back.
    Revert,
    /// Somebody needs longer.
    Extend,
    /// The guard is told to end.
    Stop,
}

/// What the guard is to do about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Wait,
    /// Arm the timer for this time since boot.
    Arm(Duration),
    /// Keep the rules.
    Keep,
    /// Put the old rules back.
    Revert(Reason),
    /// Refuse what was asked, and say this.
    Refuse(&'static str),
}

/// A trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    timeout: Duration,
    settle: Duration,
    phase: Phase,
}

impl Trial {
    /// An armed trial that lasts `timeout` from the switch, and can't be confirmed in the first
    /// `settle` of it.
    pub const fn new(timeout: Duration, settle: Duration) -> Self {
        Self {
            timeout,
            settle,
            phase: Phase::Armed,
        }
    }

    /// Where it stands.
    pub const fn phase(&self) -> &Phase {
        &self.phase
    }

    /// How long it was to last.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// When the switch was made, while it runs.
    pub const fn applied_at(&self) -> Option<Duration> {
        match self.phase {
            Phase::Applied { at, .. } => Some(at),
            Phase::Armed | Phase::Confirmed | Phase::Reverted(_) => None,
        }
    }

    /// The deadline while it runs.
    pub const fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Applied { deadline, .. } => Some(deadline),
            Phase::Armed | Phase::Confirmed | Phase::Reverted(_) => None,
        }
    }

    /// Whether it is over.
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Confirmed | Phase::Reverted(_))
    }

    /// Takes an event at a time since boot and says what to do.
    pub fn on(&mut self, event: Event, now: Duration) -> Step {
        match (&self.phase, event) {
            (Phase::Confirmed | Phase::Reverted(_), Event::Confirm | Event::Revert | Event::Extend) => {
                Step::Refuse("the trial is over: 'fwtui status' says how it ended")
            }
            (Phase::Confirmed | Phase::Reverted(_), _) => Step::Wait,
            // Whatever else arrives with it: past the deadline there is one answer.
            (Phase::Applied { deadline, .. }, event) if now >= *deadline && event != Event::Revert => {
                self.revert(Reason::NotConfirmed)
            }
            (Phase::Armed, Event::Switched) => {
                let deadline = now.saturating_add(self.timeout);
                self.phase = Phase::Applied { at: now, deadline };
                Step::Arm(deadline)
            }
            (_, Event::Failed(error)) => self.revert(Reason::Failed(error)),
            (Phase::Armed | Phase::Applied { .. }, Event::Stop) => self.revert(Reason::Stopped),
            (Phase::Armed | Phase::Applied { .. }, Event::Revert) => self.revert(Reason::Asked),
            (Phase::Armed, Event::Tick) | (Phase::Applied { .. }, Event::Tick | Event::Switched) => Step::Wait,
            (Phase::Armed, Event::Confirm | Event::Extend) => Step::Refuse("nothing has been applied yet"),
            (Phase::Applied { at, .. }, Event::Confirm) if now < at.saturating_add(self.settle) => {
                Step::Refuse("too early: look whether everything works first, then confirm")
            }
            (Phase::Applied { .. }, Event::Confirm) => {
                self.phase = Phase::Confirmed;
                Step::Keep
            }
            (Phase::Applied { at, deadline }, Event::Extend) => {
                let latest = at.saturating_add(LONGEST_TIMEOUT);
                let extended = deadline.saturating_add(EXTENSION);
                if extended > latest {
                    return Step::Refuse(
                        "a trial lasts one hour at most: keep the new rules, or end it and apply again",
                    );
                }
                self.phase = Phase::Applied {
                    at: *at,
                    deadline: extended,
                };
                Step::Arm(extended)
            }
        }
    }

    fn revert(&mut self, reason: Reason) -> Step {
        self.phase = Phase::Reverted(reason.clone());
        Step::Revert(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn running() -> Trial {
        let mut trial = Trial::new(at(90), SETTLE_TIME);
        assert_eq!(trial.on(Event::Switched, at(100)), Step::Arm(at(190)));
        trial
    }

    #[test]
    fn confirmed_in_time_is_kept() {
        let mut trial = running();
        assert!(matches!(trial.on(Event::Confirm, at(101)), Step::Refuse(why) if why.contains("too early")));
        assert_eq!(trial.on(Event::Confirm, at(150)), Step::Keep);
        assert!(matches!(trial.on(Event::Revert, at(151)), Step::Refuse(_)));
    }

    #[test]
    fn a_confirmation_at_the_deadline_is_too_late() {
        assert_eq!(
            running().on(Event::Confirm, at(190)),
            Step::Revert(Reason::NotConfirmed)
        );
        assert_eq!(running().on(Event::Tick, at(189)), Step::Wait);
        assert_eq!(running().on(Event::Tick, at(190)), Step::Revert(Reason::NotConfirmed));
    }

    #[test]
    fn extending_has_an_end() {
        let mut trial = running();
        assert_eq!(trial.on(Event::Extend, at(110)), Step::Arm(at(250)));
        let mut refused = 0;
        for _ in 0..100 {
            refused += u32::from(matches!(trial.on(Event::Extend, at(110)), Step::Refuse(_)));
        }
        assert!(refused > 0);
        assert!(trial.deadline().unwrap() <= at(100) + LONGEST_TIMEOUT);
    }

    #[test]
    fn a_failed_switch_reverts_at_once() {
        let mut trial = Trial::new(at(90), SETTLE_TIME);
        assert!(matches!(
            trial.on(Event::Failed("no".into()), at(1)),
            Step::Revert(Reason::Failed(_))
        ));
        assert!(trial.is_over());
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            Just(Event::Switched),
            Just(Event::Failed("error".into())),
            Just(Event::Tick),
            Just(Event::Confirm),
            Just(Event::Revert),
            Just(Event::Extend),
            Just(Event::Stop),
        ]
    }

    proptest! {
        #[test]
        fn every_order_of_events_ends_confirmed_or_reverted_once(
            events in proptest::collection::vec((event(), 0u64..5000), 0..40)
        ) {
            let mut trial = Trial::new(at(90), SETTLE_TIME);
            let (mut now, mut endings) = (0, 0);
            for (event, later) in events {
                now += later;
                endings += u32::from(matches!(trial.on(event, at(now)), Step::Keep | Step::Revert(_)));
            }
            // The timer always rings in the end, and an armed trial that never switches is stopped.
            endings += u32::from(matches!(trial.on(Event::Tick, at(now + 10_000)), Step::Keep | Step::Revert(_)));
            endings += u32::from(matches!(trial.on(Event::Stop, at(now + 10_001)), Step::Keep | Step::Revert(_)));
            prop_assert!(trial.is_over());
            prop_assert_eq!(endings, 1);
        }
    }
}
