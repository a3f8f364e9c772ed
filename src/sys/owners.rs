//! Which processes hold the listening sockets.
//!
//! The kernel does not say; it has to be looked up in `/proc/PID/fd` of every process. The cgroup
//! a socket was made in narrows that down to a few, but is only a hint, never updated when the
//! socket is handed on: so what is found there counts only with the socket's own inode, and what
//! is not found there is looked for everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::listener::{Listener, Owner};
use crate::core::service::{Ownership, Ports};
use crate::sys::cgroups::{self, Cgroups};
use crate::sys::procfs::{self, Proc};

mod details;
mod search;

pub use details::user_name;

use search::{Group, Holder, Until, Wanted};

/// From this many processes in a cgroup on, the walk over all of them is as good.
const MOST_IN_CGROUP: usize = 256;

/// Who holds the sockets, fast: the processes of each socket's own cgroup first, and all processes
/// for what is left. At least one process a socket; [`owners_complete`] finds all that share it.
///
/// Processes of others are not seen without the privilege to, and so not in the map.
pub fn owners_quick(listeners: &[Listener]) -> Ownership {
    let cgroups = Cgroups::locate(cgroup_ids(listeners));
    Ownership {
        by_inode: by_inode(|proc| quick(proc, listeners, &cgroups)),
        units: cgroups.units(),
    }
}

/// Everyone who holds the sockets: all processes are looked through, to the end.
pub fn owners_complete(listeners: &[Listener]) -> Ownership {
    let wanted = Wanted::new(inodes(listeners));
    Ownership {
        by_inode: by_inode(|proc| search::everywhere(proc, &wanted, Until::Exhausted)),
        units: cgroups::units(listeners),
    }
}

/// The ports the kernel gives to sockets that ask for none (`ip(7)`, `ip_local_port_range`).
pub fn ephemeral_ports() -> Ports {
    procfs::read_file(rustix::fs::CWD, "/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| port_range(&String::from_utf8_lossy(&text)))
        // The kernel's default.
        .or_else(|| Ports::new(32768, 60999))
        .unwrap_or(Ports::ALL)
}

fn port_range(text: &str) -> Option<Ports> {
    let mut words = text.split_ascii_whitespace().map(str::parse);
    match (words.next()?, words.next()?) {
        (Ok(first), Ok(last)) => Ports::new(first, last),
        _ => None,
    }
}

/// Remembers who holds which socket, so that a running program looks for the new ones only.
#[derive(Debug, Default)]
pub struct Resolver {
    known: Ownership,
    /// Inodes and cgroups that were looked for, found or not.
    seen_inodes: BTreeSet<u32>,
    seen_cgroups: BTreeSet<u64>,
}

impl Resolver {
    /// Who holds the sockets, looking only for those not seen before: cheap enough for every
    /// refresh. A socket nobody was found for is looked for again by a complete pass only.
    pub fn refresh(&mut self, listeners: &[Listener]) -> &Ownership {
        self.forget_all_but(listeners);
        let is_new = |listener: &&Listener| {
            !self.seen_inodes.contains(&listener.inode)
                || listener.cgroup.is_some_and(|id| !self.seen_cgroups.contains(&id))
        };
        let new: Vec<Listener> = listeners.iter().filter(is_new).cloned().collect();
        if !new.is_empty() {
            self.learn(&new, owners_quick(&new));
        }
        &self.known
    }

    /// Takes over what [`owners_complete`] found for these listeners, in another thread perhaps.
    pub fn complete(&mut self, listeners: &[Listener], ownership: Ownership) -> &Ownership {
        *self = Self::default();
        self.learn(listeners, ownership);
        &self.known
    }

    /// What is known by now.
    pub const fn known(&self) -> &Ownership {
        &self.known
    }

    fn learn(&mut self, listeners: &[Listener], ownership: Ownership) {
        self.seen_inodes.extend(listeners.iter().map(|listener| listener.inode));
        self.seen_cgroups.extend(cgroup_ids(listeners));
        self.known.by_inode.extend(ownership.by_inode);
        self.known.units.extend(ownership.units);
    }

    fn forget_all_but(&mut self, listeners: &[Listener]) {
        let inodes: BTreeSet<u32> = listeners.iter().map(|listener| listener.inode).collect();
        let cgroups: BTreeSet<u64> = cgroup_ids(listeners).collect();
        self.seen_inodes.retain(|inode| inodes.contains(inode));
        self.seen_cgroups.retain(|id| cgroups.contains(id));
        self.known.by_inode.retain(|inode, _| inodes.contains(inode));
        self.known.units.retain(|id, _| cgroups.contains(id));
    }
}

fn cgroup_ids(listeners: &[Listener]) -> impl Iterator<Item = u64> {
    listeners.iter().filter_map(|listener| listener.cgroup)
}

/// The inodes to look for: the kernel's own sockets have none.
fn inodes(listeners: &[Listener]) -> impl Iterator<Item = u32> {
    listeners
        .iter()
        .map(|listener| listener.inode)
        .filter(|inode| *inode != 0)
}

/// The holders that `find` finds, with their details. Nobody where there is no procfs.
fn by_inode(find: impl FnOnce(&Proc) -> Vec<Holder>) -> BTreeMap<u32, Vec<Arc<Owner>>> {
    let Ok(proc) = Proc::open() else {
        return BTreeMap::new();
    };
    let mut holders = find(&proc);
    holders.sort_unstable();
    holders.dedup();
    let processes: BTreeSet<u32> = holders.iter().map(|holder| holder.process).collect();
    let owners = details::owners(&proc, &processes);
    let mut by_inode: BTreeMap<u32, Vec<Arc<Owner>>> = BTreeMap::new();
    for holder in holders {
        // One that ended meanwhile has no details, and holds nothing any more.
        if let Some(owner) = owners.get(&holder.process) {
            by_inode.entry(holder.inode).or_default().push(Arc::clone(owner));
        }
    }
    by_inode
}

fn quick(proc: &Proc, listeners: &[Listener], cgroups: &Cgroups) -> Vec<Holder> {
    let mut by_cgroup: BTreeMap<Option<u64>, Vec<u32>> = BTreeMap::new();
    for listener in listeners.iter().filter(|listener| listener.inode != 0) {
        by_cgroup.entry(listener.cgroup).or_default().push(listener.inode);
    }
    let groups: Vec<Group> = by_cgroup
        .into_iter()
        .map(|(id, inodes)| Group {
            processes: id
                .and_then(|id| cgroups.processes(id))
                .filter(|processes| processes.len() <= MOST_IN_CGROUP)
                .unwrap_or_default(),
            wanted: Wanted::new(inodes.into_iter()),
        })
        .collect();
    let mut holders = search::in_groups(proc, &groups);
    let left = Wanted::new(groups.iter().flat_map(|group| group.wanted.missing()));
    holders.extend(search::everywhere(proc, &left, Until::AllFound));
    holders
}

#[cfg(test)]
mod tests;
