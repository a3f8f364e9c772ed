//! Listeners into services.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::core::listener::{Listener, Owner, Protocol};
use crate::core::service::{BoundTo, LocalAddress, Ownership, Ports, Service, ServiceId};

/// Which listeners of one port form a row. Made of addresses only: the owner must not matter, or
/// the ids would change with the privileges of who looks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The wildcard addresses of both families.
    Everywhere,
    /// A socket bound to an interface.
    Interface(String),
    /// 127.0.0.1 and `::1`.
    Localhost,
    /// One address, with the zone where it is link-local.
    Address(IpAddr, Option<String>),
}

impl Place {
    fn of(listener: &Listener) -> Self {
        let interface = listener.interface.clone();
        if listener.address.is_unspecified() {
            return interface.map_or(Self::Everywhere, Self::Interface);
        }
        match listener.address {
            IpAddr::V4(Ipv4Addr::LOCALHOST) => Self::Localhost,
            IpAddr::V6(ip) if ip.is_loopback() => Self::Localhost,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Self::Address(ip.into(), interface),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => Self::Address(ip, None),
        }
    }

    const fn has_no_address(&self) -> bool {
        matches!(self, Self::Everywhere | Self::Interface(_))
    }

    fn bound_to(&self) -> BoundTo {
        match self {
            Self::Everywhere => BoundTo::All,
            Self::Interface(name) => BoundTo::Interface(name.clone()),
            Self::Localhost => BoundTo::Loopback,
            Self::Address(ip, _) if ip.is_loopback() => BoundTo::Loopback,
            Self::Address(ip, _) => BoundTo::Address(*ip),
        }
    }

    /// The address that tells this row from others on the same port.
    fn address(&self, listeners: &[Listener]) -> Option<LocalAddress> {
        match self {
            // A destination cannot tell these from each other, so they are one row's worth of id.
            Self::Everywhere | Self::Interface(_) => None,
            Self::Localhost => listeners
                .iter()
                .map(|listener| listener.address)
                .min()
                .map(|ip| LocalAddress { ip, zone: None }),
            Self::Address(ip, zone) => Some(LocalAddress {
                ip: *ip,
                zone: zone.clone(),
            }),
        }
    }
}

/// Groups listeners into services, sorted by port, protocol and address.
///
/// IPv4 and IPv6 of one port are one row. A port used on several addresses gives a row for each,
/// whose id carries the address; the wildcard row keeps the plain id. Unconnected UDP sockets in
/// `ephemeral` (the kernel's `ip_local_port_range`) fold into one row per user and cgroup, unless
/// `keep` says that a decision names them.
pub fn group(
    listeners: &[Listener],
    ownership: &Ownership,
    ephemeral: Ports,
    keep: &dyn Fn(&ServiceId) -> bool,
) -> Vec<Arc<Service>> {
    let mut placed: Vec<(Place, &Listener)> = listeners
        .iter()
        .filter(|listener| listener.port != 0)
        .map(|listener| (Place::of(listener), listener))
        .collect();
    placed.sort_unstable_by(|(place_a, a), (place_b, b)| {
        (a.port, a.protocol, place_a, a).cmp(&(b.port, b.protocol, place_b, b))
    });
    placed.dedup();
    let mut services = Vec::new();
    for port in placed.chunk_by(|(_, a), (_, b)| (a.port, a.protocol) == (b.port, b.protocol)) {
        services.extend(services_of_port(port, ownership));
    }
    // Before owners are known everything may be a client; later, what nobody holds is the kernel's.
    let knows_owners = !ownership.by_inode.is_empty();
    let is_kernels = |service: &Service| knows_owners && service.is_ownerless();
    let may_fold = |service: &Service| !is_kernels(service) && !keep(&service.id);
    fold_ephemeral(services, ephemeral, &may_fold)
        .into_iter()
        .map(Arc::new)
        .collect()
}

/// The rows of one port, whose listeners are sorted by place.
fn services_of_port(port: &[(Place, &Listener)], ownership: &Ownership) -> Vec<Service> {
    // Wildcard sockets and those bound to interfaces cannot be told apart by destination, so they
    // share an id, and with it a row; they come first.
    let shares_row = |a: &Place, b: &Place| a == b || (a.has_no_address() && b.has_no_address());
    let places: Vec<&[(Place, &Listener)]> = port.chunk_by(|(a, _), (b, _)| shares_row(a, b)).collect();
    let is_alone = places.len() == 1;
    places
        .into_iter()
        .filter_map(|members| {
            let (place, first) = members.first()?;
            let is_one_interface = members.iter().all(|(other, _)| other == place);
            let bound_to = if is_one_interface {
                place.bound_to()
            } else {
                BoundTo::All
            };
            let listeners: Vec<Listener> = members.iter().map(|(_, listener)| (*listener).clone()).collect();
            let mut id = ServiceId::port(first.port, first.protocol)?;
            if !is_alone {
                id.address = place.address(&listeners);
            }
            Some(service(id, bound_to, listeners, ownership))
        })
        .collect()
}

