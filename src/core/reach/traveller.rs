//! A packet on its way: what rules made of it so far, and what of it they can ask for.

use std::net::IpAddr;

use super::packet::{Ends, Packet, State, Transport};
use crate::core::listener::{Family, Protocol};
use crate::core::netfilter::{Direction, End, Field, NatKind, OfInterface, ct, icmp, number};
use crate::core::network::{RouteKind, World};

/// Conntrack looks at packets at this priority (`NF_IP_PRI_CONNTRACK` in `linux/netfilter_ipv4.h`);
/// before it nothing is known of a connection.
pub(super) const CONNTRACK: i32 = -200;

/// The interface a packet leaves by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves<'a> {
    /// None: not decided yet, or it is taken in.
    Nowhere,
    By(&'a str),
    /// Decided by routes that were not read.
    Unknown,
}

/// A packet on its way: what rules made of it so far.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the packet"
)]
pub(super) struct Traveller<'a> {
    pub(super) interface: &'a str,
    pub(super) leaves: Leaves<'a>,
    pub(super) family: Family,
    /// As it is now.
    pub(super) ends: Ends,
    /// As it was sent.
    pub(super) original: Ends,
    pub(super) transport: Transport,
    pub(super) state: State,
    /// A rule said so, whatever conntrack would say.
    pub(super) is_untracked: bool,
    pub(super) direction: Direction,
    /// Whether a nat chain has decided on its destination, and so no other does.
    pub(super) is_destination_settled: bool,
    /// The same of its source.
    pub(super) is_source_settled: bool,
    pub(super) has_new_destination: bool,
    /// None where a rule rewrote it, maybe to what it was.
    pub(super) has_new_source: Option<bool>,
    /// Its source, address and port, was rewritten to one that is not known.
    pub(super) is_source_unknown: bool,
    /// None where it can't be told.
    pub(super) mark: Option<u32>,
    pub(super) connection_mark: Option<u32>,
    /// Whether conntrack has looked at it.
    pub(super) is_seen: bool,
    /// Those that rules have set on its way: what an earlier packet of the connection got, it gets as well.
    pub(super) labels: u128,
    /// The priority of the base chain it is in.
    pub(super) priority: i32,
    /// Conntrack saw it on its way out already: this machine's own to itself.
    pub(super) is_looped: bool,
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// The packet has no such field: nothing that asks for it matches.
    Absent,
    /// It can't be told.
    Unknown,
    Number(u128),
    Name(&'a str),
}

/// The number of a protocol (`IPPROTO_*`).
const fn protocol_number(transport: Transport, family: Family) -> u8 {
    match transport {
        Transport::Ports(Protocol::Tcp) => 6,
        Transport::Ports(Protocol::Udp) => 17,
        Transport::Ports(Protocol::UdpLite) => 136,
        Transport::Icmp(..) => icmp::protocol(family),
    }
}

impl<'a> Traveller<'a> {
    pub(super) fn new(packet: &Packet<'a>) -> Self {
        let original = match packet.direction {
            Direction::Original => packet.ends,
            Direction::Reply => packet.ends.exchanged(),
        };
        // What an earlier packet of the connection left there is not known.
        let connection_mark = match packet.state {
            State::New | State::Invalid | State::Untracked => Some(0),
            State::Established | State::Related => None,
        };
        Self {
            interface: packet.interface,
            leaves: Leaves::Nowhere,
            is_destination_settled: false,
            is_source_settled: false,
            family: Family::of(packet.ends.destination),
            ends: packet.ends,
            original,
            transport: packet.transport,
            state: packet.state,
            is_untracked: false,
            direction: packet.direction,
            has_new_destination: false,
            has_new_source: Some(false),
            is_source_unknown: false,
            mark: Some(0),
            connection_mark,
            is_seen: false,
            labels: 0,
            priority: 0,
            is_looped: false,
        }
    }

