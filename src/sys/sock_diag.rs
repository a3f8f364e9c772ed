//! Sockets, as the kernel's socket monitoring interface reports them (`sock_diag(7)`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use rustix::net::netlink::SOCK_DIAG;

use crate::core::listener::{Family, Listener, Protocol};
use crate::sys::netlink::{self, Message, Netlink};

/// `SOCK_DIAG_BY_FAMILY` in `linux/sock_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;

// Bits of the states in `include/net/tcp_states.h`. UDP sockets have two: established when
// connected, close when not.
const ESTABLISHED: u32 = 1 << 1;
const CLOSE: u32 = 1 << 7;
const LISTEN: u32 = 1 << 10;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// `sizeof(struct inet_diag_msg)`: its attributes follow.
const MESSAGE: usize = 72;
// Attributes, from linux/inet_diag.h.
const INET_DIAG_SKV6ONLY: u16 = 11;
const INET_DIAG_CGROUP_ID: u16 = 21;

/// An established connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The transport protocol.
    pub protocol: Protocol,
    /// This machine's end.
    pub local: SocketAddr,
    /// The other end; a link-local address carries the index of its interface as scope.
    pub peer: SocketAddr,
    /// The socket's inode.
    pub inode: u32,
    /// The user id that made the socket.
    pub uid: u32,
}

/// Every listening socket of this network namespace: TCP in state LISTEN, UDP and UDP-Lite that
/// are bound and not connected.
///
/// `interface_name` names the interface a socket is bound to. A protocol the kernel does not have
/// contributes nothing.
///
/// # Errors
/// The kernel's own; [`io::ErrorKind::Unsupported`] for one that cannot list TCP or UDP at all,
/// since an empty list would be a lie.
pub fn listeners(interface_name: &dyn Fn(u32) -> Option<String>) -> io::Result<Vec<Listener>> {
    let mut netlink = Netlink::open(Some(SOCK_DIAG))?;
    let mut listeners = Vec::new();
    for protocol in Protocol::ALL {
        let states = match protocol {
            Protocol::Tcp => LISTEN,
            Protocol::Udp | Protocol::UdpLite => CLOSE,
        };
        for family in Family::ALL {
            listeners.extend(sockets(&mut netlink, protocol, family, states, |socket| {
                socket.listener(protocol, interface_name)
            })?);
        }
    }
    Ok(listeners)
}

/// Every established TCP connection of this network namespace.
pub fn established() -> io::Result<Vec<Connection>> {
    let mut netlink = Netlink::open(Some(SOCK_DIAG))?;
    let mut connections = Vec::new();
    for family in Family::ALL {
        connections.extend(sockets(&mut netlink, Protocol::Tcp, family, ESTABLISHED, |socket| {
            socket.connection(Protocol::Tcp)
        })?);
    }
    Ok(connections)
}

fn sockets<T>(
    netlink: &mut Netlink,
    protocol: Protocol,
    family: Family,
    states: u32,
    parse: impl Fn(&Socket<'_>) -> Option<T>,
) -> io::Result<Vec<T>> {
    let answer = netlink.dump(SOCK_DIAG_BY_FAMILY, &request(protocol, family, states), |message| {
        parse(&Socket::read(message)?)
    });
    match answer {
        Err(error) if netlink::is_unsupported(&error) => match (protocol, family) {
            (Protocol::Tcp | Protocol::Udp, Family::Ipv4) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("this kernel cannot list {protocol} sockets: it needs the module {protocol}_diag"),
            )),
            _ => Ok(Vec::new()),
        },
        answer => answer,
    }
}

/// `struct inet_diag_req_v2`, with no socket in particular.
fn request(protocol: Protocol, family: Family, states: u32) -> [u8; 56] {
    let family = match family {
        Family::Ipv4 => AF_INET,
        Family::Ipv6 => AF_INET6,
    };
    // IPPROTO_* of in.h
    let protocol = match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::UdpLite => 136,
    };
    let mut request = [0; 56];
    let [first, second, _, _, a, b, c, d, ..] = &mut request;
    (*first, *second) = (family, protocol);
    [*a, *b, *c, *d] = states.to_ne_bytes();
    request
}

/// A socket as the kernel describes it: `struct inet_diag_msg`.
#[derive(Debug)]
struct Socket<'a> {
    body: &'a [u8],
    local: IpAddr,
    port: u16,
    interface: u32,
    uid: u32,
    inode: u32,
}

