//! The rows of the Services screen and of `list`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use ipnet::IpNet;

use crate::core::counters::{Counters, Tally};
use crate::core::listened::{Listened, Since};
use crate::core::listener::Family;
use crate::core::netfilter::Netfilter;
use crate::core::network::{Interface, World, class_of};
use crate::core::policy::{Block, Decision, Disabled, Entries, Policy};
use crate::core::reach::{DecidedBy, Filter, Judge, Reach, meeting_anyone};
use crate::core::ruleset::{Ruleset, compile_by};
use crate::core::service::{BoundTo, Service, ServiceId};

mod before;
mod by_class;
mod by_network;

pub use before::Before;
pub use by_class::{ClassReach, by_class, if_class, who_gets_in};
pub use by_network::{Fared, NetworkReach, by_network};

/// One row: a service, what is decided on it, and who can connect now and after applying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The service.
    pub service: Arc<Service>,
    /// The decision that holds for it.
    pub decision: Decision,
    /// The sources it is limited to.
    pub from: Vec<IpNet>,
    /// Who can connect now.
    pub reach_now: Reach,
    /// Who can connect once the policy is applied.
    pub reach_after: Reach,
    /// It listens beyond this machine and nothing is decided.
    pub is_new: bool,
    /// The decision differs from the confirmed one, or what is blocked does.
    pub is_changed: bool,
    /// The blocks that refuse packets for it, whatever is decided.
    pub blocks: Vec<Block>,
    /// Its units, where the service itself is to be off.
    pub disabled: Option<Disabled>,
    /// What is new about it since something was last confirmed; none where nothing is, or where that
    /// is not known.
    pub since: Option<Since>,
    /// What the rules for it have counted; none where no rule is about it, or nothing shows it.
    pub tally: Option<Tally>,
    /// What else keeps out those whom the decision lets in: `ufw's rule 12 in ufw-user-input`.
    pub kept_out_by: Option<DecidedBy>,
}

impl Row {
    /// Whether it is new to the user, so that a decision is wanted now: not one that was left undecided
    /// when something was confirmed, with it there. `is_recorded` is whether that is known.
    pub fn is_news(&self, is_recorded: bool) -> bool {
        self.is_new && !(is_recorded && self.since.is_none())
    }
}

/// What the rows are made from.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The services that listen.
    pub services: &'a [Arc<Service>],
    /// The interfaces.
    pub interfaces: &'a [Interface],
    /// What of fwtui is in the kernel; none where it can't be read.
    pub filter: Option<&'a Filter>,
    /// Everything in the kernel; none where it can't be read.
    pub netfilter: Option<&'a Netfilter>,
    /// What else decides over packets.
    pub world: &'a World,
    /// The policy last confirmed; none where there is none or it can't be read.
    pub confirmed: Option<&'a Policy>,
    /// What listened when it was confirmed; none where that is not known.
    pub listened: Option<&'a Listened>,
    /// What fwtui's rules have counted; none where that can't be read.
    pub counters: Option<&'a Counters>,
}

