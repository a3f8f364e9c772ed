//! The first-time setup: what is proposed, and what the user answers.
//!
//! A proposal never trusts more than what holds without any policy, and taking all of them never
//! shuts the user out.

use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;

use crate::core::catalogue::{Advice, Catalogue};
use crate::core::network::{Interface, NetworkClass};
use crate::core::policy::{Decision, Logging, Policy, Refusal};
use crate::core::service::{BoundTo, Ports, Service, ServiceId};
use crate::core::way_in::WayIn;

mod absent;
mod answers;
mod elsewhere;
mod networks;
mod services;
pub mod words;

pub use answers::{Answers, LARGEST, Step};
pub use elsewhere::{About, Against, Elsewhere};
pub use services::clients;

/// What sort of machine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MachineKind {
    /// A graphical session is installed.
    Desktop,
    /// None is.
    Server,
    /// That can't be told.
    Unknown,
}

impl MachineKind {
    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Server => "server",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Option<bool>> for MachineKind {
    fn from(is_desktop: Option<bool>) -> Self {
        match is_desktop {
            Some(true) => Self::Desktop,
            Some(false) => Self::Server,
            None => Self::Unknown,
        }
    }
}

/// What the proposals are made from.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// What listens.
    pub services: &'a [Arc<Service>],
    /// The interfaces.
    pub interfaces: &'a [Interface],
    /// What is known of services.
    pub catalogue: &'a Catalogue,
    /// What the user's own session depends on.
    pub ways_in: &'a [WayIn],
    /// Whether somebody sits at the machine.
    pub is_desktop: Option<bool>,
    /// The ports the kernel gives to sockets that ask for none.
    pub ephemeral: Ports,
    /// The policy there is: what is decided in it stays. The default one where there is none.
    pub policy: &'a Policy,
}

/// Everything that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposals {
    /// The networks, in the order the kernel tells them.
    pub networks: Vec<NetworkProposal>,
    /// The addresses that are trusted by hand, whatever interface they come by: nothing is asked about them.
    pub trusted_sources: Vec<IpNet>,
    /// The services that others may reach: what carries the user first, then what listens everywhere,
    /// then the rest, and what is decided already last.
    pub services: Vec<ServiceProposal>,
    /// How what is not let in is refused.
    pub refusal: Proposed<Refusal>,
    /// Where refusals are logged.
    pub logging: Proposed<Logging>,
    /// What sort of machine it was taken for.
    pub machine: MachineKind,
    /// How much was found.
    pub counts: Counts,
}

impl Proposals {
    /// Whether something is for trusted networks while no network is trusted.
    pub fn trusts_nobody(&self) -> bool {
        let for_trusted = |one: &ServiceProposal| one.decision == Decision::Trusted;
        let is_public = |one: &NetworkProposal| one.class == NetworkClass::Public;
        self.services.iter().any(for_trusted) && self.trusted_sources.is_empty() && self.networks.iter().all(is_public)
    }
}

/// How much was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Services that listen, or are published.
    pub services: usize,
    /// Of these: bound to loopback, where nobody else can reach them, so that nothing is asked.
    pub on_loopback: usize,
    /// Of these: clients that wait for answers, so that nothing is asked.
    pub clients: usize,
    /// Networks that are asked about.
    pub networks: usize,
}

/// A value with the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed<T> {
    /// The value.
    pub value: T,
    /// Why: one sentence.
    pub why: String,
    /// Whether it was decided before, and stays.
    pub is_decided: bool,
}

/// What is proposed for an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkProposal {
    /// Its name, printable.
    pub interface: String,
    /// Its class.
    pub class: NetworkClass,
    /// Why: one sentence.
    pub why: String,
    /// Whether it was decided before, and stays.
    pub is_decided: bool,
}

/// What is proposed for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProposal {
    /// The service.
    pub id: ServiceId,
    /// Its name, printable; empty where it is not known.
    pub name: String,
    /// What is advised; `disable` is proposed as confine, and `why` says so.
    pub advice: Advice,
    /// The decision that is proposed.
    pub decision: Decision,
    /// With `open`: only these sources, as it was decided before. Empty means everyone.
    pub from: Vec<IpNet>,
    /// Why: one or two sentences.
    pub why: String,
    /// What it is: one sentence; none where the catalogue does not know it.
    pub what: Option<String>,
    /// Whether the catalogue knows it.
    pub is_known: bool,
    /// Whether the user's own session came by it, or depends on it.
    pub carries_you: bool,
    /// Whether it was decided before, and stays.
    pub is_decided: bool,
}

/// What is proposed for a machine. Services bound to loopback, and clients that wait for answers,
/// need nothing and are left out.
pub fn propose(found: &Found<'_>) -> Proposals {
    let machine = MachineKind::from(found.is_desktop);
    let networks = networks::propose(found.interfaces, found.policy);
    let knows_owners = services::knows_owners(found);
    let count = |is: &dyn Fn(&Service) -> bool| {
        let there = found.services.iter().filter(|service| service.is_there());
        there.filter(|service| is(service)).count()
    };
    Proposals {
        counts: Counts {
            services: count(&|_| true),
            on_loopback: count(&|service| service.bound_to == BoundTo::Loopback),
            clients: count(&|service| {
                service.bound_to != BoundTo::Loopback && services::is_client(service, found, knows_owners)
            }),
            networks: networks.len(),
        },
        networks,
        trusted_sources: found.policy.networks.trusted_sources.clone(),
        services: services::propose(found),
        refusal: Proposed {
            value: found.policy.refusal,
            why: words::why_refusal(found.policy.refusal).to_owned(),
            is_decided: found.policy.refusal != Refusal::default(),
        },
        logging: Proposed {
            value: found.policy.logging,
            why: words::why_logging(found.policy.logging, machine).to_owned(),
            is_decided: found.policy.logging != Logging::default(),
        },
        machine,
    }
}

#[cfg(test)]
mod tests;
