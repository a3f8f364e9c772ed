//! What must work on any machine, whatever fwtui refuses: each check plays both sides of a
//! protocol with real packets and says what failed. [`all`] runs them against any ruleset.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fwtui::app::sandbox::{FAR, MACHINE_TRUSTED, Neighbour, TRUSTED};
use fwtui::core::listener::Family;
use fwtui::sys::netns;

use crate::harness::{Lab, PATIENCE, SILENCE, addresses, eventually};
use crate::raw;

/// The outcome of a check: what failed, in words.
pub type Check = Result<(), String>;

/// All of them. TCP to `port` must be open to everyone: path MTU discovery is tried there.
pub fn all(lab: &Lab, port: u16) -> Check {
    pings(lab)?;
    router_advertisement(lab)?;
    dhcp(lab)?;
    dhcpv6(lab)?;
    neighbour_discovery(lab)?;
    for family in Family::ALL {
        multicast_answer(lab, family)?;
        path_mtu(lab, family, port)?;
    }
    Ok(())
}

fn check(holds: bool, otherwise: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

pub fn at<T: Send>(neighbour: Neighbour, work: impl FnOnce() -> T + Send) -> T {
    netns::enter(neighbour.namespace(), work).unwrap()
}

/// Echo requests are answered, in both families and directions.
pub fn pings(_lab: &Lab) -> Check {
    for neighbour in Neighbour::ALL {
        for family in Family::ALL {
            let machine = neighbour.machine().of(family);
            check(
                at(neighbour, || raw::ping(machine)),
                format!("{} gets no ping answered, {family}", neighbour.name()),
            )?;
            let theirs = neighbour.addresses().of(family);
            check(
                raw::ping(theirs),
                format!("no ping to {} is answered, {family}", neighbour.name()),
            )?;
        }
    }
    Ok(())
}

/// An address is made from a router's advertisement.
pub fn router_advertisement(lab: &Lab) -> Check {
    let prefix: Ipv6Addr = "fd99::".parse().unwrap();
    let own = lab.link_local(Some(Neighbour::Trusted), "eth0");
    at(Neighbour::Trusted, || {
        raw::advertise(prefix, 0, own, raw::index_of("eth0"));
    });
    let made = within(SILENCE, || {
        addresses("eth1")
            .into_iter()
            .any(|address| address.segments()[0] == 0xfd99)
    });
    check(made, "a router advertisement made no address")
}

/// A DHCP server's answer arrives, sent to everyone as to a client without an address.
pub fn dhcp(_lab: &Lab) -> Check {
    let client = udp((Ipv4Addr::UNSPECIFIED, 68));
    client.set_broadcast(true).unwrap();
    at(Neighbour::Trusted, || {
        let server = udp((TRUSTED.v4, 67));
        server.set_broadcast(true).unwrap();
        server.send_to(b"offer", (Ipv4Addr::BROADCAST, 68)).unwrap();
        // And as the renewal's answer: to the address.
        server.send_to(b"ack", (MACHINE_TRUSTED.v4, 68)).unwrap();
    });
    check(
        heard(&client) == Some(b"offer".to_vec()),
        "the DHCP offer did not arrive",
    )?;
    check(
        heard(&client) == Some(b"ack".to_vec()),
        "the DHCP acknowledgement did not arrive",
    )
}

/// The same for IPv6: from the server's link-local address, to ours, though we asked a group.
pub fn dhcpv6(lab: &Lab) -> Check {
    let ours = lab.link_local(None, "eth1");
    let theirs = lab.link_local(Some(Neighbour::Trusted), "eth0");
    let client = udp(SocketAddrV6::new(ours, 546, 0, raw::index_of("eth1")));
    at(Neighbour::Trusted, || {
        let index = raw::index_of("eth0");
        let server = udp(SocketAddrV6::new(theirs, 547, 0, index));
        server
            .send_to(b"reply", SocketAddrV6::new(ours, 546, 0, index))
            .unwrap();
    });
    check(
        heard(&client) == Some(b"reply".to_vec()),
        "the DHCPv6 reply did not arrive",
    )
}

/// Neighbours are found again after both sides forgot each other.
pub fn neighbour_discovery(lab: &Lab) -> Check {
    for (neighbour, device) in [(Neighbour::Trusted, "eth1"), (Neighbour::Public, "eth0")] {
        for asks in [None, Some(neighbour)] {
            lab.run(&["ip", "-6", "neigh", "flush", "dev", device]);
            lab.run_at(neighbour, &["ip", "-6", "neigh", "flush", "dev", "eth0"]);
            let target = asks.map_or_else(|| neighbour.addresses(), Neighbour::machine);
            let ping = || raw::ping(IpAddr::V6(target.v6));
            let found = asks.map_or_else(ping, |neighbour| at(neighbour, ping));
            check(found, format!("neighbour discovery for {} fails", target.v6))?;
        }
    }
    Ok(())
}

/// A question to a multicast group (as mDNS and SSDP ask) is answered by a neighbour from the
/// group's port to the asker's: conntrack knows of no such answer.
pub fn multicast_answer(lab: &Lab, family: Family) -> Check {
    const PORT: u16 = 5353;
    let (index, theirs) = (raw::index_of("eth1"), at(Neighbour::Trusted, || raw::index_of("eth0")));
    let (asker, group, answerer) = match family {
        Family::Ipv4 => {
            let group = Ipv4Addr::new(224, 0, 0, 251);
            let answerer = at(Neighbour::Trusted, || {
                let socket = udp((Ipv4Addr::UNSPECIFIED, PORT));
                socket.join_multicast_v4(&group, &TRUSTED.v4).unwrap();
                socket
            });
            // Bound to the address, the question leaves by its interface.
            let asker = udp((MACHINE_TRUSTED.v4, 0));
            (asker, SocketAddr::from((group, PORT)), answerer)
        }
        Family::Ipv6 => {
            let group = "ff02::fb".parse().unwrap();
            let answerer = at(Neighbour::Trusted, || {
                let socket = udp((Ipv6Addr::UNSPECIFIED, PORT));
                socket.join_multicast_v6(&group, theirs).unwrap();
                socket
            });
            let asker = udp(SocketAddrV6::new(lab.link_local(None, "eth1"), 0, 0, index));
            (asker, SocketAddrV6::new(group, PORT, 0, index).into(), answerer)
        }
    };
    asker.send_to(b"who?", group).unwrap();
    let (_, from) = answerer
        .recv_from(&mut [0; 16])
        .map_err(|_error| format!("the question did not leave, {family}"))?;
    answerer.send_to(b"me", from).unwrap();
    check(
        heard(&asker) == Some(b"me".to_vec()),
        format!("the answer to a multicast question did not arrive, {family}"),
    )
}

/// A large transfer to somebody behind a link with a smaller MTU completes: the ICMP error that
/// says so got through.
pub fn path_mtu(lab: &Lab, family: Family, port: u16) -> Check {
    let (received, mtu) = transfer(lab, family, port);
    check(
        received == SIZE,
        format!("a transfer over a link with a smaller MTU stalls at {received} bytes, {family}"),
    )?;
    let route = lab.run(&["ip", "route", "get", &FAR.of(family).to_string()]);
    check(
        route.contains(&format!("mtu {mtu}")),
        format!("the path MTU was not learned: {route}"),
    )
}

/// How many bytes a large transfer has.
pub const SIZE: usize = 2_000_000;

/// How many bytes of a large transfer arrive behind a link with a smaller MTU, and that MTU.
pub fn transfer(lab: &Lab, family: Family, port: u16) -> (usize, usize) {
    // Smaller every time: what an earlier transfer learned must not help.
    static MTU: AtomicUsize = AtomicUsize::new(1480);
    let mtu = MTU.fetch_sub(10, Ordering::Relaxed);
    lab.run_at(
        Neighbour::Trusted,
        &["ip", "link", "set", "eth1", "mtu", &mtu.to_string()],
    );
    let listener = TcpListener::bind(SocketAddr::new(MACHINE_TRUSTED.of(family), port)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let received = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let (mut connection, _) = eventually(|| listener.accept().ok()).expect("the other end connects");
            connection.set_nonblocking(false).unwrap();
            connection.set_write_timeout(Some(SILENCE * 3)).unwrap();
            // Where it stalls, the other end says how far it came.
            drop(connection.write_all(&vec![1; SIZE]));
        });
        let received = at(Neighbour::Far, || {
            let machine = SocketAddr::new(MACHINE_TRUSTED.of(family), port);
            let connection = TcpStream::connect_timeout(&machine, PATIENCE);
            let mut connection = connection.unwrap_or_else(|error| panic!("{machine}: {error}"));
            connection.set_read_timeout(Some(SILENCE * 3)).unwrap();
            let (mut total, mut buffer) = (0, vec![0; 65536]);
            while let Ok(count @ 1..) = connection.read(&mut buffer) {
                total += count;
            }
            total
        });
        sender.join().unwrap();
        received
    });
    (received, mtu)
}

/// A bound socket that does not wait for ever.
pub fn udp(address: impl Into<SocketAddr>) -> UdpSocket {
    let address = address.into();
    let socket = UdpSocket::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    socket.set_read_timeout(Some(SILENCE)).unwrap();
    socket
}

pub fn heard(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut buffer = [0; 64];
    let count = socket.recv(&mut buffer).ok()?;
    Some(buffer[..count].to_vec())
}

/// Whether it becomes true within the time.
fn within(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = std::time::Instant::now() + time;
    eventually(|| {
        let holds = holds();
        (holds || std::time::Instant::now() > deadline).then_some(holds)
    })
    .unwrap_or(false)
}
