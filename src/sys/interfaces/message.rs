//! rtnetlink's messages, read into what fwtui needs of them (`linux/rtnetlink.h`, `if_link.h`,
//! `if_addr.h`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::sys::netlink::{self, Message};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;

// Lengths of the fixed parts: ifinfomsg, ifaddrmsg, rtmsg, rtnexthop.
const IFINFOMSG: usize = 16;
const IFADDRMSG: usize = 8;
const RTMSG: usize = 12;
const RTNEXTHOP: usize = 8;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const IFF_UP: u32 = 0x1;
const IFF_LOOPBACK: u32 = 0x8;

const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
const IFA_F_TEMPORARY: u32 = 0x1;
const IFA_F_PERMANENT: u32 = 0x80;
const IFA_F_MANAGETEMPADDR: u32 = 0x100;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PREFSRC: u16 = 7;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;

const RT_TABLE_MAIN: u32 = 254;
const RTN_UNICAST: u8 = 1;

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    /// `IFLA_INFO_KIND`.
    pub(super) driver: Option<String>,
    /// The bridge, bond or VRF it is a port of.
    pub(super) master: Option<u32>,
    /// The `ARPHRD_*` type.
    pub(super) hardware: u16,
    pub(super) is_up: bool,
    pub(super) is_loopback: bool,
}

impl Link {
    pub(super) fn read(message: &Message<'_>) -> Option<Self> {
        let body = message.body;
        let flags = netlink::native_u32(body, 8)?;
        let mut link = Self {
            index: netlink::native_u32(body, 4)?,
            name: String::new(),
            driver: None,
            master: None,
            hardware: netlink::native_u16(body, 2)?,
            is_up: flags & IFF_UP != 0,
            is_loopback: flags & IFF_LOOPBACK != 0,
        };
        for (kind, value) in netlink::attributes_after(body, IFINFOMSG) {
            match kind {
                IFLA_IFNAME => link.name = netlink::text(value),
                IFLA_MASTER => link.master = netlink::native_u32(value, 0),
                IFLA_LINKINFO => {
                    link.driver = netlink::attributes(value)
                        .find(|(kind, _)| *kind == IFLA_INFO_KIND)
                        .map(|(_, value)| netlink::text(value));
                }
                _ => {}
            }
        }
        // A bridge also announces its ports in a family of its own (AF_BRIDGE).
        Some(link).filter(|link| message.kind == RTM_NEWLINK && body.first() == Some(&0) && !link.name.is_empty())
    }
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) interface: u32,
    /// This machine's address.
    pub(super) local: IpNet,
    /// The prefix on the link: the peer's, where there is one.
    pub(super) prefix: IpNet,
    pub(super) has_no_prefix_route: bool,
    /// IPv6: it comes and goes by itself, or others beside it do.
    pub(super) is_changing: bool,
}

impl Address {
    pub(super) fn read(message: &Message<'_>) -> Option<Self> {
        let body = message.body;
        let family = *body.first()?;
        let length = *body.get(1)?;
        // The old field has the low 8 bits only, and the flag is not among them.
        let (mut peer, mut local, mut flags) = (None, None, 0);
        for (kind, value) in netlink::attributes_after(body, IFADDRMSG) {
            match kind {
                IFA_ADDRESS => peer = address(family, value),
                IFA_LOCAL => local = address(family, value),
                IFA_FLAGS => flags = netlink::native_u32(value, 0)?,
                _ => {}
            }
        }
        // IFA_ADDRESS is the peer of a point-to-point address and else the same as IFA_LOCAL,
        // which IPv6 leaves out (if_addr.h).
        let (prefix, local) = (peer.or(local)?, local.or(peer)?);
        Some(Self {
            interface: netlink::native_u32(body, 4)?,
            local: IpNet::new(local, length).ok()?,
            prefix: IpNet::new(prefix, length).ok()?,
            has_no_prefix_route: flags & IFA_F_NOPREFIXROUTE != 0,
            // One with an end to its life is not permanent.
            is_changing: family == AF_INET6
                && (flags & IFA_F_PERMANENT == 0 || flags & (IFA_F_TEMPORARY | IFA_F_MANAGETEMPADDR) != 0),
        })
        .filter(|_| message.kind == RTM_NEWADDR)
    }
}

