//! Base chains of one priority: which of them comes first can't be told beforehand.
//!
//! Mostly that makes no difference. It does where one changes what another asks for: then both orders
//! are walked.

use std::ops::{BitOr, Range};

use super::fate::Fate;
use super::journey::{Branch, Budget, Done, Journey};
use super::rules::{Rules, Step};
use super::traveller::Traveller;
use super::walk::{MOST_RULES, policy_of};
use crate::core::listener::Family;
use crate::core::netfilter::{Condition, Field, Hook};

impl<'n> Rules<'n> {
    /// Whether one of these base chains changes what another asks for, or changes as well.
    pub(super) fn are_felt(&self, bases: &[usize]) -> bool {
        let traits = bases.iter().map(|base| {
            let table_at = self.chains.get(*base).map(|chain| chain.table_at);
            // Those it may go on to are in its table.
            let within =
                self.chains.iter().enumerate().filter(|(at, chain)| {
                    at == base || (chain.chain.base.is_none() && Some(chain.table_at) == table_at)
                });
            within
                .flat_map(|(_, chain)| &chain.steps)
                .fold(Touch::default(), |touch, step| touch | Touch::of(step))
        });
        let traits: Vec<Touch> = traits.collect();
        traits.iter().enumerate().any(|(at, one)| {
            let mut others = traits.iter().enumerate().filter(|(other, _)| *other != at);
            others.any(|(_, other)| one.changes & (other.asks | other.changes) != 0)
        })
    }

    /// The group of chains around a place among a hook's base chains where it matters which comes first.
    pub(super) fn contested(&self, hook: Hook, family: Family, place: usize) -> Option<&Range<usize>> {
        let groups = self.contested.get(hook as usize)?.get(family as usize)?;
        groups.iter().find(|group| group.contains(&place))
    }

    /// Whether which of two base chains comes first can't be told.
    pub(super) fn are_equal(&self, one: usize, other: usize) -> bool {
        match (self.priority(one), self.priority(other)) {
            ((.., Some(_)), (.., Some(_))) => self.priority(one) == self.priority(other),
            ((one_bridge, one, _), (other_bridge, other, _)) => (one_bridge, one) == (other_bridge, other),
        }
    }

    /// The base chain at a place of its hook.
    pub(super) fn base(&self, journey: &Journey<'n>, place: usize) -> Option<usize> {
        let (hook, family) = (journey.hook(), journey.packet.family);
        let place = match (self.contested(hook, family, place), journey.order) {
            (Some(group), Some((start, true))) if group.start == start => group.start + (group.end - 1 - place),
            _ => place,
        };
        self.bases(hook, family).get(place).copied()
    }

