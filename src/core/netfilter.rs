//! The packet filter as the kernel holds it, whoever made it: every table, chain, rule and set, of
//! iptables and of nft, in one typed form.
//!
//! Plain data, made by parsing what the tools print and walked by `core::reach`. What is not
//! understood keeps its place as [`Condition::Unknown`] or [`Statement::Unknown`]: it is never left
//! out, so that nobody takes a guess for an answer.

use std::fmt;
use std::net::IpAddr;

use crate::core::listener::Family;

pub(crate) mod icmp;
pub mod ipset;
pub mod json;
pub mod merge;
mod own;
pub mod owner;
pub mod save;
mod set;

pub use owner::{Tool, owner};
pub use set::{Data, Element, Part, Pattern, Set};

/// Everything the kernel holds, in the order the tools listed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Netfilter {
    /// The tables.
    pub tables: Vec<Table>,
}

/// The two packet filters of Linux. A packet passes both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// `x_tables`: what iptables-legacy writes.
    Legacy,
    /// `nf_tables`: what nft and iptables-nft write.
    Nft,
}

/// The family of a table, in nft(8)'s words. ARP is not about services, and left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableFamily {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// IPv4 and IPv6.
    Inet,
    /// What a bridge forwards or takes in.
    Bridge,
    /// What one device receives.
    Netdev,
}

impl TableFamily {
    /// The word nft(8) uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Ip6 => "ip6",
            Self::Inet => "inet",
            Self::Bridge => "bridge",
            Self::Netdev => "netdev",
        }
    }

    /// Whether a packet of a family passes tables of this one.
    pub const fn sees(self, family: Family) -> bool {
        match self {
            Self::Ip => matches!(family, Family::Ipv4),
            Self::Ip6 => matches!(family, Family::Ipv6),
            Self::Inet | Self::Bridge | Self::Netdev => true,
        }
    }
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which packet filter it belongs to.
    pub engine: Engine,
    /// Its family.
    pub family: TableFamily,
    /// Its name.
    pub name: String,
    /// nft's `flags dormant`: its base chains are not hooked in.
    pub is_dormant: bool,
    /// Its chains.
    pub chains: Vec<Chain>,
    /// Its named sets and maps; for `x_tables` and iptables-nft, those of ipset(8).
    pub sets: Vec<Set>,
}

/// One chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where it is hooked in; none for one that is only jumped to.
    pub base: Option<Base>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// Where a packet passes a base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// As a device receives it (netdev, inet).
    Ingress,
    /// Before routing.
    Prerouting,
    /// For this machine.
    Input,
    /// Through this machine.
    Forward,
    /// From this machine.
    Output,
    /// On its way out.
    Postrouting,
}

impl Hook {
    /// The word nft(8) and the JSON of `explain` use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Prerouting => "prerouting",
            Self::Input => "input",
            Self::Forward => "forward",
            Self::Output => "output",
            Self::Postrouting => "postrouting",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a base chain may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainType {
    /// Accept and drop.
    Filter,
    /// Translate addresses: only the first packet of a connection passes it.
    Nat,
    /// Route again, for packets from this machine.
    Route,
}

/// How a base chain is hooked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its hook.
    pub hook: Hook,
    /// Its type.
    pub kind: ChainType,
    /// Its priority: lower comes first. iptables: raw -300, mangle -150, nat -100 (100 in POSTROUTING
    /// and INPUT), filter 0, security 50 (`linux/netfilter_ipv4.h`).
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drops: bool,
    /// The devices of an ingress chain.
    pub devices: Vec<String>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it asks and does, in order. Counters, logs and comments are left out: they decide nothing.
    pub statements: Vec<Statement>,
    /// The rule as its own tool prints it: `-A INPUT ...` without counters, or nft's text.
    pub text: String,
    /// Its comment.
    pub comment: Option<String>,
}

/// One part of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// The rule ends here for packets that are not so.
    If(Condition),
    /// What becomes of the packet.
    End(Verdict),
    /// A verdict map: the verdict of the element that holds the key; without one the rule ends here.
    Choose {
        /// What is looked up.
        key: Vec<Field>,
        /// Where.
        elements: Elements,
    },
    /// Addresses are rewritten, and the base chain is left.
    Nat(Nat),
    /// A mark is set.
    Mark(SetMark),
    /// The connection gets a label: the bit of this number, below 128. Without a connection nothing
    /// happens, and the rule goes on.
    SetLabel(u8),
    /// Connection tracking will not know the packet.
    NoTrack,
    /// Not understood: it may do anything, or nothing. In words.
    Unknown(String),
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Leaves this base chain; others still have their say.
    Accept,
    /// Gone.
    Drop,
    /// Gone, and the sender is told: `tcp-reset`, `icmp-port-unreachable`, ...
    Reject(String),
    /// Back to the rule behind the jump; from a base chain, to its policy.
    Return,
    /// Through another chain of the table, and back.
    Jump(String),
    /// Through another chain of the table, and from its end to where this one would have returned.
    Goto(String),
    /// On to the next rule.
    Continue,
    /// To a program in user space, which decides (NFQUEUE).
    Queue,
}

