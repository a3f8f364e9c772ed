//! The services that are stopped or started themselves, beside what becomes of the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::core::policy::Policy;
use crate::core::service::{Service, ServiceId};
use crate::core::unit::{Proposal, Unit, carries_network, listed};
use crate::core::way_in::{Carrier, WayIn};

/// The units that let somebody in by SSH, by whatever name a distribution has for them.
const SSH: [&str; 6] = [
    "ssh.service",
    "ssh.socket",
    "sshd.service",
    "sshd.socket",
    "dropbear.service",
    "dropbear.socket",
];

/// A service that is stopped, or started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceChange {
    /// Stopped, or started.
    pub is_stopped: bool,
    /// The service, its units, and what depends on them.
    pub proposal: Proposal,
}

impl ServiceChange {
    /// What it means, a sentence each, without full stops.
    pub fn sentences(&self) -> Vec<String> {
        if self.is_stopped {
            return self.proposal.sentences();
        }
        let units = listed(&self.proposal.units);
        vec![format!(
            "started when you apply, and enabled as before once you keep it: {units}"
        )]
    }

    /// The service by its name and id.
    pub fn service(&self) -> String {
        let Proposal { id, name, .. } = &self.proposal;
        match name.is_empty() {
            true => id.to_string(),
            false => format!("{name} {id}"),
        }
    }
}

impl fmt::Display for ServiceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.service(), self.sentences().join("; "))
    }
}

/// The services that a policy stops and starts, as against the one that was confirmed last.
pub fn service_changes(
    policy: &Policy,
    confirmed: Option<&Policy>,
    services: &[Arc<Service>],
    known: &BTreeMap<String, Unit>,
) -> Vec<ServiceChange> {
    let nothing = BTreeMap::new();
    let before = confirmed.map_or(&nothing, |confirmed| &confirmed.disabled);
    let were_off: BTreeSet<&String> = before.values().flat_map(|disabled| &disabled.units).collect();
    let are_off = policy.disabled_units();
    let change = |id: &ServiceId, units: Vec<String>, is_stopped| {
        let name = services
            .iter()
            .find(|service| service.id == *id)
            .map(|service| service.name.clone());
        let mut proposal = Proposal::new(id.clone(), name.unwrap_or_default(), units, known);
        proposal.also = others(&proposal, services);
        ServiceChange { is_stopped, proposal }
    };
    let mut changes = Vec::new();
    for (id, disabled) in &policy.disabled {
        let units: Vec<String> = disabled
            .units
            .iter()
            .filter(|unit| !were_off.contains(unit))
            .cloned()
            .collect();
        if !units.is_empty() {
            changes.push(change(id, units, true));
        }
    }
    for (id, disabled) in before {
        let is_on = |unit: &&String| !are_off.contains(unit.as_str());
        let units: Vec<String> = disabled.units.iter().filter(is_on).cloned().collect();
        if !units.is_empty() {
            changes.push(change(id, units, false));
        }
    }
    changes
}

/// The other services that these units serve.
pub(super) fn others(proposal: &Proposal, services: &[Arc<Service>]) -> Vec<ServiceId> {
    let is_other = |service: &&Arc<Service>| service.id != proposal.id && is_of(service, &proposal.units);
    services
        .iter()
        .filter(is_other)
        .map(|service| service.id.clone())
        .collect()
}

/// Whether a service is the work of one of these units.
fn is_of(service: &Service, units: &[String]) -> bool {
    let own = service.owners.iter().filter_map(|owner| owner.unit.as_ref());
    own.chain(&service.unit).any(|unit| units.contains(unit))
}

/// The unit that a way in is lost with; none where it is not lost.
pub fn lost_with(way_in: &WayIn, changes: &[ServiceChange], services: &[Arc<Service>]) -> Option<String> {
    let is_its_port = |id: &ServiceId| id.protocol == way_in.protocol && id.ports.contains_port(way_in.port);
    let stopped = changes.iter().filter(|change| change.is_stopped);
    stopped.map(|change| &change.proposal).find_map(|proposal| {
        // What needs the units is stopped with them.
        let all = [proposal.units.as_slice(), &proposal.needed_by].concat();
        let serves_it = |service: &&Arc<Service>| is_its_port(&service.id) && is_of(service, &all);
        let is_lost = is_its_port(&proposal.id) || services.iter().any(|service| serves_it(&service));
        let named = all
            .iter()
            .find(|unit| carries_network(unit) || way_in.carrier == Carrier::Ssh && SSH.contains(&unit.as_str()));
        named.or_else(|| proposal.units.last().filter(|_| is_lost)).cloned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::listener::Protocol;

    fn way_in(port: u16) -> WayIn {
        WayIn {
            carrier: Carrier::Ssh,
            protocol: Protocol::Tcp,
            port,
            peer: None,
            local: None,
            interface: None,
        }
    }

    fn disabling(entries: &[(&str, &str)]) -> Policy {
        let mut policy = Policy::default();
        for (id, unit) in entries {
            policy.disable(id.parse().unwrap(), &[(*unit).to_owned()]).unwrap();
        }
        policy
    }

    fn changes(policy: &Policy, confirmed: &Policy) -> Vec<ServiceChange> {
        service_changes(policy, Some(confirmed), &[], &BTreeMap::new())
    }

    #[test]
    fn only_what_differs_is_stopped_or_started() {
        let (off, on) = (disabling(&[("80/tcp", "a.service")]), Policy::default());
        assert_eq!(changes(&off, &off), []);
        let stopped = changes(&off, &on);
        assert_eq!(
            stopped[0].to_string(),
            "80/tcp: stopped when you apply, and disabled for good once you keep it: a.service"
        );
        let started = changes(&on, &off);
        assert_eq!(
            started[0].to_string(),
            "80/tcp: started when you apply, and enabled as before once you keep it: a.service"
        );
        // A unit that another service keeps off stays off.
        let both = disabling(&[("80/tcp", "a.service"), ("81/tcp", "a.service")]);
        assert_eq!(changes(&off, &both), []);
    }

    #[test]
    fn a_way_in_is_lost_with_its_service_its_socket_and_the_network() {
        for (id, unit, port, is_lost) in [
            ("22/tcp", "odd-name.service", 22, true),
            ("80/tcp", "ssh.socket", 22, true),
            ("80/tcp", "sshd.service", 2222, true),
            ("68/udp", "NetworkManager.service", 22, true),
            ("80/tcp", "nginx.service", 22, false),
        ] {
            let changes = changes(&disabling(&[(id, unit)]), &Policy::default());
            let lost = lost_with(&way_in(port), &changes, &[]);
            assert_eq!(lost.as_deref(), is_lost.then_some(unit), "{id} {unit}");
        }
        // By what needs the unit, too.
        let mut with_it = changes(&disabling(&[("80/tcp", "nginx.service")]), &Policy::default());
        with_it[0].proposal.needed_by = vec!["ssh.service".to_owned()];
        assert_eq!(lost_with(&way_in(22), &with_it, &[]).as_deref(), Some("ssh.service"));
        let started = changes(&Policy::default(), &disabling(&[("22/tcp", "ssh.service")]));
        assert_eq!(lost_with(&way_in(22), &started, &[]), None);
    }
}
