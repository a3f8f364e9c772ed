//! nerdctl: `names/NAMESPACE/NAME` holds an id, `etchosts/NAMESPACE/ID/meta.json` the addresses, and
//! `containers/NAMESPACE/ID/network-config.json` (from 2.1 on) the ports; below a folder for each
//! containerd.

use super::{BTreeMap, Container, Deserialize, Files, IpAddr, Protocol, Tool, is_id, name, published_on};

const DATA: &str = "var/lib/nerdctl";

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Meta {
    networks: Option<BTreeMap<String, Option<Network>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Network {
    ips: Option<Vec<Address>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Address {
    address: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NetworkConfig {
    #[serde(rename = "portMappings")]
    port_mappings: Option<Vec<Mapping>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Mapping {
    #[serde(rename = "HostPort")]
    host_port: u16,
    #[serde(rename = "Protocol")]
    protocol: String,
    #[serde(rename = "HostIP")]
    host_ip: String,
}

pub(super) fn containers(files: &mut Files<'_>) -> Vec<Container> {
    let mut found = Vec::new();
    for (_, store) in files.list(&files.path(DATA)) {
        for (namespace, folder) in files.list(&store.join("names")) {
            for (file, path) in files.list(&folder) {
                let id = files.text(&path).unwrap_or_default().trim().to_owned();
                let Some(name) = name(&file).filter(|_| is_id(&id)) else {
                    continue;
                };
                let at = |kind: &str| store.join(kind).join(&namespace).join(&id);
                let meta: Meta = files.json(&at("etchosts").join("meta.json")).unwrap_or_default();
                let config = files.json(&at("containers").join("network-config.json"));
                found.push(Container {
                    engine: Tool::Nerdctl,
                    name,
                    id,
                    addresses: addresses(meta),
                    published: published(config.unwrap_or_default()),
                });
            }
        }
    }
    found
}

fn addresses(meta: Meta) -> Vec<IpAddr> {
    let networks = meta.networks.unwrap_or_default().into_values().flatten();
    let all = networks.flat_map(|network| network.ips.unwrap_or_default());
    all.filter_map(|ip| ip.address.split('/').next()?.parse().ok())
        .collect()
}

fn published(config: NetworkConfig) -> Vec<(Protocol, u16, Option<IpAddr>)> {
    let mappings = config.port_mappings.unwrap_or_default().into_iter();
    let known = mappings.filter_map(|mapping| {
        let protocol = mapping.protocol.to_ascii_lowercase().parse().ok()?;
        Some((protocol, mapping.host_port, published_on(&mapping.host_ip)))
    });
    known.collect()
}
