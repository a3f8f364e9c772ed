//! The kernel's settings of the network: their values, the running kernel's defaults, and the files
//! that set them. They are read, never written.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use crate::core::checkup::{Sysctl, compiled_default};
use crate::core::text::printable_within;
use crate::sys::host;
use crate::sys::netns::Scratch;

mod files;

pub use files::{Assigned, assigned};

/// Where they are. A thread sees those of its own network namespace.
const FOLDERS: [&str; 2] = ["net/ipv4", "net/ipv6"];
/// How many are read: a machine with 500 interfaces has 50,000, and those of interfaces are chosen
/// from before they are read.
const MOST: usize = 60_000;
/// How many folders deep they are: `ipv4/conf/eth0`.
const DEEPEST: usize = 4;
/// The longest value that is kept.
const LONGEST: u64 = 512;

/// Those that follow from the machine's memory, from the modules that are loaded, from an interface's
/// hardware, or are a secret of this machine's: they differ everywhere, and nobody set them.
const OWN_TO_THE_MACHINE: [&str; 23] = [
    "fib_multipath_hash_seed",
    "inet_peer_threshold",
    "ioam6_id",
    "ioam6_id_wide",
    "mc_forwarding",
    "mtu",
    "stable_secret",
    "tag",
    "tcp_allowed_congestion_control",
    "tcp_available_congestion_control",
    "tcp_available_ulp",
    "tcp_child_ehash_entries",
    "tcp_ehash_entries",
    "tcp_fastopen_key",
    "tcp_max_orphans",
    "tcp_max_syn_backlog",
    "tcp_max_tw_buckets",
    "tcp_mem",
    "udp_child_hash_entries",
    "udp_hash_entries",
    "udp_mem",
    "unres_qlen",
    "unres_qlen_bytes",
];

/// Those that a new namespace copies from the first one (`tcp_sk_init` in `net/ipv4/tcp_ipv4.c`), so that
/// it does not tell their default.
const COPIED: [&str; 3] = ["tcp_congestion_control", "tcp_rmem", "tcp_wmem"];

/// Those of a single interface that are read: what decides over packets. The rest is set by the
/// kernel, by routers and by the program that manages the network.
const OF_AN_INTERFACE: [&str; 16] = [
    "accept_local",
    "accept_ra",
    "accept_redirects",
    "accept_source_route",
    "arp_accept",
    "arp_announce",
    "arp_filter",
    "arp_ignore",
    "disable_ipv6",
    "forwarding",
    "log_martians",
    "proxy_arp",
    "route_localnet",
    "rp_filter",
    "secure_redirects",
    "send_redirects",
];

/// Every one that there is to judge, by name: those of `all` and `default`, and those of an interface
/// that differ from `default`; and what could not be read, one sentence each.
///
/// `proc` is `/proc/sys`, and `root` holds the files that set them.
pub fn sysctls(proc: &Path, root: &Path) -> (Vec<Sysctl>, Vec<String>) {
    let values = read(proc);
    if values.is_empty() {
        let said = format!("The sysctls of the network can't be read in {}.", proc.display());
        return (Vec::new(), vec![said]);
    }
    let mut unseen = Vec::new();
    let fresh = Scratch::new().and_then(|scratch| scratch.run(|| read(proc)));
    let fresh = fresh.unwrap_or_else(|_| {
        let how = match host::is_root() {
            true => "",
            false => "; sudo fwtui check compares with the kernel's",
        };
        unseen.push(format!(
            "The sysctls are compared with a built-in table, as a network namespace that would show this kernel's own \
             defaults can't be made{how}."
        ));
        BTreeMap::new()
    });
    (compared(&values, &fresh, inheritance(proc), &assigned(root)), unseen)
}

