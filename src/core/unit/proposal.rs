//! What disabling a service comes to: which units, and what depends on them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::service::ServiceId;
use crate::core::unit::{Unit, Unstoppable, sorted};

/// The units whose end takes the network with it, and every way in.
const NETWORK: [&str; 20] = [
    "NetworkManager.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "networking.service",
    "network.service",
    "dhcpcd.service",
    "dhclient.service",
    "connman.service",
    "iwd.service",
    "wpa_supplicant.service",
    "wicked.service",
    "wickedd.service",
    "cloud-init.service",
    "tailscaled.service",
    "zerotier-one.service",
    "netbird.service",
    "nebula.service",
    "openvpn.service",
    "ipsec.service",
    "strongswan.service",
];

/// Whether the machine's own network goes with this unit.
pub fn carries_network(unit: &str) -> bool {
    let (stem, _) = unit.split_once('@').unwrap_or((unit, ""));
    NETWORK.contains(&unit)
        || [
            "ifup",
            "dhcpcd",
            "dhclient",
            "wpa_supplicant",
            "netctl",
            "wg-quick",
            "openvpn",
            "openvpn-client",
            "openvpn-server",
            "nebula",
            "tinc",
        ]
        .contains(&stem)
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

impl Unit {
    /// The units that must be known as well before this one is stopped.
    pub fn neighbours(&self) -> impl Iterator<Item = &String> {
        let part_of = self.part_of.iter().filter(|_| self.is_made_by_generator());
        let with = self.triggered_by.iter().chain(self.started_by_it());
        with.chain(part_of).chain(&self.needed_by)
    }

    /// Of a socket: the service that it starts. Where each connection has a process of its own, those
    /// that run belong to connections, and go on.
    fn started_by_it(&self) -> impl Iterator<Item = &String> {
        let is_socket = self.name.ends_with(".socket");
        self.triggers.iter().filter(move |_| is_socket && !self.accepts)
    }

    /// Whether a generator has enabled it, as Debian does with each cluster of PostgreSQL: what
    /// disables it then is disabling the unit that it is part of.
    fn is_made_by_generator(&self) -> bool {
        self.file == "enabled-runtime"
    }
}

/// The units to be stopped and disabled, so that this one neither runs nor comes back: with its
/// sockets, and whatever else starts it.
///
/// # Errors
/// Where it can't be stopped, or disabling it would not hold.
pub fn choose(main: &str, known: &BTreeMap<String, Unit>) -> Result<Vec<String>, Unstoppable> {
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![main.to_owned()];
    while let Some(name) = open.pop() {
        let Some(unit) = known.get(&name).filter(|unit| unit.load != "not-found") else {
            if name == main {
                return Err(Unstoppable::NotFound(name));
            }
            continue;
        };
        let is_idle = !unit.is_running() && !unit.is_enabled();
        if chosen.contains(&unit.name) || (is_idle && name != main) {
            continue;
        }
        if unit.load == "masked" {
            return Err(Unstoppable::Masked(name));
        }
        if !unit.can_stop {
            return Err(Unstoppable::Refuses(name));
        }
        chosen.insert(unit.name.clone());
        open.extend(unit.triggered_by.iter().chain(unit.started_by_it()).cloned());
        if unit.is_made_by_generator() {
            match unit.part_of.is_empty() {
                true => return Err(Unstoppable::Generated(name)),
                false => open.extend(unit.part_of.iter().cloned()),
            }
        }
        if unit.file == "generated" && !unit.is_from_init_d() || unit.file == "transient" {
            return Err(Unstoppable::Generated(name));
        }
    }
    let units = sorted(chosen);
    let of = |name: &String| known.get(name);
    let is_disabled_with = |unit: &Unit| unit.can_be_disabled() || unit.is_made_by_generator();
    match units.iter().filter_map(of).any(is_disabled_with) {
        true => Ok(units),
        false => Err(Unstoppable::Static {
            unit: main.to_owned(),
            by: known.get(main).map(starters).unwrap_or_default(),
        }),
    }
}

fn starters(unit: &Unit) -> Vec<String> {
    unit.wanted_by.iter().chain(&unit.needed_by).cloned().collect()
}

/// The socket unit that listens on a service's port.
pub fn socket_for(id: &ServiceId, sockets: &[Unit]) -> Option<String> {
    let kind = match id.protocol.to_string().as_str() {
        "tcp" => "(Stream)",
        "udp" => "(Datagram)",
        _ => return None,
    };
    let is_there = |listen: &String| {
        let (place, what) = listen.rsplit_once(' ').unwrap_or((listen, ""));
        let (address, port) = place.rsplit_once(':').unwrap_or(("", place));
        let address = address.trim_matches(['[', ']']);
        let is_address = |wanted: &crate::core::service::LocalAddress| {
            address
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip == wanted.ip || ip.is_unspecified())
        };
        what == kind
            && port.parse() == Ok(id.ports.first())
            && id.ports.is_single()
            && id.address.as_ref().is_none_or(is_address)
    };
    let found = sockets.iter().find(|unit| unit.listens.iter().any(is_there));
    found.map(|unit| unit.name.clone())
}

