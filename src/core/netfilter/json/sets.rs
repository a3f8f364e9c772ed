//! Sets and maps: values, elements, and what maps hold.

use std::net::IpAddr;

use serde_json::Value;

use super::operands::{key_of, only, parts_of, word};
use super::statements::verdict;
use super::text;
use super::words::{Kind, constant};
use crate::core::listener::Family;
use crate::core::netfilter::{Data, Element, Elements, Part, Pattern, Set, TableFamily};

/// A set or a map of a table.
pub(super) fn named(object: &Value, name: String, family: TableFamily) -> Set {
    let kinds = kinds(object.get("type"), family);
    let ports = object.get("map").is_some_and(|map| map == "inet_service");
    let none = Vec::new();
    let elements = match object.get("elem") {
        None | Some(Value::Null) => Some(&none),
        Some(elements) => elements.as_array(),
    };
    match elements {
        Some(elements) => Set {
            name,
            ..inline(elements, &kinds, object.get("map").is_some(), ports)
        },
        None => Set {
            name,
            elements: Vec::new(),
            unknown: Some("its elements can't be read".to_owned()),
        },
    }
}

/// The kinds of a set's key. Newer versions of nft print `typeof` expressions.
fn kinds(kind: Option<&Value>, family: TableFamily) -> Vec<Kind> {
    match kind {
        Some(Value::String(word)) => word.split(" . ").map(Kind::of_type).collect(),
        Some(Value::Array(words)) => words.iter().flat_map(|word| kinds(Some(word), family)).collect(),
        Some(object @ Value::Object(_)) => {
            let expression = object.get("typeof").unwrap_or(object);
            key_of(expression, family).1
        }
        _ => vec![Kind::Other],
    }
}

/// What is looked up in: `@name`, or a set written into the rule.
pub(super) fn elements(data: &Value, kinds: &[Kind], is_map: bool, ports: bool) -> Elements {
    if let Some(name) = data.as_str().and_then(|word| word.strip_prefix('@')) {
        return Elements::Named(name.to_owned());
    }
    Elements::Inline(match data.get("set") {
        Some(Value::Array(elements)) => inline(elements, kinds, is_map, ports),
        Some(one) => inline(std::slice::from_ref(one), kinds, is_map, ports),
        None => Set {
            unknown: Some(text::expression(data)),
            ..Set::default()
        },
    })
}

/// A set of these elements. One that is not understood makes the whole set unknown.
fn inline(listed: &[Value], kinds: &[Kind], is_map: bool, ports: bool) -> Set {
    let mut set = Set::default();
    let mut rest = None;
    for one in listed {
        let (key, data) = match (is_map, one.as_array().map(Vec::as_slice)) {
            (true, Some([key, data])) => (key, Some(held(data, ports))),
            (false, _) => (one, None),
            (true, _) => {
                set.unknown = Some(format!("element {}", text::compact(one)));
                continue;
            }
        };
        let key = unwrapped(key);
        if key == "*" {
            rest = Some(data);
        } else if let Some(key) = key_parts(key, kinds) {
            set.elements.push(Element {
                key,
                data,
                is_exception: false,
            });
        } else {
            set.unknown = Some(format!("element {}", text::compact(key)));
        }
    }
    if let [kind] = kinds
        && *kind != Kind::Interface
    {
        set.elements.sort_by(|one, other| one.key.cmp(&other.key));
    }
    if let Some(data) = &rest {
        add_rest(&mut set, kinds, data.as_ref());
    }
    set
}

/// The element `*` holds for all that no other does.
fn add_rest(set: &mut Set, kinds: &[Kind], data: Option<&Data>) {
    let [kind] = kinds else {
        set.unknown = Some("element *".to_owned());
        return;
    };
    if *kind == Kind::Interface {
        set.unknown = Some("element *".to_owned());
        return;
    }
    let mut gaps = Vec::new();
    let mut next = Some(0);
    for element in &set.elements {
        if let ([Part::Range(first, last)], Some(from)) = (element.key.as_slice(), next) {
            if *first > from {
                gaps.push(Part::Range(from, first - 1));
            }
            next = last.checked_add(1).map(|after| after.max(from));
        }
    }
    if let Some(from) = next
        && from <= kind.most()
    {
        gaps.push(Part::Range(from, kind.most()));
    }
    set.elements.extend(gaps.into_iter().map(|gap| Element {
        key: vec![gap],
        data: data.cloned(),
        is_exception: false,
    }));
    set.elements.sort_by(|one, other| one.key.cmp(&other.key));
}