    /// What conntrack has said by now.
    pub(super) fn state_now(&self) -> State {
        match self.state {
            _ if self.is_untracked => State::Untracked,
            _ if !self.is_seen => State::Invalid,
            state => state,
        }
    }

    /// Gives its connection a label, if there is one by now.
    pub(super) fn set_label(&mut self, bit: u8) {
        if self.is_tracked() {
            self.labels |= 1_u128.checked_shl(bit.into()).unwrap_or(0);
        }
    }

    /// SNAT and MASQUERADE: who has such a source already keeps it, and then counts as not rewritten
    /// (`get_unique_tuple` and `nf_nat_setup_info` in `nf_nat_core.c`). What MASQUERADE takes is not
    /// known.
    pub(super) fn rewrite_source(
        &mut self,
        kind: NatKind,
        addresses: Option<(IpAddr, IpAddr)>,
        ports: Option<(u16, u16)>,
    ) {
        let Ends {
            source, source_port, ..
        } = self.ends;
        self.is_source_settled = true;
        let keeps_port = ports.is_none_or(|(first, last)| (first..=last).contains(&source_port));
        let keeps_address = match addresses {
            Some((first, last)) if first == last => Some(first == source),
            Some((first, last)) => (!(first..=last).contains(&source)).then_some(false),
            None => (kind == NatKind::Source).then_some(true),
        };
        match addresses {
            Some((first, last)) if first == last && Family::of(first) == self.family => self.ends.source = first,
            None if kind == NatKind::Source => {}
            _ => self.is_source_unknown = true,
        }
        self.is_source_unknown |= !keeps_port;
        self.has_new_source = match keeps_port {
            true => keeps_address.map(|keeps| !keeps),
            false => Some(true),
        };
    }

    pub(super) fn is_tracked(&self) -> bool {
        !matches!(self.state_now(), State::Untracked | State::Invalid)
    }

    /// Whether what became of its source can't be told, and so not what the field holds.
    fn is_hidden(&self, field: &Field) -> bool {
        let is_unknown = self.is_source_unknown;
        match field {
            Field::Address(family, End::Source) => is_unknown && *family == self.family,
            Field::Port(protocol, End::Source) => {
                let has_ports = matches!(self.transport, Transport::Ports(_));
                is_unknown && has_ports && protocol.is_none_or(|number| number == self.protocol())
            }
            Field::AddressType(End::Source, _) => is_unknown,
            Field::ConnectionAddress(_, Direction::Reply, End::Destination)
            | Field::ConnectionPort(Direction::Reply, End::Destination) => is_unknown && self.is_tracked(),
            Field::State | Field::Status => self.has_new_source.is_none() && self.is_tracked(),
            _ => false,
        }
    }

