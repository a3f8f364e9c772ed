//! What is knocked at, and what the rules promise there.

use std::fmt;
use std::net::IpAddr;

use super::Script;
use super::stage::{Link, Peer, Stage, Who, is_link_local};
use crate::core::listener::{Family, Protocol};
use crate::core::policy::Decision;
use crate::core::ruleset::{Own, Packet, Slot, Verdict};
use crate::core::service::{BoundTo, Service};
use crate::sys::knock::{self, Knock};

/// How many services are tried; the decided ones and those of ways in come first.
const MOST_SERVICES: usize = 200;

/// Where somebody knocks, and what is to come of it.
#[derive(Debug)]
pub(super) struct Door<'a> {
    /// The service's name; empty where none is known.
    pub(super) name: &'a str,
    pub(super) link: &'a Link,
    pub(super) peer: &'a Peer,
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) protocol: Protocol,
    pub(super) promised: Outcome,
}

/// What comes of a knock, as far as rules decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    LetIn,
    Refused,
    Silent,
    /// Nothing that rules of fwtui's do.
    Odd,
}

impl Outcome {
    pub(super) const fn of(knock: Knock) -> Self {
        match knock {
            Knock::Answered => Self::LetIn,
            Knock::Refused { .. } => Self::Refused,
            Knock::Silent => Self::Silent,
            Knock::Unreachable => Self::Odd,
        }
    }

    /// None where a rule decides that fwtui did not write.
    const fn promised(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Pass => Some(Self::LetIn),
            Verdict::Reject(_) => Some(Self::Refused),
            Verdict::Drop(_) => Some(Self::Silent),
            Verdict::Unknown(_) => None,
        }
    }

    /// As in "it was ...".
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::LetIn => "let in",
            Self::Refused => "refused",
            Self::Silent => "dropped in silence",
            Self::Odd => "turned away as unreachable",
        }
    }
}

impl Door<'_> {
    /// Whether something must come back, or arrive.
    pub(super) fn is_heard_of(&self) -> bool {
        match self.promised {
            Outcome::LetIn | Outcome::Odd => true,
            Outcome::Refused => !self.may_lose_a_reset(),
            Outcome::Silent => false,
        }
    }

    /// Whether what happened is what was promised.
    pub(super) fn is_kept_by(&self, happened: Outcome) -> bool {
        let is_lost = self.promised == Outcome::Refused && happened == Outcome::Silent && self.may_lose_a_reset();
        happened == self.promised || is_lost
    }

    /// A reset for a link-local peer leaves by the interface that has the first route to `fe80::/64`,
    /// which need not be the peer's (`nf_send_reset6` in `net/ipv6/netfilter/nf_reject_ipv6.c`).
    fn may_lose_a_reset(&self) -> bool {
        self.protocol == Protocol::Tcp && is_link_local(self.peer.address)
    }

    /// The same for a socket.
    pub(super) fn to_knock(&self) -> knock::Door {
        knock::Door {
            from: Some(self.link.seen_from_there(self.peer.address, 0)),
            to: self.link.seen_from_there(self.address, self.port),
            protocol: self.protocol,
        }
    }
}

impl fmt::Display for Door<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{} ", self.name)?;
        }
        write!(f, "{}/{} from {}", self.port, self.protocol, self.peer.address)?;
        let family = Family::of(self.address);
        write!(f, " ({} on {}, {family})", self.peer.who, self.link.name)
    }
}

/// Every door there is, with the number of services that are left out: those beyond the limit, and
/// those at addresses that were not rebuilt.
pub(super) fn doors<'a>(script: &'a Script<'_>, stage: &'a Stage) -> (Vec<Door<'a>>, usize) {
    let own = Family::ALL.map(|family| Own::wanted(Slot::A, script.promised.family(family).clone()));
    let promise = |link: &Link, peer: &Peer, address: IpAddr, protocol, port| {
        let [ipv4, ipv6] = &own;
        let own = if address.is_ipv4() { ipv4 } else { ipv6 };
        let packet = Packet::opening(&link.name, peer.address, address, protocol, port);
        Outcome::promised(&own.verdict(&packet))
    };
    let mut doors = Vec::new();
    for way_in in script.ways_in {
        let links = stage
            .links
            .iter()
            .filter(|link| way_in.interface.as_ref() == Some(&link.name));
        for (link, peer) in links.flat_map(|link| link.peers.iter().map(move |peer| (link, peer))) {
            if peer.who != Who::Own || Some(peer.address) != way_in.peer {
                continue;
            }
            let family = Family::of(peer.address);
            let local = way_in.local.filter(|local| link.addresses.contains(local));
            if let Some(address) = local.or_else(|| link.address(family))
                && let Some(promised) = promise(link, peer, address, way_in.protocol, way_in.port)
            {
                doors.push(Door {
                    name: "",
                    link,
                    peer,
                    address,
                    port: way_in.port,
                    protocol: way_in.protocol,
                    promised,
                });
            }
        }
    }
    let mut rows: Vec<_> = script
        .rows
        .iter()
        .filter(|row| row.service.bound_to != BoundTo::Loopback)
        .collect();
    let is_way_in = |service: &Service| {
        let mut ways_in = script.ways_in.iter();
        ways_in.any(|way_in| (way_in.protocol, way_in.port) == (service.id.protocol, service.id.ports.first()))
    };
    rows.sort_by_key(|row| (!is_way_in(&row.service), row.decision == Decision::Undecided));
    let mut left_out = rows.len().saturating_sub(MOST_SERVICES);
    for row in rows.into_iter().take(MOST_SERVICES) {
        let service = &row.service;
        let (protocol, port) = (service.id.protocol, service.id.ports.first());
        let before = doors.len();
        for link in stage.links.iter().filter(|link| is_at(service, link)) {
            for peer in link.peers.iter().filter(|peer| peer.who != Who::Own) {
                if let Some(address) = address_of(service, link, Family::of(peer.address))
                    && let Some(promised) = promise(link, peer, address, protocol, port)
                {
                    doors.push(Door {
                        name: &service.name,
                        link,
                        peer,
                        address,
                        port,
                        protocol,
                        promised,
                    });
                }
            }
        }
        left_out += usize::from(doors.len() == before);
    }
    (doors, left_out)
}

/// Whether a service can be reached through a link.
fn is_at(service: &Service, link: &Link) -> bool {
    let zone = service.id.address.as_ref().and_then(|address| address.zone.as_ref());
    let bound = match &service.bound_to {
        BoundTo::Interface(name) => Some(name),
        BoundTo::All | BoundTo::Loopback | BoundTo::Address(_) => zone,
    };
    bound.is_none_or(|name| *name == link.name)
}

/// The address a peer of a family finds a service at.
fn address_of(service: &Service, link: &Link, family: Family) -> Option<IpAddr> {
    let only = match (&service.id.address, &service.bound_to) {
        (Some(address), _) => Some(address.ip),
        (None, BoundTo::Address(address)) => Some(*address),
        (None, _) => None,
    };
    match only {
        Some(only) => link
            .addresses
            .contains(&only)
            .then_some(only)
            .filter(|only| Family::of(*only) == family),
        None => link.address(family),
    }
}