/// An element without its timeout, comment and counter.
pub(super) fn unwrapped(element: &Value) -> &Value {
    match only(element) {
        Some(("elem", inner)) => inner.get("val").unwrap_or(inner),
        _ => element,
    }
}

/// The parts of a key.
fn key_parts(key: &Value, kinds: &[Kind]) -> Option<Vec<Part>> {
    let parts = parts_of(key);
    (parts.len() == kinds.len()).then_some(())?;
    parts
        .into_iter()
        .zip(kinds)
        .map(|(value, kind)| part(value, *kind))
        .collect()
}

/// One value, a range or a prefix.
pub(super) fn part(value: &Value, kind: Kind) -> Option<Part> {
    let value = unwrapped(value);
    match only(value) {
        Some(("range", ends)) => {
            let [first, last] = ends.as_array()?.as_slice() else {
                return None;
            };
            let (first, last) = (constant(first, kind)?, constant(last, kind)?);
            (first <= last).then_some(Part::Range(first, last))
        }
        Some(("prefix", prefix)) => {
            let first = constant(prefix.get("addr")?, kind)?;
            let length = prefix.get("len")?.as_u64()?;
            let below = kind.most().checked_shr(u32::try_from(length).ok()?).unwrap_or(0);
            Some(Part::Range(first & !below, first | below))
        }
        _ => match (kind, value) {
            (Kind::Interface, Value::String(name)) => Some(Part::Name(interface(name))),
            _ => constant(value, kind).map(Part::number),
        },
    }
}

/// A name of interfaces: nft writes a star at the end of a prefix, and `\*` for a star in the name.
fn interface(name: &str) -> Pattern {
    match name.strip_suffix("\\*") {
        Some(stem) => Pattern::exact(format!("{stem}*")),
        None => Pattern::parse(name, '*'),
    }
}

/// What a map holds for a key.
fn held(data: &Value, ports: bool) -> Data {
    let data = unwrapped(data);
    let unknown = || Data::Unknown(text::compact(data));
    if let Some(verdict) = verdict(data) {
        return Data::Verdict(verdict);
    }
    match parts_of(data).as_slice() {
        [address, port] => match (addresses(address), port_range(port)) {
            (Some(addresses), Some(ports)) => Data::Endpoint {
                addresses: Some(addresses),
                ports: Some(ports),
            },
            _ => unknown(),
        },
        [one] if ports => match port_range(one) {
            Some(ports) => Data::Endpoint {
                addresses: None,
                ports: Some(ports),
            },
            None => unknown(),
        },
        [one] => match addresses(one) {
            Some(addresses) => Data::Endpoint {
                addresses: Some(addresses),
                ports: None,
            },
            None => unknown(),
        },
        _ => unknown(),
    }
}

/// An address, a range or a prefix of them: first and last.
pub(super) fn addresses(value: &Value) -> Option<(IpAddr, IpAddr)> {
    let family = |address: &str| match address.contains(':') {
        true => Family::Ipv6,
        false => Family::Ipv4,
    };
    let first = match only(value) {
        Some(("range", ends)) => ends.get(0)?.as_str()?,
        Some(("prefix", prefix)) => word(prefix, "addr")?,
        _ => value.as_str()?,
    };
    let family = family(first);
    let Part::Range(first, last) = part(value, Kind::Address(family))? else {
        return None;
    };
    Some((address(first, family)?, address(last, family)?))
}

/// A number as an address.
fn address(number: u128, family: Family) -> Option<IpAddr> {
    match family {
        Family::Ipv4 => u32::try_from(number).ok().map(|number| IpAddr::V4(number.into())),
        Family::Ipv6 => Some(IpAddr::V6(number.into())),
    }
}

/// A port or a range of them: first and last.
pub(super) fn port_range(value: &Value) -> Option<(u16, u16)> {
    match part(value, Kind::Port)? {
        Part::Range(first, last) => Some((u16::try_from(first).ok()?, u16::try_from(last).ok()?)),
        Part::Name(_) => None,
    }
}