impl<'a> Socket<'a> {
    fn read(message: &Message<'a>) -> Option<Self> {
        let body = message.body;
        Some(Self {
            body,
            port: netlink::big_u16(body, 4)?,
            local: address(body, 8)?,
            interface: netlink::native_u32(body, 40)?,
            uid: netlink::native_u32(body, 64)?,
            inode: netlink::native_u32(body, 68)?,
        })
        .filter(|_| message.kind == SOCK_DIAG_BY_FAMILY)
    }

    fn listener(&self, protocol: Protocol, interface_name: &dyn Fn(u32) -> Option<String>) -> Option<Listener> {
        if self.port == 0 {
            return None;
        }
        let (mut v6only, mut cgroup) = (false, None);
        for (kind, value) in netlink::attributes_after(self.body, MESSAGE) {
            match kind {
                INET_DIAG_SKV6ONLY => v6only = value.first().is_some_and(|flag| *flag != 0),
                INET_DIAG_CGROUP_ID => cgroup = netlink::native_u64(value, 0),
                _ => {}
            }
        }
        Some(Listener {
            protocol,
            address: self.local,
            port: self.port,
            v6only: v6only && self.local.is_ipv6(),
            interface: match self.interface {
                0 => None,
                // A nameless interface must not turn into a socket bound to all of them.
                index => Some(interface_name(index).unwrap_or_else(|| format!("if{index}"))),
            },
            inode: self.inode,
            uid: self.uid,
            cgroup,
        })
    }

    fn connection(&self, protocol: Protocol) -> Option<Connection> {
        let peer_port = netlink::big_u16(self.body, 6)?;
        Some(Connection {
            protocol,
            local: self.endpoint(self.local, self.port),
            peer: self.endpoint(address(self.body, 24)?, peer_port),
            inode: self.inode,
            uid: self.uid,
        })
    }

    fn endpoint(&self, ip: IpAddr, port: u16) -> SocketAddr {
        match ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => SocketAddrV6::new(ip, port, 0, self.interface).into(),
            ip => SocketAddr::new(ip, port),
        }
    }
}

