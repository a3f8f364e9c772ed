//! Packets made by hand: what no program that is always there would send.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
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
/// calling thread's namespace to all nodes. A lifetime of 0 seconds is that of no default router.
pub fn advertise(prefix: Ipv6Addr, lifetime: u16, own: Ipv6Addr, interface: u32) {
    let socket = socket(AddressFamily::INET6, ipproto::ICMPV6);
    sockopt::set_ipv6_multicast_hops(&socket, 255).unwrap();
    rustix::net::bind(&socket, &SocketAddrV6::new(own, 0, 0, interface)).unwrap();
    // Type 134, code, checksum; hop limit, flags, router lifetime; reachable and retransmission
    // time unspecified.
    let mut message = vec![134, 0, 0, 0, 64, 0];
    message.extend(lifetime.to_be_bytes());
    message.extend([0; 8]);
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

/// Where a frame goes: `struct sockaddr_ll` of `linux/if_packet.h`.
#[repr(C)]
struct LinkAddress {
    family: u16,
    /// In network byte order.
    protocol: u16,
    interface: u32,
    hardware: u16,
    kind: u8,
    length: u8,
    address: [u8; 8],
}

// SAFETY: the pointer is to all of a `sockaddr_ll`, for as long as the closure runs.
#[expect(unsafe_code, reason = "rustix has no addresses of links")]
unsafe impl SocketAddrArg for LinkAddress {
    unsafe fn with_sockaddr<R>(&self, f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        let length = SocketAddrLen::try_from(size_of::<Self>()).unwrap();
        f(std::ptr::from_ref(self).cast(), length)
    }
}

/// Sends a datagram from 0.0.0.0 to 255.255.255.255 as a DHCP client does that has no address: by a
/// packet socket, on an interface of the calling thread's namespace.
pub fn broadcast(interface: u32, from: u16, to: u16, payload: &[u8]) {
    // linux/if_ether.h: ETH_P_IP.
    const IPV4: u16 = 0x0800;
    let socket = rustix::net::socket_with(
        AddressFamily::PACKET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Protocol::from_raw(u32::from(IPV4.to_be()).try_into().unwrap()).into(),
    )
    .unwrap();
    let udp_length = u16::try_from(8 + payload.len()).unwrap();
    // Version and length, type of service, length, identifier, fragment, hops, UDP, checksum.
    let mut packet = vec![0x45, 0];
    packet.extend((20 + udp_length).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend([0, 0, 0, 0, 255, 255, 255, 255]);
    let sum = checksum(&packet).to_be_bytes();
    packet[10..12].copy_from_slice(&sum);
    for word in [from, to, udp_length, 0] {
        packet.extend(word.to_be_bytes());
    }
    packet.extend(payload);
    let everyone = LinkAddress {
        family: AddressFamily::PACKET.as_raw(),
        protocol: IPV4.to_be(),
        interface,
        hardware: 0,
        kind: 0,
        length: 6,
        address: [255, 255, 255, 255, 255, 255, 0, 0],
    };
    rustix::net::sendto(&socket, &packet, SendFlags::empty(), &everyone).unwrap();
}

/// The index of an interface in the calling thread's namespace.
pub fn index_of(interface: &str) -> u32 {
    let any = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).unwrap();
    rustix::net::netdevice::name_to_index(&any, interface).unwrap()
}
