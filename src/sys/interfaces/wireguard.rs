//! The peers of a `WireGuard` interface, through generic netlink (`linux/wireguard.h`).

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rustix::net::netlink::GENERIC;

use crate::core::network::Peers;
use crate::sys::netlink::{self, Message, Netlink};

// linux/genetlink.h
const GENL_ID_CTRL: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// `sizeof(struct genlmsghdr)`.
const GENLMSGHDR: usize = 4;

const WG_GENL_NAME: &[u8] = b"wireguard\0";
const WG_GENL_VERSION: u8 = 1;
const WG_CMD_GET_DEVICE: u8 = 0;
const WGDEVICE_A_IFINDEX: u16 = 1;
const WGDEVICE_A_PEERS: u16 = 8;
const WGPEER_A_PUBLIC_KEY: u16 = 1;
const WGPEER_A_ALLOWEDIPS: u16 = 9;
const WGALLOWEDIP_A_FAMILY: u16 = 1;
const WGALLOWEDIP_A_IPADDR: u16 = 2;
const WGALLOWEDIP_A_CIDR_MASK: u16 = 3;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// More than these many parts of an answer are not read: thousands of peers.
const MOST_PARTS: usize = 256;

/// A peer's public key and the networks it may send from, as far as one part of the answer tells.
type Peer = (Vec<u8>, Vec<IpNet>);

/// The peers of the interface with this index; none where the kernel knows no `WireGuard`.
///
/// # Errors
/// The kernel's own; without `CAP_NET_ADMIN` it is that this is not permitted.
pub fn peers(interface: u32) -> io::Result<Option<Peers>> {
    let Some(family) = family(WG_GENL_NAME)? else {
        return Ok(None);
    };
    let request = request(interface);
    let socket = Netlink::open(Some(GENERIC))?;
    let (parts, has_more) = socket.dump_at_most(MOST_PARTS, family, &request, |message| {
        (message.kind == family).then(|| read(message))
    })?;
    Ok(Some(joined(parts.into_iter().flatten(), has_more)))
}

/// The number that the kernel has given to a family of generic netlink.
fn family(name: &[u8]) -> io::Result<Option<u16>> {
    let mut body = vec![CTRL_CMD_GETFAMILY, 1, 0, 0];
    netlink::push_attribute(&mut body, CTRL_ATTR_FAMILY_NAME, name);
    let answer = Netlink::open(Some(GENERIC))?.ask(GENL_ID_CTRL, &body, |message| {
        netlink::attributes_after(message.body, GENLMSGHDR)
            .find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID)
            .and_then(|(_, value)| netlink::native_u16(value, 0))
    });
    match answer {
        Err(error) if netlink::is_unsupported(&error) => Ok(None),
        answer => answer,
    }
}

fn request(interface: u32) -> Vec<u8> {
    let mut body = vec![WG_CMD_GET_DEVICE, WG_GENL_VERSION, 0, 0];
    netlink::push_attribute(&mut body, WGDEVICE_A_IFINDEX, &interface.to_ne_bytes());
    body
}

/// The peers in one part of the answer.
fn read(message: &Message<'_>) -> Vec<Peer> {
    netlink::attributes_after(message.body, GENLMSGHDR)
        .filter(|(kind, _)| *kind == WGDEVICE_A_PEERS)
        .flat_map(|(_, peers)| netlink::attributes(peers))
        .map(|(_, peer)| {
            let of = |wanted| {
                let found = netlink::attributes(peer).filter(move |(kind, _)| *kind == wanted);
                found.map(|(_, value)| value)
            };
            let key = of(WGPEER_A_PUBLIC_KEY).next().unwrap_or_default().to_vec();
            let networks = of(WGPEER_A_ALLOWEDIPS).flat_map(netlink::attributes);
            (key, networks.filter_map(|(_, value)| network(value)).collect())
        })
        .collect()
}

fn network(allowed: &[u8]) -> Option<IpNet> {
    let (mut family, mut address, mut length) = (None, None, None);
    for (kind, value) in netlink::attributes(allowed) {
        match kind {
            WGALLOWEDIP_A_FAMILY => family = netlink::native_u16(value, 0),
            WGALLOWEDIP_A_IPADDR => address = Some(value),
            WGALLOWEDIP_A_CIDR_MASK => length = value.first().copied(),
            _ => {}
        }
    }
    let address: IpAddr = match family? {
        AF_INET => Ipv4Addr::from(netlink::bytes_at::<4>(address?, 0)?).into(),
        AF_INET6 => Ipv6Addr::from(netlink::bytes_at::<16>(address?, 0)?).into(),
        _ => return None,
    };
    IpNet::new(address, length?).ok().map(|net| net.trunc())
}

