//! The other programs that decide over connections on this machine: which are there, what each does
//! at boot, and which undo one another.
//!
//! Facts of the units: all that load rules at boot are ordered before `network-pre.target`, and
//! `fwtui.service` after each of them; between themselves they have no order.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::core::listener::Family;
use crate::core::netfilter::Netfilter;
use crate::core::netfilter::owner::{Tool, by_names};

mod words;

pub use words::conflicts;

/// A program or a unit that loads rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// ufw.
    Ufw,
    /// firewalld.
    Firewalld,
    /// `nftables.service`: a file of nft's.
    Nftables,
    /// `netfilter-persistent.service`: files of iptables-save's, on Debian.
    NetfilterPersistent,
    /// `iptables.service` and `ip6tables.service`: the same on Arch and Fedora.
    Iptables,
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// libvirt.
    Libvirt,
    /// LXD or Incus.
    Lxd,
    /// fail2ban.
    Fail2ban,
    /// Tailscale.
    Tailscale,
}

impl Manager {
    /// All of them, those that decide over everything first.
    pub const ALL: [Self; 11] = [
        Self::Ufw,
        Self::Firewalld,
        Self::Nftables,
        Self::NetfilterPersistent,
        Self::Iptables,
        Self::Docker,
        Self::Podman,
        Self::Libvirt,
        Self::Lxd,
        Self::Fail2ban,
        Self::Tailscale,
    ];

    /// The word on the screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ufw => "ufw",
            Self::Firewalld => "firewalld",
            Self::Nftables => "nftables",
            Self::NetfilterPersistent => "netfilter-persistent",
            Self::Iptables => "iptables",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Libvirt => "libvirt",
            Self::Lxd => "lxd",
            Self::Fail2ban => "fail2ban",
            Self::Tailscale => "tailscale",
        }
    }

    /// Whether it is a firewall: something that decides over every connection, not over its own
    /// guests or over offenders only.
    pub const fn is_firewall(self) -> bool {
        matches!(
            self,
            Self::Ufw | Self::Firewalld | Self::Nftables | Self::NetfilterPersistent | Self::Iptables
        )
    }

    /// Whose its rules in the kernel are; none where they carry no name of its.
    const fn tool(self) -> Option<Tool> {
        Some(match self {
            Self::Ufw => Tool::Ufw,
            Self::Firewalld => Tool::Firewalld,
            Self::Nftables | Self::NetfilterPersistent | Self::Iptables => return None,
            Self::Docker => Tool::Docker,
            Self::Podman => Tool::Podman,
            Self::Libvirt => Tool::Libvirt,
            Self::Lxd => Tool::Lxd,
            Self::Fail2ban => Tool::Fail2ban,
            Self::Tailscale => Tool::Tailscale,
        })
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What the disk says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDisk {
    /// Which.
    pub manager: Manager,
    /// Whether it is started at boot; none where that can't be told.
    pub at_boot: Option<bool>,
    /// The file that told it, printable; empty where none did.
    pub how: String,
    /// What it loads, for those that load a file: its path, printable.
    pub file: Option<String>,
    /// Whether that file holds rules.
    pub has_rules: bool,
    /// Whether it empties what is there before it loads.
    pub flushes: bool,
}

/// A file that a unit loads at boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootFile {
    /// Whose unit loads it, if that is started.
    pub manager: Manager,
    /// Its path, printable.
    pub path: String,
    /// The family of a file of iptables-save's; none for nft's, which may hold both.
    pub family: Option<Family>,
    /// What is in it.
    pub text: String,
}

/// One that is in the kernel, or will be after the next boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Presence {
    /// Which.
    #[serde(rename = "tool")]
    pub manager: Manager,
    /// Whether rules of its are in the kernel; none where its rules carry no name, or the kernel can't
    /// be asked.
    pub in_kernel: Option<bool>,
    /// Whether it is started at boot; none where that can't be told.
    pub at_boot: Option<bool>,
    /// What told whether it is started at boot.
    pub how: String,
    /// What it does at boot, beside fwtui: one sentence.
    pub boot: String,
    /// Whether it has rules, or would load some.
    #[serde(skip)]
    pub has_rules: bool,
    /// Whether it empties what is there before it loads.
    #[serde(skip)]
    pub flushes: bool,
}

impl Presence {
    /// Whether it decides over connections, now or after the next boot.
    pub fn is_active(&self) -> bool {
        self.in_kernel == Some(true) || (self.at_boot == Some(true) && self.has_rules)
    }

    /// `ufw (active, at boot before fwtui)`
    pub fn words(&self) -> String {
        let order = match self.manager.is_firewall() {
            true => "before",
            false => "after",
        };
        let now = (self.in_kernel == Some(true)).then(|| "active".to_owned());
        let boot = match self.at_boot {
            Some(true) => Some(format!("at boot {order} fwtui")),
            Some(false) => Some("not at boot".to_owned()),
            None => None,
        };
        let facts: Vec<String> = now.into_iter().chain(boot).collect();
        match facts.is_empty() {
            true => self.manager.word().to_owned(),
            false => format!("{} ({})", self.manager, facts.join(", ")),
        }
    }
}

/// Which of them are there: in the kernel, or started at boot. Without the tools in the kernel
/// (`None`) only what boots is known.
pub fn present(on_disk: &[OnDisk], in_kernel: Option<&BTreeSet<Tool>>) -> Vec<Presence> {
    let presence = |manager: Manager| {
        let disk = on_disk.iter().find(|disk| disk.manager == manager);
        let at_boot = disk.and_then(|disk| disk.at_boot);
        let in_kernel = manager.tool().and_then(|tool| Some(in_kernel?.contains(&tool)));
        let is_there = in_kernel == Some(true) || at_boot == Some(true);
        is_there.then(|| Presence {
            manager,
            in_kernel,
            at_boot,
            how: disk.map(|disk| disk.how.clone()).unwrap_or_default(),
            boot: words::boot(manager, disk),
            has_rules: in_kernel == Some(true) || disk.is_some_and(|disk| disk.has_rules),
            flushes: disk.is_some_and(|disk| disk.flushes),
        })
    };
    Manager::ALL.into_iter().filter_map(presence).collect()
}

/// The tools whose chains are among these, as pairs of a table's and a chain's name.
pub fn in_kernel<'a>(chains: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<Tool> {
    // 'ufw disable' leaves most of its chains there, empty, but not these.
    let decides = |chain: &str, tool: Tool| tool != Tool::Ufw || chain.ends_with("-user-input");
    let named = chains
        .into_iter()
        .filter_map(|(table, chain)| Some((chain, by_names(table, chain)?)));
    named
        .filter(|(chain, tool)| decides(chain, *tool))
        .map(|(_, tool)| tool)
        .collect()
}

impl Netfilter {
    /// The names of all chains, with those of their tables: for [`in_kernel`].
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let tables = self.tables.iter();
        tables.flat_map(|table| {
            table
                .chains
                .iter()
                .map(|chain| (table.name.as_str(), chain.name.as_str()))
        })
    }
}

#[cfg(test)]
mod tests;