/// A route that says something about its interfaces' networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RouteEntry {
    /// The interfaces it leaves by.
    pub(super) interfaces: Vec<u32>,
    /// Whether it is a default route of the main table.
    pub(super) is_default: bool,
    /// The prefix it says is on the link, if it has no gateway.
    pub(super) on_link: Option<IpNet>,
}

impl RouteEntry {
    /// Reads a route; none for those of no interest, such as the many of a full table.
    pub(super) fn read(message: &Message<'_>) -> Option<Self> {
        let body = message.body;
        let [family, length, _, _, table, _, _, kind] = netlink::bytes_at(body, 0)?;
        if message.kind != RTM_NEWROUTE || kind != RTN_UNICAST {
            return None;
        }
        let (mut table, mut destination, mut has_gateway) = (u32::from(table), None, false);
        let mut interfaces = Vec::new();
        for (kind, value) in netlink::attributes_after(body, RTMSG) {
            match kind {
                RTA_DST => destination = address(family, value),
                RTA_OIF => interfaces.extend(netlink::native_u32(value, 0)),
                RTA_GATEWAY | RTA_VIA => has_gateway = true,
                RTA_TABLE => table = netlink::native_u32(value, 0)?,
                RTA_MULTIPATH => {
                    has_gateway = true;
                    interfaces.extend(next_hops(value));
                }
                _ => {}
            }
        }
        let is_default = length == 0 && table == RT_TABLE_MAIN && matches!(family, AF_INET | AF_INET6);
        let on_link = destination
            .filter(|_| length > 0 && !has_gateway)
            .and_then(|destination| IpNet::new(destination, length).ok());
        (is_default || on_link.is_some()).then_some(Self {
            interfaces,
            is_default,
            on_link,
        })
    }
}

/// The interfaces of `RTA_MULTIPATH`: a list of `struct rtnexthop`.
fn next_hops(value: &[u8]) -> impl Iterator<Item = u32> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let length = usize::from(netlink::native_u16(rest, 0)?);
        let interface = netlink::native_u32(rest, 4)?;
        if length < RTNEXTHOP {
            return None;
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(interface)
    })
}

