//! What the disk says of other programs that load rules: which are started at boot, and what they load.
//!
//! Told by the links that enabling a unit makes (`systemctl enable`, `rc-update add`) and by the
//! programs' own files. No program is started.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::core::listener::Family;
use crate::core::text::printable_within;
use crate::core::tools::{BootFile, Manager, OnDisk};

/// Where enabled units of systemd are linked, those of packages included.
const SYSTEMD: [&str; 3] = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];
/// How the folders there end whose links are started.
const WANTING: [&str; 2] = [".wants", ".requires"];
/// Where those of `OpenRC` are.
const OPENRC: &str = "etc/runlevels";
/// How much of a file is read, in bytes: rules stand at its beginning as well as at its end.
const MOST: u64 = 1 << 20;
/// How many entries of a folder are looked at.
const MOST_ENTRIES: usize = 4096;

/// The units (or `OpenRC`'s services) of each, without `.service`.
const UNITS: [(Manager, &[&str]); 11] = [
    (Manager::Ufw, &["ufw"]),
    (Manager::Firewalld, &["firewalld"]),
    (Manager::Nftables, &["nftables"]),
    (
        Manager::NetfilterPersistent,
        &["netfilter-persistent", "iptables-persistent"],
    ),
    (Manager::Iptables, &["iptables", "ip6tables"]),
    (Manager::Docker, &["docker", "docker.socket"]),
    (Manager::Podman, &["podman", "podman.socket", "podman-restart"]),
    (
        Manager::Libvirt,
        &[
            "libvirtd",
            "libvirtd.socket",
            "virtnetworkd",
            "virtnetworkd.socket",
            "libvirt-guests",
        ],
    ),
    (
        Manager::Lxd,
        &[
            "lxd",
            "lxd.socket",
            "snap.lxd.daemon",
            "snap.lxd.daemon.unix.socket",
            "incus",
            "incus.socket",
        ],
    ),
    (Manager::Fail2ban, &["fail2ban"]),
    (Manager::Tailscale, &["tailscaled", "tailscale"]),
];

/// The files that are loaded at boot; the first that is there counts.
const NFT_FILES: [&str; 3] = ["etc/nftables.conf", "etc/sysconfig/nftables.conf", "etc/nftables.nft"];
const PERSISTENT_FILES: [&str; 2] = ["etc/iptables/rules.v4", "etc/iptables/rules.v6"];
const IPTABLES_FILES: [&str; 4] = [
    "etc/iptables/iptables.rules",
    "etc/iptables/ip6tables.rules",
    "etc/sysconfig/iptables",
    "etc/sysconfig/ip6tables",
];

/// What the files below `root` say of every program.
pub fn on_disk(root: &Path) -> Vec<OnDisk> {
    let enabled = Enabled::read(root);
    let one = |(manager, units): &(Manager, &[&str])| {
        let (at_boot, how) = enabled.tell(units);
        let plain = OnDisk {
            manager: *manager,
            at_boot,
            how,
            file: None,
            has_rules: true,
            flushes: false,
        };
        match manager {
            Manager::Ufw => ufw(root, plain),
            Manager::Nftables => nftables(root, plain),
            Manager::NetfilterPersistent => OnDisk {
                flushes: !has_setting(
                    root,
                    "etc/default/netfilter-persistent",
                    "IPTABLES_RESTORE_NOFLUSH",
                    "yes",
                ),
                ..saved(root, &PERSISTENT_FILES, plain)
            },
            Manager::Iptables => OnDisk {
                flushes: true,
                ..saved(root, &IPTABLES_FILES, plain)
            },
            _ => plain,
        }
    };
    UNITS.iter().map(one).collect()
}

/// The files below `root` that are loaded at boot, where their unit is started.
pub fn boot_files(root: &Path) -> Vec<BootFile> {
    let of = |manager, family, path: &str| {
        Some(BootFile {
            manager,
            path: shown(Path::new(path)),
            family,
            text: text(&root.join(path))?,
        })
    };
    let saved = |manager: Manager, files: &[&str]| -> Vec<BootFile> {
        let family = |path: &str| match path.contains("ip6tables") || path.ends_with("v6") {
            true => Family::Ipv6,
            false => Family::Ipv4,
        };
        files
            .iter()
            .filter_map(|path| of(manager, Some(family(path)), path))
            .collect()
    };
    let mut all = saved(Manager::NetfilterPersistent, &PERSISTENT_FILES);
    all.extend(saved(Manager::Iptables, &IPTABLES_FILES));
    all.extend(NFT_FILES.iter().find_map(|path| of(Manager::Nftables, None, path)));
    all
}

