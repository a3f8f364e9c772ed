//! What differs between two policies, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ipnet::IpNet;

use super::block::marks;
use super::{Block, Entry, Policy};
use crate::core::service::ServiceId;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The service it is about; none for what concerns all.
    pub service: Option<ServiceId>,
    /// What differs: `5432/tcp`, `eth1`, `refusal`.
    pub what: String,
    /// How it was.
    pub before: String,
    /// How it is then.
    pub after: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, before: {}", self.what, self.after, self.before)
    }
}

/// What differs between what held before and what holds then, blocks and services first; where nothing
/// held, or nothing is to hold, no policy stands for that.
pub fn changes(before: Option<&Policy>, after: Option<&Policy>) -> Vec<Change> {
    let nothing = Policy::default();
    let mut found = match (before, after) {
        (None, Some(_)) => vec![general("what nobody decided on", "let in", "refused")],
        (Some(_), None) => return vec![general("everything", "as decided", "let in, no rules of fwtui")],
        (None, None) => return Vec::new(),
        (Some(_), Some(_)) => Vec::new(),
    };
    let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
    // Whatever is decided beside them, they hold.
    found.extend(blocks(before, after));
    for id in differing(&before.services, &after.services) {
        let word = |policy: &Policy| policy.services.get(id).map_or_else(|| "undecided".to_owned(), entry);
        found.extend(about(id, word(before), word(after)));
    }
    for id in differing(&before.disabled, &after.disabled) {
        let word = |policy: &Policy| match policy.disabled.contains_key(id) {
            true => "disabled".to_owned(),
            false => "enabled".to_owned(),
        };
        found.extend(about(id, word(before), word(after)));
    }
    found.extend(networks(before, after));
    let (was, is) = (before.refusal.word(), after.refusal.word());
    found.extend((was != is).then(|| general("refusal", was, is)));
    let (was, is) = (before.logging.word(), after.logging.word());
    found.extend((was != is).then(|| general("logging", was, is)));
    found
}

impl Policy {
    /// What leads from this policy to another one, in a few words without a full stop: `5432/tcp confine`.
    pub fn change_to(&self, after: &Self) -> String {
        let (services, others): (Vec<Change>, Vec<Change>) = changes(Some(self), Some(after))
            .into_iter()
            .partition(|change| change.service.is_some());
        let short = |change: &Change| format!("{} {}", change.what, change.after);
        let mut parts: Vec<String> = match services.as_slice() {
            [] | [_] => services.iter().map(short).collect(),
            [first, rest @ ..] if rest.iter().all(|change| change.after == first.after) => {
                vec![format!("{} services {}", services.len(), first.after)]
            }
            many => vec![format!("decisions on {} services", many.len())],
        };
        parts.extend(others.iter().map(short));
        if self.known != after.known {
            parts.push("a mark on a finding".to_owned());
        }
        match parts.as_slice() {
            [] => "nothing that is still there".to_owned(),
            [first, second, _, ..] => format!("{first}, {second} and {} more", parts.len() - 2),
            few => few.join(", "),
        }
    }

    /// The services that another policy decides or blocks otherwise, or has off or on.
    pub fn services_changed_to(&self, after: &Self) -> Vec<ServiceId> {
        let mut ids: Vec<&ServiceId> = differing(&self.services, &after.services);
        ids.extend(differing(&self.disabled, &after.disabled));
        ids.extend(
            only_in(self, after)
                .chain(only_in(after, self))
                .map(|block| &block.service),
        );
        ids.into_iter().cloned().collect()
    }
}

/// The keys under which there is something else, or something or nothing.
fn differing<'a, V: PartialEq>(
    before: &'a BTreeMap<ServiceId, V>,
    after: &'a BTreeMap<ServiceId, V>,
) -> Vec<&'a ServiceId> {
    let keys: BTreeSet<&ServiceId> = before.keys().chain(after.keys()).collect();
    let differs = |id: &&ServiceId| before.get(*id) != after.get(*id);
    keys.into_iter().filter(differs).collect()
}

fn only_in<'a>(one: &'a Policy, other: &'a Policy) -> impl Iterator<Item = &'a Block> {
    one.blocks.iter().filter(|block| !other.blocks.contains(block))
}