    /// At the first of several chains of one priority that are felt by one another: the ways are two.
    pub(super) fn either_order(&self, hook: Hook, journey: &Journey<'n>) -> Option<Done<'n>> {
        let group = self.contested(hook, journey.packet.family, journey.next_base)?;
        let is_chosen = journey.order.is_some_and(|(start, _)| start == group.start);
        let first = self.chain(self.base(journey, group.start)?)?;
        (!is_chosen && group.start == journey.next_base).then(|| {
            let ways = [false, true].map(|is_backwards| {
                let order = Some((group.start, is_backwards));
                Branch::Goes(Box::new(Journey {
                    order,
                    ..journey.clone()
                }))
            });
            Done::Either(policy_of(first), ways.into())
        })
    }

    /// Where another base chain has the same priority, and would end the way otherwise, which of them
    /// comes first can't be told: the kernel goes by the order in which they were hooked in.
    pub(super) fn beside_equals(&self, journey: &Journey<'n>, fate: Fate, budget: &mut Budget) -> Fate {
        let Some(packet) = &journey.at_base else {
            return fate;
        };
        for place in self.equals(journey) {
            let mut other = self.beside(journey, packet, place);
            while !other.frames.is_empty() {
                match self.meet(&mut other, budget) {
                    Done::On => {}
                    Done::Ended(otherwise, _) if otherwise == fate => break,
                    Done::Ended(otherwise, _) => {
                        let may_arrive = fate.may_arrive() || otherwise.may_arrive();
                        return Fate::Unknown { may_arrive };
                    }
                    // It may end the way there, and otherwise; where it does not, it ends here.
                    Done::Either(..) => {
                        return Fate::Unknown {
                            may_arrive: fate.may_arrive(),
                        };
                    }
                }
            }
        }
        fate
    }

    /// Which of the hook's base chains that come later have the priority of the one it is in.
    fn equals<'a>(&'a self, journey: &'a Journey<'n>) -> impl Iterator<Item = usize> + 'a {
        let places = 0..self.bases(journey.hook(), journey.packet.family).len();
        let own = journey.next_base.checked_sub(1).and_then(|at| self.base(journey, at));
        let is_equal = move |at: usize| own.is_some_and(|own| self.are_equal(own, at));
        let later = places.skip(journey.next_base);
        later.filter(move |place| self.base(journey, *place).is_some_and(is_equal))
    }

    /// The packet as it came to the base chain it is in, at another one.
    fn beside(&self, journey: &Journey<'n>, packet: &Traveller<'n>, place: usize) -> Journey<'n> {
        let mut other = Journey {
            packet: Traveller::clone(packet),
            next_base: place,
            frames: Vec::new(),
            events: None,
            at_base: None,
            ..journey.clone()
        };
        self.enter(&mut other);
        other
    }

    /// Whether another nat chain of the same priority would rewrite the packet otherwise: the first of
    /// them decides, and which is first can't be told.
    pub(super) fn is_rewritten_beside(&self, journey: &Journey<'n>) -> bool {
        let Some(packet) = &journey.at_base else {
            return false;
        };
        let mut budget = Budget {
            forks: 0,
            rules: MOST_RULES,
        };
        let is_nat = |place: &usize| {
            self.base(journey, *place)
                .is_some_and(|at| self.priority(at).2.is_some())
        };
        for place in self.equals(journey).filter(is_nat) {
            let mut other = self.beside(journey, packet, place);
            while !other.frames.is_empty() {
                match self.meet(&mut other, &mut budget) {
                    Done::On => {}
                    Done::Ended(..) | Done::Either(..) => return true,
                }
            }
            let is_settled = other.packet.is_destination_settled || other.packet.is_source_settled;
            let differs = other.packet.ends != journey.packet.ends
                || other.packet.is_source_unknown != journey.packet.is_source_unknown;
            if is_settled && differs {
                return true;
            }
        }
        false
    }
}

/// What beside addresses and ports chains have to do with: bits of marks, of conntrack, of labels.
#[derive(Debug, Clone, Copy, Default)]
struct Touch {
    asks: u8,
    changes: u8,
}

impl Touch {
    const MARKS: u8 = 1;
    const TRACKING: u8 = 2;
    const LABELS: u8 = 4;

    fn of(step: &Step<'_>) -> Self {
        let asked = |fields: &[Field]| fields.iter().fold(0, |all, field| all | Self::asked(field));
        let (asks, changes) = match step {
            Step::If(Condition::Is { field, .. }) => (Self::asked(field), 0),
            Step::In(key, ..) | Step::Choose(key, _) => (asked(key), 0),
            Step::Mark(mark) if mark.of_connection || mark.from_connection => (Self::TRACKING, Self::MARKS),
            Step::Mark(_) => (0, Self::MARKS),
            Step::SetLabel(_) => (Self::TRACKING, Self::LABELS),
            Step::NoTrack => (0, Self::TRACKING),
            Step::If(_) | Step::End(_) | Step::Nat(..) | Step::Unknown => (0, 0),
        };
        Self { asks, changes }
    }

    const fn asked(field: &Field) -> u8 {
        match field {
            Field::Mark => Self::MARKS,
            Field::ConnectionMark => Self::MARKS | Self::TRACKING,
            Field::Labels => Self::LABELS | Self::TRACKING,
            Field::State
            | Field::Status
            | Field::Direction
            | Field::ConnectionProtocol
            | Field::ConnectionAddress(..)
            | Field::ConnectionPort(..) => Self::TRACKING,
            _ => 0,
        }
    }
}

impl BitOr for Touch {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            asks: self.asks | other.asks,
            changes: self.changes | other.changes,
        }
    }
}
