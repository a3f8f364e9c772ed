//! Which processes hold the listening sockets.
//!
//! The kernel does not say; it has to be looked up in `/proc/PID/fd` of every process. The cgroup
//! a socket was made in narrows that down to a few, but is only a hint, never updated when the
//! socket is handed on: so what is found there counts only with the socket's own inode, and what
//! is not found there is looked for everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::core::listener::{Listener, Owner};
use crate::core::service::{Ownership, Ports};
use crate::sys::cancel::Cancel;
use crate::sys::cgroups::{self, Cgroups};
use crate::sys::procfs::{self, Proc};

mod details;
mod search;

pub use details::user_name;

use search::{Group, Holder, Until, Wanted};

/// From this many processes in a cgroup on, the walk over all of them is as good.
const MOST_IN_CGROUP: usize = 256;

/// How often it is asked whether a search is still wanted.
const ASKING: Duration = Duration::from_millis(20);

/// So many searches may hang at once; who asks for another while they do is told that nobody was sought.
const MOST_SEARCHES: usize = 8;

static SEARCHES: AtomicUsize = AtomicUsize::new(0);

/// A search that has not come to its end, in its count.
struct UnderWay(&'static AtomicUsize);

impl UnderWay {
    /// Takes note of one more, unless there are too many.
    fn begin(count: &'static AtomicUsize) -> Option<Self> {
        let this = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < MOST_SEARCHES).then_some(this)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who holds the sockets, fast: the processes of each socket's own cgroup first, and all processes
/// for what is left. At least one process a socket; [`owners_complete`] finds all that share it.
///
/// Processes of others are not seen without the privilege to, and so not in the map.
pub fn owners_quick(listeners: &[Listener], cancel: &Cancel) -> Ownership {
    found_unless(cancel, listeners, |listeners, cancel| {
        let cgroups = Cgroups::locate(cgroup_ids(listeners));
        Ownership {
            by_inode: by_inode(|proc| quick(proc, listeners, &cgroups, cancel)),
            units: cgroups.units(),
            ..Ownership::default()
        }
    })
}

/// Everyone who holds the sockets: all processes are looked through, to the end.
pub fn owners_complete(listeners: &[Listener], cancel: &Cancel) -> Ownership {
    found_unless(cancel, listeners, |listeners, cancel| {
        let wanted = Wanted::new(inodes(listeners));
        Ownership {
            by_inode: by_inode(|proc| search::everywhere(proc, &wanted, Until::Exhausted, cancel)),
            units: cgroups::units(listeners),
            ..Ownership::default()
        }
    })
}

/// What a search finds, the whole of it; where it was stopped, what is known without it: nobody was
/// looked for.
///
/// It has a thread of its own, which is left to itself once it is no longer wanted: what it reads of
/// another process may wait for that process, and nobody can stop it there.
fn found_unless(
    cancel: &Cancel,
    listeners: &[Listener],
    search: fn(listeners: &[Listener], cancel: &Cancel) -> Ownership,
) -> Ownership {
    let unsought = || Ownership {
        units: cgroups::units(listeners),
        unsought: inodes(listeners).collect(),
        ..Ownership::default()
    };
    let Some(under_way) = (!cancel.is_cancelled()).then(|| UnderWay::begin(&SEARCHES)).flatten() else {
        return unsought();
    };
    let (sender, found) = sync_channel(1);
    let (sockets, wanted) = (listeners.to_vec(), cancel.clone());
    let thread = thread::Builder::new().name("owners".to_owned()).spawn(move || {
        // Nobody waits for it any more where that fails.
        sender.send(search(&sockets, &wanted)).ok();
        drop(under_way);
    });
    if thread.is_err() {
        // Where no thread is to be had, in this one.
        return search(listeners, cancel);
    }
    loop {
        match found.recv_timeout(ASKING) {
            Ok(ownership) if !cancel.is_cancelled() => return ownership,
            Err(RecvTimeoutError::Timeout) if !cancel.is_cancelled() => {}
            Ok(_) | Err(_) => return unsought(),
        }
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
pub struct Resolver(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    known: Arc<Ownership>,
    /// Inodes and cgroups that were looked for, found or not.
    seen_inodes: BTreeSet<u32>,
    seen_cgroups: BTreeSet<u64>,
}

impl Resolver {
    /// Who holds the sockets, looking only for those not seen before: cheap enough for every
    /// refresh. A socket nobody was found for is looked for again by a complete pass only.
    pub fn refresh(&self, listeners: &[Listener], cancel: &Cancel) -> Arc<Ownership> {
        let new = self.memory().news(listeners);
        if new.is_empty() {
            return self.known();
        }
        // Meanwhile nobody else waits for what is known.
        let found = owners_quick(&new, cancel);
        self.learn(listeners, &new, found)
    }

    /// The same with everyone who shares a socket: all of them are looked for anew. Where that is
    /// stopped, what was known before holds.
    pub fn complete(&self, listeners: &[Listener], cancel: &Cancel) -> Arc<Ownership> {
        let found = owners_complete(listeners, cancel);
        if found.unsought.is_empty() {
            *self.memory() = Memory::default();
        }
        self.learn(listeners, listeners, found)
    }

    /// What is known by now.
    pub fn known(&self) -> Arc<Ownership> {
        Arc::clone(&self.memory().known)
    }

    /// Takes over what a search found, and tells what is known then, with what is still to be looked for.
    fn learn(&self, listeners: &[Listener], sought: &[Listener], found: Ownership) -> Arc<Ownership> {
        let mut memory = self.memory();
        if found.unsought.is_empty() {
            memory.learn(sought, found);
            return Arc::clone(&memory.known);
        }
        let mut known = (*memory.known).clone();
        let unsought = inodes(listeners).filter(|inode| !memory.seen_inodes.contains(inode));
        known.unsought = unsought.collect();
        known.units.extend(found.units);
        Arc::new(known)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Those not seen before; what is gone is forgotten.
    fn news(&mut self, listeners: &[Listener]) -> Vec<Listener> {
        self.forget_all_but(listeners);
        let is_new = |listener: &&Listener| {
            !self.seen_inodes.contains(&listener.inode)
                || listener.cgroup.is_some_and(|id| !self.seen_cgroups.contains(&id))
        };
        listeners.iter().filter(is_new).cloned().collect()
    }

    fn learn(&mut self, listeners: &[Listener], ownership: Ownership) {
        self.seen_inodes.extend(listeners.iter().map(|listener| listener.inode));
        self.seen_cgroups.extend(cgroup_ids(listeners));
        let known = Arc::make_mut(&mut self.known);
        known.by_inode.extend(ownership.by_inode);
        known.units.extend(ownership.units);
    }

    fn forget_all_but(&mut self, listeners: &[Listener]) {
        let inodes: BTreeSet<u32> = listeners.iter().map(|listener| listener.inode).collect();
        let cgroups: BTreeSet<u64> = cgroup_ids(listeners).collect();
        self.seen_inodes.retain(|inode| inodes.contains(inode));
        self.seen_cgroups.retain(|id| cgroups.contains(id));
        let known = Arc::make_mut(&mut self.known);
        known.by_inode.retain(|inode, _| inodes.contains(inode));
        known.units.retain(|id, _| cgroups.contains(id));
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

fn quick(proc: &Proc, listeners: &[Listener], cgroups: &Cgroups, cancel: &Cancel) -> Vec<Holder> {
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
    let mut holders = search::in_groups(proc, &groups, cancel);
    let left = Wanted::new(groups.iter().flat_map(|group| group.wanted.missing()));
    holders.extend(search::everywhere(proc, &left, Until::AllFound, cancel));
    holders
}

#[cfg(test)]
mod tests;
