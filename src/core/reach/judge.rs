//! Who can connect to a service.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::core::listener::{Family, Protocol};
use crate::core::netfilter::{Netfilter, Tool};
use crate::core::network::{Interface, NetworkClass, World};
use crate::core::service::{BoundTo, Service};

use super::Reach;
use super::explain::DecidedBy;
use super::fate::{Fate, Walk};
use super::packet::Packet;
use super::peers::{Named, Peer, SOMEWHERE, Who, peers};
use super::rules::Rules;

/// Judges services by the rules of a kernel. What depends on the rules alone is worked out once.
#[derive(Debug)]
pub struct Judge<'n> {
    rules: Rules<'n>,
    /// Everyone who might knock, by family.
    peers: [Vec<Peer<'n>>; 2],
}

/// How those on one network fare at a service.
#[derive(Debug, Clone)]
pub struct Fares<'n> {
    /// The interface they come in by.
    pub interface: &'n str,
    /// Its class.
    pub class: NetworkClass,
    /// The family.
    pub family: Family,
    /// Who they are.
    pub who: Who,
    /// The address of the one who stands for them.
    pub from: IpAddr,
    /// Where on this machine he knocks.
    pub to: IpAddr,
    /// How they fare: the best of what they can try.
    pub walk: Walk<'n>,
}

impl<'n> Judge<'n> {
    /// A judge for what is, or will be, in the kernel. `world` has been given a network that is not met
    /// yet ([`super::meeting_anyone`]); of absent families nobody comes.
    pub fn new(
        netfilter: &'n Netfilter,
        world: &'n World,
        classes: &dyn Fn(&Interface) -> NetworkClass,
        absent: &[Family],
    ) -> Self {
        let of = |family| match absent.contains(&family) {
            true => Vec::new(),
            false => peers(world, classes, &Named::of(netfilter, family), family),
        };
        Self {
            rules: Rules::new(netfilter, world),
            peers: Family::ALL.map(of),
        }
    }

    /// The rules, to walk single packets through.
    pub const fn rules(&self) -> &Rules<'n> {
        &self.rules
    }

    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer<'n>> {
        self.peers.iter().flatten()
    }

    /// Who can connect to a service; one nobody listens on is judged as if somebody did.
    pub fn reach(&self, service: &Service) -> Reach {
        let mut reach = Reach::ThisMachine;
        for peer in self.peers().filter(|peer| peer.who != Who::ThisMachine) {
            let met = peer.met();
            if met <= reach {
                continue;
            }
            for packet in packets(service, peer) {
                reach = reach.max(match self.rules.walk(&packet, false).fate {
                    Fate::Accepted => met,
                    Fate::Refused | Fate::Dropped | Fate::Unknown { may_arrive: false } => Reach::ThisMachine,
                    Fate::Unknown { may_arrive: true } => Reach::Unknown,
                });
            }
            if reach == Reach::Everyone {
                break;
            }
        }
        reach
    }

    /// How a first packet from a peer fares; none where it is not known by which interface he comes in,
    /// or at which address of this machine.
    pub fn knock(
        &self,
        interface: Option<&str>,
        peer: IpAddr,
        local: Option<IpAddr>,
        protocol: Protocol,
        port: u16,
    ) -> Option<(Fate, DecidedBy)> {
        let world = self.rules.world;
        let interface = match interface {
            _ if world.is_local(peer) => world.interface("lo"),
            Some(name) => world.interface(name),
            None => world.route(peer).and_then(|route| world.interface_at(route.interface)),
        }?;
        let family = Family::of(peer);
        let own = interface.addresses.iter().map(IpNet::addr);
        let local = local.or_else(|| own.clone().find(|address| Family::of(*address) == family))?;
        let packet = Packet::opening(&interface.name, peer, local, protocol, port);
        let walk = self.rules.walk(&packet, false);
        // What is sent on to elsewhere does not get to who served the peer so far.
        let is_led_away = walk.fate == Fate::Accepted && (!walk.is_local || walk.ends != packet.ends);
        let fate = if is_led_away {
            Fate::Unknown { may_arrive: true }
        } else {
            walk.fate
        };
        Some((fate, DecidedBy::from(&walk.decided_by)))
    }

    /// Which rule, not of fwtui's, keeps out somebody a decision lets in.
    pub fn kept_out_by(&self, service: &Service, promised: Reach) -> Option<DecidedBy> {
        let lets_in = |peer: &&Peer<'n>| peer.who != Who::ThisMachine && peer.met() == promised;
        let walks = self
            .peers()
            .filter(lets_in)
            .flat_map(|peer| packets(service, peer))
            .map(|packet| self.rules.walk(&packet, false));
        let mut others = walks
            .filter(|walk| walk.fate != Fate::Accepted)
            .map(|walk| DecidedBy::from(&walk.decided_by));
        others.find(|by| !matches!(by.owner, Tool::Fwtui | Tool::Kernel))
    }

    /// How each network fares at a service: this machine itself, then every interface's neighbours and
    /// strangers, in the kernel's order.
    pub fn by_network(&self, service: &Service) -> Vec<Fares<'n>> {
        let is_shown = |peer: &&Peer<'n>| {
            peer.interface != SOMEWHERE
                && peer.who != Who::Named
                && !(peer.who == Who::Strangers && peer.class == NetworkClass::Guests)
        };
        let mut fares: Vec<Fares<'n>> = Vec::new();
        for peer in self.peers().filter(is_shown) {
            let walks = packets(service, peer)
                .into_iter()
                .map(|packet| (packet.ends, self.rules.walk(&packet, false)));
            let Some((sent, walk)) = walks.max_by_key(|(_, walk)| walk.fate.kindness()) else {
                continue;
            };
            let best = Fares {
                interface: peer.interface,
                class: peer.class,
                family: peer.family,
                who: peer.who,
                from: sent.source,
                to: sent.destination,
                walk,
            };
            let is_same = |other: &&mut Fares<'n>| {
                (other.interface, other.family, other.who) == (peer.interface, peer.family, peer.who)
            };
            match fares.iter_mut().find(is_same) {
                Some(other) if other.walk.fate.kindness() >= best.walk.fate.kindness() => {}
                Some(other) => *other = best,
                None => fares.push(best),
            }
        }
        fares
    }
}

