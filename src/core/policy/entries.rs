//! The decisions of a policy, to be asked for thousands of services.

use crate::core::policy::{Entry, Policy};
use crate::core::service::ServiceId;

/// Answers as [`Policy::entry_for`] does, without looking at every decision each time.
#[derive(Debug)]
pub struct Entries<'a> {
    policy: &'a Policy,
    /// Those that can cover another id than their own, whatever its port.
    ranges: Vec<(&'a ServiceId, &'a Entry)>,
}

impl<'a> Entries<'a> {
    /// Those of a policy.
    pub fn of(policy: &'a Policy) -> Self {
        let ranges = policy.services.iter().filter(|(id, _)| !id.ports.is_single());
        Self {
            ranges: ranges.collect(),
            policy,
        }
    }

    /// What holds for a service.
    pub fn entry_for(&self, id: &ServiceId) -> Option<(&'a ServiceId, &'a Entry)> {
        if let Some(found) = self.policy.services.get_key_value(id) {
            return Some(found);
        }
        let covers = |candidate: &ServiceId| {
            candidate.protocol == id.protocol
                && candidate.ports.contains(id.ports)
                && (candidate.address.is_none() || candidate.address == id.address)
        };
        let anywhere = id.address.is_some().then(|| ServiceId {
            address: None,
            ..id.clone()
        });
        let plain = anywhere.and_then(|anywhere| self.policy.services.get_key_value(&anywhere));
        let ranges = self.ranges.iter().copied().filter(|(candidate, _)| covers(candidate));
        plain
            .into_iter()
            .chain(ranges)
            .min_by_key(|(candidate, _)| (candidate.address.is_none(), candidate.ports.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::Decision;

    #[test]
    fn the_answers_are_those_of_the_policy() {
        let ids = [
            "22/tcp",
            "192.0.2.1:22/tcp",
            "192.0.2.2:22/tcp",
            "20-30/tcp",
            "10-40/tcp",
            "192.0.2.1:20-30/tcp",
            "192.0.2.1:10-40/tcp",
            "25/tcp",
            "22/udp",
            "21-29/tcp",
            "50/tcp",
        ];
        let ids: Vec<ServiceId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        // Every set of decisions on these.
        for set in 0..1u32 << ids.len() {
            let mut policy = Policy::default();
            for (bit, id) in ids.iter().enumerate() {
                if set & (1 << bit) != 0 {
                    let entry = Entry {
                        decision: Decision::Open,
                        from: Vec::new(),
                    };
                    policy.services.insert(id.clone(), entry);
                }
            }
            let entries = Entries::of(&policy);
            for id in &ids {
                assert_eq!(entries.entry_for(id), policy.entry_for(id), "{id}");
            }
        }
    }
}