fn general(what: &str, before: &str, after: &str) -> Change {
    Change {
        service: None,
        what: what.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

fn about(id: &ServiceId, before: String, after: String) -> Option<Change> {
    (before != after).then(|| Change {
        service: Some(id.clone()),
        what: id.to_string(),
        before,
        after,
    })
}

fn entry(entry: &Entry) -> String {
    if entry.from.is_empty() {
        return entry.decision.word().to_owned();
    }
    let from: Vec<String> = entry.from.iter().map(IpNet::to_string).collect();
    format!("{} from {}", entry.decision, from.join(", "))
}

fn blocks(before: &Policy, after: &Policy) -> Vec<Change> {
    let ids: BTreeSet<&ServiceId> = only_in(before, after)
        .chain(only_in(after, before))
        .map(|block| &block.service)
        .collect();
    let word = |policy: &Policy, id: &ServiceId| {
        let blocks: Vec<Block> = policy
            .blocks
            .iter()
            .filter(|block| block.service == *id)
            .cloned()
            .collect();
        match blocks.as_slice() {
            [] => "not blocked".to_owned(),
            blocks => marks(blocks),
        }
    };
    let change = |id: &ServiceId| about(id, word(before, id), word(after, id));
    ids.into_iter().filter_map(change).collect()
}

fn networks(before: &Policy, after: &Policy) -> Vec<Change> {
    let (was, is) = (&before.networks, &after.networks);
    let names: BTreeSet<&String> = was.interfaces.keys().chain(is.interfaces.keys()).collect();
    let class = |interface: Option<&crate::core::network::NetworkClass>| {
        interface.map_or_else(|| "as proposed".to_owned(), ToString::to_string)
    };
    let interfaces = names.into_iter().filter_map(|name| {
        let (was, is) = (class(was.interfaces.get(name)), class(is.interfaces.get(name)));
        (was != is).then(|| general(name, &was, &is))
    });
    let nets: BTreeSet<&IpNet> = was.trusted_sources.iter().chain(&is.trusted_sources).collect();
    let word = |has: bool| if has { "trusted" } else { "not trusted" };
    let sources = nets.into_iter().filter_map(|net| {
        let (was, is) = (was.trusted_sources.contains(net), is.trusted_sources.contains(net));
        (was != is).then(|| general(&net.to_string(), word(was), word(is)))
    });
    interfaces.chain(sources).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::network::NetworkClass;
    use crate::core::policy::{Decision, Logging, Refusal};

    fn decided(id: &str, decision: Decision, from: &[&str]) -> Policy {
        let from = from.iter().map(|net| net.parse().unwrap()).collect();
        let mut policy = Policy::default();
        policy.decide(id.parse().unwrap(), Entry { decision, from }).unwrap();
        policy
    }

    fn said(before: Option<&Policy>, after: Option<&Policy>) -> Vec<String> {
        changes(before, after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_that_compiles_to_something_is_told() {
        let before = decided("5432/tcp", Decision::Trusted, &[]);
        let mut after = decided("5432/tcp", Decision::Open, &["192.0.2.0/24"]);
        after.blocks.push(Block::on("445/tcp".parse().unwrap()));
        after
            .disable("631/tcp".parse().unwrap(), &["cups.service".to_owned()])
            .unwrap();
        after.networks.interfaces.insert("eth1".into(), NetworkClass::Trusted);
        after.networks.trusted_sources.push("198.51.100.0/24".parse().unwrap());
        after.refusal = Refusal::Drop;
        after.logging = Logging::Kernel;
        let expected = [
            "445/tcp: blocked, before: not blocked",
            "5432/tcp: open from 192.0.2.0/24, before: trusted",
            "631/tcp: disabled, before: enabled",
            "eth1: trusted, before: as proposed",
            "198.51.100.0/24: trusted, before: not trusted",
            "refusal: drop, before: reject",
            "logging: kernel, before: off",
        ];
        assert_eq!(said(Some(&before), Some(&after)), expected);
        assert_eq!(
            said(Some(&after), Some(&before)).len(),
            expected.len(),
            "and back again"
        );
        assert!(said(Some(&after), Some(&after)).is_empty());
    }

    #[test]
    fn the_first_rules_and_the_end_of_all_rules_are_told() {
        let policy = decided("22/tcp", Decision::Open, &[]);
        assert_eq!(
            said(None, Some(&policy)),
            [
                "what nobody decided on: refused, before: let in",
                "22/tcp: open, before: undecided"
            ]
        );
        assert_eq!(
            said(Some(&policy), None),
            ["everything: let in, no rules of fwtui, before: as decided"]
        );
    }

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
        other.networks.interfaces.insert("wlan0".into(), NetworkClass::Trusted);
        other.refusal = Refusal::Drop;
        assert_eq!(many.change_to(&other), "wlan0 trusted, refusal drop");
        other = one.clone();
        other.blocks.push(Block::on("445/tcp".parse().unwrap()));
        assert_eq!(one.change_to(&other), "445/tcp blocked");
        let mut noted = other.clone();
        noted.blocks[0].note = Some("worm".into());
        assert_eq!(said(Some(&other), Some(&noted)).len(), 1, "one block was changed");
        assert_eq!(other.change_to(&one), "445/tcp not blocked");
        assert_eq!(one.change_to(&one), "nothing that is still there");
    }
}
