//! Quick blocks: a service refused for a while, whatever is decided on it.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Policy, document};
use crate::core::listener::Family;
use crate::core::reach::Filter;
use crate::core::ruleset::{Hook, Rule, Stamp};
use crate::core::service::ServiceId;
use crate::core::text::printable_within;

mod read;
#[cfg(test)]
mod tests;

pub use read::{parse_for, parse_note, parse_sources, parse_until};

/// A service that is refused whatever is decided on it; never to this machine itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The service.
    pub service: ServiceId,
    /// Only these sources are refused. Empty means everyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "document::sources")]
    pub from: Vec<IpNet>,
    /// The first second in which it no longer holds; none means until it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "end")]
    pub until: Option<Stamp>,
    /// Why, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "note")]
    pub note: Option<String>,
}

impl Block {
    /// A block of everyone until it is taken back.
    pub const fn on(service: ServiceId) -> Self {
        Self {
            service,
            from: Vec::new(),
            until: None,
            note: None,
        }
    }

    /// Whether it can refuse anything.
    ///
    /// # Errors
    /// Where a source is of another family than the address: no packet has both.
    pub fn check(&self) -> Result<(), String> {
        let family = self.service.address.as_ref().map(|address| Family::of(address.ip));
        let is_other = |source: &&IpNet| family.is_some_and(|family| Family::of(source.addr()) != family);
        match self.from.iter().find(is_other) {
            Some(source) => Err(format!("nothing from {source} is ever sent to {}", self.service)),
            None => Ok(()),
        }
    }

    /// Whether it has come to its end. The kernel's clock match says the same at the same second.
    pub fn is_over(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| until.since_1970() <= now)
    }

    /// Whether packets for a service may be refused by it.
    pub fn touches(&self, id: &ServiceId) -> bool {
        let address = |id: &ServiceId| id.address.as_ref().map(|address| address.ip);
        let is_same_address = match (address(&self.service), address(id)) {
            (Some(blocked), Some(asked)) => blocked == asked,
            (None, _) | (_, None) => true,
        };
        self.service.protocol == id.protocol && self.service.ports.intersection(id.ports).is_some() && is_same_address
    }

    /// Whether it refuses everyone the whole of a service.
    pub fn refuses_all_of(&self, id: &ServiceId) -> bool {
        let is_of_address = self.service.address.is_none() || self.service.address == id.address;
        self.from.is_empty() && self.touches(id) && self.service.ports.contains(id.ports) && is_of_address
    }

    /// What its rules give as their reason.
    pub fn reason(&self) -> String {
        format!("block {}", self.service)
    }

    /// Whether the kernel holds it, with this end.
    pub fn is_in_force(&self, filter: &Filter) -> bool {
        Family::ALL.into_iter().all(|family| {
            let (part, reason) = (filter.family(family), self.reason());
            let is_its_own = |rule: &&Rule| {
                matches!(rule, Rule::Known { matches, reason: Some(said), .. }
                    if *said == reason && matches.until == self.until)
            };
            let rules = || part.own.rules.rules().filter(is_its_own);
            let refuses = |source: Option<IpNet>| {
                rules().any(|rule| matches!(rule, Rule::Known { matches, .. } if matches.source == source))
            };
            let is_of_family = |ip: IpAddr| Family::of(ip) == family;
            let address = self.service.address.as_ref();
            if part.is_absent || address.is_some_and(|address| !is_of_family(address.ip)) {
                return true;
            }
            let mut sources = self.from.iter().filter(|source| is_of_family(source.addr()));
            let is_there = match self.from.is_empty() {
                true => refuses(None),
                false => sources.all(|source| refuses(Some(*source).filter(|source| source.prefix_len() > 0))),
            };
            is_there && (rules().next().is_none() || part.own.jumps.contains(&Hook::Input))
        })
    }

    /// `blocked from 192.0.2.0/24 until 2026-12-24 00:00 UTC (CVE-2026-0001)`
    pub fn mark(&self) -> String {
        let from = match self.from.is_empty() {
            true => String::new(),
            false => format!(" from {}", sources(&self.from)),
        };
        format!("blocked{from}{}{}", self.until_words(), self.note_words())
    }

    /// What [`Self::parse_line`] reads back.
    pub fn line(&self) -> String {
        let mut words = vec![self.service.to_string()];
        if !self.from.is_empty() {
            words.extend(["from".to_owned(), sources(&self.from)]);
        }
        words.extend(self.until.map(|until| format!("until {until}Z")));
        words.extend(self.note.as_ref().map(|note| format!("note {note}")));
        words.join(" ")
    }

    fn until_words(&self) -> String {
        self.until
            .map(|until| format!(" until {}", end_words(until)))
            .unwrap_or_default()
    }

    fn note_words(&self) -> String {
        self.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default()
    }
}

