//! Elements of sets of ipset(8).

use super::{Kind, interface};
use crate::core::listener::Family;
use crate::core::netfilter::save::values::{full, prefix_mask, protocol};
use crate::core::netfilter::{Element, Part, number};

/// What of a set's `create` line its elements are read by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Whether it holds sets.
    pub(super) is_list: bool,
    /// `netmask`: an address stands for its network.
    pub(super) prefix: Option<u32>,
}

/// An element; an error says what is not understood.
pub(super) fn parse(
    text: &str,
    options: &[&str],
    head: &Head,
    kinds: &[Kind],
    family: Option<Family>,
) -> Result<Element, &'static str> {
    let texts: Vec<&str> = text.split(',').collect();
    if texts.len() != kinds.len() && !is_mac_left_out(&texts, kinds) {
        return Err("an element has another number of parts");
    }
    let mut key = Vec::new();
    for (kind, text) in kinds.iter().zip(texts) {
        match kind {
            Kind::Address => key.push(address(text, head, family.unwrap_or(Family::Ipv4)).ok_or("no address")?),
            Kind::ProtocolPort => key.extend(protocol_port(text).ok_or("no protocol and port")?),
            Kind::Port => key.push(port(text).ok_or("no port")?),
            Kind::Interface if text.starts_with("physdev:") => return Err("ports of bridges are not looked into"),
            Kind::Interface => key.push(interface(text, options.contains(&"wildcard"))),
            Kind::Mark => key.push(mark(text).ok_or("no mark")?),
            Kind::Mac => return Err("link-layer addresses are not looked into"),
        }
    }
    Ok(Element {
        key,
        data: None,
        is_exception: options.contains(&"nomatch"),
    })
}

/// In `bitmap:ip,mac` an address may stand without one.
fn is_mac_left_out(texts: &[&str], kinds: &[Kind]) -> bool {
    kinds.contains(&Kind::Mac) && texts.len() < kinds.len()
}

/// `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`.
fn address(text: &str, head: &Head, family: Family) -> Option<Part> {
    let one = |text: &str| {
        let address: std::net::IpAddr = text.parse().ok()?;
        (Family::of(address) == family).then(|| number(address))
    };
    if let Some((first, last)) = text.split_once('-') {
        return Some(Part::Range(one(first)?, one(last)?));
    }
    let (text, length) = match text.split_once('/') {
        Some((text, length)) => (text, Some(length.parse().ok()?)),
        None => (text, head.prefix),
    };
    let mask = match length {
        Some(length) => prefix_mask(length, family)?,
        None => full(family),
    };
    let first = one(text)? & mask;
    Some(Part::Range(first, first | (full(family) & !mask)))
}

/// `tcp:80`, `udp:53`, `80`, and for protocols without ports what stands in their place.
fn protocol_port(text: &str) -> Option<[Part; 2]> {
    let (name, rest) = text.split_once(':').unwrap_or(("tcp", text));
    let number = protocol(name)?;
    let part = match number {
        // The type of an ICMP packet is no port, and what has no port asks for none.
        1 | 58 => Part::Range(0, u16::MAX.into()),
        _ => port(rest)?,
    };
    Some([Part::number(number.into()), part])
}

fn port(text: &str) -> Option<Part> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let one = |text: &str| text.parse::<u16>().ok();
    Some(Part::Range(one(first)?.into(), one(last)?.into()))
}

fn mark(text: &str) -> Option<Part> {
    let value = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => text.parse().ok()?,
    };
    Some(Part::number(value.into()))
}
