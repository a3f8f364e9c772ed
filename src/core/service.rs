//! Services: the listeners that belong together, and the ids decisions are made on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::listener::{Listener, Owner, Protocol};

mod group;
mod published;

pub use group::group;
pub use published::{Published, PublishedJson, with_published};

/// One port or a range of ports, both ends included, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// All ports.
    pub const ALL: Self = Self {
        first: 1,
        last: u16::MAX,
    };

    /// The range from `first` to `last`; none for port 0 or an empty range.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        (first != 0 && first <= last).then_some(Self { first, last })
    }

    /// A single port; none for port 0.
    pub fn single(port: u16) -> Option<Self> {
        Self::new(port, port)
    }

    /// The lowest port.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Whether this is one port only.
    pub const fn is_single(self) -> bool {
        self.first == self.last
    }

    /// How many ports there are.
    pub fn count(self) -> u32 {
        u32::from(self.last) - u32::from(self.first) + 1
    }

    /// The ports as a range.
    pub const fn range(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// Whether every port of `other` is among these.
    pub const fn contains(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether the port is among these.
    pub const fn contains_port(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// The ports that are in both.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }
}

/// A local address with the zone a link-local address needs: `fe80::1%virbr0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalAddress {
    /// The address.
    pub ip: IpAddr,
    /// The interface, for link-local addresses.
    pub zone: Option<String>,
}

/// What a decision is made on: `5432/tcp`, `60000-61000/udp`, `192.168.122.1:53/udp`,
/// `[fe80::1%virbr0]:53/udp`. Made of addresses only, so it is the same without root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceId {
    /// The port or ports.
    pub ports: Ports,
    /// The protocol.
    pub protocol: Protocol,
    /// The destination the decision is limited to; none means any.
    pub address: Option<LocalAddress>,
}

impl ServiceId {
    /// The id of a port on any address; none for port 0.
    pub fn port(port: u16, protocol: Protocol) -> Option<Self> {
        Ports::single(port).map(|ports| Self {
            ports,
            protocol,
            address: None,
        })
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            None => {}
            Some(LocalAddress { ip: IpAddr::V4(ip), .. }) => write!(f, "{ip}:")?,
            Some(LocalAddress { ip, zone: None }) => write!(f, "[{ip}]:")?,
            Some(LocalAddress { ip, zone: Some(zone) }) => write!(f, "[{ip}%{zone}]:")?,
        }
        match self.ports.is_single() {
            true => write!(f, "{}/{}", self.ports.first, self.protocol),
            false => write!(f, "{}-{}/{}", self.ports.first, self.ports.last, self.protocol),
        }
    }
}

impl From<ServiceId> for String {
    fn from(id: ServiceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for ServiceId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for ServiceId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (place, protocol) = text
            .rsplit_once('/')
            .ok_or_else(|| format!("'{text}' names no protocol: write it like 5432/tcp"))?;
        let protocol = protocol.parse()?;
        let (address, ports) = match place.rsplit_once(':') {
            Some((address, ports)) => (Some(parse_address(address).and_then(refuse_unspecified)?), ports),
            None => (None, place),
        };
        Ok(Self {
            ports: parse_ports(ports)?,
            protocol,
            address,
        })
    }
}

fn parse_ports(text: &str) -> Result<Ports, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |word: &str| {
        let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| word.parse::<u16>().ok().filter(|port| *port != 0))
            .flatten()
            .ok_or_else(|| format!("'{word}' is no port: ports go from 1 to 65535"))
    };
    let (first, last) = (port(first)?, port(last)?);
    Ports::new(first, last).ok_or_else(|| format!("the range {first}-{last} runs backwards"))
}

/// `ss` prints `0.0.0.0:443` and `[::]:443` for "every address", which no rule has as destination.
fn refuse_unspecified(address: LocalAddress) -> Result<LocalAddress, String> {
    match address.ip.is_unspecified() {
        true => Err(format!(
            "{} means every address: leave it out, as in 443/tcp",
            address.ip
        )),
        false => Ok(address),
    }
}

fn parse_address(text: &str) -> Result<LocalAddress, String> {
    let wrong = || format!("'{text}' is no local address: write 192.0.2.1:53/udp or [fe80::1%eth0]:53/udp");
    let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        let ip = text.parse::<std::net::Ipv4Addr>().map_err(|_plain| wrong())?;
        return Ok(LocalAddress {
            ip: IpAddr::V4(ip),
            zone: None,
        });
    };
    let (ip, zone) = match inner.split_once('%') {
        Some((ip, zone)) if crate::core::network::is_interface_name(zone) => (ip, Some(zone.to_owned())),
        Some(_) => return Err(wrong()),
        None => (inner, None),
    };
    let ip = ip.parse::<std::net::Ipv6Addr>().map_err(|_plain| wrong())?;
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return Err(format!("{ip} is the IPv4 address {mapped}: write that"));
    }
    Ok(LocalAddress {
        ip: IpAddr::V6(ip),
        zone,
    })
}

