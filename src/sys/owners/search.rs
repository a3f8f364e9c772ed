//! Looking through the open files of processes for sockets.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::sys::cancel::Cancel;
use crate::sys::procfs::{Descriptors, Proc, socket_inode};

/// From this many processes on, two threads are faster than one (measured: 500 processes with 50
/// open files each take 54 instead of 92 ms, 60 with 15 each take the same).
const MANY_PROCESSES: usize = 128;
/// The same for sockets, each of which is an open file of some process.
const MANY_SOCKETS: usize = 512;

/// A process that holds a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    pub(super) inode: u32,
    pub(super) process: u32,
}

/// When to stop looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// As soon as somebody is found for each socket.
    AllFound,
    /// When there is nowhere left to look.
    Exhausted,
}

/// The sockets looked for, and which of them were found. Shared by the threads that look.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Sorted.
    inodes: Vec<u32>,
    /// For each inode.
    is_found: Vec<AtomicBool>,
    missing: AtomicUsize,
}

impl Wanted {
    pub(super) fn new(inodes: impl Iterator<Item = u32>) -> Self {
        let mut inodes: Vec<u32> = inodes.collect();
        inodes.sort_unstable();
        inodes.dedup();
        Self {
            is_found: inodes.iter().map(|_| AtomicBool::new(false)).collect(),
            missing: AtomicUsize::new(inodes.len()),
            inodes,
        }
    }

    /// The sockets nobody was found for.
    pub(super) fn missing(&self) -> impl Iterator<Item = u32> {
        self.inodes
            .iter()
            .zip(&self.is_found)
            .filter(|(_, is_found)| !is_found.load(Ordering::Relaxed))
            .map(|(inode, _)| *inode)
    }

    /// Notes a socket; whether it is one of those looked for.
    fn note(&self, inode: u32) -> bool {
        let Some(is_found) = self
            .inodes
            .binary_search(&inode)
            .ok()
            .and_then(|index| self.is_found.get(index))
        else {
            return false;
        };
        if !is_found.swap(true, Ordering::Relaxed) {
            self.missing.fetch_sub(1, Ordering::Relaxed);
        }
        true
    }

    fn is_done(&self, until: Until) -> bool {
        match until {
            Until::AllFound => self.missing.load(Ordering::Relaxed) == 0,
            Until::Exhausted => self.inodes.is_empty(),
        }
    }
}

/// Looks through these processes, as long as somebody wants it.
pub(super) fn among(proc: &Proc, processes: &[u32], wanted: &Wanted, until: Until, cancel: &Cancel) -> Vec<Holder> {
    let mut descriptors = Descriptors::new();
    let mut holders = Vec::new();
    for process in processes {
        if wanted.is_done(until) || cancel.is_cancelled() {
            break;
        }
        // One that ended, or that belongs to somebody else, holds nothing that can be seen.
        drop(descriptors.each(proc, *process, |_, target| {
            if let Some(inode) = socket_inode(target)
                && wanted.note(inode)
            {
                holders.push(Holder {
                    inode,
                    process: *process,
                });
                if wanted.is_done(until) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        }));
    }
    holders
}

/// Looks through all processes.
pub(super) fn everywhere(proc: &Proc, wanted: &Wanted, until: Until, cancel: &Cancel) -> Vec<Holder> {
    if wanted.is_done(until) {
        return Vec::new();
    }
    let processes = proc.processes().unwrap_or_default();
    let is_much = processes.len() >= MANY_PROCESSES || wanted.inodes.len() >= MANY_SOCKETS;
    in_two(processes, is_much, |half| among(proc, half, wanted, until, cancel))
}

/// Some processes, and the sockets they are expected to hold.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) processes: Vec<u32>,
    pub(super) wanted: Wanted,
}

/// Looks through each group for its own sockets, at least until those are found.
pub(super) fn in_groups(proc: &Proc, groups: &[Group], cancel: &Cancel) -> Vec<Holder> {
    let is_much = groups.iter().map(|group| group.wanted.inodes.len()).sum::<usize>() >= MANY_SOCKETS;
    in_two(groups.iter().collect(), is_much, |half| {
        half.iter()
            .flat_map(|group| among(proc, &group.processes, &group.wanted, Until::AllFound, cancel))
            .collect()
    })
}

/// Does the work on both halves at once, where it is much. Takes every other item: those that mean
/// much work are often next to each other.
fn in_two<T: Send + Sync>(items: Vec<T>, is_much: bool, work: impl Fn(&[T]) -> Vec<Holder> + Sync) -> Vec<Holder> {
    if !is_much {
        return work(&items);
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (index, item) in items.into_iter().enumerate() {
        if index % 2 == 0 { &mut first } else { &mut second }.push(item);
    }
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, || work(&second));
        let mut holders = work(&first);
        // Where no thread is to be had, in this one.
        let found = other.ok().and_then(|other| other.join().ok());
        holders.extend(found.unwrap_or_else(|| work(&second)));
        holders
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_no_longer_missing() {
        let wanted = Wanted::new([5, 3, 5].into_iter());
        assert!(!wanted.note(4));
        assert!(wanted.note(5));
        assert!(wanted.note(5));
        assert_eq!(wanted.missing().collect::<Vec<_>>(), [3]);
        assert!(!wanted.is_done(Until::AllFound));
        assert!(wanted.note(3));
        assert!(wanted.is_done(Until::AllFound));
        assert!(!wanted.is_done(Until::Exhausted));
    }

    #[test]
    fn both_halves_are_worked_on() {
        let holder = |number: &u32| Holder {
            inode: *number,
            process: *number,
        };
        for is_much in [false, true] {
            let mut found = in_two(vec![1, 2, 3, 4, 5], is_much, |half| half.iter().map(holder).collect());
            found.sort_unstable();
            let inodes: Vec<u32> = found.iter().map(|holder| holder.inode).collect();
            assert_eq!(inodes, [1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn nothing_wanted_is_nothing_to_do() {
        let wanted = Wanted::new(std::iter::empty());
        assert!(wanted.is_done(Until::AllFound) && wanted.is_done(Until::Exhausted));
    }
}
