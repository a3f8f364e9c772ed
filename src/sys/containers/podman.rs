//! Podman: names in `DRIVER-containers/containers.json` of the storage, addresses in the `hosts` that
//! a running container is given. Ports are in a database and are not read; the rules' comments carry
//! the id.

use std::path::Path;

use super::{Container, Deserialize, Files, IpAddr, Tool, is_id, name};

/// Where the storage is, and what of it lasts until the next boot.
const GRAPH: &str = "var/lib/containers/storage";
const RUN: &str = "run/containers/storage";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    id: String,
    names: Option<Vec<String>>,
}

pub(super) fn containers(files: &mut Files<'_>) -> Vec<Container> {
    let mut found = Vec::new();
    for (folder, path) in files.list(&files.path(GRAPH)) {
        if !folder.ends_with("-containers") {
            continue;
        }
        let entries: Vec<Entry> = files.json(&path.join("containers.json")).unwrap_or_default();
        for entry in entries {
            let names = entry.names.unwrap_or_default();
            let Some(name) = names.first().and_then(|first| name(first)).filter(|_| is_id(&entry.id)) else {
                continue;
            };
            // Only a running container has one.
            let hosts = files.path(Path::new(RUN).join(&folder).join(&entry.id).join("userdata/hosts"));
            let Some(hosts) = files.text(&hosts) else {
                continue;
            };
            found.push(Container {
                engine: Tool::Podman,
                addresses: own_addresses(&hosts, &entry.id),
                name,
                id: entry.id,
                published: Vec::new(),
            });
        }
    }
    found
}

/// The addresses on the lines that name the container by the beginning of its id.
fn own_addresses(hosts: &str, id: &str) -> Vec<IpAddr> {
    let short = id.get(..12).unwrap_or(id);
    let own = hosts.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word == short).then_some(address)
    });
    own.collect()
}