/// A peer with many networks goes on in the next part, under the same key.
fn joined(parts: impl Iterator<Item = Peer>, has_more: bool) -> Peers {
    let (mut keys, mut networks) = (BTreeSet::new(), BTreeSet::new());
    for (key, allowed) in parts {
        keys.insert(key);
        networks.extend(allowed);
    }
    Peers {
        count: keys.len(),
        networks: networks.into_iter().collect(),
        has_more,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NESTED: u16 = 0x8000;

    fn nest(kind: u16, children: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        netlink::push_attribute(&mut out, NESTED | kind, &children.concat());
        out
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        netlink::push_attribute(&mut out, kind, value);
        out
    }

    fn allowed(net: &str) -> Vec<u8> {
        let net: IpNet = net.parse().unwrap();
        let (family, octets) = match net.addr() {
            IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
            IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
        };
        let parts = [
            attribute(WGALLOWEDIP_A_CIDR_MASK, &[net.prefix_len()]),
            attribute(WGALLOWEDIP_A_FAMILY, &family.to_ne_bytes()),
            attribute(WGALLOWEDIP_A_IPADDR, &octets),
        ];
        nest(0, &parts)
    }

    fn peer(key: u8, nets: &[&str]) -> Vec<u8> {
        let nets: Vec<Vec<u8>> = nets.iter().map(|net| allowed(net)).collect();
        // The endpoint and the times of the last handshake stand between them.
        let parts = [
            attribute(WGPEER_A_PUBLIC_KEY, &[key; 32]),
            attribute(6, &[0; 16]),
            attribute(4, &[2, 0, 0, 0, 192, 0, 2, 7]),
            nest(WGPEER_A_ALLOWEDIPS, &nets),
        ];
        nest(0, &parts)
    }

    /// As `wg_get_device_dump` in the kernel's `drivers/net/wireguard/netlink.c` writes it.
    fn part(peers: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![WG_CMD_GET_DEVICE, WG_GENL_VERSION, 0, 0];
        body.extend(attribute(WGDEVICE_A_IFINDEX, &7_u32.to_ne_bytes()));
        body.extend(attribute(2, b"wg0\0"));
        body.extend(nest(WGDEVICE_A_PEERS, peers));
        body
    }

    fn read_all(parts: &[Vec<u8>]) -> Peers {
        let read = parts.iter().flat_map(|body| {
            read(&Message {
                kind: 30,
                flags: 2,
                sequence: 1,
                body,
            })
        });
        joined(read, false)
    }

    #[test]
    fn a_peer_that_goes_on_in_the_next_part_counts_once() {
        let first = part(&[
            peer(1, &["10.8.0.2/32", "2001:db8:8::2/128"]),
            peer(2, &["10.8.0.3/32"]),
        ]);
        let second = part(&[peer(2, &["192.168.7.9/24"]), peer(3, &[])]);
        let peers = read_all(&[first, second]);
        let networks: Vec<String> = peers.networks.iter().map(ToString::to_string).collect();
        assert_eq!(peers.count, 3);
        assert_eq!(
            networks,
            ["10.8.0.2/32", "10.8.0.3/32", "192.168.7.0/24", "2001:db8:8::2/128"]
        );
    }

    #[test]
    fn an_interface_without_peers_has_none() {
        assert_eq!(read_all(&[part(&[])]), Peers::default());
    }

    #[test]
    fn the_kernel_tells_the_numbers_of_families() {
        assert_eq!(family(b"nlctrl\0").unwrap(), Some(GENL_ID_CTRL));
        assert_eq!(family(b"no-such-thing\0").unwrap(), None);
    }

    #[test]
    fn what_is_no_wireguard_has_no_peers() {
        // With the family: lo is none of its devices. Without it: nothing is known. Without rights:
        // that is said.
        match peers(1) {
            Ok(known) => assert_eq!(known, None),
            Err(error) => assert_ne!(error.kind(), io::ErrorKind::InvalidData, "{error}"),
        }
    }

    proptest! {
        #[test]
        fn no_cut_and_no_byte_makes_the_reader_panic(cut in 0_usize..400, at in 0_usize..400, byte in any::<u8>()) {
            let mut body = part(&[peer(1, &["10.8.0.2/32", "2001:db8:8::2/128"]), peer(2, &["0.0.0.0/0"])]);
            if let Some(changed) = body.get_mut(at) {
                *changed = byte;
            }
            body.truncate(cut);
            drop(read_all(&[body]));
        }
    }
}
