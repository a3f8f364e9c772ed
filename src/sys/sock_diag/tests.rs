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

#[test]
fn what_data_may_still_go_over_is_open() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    let (accepted, _) = server.accept().unwrap();
    let is_open = |inode| {
        let open = open_connections().unwrap();
        open.iter().any(|open| open.connection.inode == inode)
    };
    let inode = inode_of(&accepted);
    assert!(is_open(inode) && is_open(inode_of(&client)));
    // The client has nothing more to say, and still hears what the server says.
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(is_open(inode));
    assert!(!is_open(inode_of(&server)), "listening is not being connected");
}

#[test]
fn connected_datagram_sockets_have_both_ends() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (socket, peer) = (UdpSocket::bind(address).unwrap(), UdpSocket::bind(address).unwrap());
        let inode = inode_of(&socket);
        let listed = || {
            let found = connected_datagrams().unwrap();
            found.into_iter().find(|connection| connection.inode == inode)
        };
        assert_eq!(listed(), None);
        socket.connect(peer.local_addr().unwrap()).unwrap();
        let connection = listed().unwrap();
        assert_eq!(connection.protocol, Protocol::Udp);
        assert_eq!(connection.local, socket.local_addr().unwrap());
        assert_eq!(connection.peer, peer.local_addr().unwrap());
    }
}

#[test]
fn a_kernel_that_ends_no_connections_is_told_from_a_failure() {
    let answer = |errno: Errno| was_destroyed(Err(errno.into()));
    assert!(was_destroyed(Ok(())).unwrap());
    assert!(!answer(Errno::NOENT).unwrap(), "gone by itself");
    assert!(!answer(Errno::STALE).unwrap(), "another one by now");
    let unsupported = answer(Errno::OPNOTSUPP).unwrap_err();
    assert_eq!(unsupported.kind(), io::ErrorKind::Unsupported);
    assert!(unsupported.to_string().contains("CONFIG_INET_DIAG_DESTROY"));
    assert_eq!(answer(Errno::PERM).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}
