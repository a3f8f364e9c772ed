//! Interfaces, their classes, and who counts as a neighbour.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::core::policy::Policy;

mod inhabitants;
mod routing;

pub use inhabitants::inhabitants;
pub use routing::{Peers, Route, RouteKind, Switches, World};

/// IPv6 link-local: every neighbour on an IPv6 link has such an address (RFC 4291, 2.5.6).
const LINK_LOCAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10);

/// Longest interface name the kernel allows (`IFNAMSIZ` - 1).
const LONGEST_NAME: usize = 15;

/// Whether the kernel would accept this as an interface name (`dev_valid_name` in net/core/dev.c),
/// and a rule and a terminal as well.
pub fn is_interface_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name != "."
        && name != ".."
        && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b':' | b'"' | b'\'' | b'\\'))
        // A trailing + is iptables' wildcard, a leading ! its negation.
        && !name.ends_with('+')
        && !name.starts_with('!')
}

/// What the user says of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkClass {
    /// Its on-link neighbours are trusted.
    Trusted,
    /// Nobody there is trusted. Unknown interfaces are public.
    Public,
    /// A bridge of this machine's own VMs or containers.
    Guests,
}

impl NetworkClass {
    /// Every class, in the order a key cycles through.
    pub const ALL: [Self; 3] = [Self::Public, Self::Trusted, Self::Guests];

    /// The word in the policy, in JSON and on the screens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Public => "public",
            Self::Guests => "guests",
        }
    }
}

impl fmt::Display for NetworkClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for NetworkClass {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.word() == word)
            .ok_or_else(|| format!("unknown class '{word}': use trusted, public or guests"))
    }
}

/// What sort of interface it is, as far as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InterfaceKind {
    /// Wired, or a virtual device that looks so (veth, virtio, bond, VLAN).
    Ethernet,
    /// Wireless LAN.
    Wifi,
    /// A bridge.
    Bridge,
    /// WireGuard, tun, tap, IPsec and other tunnels.
    Vpn,
    /// The loopback interface.
    Loopback,
    /// Anything else: ppp, wwan, ...
    Other,
}

impl InterfaceKind {
    /// The word in JSON and on the screens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ethernet => "ethernet",
            Self::Wifi => "wifi",
            Self::Bridge => "bridge",
            Self::Vpn => "vpn",
            Self::Loopback => "loopback",
            Self::Other => "other",
        }
    }
}

/// A network interface as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// The kernel's index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What sort it is.
    pub kind: InterfaceKind,
    /// The driver's own word (`IFLA_INFO_KIND`): `wireguard`, `tun`, `veth`, `bridge`, ...
    pub driver: Option<String>,
    /// Its addresses with the length of their prefix.
    pub addresses: Vec<IpNet>,
    /// The prefixes its neighbours' addresses are from.
    pub on_link: Vec<IpNet>,
    /// The prefixes in which IPv6 addresses of its own come and go by themselves: temporary ones, and
    /// those that routers or `DHCPv6` gave.
    #[serde(default)]
    pub changing: Vec<IpNet>,
    /// Whether it is administratively up.
    pub is_up: bool,
    /// Whether a default route (either family) leaves through it.
    pub has_default_route: bool,
    /// Whether it is a bridge with a physical port: the machine's own uplink, not a guests' network.
    pub has_physical_port: bool,
}

impl Interface {
    /// The class fwtui proposes until the user says otherwise: the bridges of this machine's own
    /// VMs and containers are guests, everything else is public. A bridge with a physical port or
    /// the default route (Proxmox' vmbr0) is an uplink, whatever its name.
    pub fn proposed_class(&self) -> NetworkClass {
        let is_guests = self.kind == InterfaceKind::Bridge
            && !self.has_default_route
            && !self.has_physical_port
            && is_guests_name(&self.name);
        match is_guests {
            true => NetworkClass::Guests,
            false => NetworkClass::Public,
        }
    }

    /// Whether anybody can be its neighbour: one of its addresses has a network around it.
    pub fn has_neighbours(&self) -> bool {
        !self.neighbour_sources().is_empty()
    }

    /// Where this interface's neighbours' addresses come from: its on-link prefixes and, where it
    /// has IPv6, link-local.
    fn neighbour_sources(&self) -> Vec<IpNet> {
        let mut sources: Vec<IpNet> = self.on_link.iter().map(IpNet::trunc).filter(is_neighbourhood).collect();
        if sources.iter().any(|net| matches!(net, IpNet::V6(_))) {
            sources.retain(|net| !IpNet::V6(LINK_LOCAL_V6).contains(net));
            sources.push(IpNet::V6(LINK_LOCAL_V6));
        }
        sources.sort();
        sources.dedup();
        sources
    }
}

/// A prefix that names neighbours: not everything, and not loopback.
fn is_neighbourhood(net: &IpNet) -> bool {
    net.prefix_len() > 0 && !net.addr().is_loopback()
}

/// Names that docker, podman, libvirt, LXD, Incus and CNI give their bridges.
fn is_guests_name(name: &str) -> bool {
    let is_docker_network = name
        .strip_prefix("br-")
        .is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_docker_network
        || [
            "docker",
            "podman",
            "virbr",
            "lxdbr",
            "lxcbr",
            "incusbr",
            "cni-podman",
            "cni",
        ]
        .iter()
        .any(|prefix| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        })
}

