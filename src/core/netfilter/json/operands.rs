//! The left side of a match, the key of a map: which field of a packet an expression means.

use serde_json::Value;

use super::text;
use super::words::Kind;
use crate::core::listener::Family;
use crate::core::netfilter::{Condition, Direction, End, Field, OfInterface, TableFamily};

/// An expression that names something of a packet.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) field: Field,
    pub(super) kind: Kind,
}

/// The one key of an object like `{"meta": ...}`, and what it holds.
pub(super) fn only(value: &Value) -> Option<(&str, &Value)> {
    let mut entries = value.as_object()?.iter();
    let (name, inner) = entries.next()?;
    entries.next().is_none().then_some((name.as_str(), inner))
}

/// A word in an object.
pub(super) fn word<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// One word or several.
pub(super) fn several(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The operands of `a . b`; of anything else, itself.
pub(super) fn parts_of(expression: &Value) -> Vec<&Value> {
    match expression.get("concat").and_then(Value::as_array) {
        Some(parts) => parts.iter().collect(),
        None => vec![expression],
    }
}

/// The fields of a key.
pub(super) fn key_of(expression: &Value, family: TableFamily) -> (Vec<Field>, Vec<Kind>) {
    parts_of(expression)
        .into_iter()
        .map(|part| operand(part, family))
        .map(|operand| (operand.field, operand.kind))
        .unzip()
}

/// The field an expression means, and what its values are.
pub(super) fn operand(expression: &Value, family: TableFamily) -> Operand {
    let known = only(expression).and_then(|(name, inner)| match name {
        "meta" => meta(inner),
        "payload" => payload(inner),
        "ct" => connection(inner, family),
        "fib" => route(inner),
        _ => None,
    });
    match known {
        Some((field, kind)) => Operand { field, kind },
        None => Operand {
            field: Field::Other(text::expression(expression)),
            kind: kind(expression),
        },
    }
}

/// What the values of an expression are, told without its field.
pub(super) fn kind(expression: &Value) -> Kind {
    let mut inner = expression;
    // `(mark & 0xff) ^ 1` is what its leftmost part is.
    while let Some((operator, arguments)) = only(inner)
        && matches!(operator, "&" | "|" | "^" | "<<" | ">>")
        && let Some(left) = arguments.get(0)
    {
        inner = left;
    }
    let Some((name, inner)) = only(inner) else {
        return Kind::Other;
    };
    match name {
        "meta" => meta(inner).map_or_else(|| other_meta(inner), |known| known.1),
        "payload" => payload(inner).map_or(Kind::Other, |known| known.1),
        "ct" => match word(inner, "key") {
            Some("helper") => Kind::Quoted,
            Some("expiration") => Kind::Time,
            _ => connection(inner, TableFamily::Inet).map_or(Kind::Other, |known| known.1),
        },
        "fib" => match word(inner, "result") {
            Some("oif" | "oifname") => Kind::Interface,
            _ => route(inner).map_or(Kind::Other, |known| known.1),
        },
        "osf" => Kind::Quoted,
        "numgen" | "jhash" | "symhash" => Kind::Number,
        _ => Kind::Other,
    }
}

fn other_meta(inner: &Value) -> Kind {
    match word(inner, "key") {
        Some("hour" | "day" | "time" | "iifkind" | "oifkind" | "ibrname" | "obrname" | "sdifname") => Kind::Quoted,
        _ => Kind::Other,
    }
}

fn meta(inner: &Value) -> Option<(Field, Kind)> {
    // Versions before 0.9.1 wrote the key without an object around it.
    Some(match inner.as_str().or_else(|| word(inner, "key"))? {
        "iif" | "iifname" => (Field::InInterface, Kind::Interface),
        "oif" | "oifname" => (Field::OutInterface, Kind::Interface),
        "l4proto" => (Field::Protocol, Kind::Protocol),
        "protocol" => (Field::NetworkProtocol, Kind::EtherType),
        "nfproto" => (Field::NetworkProtocol, Kind::NetworkProtocol),
        "mark" => (Field::Mark, Kind::Mark),
        "pkttype" => (Field::PacketType, Kind::PacketType),
        _ => return None,
    })
}

fn payload(inner: &Value) -> Option<(Field, Kind)> {
    let protocol = word(inner, "protocol")?;
    let field = word(inner, "field")?;
    let end = match field {
        "saddr" | "sport" => End::Source,
        _ => End::Destination,
    };
    Some(match (protocol, field) {
        ("ip", "saddr" | "daddr") => (Field::Address(Family::Ipv4, end), Kind::Address(Family::Ipv4)),
        ("ip6", "saddr" | "daddr") => (Field::Address(Family::Ipv6, end), Kind::Address(Family::Ipv6)),
        ("ip", "protocol") | ("ip6", "nexthdr") => (Field::Protocol, Kind::Protocol),
        ("th", "sport" | "dport") => (Field::Port(None, end), Kind::Port),
        (_, "sport" | "dport") => (Field::Port(Some(transport(protocol)?), end), Kind::Port),
        ("icmp", "type") => (Field::IcmpType(Family::Ipv4), Kind::IcmpType(Family::Ipv4)),
        ("icmpv6", "type") => (Field::IcmpType(Family::Ipv6), Kind::IcmpType(Family::Ipv6)),
        ("icmp", "code") => (Field::IcmpCode(Family::Ipv4), Kind::IcmpCode(Family::Ipv4)),
        ("icmpv6", "code") => (Field::IcmpCode(Family::Ipv6), Kind::IcmpCode(Family::Ipv6)),
        ("ip6", "hoplimit") => (Field::HopLimit, Kind::Number),
        ("tcp", "flags") => (Field::TcpFlags, Kind::TcpFlags),
        ("ether", "type") => (Field::NetworkProtocol, Kind::EtherType),
        _ => return None,
    })
}

/// The number of a protocol above IP that nft reads headers of.
fn transport(protocol: &str) -> Option<u8> {
    Some(match protocol {
        "tcp" => 6,
        "udp" => 17,
        "udplite" => 136,
        "sctp" => 132,
        "dccp" => 33,
        "icmp" => 1,
        "igmp" => 2,
        "icmpv6" => 58,
        "esp" => 50,
        "ah" => 51,
        "comp" => 108,
        "gre" => 47,
        _ => return None,
    })
}

fn connection(inner: &Value, family: TableFamily) -> Option<(Field, Kind)> {
    let direction = match word(inner, "dir") {
        Some("reply") => Some(Direction::Reply),
        Some("original") => Some(Direction::Original),
        _ => None,
    };
    let key = word(inner, "key")?;
    let of = match (key.split(' ').next(), word(inner, "family"), family) {
        (Some("ip"), ..) | (_, Some("ip"), _) | (Some("saddr" | "daddr"), None, TableFamily::Ip) => Some(Family::Ipv4),
        (Some("ip6"), ..) | (_, Some("ip6"), _) | (Some("saddr" | "daddr"), None, TableFamily::Ip6) => {
            Some(Family::Ipv6)
        }
        _ => None,
    };
    Some(match key {
        "state" => (Field::State, Kind::State),
        "status" => (Field::Status, Kind::Status),
        "protocol" => (Field::ConnectionProtocol, Kind::Protocol),
        "direction" => (Field::Direction, Kind::Direction),
        "mark" => (Field::ConnectionMark, Kind::Mark),
        "label" => (Field::Labels, Kind::Label),
        "ip saddr" | "ip6 saddr" | "saddr" => (
            Field::ConnectionAddress(of?, direction?, End::Source),
            Kind::Address(of?),
        ),
        "ip daddr" | "ip6 daddr" | "daddr" => (
            Field::ConnectionAddress(of?, direction?, End::Destination),
            Kind::Address(of?),
        ),
        "proto-src" => (Field::ConnectionPort(direction?, End::Source), Kind::Port),
        "proto-dst" => (Field::ConnectionPort(direction?, End::Destination), Kind::Port),
        _ => return None,
    })
}

fn route(inner: &Value) -> Option<(Field, Kind)> {
    let flags = several(inner.get("flags"));
    let of = match (flags.contains(&"iif"), flags.contains(&"oif")) {
        (true, false) => OfInterface::In,
        (false, true) => OfInterface::Out,
        (false, false) => OfInterface::Any,
        (true, true) => return None,
    };
    let end = match (flags.contains(&"saddr"), flags.contains(&"daddr")) {
        (true, false) => End::Source,
        (false, true) => End::Destination,
        _ => return None,
    };
    match (word(inner, "result")?, end) {
        ("type", _) => Some((Field::AddressType(end, of), Kind::AddressType)),
        ("oif" | "oifname" | "check", End::Source) => Some((Field::RouteBack(of), Kind::Route)),
        _ => None,
    }
}

/// What a packet must be so that the headers an expression reads are there. nft does not print
/// this: `icmp type 8` and `ip dscp 1` say it by themselves.
pub(super) fn needs(expression: &Value, family: TableFamily) -> Vec<Condition> {
    let mut found = Vec::new();
    collect_needs(expression, family, &mut found);
    found
}

fn collect_needs(expression: &Value, family: TableFamily, found: &mut Vec<Condition>) {
    match expression {
        Value::Object(map) => {
            for (name, inner) in map {
                let protocol = match name.as_str() {
                    "payload" => word(inner, "protocol").unwrap_or_default(),
                    "tcp option" => "tcp",
                    _ => {
                        collect_needs(inner, family, found);
                        continue;
                    }
                };
                let mut add = |field, number| {
                    let condition = Condition::is(field, number);
                    if !found.contains(&condition) {
                        found.push(condition);
                    }
                };
                match protocol {
                    "ip" if family != TableFamily::Ip => add(Field::NetworkProtocol, 2),
                    "ip6" if family != TableFamily::Ip6 => add(Field::NetworkProtocol, 10),
                    "arp" => add(Field::NetworkProtocol, 3),
                    _ => {
                        if let Some(number) = transport(protocol) {
                            add(Field::Protocol, u128::from(number));
                        }
                    }
                }
            }
        }
        Value::Array(parts) => {
            for part in parts {
                collect_needs(part, family, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
