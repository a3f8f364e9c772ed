//! Sets and maps.

use std::net::IpAddr;

use super::Verdict;

/// A name, or all that begin so: `eth0`, `br-*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The name, or what names begin with.
    pub stem: String,
    /// Whether anything may follow.
    pub is_prefix: bool,
}

impl Pattern {
    /// One name.
    pub fn exact(name: impl Into<String>) -> Self {
        Self {
            stem: name.into(),
            is_prefix: false,
        }
    }

    /// A name as a tool prints it, with its wildcard (`+` for iptables, `*` for nft) at the end.
    pub fn parse(text: &str, wildcard: char) -> Self {
        match text.strip_suffix(wildcard) {
            Some(stem) => Self {
                stem: stem.to_owned(),
                is_prefix: true,
            },
            None => Self::exact(text),
        }
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self.is_prefix {
            true => name.starts_with(&self.stem),
            false => name == self.stem,
        }
    }
}

/// One value, or many, of one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Numbers, both ends included.
    Range(u128, u128),
    /// Names of interfaces.
    Name(Pattern),
}

impl Part {
    /// One number.
    pub const fn number(value: u128) -> Self {
        Self::Range(value, value)
    }
}

/// What a map holds for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A verdict.
    Verdict(Verdict),
    /// An address, and a port where the map has one. (Of a range, the first and the last.)
    Endpoint {
        /// First and last address; none for a map of ports.
        addresses: Option<(IpAddr, IpAddr)>,
        /// First and last port.
        ports: Option<(u16, u16)>,
    },
    /// Anything else: in words.
    Unknown(String),
}

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// As many parts as the set's keys have.
    pub key: Vec<Part>,
    /// For a map, what it holds.
    pub data: Option<Data>,
    /// ipset's `nomatch`: what it holds is not in the set.
    pub is_exception: bool,
}

/// A set or a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// Its name; empty for one written into a rule.
    pub name: String,
    /// Its elements, for a key of one number sorted by it.
    pub elements: Vec<Element>,
    /// Why its content can't be told, in words; none where it can.
    pub unknown: Option<String>,
}