impl fmt::Display for Block {
    /// `445/tcp: everyone is refused until 2026-12-24 00:00 UTC, whatever is decided on it (CVE-2026-0001)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.from.as_slice() {
            [] => "everyone is".to_owned(),
            [one] => format!("{one} is"),
            many => format!("{} are", sources(many)),
        };
        let (until, note) = (self.until_words(), self.note_words());
        write!(
            f,
            "{}: {who} refused{until}, whatever is decided on it{note}",
            self.service
        )
    }
}

/// Several blocks of one service as one sentence's end: each with its mark.
pub fn marks(blocks: &[Block]) -> String {
    blocks.iter().map(Block::mark).collect::<Vec<_>>().join("; ")
}

/// `2026-12-24 00:00 UTC`, with seconds where there are any.
pub fn end_words(until: Stamp) -> String {
    let text = until.to_string();
    let text = text.strip_suffix(":00").unwrap_or(&text);
    format!("{} UTC", text.replacen('T', " ", 1))
}

fn sources(from: &[IpNet]) -> String {
    from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A time in the one form a stamp is printed in: the 31st of February is none.
fn exact(text: &str) -> Option<Stamp> {
    let stamp: Stamp = text.parse().ok()?;
    (stamp.to_string() == text).then_some(stamp)
}

impl Policy {
    /// Adds a block; one of the same service and sources is replaced.
    pub fn block(&mut self, block: Block) {
        let is_same = |other: &Block| (&other.service, &other.from) == (&block.service, &block.from);
        self.blocks.retain(|other| !is_same(other));
        self.blocks.push(block);
        sort(&mut self.blocks);
    }

    /// Takes the blocks of a service back, or with sources the one of exactly these; how many.
    pub fn unblock(&mut self, service: &ServiceId, from: &[IpNet]) -> usize {
        let before = self.blocks.len();
        self.blocks
            .retain(|block| block.service != *service || !from.is_empty() && block.from != from);
        before - self.blocks.len()
    }

    /// The blocks that refuse packets for a service.
    pub fn blocks_on<'a>(&'a self, id: &'a ServiceId) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(|block| block.touches(id))
    }

    /// What of it holds at a time since 1970: without the blocks that are over.
    pub fn current(&self, now: Duration) -> Cow<'_, Self> {
        if !self.blocks.iter().any(|block| block.is_over(now)) {
            return Cow::Borrowed(self);
        }
        let mut policy = self.clone();
        policy.blocks.retain(|block| !block.is_over(now));
        Cow::Owned(policy)
    }
}

fn sort(blocks: &mut [Block]) {
    blocks.sort_by(|a, b| (&a.service, &a.from).cmp(&(&b.service, &b.from)));
}

/// The end in the document: RFC 3339 in UTC, whole seconds.
mod end {
    use super::{Deserialize, Deserializer, Serializer, Stamp, de, exact, printable_within};

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is serde's"
    )]
    pub(super) fn serialize<S: Serializer>(until: &Option<Stamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match until {
            Some(until) => serializer.collect_str(&format_args!("{until}Z")),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Stamp>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let stamp = text.strip_suffix('Z').and_then(exact);
        stamp.map(Some).ok_or_else(|| {
            let text = printable_within(&text, 40);
            de::Error::custom(format!(
                "'{text}' is no end of a block: write 2026-12-24T00:00:00Z, in 2037 at the latest"
            ))
        })
    }
}

fn note<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_note(&text).map(Some).map_err(de::Error::custom)
}

/// The list in the document: each complaint at its own line, and no block twice.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Block>, D::Error> {
    struct List;

    impl<'de> Visitor<'de> for List {
        type Value = Vec<Block>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut blocks: Vec<Block> = Vec::new();
            while let Some(block) = access.next_element::<Block>()? {
                block.check().map_err(de::Error::custom)?;
                let is_same = |other: &Block| (&other.service, &other.from) == (&block.service, &block.from);
                if blocks.iter().any(is_same) {
                    let what = format!("{} is blocked there twice for the same sources", block.service);
                    return Err(de::Error::custom(what));
                }
                blocks.push(block);
            }
            sort(&mut blocks);
            Ok(blocks)
        }
    }

    deserializer.deserialize_seq(List)
}
