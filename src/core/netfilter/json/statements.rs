//! The statements of a rule: what it asks and does, in order.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bits::formula;
use super::conditions::conditions;
use super::operands::{key_of, kind, needs, only, operand, word};
use super::sets::elements;
use super::words::{Kind, constant};
use super::{nat, text};
use crate::core::netfilter::{Condition, Field, SetMark, Statement, TableFamily, Verdict};

/// `dnat ip to`, `reject with icmp`: of one family, in a table of both.
fn only_of(word: &str, family: TableFamily) -> Option<Statement> {
    let number = match (word, family) {
        ("ip", TableFamily::Ip) | ("ip6", TableFamily::Ip6) => return None,
        ("ip", _) => 2,
        ("ip6", _) => 10,
        _ => return None,
    };
    Some(Statement::If(Condition::is(Field::NetworkProtocol, number)))
}

/// What a statement has to know of the table around it.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) family: TableFamily,
    /// Whether a named limit or quota of the table lets the first packet of a quiet peer match.
    pub(super) named: &'a BTreeMap<String, bool>,
}

/// Adds what one statement of nft means. Returns whether it is one of `x_tables`.
pub(super) fn add(statement: &Value, context: &Context<'_>, into: &mut Vec<Statement>) -> bool {
    let family = context.family;
    let Some((name, inner)) = named(statement) else {
        into.push(Statement::Unknown(text::compact(statement)));
        return false;
    };
    let unknown = || Statement::Unknown(text::statement(statement, family));
    if let Some(verdict) = verdict(statement) {
        into.push(Statement::End(verdict));
        return false;
    }
    // A rule ends where the headers that a statement reads are missing.
    let needed = |into: &mut Vec<Statement>| into.extend(needs(inner, family).into_iter().map(Statement::If));
    match name {
        "match" => into.extend(conditions(inner, family).into_iter().map(Statement::If)),
        "reject" => {
            // `reject with tcp reset` is for TCP alone, and nft does not say so again.
            into.extend(match word(inner, "type") {
                Some("tcp reset") => Some(Statement::If(Condition::is(Field::Protocol, 6))),
                Some("icmp") => only_of("ip", family),
                Some("icmpv6") => only_of("ip6", family),
                _ => None,
            });
            into.push(Statement::End(Verdict::Reject(rejection(inner, family))));
        }
        "queue" => into.push(Statement::End(Verdict::Queue)),
        "notrack" => into.push(Statement::NoTrack),
        "vmap" => match (inner.get("key"), inner.get("data")) {
            (Some(key), Some(data)) => {
                into.extend(unsaid_needs(key, family));
                let (key, kinds) = key_of(key, family);
                let elements = elements(data, &kinds, true, false);
                into.push(Statement::Choose { key, elements });
            }
            _ => into.push(unknown()),
        },
        "dnat" | "snat" | "masquerade" | "redirect" | "tproxy" => {
            into.extend(word(inner, "family").and_then(|word| only_of(word, family)));
            into.extend(nat::nat(name, inner, family).map_or_else(|| vec![unknown()], |nat| vec![Statement::Nat(nat)]));
        }
        // What is left of one in a rule is not told with it.
        "quota" if inner.is_object() => into.push(unknown()),
        "limit" | "quota" | "ct count" => into.push(counted(statement, context).unwrap_or_else(unknown)),
        // Only connections in both directions are taken off the rules' hands; for others the rule ends.
        "flow" => into.push(Statement::If(Condition::FirstOfMany {
            matches: false,
            what: text::statement(statement, family),
        })),
        "set" | "meter" | "map" => {
            needed(into);
            let nested = match inner.get("stmt") {
                Some(Value::Array(several)) => several.as_slice(),
                Some(one) => std::slice::from_ref(one),
                None => &[],
            };
            for one in nested {
                add(one, context, into);
            }
        }
        "mangle" => {
            needed(into);
            match (inner.get("key"), inner.get("value")) {
                (Some(key), Some(value)) => {
                    // Without an element the rule ends here.
                    into.extend(value.get("map").map(|map| found_in(map, family)));
                    into.extend(set(key, value, unknown));
                }
                _ => into.push(unknown()),
            }
        }
        // A name from a map: without an element the rule ends here.
        "counter" | "ct helper" | "ct timeout" | "ct expectation" | "secmark" if inner.get("map").is_some() => {
            into.extend(inner.get("map").map(|map| found_in(map, family)));
        }
        "counter" | "log" | "ct helper" | "ct timeout" | "ct expectation" | "secmark" | "dup" | "last" => {}
        "reset" => needed(into),
        "xt" => {
            into.extend(extension(inner));
            return true;
        }
        _ => into.push(unknown()),
    }
    false
}

/// The one key of a statement. Old versions write some without an object.
fn named(statement: &Value) -> Option<(&str, &Value)> {
    match statement {
        Value::String(word) => Some((word.as_str(), &Value::Null)),
        _ => only(statement),
    }
}

/// What the fields of a key don't say by being absent.
fn unsaid_needs(key: &Value, family: TableFamily) -> Vec<Statement> {
    needs(key, family).into_iter().map(Statement::If).collect()
}

/// A verdict, or none.
pub(super) fn verdict(statement: &Value) -> Option<Verdict> {
    let (name, inner) = named(statement)?;
    let target = || word(inner, "target").map(str::to_owned);
    Some(match name {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "jump" => Verdict::Jump(target()?),
        "goto" => Verdict::Goto(target()?),
        _ => return None,
    })
}