fn address(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => netlink::bytes_at::<4>(value, 0).map(|octets| Ipv4Addr::from(octets).into()),
        AF_INET6 => netlink::bytes_at::<16>(value, 0).map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// The body of a question for the route to one destination: `struct rtmsg` and `RTA_DST`.
pub(super) fn route_request(peer: IpAddr) -> Vec<u8> {
    let mut body = vec![0; RTMSG];
    let (family, octets) = match peer {
        IpAddr::V4(peer) => (AF_INET, peer.octets().to_vec()),
        IpAddr::V6(peer) => (AF_INET6, peer.octets().to_vec()),
    };
    if let [first, length, ..] = body.as_mut_slice() {
        *first = family;
        *length = if peer.is_ipv4() { 32 } else { 128 };
    }
    netlink::push_attribute(&mut body, RTA_DST, &octets);
    body
}

/// The route in the answer to [`route_request`].
pub(super) fn route(message: &Message<'_>) -> Option<super::Route> {
    let family = *message.body.first()?;
    let (mut interface, mut source) = (None, None);
    for (kind, value) in netlink::attributes_after(message.body, RTMSG) {
        match kind {
            RTA_OIF => interface = netlink::native_u32(value, 0),
            RTA_PREFSRC => source = address(family, value),
            _ => {}
        }
    }
    interface
        .filter(|_| message.kind == RTM_NEWROUTE)
        .map(|interface| super::Route { interface, source })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, body: &[u8]) -> Message<'_> {
        Message {
            kind,
            flags: 0,
            sequence: 1,
            body,
        }
    }

    fn link() -> Vec<u8> {
        let mut body = vec![0; IFINFOMSG];
        body[2..4].copy_from_slice(&1_u16.to_ne_bytes());
        body[4..8].copy_from_slice(&3_u32.to_ne_bytes());
        body[8..12].copy_from_slice(&IFF_UP.to_ne_bytes());
        netlink::push_attribute(&mut body, IFLA_IFNAME, b"vnet0\0");
        netlink::push_attribute(&mut body, IFLA_MASTER, &9_u32.to_ne_bytes());
        let mut info = Vec::new();
        netlink::push_attribute(&mut info, IFLA_INFO_KIND, b"tun\0");
        netlink::push_attribute(&mut body, IFLA_LINKINFO | 0x8000, &info);
        body
    }

    #[test]
    fn links_are_read() {
        let body = link();
        let read = Link::read(&message(RTM_NEWLINK, &body)).unwrap();
        assert_eq!((read.index, read.name.as_str()), (3, "vnet0"));
        assert_eq!((read.driver.as_deref(), read.master), (Some("tun"), Some(9)));
        assert!(read.is_up && !read.is_loopback);
    }

    fn peer_to_peer() -> Vec<u8> {
        let mut body = vec![AF_INET, 32, 0, 0, 5, 0, 0, 0];
        netlink::push_attribute(&mut body, IFA_ADDRESS, &[10, 0, 0, 2]);
        netlink::push_attribute(&mut body, IFA_LOCAL, &[10, 0, 0, 1]);
        netlink::push_attribute(&mut body, IFA_FLAGS, &IFA_F_NOPREFIXROUTE.to_ne_bytes());
        body
    }

    #[test]
    fn the_peer_of_an_address_is_on_the_link() {
        let body = peer_to_peer();
        let read = Address::read(&message(RTM_NEWADDR, &body)).unwrap();
        assert_eq!(read.local.to_string(), "10.0.0.1/32");
        assert_eq!(read.prefix.to_string(), "10.0.0.2/32");
        assert!(read.has_no_prefix_route);
        let mut too_long = body;
        too_long[1] = 33;
        assert_eq!(Address::read(&message(RTM_NEWADDR, &too_long)), None);
    }

    fn default_route(kind: u8, table: u8) -> Vec<u8> {
        let mut body = vec![AF_INET6, 0, 0, 0, table, 0, 0, kind, 0, 0, 0, 0];
        let mut hops = Vec::new();
        for interface in [2_u32, 7] {
            hops.extend(8_u16.to_ne_bytes());
            hops.extend([0, 0]);
            hops.extend(interface.to_ne_bytes());
        }
        netlink::push_attribute(&mut body, RTA_MULTIPATH, &hops);
        body
    }

    #[test]
    fn every_hop_of_a_default_route_counts() {
        let body = default_route(RTN_UNICAST, 254);
        let read = RouteEntry::read(&message(RTM_NEWROUTE, &body)).unwrap();
        assert!(read.is_default);
        assert_eq!(read.interfaces, [2, 7]);
        // RTN_BLACKHOLE, RTN_UNREACHABLE, and other tables.
        for (kind, table) in [(6, 254), (7, 254), (RTN_UNICAST, 255)] {
            let body = default_route(kind, table);
            assert_eq!(RouteEntry::read(&message(RTM_NEWROUTE, &body)), None);
        }
    }

    #[test]
    fn a_route_without_gateway_is_on_the_link() {
        let mut body = vec![AF_INET, 24, 0, 0, 254, 0, 0, RTN_UNICAST, 0, 0, 0, 0];
        netlink::push_attribute(&mut body, RTA_DST, &[192, 0, 2, 0]);
        netlink::push_attribute(&mut body, RTA_OIF, &2_u32.to_ne_bytes());
        let read = RouteEntry::read(&message(RTM_NEWROUTE, &body)).unwrap();
        assert_eq!(read.on_link, Some("192.0.2.0/24".parse().unwrap()));
        netlink::push_attribute(&mut body, RTA_GATEWAY, &[192, 0, 2, 1]);
        assert_eq!(RouteEntry::read(&message(RTM_NEWROUTE, &body)), None);
    }

    fn read_all(kind: u16, body: &[u8]) {
        let message = message(kind, body);
        drop(Link::read(&message));
        let _: Option<Address> = Address::read(&message);
        drop(RouteEntry::read(&message));
        let _: Option<super::super::Route> = route(&message);
    }

    #[test]
    fn truncated_messages_are_passed_over() {
        for (kind, whole) in [
            (RTM_NEWLINK, link()),
            (RTM_NEWADDR, peer_to_peer()),
            (RTM_NEWROUTE, default_route(RTN_UNICAST, 254)),
        ] {
            for length in 0..whole.len() {
                read_all(kind, &whole[..length]);
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..128), kind in 16_u16..25) {
            read_all(kind, &body);
        }

        #[test]
        fn no_hops_make_the_reader_panic(hops in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut body = vec![AF_INET, 0, 0, 0, 254, 0, 0, RTN_UNICAST, 0, 0, 0, 0];
            netlink::push_attribute(&mut body, RTA_MULTIPATH, &hops);
            read_all(RTM_NEWROUTE, &body);
        }
    }
}
