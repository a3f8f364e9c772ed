//! Values in rules: addresses, ports, protocols, marks.

use std::net::IpAddr;

use crate::core::listener::Family;
use crate::core::netfilter::{Condition, End, Field, Part, Pattern, number};

/// The number of a transport protocol: by the names of `/etc/protocols` that iptables prints.
pub(crate) fn protocol(word: &str) -> Option<u8> {
    Some(match word {
        "all" | "ip" => 0,
        "icmp" => 1,
        "igmp" => 2,
        "ggp" => 3,
        "ipencap" | "ipip4" => 4,
        "tcp" => 6,
        "egp" => 8,
        "igp" => 9,
        "udp" => 17,
        "rdp" => 27,
        "dccp" => 33,
        "ipv6" => 41,
        "ipv6-route" => 43,
        "ipv6-frag" => 44,
        "rsvp" => 46,
        "gre" => 47,
        "esp" | "ipv6-crypt" => 50,
        "ah" | "ipv6-auth" => 51,
        "skip" => 57,
        "ipv6-icmp" | "icmpv6" | "icmp6" => 58,
        "ipv6-nonxt" => 59,
        "ipv6-opts" => 60,
        "eigrp" => 88,
        "ospf" => 89,
        "ipip" => 94,
        "etherip" => 97,
        "encap" => 98,
        "pim" => 103,
        "ipcomp" => 108,
        "vrrp" => 112,
        "l2tp" => 115,
        "isis" => 124,
        "sctp" => 132,
        "fc" => 133,
        "mobility-header" | "ipv6-mh" | "mh" => 135,
        "udplite" => 136,
        "mpls-in-ip" => 137,
        "manet" => 138,
        "hip" => 139,
        number => number.parse().ok()?,
    })
}

/// `22`, `1024:2048`, `:1023`, `1024:`.
pub(super) fn port_range(word: &str) -> Option<Part> {
    let (first, last) = word.split_once(':').unwrap_or((word, word));
    let bound = |word: &str, open: u16| match word {
        "" => Some(open),
        word => word.parse().ok(),
    };
    if word.is_empty() {
        return None;
    }
    let (first, last) = (bound(first, 0)?, bound(last, u16::MAX)?);
    Some(Part::Range(first.into(), last.into()))
}

/// `22,80,1024:2048`.
pub(super) fn port_list(word: &str) -> Option<Vec<Part>> {
    word.split(',').map(port_range).collect()
}

/// A number as iptables prints it: decimal, or hexadecimal behind `0x`.
pub(super) fn integer(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// `0x1` or `0x1/0xff`: a value, and the bits that count.
pub(super) fn masked(word: &str) -> Option<(u32, u32)> {
    match word.split_once('/') {
        Some((value, mask)) => Some((integer(value)?, integer(mask)?)),
        None => Some((integer(word)?, u32::MAX)),
    }
}

/// A field of marks that is a value in some bits.
pub(super) fn mark(field: Field, word: &str) -> Option<Condition> {
    let (value, mask) = masked(word)?;
    Some(Condition::Is {
        field,
        mask: (mask != u32::MAX).then(|| mask.into()),
        values: vec![Part::number(value.into())],
        is_negated: false,
    })
}

/// An address, of the family only.
pub(super) fn address(word: &str, family: Family) -> Option<IpAddr> {
    let address: IpAddr = word.parse().ok()?;
    (Family::of(address) == family).then_some(address)
}

/// `192.0.2.1`, `192.0.2.0/24`, `10.0.0.1/255.0.0.255` as a condition on a field of addresses.
pub(super) fn network(field: Field, word: &str, family: Family) -> Option<Condition> {
    let (word, mask) = word
        .split_once('/')
        .map_or((word, None), |(word, mask)| (word, Some(mask)));
    let value = number(address(word, family)?);
    let mask = match mask {
        None => full(family),
        Some(mask) => match mask.parse::<u32>() {
            Ok(length) => prefix_mask(length, family)?,
            Err(_) => number(address(mask, family)?),
        },
    };
    let rest = full(family) & !mask;
    let first = value & mask;
    // A mask with holes has no first and last address.
    let is_range = rest & rest.wrapping_add(1) == 0;
    Some(match is_range {
        true => Condition::among(field, vec![Part::Range(first, first | rest)]),
        false => Condition::Is {
            field,
            mask: Some(mask),
            values: vec![Part::number(first)],
            is_negated: false,
        },
    })
}

/// All bits of an address.
pub(crate) const fn full(family: Family) -> u128 {
    match family {
        Family::Ipv4 => u32::MAX as u128,
        Family::Ipv6 => u128::MAX,
    }
}

/// The mask of a prefix of so many bits.
pub(crate) fn prefix_mask(length: u32, family: Family) -> Option<u128> {
    let bits = match family {
        Family::Ipv4 => 32,
        Family::Ipv6 => 128,
    };
    let hidden = u32::checked_sub(bits, length)?;
    Some(full(family) & u128::MAX.checked_shl(hidden).unwrap_or(0))
}

/// `192.0.2.1-192.0.2.9`.
pub(super) fn address_range(word: &str, family: Family) -> Option<Part> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some(Part::Range(
        number(address(first, family)?),
        number(address(last, family)?),
    ))
}

/// A condition on the name of an interface; `eth+` means all that begin so.
pub(super) fn interface(field: Field, name: &str) -> Condition {
    Condition::among(field, vec![Part::Name(Pattern::parse(name, '+'))])
}

/// A condition on ports.
pub(super) const fn ports(protocol: Option<u8>, end: End, values: Vec<Part>) -> Condition {
    Condition::among(Field::Port(protocol, end), values)
}

/// What no packet is.
pub(super) const fn never() -> Condition {
    Condition::among(Field::Protocol, Vec::new())
}

/// What targets that translate take: `ADDRESS[-ADDRESS][:PORT[-PORT]]`, IPv6 addresses with ports in
/// brackets.
#[expect(clippy::type_complexity, reason = "the two fields of To::Fixed, as they are there")]
pub(super) fn endpoint(word: &str, family: Family) -> Option<(Option<(IpAddr, IpAddr)>, Option<(u16, u16)>)> {
    let (addresses, ports) = match (family, word.strip_prefix('[')) {
        (Family::Ipv6, Some(rest)) => {
            let (addresses, rest) = rest.rsplit_once(']')?;
            // `[a]-[b]:port` is how some versions print a range.
            let ports = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':')?),
            };
            (addresses, ports)
        }
        (Family::Ipv6, None) => word.strip_prefix(':').map_or((word, None), |ports| ("", Some(ports))),
        (Family::Ipv4, _) => word
            .split_once(':')
            .map_or((word, None), |(addresses, ports)| (addresses, Some(ports))),
    };
    let addresses = match addresses {
        "" => None,
        range => {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let end = |word: &str| address(word.trim_matches(['[', ']']), family);
            Some((end(first)?, end(last)?))
        }
    };
    let ports = match ports {
        None => None,
        Some(ports) => Some(nat_ports(ports)?),
    };
    Some((addresses, ports))
}

/// `80` or `80-90`; a base port (`80-90/8000`) shifts, which is not modelled.
pub(super) fn nat_ports(word: &str) -> Option<(u16, u16)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some((first.parse().ok()?, last.parse().ok()?))
}
