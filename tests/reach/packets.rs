//! Packets made by hand, and what becomes of them: raw sockets see what the filter has let through.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use fwtui::core::listener::{Family, Protocol};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, recvfrom, sendto, socket_with, sockopt,
};

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It came to a place, with this destination (its address for IPv4 only).
    Arrived {
        place: usize,
        address: Option<IpAddr>,
        port: u16,
    },
    /// The sender got a reset or an error.
    Refused,
    Silence,
}

/// The ears of one namespace, opened by a thread in it. They stay in it for good.
#[derive(Debug)]
pub struct Ears {
    sockets: Vec<(OwnedFd, Family, u8)>,
    voices: HashMap<(IpAddr, Protocol), OwnedFd>,
}

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The packet itself.
    Packet { address: Option<IpAddr>, port: u16 },
    /// A refusal of it.
    Refusal,
}

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

pub fn raw(family: Family, protocol: u8) -> OwnedFd {
    let domain = match family {
        Family::Ipv4 => AddressFamily::INET,
        Family::Ipv6 => AddressFamily::INET6,
    };
    let protocol = match protocol {
        ICMP => ipproto::ICMP,
        TCP => ipproto::TCP,
        UDP => ipproto::UDP,
        _ => ipproto::ICMPV6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(domain, SocketType::RAW, flags, Some(protocol)).unwrap();
    sockopt::set_socket_recv_buffer_size_force(&socket, 4 << 20)
        .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, 4 << 20))
        .unwrap();
    socket
}

impl Ears {
    /// In the calling thread's namespace, with a voice for every address.
    pub fn open(addresses: &[IpAddr]) -> Self {
        let kinds = [
            (Family::Ipv4, TCP),
            (Family::Ipv4, UDP),
            (Family::Ipv4, ICMP),
            (Family::Ipv6, TCP),
            (Family::Ipv6, UDP),
            (Family::Ipv6, ICMPV6),
        ];
        let sockets = kinds.map(|(family, protocol)| (raw(family, protocol), family, protocol));
        let mut voices = HashMap::new();
        for address in addresses {
            for (protocol, number) in [(Protocol::Tcp, TCP), (Protocol::Udp, UDP)] {
                let socket = raw(Family::of(*address), number);
                // It hears nothing: only its own source's packets, and those it does not read.
                let deadline = Instant::now() + Duration::from_secs(5);
                // A new address takes a moment to be one.
                while let Err(error) = rustix::net::bind(&socket, &SocketAddr::new(*address, 0)) {
                    assert!(Instant::now() < deadline, "{address}: {error}");
                    std::thread::sleep(Duration::from_millis(1));
                }
                sockopt::set_socket_recv_buffer_size(&socket, 0).unwrap();
                voices.insert((*address, protocol), socket);
            }
        }
        Self {
            sockets: sockets.into(),
            voices,
        }
    }

    /// Sends the first packet of a connection. The kernel itself may refuse it at once (EPERM), as it
    /// does where a rule on its way out drops it.
    pub fn say(&self, from: SocketAddr, to: SocketAddr, protocol: Protocol) {
        let socket = &self.voices[&(from.ip(), protocol)];
        let packet = first_packet(from, to, protocol);
        let _ = sendto(socket, &packet, SendFlags::empty(), &SocketAddr::new(to.ip(), 0));
    }

    /// What has come since, by the sender's port.
    pub fn listen(&self, mut heard: impl FnMut(Protocol, u16, Heard)) {
        let mut buffer = [0; 2048];
        for (socket, family, protocol) in &self.sockets {
            while let Ok((bytes, _, _)) = recvfrom(socket, &mut buffer[..], RecvFlags::empty()) {
                let packet = &buffer[..bytes];
                if let Some((protocol, port, what)) = understood(packet, *family, *protocol) {
                    heard(protocol, port, what);
                }
            }
        }
    }
}

fn word(packet: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]))
}

fn understood(packet: &[u8], family: Family, protocol: u8) -> Option<(Protocol, u16, Heard)> {
    let (address, body) = match family {
        Family::Ipv4 => {
            let header = usize::from(packet.first()? & 0xf) * 4;
            let octets: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            (Some(IpAddr::from(octets)), packet.get(header..)?)
        }
        Family::Ipv6 => (None, packet),
    };
    let port = word(body, 2);
    match protocol {
        TCP => {
            let flags = *body.get(13)?;
            match flags & 0x17 {
                0x02 => Some((Protocol::Tcp, word(body, 0)?, Heard::Packet { address, port: port? })),
                flags if flags & 0x04 != 0 => Some((Protocol::Tcp, port?, Heard::Refusal)),
                _ => None,
            }
        }
        UDP => Some((Protocol::Udp, word(body, 0)?, Heard::Packet { address, port: port? })),
        _ => {
            // Destination unreachable, and the packet it is about.
            let (kind, inner) = (*body.first()?, body.get(8..)?);
            let (protocol, ports) = match (family, kind) {
                (Family::Ipv4, 3) => (*inner.get(9)?, inner.get(usize::from(inner.first()? & 0xf) * 4..)?),
                (Family::Ipv6, 1) => (*inner.get(6)?, inner.get(40..)?),
                _ => return None,
            };
            let protocol = match protocol {
                TCP => Protocol::Tcp,
                UDP => Protocol::Udp,
                _ => return None,
            };
            Some((protocol, word(ports, 0)?, Heard::Refusal))
        }
    }
}

fn first_packet(from: SocketAddr, to: SocketAddr, protocol: Protocol) -> Vec<u8> {
    let mut packet = Vec::new();
    packet.extend(from.port().to_be_bytes());
    packet.extend(to.port().to_be_bytes());
    let (number, checksum_at) = if protocol == Protocol::Tcp {
        packet.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0x04, 0, 0, 0, 0, 0]);
        (TCP, 16)
    } else {
        packet.extend([0, 12, 0, 0]);
        packet.extend(*b"fwtu");
        (UDP, 6)
    };
    let mut sum: u32 = u32::from(number) + packet.len() as u32;
    let mut add = |bytes: &[u8]| {
        for pair in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
        }
    };
    for address in [from.ip(), to.ip()] {
        match address {
            IpAddr::V4(address) => add(&address.octets()),
            IpAddr::V6(address) => add(&address.octets()),
        }
    }
    add(&packet);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !(sum as u16);
    packet[checksum_at..checksum_at + 2].copy_from_slice(&checksum.to_be_bytes());
    packet
}
