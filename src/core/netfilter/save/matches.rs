//! Matches of iptables-extensions(8), as conditions.

use super::options::{Choice, choices};
use super::spec::Context;
use super::{icmp, limits, states, values};
use crate::core::date;
use crate::core::listener::Family;
use crate::core::netfilter::{Condition, Element, Elements, End, Field, OfInterface, Part, Set, Statement, ipset};

/// What a match asks, and the one thing that one of them does: `connlabel --set`.
pub(super) fn statements(name: &str, words: &[String], context: &Context<'_>) -> Vec<Statement> {
    let labels = (name == "connlabel").then(|| choices(words).and_then(|choices| label(&choices)));
    let asks = || {
        conditions(name, words, context)
            .into_iter()
            .map(Statement::If)
            .collect()
    };
    labels.flatten().unwrap_or_else(asks)
}

/// `connlabel`: set, if it is to be, and asked for then, as `connlabel_mt` in `net/netfilter/xt_connlabel.c`
/// does: where it can't be set it does not match. A name, of a file of the administrator's, is not
/// understood.
fn label(choices: &[Choice<'_>]) -> Option<Vec<Statement>> {
    let (bit, is_negated, sets) = match choices {
        [label] => (named(label, "--label")?, label.is_negated, false),
        [label, set] if set.name == "--set" && set.values.is_empty() && !set.is_negated => {
            (named(label, "--label")?, label.is_negated, true)
        }
        _ => return None,
    };
    let bit: u8 = bit.parse().ok().filter(|bit| *bit < 128)?;
    let has_it = Condition::has_any(Field::Labels, 1 << bit);
    let asked = if is_negated { has_it.negated() } else { has_it };
    let set = sets.then_some(Statement::SetLabel(bit));
    Some(set.into_iter().chain([Statement::If(asked)]).collect())
}

/// What a match asks. One that is not understood, or an option of one, is unknown with its words.
pub(super) fn conditions(name: &str, words: &[String], context: &Context<'_>) -> Vec<Condition> {
    let unknown = || vec![Condition::Unknown(whole(name, words))];
    let Some(choices) = choices(words) else {
        return unknown();
    };
    let each = |one: &dyn Fn(&Choice<'_>) -> Option<Condition>| each(name, &choices, one);
    match name {
        "tcp" => each(&tcp),
        "udp" => each(&|choice| transport(17, choice)),
        "dccp" => each(&|choice| transport(33, choice)),
        "sctp" => each(&|choice| transport(132, choice)),
        "udplite" => each(&|choice| transport(136, choice)),
        "icmp" => each(&|choice| icmp::types(choice, Family::Ipv4)),
        "icmp6" => each(&|choice| icmp::types(choice, Family::Ipv6)),
        "hl" => each(&icmp::hop_limit),
        "multiport" => each(&multiport),
        "conntrack" | "state" => each(&|choice| states::conntrack(choice, context.family)),
        "addrtype" => states::address_types(&choices, context.family).unwrap_or_else(unknown),
        "rpfilter" => states::reverse_path(&choices).map_or_else(unknown, |condition| vec![condition]),
        "limit" | "hashlimit" | "recent" | "connlimit" => {
            limits::first_of_many(name, &choices).map_or_else(unknown, |condition| vec![condition])
        }
        "mark" => each(&|choice| named(choice, "--mark").and_then(|value| values::mark(Field::Mark, value))),
        "connmark" => {
            each(&|choice| named(choice, "--mark").and_then(|value| values::mark(Field::ConnectionMark, value)))
        }
        "set" => in_set(&choices, context).map_or_else(unknown, |condition| vec![condition]),
        "iprange" => each(&|choice| address_range(choice, context.family)),
        "pkttype" => each(&packet_type),
        "policy" => policy(&choices).unwrap_or_else(unknown),
        // Headers that stand between IPv6's and TCP's or UDP's, and those of IPsec: a packet without one
        // does not match, whatever is asked of it. The first of a connection has none.
        "rt" | "frag" | "hbh" | "dst" | "mh" | "ah" | "esp" => vec![Condition::is(Field::Protocol, NO_TRANSPORT)],
        "time" => time(&choices).unwrap_or_else(unknown),
        _ => unknown(),
    }
}

/// A number that no transport protocol has (255 is reserved).
const NO_TRANSPORT: u128 = 255;

/// Asks for each option by itself: a packet must be as all of them say.
fn each(name: &str, choices: &[Choice<'_>], one: &dyn Fn(&Choice<'_>) -> Option<Condition>) -> Vec<Condition> {
    let condition = |choice: &Choice<'_>| match (one(choice), choice.is_negated) {
        (Some(condition), true) => condition.negated(),
        (Some(condition), false) => condition,
        (None, _) => Condition::Unknown(format!("{name}: {}", choice.text())),
    };
    choices.iter().map(condition).collect()
}

/// The match with all its words.
fn whole(name: &str, words: &[String]) -> String {
    match words.is_empty() {
        true => name.to_owned(),
        false => format!("{name}: {}", words.join(" ")),
    }
}

/// The value of an option, if it is the one of that name.
fn named<'a>(choice: &Choice<'a>, name: &str) -> Option<&'a str> {
    choice.value().filter(|_| choice.name == name)
}

fn tcp(choice: &Choice<'_>) -> Option<Condition> {
    const SYN: u128 = 2;
    const SYN_MASK: u128 = 0b1_0111;
    let flags = |mask: u128, wanted: u128| Condition::Is {
        field: Field::TcpFlags,
        mask: Some(mask),
        values: vec![Part::number(wanted)],
        is_negated: false,
    };
    match (choice.name, choice.values.as_slice()) {
        ("--syn", []) => Some(flags(SYN_MASK, SYN)),
        ("--tcp-flags", [mask, wanted]) => Some(flags(tcp_flags(mask)?, tcp_flags(wanted)?)),
        _ => transport(6, choice),
    }
}

