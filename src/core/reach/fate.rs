//! How a packet's way ended, and who decided.

use crate::core::netfilter::{self, ChainType, Hook, Table};

use super::packet::Ends;

/// How a way ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It arrives: at this machine, or at what the packet is forwarded to.
    Accepted,
    /// It is refused, and the sender is told.
    Refused,
    /// It is gone in silence.
    Dropped,
    /// It can't be told. Whether it may arrive at all.
    Unknown {
        /// If not, it is either refused or dropped.
        may_arrive: bool,
    },
}

impl Fate {
    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Whether it may arrive, as far as is known.
    pub const fn may_arrive(self) -> bool {
        matches!(self, Self::Accepted | Self::Unknown { may_arrive: true })
    }
}

/// Where something in the kernel is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'n> {
    /// The table.
    pub table: &'n Table,
    /// The chain.
    pub chain: &'n netfilter::Chain,
    /// The rule; none for the chain's policy.
    pub rule: Option<&'n netfilter::Rule>,
}

/// What the kernel itself decides, without any rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Loopback addresses come from no network.
    LoopbackAddress,
    /// This machine's own address can't be the source of a packet from outside.
    OwnSource,
    /// There is no way back to the source (`rp_filter`).
    ReversePath,
    /// The packet is for another machine, and this one does not forward.
    NotForwarding,
    /// The packet is for another machine, and no route leads there.
    NoRoute,
    /// No rule stands in the way.
    NoRule,
    /// The socket is not bound to this address, or none is.
    NobodyListens,
}

/// What conntrack knew of a packet where its way ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracking {
    /// It had not looked yet: a chain before it decided.
    NotYet,
    /// A rule kept the packet from it.
    Kept,
    /// It had looked.
    Looked,
}

/// Who or what decided.
#[derive(Debug, Clone, Copy)]
pub enum Decider<'n> {
    /// A rule or a policy.
    Rule(Place<'n>),
    /// The kernel.
    Kernel(Kernel),
}

/// One thing that happened on the way.
#[derive(Debug, Clone)]
pub struct Event<'n> {
    /// The hook.
    pub hook: Hook,
    /// Where; none for what the kernel does itself.
    pub place: Option<Place<'n>>,
    /// What, in words.
    pub effect: String,
}

/// How a packet fared.
#[derive(Debug, Clone)]
pub struct Walk<'n> {
    /// How it ended.
    pub fate: Fate,
    /// The hook where it ended; of what arrives it means nothing.
    pub hook: Hook,
    /// Who decided; of what arrives, who last let it in.
    pub decided_by: Decider<'n>,
    /// Its ends when it arrived.
    pub ends: Ends,
    /// What conntrack knew of it.
    pub tracking: Tracking,
    /// Whether it was taken in here, and not sent on.
    pub is_local: bool,
    /// What happened on the way, where that was asked for.
    pub events: Vec<Event<'n>>,
}

impl Place<'_> {
    /// Whether rules there may rewrite addresses: in a table with a nat chain a user chain may be
    /// reached from it.
    pub(super) fn table_translates(&self) -> bool {
        let is_nat = |chain: &netfilter::Chain| chain.base.as_ref().is_some_and(|base| base.kind == ChainType::Nat);
        match &self.chain.base {
            Some(_) => is_nat(self.chain),
            None => self.table.chains.iter().any(is_nat),
        }
    }
}
