//! Sockets, as the kernel's socket monitoring interface reports them (`sock_diag(7)`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use rustix::io::Errno;
use rustix::net::netlink::SOCK_DIAG;

use crate::core::connections::Connection;
use crate::core::listener::{Family, Listener, Protocol};
use crate::sys::netlink::{self, Message, Netlink};

/// `SOCK_DIAG_BY_FAMILY` in `linux/sock_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `SOCK_DESTROY` there: for a kernel built with `CONFIG_INET_DIAG_DESTROY`.
const SOCK_DESTROY: u16 = 21;

// Bits of the states in `include/net/tcp_states.h`. UDP sockets have two: established when
// connected, close when not.
const ESTABLISHED: u32 = 1 << 1;
const CLOSE: u32 = 1 << 7;
const CLOSE_WAIT: u32 = 1 << 8;
const LISTEN: u32 = 1 << 10;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// `sizeof(struct inet_diag_msg)`: its attributes follow.
const MESSAGE: usize = 72;
/// `sizeof(struct inet_diag_sockid)`, at 4 in a message and last in a request.
const SOCKET_ID: usize = 48;
// Attributes, from linux/inet_diag.h.
const INET_DIAG_SKV6ONLY: u16 = 11;
const INET_DIAG_CGROUP_ID: u16 = 21;

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

/// A TCP connection that data may still go over, as it can be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its ends.
    pub connection: Connection,
    /// `AF_INET6` for an IPv4 connection of an IPv6 socket, too.
    family: u8,
    /// `struct inet_diag_sockid` as the kernel gave it: its cookie is that of this socket and of no
    /// later one with the same ends, nor of the listening one.
    id: [u8; SOCKET_ID],
}

/// Every TCP connection of this network namespace that data may still go over: the established ones,
/// and those whose peer has closed its half.
pub fn open_connections() -> io::Result<Vec<Open>> {
    let mut netlink = Netlink::open(Some(SOCK_DIAG))?;
    let mut open = Vec::new();
    for family in Family::ALL {
        let states = ESTABLISHED | CLOSE_WAIT;
        open.extend(sockets(&mut netlink, Protocol::Tcp, family, states, |socket| {
            Some(Open {
                connection: socket.connection(Protocol::Tcp)?,
                family: *socket.body.first()?,
                id: netlink::bytes_at(socket.body, 4)?,
            })
        })?);
    }
    Ok(open)
}

/// Every UDP and UDP-Lite socket of this network namespace that is connected to a peer.
pub fn connected_datagrams() -> io::Result<Vec<Connection>> {
    let mut netlink = Netlink::open(Some(SOCK_DIAG))?;
    let mut connections = Vec::new();
    for protocol in [Protocol::Udp, Protocol::UdpLite] {
        for family in Family::ALL {
            connections.extend(sockets(&mut netlink, protocol, family, ESTABLISHED, |socket| {
                socket.connection(protocol)
            })?);
        }
    }
    Ok(connections)
}

/// Ends connections, with a reset to the peer and `ECONNABORTED` for the program; how many. One that
/// is gone by itself does not count.
///
/// # Errors
/// The kernel's own, at the first connection that can't be ended; [`io::ErrorKind::Unsupported`] for
/// one that can end none.
pub fn destroy(connections: &[Open]) -> io::Result<usize> {
    let mut netlink = Netlink::open(Some(SOCK_DIAG))?;
    let mut count = 0;
    for open in connections {
        count += usize::from(destroy_one(&mut netlink, open.family, open.id)?);
    }
    Ok(count)
}

/// Whether [`destroy`] can work at all, found out without ending anything: an error as there where it
/// can't.
///
/// # Errors
/// As there.
pub fn can_destroy() -> io::Result<()> {
    // No socket has these ends, and none the cookie 0.
    destroy_one(&mut Netlink::open(Some(SOCK_DIAG))?, AF_INET, [0; SOCKET_ID]).map(|_| ())
}

fn destroy_one(netlink: &mut Netlink, family: u8, id: [u8; SOCKET_ID]) -> io::Result<bool> {
    let mut body = request(Protocol::Tcp, Family::Ipv4, !0);
    if let Some(first) = body.first_mut() {
        *first = family;
    }
    if let Some(last) = body.last_chunk_mut() {
        *last = id;
    }
    let answer = netlink.ask(SOCK_DESTROY, &body, |_| None::<()>);
    was_destroyed(answer.map(|_| ()))
}

/// What the kernel's answer to `SOCK_DESTROY` says.
fn was_destroyed(answer: io::Result<()>) -> io::Result<bool> {
    let Err(error) = answer else { return Ok(true) };
    let is = |errno: Errno| error.raw_os_error() == Some(errno.raw_os_error());
    // No such socket, or another one by now.
    if is(Errno::NOENT) || is(Errno::STALE) {
        return Ok(false);
    }
    if is(Errno::OPNOTSUPP) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this kernel cannot end connections of others: it was built without CONFIG_INET_DIAG_DESTROY",
        ));
    }
    Err(error)
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
mod tests;
