//! A packet's way through every rule there is, as netfilter would take it.
//!
//! ```text
//! from outside       ingress, prerouting, the routing decision, then input, or forward and postrouting
//! from this machine  output, postrouting, and over the loopback interface prerouting and input
//! ```
//!
//! Of each hook every base chain is passed, the lowest priority first. One that accepts has spoken for
//! itself only; one that drops ends the way. Nat chains see the first packet of a connection, and the
//! first of them that rewrites decides.
//!
//! Where a rule is not understood, both ways are walked: as if it matched, and as if it did not. If they
//! end alike, that is the answer; if not, it is unknown, because of this rule.

use crate::core::netfilter::{ChainType, Hook, TableFamily};

use super::fate::{Decider, Fate, Kernel, Place, Walk};
use super::journey::{Branch, Budget, Consent, Done, Frame, Here, Journey, Stage};
use super::packet::{Packet, State};
use super::rules::{self, Rules};
use super::traveller::{CONNTRACK, Leaves, Traveller};

/// So many unknown rules are walked both ways; with more of them the answer is unknown.
const MOST_FORKS: u32 = 64;
/// So many rules are met at most: a loop of jumps can't be loaded, but a file may hold anything.
pub(super) const MOST_RULES: u32 = 1_000_000;

impl<'n> Rules<'n> {
    /// How a packet fares. With `is_told` the walk says what happened on the way.
    pub fn walk(&self, packet: &Packet<'n>, is_told: bool) -> Walk<'n> {
        let is_own = packet.is_sent || packet.interface == "lo";
        let mut journey = Journey {
            packet: Traveller::new(packet),
            stage: Stage::Hook(if is_own { Hook::Output } else { Hook::Ingress }),
            next_base: 0,
            order: None,
            frames: Vec::with_capacity(8),
            assumed: None,
            let_in: None,
            is_local: !packet.is_sent || packet.interface == "lo",
            sent_by: None,
            events: is_told.then(Vec::new),
            at_base: None,
        };
        if is_own {
            journey.packet.interface = "";
            journey.packet.leaves = Leaves::By(packet.interface);
        } else if let Some(walk) = Self::refused_at_once(&journey) {
            return walk;
        }
        let mut budget = Budget {
            forks: MOST_FORKS,
            rules: MOST_RULES,
        };
        self.run(journey, &mut budget)
    }

    fn run(&self, mut journey: Journey<'n>, budget: &mut Budget) -> Walk<'n> {
        loop {
            let done = match journey.frames.is_empty() {
                true if journey.stage == Stage::Arrived => {
                    let by = journey.let_in.map_or(Decider::Kernel(Kernel::NoRule), |(_, by)| by);
                    return journey.end(Fate::Accepted, by);
                }
                true => self.enter(&mut journey),
                false => self.meet(&mut journey, budget),
            };
            match done {
                Done::On => {}
                Done::Ended(fate, by) => {
                    let fate = self.beside_equals(&journey, fate, budget);
                    return journey.end(fate, by);
                }
                Done::Either(because, branches) => return self.either(journey, because, branches, budget),
            }
        }
    }

    /// The next base chain, or the next stage.
    pub(super) fn enter(&self, journey: &mut Journey<'n>) -> Done<'n> {
        let hook = match journey.stage {
            Stage::Hook(hook) => hook,
            Stage::Routing => return self.route(journey),
            Stage::Arrived => return Done::On,
        };
        while let Some(at) = self.base(journey, journey.next_base) {
            if let Some(done) = self.either_order(hook, journey) {
                return done;
            }
            journey.next_base += 1;
            if let Some(chain) = self.chain(at)
                && self.is_passed(chain, hook, journey)
            {
                journey.packet.priority = self.priority(at).1;
                journey.packet.is_seen |= hook != Hook::Ingress && journey.packet.priority >= CONNTRACK;
                let beside = is_of_unknown_device(chain, hook).then(|| journey.clone());
                journey.frames.push(Frame { chain: at, next: 0 });
                journey.at_base = chain.has_equal.then(|| Box::new(journey.packet.clone()));
                let Some(beside) = beside else {
                    return Done::On;
                };
                let ways = [beside, journey.clone()].map(|way| Branch::Goes(Box::new(way)));
                return Done::Either(policy_of(chain), ways.into());
            }
        }
        (journey.next_base, journey.order) = (0, None);
        // Conntrack looks at packets as they come in or are sent, whatever chains there are.
        journey.packet.is_seen |= matches!(hook, Hook::Prerouting | Hook::Output);
        if let Some(done) = self.leaves_from_loopback(hook, journey) {
            return done;
        }
        journey.stage = self.after(hook, journey);
        Done::On
    }

    fn is_passed(&self, chain: &rules::Chain<'n>, hook: Hook, journey: &Journey<'n>) -> bool {
        let packet = &journey.packet;
        let Some(base) = &chain.chain.base else {
            return false;
        };
        if chain.table.family == TableFamily::Bridge {
            let kind = self
                .world
                .interface(packet.interface)
                .and_then(|have| have.driver.as_deref());
            return matches!(hook, Hook::Prerouting | Hook::Input) && kind == Some("bridge");
        }
        if hook == Hook::Ingress
            && !base.devices.is_empty()
            && !base.devices.iter().any(|name| name == packet.interface)
        {
            return false;
        }
        if base.kind != ChainType::Nat {
            return true;
        }
        packet.state == State::New
            && !packet.is_untracked
            && match hook {
                Hook::Prerouting | Hook::Output => !packet.is_destination_settled && !packet.is_looped,
                Hook::Postrouting | Hook::Input => !packet.is_source_settled,
                Hook::Ingress | Hook::Forward => false,
            }
    }

    /// What comes after a hook.
    fn after(&self, hook: Hook, journey: &mut Journey<'n>) -> Stage {
        let packet = &mut journey.packet;
        match hook {
            Hook::Ingress => Stage::Hook(Hook::Prerouting),
            Hook::Prerouting if packet.is_looped => Stage::Hook(Hook::Input),
            Hook::Prerouting => Stage::Routing,
            Hook::Forward => Stage::Hook(Hook::Postrouting),
            Hook::Output => {
                // A rewritten destination is routed again (`nf_nat_ipv4_local_fn`).
                let destination = packet.ends.destination;
                if packet.has_new_destination {
                    journey.is_local = self.world.is_local(destination);
                    packet.leaves = match journey.is_local {
                        true => Leaves::By("lo"),
                        false => self.leaves(destination),
                    };
                }
                Stage::Hook(Hook::Postrouting)
            }
            Hook::Postrouting if packet.leaves == Leaves::By("lo") => {
                packet.interface = "lo";
                packet.leaves = Leaves::Nowhere;
                packet.is_looped = true;
                Stage::Hook(Hook::Prerouting)
            }
            Hook::Input | Hook::Postrouting => Stage::Arrived,
        }
    }

    /// The next rule, or the end of a chain.
    pub(super) fn meet(&self, journey: &mut Journey<'n>, budget: &mut Budget) -> Done<'n> {
        let Some(frame) = journey.frames.last_mut() else {
            return Done::On;
        };
        let Some(chain) = self.chain(frame.chain) else {
            return Done::On;
        };
        let Some(rule) = chain.next(frame.next, &journey.packet) else {
            return self.leave(journey);
        };
        frame.next = rule + 1;
        let here = Here {
            chain,
            at: frame.chain,
            rule,
            step: 0,
        };
        if budget.rules == 0 {
            let by = Decider::Rule(here.place());
            return Done::Ended(Fate::Unknown { may_arrive: true }, by);
        }
        budget.rules -= 1;
        self.apply(journey, here)
    }

    /// The end of the innermost chain.
    pub(super) fn leave(&self, journey: &mut Journey<'n>) -> Done<'n> {
        let Some(left) = journey.frames.pop() else {
            return Done::On;
        };
        match journey.frames.is_empty() {
            // A chain that was entered by goto from a base chain ends with that one's policy.
            true => self.policy(journey, left.chain),
            false => Done::On,
        }
    }

    fn policy(&self, journey: &mut Journey<'n>, inner: usize) -> Done<'n> {
        let base_at = journey
            .next_base
            .checked_sub(1)
            .and_then(|at| self.base(journey, at))
            .unwrap_or(inner);
        let Some(chain) = self.chain(base_at) else {
            return Done::On;
        };
        let place = policy_of(chain);
        if chain.chain.base.as_ref().is_some_and(|base| base.drops) {
            journey.tell(Some(place), || "the policy drops".to_owned());
            return Done::Ended(Fate::Dropped, Decider::Rule(place));
        }
        journey.tell(Some(place), || {
            "no rule ends its way here, and the policy accepts".to_owned()
        });
        journey.consent(Consent::Policy, Decider::Rule(place));
        Done::On
    }

    /// Every way that may be, walked; what they have in common.
    fn either(
        &self,
        journey: Journey<'n>,
        because: Place<'n>,
        branches: Vec<Branch<'n>>,
        budget: &mut Budget,
    ) -> Walk<'n> {
        let told = |mut journey: Journey<'n>, fate| {
            journey.tell(Some(because), || {
                "can't be told beforehand, or is not understood".to_owned()
            });
            journey.end(fate, Decider::Rule(because))
        };
        if budget.forks == 0 {
            return told(journey, Fate::Unknown { may_arrive: true });
        }
        budget.forks -= 1;
        let mut first: Option<Walk<'n>> = None;
        let mut fates = Vec::with_capacity(branches.len());
        for branch in branches {
            match branch {
                Branch::Ends(fate) => fates.push(fate),
                Branch::Goes(way) => {
                    let walk = self.run(*way, budget);
                    fates.push(walk.fate);
                    first = first.or(Some(walk));
                }
            }
        }
        fates.sort_unstable();
        fates.dedup();
        match (fates.as_slice(), first) {
            ([Fate::Accepted | Fate::Refused | Fate::Dropped], Some(walk)) => walk,
            ([fate @ (Fate::Refused | Fate::Dropped | Fate::Accepted)], None) => told(journey, *fate),
            _ => {
                let may_arrive = fates.iter().any(|fate| fate.may_arrive());
                told(journey, Fate::Unknown { may_arrive })
            }
        }
    }
}

pub(super) const fn policy_of<'n>(chain: &rules::Chain<'n>) -> Place<'n> {
    Place {
        table: chain.table,
        chain: chain.chain,
        rule: None,
    }
}

/// Whether the devices of an ingress chain are not known: nft's JSON does not name them before 1.0.7.
fn is_of_unknown_device(chain: &rules::Chain<'_>, hook: Hook) -> bool {
    hook == Hook::Ingress && chain.chain.base.as_ref().is_some_and(|base| base.devices.is_empty())
}
