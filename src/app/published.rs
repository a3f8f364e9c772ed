//! Published ports among the services, with the names of the containers behind them.

use std::path::Path;
use std::sync::Arc;

use crate::core::netfilter::Netfilter;
use crate::core::network::World;
use crate::core::reach::{PublishedPort, published_ports};
use crate::core::service::{Service, with_published};
use crate::sys::containers::{Container, containers};

/// The services, with those that containers have behind published ports.
pub(super) fn add_published(services: Vec<Arc<Service>>, netfilter: &Netfilter, world: &World) -> Vec<Arc<Service>> {
    let ports = published_ports(netfilter, world);
    if ports.is_empty() {
        return services;
    }
    // The state of the engines is this machine's, whatever folder fwtui keeps its own in.
    let containers = containers(Path::new("/"));
    with_published(services, &ports, &|port| name(port, &containers))
}

/// The name of the container behind a port: told by its address, or by the rule's comment.
fn name(port: &PublishedPort, containers: &[Container]) -> Option<String> {
    let mentions = |container: &&Container| {
        let comment = port.comment.as_deref().unwrap_or_default();
        !container.id.is_empty() && comment.contains(&container.id)
    };
    let is_at = |container: &&Container| container.engine == port.by && container.addresses.contains(&port.to.ip());
    containers
        .iter()
        .find(mentions)
        .or_else(|| containers.iter().find(is_at))
        .map(|container| container.name.clone())
}
