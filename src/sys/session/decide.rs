//! What the parents of a process and the sockets they hold say about how its user came in.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::core::connections::Connection;
use crate::core::listener::{Listener, Protocol};
use crate::core::network::{Interface, is_interface_name};
use crate::core::service::Ownership;
use crate::core::way_in::{Carrier, WayIn};

use super::way_in;

/// A process and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub(super) process: u32,
    pub(super) name: String,
    /// Its controlling terminal; 0 for none.
    pub(super) terminal: i32,
}

/// How a session reaches its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Manner {
    /// Through one of these SSH servers, nearest first.
    Ssh(Vec<u32>),
    /// Through these mosh servers.
    Mosh(Vec<u32>),
    /// Through something that outlives the connection, so whichever there is now.
    Detached,
    /// At the machine itself.
    Local,
}

/// Whether a process of this name is an SSH server, or a session of one (OpenSSH since 9.8 names
/// those `sshd-session`).
pub(super) fn is_ssh_server(name: &str) -> bool {
    matches!(
        name,
        "sshd" | "sshd-session" | "sshd-auth" | "dropbear" | "dropbearmulti" | "tinysshd" | "lshd"
    )
}

/// Whether a process of this name is mosh's end on this machine.
pub(super) fn is_mosh_server(name: &str) -> bool {
    name == "mosh-server"
}

/// Whether it keeps sessions alive that nobody looks at.
pub(super) fn is_multiplexer(name: &str) -> bool {
    name.starts_with("tmux")
        || matches!(
            name,
            "screen" | "SCREEN" | "zellij" | "dtach" | "abduco" | "dvtm" | "byobu" | "shpool" | "shpool-daemon"
        )
}

/// Whether it is what a user starts programs by, never what started the session.
fn is_shell(name: &str) -> bool {
    matches!(
        name.trim_start_matches('-'),
        "sh" | "bash"
            | "dash"
            | "ash"
            | "zsh"
            | "fish"
            | "ksh"
            | "tcsh"
            | "csh"
            | "nu"
            | "busybox"
            | "sudo"
            | "su"
            | "doas"
            | "run0"
            | "pkexec"
            | "nohup"
            | "setsid"
            | "script"
            | "fwtui"
    )
}

/// How the session reaches its user, from a process and its parents, nearest first.
pub(super) fn manner(ancestors: &[Ancestor]) -> Manner {
    let those = |is: &dyn Fn(&str) -> bool| -> Vec<u32> {
        ancestors
            .iter()
            .filter(|ancestor| is(&ancestor.name))
            .map(|ancestor| ancestor.process)
            .collect()
    };
    // The nearest counts: mosh-server is started through SSH, which then goes away.
    let nearest = ancestors
        .iter()
        .find(|ancestor| is_mosh_server(&ancestor.name) || is_ssh_server(&ancestor.name));
    match nearest {
        Some(ancestor) if is_ssh_server(&ancestor.name) => Manner::Ssh(those(&is_ssh_server)),
        Some(_) => Manner::Mosh(those(&is_mosh_server)),
        None if ancestors.iter().any(|ancestor| is_multiplexer(&ancestor.name)) || is_orphaned(ancestors) => {
            Manner::Detached
        }
        None => Manner::Local,
    }
}

/// Whether a process stands outside of the terminal that the session runs in, and so may serve it.
pub(super) fn serves_terminal(ancestor: &Ancestor, ancestors: &[Ancestor]) -> bool {
    let own = ancestors.first().map_or(0, |first| first.terminal);
    own != 0 && ancestor.terminal != own
}

/// Whether what started the session has ended, and init (1) is the parent of a mere shell.
fn is_orphaned(ancestors: &[Ancestor]) -> bool {
    ancestors
        .iter()
        .rfind(|ancestor| ancestor.process != 1)
        .is_some_and(|oldest| is_shell(&oldest.name))
}

/// The UDP ports of mosh servers: who holds which socket, and what listens.
pub(super) fn mosh(held: &BTreeMap<u32, Vec<u32>>, listeners: &[Listener]) -> Vec<WayIn> {
    listeners
        .iter()
        .filter(|listener| listener.protocol == Protocol::Udp && held.contains_key(&listener.inode))
        .map(|listener| open_port(Carrier::Mosh, listener))
        .collect()
}

/// A port that anyone must be able to reach, since who will is not known.
fn open_port(carrier: Carrier, listener: &Listener) -> WayIn {
    WayIn {
        carrier,
        protocol: listener.protocol,
        port: listener.port,
        peer: None,
        local: None,
        interface: None,
    }
}