    pub(super) fn value(&self, field: &Field, world: &'a World) -> Value<'a> {
        let number_of = |number: u32| Value::Number(number.into());
        let address_of = |family, address| match family == self.family {
            true => Value::Number(number(address)),
            false => Value::Absent,
        };
        match field {
            Field::InInterface => Value::Name(self.interface),
            Field::OutInterface => match self.leaves {
                Leaves::Nowhere => Value::Name(""),
                Leaves::By(name) => Value::Name(name),
                Leaves::Unknown => Value::Unknown,
            },
            field if self.is_hidden(field) => Value::Unknown,
            Field::Address(family, end) => address_of(*family, self.ends.address(*end)),
            Field::Protocol => number_of(self.protocol().into()),
            Field::NetworkProtocol => number_of(if self.family == Family::Ipv4 { 2 } else { 10 }),
            Field::Port(protocol, _) if protocol.is_some_and(|number| number != self.protocol()) => Value::Absent,
            Field::Port(_, end) => match self.transport {
                Transport::Ports(_) => number_of(self.ends.port(*end).into()),
                Transport::Icmp(..) => Value::Absent,
            },
            Field::TcpFlags => match (self.transport, self.state) {
                (Transport::Ports(Protocol::Tcp), State::New | State::Untracked) => number_of(SYN),
                (Transport::Ports(Protocol::Tcp), State::Established | State::Related | State::Invalid) => {
                    number_of(ACK)
                }
                _ => Value::Absent,
            },
            Field::IcmpType(family) | Field::IcmpCode(family) if *family != self.family => Value::Absent,
            Field::IcmpType(_) => match self.transport {
                Transport::Icmp(kind, _) => number_of(kind.into()),
                Transport::Ports(_) => Value::Absent,
            },
            Field::IcmpCode(_) => match self.transport {
                Transport::Icmp(_, code) => number_of(code.into()),
                Transport::Ports(_) => Value::Absent,
            },
            Field::HopLimit => match (self.family, self.transport) {
                (Family::Ipv4, _) => Value::Absent,
                // RFC 4861 has it so that it came over no router, RFC 2710 and 3810 so that it goes over none.
                (Family::Ipv6, Transport::Icmp(133..=137, _)) => number_of(255),
                (Family::Ipv6, Transport::Icmp(130..=132 | 143, _)) => number_of(1),
                (Family::Ipv6, _) => Value::Unknown,
            },
            Field::ConnectionProtocol => match (self.is_tracked(), self.state) {
                (false, _) => Value::Absent,
                (true, State::Related) => Value::Unknown,
                (true, _) => number_of(self.protocol().into()),
            },
            Field::State => {
                let nat = |is_so, bit| if is_so { bit } else { 0 };
                let bits = nat(self.has_new_source == Some(true), ct::SNAT) | nat(self.has_new_destination, ct::DNAT);
                Value::Number(self.state_now().bit() | bits)
            }
            Field::Status => match (self.is_tracked(), self.state) {
                (false, _) => Value::Absent,
                // Confirmed, assured, seen-reply: bits that are only certain for a first packet.
                (true, State::New) => {
                    let nat = |is_so, bit| if is_so { bit } else { 0 };
                    Value::Number(
                        nat(self.has_new_source == Some(true), ct::STATUS_SNAT)
                            | nat(self.has_new_destination, ct::STATUS_DNAT)
                            | nat(self.is_looped, CONFIRMED),
                    )
                }
                (true, _) => Value::Unknown,
            },
            Field::Direction if self.is_tracked() => number_of(u32::from(self.direction == Direction::Reply)),
            // Of what it is an error about not all is known here.
            Field::ConnectionAddress(..) | Field::ConnectionPort(..)
                if self.is_tracked() && self.state == State::Related =>
            {
                Value::Unknown
            }
            Field::ConnectionAddress(family, direction, end) if self.is_tracked() => {
                address_of(*family, self.connection(*direction).address(*end))
            }
            Field::ConnectionPort(direction, end) if self.is_tracked() => {
                number_of(self.connection(*direction).port(*end).into())
            }
            Field::Direction | Field::ConnectionAddress(..) | Field::ConnectionPort(..) => Value::Absent,
            Field::Mark => self.mark.map_or(Value::Unknown, number_of),
            Field::ConnectionMark if !self.is_tracked() => Value::Absent,
            Field::ConnectionMark => self.connection_mark.map_or(Value::Unknown, number_of),
            Field::Labels if self.is_tracked() && self.connection_mark.is_none() => Value::Unknown,
            Field::Labels => Value::Number(self.labels),
            Field::AddressType(end, interface) => self.address_type(*end, *interface, world),
            Field::RouteBack(interface) => self.route_back(*interface, world),
            Field::PacketType => number_of(match () {
                () if self.is_multicast() => 2,
                () if self.is_broadcast(world) => 1,
                () => 0,
            }),
            Field::Other(_) => Value::Unknown,
        }
    }

    /// The same as it is looked up in a set of nft's: its states are no more than that, xtables' SNAT
    /// and DNAT are not among them.
    pub(super) fn looked_up(&self, field: &Field, world: &'a World) -> Value<'a> {
        match (field, self.value(field, world)) {
            (Field::State, Value::Number(bits)) => Value::Number(bits & !(ct::SNAT | ct::DNAT)),
            (_, value) => value,
        }
    }

    pub(super) fn protocol(&self) -> u8 {
        protocol_number(self.transport, self.family)
    }

    /// The ends as conntrack holds them for a direction.
    fn connection(&self, direction: Direction) -> Ends {
        match (direction, self.direction) {
            (Direction::Original, _) => self.original,
            (Direction::Reply, Direction::Original) => self.ends.exchanged(),
            (Direction::Reply, Direction::Reply) => self.ends,
        }
    }

    fn is_multicast(&self) -> bool {
        self.ends.destination.is_multicast()
    }

    fn is_broadcast(&self, world: &World) -> bool {
        let is_so = |address| {
            address == IpAddr::from([255; 4])
                || world
                    .route(address)
                    .is_some_and(|route| route.kind == RouteKind::Broadcast)
        };
        self.family == Family::Ipv4 && is_so(self.ends.destination)
    }

    /// `inet_addr_type` and `ipv6_addr_type` with the kernel's routes, as numbers of `RTN_*`.
    fn address_type(&self, end: End, of: OfInterface, world: &World) -> Value<'a> {
        const UNICAST: u128 = 1;
        const LOCAL: u128 = 2;
        const BROADCAST: u128 = 3;
        const MULTICAST: u128 = 5;
        let address = self.ends.address(end);
        if address.is_multicast() {
            return Value::Number(MULTICAST);
        }
        if end == End::Destination && self.is_broadcast(world) {
            return Value::Number(BROADCAST);
        }
        let name = match of {
            OfInterface::Any => None,
            OfInterface::In => Some(self.interface),
            OfInterface::Out => match self.leaves {
                Leaves::Nowhere => None,
                Leaves::By(name) => Some(name),
                Leaves::Unknown => return Value::Unknown,
            },
        };
        let is_local = match name {
            None => world.is_local(address) || world.route(address).is_some_and(|route| route.kind == RouteKind::Local),
            Some(name) => world
                .interface(name)
                .is_some_and(|interface| interface.addresses.iter().any(|net| net.addr() == address)),
        };
        match is_local {
            true => Value::Number(LOCAL),
            false if of == OfInterface::Any && !world.has_policy_routing && world.route(address).is_none() => {
                // Unreachable: the kernel says RTN_UNICAST for IPv4 and 7 for IPv6.
                Value::Number(if self.family == Family::Ipv4 { UNICAST } else { 7 })
            }
            false => Value::Number(UNICAST),
        }
    }

    fn route_back(&self, of: OfInterface, world: &World) -> Value<'a> {
        // What this machine sends to itself is not asked (`rpfilter_is_loopback`, `nft_fib_is_loopback`).
        if self.interface == "lo" {
            return Value::Number(1);
        }
        if world.has_policy_routing {
            return Value::Unknown;
        }
        let route = world
            .route(self.ends.source)
            .filter(|route| route.kind == RouteKind::Unicast);
        let is_through = |index| match of {
            OfInterface::Any | OfInterface::Out => true,
            OfInterface::In => world
                .interface_at(index)
                .is_some_and(|interface| interface.name == self.interface),
        };
        // A link-local neighbour is on the link he came by.
        let is_link_local = match self.ends.source {
            IpAddr::V4(source) => source.is_link_local(),
            IpAddr::V6(source) => source.is_unicast_link_local(),
        };
        let has_one =
            is_link_local && self.family == Family::Ipv6 || route.is_some_and(|route| is_through(route.interface));
        Value::Number(u128::from(has_one))
    }
}

/// `IPS_CONFIRMED`: on its way out conntrack has taken it into its table.
const CONFIRMED: u128 = 1 << 3;

/// TCP's flags in a packet's 14th byte.
const SYN: u32 = 0x02;
const ACK: u32 = 0x10;
