//! ICMP by hand.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use fwtui::core::listener::Family;
use fwtui::sys::netns;
use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto, sockopt};

use crate::packets::raw;

/// Sockets for ICMP: the peer's to send, the machine's to hear.
pub struct Voices {
    pub family: Family,
    pub own: IpAddr,
    pub peer: IpAddr,
    says: OwnedFd,
    hears: OwnedFd,
}

impl Voices {
    pub fn open(family: Family, own: &str, peer: &str) -> Self {
        let (own, peer): (IpAddr, IpAddr) = (own.parse().unwrap(), peer.parse().unwrap());
        let number = if family == Family::Ipv4 { 1 } else { 58 };
        let says = netns::enter("public", || {
            let socket = raw(family, number);
            rustix::net::bind(&socket, &SocketAddr::new(peer, 0)).unwrap();
            if family == Family::Ipv6 {
                sockopt::set_ipv6_unicast_hops(&socket, Some(255)).unwrap();
            }
            socket
        });
        Self {
            family,
            own,
            peer,
            says: says.unwrap(),
            hears: raw(family, number),
        }
    }

    /// A message with a number by which it is known again, and what it is about.
    pub fn say(&self, kind: u8, code: u8, number: u16, about: &[u8]) {
        let [high, low] = number.to_be_bytes();
        let mut message = vec![kind, code, 0, 0, high, low, 0, 0];
        if (self.family, kind) == (Family::Ipv6, 2) {
            // The size that fits: IPv6's least.
            message[4..8].copy_from_slice(&1280u32.to_be_bytes());
        }
        message.extend(about);
        if self.family == Family::Ipv4 {
            let sum: u32 = message
                .chunks(2)
                .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
                .sum();
            let folded = (sum & 0xffff) + (sum >> 16);
            let checksum = !(((folded & 0xffff) + (folded >> 16)) as u16);
            message[2..4].copy_from_slice(&checksum.to_be_bytes());
        }
        let _ = sendto(&self.says, &message, SendFlags::empty(), &SocketAddr::new(self.own, 0));
    }

    /// What came: type, code and number; of an error the port it is about.
    pub fn heard(&self) -> Vec<(u8, u8, u16)> {
        let mut buffer = [0; 2048];
        let mut all = Vec::new();
        while let Ok((bytes, _, _)) = recvfrom(&self.hears, &mut buffer[..], RecvFlags::empty()) {
            let packet = &buffer[..bytes];
            let message = if self.family == Family::Ipv4 {
                &packet[20..]
            } else {
                packet
            };
            let inner = if self.family == Family::Ipv4 { 28 } else { 48 };
            let word = |at: usize| {
                message
                    .get(at..at + 2)
                    .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            };
            let number = word(inner).or_else(|| word(4)).unwrap();
            all.push((message[0], message[1], number));
        }
        all
    }

    /// The head of a packet of UDP that the machine sent to the peer.
    pub fn sent(&self, port: u16) -> Vec<u8> {
        let mut head = match (self.own, self.peer) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => {
                let mut head = vec![0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0];
                head.extend(own.octets());
                head.extend(peer.octets());
                head
            }
            (IpAddr::V6(own), IpAddr::V6(peer)) => {
                let mut head = vec![0x60, 0, 0, 0, 0, 12, 17, 64];
                head.extend(own.octets());
                head.extend(peer.octets());
                head
            }
            _ => unreachable!("one family"),
        };
        head.extend(port.to_be_bytes());
        head.extend(9u16.to_be_bytes());
        head.extend([0, 12, 0, 0]);
        head
    }
}
