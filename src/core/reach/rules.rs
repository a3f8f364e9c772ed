//! The rules of a kernel, prepared for walking: names resolved, hooks in order, long chains indexed.

use std::collections::BTreeMap;
use std::ops::{BitOr, Range};
use std::sync::Arc;

use crate::core::listener::Family;
use crate::core::netfilter::{
    self, ChainType, Condition, Element, Elements, Field, Hook, Nat, Netfilter, Part, Set, SetMark, Statement, Table,
    TableFamily, To, Verdict,
};
use crate::core::network::World;

use super::index::Index;
use super::packet::{Traveller, Value};

/// The rules of a kernel, ready to be walked by many packets.
#[derive(Debug)]
pub struct Rules<'n> {
    pub(super) world: &'n World,
    pub(super) chains: Vec<Chain<'n>>,
    /// The base chains of a hook that a family's packets pass, in the order they do.
    bases: [[Vec<usize>; 2]; HOOKS.len()],
    /// Places in these of chains of one priority that are felt by one another.
    contested: [[Vec<Range<usize>>; 2]; HOOKS.len()],
    /// Chains by table and name.
    names: BTreeMap<(usize, &'n str), usize>,
}

/// One chain.
#[derive(Debug)]
pub(super) struct Chain<'n> {
    pub(super) table: &'n Table,
    #[expect(clippy::struct_field_names, reason = "it is the chain as it was read")]
    pub(super) chain: &'n netfilter::Chain,
    pub(super) table_at: usize,
    /// Of all its rules, one after the other.
    steps: Vec<Step<'n>>,
    /// Where each rule's steps end.
    ends: Vec<usize>,
    index: Option<Index>,
    /// Whether another base chain of the hook has the same priority: which comes first can't be told.
    pub(super) has_equal: bool,
}

/// A statement with its names resolved.
#[derive(Debug)]
pub(super) enum Step<'n> {
    If(&'n Condition),
    In(&'n [Field], Lookup<'n>, bool),
    End(End<'n>),
    Choose(&'n [Field], Lookup<'n>),
    Nat(&'n Nat, Option<Lookup<'n>>),
    Mark(&'n SetMark),
    SetLabel(u8),
    NoTrack,
    Unknown,
}

/// A verdict with its chain resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End<'n> {
    Accept,
    Drop,
    Reject(&'n str),
    Return,
    Jump(usize),
    Goto(usize),
    Continue,
    /// A program decides, or a chain that is not there.
    Unknown,
}

/// A set to look things up in.
#[derive(Debug, Clone)]
pub(super) struct Lookup<'n> {
    set: Option<&'n Set>,
    /// Its elements' first and last number in order, where they are numbers and don't overlap.
    sorted: Option<Arc<[(u128, u128, usize)]>>,
}

/// The named sets, by table and name: many rules may refer to one.
struct Sets<'n>(BTreeMap<(usize, &'n str), Lookup<'n>>);

/// What a look-up gave.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'n> {
    /// The packet lacks a field.
    Absent,
    Unknown,
    No,
    Yes(&'n Element),
}

impl<'n> Rules<'n> {
    /// Prepares the rules.
    pub fn new(netfilter: &'n Netfilter, world: &'n World) -> Self {
        let mut chains = Vec::new();
        let mut names = BTreeMap::new();
        for (table_at, table) in netfilter.tables.iter().enumerate() {
            for chain in &table.chains {
                // Of two of one name the first counts: no kernel has two.
                names.entry((table_at, chain.name.as_str())).or_insert(chains.len());
                chains.push(Chain {
                    table,
                    chain,
                    table_at,
                    steps: Vec::new(),
                    ends: Vec::with_capacity(chain.rules.len()),
                    index: Index::new(&chain.rules),
                    has_equal: false,
                });
            }
        }
        let sets = Sets::of(netfilter);
        for chain in &mut chains {
            let table_at = chain.table_at;
            let lookup = |elements: &'n Elements| sets.lookup(table_at, elements);
            let chain_of = |name: &str| names.get(&(table_at, name)).copied();
            let all: usize = chain.chain.rules.iter().map(|rule| rule.statements.len()).sum();
            chain.steps.reserve_exact(all);
            for rule in &chain.chain.rules {
                let steps = rule
                    .statements
                    .iter()
                    .map(|statement| step(statement, lookup, chain_of));
                chain.steps.extend(steps);
                chain.ends.push(chain.steps.len());
            }
        }
        let mut rules = Self {
            world,
            chains,
            bases: Default::default(),
            contested: Default::default(),
            names,
        };
        rules.hook_in();
        rules
    }

