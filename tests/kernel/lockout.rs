//! A session like SSH's that would lock itself out is stopped, and one that would not is not.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use fwtui::sys::netns;
use rustix::net::{AddressFamily, SocketType};

use crate::harness::{Lab, PATIENCE, in_sandbox};

/// A session from a neighbour: this very process is its `sshd`, and holds the connection; the
/// listening socket is held by another process, as the server's first one does.
pub struct Ssh {
    server: Child,
    accepted: TcpStream,
    client: TcpStream,
}

impl Ssh {
    /// `listens` is where the server does.
    pub fn from(neighbour: Neighbour, family: Family, listens: &str) -> Self {
        // A thread of the process may rename the process.
        std::fs::write("/proc/self/comm", "sshd").unwrap();
        let machine = SocketAddr::new(neighbour.machine().of(family), 22);
        let listener = TcpListener::bind(listens).unwrap();
        let client = netns::enter(neighbour.namespace(), || {
            TcpStream::connect_timeout(&machine, PATIENCE).unwrap()
        })
        .unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let server = Command::new("sleep")
            .arg("300")
            .stdin(OwnedFd::from(listener))
            .spawn()
            .unwrap();
        Self {
            server,
            accepted,
            client,
        }
    }

    fn works(&mut self) -> bool {
        self.client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut word = [0; 4];
        self.accepted.write_all(b"yes?").is_ok() && self.client.read_exact(&mut word).is_ok()
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

/// Applying is refused, with what would be lost and how to go on; nothing has changed.
fn is_stopped(lab: &Lab, session: &mut Ssh) {
    let base = lab.base();
    let complaint = lab.fails(1, &["apply", "--yes"]);
    for part in [
        "locks you out",
        "22/tcp",
        "fwtui set 22/tcp open",
        "fwtui apply --accept-lockout 22/tcp",
    ] {
        assert!(complaint.contains(part), "{part}: {complaint}");
    }
    // Of another service it says nothing.
    lab.fails(1, &["apply", "--yes", "--accept-lockout", "80/tcp"]);
    assert_eq!(lab.base(), base);
    assert!(session.works());
    let preview = lab.json(&["preview", "--json"]);
    assert_eq!(preview["lockouts"][0]["service"], "22/tcp", "{preview}");
}

/// Applying works, says that the session stays, and what it promised is so.
fn goes_on(lab: &Lab, session: &mut Ssh, peer: Neighbour, family: Family) {
    let said = lab.does(&["apply", "--yes"]);
    assert!(said.contains("our own SSH connection"), "{said}");
    assert_eq!(lab.knock(peer, family, Protocol::Tcp, 22), Knock::Answered);
    assert!(session.works());
    lab.does(&["revert"]);
}

fn set(lab: &Lab, words: &[&str]) {
    lab.does(&[&["set", "22/tcp"], words].concat());
}

/// The whole of it for a stranger on the public network.
fn from_the_public_network(lab: &Lab, family: Family, mine: &str, others: &str) {
    let peer = Neighbour::Public;
    let listens = if family == Family::Ipv4 {
        "0.0.0.0:22"
    } else {
        "[::]:22"
    };
    let mut session = Ssh::from(peer, family, listens);
    is_stopped(lab, &mut session);
    set(lab, &["confine"]);
    is_stopped(lab, &mut session);
    set(lab, &["open"]);
    goes_on(lab, &mut session, peer, family);
    set(lab, &["open", "--from", others]);
    is_stopped(lab, &mut session);
    set(lab, &["open", "--from", mine]);
    goes_on(lab, &mut session, peer, family);
    // It is no neighbour of a trusted network.
    lab.does(&["network", "eth1", "trusted"]);
    set(lab, &["trusted"]);
    is_stopped(lab, &mut session);
    lab.does(&["apply", "--yes", "--accept-lockout", "22/tcp"]);
    assert!(lab.knock(peer, family, Protocol::Tcp, 22).is_refused(), "as was said");
    assert!(session.works(), "the session itself is never cut");
    lab.does(&["revert"]);
}

#[test]
fn a_session_over_ipv4_is_not_locked_out_unless_that_is_accepted() {
    in_sandbox(|lab| from_the_public_network(lab, Family::Ipv4, "203.0.113.0/24", "192.0.2.0/24"));
}

#[test]
fn a_session_over_ipv6_is_not_locked_out_unless_that_is_accepted() {
    in_sandbox(|lab| from_the_public_network(lab, Family::Ipv6, "2001:db8:1::/64", "203.0.113.0/24"));
}

#[test]
fn a_trusted_neighbours_session_goes_on_and_one_routed_in_does_not() {
    in_sandbox(|lab| {
        lab.does(&["network", "eth1", "trusted"]);
        set(lab, &["trusted"]);
        // A dual socket shows IPv4 peers as IPv6.
        for family in Family::ALL {
            let mut session = Ssh::from(Neighbour::Trusted, family, "[::]:22");
            goes_on(lab, &mut session, Neighbour::Trusted, family);
            drop(session);
            let mut session = Ssh::from(Neighbour::Far, family, "[::]:22");
            is_stopped(lab, &mut session);
        }
    });
}

#[test]
fn the_own_session_is_not_among_the_connections_to_end() {
    in_sandbox(|lab| {
        let mut session = Ssh::from(Neighbour::Public, Family::Ipv4, "0.0.0.0:22");
        let machine = SocketAddr::new(Neighbour::Public.machine().of(Family::Ipv4), 22);
        let from = Neighbour::Stranger.addresses().of(Family::Ipv4);
        let _other = netns::enter(Neighbour::Public.namespace(), || connect_from(from, machine)).unwrap();
        set(lab, &["confine"]);
        let running = &lab.json(&["preview", "--json"])["running"];
        assert_eq!(running[0]["service"], "22/tcp", "{running}");
        assert_eq!(running[0]["connections"], 1, "{running}");
        assert!(session.works());
    });
}

/// A TCP connection by one of several addresses.
fn connect_from(address: IpAddr, to: SocketAddr) -> OwnedFd {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::new(address, 0)).unwrap();
    rustix::net::connect(&socket, &to).unwrap();
    socket
}

#[test]
fn the_entry_for_the_very_address_is_the_one_that_is_named() {
    in_sandbox(|lab| {
        let address = Neighbour::Public.machine().of(Family::Ipv4);
        let id = format!("{address}:22/tcp");
        let _session = Ssh::from(Neighbour::Public, Family::Ipv4, "0.0.0.0:22");
        set(lab, &["open"]);
        lab.does(&["set", &id, "confine"]);
        let complaint = lab.fails(1, &["apply", "--yes"]);
        assert!(complaint.contains(&format!("fwtui set {id} open")), "{complaint}");
        lab.does(&["set", &id, "open"]);
        lab.does(&["apply", "--yes"]);
    });
}

/// A block refuses the way in whatever is decided on it, and is what must be taken back.
#[test]
fn a_block_of_the_own_way_in_is_stopped_and_one_of_others_is_not() {
    in_sandbox(|lab| {
        for (family, listens) in [(Family::Ipv4, "0.0.0.0:22"), (Family::Ipv6, "[::]:22")] {
            let mut session = Ssh::from(Neighbour::Public, family, listens);
            set(lab, &["open"]);
            for service in ["22/tcp", "20-30/tcp"] {
                lab.does(&["block", service, "--for", "1h", "--note", "CVE-2026-0001"]);
                let base = lab.base();
                let complaint = lab.fails(1, &["apply", "--yes"]);
                let remedy = format!("fwtui unblock {service}");
                for part in [
                    "locks you out",
                    "CVE-2026-0001",
                    &remedy,
                    "fwtui apply --accept-lockout 22/tcp",
                ] {
                    assert!(complaint.contains(part), "{part}: {complaint}");
                }
                assert_eq!(lab.base(), base);
                lab.does(&["unblock", service]);
            }
            lab.does(&[
                "block",
                "22/tcp",
                "--from",
                "198.51.100.0/24",
                "--from",
                "2001:db8:66::/48",
            ]);
            goes_on(lab, &mut session, Neighbour::Public, family);
            lab.does(&["unblock", "22/tcp"]);
        }
    });
}
