//! What nft(8)'s words stand for, and how its JSON writes numbers.

use serde_json::Value;

use crate::core::listener::Family;
use crate::core::netfilter::{ct, icmp};

/// What a value is, which says how it is written and what its words mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Interface,
    Address(Family),
    Protocol,
    NetworkProtocol,
    /// The type in the Ethernet header, told as [`super::super::Field::NetworkProtocol`].
    EtherType,
    Port,
    TcpFlags,
    State,
    Status,
    Direction,
    /// A type of ICMP or ICMPv6.
    IcmpType(Family),
    IcmpCode(Family),
    Mark,
    /// Numbers of bits; names are of a file of the administrator's.
    Label,
    AddressType,
    /// Whether there is a route.
    Route,
    PacketType,
    /// A number without words.
    Number,
    /// A word that nft prints in quotes.
    Quoted,
    /// A length of time in seconds.
    Time,
    Other,
}

impl Kind {
    /// The kind of a set's type, as nft(8) names it.
    pub(super) fn of_type(word: &str) -> Self {
        match word {
            "ifname" | "iface_index" => Self::Interface,
            "ipv4_addr" => Self::Address(Family::Ipv4),
            "ipv6_addr" => Self::Address(Family::Ipv6),
            "inet_proto" => Self::Protocol,
            "nf_proto" => Self::NetworkProtocol,
            "ether_type" => Self::EtherType,
            "inet_service" => Self::Port,
            "tcp_flag" => Self::TcpFlags,
            "ct_state" => Self::State,
            "ct_status" => Self::Status,
            "ct_dir" => Self::Direction,
            "icmp_type" => Self::IcmpType(Family::Ipv4),
            "icmpv6_type" => Self::IcmpType(Family::Ipv6),
            "icmp_code" => Self::IcmpCode(Family::Ipv4),
            "icmpv6_code" => Self::IcmpCode(Family::Ipv6),
            "mark" => Self::Mark,
            "ct_label" => Self::Label,
            "fib_addrtype" => Self::AddressType,
            "pkt_type" => Self::PacketType,
            "integer" => Self::Number,
            _ => Self::Other,
        }
    }

    /// The greatest value.
    pub(super) const fn most(self) -> u128 {
        match self {
            Self::Port => 0xffff,
            Self::Address(Family::Ipv4) | Self::Mark => 0xffff_ffff,
            Self::Protocol
            | Self::NetworkProtocol
            | Self::TcpFlags
            | Self::IcmpType(_)
            | Self::IcmpCode(_)
            | Self::AddressType => 0xff,
            Self::Address(Family::Ipv6)
            | Self::Interface
            | Self::EtherType
            | Self::State
            | Self::Status
            | Self::Direction
            | Self::Label
            | Self::Route
            | Self::PacketType
            | Self::Number
            | Self::Quoted
            | Self::Time
            | Self::Other => u128::MAX,
        }
    }

    /// Whether values are sets of bits, so that `ct state new` asks for one of them.
    pub(super) const fn is_bits(self) -> bool {
        matches!(self, Self::TcpFlags | Self::State | Self::Status | Self::Label)
    }

    /// The bits that count where a value is compared as a whole: those of `State` that nft does not
    /// know are not its business.
    pub(super) const fn mask(self) -> Option<u128> {
        match self {
            Self::State => Some(ct::INVALID | ct::ESTABLISHED | ct::RELATED | ct::NEW | ct::UNTRACKED),
            _ => None,
        }
    }

    /// What a word means.
    fn word(self, word: &str) -> Option<u128> {
        let among = |table: &[(&str, u128)]| table.iter().find(|(name, _)| *name == word).map(|found| found.1);
        match self {
            Self::Protocol => among(PROTOCOLS),
            Self::NetworkProtocol => among(NETWORK_PROTOCOLS),
            Self::EtherType => match word {
                "ip" => Some(2),
                "arp" => Some(3),
                "ip6" => Some(10),
                _ => None,
            },
            Self::Port => among(SERVICES),
            Self::TcpFlags => among(TCP_FLAGS),
            Self::State => among(STATES),
            Self::Status => among(STATUSES),
            Self::IcmpType(family) => icmp::kind(family, word).map(u128::from),
            Self::IcmpCode(family) => among(icmp_codes(family)),
            Self::Direction => among(&[("original", 0), ("reply", 1)]),
            Self::AddressType => among(ADDRESS_TYPES),
            Self::PacketType => among(PACKET_TYPES),
            Self::Address(family) => address(word, family),
            Self::Interface
            | Self::Mark
            | Self::Label
            | Self::Route
            | Self::Number
            | Self::Quoted
            | Self::Time
            | Self::Other => None,
        }
    }
}

