//! Sets of ipset(8), as `ipset save` prints them, and what a `set` match asks of them.

use std::collections::BTreeMap;

use super::{Element, End, Field, Part, Pattern, Set};
use crate::core::listener::Family;

mod elements;
#[cfg(test)]
mod tests;

/// What one part of a set's key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An address, or a network.
    Address,
    /// A protocol and a port.
    ProtocolPort,
    /// A port of TCP or UDP (`bitmap:port`).
    Port,
    /// An interface.
    Interface,
    /// The packet's mark.
    Mark,
    /// A link-layer address, which is not looked into.
    Mac,
}

/// One set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpSet {
    /// Its name.
    pub name: String,
    /// The family of its addresses; none where it holds none.
    pub family: Option<Family>,
    /// The parts of its key; empty for a list of sets.
    pub kinds: Vec<Kind>,
    /// The sets of a list of sets.
    pub members: Vec<String>,
    /// What it holds.
    pub elements: Vec<Element>,
    /// Why that can't be told.
    pub unknown: Option<String>,
}

/// A set as rules of one family see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its content, under the name it has in tables: nft's own sets can't be called so.
    pub set: Set,
    /// The parts of its key; none where packets of this family are never in it.
    pub kinds: Option<Vec<Kind>>,
}

/// What a `set` match comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// These fields are looked up.
    Key(Vec<Field>),
    /// No packet is in it.
    Nothing,
}

/// With more exceptions than this in a set it is not looked whether they nest.
const MOST_EXCEPTIONS: usize = 1000;
/// What stands before a set's name in tables.
const PREFIX: &str = "ipset:";

impl Resolved {
    /// Whether ipset(8) calls it so.
    pub fn is_called(&self, name: &str) -> bool {
        self.set.name.strip_prefix(PREFIX) == Some(name)
    }
}

/// Reads `ipset save`. A line that makes no sense makes its set, or where it names none all of them,
/// unknown.
pub fn parse(text: &str) -> Vec<IpSet> {
    let mut sets: Vec<IpSet> = Vec::new();
    let mut heads: Vec<elements::Head> = Vec::new();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let mut stray = None;
    for line in text.lines() {
        let bare = without_quoted(line);
        let words: Vec<&str> = bare.split_ascii_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["create", name, kind, options @ ..] => {
                let (set, head) = create(name, kind, options);
                index.insert((*name).to_owned(), sets.len());
                sets.push(set);
                heads.push(head);
            }
            ["add", name, element, options @ ..] => {
                let at = index.get(*name).copied();
                let found = at.and_then(|at| sets.get_mut(at).zip(heads.get(at)));
                match found {
                    Some((set, head)) => set.add(head, element, options, line),
                    None => stray = Some(line),
                }
            }
            _ => stray = Some(line),
        }
    }
    if let Some(line) = stray {
        for set in &mut sets {
            set.unknown.get_or_insert_with(|| format!("'{line}' can't be read"));
        }
    }
    for set in &mut sets {
        set.finish();
    }
    sets
}

