//! What a rule does to a packet.

use std::net::IpAddr;

use crate::core::listener::Family;
use crate::core::netfilter::{self, Condition, Data, Field, Nat, NatKind, TableFamily, To};

use crate::core::ruleset::PREFIX;

use super::fate::{Decider, Fate};
use super::journey::{Branch, Consent, Done, Frame, Here, Journey, anything, fork};
use super::lookup::{Found, Lookup, is_within};
use super::rules::{self, End, Rules, Step};
use super::traveller::{Traveller, Value};

/// What a statement did to its rule.
enum Acted<'n> {
    /// On with the rule's next statement.
    Next,
    /// The rule does not match after all.
    NoMatch,
    /// The rule is done.
    Done(Done<'n>),
}

impl<'n> Rules<'n> {
    pub(super) fn apply(&self, journey: &mut Journey<'n>, here: Here<'_, 'n>) -> Done<'n> {
        let from = here.resumed(journey);
        let mut is_uncertain = false;
        for (at, step) in here.chain.steps(here.rule).iter().enumerate().skip(from) {
            let here = Here { step: at, ..here };
            let truth = match step {
                Step::If(condition) => self.holds(condition, &journey.packet, here.chain),
                Step::In(key, lookup, is_negated) => self.is_in(key, lookup, *is_negated, &journey.packet, here.chain),
                _ if is_uncertain => return fork(journey, here),
                _ => match self.act(journey, here, step) {
                    // The rule went on, or ended.
                    Acted::Next => Some(true),
                    Acted::NoMatch => Some(false),
                    Acted::Done(done) => return done,
                },
            };
            match truth {
                Some(true) => {}
                Some(false) => return Done::On,
                None => is_uncertain = true,
            }
        }
        Done::On
    }

    /// A statement that does something.
    fn act(&self, journey: &mut Journey<'n>, here: Here<'_, 'n>, step: &Step<'n>) -> Acted<'n> {
        match step {
            Step::If(_) | Step::In(..) | Step::End(End::Continue) => Acted::Next,
            Step::End(end) => Acted::Done(self.end(journey, here, *end)),
            Step::Choose(key, lookup) => self.choose(journey, here, key, lookup),
            Step::Nat(nat, lookup) => self.rewrite(journey, here, nat, lookup.as_ref()),
            Step::Mark(mark) => {
                journey.mark(mark);
                Acted::Next
            }
            // Too late: it is left alone (`nft_notrack_eval`, `xt_ct_target`).
            Step::NoTrack if journey.packet.is_seen => Acted::Next,
            Step::SetLabel(bit) => {
                journey.packet.set_label(*bit);
                Acted::Next
            }
            Step::NoTrack => {
                journey.packet.is_untracked = true;
                journey.tell(Some(here.place()), || "not tracked".to_owned());
                Acted::Next
            }
            Step::Unknown => Acted::Done(anything(journey, here)),
        }
    }

