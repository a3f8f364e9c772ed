//! Why somebody can or can't connect.

use std::net::IpAddr;

use crate::app::{Error, Kind, Observation};
use crate::core::listener::Family;
use crate::core::network::{RouteKind, World};
use crate::core::overview::Judged;
use crate::core::reach::{Explanation, Probe, explain};
use crate::core::ruleset::Ruleset;
use crate::core::service::ServiceId;
use crate::core::text::printable;

mod words;

pub use words::WalkLine;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The service: a port, or a port at one of this machine's addresses.
    pub id: ServiceId,
    /// From where.
    pub from: IpAddr,
    /// The interface packets come in by; by the route to the source where none is given.
    pub interface: Option<String>,
    /// Whether it is asked of the rules as they will be once the policy is applied.
    pub is_after: bool,
}

/// What was asked, with what was left open filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The interface.
    pub interface: String,
    /// From where.
    pub source: IpAddr,
    /// To where on this machine.
    pub destination: IpAddr,
    /// How it fares, and why.
    pub explanation: Explanation,
}

/// Walks a first packet through the rules as observed.
///
/// # Errors
/// An interface that is not there, or a family without an address to connect to.
pub fn answer(observation: &Observation, question: &Question) -> Result<Answer, Error> {
    let world = &observation.world;
    let interface = interface(world, question)?;
    let destination = destination(world, &interface, &question.id, question.from)?;
    let candidate = match question.is_after {
        true => observation.compile(&observation.policy),
        false => Ruleset::default(),
    };
    let judged = Judged::new(observation.scene(), &observation.policy, &candidate);
    let (now, after) = judged.judges();
    let judge = if question.is_after { after } else { now };
    let (protocol, port) = (question.id.protocol, question.id.ports.first());
    let packet = Probe::opening(&interface, question.from, destination, protocol, port);
    let services: Vec<_> = observation.services.iter().map(AsRef::as_ref).collect();
    let explanation = explain(judge.rules(), &packet, &services);
    Ok(Answer {
        source: question.from,
        destination,
        explanation,
        interface: interface.clone(),
    })
}

/// The interface a packet from the source comes in by.
fn interface(world: &World, question: &Question) -> Result<String, Error> {
    let usage = |what: String| Error::new(Kind::Usage, what);
    if let Some(name) = &question.interface {
        let names: Vec<&str> = world
            .interfaces
            .iter()
            .map(|interface| interface.name.as_str())
            .collect();
        return match world.interface(name) {
            Some(_) => Ok(name.clone()),
            None => Err(usage(format!(
                "there is no interface '{}': there are {}",
                printable(name),
                names.join(", ")
            ))),
        };
    }
    if world.is_local(question.from) {
        return Ok("lo".to_owned());
    }
    let route = world
        .route(question.from)
        .filter(|route| route.kind == RouteKind::Unicast);
    let interface = route.and_then(|route| world.interface_at(route.interface));
    interface.map(|interface| interface.name.clone()).ok_or_else(|| {
        usage(format!(
            "no route leads to {}, so it is not known by which interface it comes in: say --interface",
            question.from
        ))
    })
}

/// The address of this machine a peer would connect to: the one that was named, or the interface's own,
/// or any.
pub(super) fn destination(world: &World, interface: &str, id: &ServiceId, from: IpAddr) -> Result<IpAddr, Error> {
    let family = Family::of(from);
    if let Some(address) = &id.address {
        if Family::of(address.ip) == family {
            return Ok(address.ip);
        }
        let what = format!("{from} and {} are of different families", address.ip);
        return Err(Error::new(Kind::Usage, what));
    }
    if interface == "lo" && world.is_local(from) {
        return Ok(from);
    }
    let is_link_local = |address: &IpAddr| matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    let wants_link_local = is_link_local(&from);
    let own = world.interfaces.iter().flat_map(|have| {
        let is_here = have.name == interface;
        have.addresses.iter().map(move |net| (is_here, net.addr()))
    });
    let of_family = own.filter(|(_, address)| Family::of(*address) == family && !address.is_loopback());
    let best = of_family.max_by_key(|(is_here, address)| (*is_here, is_link_local(address) == wants_link_local));
    best.map(|(_, address)| address).ok_or_else(|| {
        let what = format!("this machine has no {family} address to connect to");
        Error::new(Kind::Usage, what)
    })
}