/// A line without what is quoted: comments.
fn without_quoted(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

fn create(name: &str, kind: &str, options: &[&str]) -> (IpSet, elements::Head) {
    let mut set = IpSet {
        name: name.to_owned(),
        family: None,
        kinds: Vec::new(),
        members: Vec::new(),
        elements: Vec::new(),
        unknown: None,
    };
    let (method, parts) = kind.split_once(':').unwrap_or((kind, ""));
    let value = |option: &str| {
        let mut behind = options.iter().skip_while(|word| **word != option);
        behind.nth(1).copied()
    };
    let mut kinds = Vec::new();
    if kind != "list:set" {
        for part in parts.split(',') {
            kinds.push(match (method, part) {
                (_, "ip" | "net") => Kind::Address,
                ("bitmap", "port") => Kind::Port,
                (_, "port") => Kind::ProtocolPort,
                (_, "iface") => Kind::Interface,
                (_, "mark") => Kind::Mark,
                (_, "mac") => Kind::Mac,
                _ => {
                    set.unknown = Some(format!("sets of type {kind} are not looked into"));
                    break;
                }
            });
        }
    }
    if kinds.contains(&Kind::Address) {
        set.family = Some(match value("family") {
            Some("inet6") => Family::Ipv6,
            _ => Family::Ipv4,
        });
    }
    let is_whole_mark = |mask: &str| u32::from_str_radix(mask.trim_start_matches("0x"), 16) == Ok(u32::MAX);
    if value("bitmask").is_some() || value("markmask").is_some_and(|mask| !is_whole_mark(mask)) {
        set.unknown = Some("a mask of its own hides bits of its keys".to_owned());
    }
    let head = elements::Head {
        is_list: kind == "list:set",
        prefix: value("netmask").and_then(|length| length.parse().ok()),
    };
    set.kinds = kinds;
    (set, head)
}

impl IpSet {
    fn add(&mut self, head: &elements::Head, text: &str, options: &[&str], line: &str) {
        if head.is_list {
            self.members.push(text.to_owned());
            return;
        }
        // Not looked into: but whether it is empty is known.
        match elements::parse(text, options, head, &self.kinds, self.family) {
            Ok(element) => self.elements.push(element),
            Err(why) => {
                self.unknown.get_or_insert_with(|| format!("{why}: {}", line.trim()));
            }
        }
    }

    /// Sorts, and looks whether exceptions can be told by one look.
    fn finish(&mut self) {
        if let [_] = self.kinds.as_slice() {
            self.elements.sort_by(|one, other| one.key.cmp(&other.key));
        }
        // The kernel lets the longest prefix decide. Where something inside an exception is in the set
        // again, "in it and in no exception" is not the same.
        let exceptions = self.elements.iter().filter(|element| element.is_exception);
        let mut plain = self.elements.iter().filter(|element| !element.is_exception);
        let exceptions: Vec<&Element> = exceptions.collect();
        let is_nested = match exceptions.len() {
            0 => false,
            1..=MOST_EXCEPTIONS => {
                plain.any(|element| exceptions.iter().any(|exception| is_within(element, exception)))
            }
            _ => true,
        };
        if is_nested {
            self.unknown
                .get_or_insert_with(|| "it has exceptions from exceptions (nomatch)".to_owned());
        }
    }
}

fn is_within(inner: &Element, outer: &Element) -> bool {
    inner.key.len() == outer.key.len()
        && inner.key.iter().zip(&outer.key).all(|parts| match parts {
            (Part::Range(first, last), Part::Range(from, to)) => from <= first && last <= to,
            (inner, outer) => inner == outer,
        })
}

/// The sets as rules of one family see them.
pub fn of_family(sets: &[IpSet], family: Family) -> Vec<Resolved> {
    let by_name: BTreeMap<&str, &IpSet> = sets.iter().map(|set| (set.name.as_str(), set)).collect();
    sets.iter().map(|set| resolve(set, &by_name, family)).collect()
}

fn resolve(set: &IpSet, by_name: &BTreeMap<&str, &IpSet>, family: Family) -> Resolved {
    let is_of = |set: &IpSet| set.family.is_none_or(|of| of == family);
    let name = format!("{PREFIX}{}", set.name);
    let is_list = set.kinds.is_empty() && set.unknown.is_none();
    if !is_list {
        return Resolved {
            set: Set {
                name,
                elements: set.elements.clone(),
                unknown: set.unknown.clone(),
            },
            kinds: is_of(set).then(|| set.kinds.clone()),
        };
    }
    // Sets of the other family in a list hold no packet of this one.
    let found: Vec<Option<&IpSet>> = set
        .members
        .iter()
        .map(|member| by_name.get(member.as_str()).copied())
        .collect();
    let is_whole = found.iter().all(Option::is_some);
    let members: Vec<&IpSet> = found.into_iter().flatten().filter(|member| is_of(member)).collect();
    let kinds = members.first().map(|member| member.kinds.clone());
    let is_uniform = members.iter().all(|member| Some(&member.kinds) == kinds.as_ref());
    let has_exceptions = members.len() > 1
        && members
            .iter()
            .any(|member| member.elements.iter().any(|element| element.is_exception));
    let unknown = members.iter().find_map(|member| member.unknown.clone());
    let unknown = match (is_whole, is_uniform, has_exceptions) {
        (true, true, false) => unknown,
        _ => Some("its sets are of different kinds".to_owned()),
    };
    let mut elements: Vec<Element> = match unknown {
        None => members.iter().flat_map(|member| member.elements.clone()).collect(),
        Some(_) => Vec::new(),
    };
    if let Some([_]) = kinds.as_deref() {
        elements.sort_by(|one, other| one.key.cmp(&other.key));
    }
    Resolved {
        kinds: kinds.filter(|_| unknown.is_none()),
        set: Set {
            name,
            elements,
            unknown,
        },
    }
}

/// What is looked up in a set for directions as rules give them (`src,dst`): each part of the key
/// has its own. None where the directions make no sense.
pub fn condition(set: &Resolved, directions: &str, family: Family) -> Option<Asked> {
    let mut ends = Vec::new();
    for word in directions.split(',') {
        ends.push(match word {
            "src" => End::Source,
            "dst" => End::Destination,
            _ => return None,
        });
    }
    let Some(kinds) = &set.kinds else {
        return Some(match set.set.unknown {
            None => Asked::Nothing,
            Some(_) => Asked::Key(vec![Field::Other("a set".to_owned())]),
        });
    };
    // A key with fewer directions than parts is in no set (`ip_set_test` in net/netfilter/ipset).
    if ends.len() < kinds.len() {
        return Some(Asked::Nothing);
    }
    let mut key = Vec::new();
    for (kind, end) in kinds.iter().zip(ends) {
        match kind {
            Kind::Address => key.push(Field::Address(family, end)),
            Kind::ProtocolPort => key.extend([Field::Protocol, Field::Port(None, end)]),
            Kind::Port => key.push(Field::Port(None, end)),
            Kind::Interface => key.push(match end {
                End::Source => Field::InInterface,
                End::Destination => Field::OutInterface,
            }),
            Kind::Mark => key.push(Field::Mark),
            Kind::Mac => key.push(Field::Other("a link-layer address".to_owned())),
        }
    }
    if key.is_empty() {
        key.push(Field::Other("a set".to_owned()));
    }
    Some(Asked::Key(key))
}

/// A pattern of interfaces as `hash:net,iface` has them.
fn interface(name: &str, is_wildcard: bool) -> Part {
    Part::Name(Pattern {
        stem: name.to_owned(),
        is_prefix: is_wildcard,
    })
}