/// One value of a kind, as a number.
pub(super) fn constant(value: &Value, kind: Kind) -> Option<u128> {
    match value {
        Value::Number(number) => number.as_u64().map(u128::from).and_then(|number| counted(number, kind)),
        Value::String(word) => kind.word(word).or_else(|| match kind {
            // What looks like a number may be part of an address or the name of an interface.
            Kind::Address(_) | Kind::Interface => None,
            _ => digits(word).and_then(|number| counted(number, kind)),
        }),
        Value::Bool(is) => (kind == Kind::Route).then_some(u128::from(*is)),
        Value::Array(several) if kind.is_bits() => all_bits(several, kind),
        Value::Object(map) if kind.is_bits() => match map.get("|") {
            Some(Value::Array(several)) => all_bits(several, kind),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Bits, put together.
fn all_bits(several: &[Value], kind: Kind) -> Option<u128> {
    several
        .iter()
        .try_fold(0, |bits, one| Some(bits | constant(one, kind)?))
}

/// A number that nft printed for a kind, as fwtui counts.
const fn counted(number: u128, kind: Kind) -> Option<u128> {
    match (kind, number) {
        (Kind::Label, bit @ 0..128) => Some(1 << bit),
        (Kind::EtherType, 0x0800) => Some(2),
        (Kind::EtherType, 0x86dd) => Some(10),
        (Kind::EtherType, 0x0806) => Some(3),
        // An index of an interface is one certain interface: its name is not told.
        (Kind::EtherType | Kind::Interface | Kind::Label, _) | (Kind::Route, 1..) => None,
        (_, number) if number > kind.most() => None,
        (_, number) => Some(number),
    }
}

/// Decimal or hexadecimal digits.
fn digits(word: &str) -> Option<u128> {
    match word.strip_prefix("0x") {
        Some(hexadecimal) => u128::from_str_radix(hexadecimal, 16).ok(),
        None => word.parse().ok(),
    }
}

/// An address as a number.
fn address(word: &str, family: Family) -> Option<u128> {
    match family {
        Family::Ipv4 => word
            .parse::<std::net::Ipv4Addr>()
            .ok()
            .map(|address| u128::from(u32::from(address))),
        Family::Ipv6 => word.parse::<std::net::Ipv6Addr>().ok().map(u128::from),
    }
}

/// As `/etc/protocols` of the distributions names them; nft asks it.
const PROTOCOLS: &[(&str, u128)] = &[
    ("tcp", 6),
    ("udp", 17),
    ("icmp", 1),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("udplite", 136),
    ("sctp", 132),
    ("dccp", 33),
    ("igmp", 2),
    ("esp", 50),
    ("ah", 51),
    ("comp", 108),
    ("ipcomp", 108),
    ("gre", 47),
    ("ip", 0),
    ("hopopt", 0),
    ("ipencap", 4),
    ("ipip", 4),
    ("ipv6", 41),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("rsvp", 46),
    ("eigrp", 88),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("carp", 112),
    ("l2tp", 115),
];

const NETWORK_PROTOCOLS: &[(&str, u128)] = &[("ipv4", 2), ("ip", 2), ("ipv6", 10), ("ip6", 10), ("arp", 3)];

/// Only old versions, and `nft -S`, print services by name.
const SERVICES: &[(&str, u128)] = &[
    ("ssh", 22),
    ("domain", 53),
    ("http", 80),
    ("https", 443),
    ("smtp", 25),
    ("ntp", 123),
    ("mdns", 5353),
    ("bootps", 67),
    ("bootpc", 68),
    ("dhcpv6-client", 546),
    ("dhcpv6-server", 547),
];

const TCP_FLAGS: &[(&str, u128)] = &[
    ("fin", 1),
    ("syn", 2),
    ("rst", 4),
    ("psh", 8),
    ("ack", 16),
    ("urg", 32),
    ("ecn", 64),
    ("cwr", 128),
];

const STATES: &[(&str, u128)] = &[
    ("invalid", ct::INVALID),
    ("established", ct::ESTABLISHED),
    ("related", ct::RELATED),
    ("new", ct::NEW),
    ("untracked", ct::UNTRACKED),
];

/// `IPS_*` in `linux/netfilter/nf_conntrack_common.h`.
const STATUSES: &[(&str, u128)] = &[
    ("expected", 1),
    ("seen-reply", 1 << 1),
    ("assured", 1 << 2),
    ("confirmed", 1 << 3),
    ("snat", ct::STATUS_SNAT),
    ("dnat", ct::STATUS_DNAT),
    ("dying", 1 << 9),
];

/// As nft names them (`src/proto.c`).
const fn icmp_codes(family: Family) -> &'static [(&'static str, u128)] {
    match family {
        Family::Ipv4 => &[
            ("net-unreachable", 0),
            ("host-unreachable", 1),
            ("prot-unreachable", 2),
            ("port-unreachable", 3),
            ("frag-needed", 4),
            ("net-prohibited", 9),
            ("host-prohibited", 10),
            ("admin-prohibited", 13),
        ],
        Family::Ipv6 => &[
            ("no-route", 0),
            ("admin-prohibited", 1),
            ("addr-unreachable", 3),
            ("port-unreachable", 4),
            ("policy-fail", 5),
            ("reject-route", 6),
        ],
    }
}

const ADDRESS_TYPES: &[(&str, u128)] = &[
    ("unspec", 0),
    ("unicast", 1),
    ("local", 2),
    ("broadcast", 3),
    ("anycast", 4),
    ("multicast", 5),
    ("blackhole", 6),
    ("unreachable", 7),
    ("prohibit", 8),
];

const PACKET_TYPES: &[(&str, u128)] = &[
    ("host", 0),
    ("unicast", 0),
    ("broadcast", 1),
    ("multicast", 2),
    ("other", 3),
    ("otherhost", 3),
];