/// `FIN,SYN`, `ALL`, `NONE` as bits.
fn tcp_flags(list: &str) -> Option<u128> {
    let bit = |name: &str| {
        Some(match name {
            "FIN" => 1,
            "SYN" => 2,
            "RST" => 4,
            "PSH" => 8,
            "ACK" => 16,
            "URG" => 32,
            "ALL" => 63,
            "NONE" => 0,
            _ => return None,
        })
    };
    list.split(',').try_fold(0, |bits, name| Some(bits | bit(name)?))
}

fn transport(protocol: u8, choice: &Choice<'_>) -> Option<Condition> {
    let end = match choice.name {
        "--sport" | "--source-port" => End::Source,
        "--dport" | "--destination-port" => End::Destination,
        _ => return None,
    };
    Some(values::ports(
        Some(protocol),
        end,
        vec![values::port_range(choice.value()?)?],
    ))
}

fn multiport(choice: &Choice<'_>) -> Option<Condition> {
    let list = values::port_list(choice.value()?)?;
    match choice.name {
        "--sports" | "--source-ports" => Some(values::ports(None, End::Source, list)),
        "--dports" | "--destination-ports" => Some(values::ports(None, End::Destination, list)),
        "--ports" => Some(either_port(list)),
        _ => None,
    }
}

/// One port or the other is among these.
fn either_port(list: Vec<Part>) -> Condition {
    let any = || Part::Range(0, u16::MAX.into());
    let element = |key: Vec<Part>| Element {
        key,
        data: None,
        is_exception: false,
    };
    let elements = list
        .into_iter()
        .flat_map(|part| [element(vec![part.clone(), any()]), element(vec![any(), part])])
        .collect();
    Condition::In {
        key: vec![Field::Port(None, End::Source), Field::Port(None, End::Destination)],
        elements: Elements::Inline(Set {
            elements,
            ..Set::default()
        }),
        is_negated: false,
    }
}

fn address_range(choice: &Choice<'_>, family: Family) -> Option<Condition> {
    let end = match choice.name {
        "--src-range" => End::Source,
        "--dst-range" => End::Destination,
        _ => return None,
    };
    let range = values::address_range(choice.value()?, family)?;
    Some(Condition::among(Field::Address(family, end), vec![range]))
}

fn packet_type(choice: &Choice<'_>) -> Option<Condition> {
    let kind = match named(choice, "--pkt-type")? {
        "unicast" | "host" => 0,
        "broadcast" | "bcast" => 1,
        "multicast" | "mcast" => 2,
        "otherhost" => 3,
        _ => return None,
    };
    Some(Condition::is(Field::PacketType, kind))
}

/// What a peer sends is asked for as it comes, without `IPsec`: `--pol none` is so, `--pol ipsec` is not.
fn policy(choices: &[Choice<'_>]) -> Option<Vec<Condition>> {
    let kind = choices
        .iter()
        .find(|choice| choice.name == "--pol" && !choice.is_negated)?;
    match kind.value()? {
        "none" => Some(Vec::new()),
        "ipsec" => Some(vec![values::never()]),
        _ => None,
    }
}

/// Dates are compared exactly; the times of a day, days of the week and of the month are not.
fn time(choices: &[Choice<'_>]) -> Option<Vec<Condition>> {
    // The default ends of libxt_time: the epoch, and the last second of a signed 32-bit time.
    let (mut first, mut last) = (0, u64::from(i32::MAX.unsigned_abs()));
    let mut conditions = Vec::new();
    let mut has_dates = false;
    for choice in choices {
        match (choice.name, choice.is_negated) {
            ("--datestart", false) => first = date::parse(choice.value()?)?.into(),
            ("--datestop", false) => last = date::parse(choice.value()?)?.into(),
            ("--utc", false) => continue,
            // The kernel's own idea of the local time: nobody knows when that is.
            ("--kerneltz" | "--localtz", _) => return None,
            _ => {
                conditions.push(Condition::Unknown(format!("time: {}", choice.text())));
                continue;
            }
        }
        has_dates = true;
    }
    if has_dates {
        conditions.insert(0, Condition::Between { first, last });
    }
    Some(conditions)
}

fn in_set(choices: &[Choice<'_>], context: &Context<'_>) -> Option<Condition> {
    let mut found = None;
    for choice in choices {
        match (choice.name, choice.values.as_slice(), choice.is_negated) {
            ("--match-set", [name, directions], is_negated) if found.is_none() => {
                found = Some((*name, *directions, is_negated));
            }
            // They change what is counted, not what matches.
            ("--update-counters" | "--update-subcounters", [], true) => {}
            _ => return None,
        }
    }
    let (name, directions, is_negated) = found?;
    let set = context.sets.iter().find(|set| set.is_called(name))?;
    let condition = ipset::condition(set, directions, context.family)?;
    Some(match condition {
        // A set of the other family, or a key too short for it, holds no packet of this one; what asks
        // for packets that it does not hold means all of them.
        ipset::Asked::Nothing if is_negated => Condition::among(Field::Protocol, vec![Part::Range(0, u8::MAX.into())]),
        ipset::Asked::Nothing => values::never(),
        ipset::Asked::Key(key) => Condition::In {
            key,
            elements: Elements::Named(set.set.name.clone()),
            is_negated,
        },
    })
}

/// What `rpfilter` asks for.
pub(super) const fn route_back(is_loose: bool) -> Field {
    Field::RouteBack(match is_loose {
        true => OfInterface::Any,
        false => OfInterface::In,
    })
}