/// The class of an interface under a policy.
pub fn class_of(interface: &Interface, policy: &Policy) -> NetworkClass {
    policy
        .networks
        .interfaces
        .get(&interface.name)
        .copied()
        .unwrap_or_else(|| interface.proposed_class())
}

/// A source that is trusted: neighbours on an interface, or a network listed by hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone {
    /// The interface packets must come in by; none for networks listed by hand.
    pub interface: Option<String>,
    /// The source network, truncated to its prefix.
    pub source: IpNet,
    /// Trusted or guests.
    pub class: NetworkClass,
}

/// Everyone a `trusted` decision lets in, in a stable order. An interface without addresses
/// contributes nobody: trust fails closed.
pub fn zones(policy: &Policy, interfaces: &[Interface]) -> Vec<Zone> {
    let mut zones = Vec::new();
    for interface in interfaces
        .iter()
        .filter(|interface| interface.kind != InterfaceKind::Loopback)
    {
        let class = class_of(interface, policy);
        if class == NetworkClass::Public || !is_interface_name(&interface.name) {
            continue;
        }
        zones.extend(interface.neighbour_sources().into_iter().map(|source| Zone {
            interface: Some(interface.name.clone()),
            source,
            class,
        }));
    }
    zones.extend(policy.networks.trusted_sources.iter().map(|source| Zone {
        interface: None,
        source: source.trunc(),
        class: NetworkClass::Trusted,
    }));
    zones.sort();
    zones.dedup();
    zones
}

/// A source network as the user writes it: `192.0.2.0/24`, or a single address.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_source(text: &str) -> Result<IpNet, String> {
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => text
            .parse::<IpAddr>()
            .map(IpNet::from)
            .map_err(|_plain| format!("'{text}' is no network: write 192.0.2.0/24, 2001:db8::/32 or an address"))?,
    };
    if let IpAddr::V6(ip) = net.addr()
        && let Some(mapped) = ip.to_ipv4_mapped()
    {
        return Err(format!(
            "'{text}' is written as IPv6 and means IPv4 {mapped}: write that"
        ));
    }
    if net.addr().is_loopback() {
        return Err(format!("'{text}' is this machine itself, which is never refused"));
    }
    Ok(net.trunc())
}

/// A source network that may be trusted: any but "everyone".
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_trusted_source(text: &str) -> Result<IpNet, String> {
    let net = parse_source(text)?;
    match net.prefix_len() {
        0 => Err(format!(
            "{net} is everyone: to let everyone in, decide 'open' on the service instead"
        )),
        _ => Ok(net),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bridge(name: &str) -> Interface {
        Interface {
            index: 3,
            name: name.into(),
            kind: InterfaceKind::Bridge,
            driver: Some("bridge".into()),
            addresses: Vec::new(),
            on_link: vec!["172.17.0.0/16".parse().unwrap()],
            is_up: true,
            has_default_route: false,
            has_physical_port: false,
            changing: Vec::new(),
        }
    }

    #[test]
    fn only_own_bridges_are_guests() {
        for name in ["docker0", "br-0123456789ab", "virbr0", "lxdbr0", "cni-podman0"] {
            assert_eq!(bridge(name).proposed_class(), NetworkClass::Guests, "{name}");
        }
        for name in ["br0", "vmbr0", "br-lan"] {
            assert_eq!(bridge(name).proposed_class(), NetworkClass::Public, "{name}");
        }
        let uplink = Interface {
            has_physical_port: true,
            ..bridge("virbr0")
        };
        assert_eq!(uplink.proposed_class(), NetworkClass::Public);
        let gateway = Interface {
            has_default_route: true,
            ..bridge("docker0")
        };
        assert_eq!(gateway.proposed_class(), NetworkClass::Public);
    }

    #[test]
    fn link_local_counts_once_and_only_with_ipv6() {
        let mut lan = bridge("docker0");
        lan.on_link.push("fe80::/64".parse().unwrap());
        lan.on_link.push("fd00:1::/64".parse().unwrap());
        let sources: Vec<String> = lan.neighbour_sources().iter().map(ToString::to_string).collect();
        assert_eq!(sources, ["172.17.0.0/16", "fd00:1::/64", "fe80::/10"]);
    }

    #[test]
    fn sources_are_read_leniently_and_checked() {
        assert_eq!(parse_source("192.0.2.7/24").unwrap().to_string(), "192.0.2.0/24");
        assert_eq!(parse_source("2001:db8::7").unwrap().to_string(), "2001:db8::7/128");
        assert!(parse_source("::ffff:192.0.2.1").unwrap_err().contains("IPv4"));
        assert!(parse_source("127.0.0.1").unwrap_err().contains("this machine"));
        assert!(parse_source("example").unwrap_err().contains("no network"));
        assert!(parse_trusted_source("::/0").unwrap_err().contains("everyone"));
        parse_trusted_source("192.0.2.0/24").unwrap();
    }

    #[test]
    fn interface_names_that_rules_would_misread_are_refused() {
        for name in [
            "",
            "eth+",
            "a b",
            "sixteen-letters-",
            "!eth0",
            "a/b",
            "a\"b",
            "\u{1b}[2J",
        ] {
            assert!(!is_interface_name(name), "{name:?}");
        }
        assert!(is_interface_name("eth0.100"));
        assert!(is_interface_name("wg-home"));
    }
}
