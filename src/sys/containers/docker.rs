//! Docker: `containers/ID/config.v2.json` and `hostconfig.json` in its data folder.

use std::path::PathBuf;

use super::{BTreeMap, Container, Deserialize, Files, IpAddr, Protocol, Tool, is_id, name, published_on};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Daemon {
    #[serde(rename = "data-root")]
    data_root: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    name: String,
    state: State,
    network_settings: NetworkSettings,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct State {
    running: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkSettings {
    ports: Option<Ports>,
    networks: Option<BTreeMap<String, Option<Network>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Network {
    #[serde(rename = "IPAddress")]
    ipv4: String,
    #[serde(rename = "GlobalIPv6Address")]
    ipv6: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct HostConfig {
    port_bindings: Option<Ports>,
}

/// `80/tcp` to where it is published; null where it is only exposed.
type Ports = BTreeMap<String, Option<Vec<Binding>>>;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Binding {
    host_ip: String,
    host_port: String,
}

pub(super) fn containers(files: &mut Files<'_>) -> Vec<Container> {
    let daemon: Daemon = files.json(&files.path("etc/docker/daemon.json")).unwrap_or_default();
    let data = files.path(daemon.data_root.unwrap_or_else(|| "var/lib/docker".into()));
    let mut found = Vec::new();
    for (id, folder) in files.list(&data.join("containers")) {
        let Some(config) = files.json::<Config>(&folder.join("config.v2.json")) else {
            continue;
        };
        let Some(name) = name(&config.name).filter(|_| config.state.running && is_id(&id)) else {
            continue;
        };
        let ports = config.network_settings.ports.filter(|ports| !ports.is_empty());
        let ports = ports.or_else(|| files.json::<HostConfig>(&folder.join("hostconfig.json"))?.port_bindings);
        found.push(Container {
            engine: Tool::Docker,
            name,
            id,
            addresses: addresses(config.network_settings.networks.unwrap_or_default()),
            published: published(&ports.unwrap_or_default()),
        });
    }
    found
}

fn addresses(networks: BTreeMap<String, Option<Network>>) -> Vec<IpAddr> {
    let words = networks
        .into_values()
        .flatten()
        .flat_map(|network| [network.ipv4, network.ipv6]);
    words.filter_map(|word| word.parse().ok()).collect()
}

fn published(ports: &Ports) -> Vec<(Protocol, u16, Option<IpAddr>)> {
    let mut published = Vec::new();
    for (inside, bindings) in ports {
        let protocol = inside.split_once('/').map_or("tcp", |(_, protocol)| protocol);
        let Ok(protocol) = protocol.parse::<Protocol>() else {
            continue;
        };
        for binding in bindings.iter().flatten() {
            if let Ok(port) = binding.host_port.parse() {
                published.push((protocol, port, published_on(&binding.host_ip)));
            }
        }
    }
    // One line each for 0.0.0.0 and ::.
    published.sort_unstable();
    published.dedup();
    published
}