/// The unit is enabled wherever ufw is installed; its own switch decides.
fn ufw(root: &Path, disk: OnDisk) -> OnDisk {
    const FILE: &str = "etc/ufw/ufw.conf";
    let is_on = has_setting(root, FILE, "ENABLED", "yes");
    match disk.at_boot {
        Some(true) if !is_on => OnDisk {
            at_boot: Some(false),
            how: shown(Path::new(FILE)),
            has_rules: false,
            ..disk
        },
        _ => OnDisk {
            has_rules: is_on,
            ..disk
        },
    }
}

fn nftables(root: &Path, disk: OnDisk) -> OnDisk {
    let found = NFT_FILES.iter().find_map(|file| Some((file, text(&root.join(file))?)));
    let Some((file, text)) = found else {
        return OnDisk {
            has_rules: false,
            ..disk
        };
    };
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .collect();
    let decides = |line: &&str| {
        let without_policy = line.replace("policy accept", "");
        let mut words = without_policy.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.any(|word| matches!(word, "accept" | "drop" | "reject" | "dnat" | "redirect" | "include"))
    };
    OnDisk {
        file: Some(shown(Path::new(file))),
        has_rules: lines.iter().any(decides),
        flushes: lines
            .iter()
            .any(|line| line.split_whitespace().eq(["flush", "ruleset"]) || line.starts_with("flush ruleset;")),
        ..disk
    }
}

/// Files that iptables-save printed.
fn saved(root: &Path, files: &[&str], disk: OnDisk) -> OnDisk {
    let texts: Vec<(&str, String)> = files
        .iter()
        .filter_map(|file| Some((*file, text(&root.join(file))?)))
        .collect();
    let decides = |line: &str| line.starts_with("-A ") || (line.starts_with(':') && line.contains(" DROP"));
    OnDisk {
        file: texts.first().map(|(file, _)| shown(Path::new(file))),
        has_rules: texts.iter().any(|(_, text)| text.lines().any(decides)),
        ..disk
    }
}

/// Whether a file of shell variables sets one so.
fn has_setting(root: &Path, file: &str, name: &str, wanted: &str) -> bool {
    let text = text(&root.join(file)).unwrap_or_default();
    let mut values = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
    let last = values.next_back().unwrap_or_default();
    last.trim().trim_matches(['"', '\'']).eq_ignore_ascii_case(wanted)
}

/// The beginning of a plain file; links are followed, for these files are often links.
fn text(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A path as on the machine, whatever the root.
fn shown(path: &Path) -> String {
    printable_within(&Path::new("/").join(path).to_string_lossy(), 200)
}

/// The units that are started at boot.
#[derive(Debug, Default)]
struct Enabled {
    /// Names without `.service`, and the link that says so.
    units: BTreeMap<String, PathBuf>,
    /// Units that can't be started at all.
    masked: Vec<String>,
    /// Whether there was anything to read.
    is_known: bool,
}

impl Enabled {
    fn read(root: &Path) -> Self {
        let mut enabled = Self::default();
        let mut seen = Vec::new();
        for folder in SYSTEMD {
            // Where /lib is /usr/lib, that is one folder.
            let real = fs::canonicalize(root.join(folder)).ok();
            if real.is_some() && seen.contains(&real) {
                continue;
            }
            seen.push(real);
            for (name, path) in entries(&root.join(folder)) {
                let is_masked = || fs::read_link(&path).is_ok_and(|target| target == Path::new("/dev/null"));
                if WANTING.iter().any(|ending| name.ends_with(ending)) {
                    enabled.is_known = true;
                    enabled.add(root, &path);
                } else if folder.starts_with("etc") && is_masked() {
                    enabled.masked.push(stem(&name).to_owned());
                }
            }
        }
        for (_, level) in entries(&root.join(OPENRC)) {
            enabled.is_known = true;
            enabled.add(root, &level);
        }
        enabled
    }

    fn add(&mut self, root: &Path, folder: &Path) {
        for (name, path) in entries(folder) {
            let path = path.strip_prefix(root).map(Path::to_owned).unwrap_or(path);
            self.units.entry(stem(&name).to_owned()).or_insert(path);
        }
    }

    /// Whether one of the units is started at boot, and what says so.
    fn tell(&self, units: &[&str]) -> (Option<bool>, String) {
        let is_started =
            |unit: &&&str| self.units.contains_key(**unit) && !self.masked.iter().any(|masked| masked == **unit);
        match units.iter().find(is_started).and_then(|unit| self.units.get(*unit)) {
            Some(path) => (Some(true), shown(path)),
            None => (self.is_known.then_some(false), String::new()),
        }
    }
}

fn stem(unit: &str) -> &str {
    unit.strip_suffix(".service").unwrap_or(unit)
}

/// What is in a folder, by name.
fn entries(folder: &Path) -> BTreeMap<String, PathBuf> {
    let all = fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_ENTRIES);
    all.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .collect()
}

#[cfg(test)]
mod tests;
