//! Who can connect to one service, network by network, and why: what the screens ask for while a
//! service is selected.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::app::Observation;
use crate::app::explain::{Answer, destination};
use crate::core::listener::Family;
use crate::core::network::{NetworkClass, RouteKind, class_of};
use crate::core::overview::{Fared, Judged, NetworkReach, by_network};
use crate::core::policy::Policy;
use crate::core::reach::{Judge, Probe, Who, explain};
use crate::core::service::Service;

/// So many of the sources that a decision names are asked for.
const MOST_NAMED: usize = 16;

/// A question about one service, with all it takes to answer it on another thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// The service.
    pub service: Arc<Service>,
    policy: Policy,
    /// Without what it does not take.
    observation: Observation,
}

impl Inquiry {
    /// About a service of what was observed, with the policy that is wanted.
    pub fn new(observation: &Observation, policy: &Policy, service: Arc<Service>) -> Self {
        Self {
            service,
            policy: policy.clone(),
            observation: observation.for_reach(),
        }
    }

    /// How every network fares, and the sources that the decision or a block names.
    pub fn networks(&self) -> Vec<NetworkReach> {
        self.judged(&|now, after| {
            let mut networks = by_network(&self.service, now, after);
            networks.extend(self.named(now, after));
            networks
        })
    }

    /// The way of one peer, now and after applying.
    pub fn walks(&self, network: &NetworkReach) -> [Answer; 2] {
        let services: Vec<&Service> = self.observation.services.iter().map(AsRef::as_ref).collect();
        let (protocol, port) = (self.service.id.protocol, self.service.id.ports.first());
        self.judged(&|now, after| {
            [(now, &network.now), (after, &network.after)].map(|(judge, fared)| {
                let probe = Probe::opening(&network.interface, fared.from, fared.to, protocol, port);
                Answer {
                    interface: network.interface.clone(),
                    source: fared.from,
                    destination: fared.to,
                    explanation: explain(judge.rules(), &probe, &services),
                }
            })
        })
    }

    fn judged<T>(&self, look: &dyn Fn(&Judge<'_>, &Judge<'_>) -> T) -> T {
        let candidate = self.observation.compile(&self.policy);
        let judged = Judged::new(self.observation.scene(), &self.policy, &candidate);
        let (now, after) = judged.judges();
        look(&now, &after)
    }

    /// One of each of the sources that the decision or a block names.
    fn named(&self, now: &Judge<'_>, after: &Judge<'_>) -> Vec<NetworkReach> {
        let world = &self.observation.world;
        let id = &self.service.id;
        let entry = self.policy.entry_for(id).map(|(_, entry)| entry);
        let blocks = self.policy.blocks_on(id).filter(|block| !block.is_over(world.now));
        let named = entry.into_iter().flat_map(|entry| &entry.from);
        let mut sources: Vec<&IpNet> = named.chain(blocks.flat_map(|block| &block.from)).collect();
        sources.sort();
        sources.dedup();
        let sources = sources.into_iter().take(MOST_NAMED);
        let reach = sources.filter_map(|source| {
            let from: IpAddr = source.hosts().next().unwrap_or_else(|| source.addr());
            let route = world.route(from).filter(|route| route.kind == RouteKind::Unicast)?;
            let interface = world.interface_at(route.interface)?;
            let to = destination(world, &interface.name, id, from).ok()?;
            let fared = |judge: &Judge<'_>| {
                let knock = judge.knock(Some(&interface.name), from, Some(to), id.protocol, id.ports.first());
                knock.map(|(fate, decided_by)| Fared {
                    fate,
                    decided_by,
                    from,
                    to,
                })
            };
            Some(NetworkReach {
                interface: interface.name.clone(),
                class: match self.policy.networks.trusted_sources.contains(source) {
                    true => NetworkClass::Trusted,
                    false => class_of(interface, &self.policy),
                },
                family: Family::of(from),
                who: Who::Named,
                now: fared(now)?,
                after: fared(after)?,
            })
        });
        reach.collect()
    }
}
