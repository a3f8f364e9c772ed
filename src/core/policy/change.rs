//! What an edit was, in a few words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::core::policy::{Decision, Entry, Policy};
use crate::core::service::ServiceId;

impl Policy {
    /// What leads from this policy to another one, in a few words without a full stop: `5432/tcp confine`.
    pub fn change_to(&self, after: &Self) -> String {
        let mut parts = Vec::new();
        parts.extend(decisions(&self.services, &after.services));
        let interfaces = (&self.networks.interfaces, &after.networks.interfaces);
        parts.extend(of_each(
            interfaces.0,
            interfaces.1,
            "interfaces",
            |name, class| match class {
                Some(class) => format!("{name} {class}"),
                None => format!("{name} no longer mentioned"),
            },
        ));
        let sources = (&self.networks.trusted_sources, &after.networks.trusted_sources);
        if sources.0 != sources.1 {
            let added = sources.1.iter().filter(|net| !sources.0.contains(net));
            let gone = sources.0.iter().filter(|net| !sources.1.contains(net));
            parts.extend(added.map(|net| format!("{net} trusted")));
            parts.extend(gone.map(|net| format!("{net} no longer trusted")));
        }
        parts.extend(of_each(&self.disabled, &after.disabled, "services", |id, disabled| {
            let word = if disabled.is_some() { "disabled" } else { "enabled" };
            format!("{id} {word}")
        }));
        if self.blocks != after.blocks {
            let added = after.blocks.iter().filter(|block| !self.blocks.contains(block));
            let gone = self.blocks.iter().filter(|block| !after.blocks.contains(block));
            let added: Vec<String> = added.map(|block| format!("{} blocked", block.service)).collect();
            // One that was changed is gone, and there again.
            let gone = gone.map(|block| format!("{} no longer blocked", block.service));
            parts.extend(if added.is_empty() { gone.collect() } else { added });
        }
        if self.refusal != after.refusal {
            parts.push(format!("refusal {}", after.refusal.word()));
        }
        if self.logging != after.logging {
            parts.push(format!("logging {}", after.logging.word()));
        }
        if self.known != after.known {
            parts.push("a mark on a finding".to_owned());
        }
        match parts.as_slice() {
            [] => "nothing that is still there".to_owned(),
            [first, second, _, ..] => format!("{first}, {second} and {} more", parts.len() - 2),
            few => few.join(", "),
        }
    }
}

impl Policy {
    /// The services that another policy decides or blocks otherwise, or has off or on.
    pub fn services_changed_to(&self, after: &Self) -> Vec<ServiceId> {
        let mut ids: Vec<&ServiceId> = changed(&self.services, &after.services);
        ids.extend(changed(&self.disabled, &after.disabled));
        let gone = self.blocks.iter().filter(|block| !after.blocks.contains(block));
        let added = after.blocks.iter().filter(|block| !self.blocks.contains(block));
        ids.extend(gone.chain(added).map(|block| &block.service));
        ids.into_iter().cloned().collect()
    }
}

fn decisions(before: &BTreeMap<ServiceId, Entry>, after: &BTreeMap<ServiceId, Entry>) -> Option<String> {
    let word = |entry: Option<&Entry>| match entry {
        None => Decision::Undecided.word().to_owned(),
        Some(entry) if entry.from.is_empty() => entry.decision.word().to_owned(),
        Some(entry) => {
            let from: Vec<String> = entry.from.iter().map(ToString::to_string).collect();
            format!("{} from {}", entry.decision.word(), from.join(", "))
        }
    };
    let changed = changed(before, after);
    let words: BTreeSet<String> = changed.iter().map(|id| word(after.get(*id))).collect();
    match (changed.as_slice(), words.first()) {
        ([], _) | (_, None) => None,
        ([id], Some(word)) => Some(format!("{id} {word}")),
        (many, Some(word)) if words.len() == 1 => Some(format!("{} services {word}", many.len())),
        (many, Some(_)) => Some(format!("decisions on {} services", many.len())),
    }
}

fn of_each<K: Ord + Display, V: PartialEq>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    noun: &str,
    words: impl Fn(&K, Option<&V>) -> String,
) -> Option<String> {
    match changed(before, after).as_slice() {
        [] => None,
        [key] => Some(words(key, after.get(*key))),
        many => Some(format!("{} {noun}", many.len())),
    }
}

/// The keys under which there is something else, or something or nothing.
fn changed<'a, K: Ord, V: PartialEq>(before: &'a BTreeMap<K, V>, after: &'a BTreeMap<K, V>) -> Vec<&'a K> {
    let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_named_by_what_it_did() {
        let decide = |policy: &Policy, ids: &[&str], decision| {
            let mut policy = policy.clone();
            for id in ids {
                let entry = Entry {
                    decision,
                    from: Vec::new(),
                };
                policy.decide(id.parse().unwrap(), entry).unwrap();
            }
            policy
        };
        let nothing = Policy::default();
        let one = decide(&nothing, &["22/tcp"], Decision::Open);
        assert_eq!(nothing.change_to(&one), "22/tcp open");
        assert_eq!(one.change_to(&nothing), "22/tcp undecided");
        let many = decide(&one, &["80/tcp", "443/tcp"], Decision::Trusted);
        assert_eq!(one.change_to(&many), "2 services trusted");
        let mut other = many.clone();
        other
            .networks
            .interfaces
            .insert("wlan0".into(), crate::core::network::NetworkClass::Trusted);
        other.refusal = crate::core::policy::Refusal::Drop;
        assert_eq!(many.change_to(&other), "wlan0 trusted, refusal drop");
        assert_eq!(one.change_to(&one), "nothing that is still there");
    }
}
