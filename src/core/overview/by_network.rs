//! How those on each network fare at a service, now and after applying.

use std::fmt;
use std::net::IpAddr;

use crate::core::listener::Family;
use crate::core::network::NetworkClass;
use crate::core::reach::{DecidedBy, Fares, Fate, Judge, Who};
use crate::core::service::Service;

/// How some peers fare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fared {
    /// How it ends for them.
    pub fate: Fate,
    /// Who decides.
    pub decided_by: DecidedBy,
    /// The address of the one who stands for them.
    pub from: IpAddr,
    /// Where on this machine he knocks.
    pub to: IpAddr,
}

/// How those on one network fare at a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkReach {
    /// The interface they come in by.
    pub interface: String,
    /// Its class.
    pub class: NetworkClass,
    /// The family.
    pub family: Family,
    /// Who they are.
    pub who: Who,
    /// How they fare now.
    pub now: Fared,
    /// How they will.
    pub after: Fared,
}

impl From<&Fares<'_>> for Fared {
    fn from(fares: &Fares<'_>) -> Self {
        Self {
            fate: fares.walk.fate,
            decided_by: DecidedBy::from(&fares.walk.decided_by),
            from: fares.from,
            to: fares.to,
        }
    }
}

impl fmt::Display for NetworkReach {
    /// `neighbours on eth0 (IPv4)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who {
            Who::ThisMachine => write!(f, "this machine ({})", self.family),
            who @ (Who::Neighbours | Who::Strangers | Who::Named) => {
                write!(f, "{} on {} ({})", who.words(), self.interface, self.family)
            }
        }
    }
}

/// How every network fares at a service; the rules tell the same peers apart before and after, but for
/// those a decision names.
pub fn by_network(service: &Service, now: &Judge<'_>, after: &Judge<'_>) -> Vec<NetworkReach> {
    let before = now.by_network(service);
    let find = |fares: &Fares<'_>| {
        before
            .iter()
            .find(|other| (other.interface, other.family, other.who) == (fares.interface, fares.family, fares.who))
            .map(Fared::from)
    };
    let after = after.by_network(service);
    let reach = after.iter().filter_map(|fares| {
        Some(NetworkReach {
            interface: fares.interface.to_owned(),
            class: fares.class,
            family: fares.family,
            who: fares.who,
            now: find(fares)?,
            after: Fared::from(fares),
        })
    });
    reach.collect()
}