impl Scene<'_> {
    /// The rows under a policy, with rows for decisions on ports where nothing listens.
    pub fn rows(&self, policy: &Policy) -> Vec<Row> {
        let telling = self.filter.and_then(Filter::telling).unwrap_or_default();
        let policy = &*policy.current(self.world.now);
        let candidate = compile_by(telling, policy, self.interfaces);
        self.rows_for(policy, &candidate)
    }

    /// The rows with a candidate other than what the policy compiles to: `off` has an empty one.
    pub fn rows_for(&self, policy: &Policy, candidate: &Ruleset) -> Vec<Row> {
        let judged = Judged::new(*self, policy, candidate);
        let (now, after) = judged.judges();
        self.rows_by(policy, &now, &after)
    }

    /// The rows by judges that are there already.
    pub fn rows_by(&self, policy: &Policy, now: &Judge<'_>, after: &Judge<'_>) -> Vec<Row> {
        self.rows_since(policy, None, now, after)
    }

    /// The same where rows of the same scene are there, for a policy that differs in little: of thousands
    /// of services an edit concerns a few, and what it does not concern stays as it is.
    pub fn rows_since(
        &self,
        policy: &Policy,
        before: Option<Before<'_>>,
        now: &Judge<'_>,
        after: &Judge<'_>,
    ) -> Vec<Row> {
        let policy = &*policy.current(self.world.now);
        let entries = Entries::of(policy);
        let confirmed = self.confirmed.map(Entries::of);
        let kept = before.and_then(|before| before.kept(policy, self.world.now));
        let row = |service: Arc<Service>| match kept.as_ref().and_then(|kept| kept.row(&service)) {
            Some(row) => row.clone(),
            None => self.row(service, policy, (&entries, confirmed.as_ref()), now, after),
        };
        let blocked = policy.blocks.iter().map(|block| &block.service);
        let wanted = policy.services.keys().chain(policy.disabled.keys());
        let named: BTreeSet<&ServiceId> = wanted.chain(blocked).collect();
        let decided = self.services.iter().filter(|_| !named.is_empty());
        let listening: BTreeSet<&ServiceId> = decided.map(|service| &service.id).collect();
        let absent = named
            .difference(&listening)
            .map(|id| Arc::new(self.service_at(id, policy)));
        let mut rows: Vec<Row> = self.services.iter().cloned().chain(absent).map(row).collect();
        rows.sort_by(|a, b| a.service.id.cmp(&b.service.id));
        rows
    }

    /// The service a decision without a row of its own is about: the one that listens on every
    /// address, where the decision is on one of them; else none.
    fn service_at(&self, id: &ServiceId, policy: &Policy) -> Service {
        let mut service = Service::absent(id.clone());
        if let Some(unit) = policy.disabled.get(id).and_then(|disabled| disabled.units.last()) {
            let stem = unit.rsplit_once('.').map_or(unit.as_str(), |(stem, _)| stem);
            stem.clone_into(&mut service.name);
            service.unit = Some(unit.clone());
        }
        let Some(address) = &id.address else {
            return service;
        };
        let serves = |other: &&Arc<Service>| {
            other.id.address.is_none() && (other.id.protocol, other.id.ports) == (id.protocol, id.ports)
        };
        if let Some(other) = self.services.iter().find(serves) {
            let family = Family::of(address.ip);
            let reached = other
                .listeners
                .iter()
                .filter(|listener| listener.families().contains(&family));
            service.listeners = reached.cloned().collect();
            service.name.clone_from(&other.name);
            service.owners.clone_from(&other.owners);
            service.unit.clone_from(&other.unit);
        }
        service
    }

    fn row(
        &self,
        service: Arc<Service>,
        policy: &Policy,
        (entries, confirmed): (&Entries<'_>, Option<&Entries<'_>>),
        now: &Judge<'_>,
        after: &Judge<'_>,
    ) -> Row {
        let entry = entries.entry_for(&service.id).map(|(_, entry)| entry);
        let decision = entry.map_or(Decision::Undecided, |entry| entry.decision);
        let before = confirmed.map(|confirmed| confirmed.entry_for(&service.id).map(|(_, entry)| entry));
        let blocks: Vec<Block> = policy.blocks_on(&service.id).cloned().collect();
        let is_other_block = self.confirmed.map_or(!blocks.is_empty(), |confirmed| {
            let before = confirmed.blocks_on(&service.id);
            !before.filter(|block| !block.is_over(self.world.now)).eq(&blocks)
        });
        let disabled = policy.disabled.get(&service.id);
        let was_disabled = self.confirmed.and_then(|confirmed| confirmed.disabled.get(&service.id));
        let is_new = decision == Decision::Undecided
            && disabled.is_none()
            && service.bound_to != BoundTo::Loopback
            && service.is_there();
        let reach_after = after.reach(&service);
        let is_blocked = blocks.iter().any(|block| block.refuses_all_of(&service.id));
        let promised = match decision {
            _ if is_blocked => Reach::ThisMachine,
            Decision::Open if entry.is_none_or(|entry| entry.from.is_empty()) => Reach::Everyone,
            Decision::Open | Decision::Trusted => Reach::Trusted,
            Decision::Confine | Decision::Undecided => Reach::ThisMachine,
        };
        let is_short = reach_after < promised || promised != Reach::ThisMachine && reach_after == Reach::Unknown;
        // Of rules that can't be read nobody knows whose they are.
        let kept_out_by = (is_short && self.netfilter.is_some())
            .then(|| after.kept_out_by(&service, promised))
            .flatten();
        Row {
            decision,
            from: entry.map(|entry| entry.from.clone()).unwrap_or_default(),
            reach_now: now.reach(&service),
            reach_after,
            is_new,
            is_changed: is_other_block
                || before.map_or(decision != Decision::Undecided, |before| before != entry)
                || disabled != was_disabled,
            disabled: disabled.cloned(),
            blocks,
            since: self.listened.and_then(|listened| listened.since(&service)),
            tally: self.counters.and_then(|counters| counters.of(&service.id)),
            kept_out_by,
            service,
        }
    }
}