/// The packets by which a peer tries a service.
pub(super) fn packets<'n>(service: &Service, peer: &Peer<'n>) -> Vec<Packet<'n>> {
    let Peer {
        interface,
        source,
        family,
        ..
    } = peer;
    let is_local = peer.who == Who::ThisMachine;
    let zone = service.id.address.as_ref().and_then(|address| address.zone.as_deref());
    let bound = match &service.bound_to {
        BoundTo::Interface(name) => Some(name.as_str()),
        BoundTo::All | BoundTo::Loopback | BoundTo::Address(_) => zone,
    };
    if !has_family(service, *family) || bound.is_some_and(|bound| bound != *interface && !is_local) {
        return Vec::new();
    }
    let is_somewhere = *interface == SOMEWHERE;
    let fixed = match (&service.id.address, &service.bound_to) {
        (Some(address), _) => Some(address.ip),
        (None, BoundTo::Address(address)) => Some(*address),
        (None, BoundTo::All | BoundTo::Loopback | BoundTo::Interface(_)) => None,
    };
    let destinations: &[IpAddr] = match (&service.bound_to, &fixed) {
        (_, Some(address)) => std::slice::from_ref(address),
        (BoundTo::Loopback, None) if is_local => &peer.destinations,
        // A frame for 127.0.0.1 is dropped by the kernel, but only after rules could send it elsewhere.
        (BoundTo::Loopback, None) if *family == Family::Ipv4 && !is_somewhere => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
        (BoundTo::Loopback, None) => &[],
        // What is published on this machine's addresses is on real ones only.
        _ if is_somewhere && service.published.is_some() => &[],
        _ => &peer.destinations,
    };
    let (protocol, port) = (service.id.protocol, service.id.ports.first());
    let packet = |destination: &IpAddr| {
        let source = if is_local { *destination } else { *source };
        Packet::opening(interface, source, *destination, protocol, port)
    };
    destinations
        .iter()
        .filter(|destination| Family::of(**destination) == *family)
        .map(packet)
        .collect()
}

fn has_family(service: &Service, family: Family) -> bool {
    if let Some(address) = &service.id.address {
        return Family::of(address.ip) == family;
    }
    let is_published = service
        .published
        .as_ref()
        .is_some_and(|published| published.families.contains(&family));
    is_published
        || match (service.listeners.is_empty(), &service.bound_to) {
            (true, _) if service.published.is_some() => false,
            (true, BoundTo::Address(address)) => Family::of(*address) == family,
            (true, _) => true,
            (false, _) => service
                .listeners
                .iter()
                .any(|listener| listener.families().contains(&family)),
        }
}

impl Peer<'_> {
    /// The reach a service has that lets this peer in.
    fn met(&self) -> Reach {
        match (self.who, self.class) {
            (Who::ThisMachine, _) => Reach::ThisMachine,
            // Whatever comes in by a bridge of guests is theirs.
            (_, NetworkClass::Public | NetworkClass::Trusted) if self.is_anyone => Reach::Everyone,
            (Who::Strangers | Who::Neighbours | Who::Named, _) => Reach::Trusted,
        }
    }
}

impl Fate {
    /// How good it is for who knocks.
    const fn kindness(self) -> u8 {
        match self {
            Self::Accepted => 3,
            Self::Unknown { .. } => 2,
            Self::Refused => 1,
            Self::Dropped => 0,
        }
    }
}
