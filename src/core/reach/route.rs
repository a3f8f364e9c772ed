//! What the kernel decides between the rules: the route, and what it refuses there.

use std::net::IpAddr;

use crate::core::listener::Family;
use crate::core::netfilter::Hook;
use crate::core::network::{RouteKind, Switches};

use super::fate::{Decider, Fate, Kernel, Walk};
use super::journey::{Done, Journey, Stage};
use super::packet::Ends;
use super::rules::Rules;
use super::traveller::{Leaves, Traveller};

impl<'n> Rules<'n> {
    /// IPv6 from or to `::1` from outside is dropped before any rule (`ip6_rcv_core`).
    pub(super) fn refused_at_once(journey: &Journey<'n>) -> Option<Walk<'n>> {
        let Ends {
            source, destination, ..
        } = journey.packet.ends;
        let is_so = journey.packet.family == Family::Ipv6 && (source.is_loopback() || destination.is_loopback());
        is_so.then(|| {
            journey
                .clone()
                .end(Fate::Dropped, Decider::Kernel(Kernel::LoopbackAddress))
        })
    }

    pub(super) fn leaves(&self, destination: IpAddr) -> Leaves<'n> {
        let route = self
            .world
            .route(destination)
            .filter(|route| route.kind == RouteKind::Unicast);
        let interface = route.and_then(|route| self.world.interface_at(route.interface));
        match interface {
            _ if self.world.has_policy_routing => Leaves::Unknown,
            Some(interface) => Leaves::By(&interface.name),
            None => Leaves::Nowhere,
        }
    }

    /// The routing decision of a packet from outside, and what the kernel refuses there
    /// (`ip_route_input_slow` in `net/ipv4/route.c`, `ip6_forward` in `net/ipv6/ip6_output.c`).
    pub(super) fn route(&self, journey: &mut Journey<'n>) -> Done<'n> {
        let packet = &mut journey.packet;
        let Ends {
            source, destination, ..
        } = packet.ends;
        let world = self.world;
        let switches = world.switches.get(packet.interface).copied().unwrap_or_default();
        let dropped = |why| Done::Ended(Fate::Dropped, Decider::Kernel(why));
        if packet.family == Family::Ipv4 {
            let is_loopback = source.is_loopback() || destination.is_loopback();
            if is_loopback && !switches.routes_localnet {
                return dropped(Kernel::LoopbackAddress);
            }
            if world.is_local(source) && !source.is_loopback() {
                return dropped(Kernel::OwnSource);
            }
            match self.has_way_back(packet, switches) {
                Some(true) => {}
                Some(false) => return dropped(Kernel::ReversePath),
                None => {
                    let fate = Fate::Unknown { may_arrive: true };
                    return Done::Ended(fate, Decider::Kernel(Kernel::ReversePath));
                }
            }
        }
        let is_taken_in = || {
            let kind = world.route(destination).map(|route| route.kind);
            matches!(kind, Some(RouteKind::Broadcast | RouteKind::Local))
        };
        if world.is_local(destination) || destination.is_multicast() || is_taken_in() {
            journey.stage = Stage::Hook(Hook::Input);
            return Done::On;
        }
        let forwards = match packet.family {
            Family::Ipv4 => switches.forwards_ipv4,
            Family::Ipv6 => switches.forwards_ipv6,
        };
        if !forwards {
            return dropped(Kernel::NotForwarding);
        }
        packet.leaves = self.leaves(destination);
        if packet.leaves == Leaves::Nowhere {
            return Done::Ended(Fate::Refused, Decider::Kernel(Kernel::NoRoute));
        }
        journey.is_local = false;
        journey.stage = Stage::Hook(Hook::Forward);
        Done::On
    }

    /// `fib_validate_source`; none where routes decide that were not read.
    fn has_way_back(&self, packet: &Traveller<'n>, switches: Switches) -> Option<bool> {
        let source = packet.ends.source;
        let is_nobody = source.is_unspecified();
        if switches.reverse_path == 0 || is_nobody {
            return Some(true);
        }
        if self.world.has_policy_routing {
            return None;
        }
        let back = self
            .world
            .route(source)
            .filter(|route| route.kind == RouteKind::Unicast);
        let name = back.and_then(|route| self.world.interface_at(route.interface));
        Some(match switches.reverse_path {
            1 => name.is_some_and(|interface| interface.name == packet.interface),
            _ => back.is_some(),
        })
    }

    /// This machine's own packets to itself that rules send elsewhere. From a loopback address they get
    /// nowhere: IPv4 has no route for them without `route_localnet` (`__mkroute_output`), and who takes
    /// them in drops them, unless their source was rewritten on the way out.
    pub(super) fn leaves_from_loopback(&self, hook: Hook, journey: &Journey<'n>) -> Option<Done<'n>> {
        let packet = &journey.packet;
        let Ends {
            source, destination, ..
        } = packet.ends;
        if !source.is_loopback() || packet.interface == "lo" {
            return None;
        }
        let dropped = Done::Ended(Fate::Dropped, Decider::Kernel(Kernel::LoopbackAddress));
        match hook {
            Hook::Output if packet.has_new_destination && !self.world.is_local(destination) => {
                let routes_localnet = match self.leaves(destination) {
                    Leaves::By(name) => self
                        .world
                        .switches
                        .get(name)
                        .is_some_and(|switches| switches.routes_localnet),
                    Leaves::Nowhere | Leaves::Unknown => false,
                };
                (packet.family == Family::Ipv4 && !routes_localnet).then_some(dropped)
            }
            Hook::Postrouting => {
                (packet.leaves != Leaves::By("lo") && packet.has_new_source == Some(false)).then_some(dropped)
            }
            _ => None,
        }
    }
}
