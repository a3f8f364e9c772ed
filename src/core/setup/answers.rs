//! What the user answered so far, as a document that can be gone on with later.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::Proposals;
use super::elsewhere::Against;
use crate::core::json::{Complaint, reason_of};
use crate::core::network::{NetworkClass, is_interface_name, parse_source};
use crate::core::policy::{Decision, Entry, Logging, Policy, Refusal};
use crate::core::service::ServiceId;

/// The version of the document this program writes, and the only one it reads.
const VERSION: u32 = 1;

/// Largest document that is read, in bytes: answers on 10,000 services are a fifth of it.
pub const LARGEST: u64 = 8 * 1024 * 1024;

/// A step of the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// What was found.
    #[default]
    Welcome,
    /// Which networks are trusted.
    Networks,
    /// Reject or drop.
    Refusal,
    /// Service by service.
    Services,
    /// Whether refusals are logged.
    Logging,
    /// All answers.
    Summary,
    /// What they would change.
    Preview,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 7] = [
        Self::Welcome,
        Self::Networks,
        Self::Refusal,
        Self::Services,
        Self::Logging,
        Self::Summary,
        Self::Preview,
    ];

    /// Its place among all, from 0.
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).unwrap_or_default()
    }

    /// The next one; the last one has none.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self.place() + 1).copied()
    }

    /// The one before; the first one has none.
    pub fn previous(self) -> Option<Self> {
        Self::ALL.get(self.place().checked_sub(1)?).copied()
    }
}

/// The user's answers so far, and where he is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// The step he was at last.
    pub step: Step,
    /// The class of each interface.
    pub networks: BTreeMap<String, NetworkClass>,
    /// How what is not let in is refused.
    pub refusal: Refusal,
    /// Where refusals are logged.
    pub logging: Logging,
    /// The decision on each service; `undecided` leaves it to be decided later.
    pub services: BTreeMap<ServiceId, Decision>,
    /// For those that are open: the only sources, where they were named before.
    pub from: BTreeMap<ServiceId, Vec<IpNet>>,
    /// What stood there as they were given; none where nothing tells it.
    pub against: Option<Against>,
}

/// The document's own shape. Field order here is the order on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(deserialize_with = "version")]
    version: u32,
    step: Step,
    refusal: Refusal,
    logging: Logging,
    #[serde(deserialize_with = "interfaces")]
    networks: BTreeMap<String, NetworkClass>,
    services: BTreeMap<ServiceId, Decision>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "sources")]
    from: BTreeMap<ServiceId, Vec<IpNet>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    against: Option<Against>,
}

impl Answers {
    /// All that is proposed, at the first step.
    pub fn from_proposals(proposals: &Proposals) -> Self {
        let networks = proposals.networks.iter();
        let services = proposals.services.iter();
        Self {
            step: Step::default(),
            networks: networks.map(|one| (one.interface.clone(), one.class)).collect(),
            refusal: proposals.refusal.value,
            logging: proposals.logging.value,
            services: services.map(|one| (one.id.clone(), one.decision)).collect(),
            from: proposals
                .services
                .iter()
                .filter(|one| !one.from.is_empty())
                .map(|one| (one.id.clone(), one.from.clone()))
                .collect(),
            against: Some(Against::of(proposals)),
        }
    }

    /// The policy that comes of them. What they say nothing of stays as in `base`: blocks, marks,
    /// services that are off, networks trusted by hand, and decisions on what does not listen now.
    ///
    /// # Errors
    /// Where a decision contradicts another one, in words.
    pub fn policy(&self, base: &Policy) -> Result<Policy, String> {
        let mut policy = base.clone();
        policy.refusal = self.refusal;
        policy.logging = self.logging;
        for (interface, class) in &self.networks {
            policy.networks.interfaces.insert(interface.clone(), *class);
        }
        let entries = self.services.iter().map(|(id, decision)| {
            let sources = self.from.get(id).filter(|_| *decision == Decision::Open);
            let entry = Entry {
                decision: *decision,
                from: sources.cloned().unwrap_or_default(),
            };
            (id, entry)
        });
        let contradictions = decide_all(&mut policy, entries.collect());
        match contradictions.into_values().next() {
            Some(contradiction) => Err(contradiction),
            None => Ok(policy),
        }
    }

    /// Reads a document and checks all of it.
    ///
    /// # Errors
    /// The first thing wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() as u64 > LARGEST {
            return Err(format!("it is larger than {LARGEST} bytes"));
        }
        // Serde would take a list of the fields' values as well.
        if text.trim_start().starts_with('[') {
            return Err("line 1: the answers are an object, { ... }, and this is a list".to_owned());
        }
        let document: Document = serde_json::from_str(text).map_err(|error| {
            Complaint {
                line: error.line(),
                reason: reason_of(&error, text),
            }
            .to_string()
        })?;
        let Document {
            version: _,
            step,
            refusal,
            logging,
            networks,
            services,
            from,
            against,
        } = document;
        Ok(Self {
            step,
            networks,
            refusal,
            logging,
            services,
            from,
            against,
        })
    }

    /// Prints the document, deterministic, ending in a newline.
    pub fn to_text(&self) -> String {
        let document = Document {
            version: VERSION,
            step: self.step,
            refusal: self.refusal,
            logging: self.logging,
            networks: self.networks.clone(),
            services: self.services.clone(),
            from: self.from.clone(),
            against: self.against.clone(),
        };
        // Strings, numbers and string-keyed maps only: serialising cannot fail.
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Decides on each, and gives what contradicts something that was decided before, in words.
pub(super) fn decide_all(policy: &mut Policy, entries: BTreeMap<&ServiceId, Entry>) -> BTreeMap<ServiceId, String> {
    let mut has_ranges = policy.services.keys().any(|id| !id.ports.is_single());
    let mut contradictions = BTreeMap::new();
    for (id, entry) in entries {
        // What holds already for a whole range is not said again for a part of it. Looking for ranges
        // takes its time where thousands are decided.
        let held = match has_ranges || id.address.is_some() {
            true => policy.entry_for(id).map(|(_, held)| held),
            false => policy.services.get(id),
        };
        if held != Some(&entry) {
            has_ranges |= !id.ports.is_single();
            if let Err(contradiction) = policy.decide(id.clone(), entry) {
                contradictions.insert(id.clone(), contradiction);
            }
        }
    }
    contradictions
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other if other < VERSION => Err(de::Error::custom(format!("version {other} is not known"))),
        other => Err(de::Error::custom(format!(
            "a newer fwtui wrote it (version {other}, and this one reads version {VERSION})"
        ))),
    }
}

fn sources<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<ServiceId, Vec<IpNet>>, D::Error> {
    let map = BTreeMap::<ServiceId, Vec<String>>::deserialize(deserializer)?;
    let read = |(id, sources): (ServiceId, Vec<String>)| {
        let sources: Result<Vec<IpNet>, String> = sources.iter().map(|source| parse_source(source)).collect();
        Ok((id, sources?))
    };
    map.into_iter()
        .map(read)
        .collect::<Result<_, String>>()
        .map_err(de::Error::custom)
}

fn interfaces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, NetworkClass>, D::Error> {
    let map = BTreeMap::<String, NetworkClass>::deserialize(deserializer)?;
    match map.keys().find(|name| !is_interface_name(name)) {
        Some(name) => Err(de::Error::custom(format!("{name:?} is no interface name"))),
        None => Ok(map),
    }
}
