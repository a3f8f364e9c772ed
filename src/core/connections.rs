//! Running connections: which of them the rules would refuse as new ones.
//!
//! Rules refuse the first packet of a TCP connection only, so what runs goes on. A user who confines
//! a service wants to know how much of that there is.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::listener::{Family, Listener, Protocol};
use crate::core::network::Interface;
use crate::core::reach::Filter;
use crate::core::ruleset::{Own, Packet, Ruleset, Slot, Verdict};
use crate::core::service::{Service, ServiceId};
use crate::core::way_in::WayIn;

/// Nobody reads more of them.
const MOST_FLOWS: usize = 5;

/// An established connection, or a datagram socket with a peer.
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

impl Connection {
    /// Whether both ends are on this machine: fwtui never refuses that.
    pub fn is_from_this_machine(&self, interfaces: &[Interface]) -> bool {
        let peer = self.peer.ip();
        let is_own = |interface: &Interface| interface.addresses.iter().any(|address| address.addr() == peer);
        peer.is_loopback() || peer == self.local.ip() || interfaces.iter().any(is_own)
    }

    /// Whether it came in to one of these listeners: the kernel does not say who began.
    pub fn came_in(&self, listeners: &[Listener]) -> bool {
        listeners.iter().any(|listener| self.is_heard_by(listener))
    }

    fn is_heard_by(&self, listener: &Listener) -> bool {
        let ip = self.local.ip();
        let is_at = |address: IpAddr| address == ip || address.is_unspecified();
        listener.protocol == self.protocol
            && listener.port == self.local.port()
            && is_at(listener.address)
            && listener.families().contains(&Family::of(ip))
    }
}

/// A connection with the interface its peer's packets come in by, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The connection.
    pub connection: Connection,
    /// The interface.
    pub interface: String,
    /// The program that holds it, where it was asked for and found.
    pub program: Option<String>,
}

impl Running {
    /// What the peer would send to begin anew; of a datagram flow, what it sends next.
    fn packet(&self) -> Packet<'_> {
        let Connection {
            protocol, local, peer, ..
        } = &self.connection;
        let opening = Packet::opening(&self.interface, peer.ip(), local.ip(), *protocol, local.port());
        match protocol {
            Protocol::Tcp => opening,
            Protocol::Udp | Protocol::UdpLite => Packet {
                source_port: peer.port(),
                ..opening
            },
        }
    }

    fn family(&self) -> Family {
        Family::of(self.connection.local.ip())
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(program) = &self.program {
            write!(f, "{program} ")?;
        }
        let Connection {
            protocol, local, peer, ..
        } = &self.connection;
        write!(f, "{}/{protocol} from {peer}", local.port())
    }
}

/// TCP connections that are never ended: those of the user's own ways in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spared {
    /// The peer; none where it is not known, and then everyone's are.
    pub peer: Option<IpAddr>,
    /// The local port.
    pub port: u16,
}

impl Spared {
    /// Those of these ways in.
    pub fn of(ways_in: &[WayIn]) -> Vec<Self> {
        let tcp = ways_in.iter().filter(|way_in| way_in.protocol == Protocol::Tcp);
        tcp.map(|way_in| Self {
            peer: way_in.peer,
            port: way_in.port,
        })
        .collect()
    }

    fn covers(&self, connection: &Connection) -> bool {
        connection.protocol == Protocol::Tcp
            && self.port == connection.local.port()
            && self.peer.is_none_or(|peer| peer == connection.peer.ip())
    }
}

/// What a ruleset would refuse if it were new, the user's own ways in left out.
#[derive(Debug)]
pub struct Refusals<'a> {
    ipv4: Own,
    ipv6: Own,
    spared: &'a [Spared],
}

impl<'a> Refusals<'a> {
    /// Those of a ruleset in force.
    pub fn new(rules: &Ruleset, spared: &'a [Spared]) -> Self {
        let own = |family| Own::wanted(Slot::A, rules.family(family).clone());
        Self {
            ipv4: own(Family::Ipv4),
            ipv6: own(Family::Ipv6),
            spared,
        }
    }

