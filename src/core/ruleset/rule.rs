//! One rule, typed: only what fwtui itself writes.

use std::time::Duration;

use ipnet::IpNet;

use crate::core::listener::Protocol;
use crate::core::ruleset::Stamp;
use crate::core::service::Ports;

/// The label of connections that were sent to this machine: a bit of conntrack's 128. Systems that
/// label connections begin at 0.
pub(super) const LABEL: u8 = 119;

/// A rule of fwtui's own chains.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "rules that fwtui did not write are rare in its chains"
)]
pub enum Rule {
    /// One that fwtui wrote.
    Known {
        /// What a packet must be like.
        matches: Match,
        /// The id of the decision it comes from, `5432/tcp`, or the kind of rule it is, `open`.
        reason: Option<String>,
        /// What becomes of the packet.
        target: Target,
    },
    /// One that somebody else put there: its words, as read. Its effect is not known.
    Other(Vec<String>),
}

impl Rule {
    /// A rule with a reason.
    pub fn new(matches: Match, reason: impl Into<String>, target: Target) -> Self {
        Self::Known {
            matches,
            reason: Some(reason.into()),
            target,
        }
    }

    /// The id of the decision it comes from, or the kind of rule it is.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known { reason, .. } => reason.as_deref(),
            Self::Other(_) => None,
        }
    }

    /// Whether its time is over at a time since 1970: no packet meets it any more.
    pub fn is_over(&self, now: Duration) -> bool {
        match self {
            Self::Known { matches, .. } => matches.until.is_some_and(|until| until.since_1970() <= now),
            Self::Other(_) => false,
        }
    }
}

/// What a packet must be like; the default matches every packet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a match of its own")]
pub struct Match {
    /// Source network.
    pub source: Option<IpNet>,
    /// Destination network.
    pub destination: Option<IpNet>,
    /// The interface it came in by.
    pub interface: Option<String>,
    /// Any interface but this one.
    pub not_interface: Option<String>,
    /// Transport protocol.
    pub protocol: Option<Protocol>,
    /// TCP only: a SYN without ACK, RST or FIN.
    pub is_syn: bool,
    /// Source ports; empty means any.
    pub source_ports: Vec<Ports>,
    /// Destination ports, at most 15 counting a range as two; empty means any.
    pub destination_ports: Vec<Ports>,
    /// What conntrack says of it.
    pub state: Option<State>,
    /// The network its connection was sent to, before anybody rewrote the destination.
    pub original_destination: Option<IpNet>,
    /// The ports it was sent to before that: one range, for conntrack knows no lists.
    pub original_ports: Option<Ports>,
    /// To one of this machine's own addresses, as it is now.
    pub is_to_local: bool,
    /// Its connection has fwtui's label: it was sent to this machine.
    pub has_label: bool,
    /// Its connection gets the label; one that can't have it is not matched.
    pub sets_label: bool,
    /// At most so many.
    pub limit: Option<Limit>,
    /// Only before this second: the kernel itself ends it, by its clock.
    pub until: Option<Stamp>,
}

/// A conntrack state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Belongs to a connection another one announced, or is an ICMP error about one.
    Related,
    /// An answer to what this machine asked.
    EstablishedReply,
    /// On the way there in a connection, whatever has become of it.
    Original,
    /// On the way there in a connection whose destination was rewritten, as that of a container's
    /// published port is.
    Published,
}

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Packets a second.
    pub per_second: u32,
    /// Packets let through at once.
    pub burst: u32,
}

/// How a packet is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectWith {
    /// A TCP reset.
    TcpReset,
    /// ICMP or ICMPv6 port-unreachable.
    PortUnreachable,
}

/// What becomes of a matching packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Nothing more: on to the next rule.
    Next,
    /// Leaves fwtui's chains: whatever other tools say still holds.
    Return,
    /// Goes on in another chain of the same slot, named without prefix and slot.
    Goto(String),
    /// Refused politely.
    Reject(RejectWith),
    /// Refused silently.
    Drop,
    /// To the kernel's log with this prefix, and on to the next rule.
    Log(String),
    /// To this NFLOG group with this prefix, and on to the next rule.
    Nflog(u16, String),
}
