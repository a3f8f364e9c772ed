//! The networks: the sandbox's, with two containers on a bridge and strangers behind the router.
//!
//! ```text
//!   public .1 .66, strangers ── eth0 203.0.113.10 ┌─────────┐ 192.168.7.10 eth1 ── trusted .1 ── far
//!                                                 │ machine │
//!   container 172.17.0.2, other .3 ─ docker0 172.17.0.1 ────┤
//!                                 backend ─ br0 172.30.0.1 ─────┘
//! ```
//!
//! The second bridge, and more addresses everywhere, are there for the rulesets of real tools.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fwtui::core::listener::Protocol;
use fwtui::core::network::World;
use fwtui::sys::netns::{self, links as settings};
use fwtui::sys::{interfaces, routing};

use crate::links;
use crate::packets::{Ears, Heard, Outcome};
use crate::places::{ELSEWHERE, PLACES};

const INSIDE: &str = "FWTUI_REACH_LAB";
const DONE: &str = "lab: done";
/// So long nothing more must be heard.
const QUIET: Duration = Duration::from_millis(15);
/// The last of the ports packets are sent from.
const LAST_PORT: u16 = 59_999;
const FIRST_PORT: u16 = 20_000;

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
    pub ears: Vec<Ears>,
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

/// The kernel sends few errors to one address in a second.
const EVERY_REFUSAL: [(&str, &str); 4] = [
    ("ipv4/icmp_msgs_per_sec", "1000000"),
    ("ipv4/icmp_msgs_burst", "1000000"),
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv6/icmp/ratelimit", "0"),
];

impl Lab {
    fn build() -> Self {
        links::build();
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
                ];
                settings::set(&settings).unwrap();
                settings::set(&EVERY_REFUSAL).unwrap();
                let addresses: Vec<IpAddr> = place.all().map(|text| text.parse().unwrap()).collect();
                Ears::open(&addresses)
            };
            ears.push(match place.name {
                "" => open(),
                name => netns::enter(name, open).unwrap(),
            });
        }
        settings::set(&[
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
                        let is_elsewhere = [source, destination].iter().any(|address| ELSEWHERE.contains(address));
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
