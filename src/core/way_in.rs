//! The ways in that the user's own session depends on.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::core::listener::{Family, Protocol};
use crate::core::policy::Policy;
use crate::core::reach::{DecidedBy, Fate, Judge};
use crate::core::ruleset::{Own, Packet, Ruleset, Slot, Verdict};
use crate::core::service::{LocalAddress, ServiceId};

/// What kind of way in it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// The user's SSH connection.
    Ssh,
    /// A mosh session's UDP port.
    Mosh,
    /// The outer port of the tunnel whose interface the session comes in by.
    Tunnel(String),
    /// A connection to another program that the session runs under: its name.
    Other(String),
}

/// How a way in stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A new connection gets in.
    Kept,
    /// fwtui's own rules would refuse it.
    Refused,
    /// What answers it is stopped with this unit of systemd's.
    Stopped(String),
    /// Another tool's rules would.
    KeptOut(DecidedBy),
    /// It can't be told, because of this.
    Unproven(DecidedBy),
}

/// A way in: something that must still work for a new session to get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayIn {
    /// What it is.
    pub carrier: Carrier,
    /// Its protocol.
    pub protocol: Protocol,
    /// The local port.
    pub port: u16,
    /// The peer; none where it is not known, and then everyone must be let in.
    pub peer: Option<IpAddr>,
    /// The local address.
    pub local: Option<IpAddr>,
    /// The interface packets from the peer come in by.
    pub interface: Option<String>,
}

impl WayIn {
    /// The service it uses; none for port 0.
    pub fn service(&self) -> Option<ServiceId> {
        ServiceId::port(self.port, self.protocol)
    }

    /// The id to decide on to let it in: that of the entry for its very address where there is one,
    /// which holds whatever is decided on the port alone; else the port's own, which is narrower
    /// than any range.
    pub fn service_under(&self, policy: &Policy) -> Option<ServiceId> {
        let plain = self.service()?;
        let zones = [None, self.interface.clone()];
        let ids = zones.into_iter().filter_map(|zone| {
            let ip = self.local?;
            let address = Some(LocalAddress { ip, zone });
            Some(ServiceId {
                address,
                ..plain.clone()
            })
        });
        let mut entries = ids.filter_map(|id| policy.entry_for(&id).map(|(id, _)| id.clone()));
        Some(entries.find(|id| id.address.is_some()).unwrap_or(plain))
    }

    /// Whether a *new* connection of this kind would get through the rules in every family it may use.
    pub fn is_let_in(&self, rules: &Ruleset) -> bool {
        let families: Vec<Family> = match self.peer {
            Some(peer) => vec![Family::of(peer)],
            None => Family::ALL.to_vec(),
        };
        families.into_iter().all(|family| {
            let own = Own::wanted(Slot::A, rules.family(family).clone());
            own.verdict(&self.packet(family)) == Verdict::Pass
        })
    }

    /// How a new connection of this kind would stand with what is to be loaded, among the rules of
    /// everyone else. Of a peer that is not known only fwtui's own rules are asked: what others do
    /// with him is not changed by this.
    pub fn standing(&self, rules: &Ruleset, after: &Judge<'_>) -> Standing {
        if !self.is_let_in(rules) {
            return Standing::Refused;
        }
        let Some(peer) = self.peer else {
            return Standing::Kept;
        };
        let (interface, local) = (self.interface.as_deref(), self.local);
        match after.knock(interface, peer, local, self.protocol, self.port) {
            // Where it is not known by which interface he comes in, only fwtui's own rules can be asked.
            None | Some((Fate::Accepted, _)) => Standing::Kept,
            Some((Fate::Unknown { may_arrive: true }, by)) => Standing::Unproven(by),
            Some((_, by)) => Standing::KeptOut(by),
        }
    }

    fn packet(&self, family: Family) -> Packet<'_> {
        // Documentation addresses stand for "anyone" (RFC 5737, RFC 3849).
        let anyone: IpAddr = match family {
            Family::Ipv4 => IpAddr::from([203, 0, 113, 77]),
            Family::Ipv6 => IpAddr::from([0x2001, 0xdb8, 0x77, 0, 0, 0, 0, 0x77]),
        };
        Packet::opening(
            self.interface.as_deref().unwrap_or_default(),
            self.peer.unwrap_or(anyone),
            self.local
                .filter(|local| Family::of(*local) == family)
                .unwrap_or(anyone),
            self.protocol,
            self.port,
        )
    }
}

impl fmt::Display for WayIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.carrier {
            Carrier::Ssh => f.write_str("your own SSH connection")?,
            Carrier::Mosh => f.write_str("your own mosh session")?,
            Carrier::Other(program) => write!(f, "your own connection to {program}")?,
            Carrier::Tunnel(interface) => write!(f, "the tunnel {interface} your session comes in by")?,
        }
        if let Some(peer) = self.peer {
            write!(f, " from {peer}")?;
        }
        write!(f, " to {}/{}", self.port, self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::{Decision, Entry};

    #[test]
    fn the_entry_that_decides_is_the_one_to_change() {
        let mut policy = Policy::default();
        for (id, decision) in [
            ("1-1024/tcp", Decision::Confine),
            ("192.0.2.1:22/tcp", Decision::Confine),
            ("[fe80::1%eth1]:22/tcp", Decision::Confine),
        ] {
            let from = Vec::new();
            policy.decide(id.parse().unwrap(), Entry { decision, from }).unwrap();
        }
        for (local, expected) in [
            (Some("192.0.2.1"), "192.0.2.1:22/tcp"),
            (Some("192.0.2.2"), "22/tcp"),
            (Some("fe80::1"), "[fe80::1%eth1]:22/tcp"),
            (None, "22/tcp"),
        ] {
            let way_in = WayIn {
                carrier: Carrier::Ssh,
                protocol: Protocol::Tcp,
                port: 22,
                peer: None,
                local: local.map(|local| local.parse().unwrap()),
                interface: Some("eth1".into()),
            };
            let service = way_in.service_under(&policy).unwrap();
            assert_eq!(service.to_string(), expected, "{local:?}");
        }
    }
}
