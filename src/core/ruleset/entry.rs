//! What the entry chains do: select a slot, for good or until a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::core::date;
use crate::core::ruleset::{Hook, Own, Slot};

/// A second of the wall clock in UTC, as the kernel's time match counts: since 1970, up to 2038.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u32);

impl Stamp {
    /// The last second the match knows (`XT_TIME_MAX_DATE` in xtables).
    pub const LAST: Self = Self(i32::MAX.cast_unsigned());

    /// The first whole second that is not before a time since 1970; none beyond 2038.
    pub fn at_or_after(time: Duration) -> Option<Self> {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        u32::try_from(seconds)
            .ok()
            .map(Self)
            .filter(|stamp| *stamp <= Self::LAST)
    }

    /// The time since 1970.
    pub const fn since_1970(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }

    /// The second after; none beyond 2038.
    pub(super) fn after(self) -> Option<Self> {
        Self::at_or_after(self.since_1970() + Duration::from_secs(1))
    }

    /// The second before.
    pub(super) const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Stamp {
    /// As iptables reads and prints it: `2026-11-22T14:02:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&date::text(self.0))
    }
}

impl FromStr for Stamp {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let seconds = date::parse(text).ok_or(())?;
        Self::at_or_after(Duration::from_secs(seconds.into())).ok_or(())
    }
}

/// What the entry chain of a hook does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Empty,
    /// It goes to a slot.
    Plain(Slot),
    /// It goes to one slot before a time, and to another from then on; none is the same as empty.
    /// The kernel changes over by itself.
    Timed {
        /// The first second in which `after` holds.
        from: Stamp,
        /// What holds before.
        trial: Option<Slot>,
        /// What holds from then on.
        after: Option<Slot>,
    },
    /// Something fwtui did not write.
    Other {
        /// The first slot it goes to, whatever else it does.
        selected: Option<Slot>,
    },
}

impl Entry {
    /// What it is to be, for what is wanted and what is to follow.
    pub(super) fn wanted(hook: Hook, want: &Own, timer: Option<&Timer<'_>>) -> Self {
        let trial = want.selects(hook);
        // Only what was in force: a jump that somebody had cut must not bring it back.
        let after = |own: &Own| own.slot.filter(|_| own.jumps.contains(&hook));
        match timer.map(|timer| (timer.from, after(timer.after))) {
            Some((from, after)) if trial != after => Self::Timed { from, trial, after },
            _ => trial.map_or(Self::Empty, Self::Plain),
        }
    }

    /// The slot it goes to at a time since 1970, whatever else it does.
    pub fn selected(self, now: Duration) -> Option<Slot> {
        match self {
            Self::Empty => None,
            Self::Plain(slot) => Some(slot),
            Self::Timed { from, trial, .. } if now < from.since_1970() => trial,
            Self::Timed { after, .. } => after,
            Self::Other { selected } => selected,
        }
    }

    /// Its rules, without `-A CHAIN`.
    ///
    /// What follows the trial has no time of its own: there is no second in which neither or both
    /// would hold, whatever the clock does between two rules.
    pub(super) fn rules(self, hook: Hook) -> Vec<String> {
        let goto = |slot: Slot| format!("-g {}", slot.main(hook));
        match self {
            Self::Empty | Self::Other { .. } => Vec::new(),
            Self::Plain(slot) => vec![goto(slot)],
            Self::Timed { from, trial, after } => {
                let target = trial.map_or_else(|| "-j RETURN".to_owned(), goto);
                // The match includes its last second.
                let timed = format!("-m time --datestop {} {target}", from.before());
                [timed].into_iter().chain(after.map(goto)).collect()
            }
        }
    }

    /// Reads the rules of an entry chain back.
    pub(super) fn parse(hook: Hook, rules: &[&[String]]) -> Self {
        let goto = |words: &[&str]| match words {
            ["-g", chain] => Slot::ALL.into_iter().find(|slot| slot.main(hook) == *chain),
            _ => None,
        };
        let rules: Vec<Vec<&str>> = rules
            .iter()
            .map(|words| words.iter().map(String::as_str).collect())
            .collect();
        let rules: Vec<&[&str]> = rules.iter().map(Vec::as_slice).collect();
        let other = Self::Other {
            selected: rules.iter().find_map(|words| goto(words)),
        };
        let timed = |words: &[&str]| match words {
            ["-m", "time", "--datestop", last, target @ ..] => {
                let from = last.parse().ok().and_then(Stamp::after)?;
                match target {
                    ["-j", "RETURN"] => Some((from, None)),
                    target => goto(target).map(|slot| (from, Some(slot))),
                }
            }
            _ => None,
        };
        match rules.as_slice() {
            [] => Self::Empty,
            [rule] if goto(rule).is_some() => goto(rule).map_or(other, Self::Plain),
            [first, rest @ ..] => match (timed(first), rest) {
                (Some((from, trial)), []) => Self::Timed {
                    from,
                    trial,
                    after: None,
                },
                (Some((from, trial)), [after]) if goto(after).is_some() => Self::Timed {
                    from,
                    trial,
                    after: goto(after),
                },
                _ => other,
            },
        }
    }
}

