//! What was seen of the machine at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::app::Protection;
use crate::core::catalogue::Catalogue;
use crate::core::connections::Running;
use crate::core::counters::Counters;
use crate::core::listened::Listened;
use crate::core::netfilter::Netfilter;
use crate::core::network::{Interface, World};
use crate::core::overview::Scene;
use crate::core::policy::{Block, Change, Policy, changes};
use crate::core::proof::Evidence;
use crate::core::reach::Filter;
use crate::core::ruleset::{Ruleset, Telling, compile_by};
use crate::core::service::{Ports, Service};
use crate::core::tools::Presence;
use crate::core::unit::Unit;
use crate::core::way_in::WayIn;
use crate::sys::clock;

/// Everything the screens and `list` show, as one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// The machine's name.
    pub host: String,
    /// Whether this process may see and change the rules.
    pub is_root: bool,
    /// What listens.
    pub services: Vec<Arc<Service>>,
    /// The ports the kernel gives to sockets that ask for none; none where that was not asked for.
    pub ephemeral: Option<Ports>,
    /// Whether the owners have been looked up; at first paint they have not.
    pub has_owners: bool,
    /// Whether the look was stopped before the rules were read: they are not known.
    pub is_stopped: bool,
    /// The interfaces.
    pub interfaces: Vec<Interface>,
    /// The wanted policy; the default one where there is none, and what was confirmed last where it can't be read.
    pub policy: Policy,
    /// Why the wanted policy can't be read, with the line; it must be mended before it is changed.
    pub policy_error: Option<String>,
    /// What of fwtui is in the kernel; none where it can't be read.
    pub filter: Option<Filter>,
    /// How the rules that a policy compiles to here tell what was sent to this machine.
    pub telling: Telling,
    /// The rules of every tool; none where they can't be read, or were not asked for.
    pub netfilter: Option<Arc<Netfilter>>,
    /// What decides over packets besides rules.
    pub world: World,
    /// The policy last confirmed.
    pub confirmed: Option<Policy>,
    /// What listened when it was confirmed; none where that is not known.
    pub listened: Option<Arc<Listened>>,
    /// The ways in the user's session depends on.
    pub ways_in: Vec<WayIn>,
    /// The TCP connections from other machines.
    pub running: Vec<Running>,
    /// The datagram flows, where the kernel does not track connections yet.
    pub untracked: Vec<Running>,
    /// The units that the policies speak of, and what depends on them.
    pub units: BTreeMap<String, Unit>,
    /// Off, confirmed, on trial, drifted.
    pub status: Status,
    /// What the running trial tries; none while none runs.
    pub on_trial: Option<OnTrial>,
    /// What can't be seen, why, and how to see it: one sentence each.
    pub unseen: Vec<String>,
    /// What is known of services; empty unless a plan was looked for.
    pub catalogue: Arc<Catalogue>,
}

impl Observation {
    /// The rules a policy compiles to on this machine, without the blocks that are over.
    pub fn compile(&self, policy: &Policy) -> Ruleset {
        compile_by(self.telling, &policy.current(self.world.now), &self.interfaces)
    }

    /// What who can connect is worked out from, without the rest.
    #[must_use]
    pub fn for_reach(&self) -> Self {
        Self {
            services: self.services.clone(),
            interfaces: self.interfaces.clone(),
            filter: self.filter.clone(),
            telling: self.telling,
            netfilter: self.netfilter.clone(),
            world: self.world.clone(),
            ..Self::default()
        }
    }

    /// What the rows are made from.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            services: &self.services,
            interfaces: &self.interfaces,
            filter: self.filter.as_ref(),
            netfilter: self.netfilter.as_deref(),
            world: &self.world,
            confirmed: self.confirmed.as_ref(),
            listened: self.listened.as_deref(),
            counters: self.status.counters.as_deref(),
        }
    }
}

/// Where fwtui stands on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No rules of fwtui.
    Off,
    /// The confirmed rules are in the kernel.
    Confirmed,
    /// A trial is running.
    Trial,
    /// The kernel no longer holds what was confirmed.
    Drifted,
    /// Can't be seen without root.
    #[default]
    Unknown,
}

