//! The text of a rule as `nft -s list ruleset` prints it: JSON has none.

use serde_json::Value;

use super::operands::{kind, only, several, word};
use super::words::Kind;
use crate::core::netfilter::TableFamily;

mod statements;

pub(super) use statements::{statement, target};

/// A whole rule, with its comment.
pub(super) fn rule(rule: &Value, family: TableFamily) -> String {
    let mut words: Vec<String> = match rule.get("expr") {
        Some(Value::Array(statements)) => statements.iter().map(|one| statement(one, family)).collect(),
        None | Some(Value::Null) => Vec::new(),
        Some(one) => vec![statement(one, family)],
    };
    if let Some(comment) = word(rule, "comment") {
        words.push(format!("comment \"{comment}\""));
    }
    words.join(" ")
}

/// JSON, for what has no other text.
pub(super) fn compact(value: &Value) -> String {
    value.to_string()
}

/// A `match`.
pub(super) fn matched(matched: &Value) -> String {
    let (Some(left), Some(right)) = (matched.get("left"), matched.get("right")) else {
        return compact(matched);
    };
    let operator = word(matched, "op").unwrap_or("==");
    let kinds = kinds(left);
    let kind = kinds.first().copied().unwrap_or(Kind::Other);
    let right_text = side(right, &kinds);
    // `tcp flags & (syn | ack) == syn`, for which nft has a form of its own.
    if let Some(Value::Array(arguments)) = left.get("&")
        && let [field, mask @ Value::Array(_)] = arguments.as_slice()
        && kind == Kind::TcpFlags
    {
        let sign = if operator == "!=" { "!= " } else { "" };
        return format!("{} {sign}{right_text} / {}", expression(field), value(mask, kind));
    }
    let is_calculated = matches!(only(left), Some(("&" | "|" | "^" | "<<" | ">>", _)));
    let is_said = match operator {
        "in" => false,
        "==" => {
            is_calculated
                || kind.is_bits()
                    && match right {
                        Value::String(word) => !word.starts_with('@'),
                        Value::Number(_) => true,
                        _ => false,
                    }
        }
        _ => true,
    };
    match is_said {
        true => format!("{} {operator} {right_text}", expression(left)),
        false => format!("{} {right_text}", expression(left)),
    }
}

/// The kinds of an expression, or of the parts of a concatenated one.
pub(super) fn kinds(expression: &Value) -> Vec<Kind> {
    super::operands::parts_of(expression).into_iter().map(kind).collect()
}

/// The right side: a value of one kind, or a concatenated one.
pub(super) fn side(right: &Value, kinds: &[Kind]) -> String {
    let kind = match kinds {
        [one] => *one,
        _ => Kind::Other,
    };
    match only(right) {
        Some(("concat", Value::Array(parts))) => {
            let words = parts.iter().enumerate().map(|(at, part)| {
                let kind = kinds.get(at).copied().unwrap_or(Kind::Other);
                value(part, kind)
            });
            words.collect::<Vec<_>>().join(" . ")
        }
        Some(("set", Value::Array(elements))) => {
            let elements: Vec<_> = elements.iter().map(|element| side(element, kinds)).collect();
            format!("{{ {} }}", elements.join(", "))
        }
        Some(("set", one)) => format!("{{ {} }}", side(one, kinds)),
        Some(("elem", inner)) => side(inner.get("val").unwrap_or(inner), kinds),
        _ => value(right, kind),
    }
}

/// A constant of a kind.
pub(super) fn value(constant: &Value, kind: Kind) -> String {
    match constant {
        Value::Bool(is) => if *is { "exists" } else { "missing" }.to_owned(),
        Value::Number(number) => match (kind, number.as_u64()) {
            (Kind::Mark, Some(number)) => format!("0x{number:08x}"),
            (Kind::TcpFlags, Some(number)) => format!("0x{number:x}"),
            (Kind::Time, Some(number)) => duration(number),
            _ => number.to_string(),
        },
        Value::String(word) if word.starts_with('@') || word == "*" => word.clone(),
        Value::String(word) => match kind {
            Kind::Interface if word != "0" => format!("\"{word}\""),
            Kind::Quoted => format!("\"{word}\""),
            _ => word.clone(),
        },
        Value::Array(several) => several.iter().map(|one| value(one, kind)).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        Value::Object(_) => match only(constant) {
            Some(("range", ends)) => match ends.as_array().map(Vec::as_slice) {
                Some([first, last]) => format!("{}-{}", value(first, kind), value(last, kind)),
                _ => compact(constant),
            },
            Some(("prefix", prefix)) => match (prefix.get("addr"), prefix.get("len")) {
                (Some(address), Some(length)) => format!("{}/{}", value(address, kind), compact(length)),
                _ => compact(constant),
            },
            Some(("|", Value::Array(several))) => several
                .iter()
                .map(|one| value(one, kind))
                .collect::<Vec<_>>()
                .join(" | "),
            // What `expression` hands back to here must not be handed over again.
            Some(("elem", inner)) => inner
                .get("val")
                .map_or_else(|| compact(constant), |inner| value(inner, kind)),
            _ => expression(constant),
        },
    }
}