    fn hook_in(&mut self) {
        for family in Family::ALL {
            for hook in HOOKS {
                let is_here = |chain: &Chain<'_>| {
                    !chain.table.is_dormant
                        && chain.table.family.sees(family)
                        && chain.chain.base.as_ref().is_some_and(|base| base.hook == hook)
                };
                let mut here: Vec<usize> = (0..self.chains.len())
                    .filter(|at| self.chains.get(*at).is_some_and(is_here))
                    .collect();
                here.sort_by_key(|at| self.priority(*at));
                let groups: Vec<Range<usize>> = here
                    .chunk_by(|one, other| self.are_equal(*one, *other))
                    .scan(0, |end, group| {
                        let start = *end;
                        *end += group.len();
                        Some(start..*end)
                    })
                    .filter(|group| group.len() > 1)
                    .collect();
                for at in groups.iter().cloned().filter_map(|group| here.get(group)).flatten() {
                    if let Some(chain) = self.chains.get_mut(*at) {
                        chain.has_equal = true;
                    }
                }
                let is_contested = |group: &Range<usize>| here.get(group.clone()).is_some_and(|all| self.are_felt(all));
                let contested = groups.into_iter().filter(is_contested).collect();
                if let Some(bases) = self
                    .bases
                    .get_mut(hook as usize)
                    .and_then(|of| of.get_mut(family as usize))
                {
                    *bases = here;
                }
                if let Some(of) = self
                    .contested
                    .get_mut(hook as usize)
                    .and_then(|of| of.get_mut(family as usize))
                {
                    *of = contested;
                }
            }
        }
    }

    pub(super) fn bases(&self, hook: Hook, family: Family) -> &[usize] {
        self.bases
            .get(hook as usize)
            .and_then(|of| of.get(family as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// The group of chains around a place among a hook's base chains where it matters which comes first.
    pub(super) fn contested(&self, hook: Hook, family: Family, place: usize) -> Option<&Range<usize>> {
        let groups = self.contested.get(hook as usize)?.get(family as usize)?;
        groups.iter().find(|group| group.contains(&place))
    }

    /// Whether one of these base chains changes what another asks for, or changes as well.
    fn are_felt(&self, bases: &[usize]) -> bool {
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

    pub(super) fn chain(&self, at: usize) -> Option<&Chain<'n>> {
        self.chains.get(at)
    }

    /// The priority of a base chain, the bridge's own before the others': a bridge has its packets first.
    /// Nat chains are called by the kernel's own hook for them, which has one priority whatever theirs
    /// are; theirs only order them among themselves (`nf_nat_ipv4_ops` in `net/netfilter/nf_nat_proto.c`).
    pub(super) fn priority(&self, at: usize) -> (bool, i32, Option<i32>) {
        let chain = self.chains.get(at);
        let is_bridge = chain.is_some_and(|chain| chain.table.family == TableFamily::Bridge);
        let (priority, among_nat) = match chain.and_then(|chain| chain.chain.base.as_ref()) {
            Some(base) if base.kind == ChainType::Nat && !is_bridge => {
                let of_hook = match base.hook {
                    Hook::Postrouting | Hook::Input => 100,
                    Hook::Ingress | Hook::Prerouting | Hook::Forward | Hook::Output => -100,
                };
                (of_hook, Some(base.priority))
            }
            base => (base.map_or(0, |base| base.priority), None),
        };
        (!is_bridge, priority, among_nat)
    }

    /// Whether which of two base chains comes first can't be told.
    pub(super) fn are_equal(&self, one: usize, other: usize) -> bool {
        match (self.priority(one), self.priority(other)) {
            ((.., Some(_)), (.., Some(_))) => self.priority(one) == self.priority(other),
            ((one_bridge, one, _), (other_bridge, other, _)) => (one_bridge, one) == (other_bridge, other),
        }
    }

    /// A verdict of a map's element.
    pub(super) fn resolved(&self, verdict: &'n Verdict, table_at: usize) -> End<'n> {
        end(verdict, |name| self.names.get(&(table_at, name)).copied())
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

const HOOKS: [Hook; 6] = [
    Hook::Ingress,
    Hook::Prerouting,
    Hook::Input,
    Hook::Forward,
    Hook::Output,
    Hook::Postrouting,
];

impl<'n> Chain<'n> {
    /// The first rule at or after a place that may match.
    pub(super) fn next(&self, from: usize, packet: &Traveller<'_>) -> Option<usize> {
        match &self.index {
            Some(index) if !packet.is_source_unknown => index.next(from, packet),
            _ => (from < self.ends.len()).then_some(from),
        }
    }

    pub(super) fn steps(&self, rule: usize) -> &[Step<'n>] {
        let start = rule.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(rule).copied();
        self.steps.get(start.unwrap_or(0)..end.unwrap_or(0)).unwrap_or(&[])
    }

    pub(super) fn rule(&self, rule: usize) -> Option<&'n netfilter::Rule> {
        self.chain.rules.get(rule)
    }
}

fn step<'n>(
    statement: &'n Statement,
    lookup: impl Fn(&'n Elements) -> Lookup<'n>,
    chain: impl Fn(&str) -> Option<usize>,
) -> Step<'n> {
    match statement {
        Statement::If(Condition::In {
            key,
            elements,
            is_negated,
        }) => Step::In(key, lookup(elements), *is_negated),
        Statement::If(condition) => Step::If(condition),
        Statement::End(verdict) => Step::End(end(verdict, chain)),
        Statement::Choose { key, elements } => Step::Choose(key, lookup(elements)),
        Statement::Nat(nat) => {
            let lookup = match &nat.to {
                To::Map { elements, .. } => Some(lookup(elements)),
                To::Fixed { .. } | To::Unknown(_) => None,
            };
            Step::Nat(nat, lookup)
        }
        Statement::Mark(mark) => Step::Mark(mark),
        Statement::SetLabel(bit) => Step::SetLabel(*bit),
        Statement::NoTrack => Step::NoTrack,
        Statement::Unknown(_) => Step::Unknown,
    }
}

fn end(verdict: &Verdict, chain: impl Fn(&str) -> Option<usize>) -> End<'_> {
    match verdict {
        Verdict::Accept => End::Accept,
        Verdict::Drop => End::Drop,
        Verdict::Reject(with) => End::Reject(with),
        Verdict::Return => End::Return,
        Verdict::Jump(name) => chain(name).map_or(End::Unknown, End::Jump),
        Verdict::Goto(name) => chain(name).map_or(End::Unknown, End::Goto),
        Verdict::Continue => End::Continue,
        Verdict::Queue => End::Unknown,
    }
}

impl<'n> Sets<'n> {
    fn of(netfilter: &'n Netfilter) -> Self {
        let mut sets = BTreeMap::new();
        for (table_at, table) in netfilter.tables.iter().enumerate() {
            for set in &table.sets {
                sets.entry((table_at, set.name.as_str()))
                    .or_insert_with(|| Lookup::new(Some(set)));
            }
        }
        Self(sets)
    }

    fn lookup(&self, table_at: usize, elements: &'n Elements) -> Lookup<'n> {
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