/// How a packet is refused, in the words of `REJECT --reject-with`.
fn rejection(reject: &Value, family: TableFamily) -> String {
    let default = match family {
        TableFamily::Ip => "icmp",
        TableFamily::Ip6 => "icmpv6",
        TableFamily::Inet | TableFamily::Bridge | TableFamily::Netdev => "icmpx",
    };
    let kind = word(reject, "type").unwrap_or(default);
    let kind = if kind == "icmpv6" { "icmp6" } else { kind };
    match (kind, reject.get("expr")) {
        ("tcp reset", _) => "tcp-reset".to_owned(),
        (_, Some(Value::String(word))) => format!("{kind}-{word}"),
        (_, Some(Value::Number(number))) => format!("{kind}-{number}"),
        _ => format!("{kind}-port-unreachable"),
    }
}

/// A rate, an amount, a number of connections: what is known for the first packet of many.
fn counted(statement: &Value, context: &Context<'_>) -> Option<Statement> {
    let (name, inner) = only(statement)?;
    let matches = match inner {
        Value::String(object) => *context.named.get(&format!("{name} {object}"))?,
        Value::Object(map) if !map.contains_key("map") => !is_over(inner),
        _ => return None,
    };
    let text = text::statement(statement, context.family);
    let what = text.strip_prefix(name).map_or(text.as_str(), str::trim);
    Some(Statement::If(Condition::FirstOfMany {
        matches,
        what: format!("{name}: {what}"),
    }))
}

/// Whether a limit or quota matches what is over it.
fn is_over(inner: &Value) -> bool {
    inner.get("inv").and_then(Value::as_bool).unwrap_or(false)
}

/// Whether a named limit or quota lets the first packet of a quiet peer match.
pub(super) fn first_matches(object: &Value) -> bool {
    let number = |key| object.get(key).and_then(Value::as_u64);
    let is_used_up = matches!((number("used"), number("bytes")), (Some(used), Some(bytes)) if used >= bytes);
    is_over(object) == is_used_up
}

/// `KEY set VALUE`.
fn set(key: &Value, value: &Value, unknown: impl Fn() -> Statement) -> Option<Statement> {
    match only(key)? {
        ("meta", inner) => match word(inner, "key") {
            Some("mark") => Some(Statement::Mark(mark(false, value))),
            Some("priority" | "nftrace" | "secmark") => None,
            _ => Some(unknown()),
        },
        ("ct", inner) => match word(inner, "key") {
            Some("mark") => Some(Statement::Mark(mark(true, value))),
            // One with a name is asked for by its name, and that is not understood.
            Some("label") => {
                let bits = constant(value, Kind::Label)?;
                let bit = u8::try_from(bits.trailing_zeros())
                    .ok()
                    .filter(|_| bits.is_power_of_two());
                Some(bit.map_or_else(unknown, Statement::SetLabel))
            }
            Some("event" | "secmark" | "zone" | "helper") => None,
            _ => Some(unknown()),
        },
        ("payload", inner) => match (word(inner, "protocol"), word(inner, "field")) {
            (Some("ip"), Some("dscp" | "ecn" | "ttl" | "id"))
            | (Some("ip6"), Some("dscp" | "ecn" | "hoplimit" | "flowlabel")) => None,
            _ => Some(unknown()),
        },
        ("tcp option", inner) if word(inner, "name") == Some("maxseg") => None,
        _ => Some(unknown()),
    }
}

/// The condition that a map has an element.
fn found_in(map: &Value, family: TableFamily) -> Statement {
    Statement::If(match (map.get("key"), map.get("data")) {
        (Some(key), Some(data)) => {
            let (key, kinds) = key_of(key, family);
            Condition::In {
                key,
                elements: elements(data, &kinds, true, false),
                is_negated: false,
            }
        }
        _ => Condition::Unknown(text::compact(map)),
    })
}

/// What a mark becomes.
fn mark(of_connection: bool, value: &Value) -> SetMark {
    let all = SetMark {
        of_connection,
        from_connection: of_connection,
        clear: u32::MAX,
        flip: 0,
        is_unknown: false,
    };
    let fixed = constant(value, Kind::Mark).and_then(|value| u32::try_from(value).ok());
    if let Some(flip) = fixed {
        return SetMark { flip, ..all };
    }
    let changed = || {
        (kind(value) == Kind::Mark).then_some(())?;
        let (inner, formula) = formula(value, Kind::Mark)?;
        let from_connection = match operand(inner, TableFamily::Inet).field {
            Field::Mark => false,
            Field::ConnectionMark => true,
            _ => return None,
        };
        formula.stays().then_some(SetMark {
            from_connection,
            clear: !u32::try_from(formula.mask).ok()?,
            flip: u32::try_from(formula.flip).ok()?,
            ..all
        })
    };
    changed().unwrap_or(SetMark {
        is_unknown: true,
        ..all
    })
}

/// A match or target of `x_tables`, of which nft knows the name only.
fn extension(inner: &Value) -> Option<Statement> {
    let name = word(inner, "name").unwrap_or("?");
    match (word(inner, "type"), name) {
        (_, "comment" | "LOG" | "NFLOG" | "TRACE") => None,
        (Some("match"), _) => Some(Statement::If(Condition::Unknown(format!("xt match {name}")))),
        (Some(kind), _) => Some(Statement::Unknown(format!("xt {kind} {name}"))),
        (None, _) => Some(Statement::Unknown(text::compact(inner))),
    }
}
