//! The networks: the sandbox's, with two containers on a bridge and strangers behind the router.
//!
//! ```text
//!   public .1 .66, strangers ── eth0 203.0.113.10 ┌─────────┐ 192.168.7.10 eth1 ── trusted .1 ── far
//!                                                 │ machine │
//!   container 172.17.0.2, other .3 ─ docker0 172.17.0.1 ────┘
//! ```

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fwtui::core::listener::Protocol;
use fwtui::core::network::World;
use fwtui::sys::netns::{self, links};
use fwtui::sys::runner::SystemRunner;
use fwtui::sys::{interfaces, routing};

use crate::packets::{Ears, Heard, Outcome};

const INSIDE: &str = "FWTUI_REACH_LAB";
const DONE: &str = "lab: done";
/// So long nothing more must be heard.
const QUIET: Duration = Duration::from_millis(15);
/// The last of the ports packets are sent from.
const LAST_PORT: u16 = 59_999;
const FIRST_PORT: u16 = 20_000;

/// A namespace: its name (none for the machine's), the interface its packets come in by, its addresses,
/// and those that only rulesets of real tools speak of.
#[derive(Debug)]
pub struct Place {
    pub name: &'static str,
    pub interface: &'static str,
    pub addresses: &'static [&'static str],
    pub more: &'static [&'static str],
}

/// Senders to whom there is another way back: what refuses them does not come to them.
pub const ELSEWHERE: [&str; 3] = ["192.168.7.77", "100.64.0.9", "100.115.92.9"];

impl Place {
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        self.addresses.iter().chain(self.more).copied()
    }
}

pub const MACHINE: usize = 0;
pub const PLACES: [Place; 7] = [
    Place {
        name: "",
        interface: "lo",
        addresses: &[
            "127.0.0.1",
            "::1",
            "203.0.113.10",
            "2001:db8:1::10",
            "192.168.7.10",
            "fd07::10",
            "172.17.0.1",
            "fd17::1",
        ],
        more: &[
            "10.88.0.1",
            "fd00:d0c::1",
            "172.30.0.1",
            "10.90.0.1",
            "fd00:90::1",
            "192.168.122.1",
            "10.80.0.1",
            "fd00:80::1",
            "100.101.102.103",
            "10.9.0.1",
        ],
    },
    Place {
        name: "public",
        interface: "eth0",
        addresses: &[
            "203.0.113.1",
            "203.0.113.66",
            "198.51.100.7",
            "2001:db8:1::1",
            "2001:db8:1::66",
            "2001:db8:99::7",
            // Somebody else's, for whom there is another way back.
            "192.168.7.77",
        ],
        more: &[
            "192.0.2.9",
            "203.0.113.5",
            "203.0.113.6",
            "203.0.113.7",
            "203.0.113.8",
            "203.0.113.9",
            "2001:db8:bad::5",
            "2001:db8:bad::6",
            "2001:db8:bad::8",
            "100.64.0.9",
            "100.115.92.9",
        ],
    },
    Place {
        name: "trusted",
        interface: "eth1",
        addresses: &["192.168.7.1", "fd07::1"],
        more: &["10.9.0.5"],
    },
    Place {
        name: "far",
        interface: "eth1",
        addresses: &["198.18.5.5", "fd05::5"],
        more: &[],
    },
    Place {
        name: "container",
        interface: "docker0",
        addresses: &["172.17.0.2", "fd17::2"],
        more: &["10.88.0.2", "10.88.0.5", "fd00:d0c::242:ac11:2"],
    },
    Place {
        name: "other",
        interface: "docker0",
        addresses: &["172.17.0.3", "fd17::3"],
        more: &[
            "172.17.0.4",
            "10.88.0.3",
            "10.88.0.4",
            "10.88.0.6",
            "10.88.0.7",
            "fd00:d0c::3",
        ],
    },
    // A bridge of whoever needs a second one.
    Place {
        name: "backend",
        interface: "br0",
        addresses: &[],
        more: &[
            "172.30.0.2",
            "172.30.0.3",
            "10.90.0.2",
            "10.90.0.3",
            "fd00:90::2",
            "fd00:90::3",
            "192.168.122.5",
            "10.80.0.5",
            "fd00:80::5",
            "100.64.1.1",
        ],
    },
];

/// A first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub place: usize,
    pub source: IpAddr,
    pub to: SocketAddr,
    pub protocol: Protocol,
}

#[derive(Debug)]
pub struct Lab {
    ears: Vec<Ears>,
    next_port: u16,
}

