//! The rulesets of real tools (`tests/fixtures/rulesets`), with every port they speak of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use fwtui::core::listener::{Family, Protocol};

use crate::case::{clear, load_saved, read};
use crate::compare::{Tally, play, told_of};
use crate::lab::{Lab, Probe, in_lab, run};
use crate::places::{ELSEWHERE, MACHINE, PLACES};

/// What interfaces are called in the lab. A network of a tool's own is on one of two bridges.
const RENAMED: [(&str, &str); 10] = [
    ("br-767cfb89ae89", "br0"),
    ("br-8e6dc5caa496", "br0"),
    ("br-91959903a0aa", "br0"),
    ("br-ad01616c8b45", "br0"),
    ("br-af014ce50805", "br0"),
    ("br-dad8a2d389f2", "br0"),
    ("virbr0", "br0"),
    ("lxdbr0", "br0"),
    ("tailscale0", "br0"),
    ("podman0", "docker0"),
];
/// Ports that nobody speaks of, or nearly.
const OTHER_PORTS: [u16; 5] = [9, 22, 53, 80, 33_333];
/// From one address only so many of this port: the sixth is refused (`recent`), the first is what counts.
const LIMITED: (u16, usize) = (2222, 4);
/// So many packets at a time, that no buffer is too small for them.
const BATCH: usize = 2_000;
/// Of a ruleset only so many disagreements are told.
const MOST_TOLD: usize = 3;

/// A ruleset as it is loaded.
struct Fixture {
    name: String,
    is_legacy: bool,
    /// By the name of the file.
    files: BTreeMap<&'static str, String>,
}

impl Fixture {
    fn of(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let mut files = BTreeMap::new();
        for file in ["ipset", "rules.v4", "rules.v6", "load.nft"] {
            if let Ok(mut text) = fs::read_to_string(folder.join(file)) {
                for (from, to) in RENAMED {
                    text = text.replace(from, to);
                }
                files.insert(file, text);
            }
        }
        Self {
            is_legacy: name.ends_with("-legacy"),
            name,
            files,
        }
    }

    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets");
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
        folders.sort();
        folders.iter().map(|folder| Self::of(folder)).collect()
    }

    fn load(&self) {
        clear();
        // A rule of iptables names sets, so these come first.
        for file in ["ipset", "rules.v4", "rules.v6", "load.nft"] {
            let text = self.files.get(file).map_or("", String::as_str);
            let loaded = match file {
                "ipset" => run(&["ipset", "restore"], text).map(drop),
                "rules.v4" => load_saved(self.is_legacy, Family::Ipv4, text),
                "rules.v6" => load_saved(self.is_legacy, Family::Ipv6, text),
                _ => run(&["nft", "-f", "-"], text).map(drop),
            };
            loaded.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
    }

    /// Every port of a destination, and where a range ends what is beside it.
    fn ports(&self) -> BTreeSet<u16> {
        let mut ports = BTreeSet::from(OTHER_PORTS);
        for text in self.files.values() {
            let mut words = text.split_whitespace().peekable();
            while let Some(word) = words.next() {
                match word.trim_start_matches("--") {
                    "dport" | "dports" => {
                        while let Some(word) =
                            words.next_if(|word| word.starts_with(|c: char| "{!=0123456789".contains(c)))
                        {
                            let ends: Vec<u16> = numbers(word);
                            ports.extend(&ends);
                            if word.contains(['-', ':'])
                                && let [first, last] = ends[..]
                            {
                                ports.extend([first.saturating_sub(1), last.saturating_add(1)]);
                            }
                        }
                    }
                    "to-destination" | "to" => {
                        let port = words.peek().and_then(|word| word.rsplit_once(':'));
                        ports.extend(port.iter().flat_map(|(_, port)| numbers(port)));
                    }
                    _ => {}
                }
            }
        }
        ports.remove(&0);
        ports
    }

    /// Whether it speaks of the address or of its network.
    fn knows(&self, address: &str) -> bool {
        let separator = if address.contains(':') { ':' } else { '.' };
        let cut = address
            .match_indices(separator)
            .nth(1)
            .map_or(address.len(), |(at, _)| at + 1);
        self.files.values().any(|text| text.contains(&address[..cut]))
    }

    /// From everywhere to everything, TCP and UDP, at every port.
    fn probes(&self) -> Vec<Probe> {
        let ports = self.ports();
        let mut probes = Vec::new();
        for (place, from) in PLACES.iter().enumerate() {
            for source in from.all() {
                let mut limited = 0;
                for (target, to) in PLACES.iter().enumerate() {
                    for destination in to.all() {
                        let is_wanted =
                            |of: usize, address| PLACES[of].addresses.contains(&address) || self.knows(address);
                        if !is_wanted(place, source)
                            || !is_wanted(target, destination)
                            || !makes_sense(place, source, target, destination)
                        {
                            continue;
                        }
                        for port in &ports {
                            for protocol in [Protocol::Tcp, Protocol::Udp] {
                                if (*port, protocol) == (LIMITED.0, Protocol::Tcp) {
                                    limited += 1;
                                    if limited > LIMITED.1 {
                                        continue;
                                    }
                                }
                                probes.push(Probe {
                                    place,
                                    source: source.parse().unwrap(),
                                    to: SocketAddr::new(destination.parse().unwrap(), *port),
                                    protocol,
                                });
                            }
                        }
                    }
                }
            }
        }
        probes
    }
}

