//! The policy as JSON: strict, versioned, and every complaint with its line.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::core::network::NetworkClass;
use crate::core::policy::{
    Block, Decision, Disabled, Entry, Logging, Marks, NetworkChoices, Policy, Refusal, VERSION, block, check_entry,
    check_overlap,
};
use crate::core::service::ServiceId;
use crate::core::text::printable_within;

/// Longest reason given, in characters.
const LONGEST_REASON: usize = 300;

/// What is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong, in words.
    pub reason: String,
}

/// The document's own shape. Field order here is the order on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(deserialize_with = "version")]
    version: u32,
    #[serde(default)]
    refusal: Refusal,
    #[serde(default)]
    logging: Logging,
    #[serde(default)]
    networks: NetworkChoices,
    #[serde(default, deserialize_with = "services")]
    services: BTreeMap<ServiceId, Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "block::list")]
    blocks: Vec<Block>,
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    known: Marks,
    #[serde(default, deserialize_with = "disabled", skip_serializing_if = "BTreeMap::is_empty")]
    disabled: BTreeMap<ServiceId, Disabled>,
}

impl Policy {
    /// Reads a policy and checks all of it.
    ///
    /// # Errors
    /// The first thing wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        // Serde would take a list of the fields' values as well.
        if text.trim_start().starts_with('[') {
            let reason = "the policy is an object, { ... }, and this is a list".to_owned();
            return Err(PolicyError {
                line: 1,
                column: 1,
                reason,
            });
        }
        let document: Document = serde_json::from_str(text).map_err(|error| PolicyError {
            // Of an empty file both are 0.
            line: error.line().max(1),
            column: error.column().max(1),
            reason: reason_of(&error),
        })?;
        let Document {
            version: _,
            refusal,
            logging,
            networks,
            services,
            blocks,
            known,
            disabled,
        } = document;
        Ok(Self {
            refusal,
            logging,
            networks,
            services,
            blocks,
            known,
            disabled,
        })
    }

    /// Prints the document, deterministic, ending in a newline.
    pub fn to_text(&self) -> String {
        // Strings, numbers and string-keyed maps only: serialising cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Document {
            version: VERSION,
            refusal: self.refusal,
            logging: self.logging,
            networks: self.networks.clone(),
            services: self.services.clone(),
            blocks: self.blocks.clone(),
            known: self.known.clone(),
            disabled: self.disabled.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Document {
            version: _,
            refusal,
            logging,
            networks,
            services,
            blocks,
            known,
            disabled,
        } = Document::deserialize(deserializer)?;
        Ok(Self {
            refusal,
            logging,
            networks,
            services,
            blocks,
            known,
            disabled,
        })
    }
}

/// The message without serde's " at line 3 column 7", which is said once, in front.
fn reason_of(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let reason = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(reason, _)| reason);
    match error.is_eof() {
        true => format!("the file ends too early ({reason})"),
        // It quotes the file, which may hold anything.
        false => printable_within(reason, LONGEST_REASON),
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other => Err(de::Error::custom(format!(
            "version {other} is not known to this fwtui, which reads version {VERSION}: use a newer fwtui"
        ))),
    }
}

/// A map that refuses a key said twice (JSON allows it, and most readers take the last) and checks
/// each value as it comes, so that the complaint carries the right line.
struct StrictMap<K, V, N, C> {
    /// Checks a key, before its value is read.
    key: N,
    /// Checks a value against the entries before it.
    value: C,
    types: PhantomData<(K, V)>,
}

impl<'de, K, V, N, C> Visitor<'de> for StrictMap<K, V, N, C>
where
    K: DeserializeOwned + Ord + fmt::Display,
    V: DeserializeOwned,
    N: Fn(&K) -> Result<(), String>,
    C: Fn(&BTreeMap<K, V>, &K, &V) -> Result<(), String>,
{
    type Value = BTreeMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key::<K>()? {
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!("{key} is there twice")));
            }
            (self.key)(&key).map_err(de::Error::custom)?;
            let value = access.next_value::<V>()?;
            (self.value)(&map, &key, &value).map_err(de::Error::custom)?;
            map.insert(key, value);
        }
        Ok(map)
    }
}

fn services<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<ServiceId, Entry>, D::Error> {
    let check = |earlier: &BTreeMap<ServiceId, Entry>, id: &ServiceId, entry: &Entry| {
        if entry.decision == Decision::Undecided {
            return Err(format!("{id} is undecided: leave it out instead"));
        }
        check_entry(id, entry)?;
        check_overlap(earlier.iter(), id, entry)
    };
    deserializer.deserialize_map(StrictMap {
        key: |_: &ServiceId| Ok(()),
        value: check,
        types: PhantomData,
    })
}

fn disabled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<ServiceId, Disabled>, D::Error> {
    deserializer.deserialize_map(StrictMap {
        key: |_: &ServiceId| Ok(()),
        value: |_: &BTreeMap<_, _>, _: &_, _: &_| Ok(()),
        types: PhantomData,
    })
}

/// Interface name to class.
pub(super) mod interfaces {
    use std::collections::BTreeMap;
    use std::marker::PhantomData;