    fn end(&self, journey: &mut Journey<'n>, here: Here<'_, 'n>, end: End<'n>) -> Done<'n> {
        let place = here.place();
        let name = |at: usize| self.chain(at).map_or("?", |chain| chain.chain.name.as_str());
        let is_own = here.chain.chain.name.starts_with(PREFIX);
        // fwtui's last rule refuses for all: the one that sent the packet there has decided.
        let decided = journey.sent_by.filter(|_| is_own).unwrap_or(place);
        match end {
            End::Accept => {
                journey.tell(Some(place), || "accepts".to_owned());
                journey.frames.clear();
                journey.consent(Consent::Accepted, Decider::Rule(place));
            }
            End::Drop => {
                journey.tell(Some(place), || "drops".to_owned());
                return Done::Ended(Fate::Dropped, Decider::Rule(decided));
            }
            End::Reject(with) => {
                journey.tell(Some(place), || format!("refuses, with {with}"));
                return Done::Ended(Fate::Refused, Decider::Rule(decided));
            }
            End::Return => {
                journey.tell(Some(place), || "returns".to_owned());
                if is_own {
                    journey.consent(Consent::Returned, Decider::Rule(place));
                }
                // From a base chain to its policy, else behind the jump.
                return self.leave(journey);
            }
            End::Jump(to) => {
                journey.tell(Some(place), || format!("goes through {}", name(to)));
                journey.frames.push(Frame { chain: to, next: 0 });
            }
            End::Goto(to) => {
                journey.tell(Some(place), || format!("goes to {}", name(to)));
                if is_own && (name(to).ends_with("-TRUSTED") || name(to).ends_with("-REFUSE")) {
                    journey.sent_by.get_or_insert(place);
                }
                journey.frames.pop();
                journey.frames.push(Frame { chain: to, next: 0 });
            }
            End::Continue => {}
            End::Unknown => return anything(journey, here),
        }
        Done::On
    }

    fn choose(&self, journey: &mut Journey<'n>, here: Here<'_, 'n>, key: &[Field], lookup: &Lookup<'n>) -> Acted<'n> {
        match lookup.find(key, &journey.packet, self.world) {
            Found::Absent | Found::No => Acted::NoMatch,
            Found::Yes(element) => match &element.data {
                Some(Data::Verdict(verdict)) => {
                    let end = self.resolved(verdict, here.chain.table_at);
                    Acted::Done(self.end(journey, here, end))
                }
                Some(Data::Endpoint { .. } | Data::Unknown(_)) | None => Acted::Done(anything(journey, here)),
            },
            Found::Unknown => {
                // Whatever the map may say, and nothing.
                let Some(elements) = lookup.elements() else {
                    return Acted::Done(anything(journey, here));
                };
                let mut verdicts: Vec<&'n netfilter::Verdict> = Vec::new();
                for element in elements {
                    match &element.data {
                        Some(Data::Verdict(verdict)) => verdicts.push(verdict),
                        _ => return Acted::Done(anything(journey, here)),
                    }
                }
                verdicts.sort_unstable();
                verdicts.dedup();
                let mut branches = vec![Branch::Goes(Box::new(journey.clone()))];
                for verdict in verdicts {
                    let mut other = journey.clone();
                    branches.push(
                        match self.end(&mut other, here, self.resolved(verdict, here.chain.table_at)) {
                            Done::On => Branch::Goes(Box::new(other)),
                            Done::Ended(fate, _) => Branch::Ends(fate),
                            Done::Either(_, more) => {
                                branches.extend(more);
                                continue;
                            }
                        },
                    );
                }
                Acted::Done(Done::Either(here.place(), branches))
            }
        }
    }

    fn rewrite(
        &self,
        journey: &mut Journey<'n>,
        here: Here<'_, 'n>,
        nat: &'n Nat,
        lookup: Option<&Lookup<'n>>,
    ) -> Acted<'n> {
        let place = here.place();
        let unknown = || Acted::Done(Done::Ended(Fate::Unknown { may_arrive: true }, Decider::Rule(place)));
        let (addresses, ports) = match (&nat.to, lookup) {
            (To::Fixed { addresses, ports }, _) => (*addresses, *ports),
            (To::Map { key, ports, .. }, Some(lookup)) => match lookup.find(key, &journey.packet, self.world) {
                Found::Absent | Found::No => return Acted::NoMatch,
                Found::Yes(element) => match &element.data {
                    Some(Data::Endpoint { addresses, ports: own }) => (*addresses, own.or(*ports)),
                    Some(Data::Verdict(_) | Data::Unknown(_)) | None => return unknown(),
                },
                Found::Unknown => return unknown(),
            },
            (To::Map { .. } | To::Unknown(_), _) => return unknown(),
        };
        let packet = &mut journey.packet;
        match nat.kind {
            // The socket it is given to, and the mark that brings it there, are not known.
            NatKind::Proxy => return unknown(),
            NatKind::Source | NatKind::Masquerade => {
                packet.rewrite_source(nat.kind, addresses, ports);
                journey.tell(Some(place), || "rewrites the source".to_owned());
            }
            NatKind::Destination | NatKind::Redirect => {
                let address = match (nat.kind, addresses) {
                    (NatKind::Redirect, _) => match self.redirect_address(packet) {
                        Some(address) => address,
                        None => return Acted::Done(Done::Ended(Fate::Dropped, Decider::Rule(place))),
                    },
                    (_, Some((first, _))) => first,
                    (_, None) => packet.ends.destination,
                };
                if Family::of(address) != packet.family {
                    return Acted::NoMatch;
                }
                let before = packet.ends;
                packet.ends.destination = address;
                if let Some((first, last)) = ports
                    && !(first..=last).contains(&before.destination_port)
                {
                    packet.ends.destination_port = first;
                }
                packet.is_destination_settled = true;
                packet.has_new_destination |= packet.ends != before;
                let to = std::net::SocketAddr::new(address, packet.ends.destination_port);
                journey.tell(Some(place), || format!("rewrites the destination to {to}"));
            }
        }
        if self.is_rewritten_beside(journey) {
            return Acted::Done(Done::Ended(Fate::Unknown { may_arrive: true }, Decider::Rule(place)));
        }
        journey.frames.clear();
        Acted::Done(Done::On)
    }

    /// Where REDIRECT sends a packet (`nf_nat_redirect_ipv4`, `_ipv6`): the first address of the
    /// interface it came in by; from this machine, loopback.
    fn redirect_address(&self, packet: &Traveller<'n>) -> Option<IpAddr> {
        if packet.interface.is_empty() {
            return Some(match packet.family {
                Family::Ipv4 => IpAddr::from([127, 0, 0, 1]),
                Family::Ipv6 => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
            });
        }
        let is_link_local =
            |address: &IpAddr| matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
        let addresses = || {
            let interface = self.world.interface(packet.interface);
            let all = interface.into_iter().flat_map(|interface| &interface.addresses);
            all.map(ipnet::IpNet::addr)
                .filter(|address| Family::of(*address) == packet.family)
        };
        let same_scope = addresses().find(|address| is_link_local(address) == is_link_local(&packet.ends.destination));
        same_scope.or_else(|| addresses().next())
    }

    fn holds(&self, condition: &'n Condition, packet: &Traveller<'n>, chain: &rules::Chain<'n>) -> Option<bool> {
        match condition {
            Condition::Is {
                field,
                mask,
                values,
                is_negated,
            } => {
                if packet.has_new_source.is_none() && matches!(field, Field::State | Field::Status) {
                    let as_if = |is_so| {
                        let has_new_source = Some(is_so);
                        let packet = Traveller {
                            has_new_source,
                            ..packet.clone()
                        };
                        self.holds(condition, &packet, chain)
                    };
                    return as_if(true).filter(|answer| as_if(false) == Some(*answer));
                }
                let value = match (self.value(field, packet, chain), mask) {
                    (Value::Absent, _) => return Some(false),
                    // Bits of no interest are set beside those of interest (`IPS_DST_NAT_DONE`).
                    (Value::Number(number), None) if *field == Field::Status && number != 0 => Value::Unknown,
                    (Value::Number(number), Some(mask)) => Value::Number(number & mask),
                    (value, _) => value,
                };
                let mut answer = Some(false);
                for part in values {
                    match is_within(part, value) {
                        Some(true) => {
                            answer = Some(true);
                            break;
                        }
                        Some(false) => {}
                        None => answer = None,
                    }
                }
                answer.map(|is_so| is_so != *is_negated)
            }
            Condition::In { .. } | Condition::Unknown(_) => None,
            Condition::FirstOfMany { matches, .. } => Some(*matches),
            Condition::Between { first, last } => Some((*first..=*last).contains(&self.world.now.as_secs())),
        }
    }

    /// A bridge's rules see its ports, which are not known beforehand.
    fn value(&self, field: &Field, packet: &Traveller<'n>, chain: &rules::Chain<'n>) -> Value<'n> {
        let is_interface = matches!(field, Field::InInterface | Field::OutInterface);
        match chain.table.family == TableFamily::Bridge && is_interface {
            true => Value::Unknown,
            false => packet.value(field, self.world),
        }
    }

    fn is_in(
        &self,
        key: &[Field],
        lookup: &Lookup<'n>,
        is_negated: bool,
        packet: &Traveller<'n>,
        chain: &rules::Chain<'n>,
    ) -> Option<bool> {
        if chain.table.family == TableFamily::Bridge {
            return None;
        }
        match lookup.find(key, packet, self.world) {
            Found::Absent => Some(false),
            Found::Unknown => None,
            Found::No => Some(is_negated),
            Found::Yes(_) => Some(!is_negated),
        }
    }
}
