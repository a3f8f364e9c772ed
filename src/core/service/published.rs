//! Ports that a container engine, or the admin, publishes: packets for them are sent on to another
//! address.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;

use crate::core::listener::Family;
use crate::core::netfilter::Tool;
use crate::core::reach::PublishedPort;
use crate::core::service::{BoundTo, LocalAddress, Service, ServiceId};

/// Where packets for a published port are sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    /// To where; of a range of ports the first.
    pub to: SocketAddr,
    /// By whose rule.
    pub by: Tool,
    /// The container's name, where its engine's state could be read.
    pub container: Option<String>,
    /// In which families.
    pub families: Vec<Family>,
}

/// The same in JSON.
#[derive(Debug, Serialize)]
pub struct PublishedJson<'a> {
    to: SocketAddr,
    by: &'static str,
    container: Option<&'a str>,
}

impl<'a> From<&'a Published> for PublishedJson<'a> {
    fn from(published: &'a Published) -> Self {
        Self {
            to: published.to,
            by: published.by.word(),
            container: published.container.as_deref(),
        }
    }
}

/// The services, with a row for everything that is published. A published port that a proxy of the
/// engine listens on as well is one row. `name` knows the container behind a port.
pub fn with_published(
    mut services: Vec<Arc<Service>>,
    ports: &[PublishedPort],
    name: &dyn Fn(&PublishedPort) -> Option<String>,
) -> Vec<Arc<Service>> {
    for port in ports {
        let container = name(port);
        let family = Family::of(port.to.ip());
        let published = Published {
            to: port.to,
            by: port.by,
            container,
            families: vec![family],
        };
        if let Some(service) = services.iter_mut().find(|service| is_of(service, port)) {
            add(Arc::make_mut(service), published);
        } else {
            let is_taken = services.iter().any(|service| is_same_port(&service.id, port));
            services.push(Arc::new(row(port, published, is_taken)));
        }
    }
    services.sort_by(|a, b| a.id.cmp(&b.id));
    services
}

fn is_same_port(id: &ServiceId, port: &PublishedPort) -> bool {
    (id.protocol, id.ports) == (port.protocol, port.ports)
}

/// Whether a row is about the port at the address it is published on.
fn is_of(service: &Service, port: &PublishedPort) -> bool {
    let at = match (&service.id.address, &service.bound_to) {
        (Some(address), _) => BoundTo::Address(address.ip),
        (None, bound) => bound.clone(),
    };
    is_same_port(&service.id, port) && at == bound_to(port)
}

fn bound_to(port: &PublishedPort) -> BoundTo {
    match port.address {
        None => BoundTo::All,
        Some(address) if address.is_loopback() => BoundTo::Loopback,
        Some(address) => BoundTo::Address(address),
    }
}

fn add(service: &mut Service, published: Published) {
    match &mut service.published {
        Some(before) => {
            before.families.extend(published.families);
            before.families.sort_unstable();
            before.families.dedup();
            before.container = before.container.take().or(published.container);
        }
        None => service.published = Some(published),
    }
    service.name = named(service);
}

fn row(port: &PublishedPort, published: Published, is_taken: bool) -> Service {
    let address = port
        .address
        .filter(|_| is_taken)
        .map(|ip: IpAddr| LocalAddress { ip, zone: None });
    let id = ServiceId {
        ports: port.ports,
        protocol: port.protocol,
        address,
    };
    let mut service = Service {
        bound_to: bound_to(port),
        published: Some(published),
        ..Service::absent(id)
    };
    service.name = named(&service);
    service
}

/// `docker: web`, `docker`, or where it is sent to.
fn named(service: &Service) -> String {
    match &service.published {
        Some(Published {
            by,
            container: Some(container),
            ..
        }) => format!("{by}: {container}"),
        Some(Published {
            by: Tool::Admin | Tool::Unknown,
            to,
            ..
        }) => format!("to {to}"),
        Some(Published { by, .. }) => by.to_string(),
        None => service.name.clone(),
    }
}