impl State {
    /// The word on the screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Confirmed => "confirmed",
            Self::Trial => "trial",
            Self::Drifted => "drifted",
            Self::Unknown => "unknown",
        }
    }
}

/// What a trial tries, and what is put back without a confirmation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnTrial {
    /// The policy that was confirmed before; none where no rules were.
    pub before: Option<Policy>,
    /// The policy on trial; none where it takes all rules out.
    pub after: Option<Policy>,
}

impl OnTrial {
    /// Whether it takes all rules out.
    pub const fn is_off(&self) -> bool {
        self.after.is_none()
    }

    /// What differs.
    pub fn changes(&self) -> Vec<Change> {
        changes(self.before.as_ref(), self.after.as_ref())
    }

    /// What is wanted by now, since 1970, and is not on trial, in a sentence; none where that is the same, and
    /// where the trial is of taking everything out.
    pub fn decided_since(&self, wanted: &Policy, now: Duration) -> Option<String> {
        let (tried, wanted) = (self.after.as_ref()?.current(now), wanted.current(now));
        (!tried.wants_the_same_as(&wanted)).then(|| {
            let what = tried.change_to(&wanted);
            format!("Decided since it began, and not on trial: {what}. That waits for an apply of its own.")
        })
    }
}

/// When and by whom a trial was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// When its rules came into force, since boot.
    pub at: Duration,
    /// Who applied it, in words; empty where that is not known.
    pub by: String,
}

impl Beginning {
    /// `40 s ago by anna, process 4711`.
    pub fn words(&self, now: Duration) -> String {
        let ago = now.saturating_sub(self.at).as_secs();
        let by = if self.by.is_empty() { "" } else { " by " };
        format!("{ago} s ago{by}{}", self.by)
    }
}

/// The running trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialView {
    /// Its id; also the token a confirmation carries.
    pub id: String,
    /// When and by whom it was begun.
    pub beginning: Box<Beginning>,
    /// When it is undone, since boot (`CLOCK_BOOTTIME`).
    pub deadline: Duration,
    /// How long it was to last.
    pub timeout: Duration,
    /// New connections of the user's that were accepted since.
    pub evidence: Vec<Evidence>,
    /// What to type elsewhere to keep it and prove that a new connection gets in; none where the user
    /// is at the machine itself.
    pub second_session: Option<Box<str>>,
    /// Which services the kernel's timer can't start or stop again, in one sentence; none where it has
    /// none to.
    pub kernel_note: Option<Box<str>>,
}

/// A guard that reverts against resistance, or has services started, is silent for so long.
const PATIENCE: Duration = Duration::from_secs(60);

impl TrialView {
    /// Whether, at a time since boot, a guard that does not answer may still be at it.
    pub fn is_awaited(&self, now: Duration) -> bool {
        now.saturating_sub(self.deadline) <= PATIENCE
    }

    /// What is left at a time since boot, in whole seconds, rounded up: 0 means over.
    pub fn seconds_left(&self, now: Duration) -> u64 {
        let left = self.deadline.saturating_sub(now);
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }

    /// For whoever leaves while it runs: that it goes on, for how long, and what ends it.
    pub fn goes_on(&self, now: Duration) -> String {
        let confirm = self.second_session.as_deref().unwrap_or("sudo fwtui confirm");
        format!(
            "The trial goes on: its guard holds it, and the old rules come back in {} s unless the new ones are kept.\n  \
             keep the new rules:          {confirm}\n  \
             put the old ones back now:   sudo fwtui revert",
            self.seconds_left(now)
        )
    }
}

/// For whoever leaves while rules are being put on trial, too late to stop that.
pub const TRIAL_BEGINS: &str =
    "The new rules are being put on trial: a guard does that, and puts the old ones back unless the new ones are kept.
  how it stands:               sudo fwtui status
  keep the new rules:          sudo fwtui confirm
  put the old ones back now:   sudo fwtui revert";