    use serde::{Deserializer, Serialize, Serializer};

    use super::{NetworkClass, StrictMap};
    use crate::core::network::is_interface_name;

    pub(in crate::core::policy) fn serialize<S: Serializer>(
        map: &BTreeMap<String, NetworkClass>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.serialize(serializer)
    }

    pub(in crate::core::policy) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, NetworkClass>, D::Error> {
        let key = |name: &String| match is_interface_name(name) {
            true => Ok(()),
            false => Err(format!("{name:?} is no interface name")),
        };
        deserializer.deserialize_map(StrictMap {
            key,
            value: |_: &BTreeMap<_, _>, _: &_, _: &_| Ok(()),
            types: PhantomData,
        })
    }
}

/// Source networks, each as the user may write it.
pub(super) mod sources {
    use ipnet::IpNet;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    use crate::core::network::{parse_source, parse_trusted_source};

    pub(in crate::core::policy) fn serialize<S: Serializer>(list: &[IpNet], serializer: S) -> Result<S::Ok, S::Error> {
        list.serialize(serializer)
    }

    /// One source, read where it stands so that a complaint has its line.
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Source<const IS_TRUSTED: bool>(IpNet);

    impl<const IS_TRUSTED: bool> TryFrom<String> for Source<IS_TRUSTED> {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            let parse = if IS_TRUSTED { parse_trusted_source } else { parse_source };
            parse(&text).map(Self)
        }
    }

    pub(in crate::core::policy) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<IpNet>, D::Error> {
        unique::<D, false>(deserializer)
    }

    /// Sorted, and none twice.
    pub(super) fn unique<'de, D: Deserializer<'de>, const IS_TRUSTED: bool>(
        deserializer: D,
    ) -> Result<Vec<IpNet>, D::Error> {
        let mut nets = Vec::new();
        for Source(net) in Vec::<Source<IS_TRUSTED>>::deserialize(deserializer)? {
            if nets.contains(&net) {
                return Err(de::Error::custom(format!("{net} is there twice")));
            }
            nets.push(net);
        }
        nets.sort();
        Ok(nets)
    }
}

/// Sources that are trusted wherever they come in.
pub(super) mod trusted_sources {
    use ipnet::IpNet;
    use serde::Deserializer;

    pub(in crate::core::policy) use super::sources::serialize;

    pub(in crate::core::policy) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<IpNet>, D::Error> {
        super::sources::unique::<D, true>(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{
  "version": 1,
  "refusal": "reject",
  "logging": "off",
  "networks": {
    "interfaces": {
      "eth0": "public",
      "eth1": "trusted"
    },
    "trusted_sources": [
      "198.51.100.0/24"
    ]
  },
  "services": {
    "22/tcp": {
      "decision": "open",
      "from": [
        "192.0.2.0/24"
      ]
    },
    "5432/tcp": {
      "decision": "confine"
    }
  }
}
"#;

    #[test]
    fn prints_what_it_reads() {
        assert_eq!(Policy::parse(SAMPLE).unwrap().to_text(), SAMPLE);
        assert_eq!(Policy::parse(&Policy::default().to_text()).unwrap(), Policy::default());
    }

    #[test]
    fn every_complaint_has_its_line_and_reason() {
        for (find, replace, line, reason) in [
            ("\"version\": 1", "\"version\": 7", 2, "version 7 is not known"),
            ("198.51.100.0/24", "0.0.0.0/0", 12, "is everyone"),
            ("\"refusal\"", "\"refuse\"", 3, "unknown field `refuse`"),
            ("\"reject\"", "\"eject\"", 3, "unknown variant `eject`"),
            ("\"eth1\"", "\"eth0\"", 8, "eth0 is there twice"),
            ("\"eth1\"", "\"eth/1\"", 8, "no interface name"),
            ("5432/tcp", "22/tcp", 21, "22/tcp is there twice"),
            ("5432/tcp", "0/tcp", 21, "1 to 65535"),
            ("5432/tcp", "70000/tcp", 21, "1 to 65535"),
            ("\"confine\"", "\"undecided\"", 24, "leave it out"),
            ("\"confine\"", "\"confined\"", 22, "unknown variant `confined`"),
            ("192.0.2.0/24", "192.0.2.0/33", 19, "no network"),
            (
                "\"decision\": \"open\"",
                "\"decision\": \"trusted\"",
                20,
                "takes no sources",
            ),
        ] {
            let text = SAMPLE.replacen(find, replace, 1);
            assert_ne!(text, SAMPLE, "{find}");
            let error = Policy::parse(&text).unwrap_err();
            assert!(error.reason.contains(reason), "{replace}: {error}");
            assert_eq!(error.line, line, "{replace}: {error}, wanted line {line}");
        }
    }

    #[test]
    fn a_truncated_file_says_so() {
        let error = Policy::parse(SAMPLE.split_at(100).0).unwrap_err();
        assert!(error.reason.contains("ends too early"), "{error}");
        assert!(Policy::parse("[1, \"reject\"]").unwrap_err().reason.contains("a list"));
        assert!(Policy::parse("").unwrap_err().reason.contains("ends too early"));
    }
}