/// Runs a test in a sandbox of its own: outside, by running this very test again inside.
pub fn in_lab<F: FnOnce(&mut Lab)>(body: F) {
    if std::env::var_os(INSIDE).is_some() {
        body(&mut Lab::build());
        println!("\n{DONE}");
        return;
    }
    let path = std::any::type_name::<F>();
    let path = path.strip_prefix("reach::").unwrap_or(path);
    let name = path.strip_suffix("::{{closure}}").unwrap_or(path);
    // A soak takes as long as it takes.
    let limit = std::env::var("FWTUI_SECONDS").unwrap_or_else(|_| "110".to_owned());
    let output = Command::new("timeout")
        .args(["--kill-after=5", &limit])
        .arg(env!("CARGO_BIN_EXE_fwtui"))
        .args(["sandbox", "--bare", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        // What it says, it says there, as it goes.
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains(DONE),
        "{name} failed in the sandbox: {}",
        output.status
    );
}

impl Lab {
    fn build() -> Self {
        let runner = SystemRunner::default();
        for name in ["container", "other", "backend"] {
            netns::add(name, || links::set(&links::PROMPT).unwrap()).unwrap();
        }
        // Those who are elsewhere are nowhere; errors for neighbours that can't be found would wait in the
        // kernel's one buffer for errors, and then there are none for others.
        let machine = "link add docker0 type bridge\n\
            address add 172.17.0.1/16 broadcast + dev docker0\n\
            address add fd17::1/64 dev docker0 nodad\n\
            link set docker0 up\n\
            link add port0 index 21 type veth peer name eth0 index 31 netns container\n\
            link add port1 index 22 type veth peer name eth0 index 32 netns other\n\
            link set port0 master docker0\n\
            link set port1 master docker0\n\
            link set port0 up\n\
            link set port1 up\n\
            link add br0 type bridge\n\
            link set br0 up\n\
            link add port2 index 23 type veth peer name eth0 index 33 netns backend\n\
            link set port2 master br0\n\
            link set port2 up\n\
            link set port0 type bridge_slave hairpin on\n\
            link set port1 type bridge_slave hairpin on\n\
            link set port2 type bridge_slave hairpin on\n\
            address add 10.88.0.1/16 dev docker0\n\
            address add fd00:d0c::1/64 dev docker0 nodad\n\
            address add 172.30.0.1/24 dev br0\n\
            address add 10.90.0.1/24 dev br0\n\
            address add fd00:90::1/64 dev br0 nodad\n\
            address add 192.168.122.1/24 dev br0\n\
            address add 10.80.0.1/24 dev br0\n\
            address add fd00:80::1/64 dev br0 nodad\n\
            address add 100.101.102.103/32 dev br0\n\
            route add 100.64.0.0/10 dev br0\n\
            address add 10.9.0.1/24 dev eth1\n\
            neighbor add 192.168.7.77 lladdr 02:00:00:00:00:77 dev eth1 nud permanent\n\
            neighbor add 100.64.0.9 lladdr 02:00:00:00:00:77 dev br0 nud permanent\n\
            neighbor add 100.115.92.9 lladdr 02:00:00:00:00:77 dev br0 nud permanent\n";
        links::batch(&runner, machine).unwrap();
        for (name, text) in [
            (
                "container",
                "address add 172.17.0.2/16 dev eth0\naddress add fd17::2/64 dev eth0 nodad\n\
                link set lo up\nlink set eth0 up\nroute add default via 172.17.0.1\nroute add default via fd17::1\n",
            ),
            (
                "other",
                "address add 172.17.0.3/16 dev eth0\naddress add fd17::3/64 dev eth0 nodad\n\
                link set lo up\nlink set eth0 up\nroute add default via 172.17.0.1\nroute add default via fd17::1\n",
            ),
            (
                "backend",
                "link set lo up\nlink set eth0 up\naddress add 172.30.0.2/24 dev eth0\n\
                address add fd00:90::2/64 dev eth0 nodad\n\
                route add default via 172.30.0.1\nroute add default via fd00:90::1\n",
            ),
            (
                "public",
                "address add 198.51.100.7/32 dev lo\naddress add 2001:db8:99::7/128 dev lo\n\
                address add 192.168.7.77/32 dev lo\n\
                route add default via 203.0.113.10\nroute add default via 2001:db8:1::10\n\
                route del local 127.0.0.0/8 dev lo table local\nroute del local 127.0.0.1 dev lo table local\n\
                route add 127.0.0.1 via 203.0.113.10\n",
            ),
            (
                "trusted",
                "route add default via 192.168.7.10\nroute add default via fd07::10\n",
            ),
        ] {
            netns::enter(name, || links::batch(&runner, text).unwrap()).unwrap();
        }
        for place in PLACES.iter().filter(|place| !place.name.is_empty()) {
            let mut text = String::new();
            for address in place
                .more
                .iter()
                .filter(|address| !["172.30.0.2", "fd00:90::2"].contains(address))
            {
                let length = if address.contains(':') { "128" } else { "32" };
                // Those on a link answer for what is on lo, but for neighbours of IPv6.
                let device = if place.interface == "eth0" || place.interface == "eth1" {
                    "lo"
                } else {
                    "eth0"
                };
                let length = if device == "eth0" && length == "128" {
                    "64"
                } else {
                    length
                };
                let nodad = if length == "64" { " nodad" } else { "" };
                text.push_str(&format!("address add {address}/{length} dev {device}{nodad}\n"));
            }
            netns::enter(place.name, || links::batch(&runner, &text).unwrap()).unwrap();
        }
        let mut ears = Vec::new();
        for place in &PLACES {
            let open = || {
                let settings = [
                    ("ipv4/conf/all/rp_filter", "0"),
                    ("ipv4/conf/default/rp_filter", "0"),
                    (
                        "ipv4/conf/all/accept_local",
                        if place.name.is_empty() { "0" } else { "1" },
                    ),
                    ("ipv4/icmp_msgs_per_sec", "1000000"),
                    ("ipv4/icmp_msgs_burst", "1000000"),
                ];
                links::set(&settings).unwrap();
                let addresses: Vec<IpAddr> = place.all().map(|text| text.parse().unwrap()).collect();
                Ears::open(&addresses)
            };
            ears.push(match place.name {
                "" => open(),
                name => netns::enter(name, open).unwrap(),
            });
        }
        links::set(&[
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            ("bridge/bridge-nf-call-iptables", "0"),
            ("bridge/bridge-nf-call-ip6tables", "0"),
        ])
        .unwrap();
        let lab = Self {
            ears,
            next_port: FIRST_PORT,
        };
        lab.warm_up();
        lab
    }

    /// Until every neighbour has been heard: links need a moment, and neighbours are found by packets.
    fn warm_up(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut missing: Vec<(usize, &str, usize, &str)> = Vec::new();
        for (place, from) in PLACES.iter().enumerate() {
            for (target, to) in PLACES.iter().enumerate() {
                if place == target {
                    continue;
                }
                for source in from
                    .addresses
                    .iter()
                    .filter(|source| !source.contains("127.") && **source != "::1")
                {
                    for destination in to.addresses {
                        let is_loopback = destination.contains("127.") || *destination == "::1";
                        let is_elsewhere = *destination == "192.168.7.77" || *source == "192.168.7.77";
                        if source.contains(':') == destination.contains(':') && !is_loopback && !is_elsewhere {
                            missing.push((place, source, target, destination));
                        }
                    }
                }
            }
        }
        while !missing.is_empty() {
            assert!(Instant::now() < deadline, "no way between {missing:?}");
            for (place, source, _, destination) in &missing {
                let from = SocketAddr::new(source.parse().unwrap(), 19_999);
                let to = SocketAddr::new(destination.parse().unwrap(), 9);
                self.ears[*place].say(from, to, Protocol::Udp);
            }
            std::thread::sleep(Duration::from_millis(5));
            let mut heard: Vec<(usize, Option<IpAddr>)> = Vec::new();
            for (target, ears) in self.ears.iter().enumerate() {
                ears.listen(|_, _, what| {
                    if let Heard::Packet { address, .. } = what {
                        heard.push((target, address));
                    }
                });
            }
            missing.retain(|(_, _, target, destination)| {
                let address = destination.parse::<IpAddr>().unwrap();
                let address = address.is_ipv4().then_some(address);
                !heard.contains(&(*target, address))
            });
        }
        std::thread::sleep(Duration::from_millis(20));
        self.ears.iter().for_each(|ears| ears.listen(|_, _, _| {}));
    }

    /// What decides besides rules, as it is now.
    pub fn world(&self) -> World {
        routing::world(&interfaces::interfaces().unwrap()).unwrap()
    }

    /// Sends all of them and says what became of each, and the port it was sent from.
    pub fn send(&mut self, probes: &[Probe], quiet_for: u32) -> Vec<(u16, Outcome)> {
        let mut outcomes = Vec::with_capacity(probes.len());
        let mut by_port = HashMap::new();
        if usize::from(LAST_PORT - self.next_port) <= probes.len() {
            self.forget();
            self.next_port = FIRST_PORT;
        }
        let mut until = Instant::now() + QUIET * quiet_for;
        for (at, probe) in probes.iter().enumerate() {
            let port = self.next_port;
            self.next_port += 1;
            by_port.insert((probe.protocol, port), at);
            outcomes.push((port, Outcome::Silence));
            self.ears[probe.place].say(SocketAddr::new(probe.source, port), probe.to, probe.protocol);
        }
        loop {
            let mut has_heard = false;
            for (place, ears) in self.ears.iter().enumerate() {
                ears.listen(|protocol, port, what| {
                    let Some(at) = by_port.get(&(protocol, port)) else {
                        return;
                    };
                    has_heard = true;
                    let outcome = &mut outcomes[*at].1;
                    match what {
                        Heard::Packet { address, port } => *outcome = Outcome::Arrived { place, address, port },
                        Heard::Refusal if *outcome == Outcome::Silence && place == probes[*at].place => {
                            *outcome = Outcome::Refused;
                        }
                        Heard::Refusal => {}
                    }
                });
            }
            let now = Instant::now();
            if has_heard {
                until = until.max(now + QUIET * quiet_for);
            }
            if now > until {
                return outcomes;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// No connection is known any more.
    pub fn forget(&self) {
        run(&["conntrack", "-F"], "").unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Runs a program; its complaint where it fails.
pub fn run(command: &[&str], stdin: &str) -> Result<String, String> {
    use std::io::Write;
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} must be installed for this test: {error}", command[0]));
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