fn numbers(text: &str) -> Vec<u16> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// Whether the machine gets to see it, and who sends it would.
fn makes_sense(place: usize, source: &str, target: usize, destination: &str) -> bool {
    let is_loopback = |address: &str| address == "127.0.0.1" || address == "::1";
    if source.contains(':') != destination.contains(':') || ELSEWHERE.contains(&destination) {
        return false;
    }
    match (place, target) {
        (MACHINE, MACHINE) => is_loopback(source) == is_loopback(destination),
        // Published on loopback: the sender must have sent it to the machine's link.
        (1, MACHINE) if destination == "127.0.0.1" => true,
        (MACHINE, _) => false,
        // On one link they need nobody between.
        _ => PLACES[place].interface != PLACES[target].interface && !is_loopback(destination),
    }
}

/// Plays one ruleset; says what there is to say against it.
fn compare(lab: &mut Lab, fixture: &Fixture) -> Vec<String> {
    let began = Instant::now();
    fixture.load();
    lab.forget();
    let (netfilter, notes) = read();
    assert!(notes.is_empty(), "{}: {notes:?}", fixture.name);
    let world = lab.world();
    let probes = fixture.probes();
    let mut tally = Tally::default();
    let mut against = Vec::new();
    for batch in probes.chunks(BATCH) {
        for probe in play(lab, &netfilter, &world, batch, &mut tally, false) {
            tally.disagreements += 1;
            if against.len() < MOST_TOLD {
                against.push(format!("{}: {}", fixture.name, told_of(lab, probe)));
            }
        }
    }
    eprintln!(
        "{:<20} {:>6} packets: {:>6} arrived, {:>6} refused, {:>6} dropped; {} disagreements, {} unknown ({} ms)",
        fixture.name,
        tally.cases,
        tally.arrived,
        tally.refused,
        tally.dropped,
        tally.disagreements,
        tally.unknown,
        began.elapsed().as_millis()
    );
    assert!(tally.arrived > 0, "{}: nothing arrives", fixture.name);
    if tally.unknown > 0 {
        against.push(format!(
            "{}: {} unknown: {}",
            fixture.name, tally.unknown, tally.because
        ));
    }
    against
}

fn play_all(lab: &mut Lab, is_legacy: bool) {
    // Neighbours are found by packets.
    clear();
    let mut neighbours = Vec::new();
    for fixture in Fixture::all() {
        neighbours.extend(
            fixture
                .probes()
                .into_iter()
                .filter(|probe| probe.to.port() == OTHER_PORTS[0]),
        );
    }
    for batch in neighbours.chunks(200) {
        lab.send(batch, 1);
    }
    let mut played = 0;
    let only = std::env::var("FWTUI_FIXTURE").ok();
    let mut against = Vec::new();
    for fixture in Fixture::all() {
        if fixture.is_legacy == is_legacy && only.as_ref().is_none_or(|only| *only == fixture.name) {
            played += 1;
            against.extend(compare(lab, &fixture));
        }
    }
    for words in &against {
        eprintln!("{words}");
    }
    assert!(played > 0, "no ruleset");
    assert!(against.is_empty(), "see above");
}

#[test]
fn fixtures_of_tools() {
    in_lab(|lab| play_all(lab, false));
}

#[test]
fn fixtures_of_tools_over_legacy() {
    in_lab(|lab| play_all(lab, true));
}