/// How the last trial ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Last {
    /// The trial's id.
    pub id: String,
    /// `confirmed`, `reverted` or `revert-failed`.
    pub outcome: String,
    /// Why it was reverted: `deadline`, `asked`, `guard-died`, `apply-failed`, `reboot` or `signal`.
    pub reason: Option<String>,
    /// The same in words, and what went wrong.
    pub why: Option<String>,
    /// When it began, RFC 3339 in UTC.
    pub began: String,
    /// When it ended, RFC 3339 in UTC.
    pub at: String,
}

impl Last {
    /// `the trial of 14:01 UTC was reverted at 14:02 UTC`, with the day where that is not today.
    pub fn sentence(&self) -> String {
        self.sentence_as_of(day(&clock::rfc3339(clock::now())))
    }

    /// The same as said on a day (`2026-11-21`); on none in particular, with its own day.
    pub fn sentence_as_of(&self, today: &str) -> String {
        let outcome = match self.outcome.as_str() {
            "revert-failed" => "could not be reverted whole",
            "confirmed" => "was confirmed",
            _ => "was reverted",
        };
        let is_one_day = day(&self.began) == day(&self.at);
        let began = match minute(&self.began) {
            Some(time) if is_one_day => format!("{time} UTC"),
            Some(time) => format!("{} {time} UTC", day(&self.began)),
            None => self.began.clone(),
        };
        let at = match minute(&self.at) {
            Some(time) if is_one_day && day(&self.at) == today => format!("at {time} UTC"),
            Some(time) => format!("on {} at {time} UTC", day(&self.at)),
            None => format!("at {}", self.at),
        };
        let why = self.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("the trial of {began} {outcome} {at}{why}")
    }
}

/// The day of an RFC 3339 time.
fn day(time: &str) -> &str {
    time.split_once('T').map_or(time, |(day, _)| day)
}

/// The hour and minute of an RFC 3339 time.
fn minute(time: &str) -> Option<&str> {
    time.split_once('T')?.1.get(..5)
}

/// Where fwtui stands, with what it takes to show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Off, confirmed, on trial, drifted.
    pub state: State,
    /// Why it counts as drifted.
    pub drift: Option<String>,
    /// Whether a guard did not answer: how its trial stands is not known.
    pub is_guard_silent: bool,
    /// `iptables-nft` or `iptables-legacy`.
    pub backend: Option<String>,
    /// What else is in use beside it.
    pub other_backend: Option<String>,
    /// The running trial.
    pub trial: Option<TrialView>,
    /// How the last trial ended.
    pub last: Option<Last>,
    /// The id of the trial whose end a user was told of last.
    pub told: Option<String>,
    /// The lines of defence that a trial has, or would have; empty where that can't be seen.
    pub protection: Vec<Protection>,
    /// Whether rules are confirmed, which `restore` would load.
    pub can_restore: bool,
    /// Whether the wanted policy differs from the confirmed one; none where that can't be seen.
    pub has_pending: Option<bool>,
    /// The blocks of the wanted policy that are not over.
    pub blocks: Vec<Block>,
    /// Who else decides over connections, now or after the next boot.
    pub tools: Vec<Presence>,
    /// What fwtui's rules have counted; none where that can't be read.
    pub counters: Option<Arc<Counters>>,
    /// Which of those undo one another, and what to do: one sentence each, without a full stop.
    pub conflicts: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_told_where_they_differ() {
        let said = |began: &str, at: &str, today: &str| {
            let last = Last {
                id: "1".into(),
                outcome: "confirmed".into(),
                reason: None,
                why: None,
                began: began.into(),
                at: at.into(),
            };
            last.sentence_as_of(today)
        };
        let (eve, morning) = ("2026-11-21T23:59:00Z", "2026-11-22T00:01:07Z");
        for (began, at, today, words) in [
            (eve, eve, "2026-11-21", "of 23:59 UTC was confirmed at 23:59 UTC"),
            (
                eve,
                eve,
                "2026-11-22",
                "of 23:59 UTC was confirmed on 2026-11-21 at 23:59 UTC",
            ),
            (
                eve,
                morning,
                "2026-11-22",
                "of 2026-11-21 23:59 UTC was confirmed on 2026-11-22 at 00:01 UTC",
            ),
            ("soon", "later", "", "of soon was confirmed at later"),
        ] {
            assert_eq!(said(began, at, today), format!("the trial {words}"));
        }
    }
}
