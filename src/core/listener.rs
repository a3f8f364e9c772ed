//! One listening socket, and the processes that hold it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A transport protocol with ports: what fwtui lists, and all it ever refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP; a listener is a socket in state LISTEN.
    Tcp,
    /// UDP; a listener is an unconnected socket.
    Udp,
    /// UDP-Lite (RFC 3828), treated like UDP.
    UdpLite,
}

impl Protocol {
    /// Every protocol, in the order the screens use.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::UdpLite];

    /// The name in ids, rules and JSON: `tcp`, `udp`, `udplite`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::UdpLite => "udplite",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == word)
            .ok_or_else(|| format!("unknown protocol '{word}': use tcp, udp or udplite"))
    }
}

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// Both families.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// One listening socket as the kernel reports it (`inet_diag_msg` in `linux/inet_diag.h`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Listener {
    /// The transport protocol.
    pub protocol: Protocol,
    /// The local address; unspecified (`0.0.0.0`, `::`) means all.
    pub address: IpAddr,
    /// The local port, 1 to 65535.
    pub port: u16,
    /// `IPV6_V6ONLY`: an IPv6 wildcard socket without it also answers IPv4.
    pub v6only: bool,
    /// The interface the socket is bound to (`SO_BINDTODEVICE`, or a link-local address's zone).
    pub interface: Option<String>,
    /// The socket's inode. The kernel's own sockets (VXLAN, WireGuard) may have one, too.
    pub inode: u32,
    /// The user id that made the socket.
    pub uid: u32,
    /// The id of the cgroup (v2) the socket was made in: a hint, never updated by the kernel.
    pub cgroup: Option<u64>,
}

impl Listener {
    /// The families in which a peer can reach this socket.
    pub fn families(&self) -> &'static [Family] {
        match self.address {
            IpAddr::V4(_) => &[Family::Ipv4],
            IpAddr::V6(address) if address.is_unspecified() && !self.v6only => &Family::ALL,
            IpAddr::V6(_) => &[Family::Ipv6],
        }
    }
}

/// A process that holds a listening socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// The kernel's name for the process (`comm`), made printable.
    pub name: String,
    /// The path of its program, where it can be read.
    pub exe: Option<String>,
    /// The name of its user, or the number where there is none.
    pub user: Option<String>,
    /// The systemd unit (service, socket or scope) it runs in.
    pub unit: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dual_stack_wildcard_answers_both_families() {
        let mut listener = Listener {
            protocol: Protocol::Tcp,
            address: "::".parse().unwrap(),
            port: 80,
            v6only: false,
            interface: None,
            inode: 1,
            uid: 0,
            cgroup: None,
        };
        assert_eq!(listener.families(), Family::ALL);
        listener.v6only = true;
        assert_eq!(listener.families(), [Family::Ipv6]);
        listener.address = "0.0.0.0".parse().unwrap();
        assert_eq!(listener.families(), [Family::Ipv4]);
    }
}
