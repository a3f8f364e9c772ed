//! Packets made by hand: what no program that is always there would send.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};

use crate::harness::SILENCE;

fn socket(family: AddressFamily, protocol: Protocol) -> OwnedFd {
    let socket = rustix::net::socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, Some(protocol)).unwrap();
    sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(Duration::from_millis(100))).unwrap();
    socket
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

/// Sends an echo request from the calling thread's namespace. True: the reply came.
pub fn ping(target: IpAddr) -> bool {
    let is_v4 = target.is_ipv4();
    // Type, code, checksum, identifier, sequence number (RFC 792; RFC 4443 has other types).
    let mut request = [if is_v4 { 8 } else { 128 }, 0, 0, 0, 0xf3, 0x71, 0, 1];
    let (socket, reply) = if is_v4 {
        let sum = checksum(&request).to_be_bytes();
        request[2..4].copy_from_slice(&sum);
        (socket(AddressFamily::INET, ipproto::ICMP), 0)
    } else {
        // The kernel fills in ICMPv6 checksums.
        (socket(AddressFamily::INET6, ipproto::ICMPV6), 129)
    };
    rustix::net::sendto(&socket, &request, SendFlags::empty(), &SocketAddr::new(target, 0)).unwrap();
    let deadline = std::time::Instant::now() + SILENCE;
    let mut buffer = [0; 256];
    while std::time::Instant::now() < deadline {
        let Ok((count, _)) = rustix::net::recv(&socket, &mut buffer, RecvFlags::empty()) else {
            continue;
        };
        // An IPv4 raw socket gives the IP header too.
        let message = &buffer[if is_v4 { usize::from(buffer[0] & 15) * 4 } else { 0 }..count];
        if message[0] == reply && message[4..8] == request[4..8] {
            return true;
        }
    }
    false
}

/// Sends a router advertisement for a prefix (RFC 4861, 4.2 and 4.6.2) on an interface of the
/// calling thread's namespace to all nodes.
pub fn advertise(prefix: Ipv6Addr, own: Ipv6Addr, interface: u32) {
    let socket = socket(AddressFamily::INET6, ipproto::ICMPV6);
    sockopt::set_ipv6_multicast_hops(&socket, 255).unwrap();
    rustix::net::bind(&socket, &SocketAddrV6::new(own, 0, 0, interface)).unwrap();
    // Type 134, code, checksum; hop limit, flags, router lifetime 0 (no default router); reachable
    // and retransmission time unspecified.
    let mut message = vec![134, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // Prefix information: type 3, 4 x 8 bytes, /64, on-link and autonomous; valid one day,
    // preferred half of it; reserved.
    message.extend([3, 4, 64, 0xc0]);
    message.extend(86_400_u32.to_be_bytes());
    message.extend(43_200_u32.to_be_bytes());
    message.extend([0; 4]);
    message.extend(prefix.octets());
    let all_nodes = SocketAddrV6::new("ff02::1".parse().unwrap(), 0, 0, interface);
    rustix::net::sendto(&socket, &message, SendFlags::empty(), &all_nodes).unwrap();
}

/// The index of an interface in the calling thread's namespace.
pub fn index_of(interface: &str) -> u32 {
    let any = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
    rustix::net::netdevice::name_to_index(&any, interface).unwrap()
}