/// What disabling a service would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The service.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// The units that are stopped and disabled.
    pub units: Vec<String>,
    /// The other units that are stopped with them.
    pub needed_by: Vec<String>,
    /// The units that start them when they start themselves.
    pub wanted_by: Vec<String>,
    /// Those of the units that can't be masked meanwhile.
    pub unmasked: Vec<String>,
    /// The other services that stop as well.
    pub also: Vec<ServiceId>,
    /// Whether systemd was asked what depends on them.
    pub is_known: bool,
}

impl Proposal {
    /// For these units, as far as they are known.
    pub fn new(id: ServiceId, name: String, units: Vec<String>, known: &BTreeMap<String, Unit>) -> Self {
        let others = |of: &dyn Fn(&Unit) -> Vec<String>| {
            let all = units.iter().filter_map(|unit| known.get(unit)).flat_map(of);
            sorted(all.filter(|other| !units.contains(other)))
        };
        // What is loaded and does not run is not stopped.
        let runs = |name: &String| known.get(name).is_none_or(Unit::is_running);
        let mut needed_by = others(&|unit| unit.needed_by.clone());
        needed_by.retain(runs);
        let mut wanted_by = others(&|unit| unit.wanted_by.clone());
        wanted_by.retain(|unit| !needed_by.contains(unit));
        let cant_be_masked = |unit: &&String| known.get(*unit).is_some_and(|unit| !unit.can_be_masked());
        Self {
            id,
            name,
            needed_by,
            wanted_by,
            unmasked: units.iter().filter(cant_be_masked).cloned().collect(),
            is_known: units.iter().all(|unit| known.contains_key(unit)),
            units,
            also: Vec::new(),
        }
    }

    /// What happens and what it means, a sentence each, without full stops and capitals; the first
    /// says what.
    pub fn sentences(&self) -> Vec<String> {
        let units = listed(&self.units);
        let it = if self.units.len() == 1 { "it" } else { "them" };
        let mut sentences = vec![format!(
            "stopped when you apply, and disabled for good once you keep it: {units}"
        )];
        match self.needed_by.as_slice() {
            [] if !self.is_known => {}
            [] => sentences.push(format!("no other unit needs {it}")),
            [one] => sentences.push(format!("1 unit needs {it} and is stopped as well: {one}")),
            more => sentences.push(format!(
                "{} units need {it} and are stopped as well: {}",
                more.len(),
                listed(more)
            )),
        }
        match self.wanted_by.as_slice() {
            [] => {}
            [one] => sentences.push(format!("wanted by {one}, which starts {it} again when it starts")),
            more => sentences.push(format!(
                "wanted by {}, which start {it} again when they start",
                listed(more)
            )),
        }
        if !self.also.is_empty() {
            let also: Vec<String> = self.also.iter().map(ToString::to_string).collect();
            sentences.push(format!("with it goes {}", listed(&also)));
        }
        if !self.unmasked.is_empty() {
            sentences.push(format!(
                "not masked meanwhile, since the file is the administrator's own, so that something may start it again \
                 before you keep it: {}",
                listed(&self.unmasked)
            ));
        }
        if let Some(unit) = self.units.iter().find(|unit| carries_network(unit)) {
            sentences.push(format!("beware: the machine's own network goes with {unit}"));
        }
        sentences
    }
}
