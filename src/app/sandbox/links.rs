//! The sandbox's networks: who is where, and the links between them.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::app::error::Error;
use crate::core::listener::Family;
use crate::sys::netns::links;
use crate::sys::runner::Runner;
use crate::sys::{clock, netns};

/// An address in each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The IPv4 address.
    pub v4: Ipv4Addr,
    /// The IPv6 address.
    pub v6: Ipv6Addr,
}

impl Pair {
    /// The address of a family.
    pub const fn of(self, family: Family) -> IpAddr {
        match family {
            Family::Ipv4 => IpAddr::V4(self.v4),
            Family::Ipv6 => IpAddr::V6(self.v6),
        }
    }
}

const fn pair(v4: [u8; 4], v6: u128) -> Pair {
    Pair {
        v4: Ipv4Addr::from_bits(u32::from_be_bytes(v4)),
        v6: Ipv6Addr::from_bits(v6),
    }
}

/// The machine on its public network (`eth0`).
pub const MACHINE_PUBLIC: Pair = pair([203, 0, 113, 10], 0x2001_0db8_0001_0000_0000_0000_0000_0010);
/// The machine on its other network (`eth1`), the one to be trusted.
pub const MACHINE_TRUSTED: Pair = pair([192, 168, 7, 10], 0xfd07_0000_0000_0000_0000_0000_0000_0010);
/// The router of the public network.
pub const PUBLIC: Pair = pair([203, 0, 113, 1], 0x2001_0db8_0001_0000_0000_0000_0000_0001);
/// Somebody else on the public network.
pub const STRANGER: Pair = pair([203, 0, 113, 66], 0x2001_0db8_0001_0000_0000_0000_0000_0066);
/// The neighbour on the network to be trusted.
pub const TRUSTED: Pair = pair([192, 168, 7, 1], 0xfd07_0000_0000_0000_0000_0000_0000_0001);
/// Somebody far away, whose packets the trusted neighbour forwards.
pub const FAR: Pair = pair([198, 18, 5, 5], 0xfd05_0000_0000_0000_0000_0000_0000_0005);
/// The trusted neighbour, as the far one sees it.
const TRUSTED_FAR_SIDE: Pair = pair([198, 18, 5, 1], 0xfd05_0000_0000_0000_0000_0000_0000_0001);

/// Who knocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Neighbour {
    /// The router of the public network.
    Public,
    /// Somebody else on the public network (in the public router's namespace).
    Stranger,
    /// The neighbour on the network to be trusted.
    Trusted,
    /// Somebody routed in through the trusted neighbour: not a neighbour at all.
    Far,
}

impl Neighbour {
    /// Those with a namespace of their own.
    pub const ALL: [Self; 3] = [Self::Public, Self::Trusted, Self::Far];

    /// The name of the namespace, for `ip netns exec NAME`.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Public | Self::Stranger => "public",
            Self::Trusted => "trusted",
            Self::Far => "far",
        }
    }

    /// Its own addresses.
    pub const fn addresses(self) -> Pair {
        match self {
            Self::Public => PUBLIC,
            Self::Stranger => STRANGER,
            Self::Trusted => TRUSTED,
            Self::Far => FAR,
        }
    }

    /// Where it finds the machine.
    pub const fn machine(self) -> Pair {
        match self {
            Self::Public | Self::Stranger => MACHINE_PUBLIC,
            Self::Trusted | Self::Far => MACHINE_TRUSTED,
        }
    }

    /// The name in a table's head.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Stranger => "stranger",
            Self::Trusted => "trusted",
            Self::Far => "far",
        }
    }
}

/// Settings of the neighbours, which are routers.
const ROUTER_SETTINGS: [(&str, &str); 2] = [("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1")];

/// How long links may take to come up; they take a few milliseconds.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// Makes the neighbours' namespaces and the links between all of them.
pub(super) fn build(runner: &dyn Runner) -> Result<(), Error> {
    set(&links::PROMPT)?;
    for neighbour in Neighbour::ALL {
        netns::add(neighbour.namespace(), || {
            set(&links::PROMPT)?;
            set(&ROUTER_SETTINGS)
        })??;
    }
    batch(runner, &machine())?;
    thread::scope(|scope| {
        let ends = [
            (Neighbour::Public, public(), 1),
            (Neighbour::Trusted, trusted(), 2),
            (Neighbour::Far, far(), 1),
        ]
        .map(|(neighbour, text, links)| {
            scope.spawn(move || {
                netns::enter(neighbour.namespace(), || {
                    batch(runner, &text)?;
                    await_links(links)
                })
            })
        });
        ends.into_iter()
            .try_for_each(|end| end.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)
    })?;
    await_links(2)
}