/// The address at an offset of `struct inet_diag_msg`, whose first byte is the family. IPv4-mapped
/// addresses (RFC 4291, 2.5.5.2) are IPv4 on the wire, and so to a firewall.
fn address(body: &[u8], offset: usize) -> Option<IpAddr> {
    match *body.first()? {
        AF_INET => netlink::bytes_at::<4>(body, offset).map(|octets| Ipv4Addr::from(octets).into()),
        AF_INET6 => netlink::bytes_at::<16>(body, offset).map(|octets| Ipv6Addr::from(octets).to_canonical()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::{AsFd, OwnedFd};

    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto};

    use super::*;

    fn inode_of(socket: impl AsFd) -> u32 {
        rustix::fs::fstat(socket).unwrap().st_ino.try_into().unwrap()
    }

    fn found(inode: u32) -> Listener {
        let listeners = listeners(&|index| Some(format!("name{index}"))).unwrap();
        let mut matching = listeners.into_iter().filter(|listener| listener.inode == inode);
        let listener = matching.next().expect("the socket is listed");
        assert_eq!(matching.next(), None, "listed once");
        listener
    }

    fn own_uid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn tcp_listeners_are_found_with_inode_and_user() {
        for (address, text) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1")] {
            let socket = TcpListener::bind(address).unwrap();
            let listener = found(inode_of(&socket));
            assert_eq!(listener.protocol, Protocol::Tcp);
            assert_eq!(listener.address.to_string(), text);
            assert_eq!(listener.port, socket.local_addr().unwrap().port());
            assert_eq!(listener.uid, own_uid());
            assert_eq!(listener.interface, None);
            // The kernel sets it for every IPv6 address but the wildcard (`__inet6_bind`).
            assert_eq!(listener.v6only, listener.address.is_ipv6());
            assert!(listener.cgroup.is_some());
        }
    }

    #[test]
    fn udp_is_listed_until_it_connects() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let socket = UdpSocket::bind(address).unwrap();
            let inode = inode_of(&socket);
            assert_eq!(found(inode).protocol, Protocol::Udp);
            socket.connect(socket.local_addr().unwrap()).unwrap();
            let listeners = listeners(&|_| None).unwrap();
            assert!(listeners.iter().all(|listener| listener.inode != inode));
        }
    }

    fn open(family: AddressFamily, kind: SocketType, protocol: Option<rustix::net::Protocol>) -> OwnedFd {
        rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, protocol).unwrap()
    }

    #[test]
    fn udp_lite_is_listed() {
        let socket = open(AddressFamily::INET, SocketType::DGRAM, Some(ipproto::UDPLITE));
        rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listener = found(inode_of(&socket));
        assert_eq!(listener.protocol, Protocol::UdpLite);
    }

    fn v6_socket(v6only: bool, address: Ipv6Addr) -> OwnedFd {
        let socket = open(AddressFamily::INET6, SocketType::STREAM, None);
        rustix::net::sockopt::set_ipv6_v6only(&socket, v6only).unwrap();
        rustix::net::bind(&socket, &SocketAddr::from((address, 0))).unwrap();
        rustix::net::listen(&socket, 1).unwrap();
        socket
    }

    #[test]
    fn v6only_is_told_from_dual_stack() {
        for v6only in [false, true] {
            let socket = v6_socket(v6only, Ipv6Addr::UNSPECIFIED);
            assert_eq!(found(inode_of(&socket)).v6only, v6only);
        }
    }

    #[test]
    fn mapped_addresses_are_ipv4() {
        let socket = v6_socket(false, Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        let listener = found(inode_of(&socket));
        assert_eq!(listener.address, IpAddr::from([127, 0, 0, 1]));
        assert!(!listener.v6only);
    }

    #[test]
    fn connections_have_both_ends() {
        let server = v6_socket(false, Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        let server = TcpListener::from(server);
        let port = server.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (accepted, _) = server.accept().unwrap();
        let connections = established().unwrap();
        let by_inode = |inode| connections.iter().find(|connection| connection.inode == inode).unwrap();
        let seen = by_inode(inode_of(&accepted));
        assert_eq!(seen.local, SocketAddr::from(([127, 0, 0, 1], port)));
        assert_eq!(seen.peer, client.local_addr().unwrap());
        assert_eq!(by_inode(inode_of(&client)).peer, seen.local);
        assert_eq!(seen.uid, own_uid());
    }

    #[test]
    fn no_listener_is_lost_among_many() {
        let sockets: Vec<UdpSocket> = (0..500).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let seen: BTreeSet<u32> = listeners(&|_| None)
            .unwrap()
            .iter()
            .map(|listener| listener.inode)
            .collect();
        assert!(sockets.iter().all(|socket| seen.contains(&inode_of(socket))));
    }

    /// `struct inet_diag_msg` of a listener with a link-local address on interface 3.
    fn link_local() -> Vec<u8> {
        let mut body = vec![0; MESSAGE];
        body[0] = AF_INET6;
        body[4..6].copy_from_slice(&53_u16.to_be_bytes());
        body[8..24].copy_from_slice(&"fe80::1".parse::<Ipv6Addr>().unwrap().octets());
        body[24..40].copy_from_slice(&"fe80::2".parse::<Ipv6Addr>().unwrap().octets());
        body[40..44].copy_from_slice(&3_u32.to_ne_bytes());
        netlink::push_attribute(&mut body, INET_DIAG_SKV6ONLY, &[1]);
        netlink::push_attribute(&mut body, INET_DIAG_CGROUP_ID, &77_u64.to_ne_bytes());
        body
    }

    fn read(body: &[u8]) -> Option<Listener> {
        let message = Message {
            kind: SOCK_DIAG_BY_FAMILY,
            flags: 0,
            sequence: 1,
            body,
        };
        Socket::read(&message)?.listener(Protocol::Udp, &|index| (index == 3).then(|| "eth0".to_owned()))
    }

    #[test]
    fn bound_devices_are_named() {
        let listener = read(&link_local()).unwrap();
        assert_eq!(listener.interface.as_deref(), Some("eth0"));
        assert!(listener.v6only);
        assert_eq!(listener.cgroup, Some(77));
        let mut gone = link_local();
        gone[40] = 9;
        assert_eq!(read(&gone).unwrap().interface.as_deref(), Some("if9"));
    }

    #[test]
    fn link_local_peers_keep_their_scope() {
        let body = link_local();
        let message = Message {
            kind: SOCK_DIAG_BY_FAMILY,
            flags: 0,
            sequence: 1,
            body: &body,
        };
        let connection = Socket::read(&message).unwrap().connection(Protocol::Tcp).unwrap();
        assert_eq!(connection.peer.to_string(), "[fe80::2%3]:0");
    }

    #[test]
    fn unbound_and_truncated_sockets_are_passed_over() {
        let mut unbound = link_local();
        unbound[4..6].fill(0);
        assert_eq!(read(&unbound), None);
        for length in 0..MESSAGE {
            assert_eq!(read(&link_local()[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..160), v6 in any::<bool>()) {
            if let Some(family) = bytes.first_mut() {
                *family = if v6 { AF_INET6 } else { AF_INET };
            }
            drop(read(&bytes));
        }
    }
}