/// The kernel's own timer on a trial: what holds from a time on, whoever is alive by then.
#[derive(Debug, Clone, Copy)]
pub struct Timer<'a> {
    /// The first second in which it holds.
    pub from: Stamp,
    /// What holds then; its chains are in the kernel already.
    pub after: &'a Own,
}

impl Own {
    /// The slot a hook's entry chain is to go to.
    fn selects(&self, hook: Hook) -> Option<Slot> {
        self.slot
            .filter(|_| self.jumps.contains(&hook) || self.rules.hooks().contains(&hook))
    }

    /// The hooks whose jump is to be there, with a timer or without.
    pub fn wanted_jumps(&self, timer: Option<&Timer<'_>>) -> BTreeSet<Hook> {
        let after = timer.map(|timer| timer.after.jumps.clone()).unwrap_or_default();
        self.jumps.union(&after).copied().collect()
    }

    /// What each hook's entry chain is to do, with a timer or without; empty ones are left out.
    pub fn wanted_entries(&self, timer: Option<&Timer<'_>>) -> BTreeMap<Hook, Entry> {
        Hook::ALL
            .into_iter()
            .map(|hook| (hook, Entry::wanted(hook, self, timer)))
            .filter(|(_, entry)| *entry != Entry::Empty)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(seconds: u64) -> Stamp {
        Stamp::at_or_after(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn stamps_are_whole_seconds_never_too_early() {
        assert_eq!(Stamp::at_or_after(Duration::from_millis(1_000_001)), Some(stamp(1001)));
        assert_eq!(Stamp::at_or_after(Duration::from_secs(1000)), Some(stamp(1000)));
        assert_eq!(stamp(1_795_372_799).to_string(), "2026-11-22T18:39:59");
        assert_eq!("2026-11-22T18:39:59".parse(), Ok(stamp(1_795_372_799)));
        assert_eq!("2038-01-19T03:14:07".parse(), Ok(Stamp::LAST));
        assert_eq!(Stamp::at_or_after(Duration::from_secs(1 << 31)), None);
        assert_eq!("2038-01-19T03:14:08".parse::<Stamp>(), Err(()));
        assert_eq!("yesterday".parse::<Stamp>(), Err(()));
    }

    #[test]
    fn every_entry_reads_back_as_written() {
        let slots = [None, Some(Slot::A), Some(Slot::B)];
        let mut entries = vec![Entry::Empty, Entry::Plain(Slot::A), Entry::Plain(Slot::B)];
        for (trial, after) in slots.into_iter().flat_map(|one| slots.map(|other| (one, other))) {
            if trial != after {
                entries.push(Entry::Timed {
                    from: stamp(1_795_372_800),
                    trial,
                    after,
                });
            }
        }
        for entry in entries {
            for hook in Hook::ALL {
                let rules: Vec<Vec<String>> = entry
                    .rules(hook)
                    .iter()
                    .map(|rule| rule.split(' ').map(str::to_owned).collect())
                    .collect();
                let rules: Vec<&[String]> = rules.iter().map(Vec::as_slice).collect();
                assert_eq!(Entry::parse(hook, &rules), entry);
            }
        }
    }

    #[test]
    fn at_every_second_exactly_one_of_the_two_holds() {
        let entry = Entry::Timed {
            from: stamp(1000),
            trial: Some(Slot::B),
            after: Some(Slot::A),
        };
        assert_eq!(entry.selected(Duration::from_millis(999_999)), Some(Slot::B));
        assert_eq!(entry.selected(Duration::from_secs(1000)), Some(Slot::A));
        assert!(entry.rules(Hook::Input)[0].contains("--datestop 1970-01-01T00:16:39 "));
    }

    #[test]
    fn what_somebody_else_put_beside_is_seen() {
        let rules = ["-p tcp -j ACCEPT", "-g FWTUI-A-INPUT"].map(|rule| {
            let words: Vec<String> = rule.split(' ').map(str::to_owned).collect();
            words
        });
        let entry = Entry::parse(Hook::Input, &[&rules[0], &rules[1]]);
        assert_eq!(
            entry,
            Entry::Other {
                selected: Some(Slot::A)
            }
        );
    }
}
