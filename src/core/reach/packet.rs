//! A packet as it sets out.

use std::net::IpAddr;

use crate::core::listener::Protocol;
use crate::core::netfilter::{Direction, End, ct};

/// What conntrack says of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The first of its connection.
    New,
    /// Of a connection that was seen in both directions.
    Established,
    /// Announced by another connection, or an error about one.
    Related,
    /// No connection begins so.
    Invalid,
    /// Not looked at.
    Untracked,
}

impl State {
    pub(super) const fn bit(self) -> u128 {
        match self {
            Self::New => ct::NEW,
            Self::Established => ct::ESTABLISHED,
            Self::Related => ct::RELATED,
            Self::Invalid => ct::INVALID,
            Self::Untracked => ct::UNTRACKED,
        }
    }
}

/// One end and the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A protocol with ports.
    Ports(Protocol),
    /// ICMP, in IPv6 `ICMPv6`: its type and code. The ports mean nothing.
    Icmp(u8, u8),
}

/// A packet as it comes in, or as this machine sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The interface it comes in by, or leaves by; `lo` for this machine's own to itself.
    pub interface: &'a str,
    /// Whether this machine sends it to others. What it sends to itself goes by its interface.
    pub is_sent: bool,
    /// Its ends.
    pub ends: Ends,
    /// What it carries.
    pub transport: Transport,
    /// What conntrack says.
    pub state: State,
    /// Which way of its connection it goes.
    pub direction: Direction,
}

impl<'a> Packet<'a> {
    /// The first of a connection, from an ephemeral port.
    pub const fn opening(
        interface: &'a str,
        source: IpAddr,
        destination: IpAddr,
        protocol: Protocol,
        port: u16,
    ) -> Self {
        Self {
            interface,
            is_sent: false,
            ends: Ends {
                source,
                destination,
                source_port: EPHEMERAL,
                destination_port: port,
            },
            transport: Transport::Ports(protocol),
            state: State::New,
            direction: Direction::Original,
        }
    }

    /// A message of ICMP, or in IPv6 of `ICMPv6`: what nobody asked for, as neighbours and hosts send it.
    /// Discovery of neighbours, routers and listeners is never tracked (`nf_conntrack_icmpv6_init` in
    /// `net/netfilter/nf_conntrack_proto_icmpv6.c`).
    pub const fn icmp(interface: &'a str, source: IpAddr, destination: IpAddr, kind: u8, code: u8) -> Self {
        let is_discovery = matches!(destination, IpAddr::V6(_)) && matches!(kind, 130..=136 | 143);
        Self {
            interface,
            is_sent: false,
            ends: Ends {
                source,
                destination,
                source_port: 0,
                destination_port: 0,
            },
            transport: Transport::Icmp(kind, code),
            state: if is_discovery { State::Untracked } else { State::New },
            direction: Direction::Original,
        }
    }

    /// The same as an error about a connection that this machine opened.
    #[must_use]
    pub const fn about_a_connection(self) -> Self {
        Self {
            state: State::Related,
            direction: Direction::Reply,
            ..self
        }
    }

    /// The same as sent by this machine, by the interface.
    #[must_use]
    pub const fn sent(self) -> Self {
        Self { is_sent: true, ..self }
    }

    /// The answer to it: ends exchanged, and the connection known.
    #[must_use]
    pub const fn answered(self) -> Self {
        Self {
            ends: self.ends.exchanged(),
            is_sent: !self.is_sent,
            state: State::Established,
            direction: Direction::Reply,
            ..self
        }
    }

    /// The same in a connection that was seen in both directions.
    #[must_use]
    pub const fn later(self) -> Self {
        Self {
            state: State::Established,
            ..self
        }
    }
}

/// A port that programs get who don't ask for one.
const EPHEMERAL: u16 = 50_000;

impl Ends {
    /// Seen from the other end.
    pub(super) const fn exchanged(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
        }
    }

    pub(super) const fn address(&self, end: End) -> IpAddr {
        match end {
            End::Source => self.source,
            End::Destination => self.destination,
        }
    }

    pub(super) const fn port(&self, end: End) -> u16 {
        match end {
            End::Source => self.source_port,
            End::Destination => self.destination_port,
        }
    }
}