fn service(id: ServiceId, bound_to: BoundTo, listeners: Vec<Listener>, ownership: &Ownership) -> Service {
    let mut owners: Vec<Arc<Owner>> = listeners
        .iter()
        .filter_map(|listener| ownership.by_inode.get(&listener.inode))
        .flatten()
        .cloned()
        .collect();
    owners.sort();
    owners.dedup();
    let unit = listeners
        .iter()
        .filter_map(|listener| listener.cgroup)
        .find_map(|id| ownership.units.get(&id))
        .cloned();
    let name = name_of(&owners, unit.as_deref());
    let is_unsought = |listener: &Listener| ownership.unsought.contains(&listener.inode);
    Service {
        id,
        name,
        bound_to,
        is_unsought: owners.is_empty() && listeners.iter().any(is_unsought),
        listeners,
        owners,
        unit,
        folded: Vec::new(),
        published: None,
    }
}

/// The owners' names, or what the unit's name says where no process can be seen.
fn name_of(owners: &[Arc<Owner>], unit: Option<&str>) -> String {
    let mut names: Vec<&str> = owners.iter().map(|owner| owner.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    match (names.as_slice(), unit) {
        ([], Some(unit)) => {
            let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
            stem.split('@').next().unwrap_or(stem).to_owned()
        }
        (names, _) => names.join(", "),
    }
}

/// Folds the clients' sockets of each user and cgroup into their lowest port's row.
fn fold_ephemeral(services: Vec<Service>, ephemeral: Ports, may_fold: &dyn Fn(&Service) -> bool) -> Vec<Service> {
    let mut kept: Vec<Service> = Vec::with_capacity(services.len());
    let mut first_of: BTreeMap<(u32, Option<u64>, Protocol, BoundTo), usize> = BTreeMap::new();
    for service in services {
        let is_client =
            service.id.protocol != Protocol::Tcp && ephemeral.contains(service.id.ports) && may_fold(&service);
        let Some(listener) = service.listeners.first().filter(|_| is_client) else {
            kept.push(service);
            continue;
        };
        let owner = (
            listener.uid,
            listener.cgroup,
            service.id.protocol,
            service.bound_to.clone(),
        );
        match first_of.get(&owner).and_then(|index| kept.get_mut(*index)) {
            None => {
                first_of.insert(owner, kept.len());
                kept.push(service);
            }
            Some(first) => {
                first.folded.push(service.id);
                first.listeners.extend(service.listeners);
                first.owners.extend(service.owners);
                first.owners.sort();
                first.owners.dedup();
                first.name = name_of(&first.owners, first.unit.as_deref());
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(address: &str, port: u16, protocol: Protocol) -> Listener {
        Listener {
            protocol,
            address: address.parse().unwrap(),
            port,
            v6only: false,
            interface: None,
            inode: u32::from(port),
            uid: 0,
            cgroup: Some(1),
        }
    }

    fn ids(listeners: &[Listener]) -> Vec<String> {
        let ephemeral = Ports::new(32768, 60999).unwrap();
        group(listeners, &Ownership::default(), ephemeral, &|_| false)
            .iter()
            .map(|service| service.id.to_string())
            .collect()
    }

    #[test]
    fn both_families_are_one_row() {
        assert_eq!(
            ids(&[
                listener("0.0.0.0", 22, Protocol::Tcp),
                listener("::", 22, Protocol::Tcp)
            ]),
            ["22/tcp"]
        );
        assert_eq!(
            ids(&[
                listener("127.0.0.1", 631, Protocol::Tcp),
                listener("::1", 631, Protocol::Tcp)
            ]),
            ["631/tcp"]
        );
    }

    #[test]
    fn a_port_on_several_addresses_is_several_rows() {
        let rows = ids(&[
            listener("127.0.0.53", 53, Protocol::Udp),
            listener("192.168.122.1", 53, Protocol::Udp),
            listener("0.0.0.0", 53, Protocol::Udp),
        ]);
        assert_eq!(rows, ["53/udp", "127.0.0.53:53/udp", "192.168.122.1:53/udp"]);
    }

    #[test]
    fn link_local_ids_carry_the_zone() {
        let mut zoned = listener("fe80::1", 53, Protocol::Udp);
        zoned.interface = Some("virbr0".into());
        assert_eq!(ids(&[zoned.clone()]), ["53/udp"]);
        assert_eq!(
            ids(&[zoned, listener("::1", 53, Protocol::Udp)]),
            ["[::1]:53/udp", "[fe80::1%virbr0]:53/udp"]
        );
    }

    #[test]
    fn sockets_bound_to_interfaces_share_the_plain_id() {
        let mut bound = listener("0.0.0.0", 67, Protocol::Udp);
        bound.interface = Some("virbr0".into());
        assert_eq!(ids(&[bound.clone()]), ["67/udp"]);
        assert_eq!(ids(&[bound, listener("0.0.0.0", 67, Protocol::Udp)]), ["67/udp"]);
    }

    #[test]
    fn clients_sockets_fold_unless_decided() {
        let sockets = [
            listener("0.0.0.0", 40001, Protocol::Udp),
            listener("0.0.0.0", 40002, Protocol::Udp),
            listener("0.0.0.0", 40003, Protocol::Tcp),
        ];
        assert_eq!(ids(&sockets), ["40001/udp", "40003/tcp"]);
        let ephemeral = Ports::new(32768, 60999).unwrap();
        let services = group(&sockets, &Ownership::default(), ephemeral, &|id| {
            id.ports.contains_port(40002)
        });
        assert_eq!(services.len(), 3);
        let folded = group(&sockets, &Ownership::default(), ephemeral, &|_| false);
        assert_eq!(folded[0].folded.len(), 1);
    }
}