/// What a packet must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A field's value is one of these. A packet without the field never matches, negated or not.
    Is {
        /// The field.
        field: Field,
        /// The bits of it that count; none means all.
        mask: Option<u128>,
        /// The values.
        values: Vec<Part>,
        /// Whether it must be none of them.
        is_negated: bool,
    },
    /// A key is in a set. A packet without one of the fields never matches, negated or not.
    In {
        /// The fields of the key, in order.
        key: Vec<Field>,
        /// The set.
        elements: Elements,
        /// Whether it must not be in there.
        is_negated: bool,
    },
    /// Depends on what came before (a rate, a count, a list of recent peers). For the first packet of
    /// a peer that was quiet the answer is known.
    FirstOfMany {
        /// Whether it matches that first packet.
        matches: bool,
        /// The words of the rule: `limit: 3/min`.
        what: String,
    },
    /// A time of the wall clock, in seconds since 1970, both ends included.
    Between {
        /// The first second.
        first: u64,
        /// The last second.
        last: u64,
    },
    /// Not understood, or not knowable beforehand: in words.
    Unknown(String),
}

/// A set or map in a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elements {
    /// Of the table, by name.
    Named(String),
    /// Written into the rule.
    Inline(Set),
}

/// Which end of a packet or connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Where it comes from.
    Source,
    /// Where it goes to.
    Destination,
}

/// Direction of a connection: that of its first packet, or of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// As its first packet.
    Original,
    /// As the answers.
    Reply,
}

/// Something of a packet that can be compared. Numbers are in host order; addresses as big-endian
/// numbers of 32 or 128 bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The name of the interface it came in by.
    InInterface,
    /// The name of the interface it leaves by; empty where there is none (yet).
    OutInterface,
    /// An address, as it is now; absent in packets of the other family.
    Address(Family, End),
    /// The transport protocol's number.
    Protocol,
    /// The network protocol as `NFPROTO_*`: 2 is IPv4, 10 is IPv6.
    NetworkProtocol,
    /// A port, as it is now; with a protocol's number, absent in packets of others.
    Port(Option<u8>, End),
    /// The flags of TCP (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32); absent in others.
    TcpFlags,
    /// The type of ICMP, or for IPv6 of ICMPv6; absent in others.
    IcmpType(Family),
    /// The code to it.
    IcmpCode(Family),
    /// The hop limit of IPv6; absent in IPv4.
    HopLimit,
    /// The protocol of the connection; absent where there is none. Of an ICMP error it is that of the
    /// connection it is about.
    ConnectionProtocol,
    /// Conntrack's state, a bit of [`ct`]; `xt_conntrack`'s SNAT and DNAT are bits of it as well.
    State,
    /// Conntrack's status, bits of `IPS_*`.
    Status,
    /// 0 for original, 1 for reply.
    Direction,
    /// An address of the connection.
    ConnectionAddress(Family, Direction, End),
    /// A port of the connection.
    ConnectionPort(Direction, End),
    /// The packet's mark.
    Mark,
    /// The connection's mark.
    ConnectionMark,
    /// The connection's labels, as bits; none of them where there is no connection.
    Labels,
    /// What kind of address it is (`RTN_*` in linux/rtnetlink.h: 1 unicast, 2 local, 3 broadcast, 4
    /// anycast, 5 multicast, 6 blackhole, 7 unreachable, 8 prohibit), of the whole machine or of the
    /// interface it came in by only.
    AddressType(End, OfInterface),
    /// Whether there is a route back to the source: 1 or 0; through the interface it came in by, or any.
    RouteBack(OfInterface),
    /// The link's packet type (`linux/if_packet.h)`: 0 for this host, 1 broadcast, 2 multicast, 3 other.
    PacketType,
    /// One that is not modelled: in words.
    Other(String),
}

/// Whether an answer is about one interface only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfInterface {
    /// About the whole machine.
    Any,
    /// About the interface the packet came in by.
    In,
    /// About the interface it leaves by.
    Out,
}

