//! The rules of a long chain by what they ask for, so that a packet meets few of them.

use std::collections::BTreeMap;

use crate::core::listener::Family;
use crate::core::netfilter::{Condition, End, Field, Part, Rule, Statement, number};

use super::packet::Traveller;

/// Below this a plain walk is as fast.
const LONG: usize = 24;
/// A rule with more ports than this is looked at for every packet.
const MOST_PORTS: u128 = 64;

/// Where the rules are that may match a packet. Everything in here is a list of rules' indices in order;
/// a rule is in one kind of list only, by the first of its conditions that is selective.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_port: BTreeMap<u16, Vec<usize>>,
    /// By family and length of prefix.
    by_source: BTreeMap<(Family, u32), BTreeMap<u128, Vec<usize>>>,
    rest: Vec<usize>,
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
        Some(index)
    }

    fn put(&mut self, place: usize, rule: &Rule) {
        // Only conditions before the first thing a rule does keep a packet from it.
        let conditions = rule.statements.iter().map_while(|statement| match statement {
            Statement::If(condition) => Some(condition),
            _ => None,
        });
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
                Field::Port(_, End::Destination) => {
                    if let Some(ports) = ports(values) {
                        for port in ports {
                            self.by_port.entry(port).or_default().push(place);
                        }
                        return;
                    }
                }
                Field::Address(family, End::Source) => {
                    if let [Part::Range(first, last)] = values.as_slice()
                        && let Some(length) = prefix_length(*family, *first, *last)
                    {
                        self.by_source
                            .entry((*family, length))
                            .or_default()
                            .entry(*first)
                            .or_default()
                            .push(place);
                        return;
                    }
                }
                _ => {}
            }
        }
        self.rest.push(place);
    }

    /// The first rule at or after a place that may match.
    pub(super) fn next(&self, from: usize, packet: &Traveller<'_>) -> Option<usize> {
        let after = |list: &Vec<usize>| list.get(list.partition_point(|place| *place < from)).copied();
        let by_port = self.by_port.get(&packet.ends.destination_port).and_then(after);
        let source = number(packet.ends.source);
        let by_source = self
            .by_source
            .iter()
            .filter(|((family, _), _)| *family == packet.family)
            .filter_map(|((family, length), nets)| nets.get(&truncated(*family, *length, source)).and_then(after));
        [by_port, after(&self.rest)]
            .into_iter()
            .flatten()
            .chain(by_source)
            .min()
    }
}

fn ports(values: &[Part]) -> Option<Vec<u16>> {
    let mut ports = Vec::new();
    for value in values {
        let Part::Range(first, last) = value else {
            return None;
        };
        if last.checked_sub(*first)? >= MOST_PORTS {
            return None;
        }
        for port in *first..=*last {
            ports.push(u16::try_from(port).ok()?);
        }
    }
    ports.sort_unstable();
    ports.dedup();
    Some(ports)
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
