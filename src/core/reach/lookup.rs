//! Sets, and what they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::traveller::{Traveller, Value};
use crate::core::netfilter::{Element, Elements, Field, Netfilter, Part, Set};
use crate::core::network::World;

/// A set to look things up in.
#[derive(Debug, Clone)]
pub(super) struct Lookup<'n> {
    set: Option<&'n Set>,
    /// Its elements' first and last number in order, where they are numbers and don't overlap.
    sorted: Option<Arc<[(u128, u128, usize)]>>,
}

/// The named sets, by table and name: many rules may refer to one.
pub(super) struct Sets<'n>(BTreeMap<(usize, &'n str), Lookup<'n>>);

/// What a look-up gave.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'n> {
    /// The packet lacks a field.
    Absent,
    Unknown,
    No,
    Yes(&'n Element),
}

impl<'n> Sets<'n> {
    pub(super) fn of(netfilter: &'n Netfilter) -> Self {
        let mut sets = BTreeMap::new();
        for (table_at, table) in netfilter.tables.iter().enumerate() {
            for set in &table.sets {
                sets.entry((table_at, set.name.as_str()))
                    .or_insert_with(|| Lookup::new(Some(set)));
            }
        }
        Self(sets)
    }

    pub(super) fn lookup(&self, table_at: usize, elements: &'n Elements) -> Lookup<'n> {
        match elements {
            Elements::Named(name) => {
                let named = self.0.get(&(table_at, name.as_str()));
                named.cloned().unwrap_or_else(|| Lookup::new(None))
            }
            Elements::Inline(set) => Lookup::new(Some(set)),
        }
    }
}

impl<'n> Lookup<'n> {
    fn new(set: Option<&'n Set>) -> Self {
        let set = set.filter(|set| set.unknown.is_none());
        Self {
            set,
            sorted: set.and_then(sorted).map(Arc::from),
        }
    }

    /// Every element; none where they are not known.
    pub(super) fn elements(&self) -> Option<&'n [Element]> {
        self.set.map(|set| set.elements.as_slice())
    }

    pub(super) fn find(&self, key: &[Field], packet: &Traveller<'n>, world: &'n World) -> Found<'n> {
        if let ([field], Some(sorted)) = (key, &self.sorted) {
            let number = match packet.looked_up(field, world) {
                Value::Absent => return Found::Absent,
                Value::Unknown => return Found::Unknown,
                Value::Name(_) => return Found::No,
                Value::Number(number) => number,
            };
            let before = sorted.partition_point(|(first, ..)| *first <= number);
            let held = before.checked_sub(1).and_then(|at| sorted.get(at));
            let element = held
                .filter(|(_, last, _)| number <= *last)
                .and_then(|(.., at)| self.set?.elements.get(*at));
            return element.map_or(Found::No, Found::Yes);
        }
        let mut values = Vec::with_capacity(key.len());
        for field in key {
            match packet.looked_up(field, world) {
                Value::Absent => return Found::Absent,
                value => values.push(value),
            }
        }
        let Some(set) = self.set else {
            return Found::Unknown;
        };
        let mut found = Found::No;
        for element in &set.elements {
            match (holds(element, &values), element.is_exception) {
                (Some(true), true) => return Found::No,
                (Some(true), false) if !matches!(found, Found::Unknown) => found = Found::Yes(element),
                (None, _) => found = Found::Unknown,
                _ => {}
            }
        }
        found
    }
}

/// Whether an element holds a key; none where that can't be told.
fn holds(element: &Element, key: &[Value<'_>]) -> Option<bool> {
    if element.key.len() != key.len() {
        return None;
    }
    let mut answer = Some(true);
    for (part, value) in element.key.iter().zip(key) {
        match is_within(part, *value) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => answer = None,
        }
    }
    answer
}

pub(super) fn is_within(part: &Part, value: Value<'_>) -> Option<bool> {
    match (part, value) {
        (Part::Range(first, last), Value::Number(number)) => Some(*first <= number && number <= *last),
        (Part::Name(pattern), Value::Name(name)) => Some(pattern.matches(name)),
        (_, Value::Unknown) => None,
        _ => Some(false),
    }
}

fn sorted(set: &Set) -> Option<Vec<(u128, u128, usize)>> {
    let mut sorted = Vec::with_capacity(set.elements.len());
    for (at, element) in set.elements.iter().enumerate() {
        match (element.key.as_slice(), element.is_exception) {
            ([Part::Range(first, last)], false) => sorted.push((*first, *last, at)),
            _ => return None,
        }
    }
    sorted.sort_unstable();
    let is_apart = |pair: &[(u128, u128, usize)]| match pair {
        [(_, last, _), (first, ..)] => last < first,
        _ => true,
    };
    sorted.windows(2).all(is_apart).then_some(sorted)
}
