//! Statements in nft's own words.

use serde_json::Value;

use super::{compact, duration, expression, kinds, map, matched, side, value};
use crate::core::netfilter::TableFamily;
use crate::core::netfilter::json::operands::{kind, only, several, word};
use crate::core::netfilter::json::words::Kind;

/// One statement.
pub(in crate::core::netfilter::json) fn statement(given: &Value, family: TableFamily) -> String {
    if let Some(verdict) = verdict(given) {
        return verdict;
    }
    let Some((name, inner)) = only(given) else {
        return match given {
            Value::String(word) => word.clone(),
            _ => compact(given),
        };
    };
    match name {
        "match" => matched(inner),
        "counter" | "limit" | "quota" | "synproxy" if inner.is_string() => {
            format!("{name} name \"{}\"", inner.as_str().unwrap_or_default())
        }
        "ct helper" | "ct timeout" | "ct expectation" | "secmark" => {
            let name = if name == "secmark" { "meta secmark" } else { name };
            match inner {
                Value::String(object) => format!("{name} set \"{object}\""),
                _ => format!("{name} set {}", expression(inner)),
            }
        }
        "counter" => match inner.get("map") {
            Some(_) => format!("counter name {}", named_map(inner)),
            None => "counter".to_owned(),
        },
        "limit" => limit(inner),
        "quota" => quota(inner),
        "ct count" => {
            let over = if is_over(inner) { "over " } else { "" };
            format!("ct count {over}{}", number(inner, "val"))
        }
        "log" => log(inner),
        "queue" => queue(inner),
        "reject" => reject(inner, family),
        "vmap" => match (inner.get("key"), inner.get("data")) {
            (Some(key), Some(data)) => format!("{} vmap {}", expression(key), map(data, &kinds(key), Kind::Other)),
            _ => compact(given),
        },
        "mangle" => match (inner.get("key"), inner.get("value")) {
            (Some(key), Some(set)) => {
                let set = match only(set) {
                    Some(("map", _)) | None => value(set, kind(key)),
                    Some(_) => expression(set),
                };
                format!("{} set {set}", expression(key))
            }
            _ => compact(given),
        },
        "dnat" | "snat" | "masquerade" | "redirect" | "tproxy" => translated(name, inner),
        "set" => updated(inner, "set"),
        "map" => updated(inner, "map"),
        "meter" => meter(inner),
        "fwd" | "dup" => copied(name, inner, family),
        "flow" => format!(
            "flow {} {}",
            word(inner, "op").unwrap_or("add"),
            word(inner, "flowtable").unwrap_or("?")
        ),
        "synproxy" => synproxy(inner),
        "xt" => match (word(inner, "type"), word(inner, "name")) {
            (Some(kind), Some(name)) => format!("xt {kind} \"{name}\""),
            _ => compact(given),
        },
        "reset" => format!("reset {}", expression(inner)),
        "notrack" | "last" => name.to_owned(),
        _ => compact(given),
    }
}

/// A verdict, or none.
pub(super) fn verdict(given: &Value) -> Option<String> {
    let (name, inner) = only(given)?;
    match name {
        "accept" | "drop" | "continue" | "return" => Some(name.to_owned()),
        "jump" | "goto" => Some(format!("{name} {}", word(inner, "target")?)),
        _ => None,
    }
}

fn number(inner: &Value, key: &str) -> String {
    inner.get(key).map(compact).unwrap_or_default()
}

fn is_over(inner: &Value) -> bool {
    inner.get("inv").and_then(Value::as_bool).unwrap_or(false)
}

/// A map from a key to the names of objects.
fn named_map(inner: &Value) -> String {
    match inner
        .get("map")
        .and_then(|map| Some((map.get("key")?, map.get("data")?)))
    {
        Some((key, data)) => format!("{} map {}", expression(key), map(data, &kinds(key), Kind::Quoted)),
        None => compact(inner),
    }
}

fn limit(inner: &Value) -> String {
    let over = if is_over(inner) { "over " } else { "" };
    let unit = word(inner, "rate_unit").unwrap_or("packets");
    let bytes = if unit == "packets" {
        String::new()
    } else {
        format!(" {unit}")
    };
    let per = word(inner, "per").unwrap_or("second");
    let burst = inner.get("burst").and_then(Value::as_u64);
    let usual = if unit == "packets" { 5 } else { 0 };
    let burst = match burst.filter(|burst| *burst != usual) {
        Some(burst) => format!(" burst {burst} {}", word(inner, "burst_unit").unwrap_or("packets")),
        None => String::new(),
    };
    format!("limit rate {over}{}{bytes}/{per}{burst}", number(inner, "rate"))
}

fn quota(inner: &Value) -> String {
    let over = if is_over(inner) { "over " } else { "" };
    format!(
        "quota {over}{} {}",
        number(inner, "val"),
        word(inner, "val_unit").unwrap_or("bytes")
    )
}