/// The values with their defaults, as a new network namespace has them, and where they are from.
fn compared(
    values: &BTreeMap<String, String>,
    fresh: &BTreeMap<String, String>,
    inherits: Inheritance,
    sources: &[Assigned],
) -> Vec<Sysctl> {
    let one = |(name, value): (&String, &String)| {
        let name_of_default = of_default(name);
        if let Some(of_default) = &name_of_default
            && values.get(of_default) == Some(value)
        {
            return None;
        }
        let asked = name_of_default.as_deref().unwrap_or(name);
        let default = match inherits.tells(asked) {
            true => fresh.get(asked).cloned().or_else(|| compiled(asked)),
            false => compiled(asked),
        };
        let source = sources.iter().rfind(|assigned| assigned.sets(name));
        Some(Sysctl {
            name: printable_within(name, 128),
            value: printable_within(value, 128),
            default,
            // Where the value is another by now, that file is not where it came from.
            source: source
                .filter(|assigned| assigned.value == *value)
                .map(|assigned| (assigned.file.clone(), assigned.line)),
        })
    };
    values.iter().filter_map(one).collect()
}

fn compiled(name: &str) -> Option<String> {
    compiled_default(name).map(str::to_owned)
}

/// What a new network namespace takes over from the first one.
#[derive(Debug, Clone, Copy)]
struct Inheritance {
    /// Its `conf` of IPv4.
    ipv4: bool,
    /// Its `conf` of IPv6.
    ipv6: bool,
}

impl Inheritance {
    /// Whether a new namespace tells the default of a sysctl.
    fn tells(self, name: &str) -> bool {
        let key = name.rsplit('.').next().unwrap_or_default();
        let is_inherited = (self.ipv4 && name.starts_with("net.ipv4.conf."))
            || (self.ipv6 && name.starts_with("net.ipv6.conf."))
            // They have no table of their own.
            || name.contains(".neigh.");
        !is_inherited && !COPIED.contains(&key)
    }
}

/// `net.core.devconf_inherit_init_net`: 0 takes over IPv4's, 1 both, 2 none, 3 both, from the present
/// namespace. It is there in the first namespace only; elsewhere its default is taken for granted.
fn inheritance(proc: &Path) -> Inheritance {
    let how = value(&proc.join("net/core/devconf_inherit_init_net"));
    Inheritance {
        ipv4: how.as_deref() != Some("2"),
        ipv6: matches!(how.as_deref(), Some("1" | "3")),
    }
}

/// The name of the same setting in `conf.default`, for one of an interface.
fn of_default(name: &str) -> Option<String> {
    let (family, rest) = name.split_once(".conf.")?;
    let (scope, key) = rest.rsplit_once('.')?;
    (!matches!(scope, "all" | "default")).then(|| format!("{family}.conf.default.{key}"))
}

/// The values below `net.ipv4` and `net.ipv6`, by name.
fn read(proc: &Path) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for folder in FOLDERS {
        walk(proc, folder, DEEPEST, &mut values);
    }
    values
}

fn walk(proc: &Path, folder: &str, depth: usize, values: &mut BTreeMap<String, String>) {
    let entries = fs::read_dir(proc.join(folder)).into_iter().flatten().flatten();
    for entry in entries {
        let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
            continue;
        };
        let path = format!("{folder}/{name}");
        if kind.is_dir() && depth > 0 {
            walk(proc, &path, depth - 1, values);
        } else if kind.is_file()
            && values.len() < MOST
            && is_judged(&path)
            && let Some(value) = value(&entry.path())
        {
            values.insert(dotted(&path), value);
        }
    }
}

/// Whether it is one that somebody decided on.
fn is_judged(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let key = parts.next().unwrap_or_default();
    let scope = parts.next().unwrap_or_default();
    let table = parts.next().unwrap_or_default();
    let is_shared = matches!(scope, "all" | "default");
    !OWN_TO_THE_MACHINE.contains(&key)
        && match table {
            "conf" if !is_shared => scope != "lo" && OF_AN_INTERFACE.contains(&key),
            // Routers set an interface's.
            "neigh" => is_shared,
            _ => true,
        }
}

/// The name sysctl(8) has for it: dots, and slashes where an interface's name has dots.
fn dotted(path: &str) -> String {
    path.chars()
        .map(|letter| match letter {
            '/' => '.',
            '.' => '/',
            other => other,
        })
        .collect()
}

/// The value, with single spaces; none where it can't be read, as a secret that is not set.
fn value(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(plain(&String::from_utf8_lossy(&bytes)))
}

/// With single spaces.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
