//! The rules of a long chain by what they ask for, so that a packet meets few of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::core::listener::Family;
use crate::core::netfilter::{Condition, End, Field, Part, Rule, Statement, number};

use super::packet::Transport;
use super::traveller::Traveller;

/// Below this a plain walk is as fast.
const LONG: usize = 24;
/// A rule with more ports than this is looked at for every packet.
const MOST_PORTS: u128 = 64;

/// Where the rules are that may match a packet. Everything in here is a list of rules' indices in order;
/// a rule is in one kind of list only, by the first of its conditions that is selective.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_port: List<u16>,
    /// By family and length of prefix.
    by_source: BTreeMap<(Family, u32), List<u128>>,
    by_destination: BTreeMap<(Family, u32), List<u128>>,
    by_icmp: List<u128>,
    by_protocol: List<u128>,
    rest: Vec<usize>,
}

/// What rules ask for, and their places, in order.
type List<K> = Vec<(K, usize)>;

/// What a rule asks for that is neither a port nor a source.
#[derive(Debug, Clone, Copy)]
enum Other {
    Destination(Family, u32, u128),
    Icmp(u128),
    Protocol(u128),
}

impl Index {
    /// None for a chain that is short enough.
    pub(super) fn new(rules: &[Rule]) -> Option<Self> {
        if rules.len() < LONG {
            return None;
        }
        let mut index = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            index.put(place, rule);
        }
        index.by_port.sort_unstable();
        for list in index.by_source.values_mut().chain(index.by_destination.values_mut()) {
            list.sort_unstable();
        }
        index.by_icmp.sort_unstable();
        index.by_protocol.sort_unstable();
        Some(index)
    }

    fn put(&mut self, place: usize, rule: &Rule) {
        // Only conditions before the first thing a rule does keep a packet from it.
        let conditions = rule.statements.iter().map_while(|statement| match statement {
            Statement::If(condition) => Some(condition),
            _ => None,
        });
        // What is less selective, where nothing is more so.
        let mut other = None;
        for condition in conditions {
            let Condition::Is {
                field,
                mask: None,
                values,
                is_negated: false,
            } = condition
            else {
                continue;
            };
            match field {
                Field::Port(_, End::Destination) if values.iter().all(|part| ports(part).is_some()) => {
                    let ports = values.iter().filter_map(ports).flatten();
                    self.by_port.extend(ports.map(|port| (port, place)));
                    return;
                }
                Field::Address(family, End::Source) => {
                    if let [Part::Range(first, last)] = values.as_slice()
                        && let Some(length) = prefix_length(*family, *first, *last)
                    {
                        self.by_source
                            .entry((*family, length))
                            .or_default()
                            .push((*first, place));
                        return;
                    }
                }
                Field::Address(family, End::Destination) => {
                    if let [Part::Range(first, last)] = values.as_slice()
                        && let Some(length) = prefix_length(*family, *first, *last)
                    {
                        other = Some(Other::Destination(*family, length, *first));
                    }
                }
                Field::IcmpType(_) | Field::Protocol if !matches!(other, Some(Other::Destination(..))) => {
                    if let [Part::Range(first, last)] = values.as_slice()
                        && first == last
                    {
                        let is_icmp = matches!(field, Field::IcmpType(_));
                        other = Some(if is_icmp {
                            Other::Icmp(*first)
                        } else {
                            Other::Protocol(*first)
                        });
                    }
                }
                _ => {}
            }
        }
        match other {
            Some(Other::Destination(family, length, first)) => {
                let list = self.by_destination.entry((family, length)).or_default();
                list.push((first, place));
            }
            Some(Other::Icmp(kind)) => self.by_icmp.push((kind, place)),
            Some(Other::Protocol(number)) => self.by_protocol.push((number, place)),
            None => self.rest.push(place),
        }
    }

    /// The first rule at or after a place that may match.
    pub(super) fn next(&self, from: usize, packet: &Traveller<'_>) -> Option<usize> {
        let rest = self.rest.get(self.rest.partition_point(|place| *place < from)).copied();
        if rest == Some(from) {
            return rest;
        }
        let by_port = after(&self.by_port, packet.ends.destination_port, from);
        let by_address = |lists: &BTreeMap<(Family, u32), List<u128>>, address: IpAddr| {
            let of_family = lists.iter().filter(|((family, _), _)| *family == packet.family);
            of_family
                .filter_map(|((family, length), nets)| after(nets, truncated(*family, *length, number(address)), from))
                .min()
        };
        let by_icmp = match packet.transport {
            Transport::Icmp(kind, _) => after(&self.by_icmp, kind.into(), from),
            Transport::Ports(_) => None,
        };
        let all = [
            by_port,
            rest,
            by_address(&self.by_source, packet.ends.source),
            by_address(&self.by_destination, packet.ends.destination),
            by_icmp,
            after(&self.by_protocol, packet.protocol().into(), from),
        ];
        all.into_iter().flatten().min()
    }
}

/// The first place at or after another where a list has a key.
fn after<K: Ord + Copy>(list: &[(K, usize)], key: K, from: usize) -> Option<usize> {
    let at = list.partition_point(|entry| *entry < (key, from));
    list.get(at).filter(|(found, _)| *found == key).map(|(_, place)| *place)
}

/// The ports of a part; none where they are too many.
fn ports(part: &Part) -> Option<RangeInclusive<u16>> {
    match part {
        Part::Range(first, last) if last.checked_sub(*first)? < MOST_PORTS => {
            Some(u16::try_from(*first).ok()?..=u16::try_from(*last).ok()?)
        }
        Part::Range(..) | Part::Name(_) => None,
    }
}

const fn bits(family: Family) -> u32 {
    match family {
        Family::Ipv4 => 32,
        Family::Ipv6 => 128,
    }
}

/// The length of the prefix that is just this range; none where it is no prefix.
fn prefix_length(family: Family, first: u128, last: u128) -> Option<u32> {
    let host = first ^ last;
    let is_prefix = first <= last && host & host.wrapping_add(1) == 0 && first & host == 0;
    is_prefix.then(|| bits(family) - (u128::BITS - host.leading_zeros()).min(bits(family)))
}

fn truncated(family: Family, length: u32, address: u128) -> u128 {
    let host = bits(family) - length;
    match host {
        128 => 0,
        host => address >> host << host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_told_from_ranges() {
        assert_eq!(prefix_length(Family::Ipv4, 0x0a00_0000, 0x0aff_ffff), Some(8));
        assert_eq!(prefix_length(Family::Ipv4, 7, 7), Some(32));
        assert_eq!(prefix_length(Family::Ipv4, 0, u32::MAX.into()), Some(0));
        assert_eq!(prefix_length(Family::Ipv6, 0, u128::MAX), Some(0));
        assert_eq!(prefix_length(Family::Ipv4, 1, 2), None);
        assert_eq!(prefix_length(Family::Ipv4, 3, 4), None);
        assert_eq!(truncated(Family::Ipv4, 8, 0x0a01_0203), 0x0a00_0000);
        assert_eq!(truncated(Family::Ipv6, 0, 5), 0);
        assert_eq!(truncated(Family::Ipv6, 128, 5), 5);
    }
}