fn log(inner: &Value) -> String {
    let mut text = "log".to_owned();
    let mut add = |more: String| {
        text.push(' ');
        text.push_str(&more);
    };
    if let Some(prefix) = word(inner, "prefix") {
        add(format!("prefix \"{prefix}\""));
    }
    for key in ["group", "snaplen", "queue-threshold"] {
        if inner.get(key).is_some() {
            add(format!("{key} {}", number(inner, key)));
        }
    }
    if let Some(level) = word(inner, "level") {
        add(format!("level {level}"));
    }
    let flags = several(inner.get("flags"));
    let tcp: Vec<_> = flags.iter().filter_map(|flag| flag.strip_prefix("tcp ")).collect();
    if !tcp.is_empty() {
        add(format!("flags tcp {}", tcp.join(",")));
    }
    for flag in flags.iter().filter(|flag| !flag.starts_with("tcp ")) {
        add(format!("flags {flag}"));
    }
    text
}

fn queue(inner: &Value) -> String {
    let flags = several(inner.get("flags"));
    let flags = match flags.is_empty() {
        true => String::new(),
        false => format!(" flags {}", flags.join(",")),
    };
    match inner.get("num") {
        Some(to) => format!("queue{flags} to {}", expression(to)),
        None => format!("queue{flags}"),
    }
}

fn reject(inner: &Value, family: TableFamily) -> String {
    let usual = match family {
        TableFamily::Ip => "icmp",
        TableFamily::Ip6 => "icmpv6",
        TableFamily::Inet | TableFamily::Bridge | TableFamily::Netdev => "icmpx",
    };
    match (word(inner, "type"), inner.get("expr")) {
        (None, _) => "reject".to_owned(),
        (Some(kind), Some(code)) if kind == usual && code == "port-unreachable" => "reject".to_owned(),
        (Some(kind), Some(code)) => format!("reject with {kind} {}", value(code, Kind::Other)),
        (Some(kind), None) => format!("reject with {kind}"),
    }
}

fn translated(name: &str, inner: &Value) -> String {
    let target = target(inner);
    match target.is_empty() {
        true => name.to_owned(),
        false => format!("{name} {target}"),
    }
}

/// What addresses are translated to: `ip to 10.0.0.1:80 random`.
pub(in crate::core::netfilter::json) fn target(inner: &Value) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(word(inner, "family").map(str::to_owned));
    words.extend(several(inner.get("type_flags")).into_iter().map(str::to_owned));
    let address = inner.get("addr").map(expression);
    let port = inner.get("port").map(expression);
    if address.is_some() || port.is_some() {
        words.push("to".to_owned());
    }
    words.extend(match (address, port) {
        (Some(address), Some(port)) if address.contains(':') && !address.contains(' ') => {
            Some(format!("[{address}]:{port}"))
        }
        (Some(address), Some(port)) => Some(format!("{address}:{port}")),
        (Some(address), None) => Some(address),
        (None, Some(port)) => Some(format!(":{port}")),
        (None, None) => None,
    });
    let flags: Vec<_> = several(inner.get("flags"))
        .into_iter()
        .filter(|flag| *flag != "netmap")
        .collect();
    if !flags.is_empty() {
        words.push(flags.join(","));
    }
    words.join(" ")
}

/// An element with its timeout, and what is counted for it.
fn element(inner: &Value, nested: Option<&Value>) -> String {
    let key = inner.get("elem").or_else(|| inner.get("key"));
    let mut text = match key.and_then(|key| key.get("elem")) {
        Some(wrapped) => {
            let mut text = wrapped.get("val").map(expression).unwrap_or_default();
            if let Some(timeout) = wrapped.get("timeout").and_then(Value::as_u64) {
                text.push_str(" timeout ");
                text.push_str(&duration(timeout));
            }
            text
        }
        None => key.map(expression).unwrap_or_default(),
    };
    let nested = match nested {
        Some(Value::Array(several)) => several.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for one in nested {
        text.push(' ');
        text.push_str(&statement(one, TableFamily::Inet));
    }
    text
}

/// `add @set { ip saddr }`.
fn updated(inner: &Value, name: &str) -> String {
    let element = element(inner, inner.get("stmt"));
    let data = match inner.get("data") {
        Some(data) => format!(" : {}", side(data, &[Kind::Other])),
        None => String::new(),
    };
    let operation = word(inner, "op").unwrap_or("add");
    format!("{operation} {} {{ {element}{data} }}", word(inner, name).unwrap_or("?"))
}

fn meter(inner: &Value) -> String {
    let size = match inner.get("size") {
        Some(size) => format!(" size {size}"),
        None => String::new(),
    };
    let name = word(inner, "name").unwrap_or("?");
    format!("meter {name}{size} {{ {} }}", element(inner, inner.get("stmt")))
}

/// `dup to 10.0.0.1 device "eth0"`, `fwd to "eth0"`.
fn copied(name: &str, inner: &Value, family: TableFamily) -> String {
    let device = inner.get("dev").map(|device| value(device, Kind::Interface));
    // In a netdev table, what is called the address is a device.
    let kind = match family {
        TableFamily::Netdev => Kind::Interface,
        _ => Kind::Other,
    };
    match (inner.get("addr").map(|address| side(address, &[kind])), device) {
        (Some(address), Some(device)) => format!("{name} to {address} device {device}"),
        (Some(to), None) | (None, Some(to)) => format!("{name} to {to}"),
        (None, None) => compact(inner),
    }
}

fn synproxy(inner: &Value) -> String {
    let mut words = vec!["synproxy".to_owned()];
    for key in ["mss", "wscale"] {
        if inner.get(key).is_some() {
            words.push(format!("{key} {}", number(inner, key)));
        }
    }
    words.extend(several(inner.get("flags")).into_iter().map(str::to_owned));
    words.join(" ")
}