/// An expression that is no constant.
pub(super) fn expression(given: &Value) -> String {
    let Some((name, inner)) = only(given) else {
        return match given {
            Value::Object(_) => compact(given),
            _ => value(given, Kind::Other),
        };
    };
    let key = || word(inner, "key").unwrap_or("?");
    match name {
        "meta" => match inner.as_str().unwrap_or_else(key) {
            key @ ("iif" | "oif" | "iifname" | "oifname" | "iifgroup" | "oifgroup") => key.to_owned(),
            key => format!("meta {key}"),
        },
        "payload" => payload(inner),
        "ct" => match word(inner, "dir") {
            Some(direction) => format!("ct {direction} {}", key()),
            None => format!("ct {}", key()),
        },
        "fib" => {
            let result = word(inner, "result").unwrap_or("?");
            format!("fib {} {result}", several(inner.get("flags")).join(" . "))
        }
        "concat" => match inner.as_array() {
            Some(parts) => parts.iter().map(expression).collect::<Vec<_>>().join(" . "),
            None => compact(given),
        },
        "&" | "|" | "^" | "<<" | ">>" => calculated(name, inner, given),
        "map" => match (inner.get("key"), inner.get("data")) {
            (Some(key), Some(data)) => format!("{} map {}", expression(key), map(data, &kinds(key), Kind::Other)),
            _ => compact(given),
        },
        "exthdr" | "tcp option" | "ip option" | "sctp chunk" | "dccp option" => header(name, inner),
        "rt" => {
            let family = word(inner, "family")
                .map(|family| format!("{family} "))
                .unwrap_or_default();
            format!("rt {family}{}", key())
        }
        "socket" | "osf" => format!("{name} {}", key()),
        "ipsec" => {
            let direction = word(inner, "dir").unwrap_or("in");
            let family = word(inner, "family")
                .map(|family| format!("{family} "))
                .unwrap_or_default();
            format!("ipsec {direction} {family}{}", key())
        }
        "numgen" | "jhash" | "symhash" => hash(name, inner),
        "range" | "prefix" | "elem" => value(given, Kind::Other),
        "set" => side(given, &[Kind::Other]),
        _ => compact(given),
    }
}

/// The elements of a map with what it holds, or its name.
pub(super) fn map(data: &Value, kinds: &[Kind], held: Kind) -> String {
    match data.get("set") {
        Some(Value::Array(elements)) => {
            let elements = elements
                .iter()
                .map(|element| match element.as_array().map(Vec::as_slice) {
                    Some([key, data]) => {
                        let data = match statements::verdict(data) {
                            Some(verdict) => verdict,
                            None => side(data, &[held]),
                        };
                        format!("{} : {data}", side(key, kinds))
                    }
                    _ => compact(element),
                });
            format!("{{ {} }}", elements.collect::<Vec<_>>().join(", "))
        }
        _ => side(data, kinds),
    }
}

fn payload(inner: &Value) -> String {
    if let (Some(protocol), Some(field)) = (word(inner, "protocol"), word(inner, "field")) {
        return format!("{protocol} {field}");
    }
    match (word(inner, "base"), inner.get("offset"), inner.get("len")) {
        (Some(base), Some(offset), Some(length)) => format!("@{base},{offset},{length}"),
        _ => compact(inner),
    }
}

/// An extension header or option: `rt type`, `exthdr rt`, `tcp option maxseg size`.
fn header(name: &str, inner: &Value) -> String {
    let header = word(inner, "name").unwrap_or("?");
    let field = word(inner, "field");
    match (name, field) {
        ("exthdr", Some(field)) => format!("{header} {field}"),
        (_, Some(field)) => format!("{name} {header} {field}"),
        (_, None) => format!("{name} {header}"),
    }
}

/// `numgen random mod 2`, `jhash ip saddr mod 2 seed 0x1`.
fn hash(name: &str, inner: &Value) -> String {
    let mut text = name.to_owned();
    let mut add = |more: String| {
        text.push(' ');
        text.push_str(&more);
    };
    if let Some(mode) = word(inner, "mode") {
        add(mode.to_owned());
    }
    if let Some(of) = inner.get("expr") {
        add(expression(of));
    }
    let number = |key| inner.get(key).and_then(Value::as_u64);
    if let Some(modulus) = number("mod") {
        add(format!("mod {modulus}"));
    }
    if let Some(seed) = number("seed") {
        add(format!("seed 0x{seed:x}"));
    }
    if let Some(offset) = number("offset").filter(|offset| *offset != 0) {
        add(format!("offset {offset}"));
    }
    text
}

/// Operators of bits, with parentheses where the inner one binds less.
fn calculated(operator: &str, arguments: &Value, given: &Value) -> String {
    let Some(arguments) = arguments.as_array() else {
        return compact(given);
    };
    let kind = kind(given);
    let binds = |operator: &str| match operator {
        "|" => 1,
        "^" => 2,
        "&" => 3,
        _ => 4,
    };
    let words = arguments.iter().map(|argument| match only(argument) {
        Some((inner @ ("&" | "|" | "^" | "<<" | ">>"), _)) if binds(inner) < binds(operator) => {
            format!("({})", expression(argument))
        }
        Some(_) => expression(argument),
        None if binds(operator) == 4 => value(argument, Kind::Other),
        None => match argument {
            Value::Array(bits) if bits.len() > 1 => {
                format!(
                    "({})",
                    bits.iter().map(|bit| value(bit, kind)).collect::<Vec<_>>().join(" | ")
                )
            }
            _ => value(argument, kind),
        },
    });
    words.collect::<Vec<_>>().join(&format!(" {operator} "))
}

/// `1d2h3m4s`.
pub(super) fn duration(seconds: u64) -> String {
    let mut text = String::new();
    for (length, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
        let whole = match length {
            86_400 => seconds / length,
            3_600 => seconds % 86_400 / length,
            60 => seconds % 3_600 / length,
            _ => seconds % 60,
        };
        if whole > 0 {
            text.push_str(&whole.to_string());
            text.push(unit);
        }
    }
    match text.is_empty() {
        true => "0s".to_owned(),
        false => text,
    }
}
