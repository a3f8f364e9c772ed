//! The user's own answers on what is not there now: they are gone on with, too.

use std::collections::BTreeSet;

use super::{Answers, NetworkProposal, Proposals, ServiceProposal};
use crate::core::catalogue::Advice;
use crate::core::network::NetworkClass;
use crate::core::policy::{Decision, Policy};
use crate::core::service::ServiceId;

impl Proposals {
    /// With what the user has answered himself and is not there now, at the end of each list; and the
    /// services that were added.
    #[must_use]
    pub fn with_absent(mut self, answers: &Answers, policy: &Policy) -> (Self, Vec<ServiceId>) {
        let is_there = |name: &str| self.networks.iter().any(|one| one.interface == name);
        let names = answers.networks.keys();
        let names = names.filter(|name| !is_there(name) && answers.is_own_class(name));
        let networks: Vec<NetworkProposal> = names.map(|name| network(name, answers, policy)).collect();
        let there: BTreeSet<&ServiceId> = self.services.iter().map(|one| &one.id).collect();
        let ids = answers.services.keys();
        let ids = ids.filter(|id| !there.contains(id) && answers.is_own_decision(id));
        let absent: Vec<ServiceId> = ids.cloned().collect();
        self.services
            .extend(absent.iter().map(|id| service(id, answers, policy)));
        self.networks.extend(networks);
        (self, absent)
    }
}

impl ServiceProposal {
    /// What was proposed for something that is not there now, with what is decided on it by now.
    #[must_use]
    pub fn decided_in(mut self, policy: &Policy) -> Self {
        if let Some((_, entry)) = policy.entry_for(&self.id) {
            (self.decision, self.is_decided) = (entry.decision, true);
            self.from.clone_from(&entry.from);
        }
        self
    }
}

impl NetworkProposal {
    /// The same for a network.
    #[must_use]
    pub fn decided_in(mut self, policy: &Policy) -> Self {
        if let Some(class) = policy.networks.interfaces.get(&self.interface) {
            (self.class, self.is_decided) = (*class, true);
        }
        self
    }
}

fn network(name: &str, answers: &Answers, policy: &Policy) -> NetworkProposal {
    let stood = answers.against.as_ref().and_then(|against| against.class(name));
    let proposal = NetworkProposal {
        interface: name.to_owned(),
        class: stood.unwrap_or(NetworkClass::Public),
        why: "It is not there now.".to_owned(),
        is_decided: false,
    };
    proposal.decided_in(policy)
}

fn service(id: &ServiceId, answers: &Answers, policy: &Policy) -> ServiceProposal {
    let stood = answers.against.as_ref().and_then(|against| against.decision(id));
    let proposal = ServiceProposal {
        id: id.clone(),
        name: String::new(),
        advice: Advice::Confine,
        decision: stood.unwrap_or(Decision::Confine),
        from: Vec::new(),
        why: "Nothing is there now that others could reach.".to_owned(),
        what: None,
        is_known: false,
        carries_you: false,
        is_decided: false,
    };
    proposal.decided_in(policy)
}