/// What the socket itself allows, before any rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoundTo {
    /// Every address of this machine.
    All,
    /// 127.0.0.0/8 or `::1` only.
    Loopback,
    /// One address.
    Address(IpAddr),
    /// One interface (`SO_BINDTODEVICE`).
    Interface(String),
}

impl BoundTo {
    /// The word in JSON: `all`, `loopback`, `address`, `interface`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Loopback => "loopback",
            Self::Address(_) => "address",
            Self::Interface(_) => "interface",
        }
    }
}

impl fmt::Display for BoundTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All | Self::Loopback => f.write_str(self.word()),
            Self::Address(address) => write!(f, "{address}"),
            Self::Interface(name) => f.write_str(name),
        }
    }
}

/// The listeners that belong together, as one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What decisions name.
    pub id: ServiceId,
    /// The owner's name; the unit's where no process could be seen; empty where neither is known.
    pub name: String,
    /// What the sockets allow.
    pub bound_to: BoundTo,
    /// The sockets; empty for a decision on a port where nothing listens (yet).
    pub listeners: Vec<Listener>,
    /// The processes that hold them; empty while unknown and for the kernel's own sockets.
    pub owners: Vec<Arc<Owner>>,
    /// Whether nobody has looked who holds them: the search was stopped.
    pub is_unsought: bool,
    /// The systemd unit the sockets were made in (it may differ from the owner's: socket activation).
    pub unit: Option<String>,
    /// Further ports folded into this row: unconnected UDP sockets in the ephemeral range, mostly
    /// clients waiting for answers.
    pub folded: Vec<ServiceId>,
    /// Where packets for it are sent on to: a container's published port. It may have listeners, too
    /// (a proxy's), or none.
    pub published: Option<Published>,
}

impl Service {
    /// A row for a decision on a port where nothing listens.
    pub fn absent(id: ServiceId) -> Self {
        let bound_to = match &id.address {
            Some(address) => BoundTo::Address(address.ip),
            None => BoundTo::All,
        };
        Self {
            id,
            name: String::new(),
            bound_to,
            listeners: Vec::new(),
            owners: Vec::new(),
            is_unsought: false,
            unit: None,
            folded: Vec::new(),
            published: None,
        }
    }

    /// Whether there is anything to reach: a socket, or a container behind a published port.
    pub fn is_there(&self) -> bool {
        !self.listeners.is_empty() || self.published.is_some()
    }

    /// Whether nobody was found who holds the sockets. Where root has looked, they belong to the
    /// kernel itself (WireGuard, VXLAN, NFS) or are being handed over.
    pub fn is_ownerless(&self) -> bool {
        !self.listeners.is_empty() && self.owners.is_empty() && !self.is_unsought
    }
}

/// What is known about who holds the sockets. Empty at first paint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Socket inode to the processes that hold it, each list sorted by process id.
    pub by_inode: BTreeMap<u32, Vec<Arc<Owner>>>,
    /// Cgroup id to systemd unit or container name.
    pub units: BTreeMap<u64, String>,
    /// The inodes of sockets nobody has looked for: the search was stopped.
    pub unsought: BTreeSet<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_written() {
        for text in [
            "5432/tcp",
            "60000-61000/udp",
            "192.168.122.1:53/udp",
            "[fe80::1%virbr0]:53/udp",
            "[::1]:53/tcp",
        ] {
            let id: ServiceId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn wrong_ids_say_why() {
        for (text, why) in [
            ("5432", "no protocol"),
            ("0/tcp", "1 to 65535"),
            ("70000/tcp", "1 to 65535"),
            ("+5/tcp", "1 to 65535"),
            ("/tcp", "1 to 65535"),
            ("90-80/tcp", "backwards"),
            ("80/icmp", "unknown protocol"),
            ("localhost:80/tcp", "no local address"),
            ("[fe80::1%a b]:80/tcp", "no local address"),
            ("::1:80/tcp", "no local address"),
            ("0.0.0.0:80/tcp", "every address"),
            ("[::]:80/tcp", "every address"),
            ("[::ffff:192.0.2.1]:80/tcp", "IPv4 address"),
        ] {
            let error = text.parse::<ServiceId>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