/// The connections that SSH servers accepted, among the sockets they hold.
///
/// A session also holds what it forwards: connections to elsewhere, whose local port nobody listens
/// on, and those to ports that it listens on itself (`ssh -R`, X11), which are no way in.
pub(super) fn ssh(
    held: &BTreeMap<u32, Vec<u32>>,
    connections: &[Connection],
    listeners: &[Listener],
    ownership: &Ownership,
    interfaces: &[Interface],
) -> Vec<WayIn> {
    let (mut accepted, mut forwarded) = (Vec::new(), Vec::new());
    for connection in connections {
        let Some(sessions) = held.get(&connection.inode) else {
            continue;
        };
        let way = WayIn {
            interface: scope(connection.peer, interfaces),
            ..way_in(connection.local, connection.peer.ip())
        };
        let mut heard = listeners
            .iter()
            .filter(|listener| listener.protocol == connection.protocol)
            .filter(|listener| listener.port == connection.local.port())
            .map(|listener| is_forwarding(listener, sessions, held, ownership))
            .peekable();
        if heard.peek().is_none() {
            continue;
        }
        if heard.all(|is_forwarding| is_forwarding) {
            forwarded.push(way);
        } else {
            accepted.push(way);
        }
    }
    // A server that serves its only session itself looks like one: better to count it.
    if accepted.is_empty() { forwarded } else { accepted }
}

/// The interface of a link-local address.
fn scope(address: SocketAddr, interfaces: &[Interface]) -> Option<String> {
    let SocketAddr::V6(address) = address else {
        return None;
    };
    interfaces
        .iter()
        .find(|interface| interface.index == address.scope_id())
        .map(|interface| interface.name.clone())
}

/// Whether the listening socket belongs to a session that has a connection, and to nobody else.
fn is_forwarding(listener: &Listener, sessions: &[u32], held: &BTreeMap<u32, Vec<u32>>, ownership: &Ownership) -> bool {
    let Some(holders) = held.get(&listener.inode) else {
        return false;
    };
    let owners = ownership.by_inode.get(&listener.inode);
    let is_a_session = |process: &u32| sessions.contains(process);
    holders.iter().all(is_a_session) && owners.is_none_or(|owners| owners.iter().all(|owner| is_a_session(&owner.pid)))
}

/// The way in that the variable `SSH_CONNECTION` tells: `client port server port` (`ssh(1)`).
pub(super) fn from_variable(text: &str) -> Option<WayIn> {
    let mut words = text.split_ascii_whitespace();
    let (client, _, server, port) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (peer, zone) = address(client)?;
    let (local, _) = address(server)?;
    let port: u16 = port.parse().ok().filter(|port| *port != 0)?;
    let mut way = way_in(SocketAddr::new(local, port), peer);
    way.interface = zone.filter(|zone| is_interface_name(zone)).map(str::to_owned);
    Some(way)
}

/// An address, and the interface that a link-local one has behind a percent sign.
fn address(text: &str) -> Option<(IpAddr, Option<&str>)> {
    let (ip, zone) = match text.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (text, None),
    };
    let ip: IpAddr = ip.parse().ok()?;
    Some((ip.to_canonical(), zone))
}

/// Whether the peer is this machine, so that there is a way in before this one.
pub(super) fn is_from_this_machine(way: &WayIn) -> bool {
    way.peer
        .is_some_and(|peer| peer.is_loopback() || Some(peer) == way.local)
}

/// The ports that must be reachable for a tunnel to come up.
///
/// `held` has the sockets of the processes behind a tun or tap interface. WireGuard's sockets are
/// the kernel's own: no process holds them. Those of `xfrm` and `ovpn` stay with
/// their daemons.
pub(super) fn carriers(
    tunnel: &Interface,
    held: &BTreeMap<u32, Vec<u32>>,
    listeners: &[Listener],
    ownership: &Ownership,
) -> Vec<WayIn> {
    let is_udp = |listener: &Listener| listener.protocol == Protocol::Udp;
    let is_owned_by = |listener: &Listener, name: &str| {
        let owners = ownership.by_inode.get(&listener.inode);
        owners.is_some_and(|owners| owners.iter().any(|owner| owner.name == name))
    };
    let is_carrier = |listener: &&Listener| match tunnel.driver.as_deref() {
        Some("wireguard" | "amneziawg") => {
            is_udp(listener) && !listener.address.is_loopback() && !ownership.by_inode.contains_key(&listener.inode)
        }
        Some("tun") => !listener.address.is_loopback() && held.contains_key(&listener.inode),
        Some("ovpn" | "ovpn-dco") => is_owned_by(listener, "openvpn"),
        // IKE and NAT traversal (RFC 3948).
        Some("xfrm" | "vti" | "vti6" | "ipsec") => is_udp(listener) && matches!(listener.port, 500 | 4500),
        _ => false,
    };
    listeners
        .iter()
        .filter(is_carrier)
        .map(|listener| open_port(Carrier::Tunnel(tunnel.name.clone()), listener))
        .collect()
}

/// Whether `/proc/PID/fdinfo/N` of `/dev/net/tun` is that of an interface: the line `iff:` names it.
pub(super) fn is_tun_of(info: &str, name: &str) -> bool {
    let mut names = info.lines().filter_map(|line| line.strip_prefix("iff:"));
    names.next().is_none_or(|found| found.trim() == name)
}

/// Each way in once, in the order they were found.
pub(super) fn unique(ways: Vec<WayIn>) -> Vec<WayIn> {
    let mut unique: Vec<WayIn> = Vec::with_capacity(ways.len());
    for way in ways {
        if !unique.contains(&way) {
            unique.push(way);
        }
    }
    unique
}

#[cfg(test)]
mod tests;