/// Waits until so many links of the calling thread's namespace carry IPv6: a kernel thread tells
/// it of their carrier, and without link-local addresses no neighbour is found.
fn await_links(count: usize) -> Result<(), Error> {
    let deadline = clock::since_boot() + READY_WITHIN;
    loop {
        let Ok(text) = fs::read_to_string("/proc/thread-self/net/if_inet6") else {
            return Ok(());
        };
        // Address, index, prefix length, scope, flags (0x40: tentative, linux/if_addr.h), name.
        let is_ready = |line: &&str| {
            let flags = line.split_whitespace().nth(4);
            let flags = flags.and_then(|word| u8::from_str_radix(word, 16).ok());
            line.starts_with("fe80") && flags.is_some_and(|flags| flags & 0x40 == 0)
        };
        if text.lines().filter(is_ready).count() >= count {
            return Ok(());
        }
        if clock::since_boot() > deadline {
            return Err(super::failed("bring up its networks", "the links carry no IPv6"));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn set(settings: &[(&str, &str)]) -> Result<(), Error> {
    links::set(settings).map_err(|error| super::failed("make its settings", error))
}

/// Runs commands of `ip`, one a line, in the calling thread's namespace.
fn batch(runner: &dyn Runner, commands: &str) -> Result<(), Error> {
    links::batch(runner, commands).map_err(|error| {
        super::failed("make its networks", error).hint("The kernel needs the module 'veth'; try: sudo modprobe veth")
    })
}

fn machine() -> String {
    // The two ends of a link get different indexes: the kernel takes an interface whose peer has
    // its own index for one without a peer, and tells IPv6 of its carrier up to a second later
    // (linkwatch_urgent_event in net/core/link_watch.c).
    let mut text = "link set lo up\n\
        link add eth0 index 2 type veth peer name eth0 index 12 netns public\n\
        link add eth1 index 3 type veth peer name eth0 index 13 netns trusted\n\
        link add eth1 index 14 netns trusted type veth peer name eth0 index 15 netns far\n"
        .to_owned();
    address(&mut text, "eth0", MACHINE_PUBLIC);
    address(&mut text, "eth1", MACHINE_TRUSTED);
    up(&mut text, "eth0");
    up(&mut text, "eth1");
    route(&mut text, "default", "default", PUBLIC);
    route(&mut text, "198.18.5.0/24", "fd05::/64", TRUSTED);
    text
}

fn public() -> String {
    let mut text = String::new();
    address(&mut text, "eth0", PUBLIC);
    address(&mut text, "eth0", STRANGER);
    up(&mut text, "lo");
    up(&mut text, "eth0");
    text
}

fn trusted() -> String {
    let mut text = String::new();
    address(&mut text, "eth0", TRUSTED);
    address(&mut text, "eth1", TRUSTED_FAR_SIDE);
    for link in ["lo", "eth0", "eth1"] {
        up(&mut text, link);
    }
    text
}

fn far() -> String {
    let mut text = String::new();
    address(&mut text, "eth0", FAR);
    up(&mut text, "lo");
    up(&mut text, "eth0");
    route(&mut text, "default", "default", TRUSTED_FAR_SIDE);
    text
}

// Writing to a string does not fail.
fn address(text: &mut String, link: &str, Pair { v4, v6 }: Pair) {
    let _ = writeln!(text, "address add {v4}/24 broadcast + dev {link}");
    let _ = writeln!(text, "address add {v6}/64 dev {link} nodad");
}

fn up(text: &mut String, link: &str) {
    let _ = writeln!(text, "link set {link} up");
}

fn route(text: &mut String, to4: &str, to6: &str, Pair { v4, v6 }: Pair) {
    let _ = writeln!(text, "route add {to4} via {v4}");
    let _ = writeln!(text, "route add {to6} via {v6}");
}
