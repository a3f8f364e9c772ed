//! Translations of addresses.

use serde_json::Value;

use super::operands::key_of;
use super::sets::{addresses, elements, port_range};
use super::text;
use crate::core::netfilter::{Elements, Field, Nat, NatKind, TableFamily, To};

/// `dnat`, `snat`, `masquerade`, `redirect`, `tproxy`.
pub(super) fn nat(name: &str, inner: &Value, family: TableFamily) -> Option<Nat> {
    let kind = match name {
        "dnat" => NatKind::Destination,
        "snat" => NatKind::Source,
        "redirect" => NatKind::Redirect,
        "masquerade" => NatKind::Masquerade,
        "tproxy" => NatKind::Proxy,
        _ => return None,
    };
    let to = target(inner, family).unwrap_or_else(|| To::Unknown(text::target(inner)));
    Some(Nat { kind, to })
}

/// To what; none where it is not understood.
fn target(inner: &Value, family: TableFamily) -> Option<To> {
    // `dnat prefix to`: keeps the rest of the address.
    if inner.get("type_flags").is_some() || inner.get("flags").is_some_and(|flags| flags == "netmap") {
        return None;
    }
    let address = inner.get("addr");
    let port = inner.get("port");
    let map_of = |value: Option<&'_ Value>| value?.get("map").cloned();
    if let Some(map) = map_of(address) {
        let (key, elements) = looked_up(&map, family, false)?;
        let ports = match port {
            Some(port) => Some(port_range(port)?),
            None => None,
        };
        return Some(To::Map { key, elements, ports });
    }
    if let Some(map) = map_of(port) {
        let (key, elements) = looked_up(&map, family, true)?;
        return address.is_none().then_some(To::Map {
            key,
            elements,
            ports: None,
        });
    }
    Some(To::Fixed {
        addresses: match address {
            Some(address) => Some(addresses(address)?),
            None => None,
        },
        ports: match port {
            Some(port) => Some(port_range(port)?),
            None => None,
        },
    })
}

/// The key and the content of a map.
fn looked_up(map: &Value, family: TableFamily, ports: bool) -> Option<(Vec<Field>, Elements)> {
    let (key, kinds) = key_of(map.get("key")?, family);
    Some((key, elements(map.get("data")?, &kinds, true, ports)))
}
