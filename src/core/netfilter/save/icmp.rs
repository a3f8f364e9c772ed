//! Matches on ICMP and ICMPv6, and on the hop limit by which neighbour discovery is told.

use super::options::Choice;
use crate::core::listener::Family;
use crate::core::netfilter::{Condition, Element, Elements, Field, Part, Set, icmp};

/// `--icmp-type`, `--icmpv6-type`: a name, a number, or a number with its code (`3/4`).
pub(super) fn types(choice: &Choice<'_>, family: Family) -> Option<Condition> {
    let word = match (choice.name, family) {
        ("--icmp-type", Family::Ipv4) | ("--icmpv6-type", Family::Ipv6) => choice.value()?,
        _ => return None,
    };
    let of_type = |kind: u8| Condition::is(Field::IcmpType(family), kind.into());
    if let Some((kind, code)) = word.split_once('/') {
        return Some(both(family, kind.parse().ok()?, code.parse().ok()?));
    }
    // 255 is how `x_tables` writes "any" (`icmp_type_code_match` in net/netfilter/x_tables.c).
    if word == "any" || word == "255" && family == Family::Ipv4 {
        return Some(Condition::among(
            Field::IcmpType(family),
            vec![Part::Range(0, u8::MAX.into())],
        ));
    }
    if let Some((kind, code)) = icmp::with_code(family, word) {
        return Some(both(family, kind, code));
    }
    let number = word.parse().ok().or_else(|| icmp::kind(family, word))?;
    Some(of_type(number))
}

fn both(family: Family, kind: u8, code: u8) -> Condition {
    let element = Element {
        key: vec![Part::number(kind.into()), Part::number(code.into())],
        data: None,
        is_exception: false,
    };
    Condition::In {
        key: vec![Field::IcmpType(family), Field::IcmpCode(family)],
        elements: Elements::Inline(Set {
            elements: vec![element],
            ..Set::default()
        }),
        is_negated: false,
    }
}

/// `hl`: equal, less or greater.
pub(super) fn hop_limit(choice: &Choice<'_>) -> Option<Condition> {
    let limit: u8 = choice.value()?.parse().ok()?;
    let limit = u128::from(limit);
    let part = match choice.name {
        "--hl-eq" => Part::number(limit),
        "--hl-lt" => Part::Range(0, limit.checked_sub(1)?),
        "--hl-gt" => Part::Range(limit + 1, u8::MAX.into()),
        _ => return None,
    };
    Some(Condition::among(Field::HopLimit, vec![part]))
}
