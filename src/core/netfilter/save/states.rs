//! Matches about connections and routes: conntrack, state, addrtype, rpfilter.

use super::matches::route_back;
use super::options::Choice;
use super::values;
use crate::core::listener::Family;
use crate::core::netfilter::{Condition, Direction, End, Field, OfInterface, Part, ct};

/// One option of `conntrack` or `state`, without its negation.
pub(super) fn conntrack(choice: &Choice<'_>, family: Family) -> Option<Condition> {
    let value = choice.value()?;
    let address = |direction, end| {
        let field = Field::ConnectionAddress(family, direction, end);
        values::network(field, value, family)
    };
    let port = |direction, end| {
        let range = values::port_range(value)?;
        Some(Condition::among(Field::ConnectionPort(direction, end), vec![range]))
    };
    match choice.name {
        "--ctstate" | "--state" => Some(Condition::has_any(Field::State, bits(value, state)?)),
        "--ctstatus" => Some(Condition::has_any(Field::Status, bits(value, status)?)),
        "--ctproto" => Some(Condition::is(
            Field::ConnectionProtocol,
            values::protocol(value)?.into(),
        )),
        "--ctorigsrc" => address(Direction::Original, End::Source),
        "--ctorigdst" => address(Direction::Original, End::Destination),
        "--ctreplsrc" => address(Direction::Reply, End::Source),
        "--ctrepldst" => address(Direction::Reply, End::Destination),
        "--ctorigsrcport" => port(Direction::Original, End::Source),
        "--ctorigdstport" => port(Direction::Original, End::Destination),
        "--ctreplsrcport" => port(Direction::Reply, End::Source),
        "--ctrepldstport" => port(Direction::Reply, End::Destination),
        "--ctdir" => match value {
            "ORIGINAL" => Some(Condition::is(Field::Direction, 0)),
            "REPLY" => Some(Condition::is(Field::Direction, 1)),
            _ => None,
        },
        _ => None,
    }
}

fn bits(list: &str, bit: fn(&str) -> Option<u128>) -> Option<u128> {
    list.split(',').try_fold(0, |bits, name| Some(bits | bit(name)?))
}

fn state(name: &str) -> Option<u128> {
    Some(match name {
        "INVALID" => ct::INVALID,
        "ESTABLISHED" => ct::ESTABLISHED,
        "RELATED" => ct::RELATED,
        "NEW" => ct::NEW,
        "UNTRACKED" => ct::UNTRACKED,
        "SNAT" => ct::SNAT,
        "DNAT" => ct::DNAT,
        _ => return None,
    })
}

/// `IPS_*` in `linux/netfilter/nf_conntrack_common.h`.
fn status(name: &str) -> Option<u128> {
    Some(match name {
        // No bit, of which none is ever set.
        "NONE" => 0,
        "EXPECTED" => 1,
        "SEEN_REPLY" => 1 << 1,
        "ASSURED" => 1 << 2,
        "CONFIRMED" => 1 << 3,
        _ => return None,
    })
}

/// `addrtype`.
pub(super) fn address_types(choices: &[Choice<'_>], family: Family) -> Option<Vec<Condition>> {
    let mut of = OfInterface::Any;
    for choice in choices {
        match choice.name {
            "--limit-iface-in" => of = OfInterface::In,
            "--limit-iface-out" => of = OfInterface::Out,
            _ => {}
        }
    }
    let mut conditions = Vec::new();
    for choice in choices {
        let end = match choice.name {
            "--src-type" => End::Source,
            "--dst-type" => End::Destination,
            "--limit-iface-in" | "--limit-iface-out" => continue,
            _ => return None,
        };
        let condition = Condition::among(Field::AddressType(end, of), types(choice.value()?, family)?);
        conditions.push(match choice.is_negated {
            true => condition.negated(),
            false => condition,
        });
    }
    Some(conditions)
}

/// The numbers (`RTN_*`) of a list of types.
fn types(list: &str, family: Family) -> Option<Vec<Part>> {
    let number = |name: &str| {
        Some(match name {
            "UNICAST" => 1,
            "LOCAL" => 2,
            "BROADCAST" => 3,
            "ANYCAST" => 4,
            "MULTICAST" => 5,
            "BLACKHOLE" => 6,
            "UNREACHABLE" => 7,
            "PROHIBIT" => 8,
            _ => return None,
        })
    };
    match (family, list) {
        // In IPv6 that is any address which is no multicast one, this machine's own as well; of several
        // types all must hold (match_type6 in net/netfilter/xt_addrtype.c).
        (Family::Ipv6, "UNICAST") => Some(vec![Part::Range(1, 2), Part::number(4), Part::Range(6, 8)]),
        (Family::Ipv6, list) if list.contains(',') => None,
        _ => list.split(',').map(|name| number(name).map(Part::number)).collect(),
    }
}

/// `rpfilter`: with or without the mark, and whether or not a source of this machine's own is
/// accepted, it asks for a route back.
pub(super) fn reverse_path(choices: &[Choice<'_>]) -> Option<Condition> {
    let (mut is_loose, mut is_inverted) = (false, false);
    for choice in choices {
        match (choice.name, choice.values.is_empty() && !choice.is_negated) {
            ("--loose", true) => is_loose = true,
            ("--invert", true) => is_inverted = true,
            ("--validmark" | "--accept-local", true) => {}
            _ => return None,
        }
    }
    let condition = Condition::is(route_back(is_loose), 1);
    Some(match is_inverted {
        true => condition.negated(),
        false => condition,
    })
}
