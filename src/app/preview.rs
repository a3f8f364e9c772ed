//! What applying would change.

use std::collections::BTreeSet;

use crate::app::{Observation, State, Status};
use crate::core::network::zones;
use crate::core::overview::{Before, Judged, Row, by_network};
use crate::core::plan::{Plan, Warning, lost_with, unguarded};
use crate::core::policy::{Decision, Policy};
use crate::core::reach::Filter;
use crate::core::ruleset::{Ruleset, Telling};
use crate::core::service::ServiceId;
use crate::core::setup::{Found, clients};
use crate::core::way_in::{Standing, WayIn};

/// A policy, and what it comes to on a machine that was seen.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// The policy.
    pub policy: Policy,
    /// What applying it would mean.
    pub plan: Plan,
    /// The services, as they would be.
    pub rows: Vec<Row>,
    /// Where fwtui stood then.
    pub status: Status,
}

impl Outlook {
    /// Works it out; with the rows of this very observation for the policy before an edit, quicker.
    pub fn of(observation: &Observation, policy: &Policy, before: Option<Before<'_>>) -> Self {
        let (plan, rows) = plan_and_rows_since(observation, policy, before, false);
        Self {
            policy: policy.clone(),
            plan,
            rows,
            status: observation.status.clone(),
        }
    }
}

/// The plan for a policy on the machine as observed; with `is_off`, for taking all of fwtui's rules
/// out.
pub fn plan(observation: &Observation, policy: &Policy, is_off: bool) -> Plan {
    plan_and_rows(observation, policy, is_off).0
}

/// The plan, with the rows it was worked out from: for thousands of services they are the dear part.
pub fn plan_and_rows(observation: &Observation, policy: &Policy, is_off: bool) -> (Plan, Vec<Row>) {
    plan_and_rows_since(observation, policy, None, is_off)
}

/// The same where the rows of this very observation are there for a policy that was edited since.
pub fn plan_and_rows_since(
    observation: &Observation,
    policy: &Policy,
    before: Option<Before<'_>>,
    is_off: bool,
) -> (Plan, Vec<Row>) {
    let policy = &*policy.current(observation.world.now);
    let candidate = if is_off {
        Ruleset::default()
    } else {
        observation.compile(policy)
    };
    let scene = observation.scene();
    let judged = Judged::new(scene, policy, &candidate);
    let (now, after) = judged.judges();
    let rows = scene.rows_since(policy, before, &now, &after);
    let mut warnings = Vec::new();
    let trusts = policy
        .services
        .values()
        .any(|entry| entry.decision == Decision::Trusted);
    if !is_off && trusts && zones(policy, &observation.interfaces).is_empty() {
        warnings.push(Warning::NobodyTrusted);
    }
    if !is_off && observation.telling == Telling::ByAddress {
        warnings.push(Warning::PublishedByAddress);
    }
    warnings.extend(unguarded(&rows, &observation.catalogue));
    warnings.extend(observation.status.other_backend.clone().map(Warning::TwoBackends));
    // What it refuses stays refused; with fwtui's rules gone it is nobody's concern here.
    let firewalls = observation
        .status
        .tools
        .iter()
        .filter(|tool| tool.manager.is_firewall());
    let active = firewalls.filter(|tool| !is_off && tool.is_active());
    warnings.extend(active.map(|tool| Warning::Manager(tool.manager)));
    let doubt = match observation.status.state {
        State::Drifted => Warning::Drifted,
        _ => Warning::Unsure,
    };
    warnings.extend(observation.status.drift.clone().map(doubt));
    let nothing = Filter::default();
    let filter = observation.filter.as_ref().unwrap_or(&nothing);
    // Taking the rules out stops no service, and starts none.
    let services = match is_off {
        true => Vec::new(),
        false => observation.service_changes(policy),
    };
    let lost = |way_in: &WayIn| lost_with(way_in, &services, &observation.services);
    let standing = |way_in: &WayIn| match (lost(way_in), &observation.netfilter) {
        (Some(unit), _) => Standing::Stopped(unit),
        (None, Some(_)) => way_in.standing(&candidate, &after),
        (None, None) if way_in.is_let_in(&candidate) => Standing::Kept,
        (None, None) => Standing::Refused,
    };
    let ways_in = observation
        .ways_in
        .iter()
        .map(|way_in| (way_in.clone(), standing(way_in)));
    let ways_in: Vec<(WayIn, Standing)> = ways_in.collect();
    let clients = clients_of(observation, policy);
    let plan = Plan::new(policy, &rows, filter, candidate.clone(), ways_in, warnings)
        .with_undecided(&rows, &|service| clients.contains(&service.id))
        .with_networks(&rows, &|service| by_network(service, &now, &after))
        .with_running(&observation.running, &observation.services, &observation.ways_in)
        .with_untracked(&observation.untracked, filter)
        .with_services(services);
    match observation.filter {
        Some(_) => (plan, rows),
        None => (plan.blind(), rows),
    }
}

/// What the setup asks nothing about. Where it is not known which ports are given to clients, all are
/// services.
fn clients_of<'a>(observation: &'a Observation, policy: &'a Policy) -> BTreeSet<&'a ServiceId> {
    let found = observation.ephemeral.map(|ephemeral| Found {
        services: &observation.services,
        interfaces: &observation.interfaces,
        catalogue: &observation.catalogue,
        ways_in: &observation.ways_in,
        is_desktop: None,
        ephemeral,
        policy,
    });
    found.map(|found| clients(&found)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cant_be_seen_is_neither_in_force_nor_drifted() {
        let mut observation = Observation::default();
        observation.status.drift = Some("a document can't be read".into());
        for is_off in [false, true] {
            let blind = plan(&observation, &Policy::default(), is_off);
            assert!(blind.is_blind && !blind.is_in_force, "{is_off}");
            let said = blind.warnings.first().unwrap().to_string();
            assert!(said.starts_with("It is not known whether"), "{said}");
        }
        observation.status.state = State::Drifted;
        observation.filter = Some(Filter::default());
        let seen = plan(&observation, &Policy::default(), true);
        assert!(!seen.is_blind && seen.is_in_force);
        let said = seen.warnings.first().unwrap().to_string();
        assert!(said.starts_with("The rules in the kernel are no longer"), "{said}");
    }
}
