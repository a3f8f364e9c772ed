//! The rules of a kernel, prepared for walking: names resolved, hooks in order, long chains indexed.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::core::listener::Family;
use crate::core::netfilter::{
    self, ChainType, Condition, Elements, Field, Hook, Nat, Netfilter, SetMark, Statement, Table, TableFamily, To,
    Verdict,
};
use crate::core::network::World;

use super::index::Index;
use super::lookup::{Lookup, Sets};
use super::traveller::Traveller;

/// The rules of a kernel, ready to be walked by many packets.
#[derive(Debug)]
pub struct Rules<'n> {
    pub(super) world: &'n World,
    pub(super) chains: Vec<Chain<'n>>,
    /// The base chains of a hook that a family's packets pass, in the order they do.
    bases: [[Vec<usize>; 2]; HOOKS.len()],
    /// Places in these of chains of one priority that are felt by one another.
    pub(super) contested: [[Vec<Range<usize>>; 2]; HOOKS.len()],
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
    pub(super) steps: Vec<Step<'n>>,
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

    /// A verdict of a map's element.
    pub(super) fn resolved(&self, verdict: &'n Verdict, table_at: usize) -> End<'n> {
        end(verdict, |name| self.names.get(&(table_at, name)).copied())
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
