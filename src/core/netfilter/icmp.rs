//! Types of ICMP and ICMPv6 by the names that iptables and nft give them.

use crate::core::listener::Family;

/// The protocol's number: ICMP, or for IPv6 `ICMPv6`.
pub(crate) const fn protocol(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 1,
        Family::Ipv6 => 58,
    }
}

/// The number of a type.
pub(crate) fn kind(family: Family, name: &str) -> Option<u8> {
    match family {
        Family::Ipv4 => ipv4(name),
        Family::Ipv6 => ipv6(name),
    }
}

/// As `libipt_icmp` and nft name them.
fn ipv4(name: &str) -> Option<u8> {
    Some(match name {
        "echo-reply" | "pong" => 0,
        "destination-unreachable" => 3,
        "source-quench" => 4,
        "redirect" => 5,
        "echo-request" | "ping" => 8,
        "router-advertisement" => 9,
        "router-solicitation" => 10,
        "time-exceeded" | "ttl-exceeded" => 11,
        "parameter-problem" => 12,
        "timestamp-request" => 13,
        "timestamp-reply" => 14,
        "info-request" => 15,
        "info-reply" => 16,
        "address-mask-request" => 17,
        "address-mask-reply" => 18,
        _ => return None,
    })
}

/// As `libip6t_icmp6` and nft name them.
fn ipv6(name: &str) -> Option<u8> {
    Some(match name {
        "destination-unreachable" => 1,
        "packet-too-big" => 2,
        "time-exceeded" | "ttl-exceeded" => 3,
        "parameter-problem" => 4,
        "echo-request" | "ping" => 128,
        "echo-reply" | "pong" => 129,
        "mld-listener-query" => 130,
        "mld-listener-report" => 131,
        "mld-listener-done" | "mld-listener-reduction" => 132,
        "router-solicitation" | "nd-router-solicit" => 133,
        "router-advertisement" | "nd-router-advert" => 134,
        "neighbour-solicitation" | "neighbor-solicitation" | "nd-neighbor-solicit" => 135,
        "neighbour-advertisement" | "neighbor-advertisement" | "nd-neighbor-advert" => 136,
        "redirect" | "nd-redirect" => 137,
        "router-renumbering" => 138,
        "ind-neighbor-solicit" => 141,
        "ind-neighbor-advert" => 142,
        "mld2-listener-report" => 143,
        _ => return None,
    })
}

/// The type and code of a name that iptables has for both.
pub(crate) fn with_code(family: Family, name: &str) -> Option<(u8, u8)> {
    Some(match (family, name) {
        (Family::Ipv4, "network-unreachable") | (Family::Ipv6, "ttl-zero-during-transit") => (3, 0),
        (Family::Ipv4, "host-unreachable") | (Family::Ipv6, "ttl-zero-during-reassembly") => (3, 1),
        (Family::Ipv4, "protocol-unreachable") => (3, 2),
        (Family::Ipv4, "port-unreachable") => (3, 3),
        (Family::Ipv4, "fragmentation-needed") => (3, 4),
        (Family::Ipv4, "source-route-failed") => (3, 5),
        (Family::Ipv4, "network-unknown") => (3, 6),
        (Family::Ipv4, "host-unknown") => (3, 7),
        (Family::Ipv4, "network-prohibited") => (3, 9),
        (Family::Ipv4, "host-prohibited") => (3, 10),
        (Family::Ipv4, "TOS-network-unreachable") => (3, 11),
        (Family::Ipv4, "TOS-host-unreachable") => (3, 12),
        (Family::Ipv4, "communication-prohibited") => (3, 13),
        (Family::Ipv4, "host-precedence-violation") => (3, 14),
        (Family::Ipv4, "precedence-cutoff") => (3, 15),
        (Family::Ipv4, "network-redirect") => (5, 0),
        (Family::Ipv4, "host-redirect") => (5, 1),
        (Family::Ipv4, "TOS-network-redirect") => (5, 2),
        (Family::Ipv4, "TOS-host-redirect") => (5, 3),
        (Family::Ipv4, "ttl-zero-during-transit") => (11, 0),
        (Family::Ipv4, "ttl-zero-during-reassembly") => (11, 1),
        (Family::Ipv4, "ip-header-bad") => (12, 0),
        (Family::Ipv4, "required-option-missing") => (12, 1),
        (Family::Ipv6, "no-route") => (1, 0),
        (Family::Ipv6, "communication-prohibited") => (1, 1),
        (Family::Ipv6, "beyond-scope") => (1, 2),
        (Family::Ipv6, "address-unreachable") => (1, 3),
        (Family::Ipv6, "port-unreachable") => (1, 4),
        (Family::Ipv6, "failed-policy") => (1, 5),
        (Family::Ipv6, "reject-route") => (1, 6),
        (Family::Ipv6, "bad-header") => (4, 0),
        (Family::Ipv6, "unknown-header-type") => (4, 1),
        (Family::Ipv6, "unknown-option") => (4, 2),
        _ => return None,
    })
}
