//! Running connections from outside: found, and ended.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use rustix::fs::CWD;

use crate::core::connections::{Connection, Refusals, Running, Spared};
use crate::core::listener::{Family, Listener};
use crate::core::network::Interface;
use crate::core::ruleset::Ruleset;
use crate::sys::cancel::Cancel;
use crate::sys::interfaces::{interfaces, name_of, route_over};
use crate::sys::netlink::Netlink;
use crate::sys::owners;
use crate::sys::procfs::read_file;
use crate::sys::sock_diag::{self, Open};

/// How many connections the kernel tracks in this network namespace (`nf_conntrack_count`).
const TRACKED: &str = "/proc/sys/net/netfilter/nf_conntrack_count";

/// The TCP connections that came in to these listeners from other machines.
///
/// # Errors
/// Where the kernel does not list connections or routes.
pub fn from_outside(listeners: &[Listener], interfaces: &[Interface]) -> io::Result<Vec<Running>> {
    let found = open_from_outside(listeners, interfaces)?;
    Ok(found.into_iter().map(|(_, running)| running).collect())
}

/// Ends the TCP connections from other machines that these rules refuse as new ones; how many.
/// Those of `spared` go on. The rules should be in force: what connects meanwhile is not ended.
///
/// # Errors
/// Where the kernel does not list connections, or at the first that it does not end;
/// [`io::ErrorKind::Unsupported`] where it can end none.
pub fn end_refused(rules: &Ruleset, spared: &[Spared]) -> io::Result<usize> {
    if rules.is_empty() {
        return Ok(0);
    }
    let listeners = sock_diag::listeners(&name_of)?;
    let refusals = Refusals::new(rules, spared);
    let found = open_from_outside(&listeners, &interfaces()?)?;
    let refused: Vec<Open> = found
        .into_iter()
        .filter(|(_, running)| refusals.has(running))
        .map(|(open, _)| open)
        .collect();
    sock_diag::destroy(&refused)
}

/// The connected datagram sockets with peers on other machines, with their programs, while the kernel
/// tracks no connection at all; none once it does.
///
/// Entries that other rules left behind make tracking look awake: then nothing is listed here,
/// rather than something untrue. Which programs they are of is left out once that is no longer wanted.
pub fn untracked_flows(interfaces: &[Interface], cancel: &Cancel) -> io::Result<Vec<Running>> {
    if is_tracking() {
        return Ok(Vec::new());
    }
    let mut ways = Ways::new(interfaces)?;
    let mut flows: Vec<Running> = sock_diag::connected_datagrams()?
        .into_iter()
        // A group does not answer from its own address.
        .filter(|connection| !connection.peer.ip().is_multicast())
        .filter_map(|connection| ways.running(connection))
        .collect();
    if !flows.is_empty() {
        let sockets: Vec<Listener> = flows.iter().map(|flow| as_listener(&flow.connection)).collect();
        let ownership = owners::owners_quick(&sockets, cancel);
        for flow in &mut flows {
            let owners = ownership.by_inode.get(&flow.connection.inode);
            flow.program = owners.and_then(|owners| owners.first()).map(|owner| owner.name.clone());
        }
    }
    Ok(flows)
}

/// Whether the kernel has an entry for anything. The file is missing until the module is loaded.
fn is_tracking() -> bool {
    read_file(CWD, TRACKED).is_ok_and(|count| count.trim_ascii() != b"0")
}

fn open_from_outside(listeners: &[Listener], interfaces: &[Interface]) -> io::Result<Vec<(Open, Running)>> {
    let mut ways = Ways::new(interfaces)?;
    let mut by_port: BTreeMap<u16, Vec<Listener>> = BTreeMap::new();
    for listener in listeners {
        by_port.entry(listener.port).or_default().push(listener.clone());
    }
    let mut found = Vec::new();
    for open in sock_diag::open_connections()? {
        let heard = by_port.get(&open.connection.local.port());
        if heard.is_some_and(|heard| open.connection.came_in(heard))
            && let Some(running) = ways.running(open.connection.clone())
        {
            found.push((open, running));
        }
    }
    Ok(found)
}

/// The owners of sockets are looked up by inode; the rest does not matter.
fn as_listener(connection: &Connection) -> Listener {
    Listener {
        protocol: connection.protocol,
        address: connection.local.ip(),
        port: connection.local.port(),
        v6only: Family::of(connection.local.ip()) == Family::Ipv6,
        interface: None,
        inode: connection.inode,
        uid: connection.uid,
        cgroup: None,
    }
}

/// By which interface which peer comes in: by the one that leads to it.
struct Ways<'a> {
    interfaces: &'a [Interface],
    netlink: Netlink,
    known: BTreeMap<SocketAddr, Option<String>>,
}

impl<'a> Ways<'a> {
    fn new(interfaces: &'a [Interface]) -> io::Result<Self> {
        Ok(Self {
            interfaces,
            netlink: Netlink::open(None)?,
            known: BTreeMap::new(),
        })
    }

    /// None for a connection from this machine itself, and for a peer that nothing leads to.
    fn running(&mut self, connection: Connection) -> Option<Running> {
        if connection.is_from_this_machine(self.interfaces) {
            return None;
        }
        let mut peer = connection.peer;
        peer.set_port(0);
        let (netlink, interfaces) = (&mut self.netlink, self.interfaces);
        let way = self
            .known
            .entry(peer)
            .or_insert_with(|| interface_of(netlink, interfaces, peer));
        Some(Running {
            interface: way.clone()?,
            connection,
            program: None,
        })
    }
}

fn interface_of(netlink: &mut Netlink, interfaces: &[Interface], peer: SocketAddr) -> Option<String> {
    let index = match peer {
        SocketAddr::V6(peer) if peer.scope_id() != 0 => peer.scope_id(),
        _ => route_over(netlink, peer.ip()).ok()??.interface,
    };
    let mut named = interfaces.iter().filter(|interface| interface.index == index);
    named.next().map(|interface| interface.name.clone())
}
