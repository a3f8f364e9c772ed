//! Disabling services: whose work one is, what depends on it, and what a trial has to do for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::{Depth, Error, Kind, Machine, Observation};
use crate::core::plan::{ServiceChange, service_changes};
use crate::core::policy::Policy;
use crate::core::service::{Service, ServiceId};
use crate::core::unit::{
    Candidate, Process, Proposal, Unit, UnitBefore, UnitWork, Unstoppable, candidate, choose, is_unit_name, socket_for,
};
use crate::store::state::Confirmed;
use crate::sys::runner::SystemRunner;
use crate::sys::units;

impl Machine {
    /// What disabling a service would do; `named` are its units where the user names them.
    ///
    /// # Errors
    /// Where it can't be disabled, with the way to do it by hand.
    pub fn propose(&self, id: &ServiceId, named: &[String]) -> Result<Proposal, Error> {
        let observation = self.look(Depth::Reach);
        let refused = |why: Unstoppable| {
            let kind = if why == Unstoppable::Unseen {
                Kind::NotPermitted
            } else {
                Kind::Failed
            };
            Error::new(kind, format!("{id} can't be disabled: {why}")).hint(why.how())
        };
        if let Some(wrong) = named.iter().find(|name| !is_unit_name(name)) {
            return Err(Error::new(
                Kind::Usage,
                format!("'{wrong}' is no unit that can be disabled: write it like postgresql.service or cups.socket"),
            ));
        }
        let services = &observation.services;
        let service = services.iter().find(|service| service.id == *id);
        let processes = service.map(|service| processes(service)).unwrap_or_default();
        if let Some(why) = units::why_none() {
            let process = processes.into_iter().next();
            return Err(refused(Unstoppable::NoSystemd { why, process }));
        }
        let mains = match (named, service) {
            ([], Some(service)) => vec![main_unit(service, &processes, observation.is_root).map_err(refused)?],
            ([], None) => return Err(not_there(id, services)),
            (named, _) => named.to_vec(),
        };
        let runner = SystemRunner::new();
        let known = units::show_all(&runner, &mains).map_err(|error| {
            Error::failed(format!("systemd can't be asked: {error}")).hint("Look with: systemctl status")
        })?;
        let mut chosen = BTreeSet::new();
        for main in &mains {
            chosen.extend(choose(main, &known).map_err(refused)?);
        }
        let mut policy = Policy::default();
        let chosen: Vec<String> = chosen.into_iter().collect();
        policy.disable(id.clone(), &chosen).map_err(Error::failed)?;
        let mut changes = service_changes(&policy, None, services, &known);
        let proposal = changes.pop().map(|change| change.proposal);
        proposal.ok_or_else(|| Error::failed(format!("{id} can't be disabled")))
    }
}

impl Observation {
    /// The services that applying this policy stops and starts.
    pub fn service_changes(&self, policy: &Policy) -> Vec<ServiceChange> {
        service_changes(policy, self.confirmed.as_ref(), &self.services, &self.units)
    }

    /// Asks for the units that the policies speak of.
    pub(super) fn look_at_units(&mut self) {
        let confirmed = self.confirmed.iter().flat_map(Policy::disabled_units);
        let names: BTreeSet<String> = self
            .policy
            .disabled_units()
            .into_iter()
            .chain(confirmed)
            .map(str::to_owned)
            .collect();
        if names.is_empty() || units::why_none().is_some() {
            return;
        }
        let names: Vec<String> = names.into_iter().collect();
        match units::show_all(&SystemRunner::new(), &names) {
            Ok(known) => self.units = known,
            Err(error) => self.unseen.push(format!("systemd's units can't be seen: {error}.")),
        }
    }
}

/// What a trial of the wanted policy has to do to units, and what is to be remembered of those that
/// stay off.
///
/// # Errors
/// Where there is something to do, and no systemd to do it.
pub(super) fn work(wanted: &Policy, confirmed: Option<&Confirmed>) -> Result<(UnitWork, Vec<UnitBefore>), Error> {
    let before = confirmed
        .map(|confirmed| confirmed.policy.disabled_units())
        .unwrap_or_default();
    let after = wanted.disabled_units();
    let records = confirmed
        .map(|confirmed| confirmed.stopped.as_slice())
        .unwrap_or_default();
    let (mut start, mut stay) = (Vec::new(), Vec::new());
    for unit in before.difference(&after) {
        let record = records
            .iter()
            .find(|record| record.unit == **unit && record.with.is_none());
        start.push(record.cloned().unwrap_or_else(|| UnitBefore::usual(unit)));
    }
    for record in records {
        let is_off = |unit: &str| after.contains(unit);
        match &record.with {
            // What was stopped with one that is started again runs again with it.
            Some(with) if !is_off(with) => start.push(record.clone()),
            None if !is_off(&record.unit) => {}
            Some(_) | None => stay.push(record.clone()),
        }
    }
    let work = UnitWork {
        stop: after.difference(&before).map(|unit| (*unit).to_owned()).collect(),
        start,
        ..UnitWork::default()
    };
    match units::why_none().filter(|_| !work.is_empty()) {
        Some(why) => Err(
            Error::failed(format!("services can't be stopped or started here: {why}"))
                .hint("Take it back with 'fwtui enable SERVICE', and apply again."),
        ),
        None => Ok((
            UnitWork {
                stop: crate::core::unit::sorted(work.stop),
                ..work
            },
            stay,
        )),
    }
}

fn processes(service: &Service) -> Vec<Process> {
    let process = |owner: &Arc<crate::core::listener::Owner>| Process {
        pid: owner.pid,
        name: owner.name.clone(),
        user: owner.user.clone(),
        cgroup: units::cgroup_of(owner.pid),
    };
    service.owners.iter().map(process).collect()
}

fn main_unit(service: &Service, processes: &[Process], is_root: bool) -> Result<String, Unstoppable> {
    match candidate(service, processes, is_root)? {
        Candidate::Unit(unit) => Ok(unit),
        Candidate::HeldBySystemd => {
            let sockets: Vec<Unit> = units::sockets(&SystemRunner::new()).unwrap_or_default();
            socket_for(&service.id, &sockets).ok_or(Unstoppable::Unknown)
        }
    }
}

/// No row has this id: perhaps several have its port.
fn not_there(id: &ServiceId, services: &[Arc<Service>]) -> Error {
    let is_like_it = |other: &&Arc<Service>| (other.id.protocol, other.id.ports) == (id.protocol, id.ports);
    let like_it: Vec<String> = services
        .iter()
        .filter(is_like_it)
        .map(|service| service.id.to_string())
        .collect();
    let why = Unstoppable::Nothing;
    match like_it.is_empty() {
        true => Error::failed(format!("{id} can't be disabled: {why}")).hint(why.how()),
        false => {
            Error::failed(format!("{id} is more than one service")).hint(format!("Name one: {}", like_it.join(", ")))
        }
    }
}
