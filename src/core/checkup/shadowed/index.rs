//! Rules by what they ask for, so that each is compared with few others.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::listener::Family;
use crate::core::netfilter::{Condition, End, Field, Part, Rule, Statement};

/// One thing that a rule asks for, and nothing wider or narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    /// Addresses that share so many bits: which field, how many, the first.
    Network(u8, u32, u128),
    /// A port, as source or destination.
    Port(bool, u128),
    /// A protocol's number.
    Protocol(u128),
    /// An interface, incoming or outgoing.
    Interface(bool, &'a str),
}

/// The places of rules by the rarest of their keys.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    by_key: BTreeMap<Key<'a>, Vec<usize>>,
    /// Those without one.
    rest: Vec<usize>,
    /// The lengths of networks that there are, by field.
    lengths: BTreeSet<(u8, u32)>,
}

impl<'a> Index<'a> {
    pub(super) fn new(rules: &[(usize, &'a Rule)]) -> Self {
        let mut counts: BTreeMap<Key<'a>, usize> = BTreeMap::new();
        for key in rules.iter().flat_map(|(_, rule)| keys(rule)).flatten() {
            *counts.entry(key).or_default() += 1;
        }
        let mut index = Self::default();
        for (place, rule) in rules {
            let others = |keys: &Vec<Key<'a>>| keys.iter().filter_map(|key| counts.get(key)).sum::<usize>();
            match keys(rule).min_by_key(others) {
                Some(rarest) => {
                    for key in rarest {
                        if let Key::Network(field, length, _) = key {
                            index.lengths.insert((field, length));
                        }
                        index.by_key.entry(key).or_default().push(*place);
                    }
                }
                None => index.rest.push(*place),
            }
        }
        index
    }

    /// The first rule before a place that takes the packets of which these conditions are true.
    pub(super) fn first_before(
        &self,
        place: usize,
        asked: &[&Condition],
        mut takes: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let mut first: Option<usize> = None;
        let mut search = |rules: &[usize]| {
            let end = first.unwrap_or(place);
            let found = rules
                .iter()
                .copied()
                .take_while(|rule| *rule < end)
                .find(|rule| takes(*rule));
            first = found.or(first);
        };
        search(&self.rest);
        let mut seen: Vec<Key<'_>> = Vec::new();
        for condition in asked {
            self.wider(condition, &mut |key| {
                if !seen.contains(&key) {
                    seen.push(key);
                    search(self.by_key.get(&key).map(Vec::as_slice).unwrap_or_default());
                }
            });
        }
        first
    }

    /// The keys of rules that may hold all of what a condition asks for.
    fn wider<'c>(&self, condition: &'c Condition, found: &mut impl FnMut(Key<'c>)) {
        let Condition::Is {
            field,
            mask,
            values,
            is_negated,
        } = condition
        else {
            return;
        };
        match field {
            Field::Port(Some(number), _) => found(Key::Protocol((*number).into())),
            Field::TcpFlags => found(Key::Protocol(6)),
            _ => {}
        }
        // Who holds all of them holds the first.
        let (None, false, Some(part)) = (mask, is_negated, values.first()) else {
            return;
        };
        match (number_of(field), part) {
            (Some((field, bits)), Part::Range(first, _)) => {
                for (_, length) in self.lengths.range((field, 0)..=(field, bits)) {
                    found(Key::Network(field, *length, first & prefix(*length, bits)));
                }
            }
            _ => {
                if let Some(key) = key(field, part) {
                    found(key);
                }
            }
        }
    }
}

/// The keys of each condition that has some: who is within the condition has one of them.
fn keys(rule: &Rule) -> impl Iterator<Item = Vec<Key<'_>>> {
    rule.statements.iter().filter_map(|statement| {
        let Statement::If(Condition::Is {
            field,
            mask: None,
            values,
            is_negated: false,
        }) = statement
        else {
            return None;
        };
        match (field, values.as_slice()) {
            (Field::Port(_, end), values) => ports(*end == End::Source, values),
            (field, [part]) => key(field, part).map(|key| vec![key]),
            _ => None,
        }
    })
}

/// A key for each port, where they are few.
fn ports(is_source: bool, values: &[Part]) -> Option<Vec<Key<'_>>> {
    const MOST: usize = 32;
    let mut keys = Vec::new();
    for part in values {
        let Part::Range(first, last) = part else {
            return None;
        };
        let end = last.checked_sub(*first)?;
        if usize::try_from(end).ok()? + keys.len() >= MOST {
            return None;
        }
        keys.extend((*first..=*last).map(|port| Key::Port(is_source, port)));
    }
    keys.sort_unstable();
    keys.dedup();
    (!keys.is_empty()).then_some(keys)
}

fn key<'a>(field: &Field, part: &'a Part) -> Option<Key<'a>> {
    match (field, part) {
        // Who holds a range holds its first port.
        (Field::Port(_, end), Part::Range(first, _)) => Some(Key::Port(*end == End::Source, *first)),
        (Field::Protocol, Part::Range(first, last)) if first == last => Some(Key::Protocol(*first)),
        (Field::InInterface, Part::Name(name)) if !name.is_prefix => Some(Key::Interface(true, &name.stem)),
        (Field::OutInterface, Part::Name(name)) if !name.is_prefix => Some(Key::Interface(false, &name.stem)),
        (field, Part::Range(first, last)) => {
            let (number, bits) = number_of(field)?;
            let size = last.checked_sub(*first)?;
            let is_network = size & size.wrapping_add(1) == 0 && first & size == 0;
            let length = bits.checked_sub(u128::BITS - size.leading_zeros())?;
            is_network.then_some(Key::Network(number, length, *first))
        }
        _ => None,
    }
}

/// A field of addresses as a number, with how many bits they have.
fn number_of(field: &Field) -> Option<(u8, u32)> {
    let Field::Address(family, end) = field else {
        return None;
    };
    let is_source = *end == End::Source;
    Some(match family {
        Family::Ipv4 => (u8::from(is_source), 32),
        Family::Ipv6 => (2 + u8::from(is_source), 128),
    })
}

/// The mask of so many bits in front.
fn prefix(length: u32, bits: u32) -> u128 {
    let all = u128::MAX.checked_shr(u128::BITS - bits).unwrap_or(0);
    let rest = all.checked_shr(length).unwrap_or(0);
    all & !rest
}