    /// Whether this one is among them. Where a rule that fwtui did not write decides, it is not.
    pub fn has(&self, running: &Running) -> bool {
        let own = match running.family() {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        };
        !self.spared.iter().any(|spared| spared.covers(&running.connection)) && refuses(own, running)
    }
}

fn refuses(own: &Own, running: &Running) -> bool {
    match own.verdict(&running.packet()) {
        Verdict::Reject(_) | Verdict::Drop(_) => true,
        Verdict::Pass | Verdict::Unknown(_) => false,
    }
}

/// A service with running connections that would be refused as new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoesOn {
    /// The service.
    pub service: ServiceId,
    /// How many connections, at least one.
    pub count: usize,
}

impl GoesOn {
    /// What becomes of them where the user wants them ended.
    pub fn words_if_ended(&self) -> String {
        let are = if self.count == 1 { "is" } else { "are" };
        format!("{} {are} ended once the trial is kept", self.noun())
    }

    fn noun(&self) -> String {
        let plural = if self.count == 1 { "" } else { "s" };
        format!("{} running connection{plural} to {}", self.count, self.service)
    }
}

impl fmt::Display for GoesOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (go, old) = match self.count {
            1 => ("goes", "the old one is"),
            _ => ("go", "old ones are"),
        };
        write!(f, "{} {go} on: new ones are refused, {old} not ended", self.noun())
    }
}

/// The services with running connections that `refusals` has, in their order.
pub fn going_on(running: &[Running], services: &[Arc<Service>], refusals: &Refusals<'_>) -> Vec<GoesOn> {
    let mut listeners: BTreeMap<u16, Vec<(&Listener, &ServiceId)>> = BTreeMap::new();
    for service in services {
        for listener in &service.listeners {
            listeners
                .entry(listener.port)
                .or_default()
                .push((listener, &service.id));
        }
    }
    let mut counts: BTreeMap<&ServiceId, usize> = BTreeMap::new();
    for running in running.iter().filter(|running| refusals.has(running)) {
        let connection = &running.connection;
        let heard = listeners
            .get(&connection.local.port())
            .into_iter()
            .flatten()
            .filter(|(listener, _)| connection.is_heard_by(listener));
        // The kernel prefers the listener on the very address to one on all.
        if let Some((_, id)) = heard.min_by_key(|(listener, _)| listener.address.is_unspecified()) {
            *counts.entry(*id).or_default() += 1;
        }
    }
    let goes_on = |(id, count): (&ServiceId, usize)| GoesOn {
        service: id.clone(),
        count,
    };
    counts.into_iter().map(goes_on).collect()
}

/// The datagram flows that pass now and are refused by `refusals` until this machine speaks again,
/// because connection tracking, which knows an answer by its question, was not at work before.
pub fn interrupted(flows: &[Running], now: &Filter, refusals: &Refusals<'_>) -> Vec<Running> {
    let passes_now = |flow: &&Running| !refuses(&now.family(flow.family()).own, flow);
    let interrupted = flows.iter().filter(passes_now).filter(|flow| refusals.has(flow));
    interrupted.cloned().collect()
}

/// What interrupted flows are, in a sentence without its full stop; none for none.
pub fn interrupted_words(flows: &[Running]) -> Option<String> {
    let named: Vec<String> = flows.iter().take(MOST_FLOWS).map(ToString::to_string).collect();
    let more = match flows.len().saturating_sub(MOST_FLOWS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = match flows.len() {
        0 => return None,
        1 => "of this UDP flow".to_owned(),
        count => format!("of these {count} UDP flows"),
    };
    Some(format!(
        "The kernel begins to track connections with these rules, so until this machine speaks again packets {what} \
         are refused: {}{more}",
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests;