/// Bits of [`Field::State`] (`XT_CONNTRACK_STATE_BIT` in `linux/netfilter/xt_conntrack.h`, and
/// `NF_CT_STATE_BIT` for nft, agree on the first five).
pub mod ct {
    /// No or a broken connection.
    pub const INVALID: u128 = 1;
    /// Part of a connection that was seen in both directions.
    pub const ESTABLISHED: u128 = 1 << 1;
    /// Announced by another connection, or an error about one.
    pub const RELATED: u128 = 1 << 2;
    /// The first of a connection.
    pub const NEW: u128 = 1 << 3;
    /// Not looked at.
    pub const UNTRACKED: u128 = 1 << 6;
    /// `xt_conntrack`: its source was rewritten.
    pub const SNAT: u128 = 1 << 7;
    /// `xt_conntrack`: its destination was rewritten.
    pub const DNAT: u128 = 1 << 8;

    /// `IPS_SRC_NAT` in `linux/netfilter/nf_conntrack_common.h`.
    pub const STATUS_SNAT: u128 = 1 << 4;
    /// `IPS_DST_NAT`.
    pub const STATUS_DNAT: u128 = 1 << 5;
}

/// A translation of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nat {
    /// What is rewritten.
    pub kind: NatKind,
    /// To what.
    pub to: To,
}

/// What is rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatKind {
    /// The destination.
    Destination,
    /// The destination, to this machine's own address on the interface it came in by.
    Redirect,
    /// The source.
    Source,
    /// The source, to this machine's address.
    Masquerade,
    /// Nothing: the packet is given to a local socket (TPROXY).
    Proxy,
}

/// What an address and a port are rewritten to. Of a range the kernel takes any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// These; none leaves it as it is.
    Fixed {
        /// First and last address.
        addresses: Option<(IpAddr, IpAddr)>,
        /// First and last port.
        ports: Option<(u16, u16)>,
    },
    /// What a map holds for a key; without an element the rule ends there.
    Map {
        /// What is looked up.
        key: Vec<Field>,
        /// Where.
        elements: Elements,
        /// The ports, where the map holds addresses only.
        ports: Option<(u16, u16)>,
    },
    /// Not understood: in words.
    Unknown(String),
}

/// A mark is set: `(old & !clear) ^ flip`, where old is what `from` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetMark {
    /// Whether it is the connection's mark that is set; else the packet's.
    pub of_connection: bool,
    /// Whether it starts from the connection's mark; else from the packet's.
    pub from_connection: bool,
    /// Bits taken away first. All of them where it is simply set.
    pub clear: u32,
    /// Bits flipped then.
    pub flip: u32,
    /// Whether the new value can't be told: then the others mean nothing.
    pub is_unknown: bool,
}

impl Condition {
    /// A field is one value.
    pub fn is(field: Field, value: u128) -> Self {
        Self::among(field, vec![Part::Range(value, value)])
    }

    /// A field is one of these.
    pub const fn among(field: Field, values: Vec<Part>) -> Self {
        Self::Is {
            field,
            mask: None,
            values,
            is_negated: false,
        }
    }

    /// One or more of these bits of a field are set.
    pub fn has_any(field: Field, bits: u128) -> Self {
        Self::Is {
            field,
            mask: Some(bits),
            values: vec![Part::Range(0, 0)],
            is_negated: true,
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Is {
                field,
                mask,
                values,
                is_negated,
            } => Self::Is {
                field,
                mask,
                values,
                is_negated: !is_negated,
            },
            Self::In {
                key,
                elements,
                is_negated,
            } => Self::In {
                key,
                elements,
                is_negated: !is_negated,
            },
            Self::FirstOfMany { matches, what } => Self::FirstOfMany {
                matches: !matches,
                what: format!("not {what}"),
            },
            Self::Between { .. } => Self::Unknown("not a time".to_owned()),
            Self::Unknown(what) => Self::Unknown(what),
        }
    }
}

impl Table {
    /// The chain of a name.
    pub fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }

    /// The set of a name.
    pub fn set(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|set| set.name == name)
    }
}

/// The address of a family that a number stands for; none for one that is too large.
pub fn address(family: Family, number: u128) -> Option<IpAddr> {
    match family {
        Family::Ipv4 => u32::try_from(number).ok().map(|bits| IpAddr::V4(bits.into())),
        Family::Ipv6 => Some(IpAddr::V6(number.into())),
    }
}

/// An address as a number.
pub fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}