/// The kernel as it is and as it will be, to be judged.
#[derive(Debug)]
pub struct Judged<'a> {
    scene: Scene<'a>,
    policy: &'a Policy,
    now: Cow<'a, Netfilter>,
    after: Netfilter,
    world: World,
}

impl<'a> Judged<'a> {
    /// With a candidate to be loaded.
    pub fn new(scene: Scene<'a>, policy: &'a Policy, candidate: &Ruleset) -> Self {
        // What fwtui would refuse is certain even then; what it would let through is not.
        let unseen = || Cow::Owned(Netfilter::unseen("rules that can't be read without root"));
        let now = scene.netfilter.map_or_else(unseen, Cow::Borrowed);
        Self {
            after: now.with_own(candidate),
            now,
            world: meeting_anyone(scene.world),
            scene,
            policy,
        }
    }

    /// A judge for now, and one for after applying.
    pub fn judges(&self) -> (Judge<'_>, Judge<'_>) {
        let classes = |interface: &Interface| class_of(interface, self.policy);
        let is_absent = |family: &Family| self.scene.filter.is_some_and(|filter| filter.family(*family).is_absent);
        let absent: Vec<Family> = Family::ALL.into_iter().filter(is_absent).collect();
        (
            Judge::new(&self.now, &self.world, &classes, &absent),
            Judge::new(&self.after, &self.world, &classes, &absent),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::listener::{Listener, Protocol};
    use crate::core::network::InterfaceKind;
    use crate::core::policy::Entry;
    use crate::core::service::{Ownership, Ports, group};

    #[test]
    fn a_decision_on_one_address_counts_for_who_listens_on_all() {
        let listener = Listener {
            protocol: Protocol::Tcp,
            address: "::".parse().unwrap(),
            port: 80,
            v6only: false,
            interface: None,
            inode: 1,
            uid: 0,
            cgroup: None,
        };
        let services = group(&[listener], &Ownership::default(), Ports::ALL, &|_| false);
        let mut policy = Policy::default();
        for (id, decision) in [("80/tcp", Decision::Confine), ("203.0.113.10:80/tcp", Decision::Open)] {
            let entry = Entry {
                decision,
                from: Vec::new(),
            };
            policy.decide(id.parse().unwrap(), entry).unwrap();
        }
        let (filter, netfilter) = (Filter::default(), Netfilter::default());
        let eth0 = Interface {
            index: 2,
            name: "eth0".into(),
            kind: InterfaceKind::Ethernet,
            driver: None,
            addresses: vec!["203.0.113.10/24".parse().unwrap()],
            on_link: vec!["203.0.113.0/24".parse().unwrap()],
            changing: Vec::new(),
            is_up: true,
            has_default_route: true,
            has_physical_port: false,
        };
        let world = World {
            interfaces: vec![eth0],
            ..World::default()
        };
        let scene = Scene {
            netfilter: Some(&netfilter),
            world: &world,
            services: &services,
            interfaces: &[],
            filter: Some(&filter),
            confirmed: None,
            listened: None,
            counters: None,
        };
        let rows = scene.rows(&policy);
        let seen: Vec<(String, Reach, usize)> = rows
            .iter()
            .map(|row| (row.service.id.to_string(), row.reach_after, row.service.listeners.len()))
            .collect();
        let everyone = |id: &str| (id.to_owned(), Reach::Everyone, 1);
        assert_eq!(seen, [everyone("80/tcp"), everyone("203.0.113.10:80/tcp")]);
    }
}
