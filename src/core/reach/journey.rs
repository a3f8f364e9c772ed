//! A packet's way while it is walked.

use crate::core::netfilter::{Hook, SetMark};

use super::fate::{Decider, Event, Fate, Place, Tracking, Walk};
use super::rules;
use super::traveller::Traveller;

/// Where on its way a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Hook(Hook),
    /// The routing decision.
    Routing,
    Arrived,
}

/// A rule that is met, and where to go on when it does not end the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) chain: usize,
    pub(super) next: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Journey<'n> {
    pub(super) packet: Traveller<'n>,
    pub(super) stage: Stage,
    /// Which of the hook's base chains comes next.
    pub(super) next_base: usize,
    /// Where among the hook's base chains those begin whose order was chosen last, and whether it is
    /// backwards.
    pub(super) order: Option<(usize, bool)>,
    /// The base chain it is in, outermost first.
    pub(super) frames: Vec<Frame>,
    /// What counts as met of a rule.
    pub(super) assumed: Option<Assumed>,
    /// Who last let it in.
    pub(super) let_in: Option<(Consent, Decider<'n>)>,
    pub(super) is_local: bool,
    /// The rule of fwtui's that sent it to where packets are refused: the one that stands for a decision.
    pub(super) sent_by: Option<Place<'n>>,
    pub(super) events: Option<Vec<Event<'n>>>,
    /// The packet as it came to the base chain it is in, where another has the same priority.
    pub(super) at_base: Option<Box<Traveller<'n>>>,
}

/// What of a rule, by its chain's index and its own, is taken for granted on one of two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assumed {
    pub(super) chain: usize,
    pub(super) rule: usize,
    /// Where in the rule it goes on: what stands before is met, and done already.
    pub(super) step: usize,
}

/// How firmly something let a packet in; what is firmer is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Consent {
    /// A policy.
    Policy,
    /// A rule of fwtui's, which only steps aside.
    Returned,
    /// A rule that accepts.
    Accepted,
}

/// What is left of the effort one walk may take.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) forks: u32,
    pub(super) rules: u32,
}

/// What a rule did.
#[derive(Debug)]
pub(super) enum Done<'n> {
    /// On with the next.
    On,
    /// The way ended.
    Ended(Fate, Decider<'n>),
    /// One of several, because this is not understood; each to be walked to its end.
    Either(Place<'n>, Vec<Branch<'n>>),
}

#[derive(Debug)]
pub(super) enum Branch<'n> {
    /// The way goes on like this.
    Goes(Box<Journey<'n>>),
    /// It ends.
    Ends(Fate),
}

impl<'n> Journey<'n> {
    /// The hook it is at.
    pub(super) const fn hook(&self) -> Hook {
        match self.stage {
            Stage::Hook(hook) => hook,
            Stage::Routing | Stage::Arrived => Hook::Prerouting,
        }
    }

    pub(super) fn end(self, fate: Fate, decided_by: Decider<'n>) -> Walk<'n> {
        Walk {
            hook: self.hook(),
            fate,
            decided_by,
            ends: self.packet.ends,
            tracking: match (self.packet.is_untracked, self.packet.is_seen) {
                (true, _) => Tracking::Kept,
                (false, false) => Tracking::NotYet,
                (false, true) => Tracking::Looked,
            },
            is_local: self.is_local,
            events: self.events.unwrap_or_default(),
        }
    }

    /// Something happened; the words are made only where somebody listens.
    pub(super) fn tell(&mut self, place: Option<Place<'n>>, effect: impl FnOnce() -> String) {
        let hook = self.hook();
        if let Some(events) = &mut self.events {
            events.push(Event {
                hook,
                place,
                effect: effect(),
            });
        }
    }

    /// Something on the way to its end lets it in.
    pub(super) fn consent(&mut self, consent: Consent, by: Decider<'n>) {
        let counts = matches!(self.hook(), Hook::Input | Hook::Forward | Hook::Output);
        if counts && self.let_in.is_none_or(|(before, _)| before <= consent) {
            self.let_in = Some((consent, by));
        }
    }

    pub(super) fn mark(&mut self, mark: &SetMark) {
        // Without a connection there is none to mark, and no mark to take from it.
        if (mark.of_connection || mark.from_connection) && !self.packet.is_tracked() {
            return;
        }
        let old = if mark.from_connection {
            self.packet.connection_mark
        } else {
            self.packet.mark
        };
        let new = old
            .or_else(|| (mark.clear == u32::MAX).then_some(0))
            .filter(|_| !mark.is_unknown)
            .map(|old| (old & !mark.clear) ^ mark.flip);
        if mark.of_connection {
            self.packet.connection_mark = new;
        } else {
            self.packet.mark = new;
        }
    }
}

/// The rule that is met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'r, 'n> {
    pub(super) chain: &'r rules::Chain<'n>,
    /// The chain's index.
    pub(super) at: usize,
    /// The rule's index in it.
    pub(super) rule: usize,
    /// Which of its statements is next.
    pub(super) step: usize,
}

impl<'n> Here<'_, 'n> {
    /// Where in the rule the way goes on, where it was left to be walked in two ways.
    pub(super) fn resumed(self, journey: &mut Journey<'n>) -> usize {
        let is_here = |assumed: &Assumed| (assumed.chain, assumed.rule) == (self.at, self.rule);
        let step = journey.assumed.filter(is_here).map_or(0, |assumed| assumed.step);
        journey.assumed = None;
        step
    }

    pub(super) fn place(self) -> Place<'n> {
        Place {
            table: self.chain.table,
            chain: self.chain.chain,
            rule: self.chain.rule(self.rule),
        }
    }
}

/// A rule of which it is not known whether it matches: as if it did, and on with the next.
pub(super) fn fork<'n>(journey: &Journey<'n>, here: Here<'_, 'n>) -> Done<'n> {
    let ways = [journey.clone(), resuming(journey, here, here.step)];
    Done::Either(here.place(), ways.map(|way| Branch::Goes(Box::new(way))).into())
}

fn resuming<'n>(journey: &Journey<'n>, here: Here<'_, 'n>, step: usize) -> Journey<'n> {
    let mut met = journey.clone();
    met.assumed = Some(Assumed {
        chain: here.at,
        rule: here.rule,
        step,
    });
    if let Some(frame) = met.frames.last_mut() {
        frame.next = here.rule;
    }
    met
}

/// A statement that is not understood may do anything a rule of its chain can do.
pub(super) fn anything<'n>(journey: &Journey<'n>, here: Here<'_, 'n>) -> Done<'n> {
    let place = here.place();
    if place.table_translates() {
        return Done::Ended(Fate::Unknown { may_arrive: true }, Decider::Rule(place));
    }
    // It may set marks as well.
    let marked = |mut way: Journey<'n>| {
        (way.packet.mark, way.packet.connection_mark) = (None, None);
        way
    };
    let mut accepted = journey.clone();
    accepted.frames.clear();
    let ways = [
        journey.clone(),
        marked(resuming(journey, here, here.step + 1)),
        marked(accepted),
    ];
    let mut branches: Vec<Branch<'n>> = ways.map(|way| Branch::Goes(Box::new(way))).into();
    branches.push(Branch::Ends(Fate::Dropped));
    Done::Either(place, branches)
}
