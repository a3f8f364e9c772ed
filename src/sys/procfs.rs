//! Processes, as proc(5) shows them. Reads what is asked for and nothing more: walking over every
//! open file of every process is what finding the owners of sockets costs.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir};
use rustix::io::retry_on_intr;

/// Longest link target read: more than any `socket:[N]` and any path worth showing.
const LONGEST_TARGET: usize = 512;
/// Room for the names of about a thousand open files a read.
const DIRECTORY_BUFFER: usize = 32 * 1024;

/// Reads a whole small file of procfs or cgroupfs, whose size is not known before.
pub(super) fn read_file(directory: impl AsFd, path: &str) -> io::Result<Vec<u8>> {
    let file = open(directory, path, OFlags::RDONLY)?;
    let mut bytes = Vec::with_capacity(4096);
    loop {
        bytes.reserve(4096);
        let length = retry_on_intr(|| rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)))?;
        if length == 0 {
            return Ok(bytes);
        }
    }
}

/// Reads a file of procfs that is a single record, such as `comm` or `stat`: those come with the
/// first read.
fn read_record(directory: impl AsFd, path: &str) -> io::Result<Vec<u8>> {
    let file = open(directory, path, OFlags::RDONLY)?;
    let mut bytes = Vec::with_capacity(4096);
    retry_on_intr(|| rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)))?;
    Ok(bytes)
}

/// Opens a file below a directory.
pub(super) fn open(directory: impl AsFd, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(retry_on_intr(|| {
        rustix::fs::openat(&directory, path, flags | OFlags::CLOEXEC, Mode::empty())
    })?)
}

/// The number a directory entry of `/proc` or `/proc/PID/fd` is named by.
fn number(name: &CStr) -> Option<u32> {
    name.to_str().ok()?.parse().ok()
}

/// The inode in a link to a socket: `socket:[12345]`.
pub(super) fn socket_inode(target: &[u8]) -> Option<u32> {
    let digits = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    // Digit by digit: this runs once for each open file of the machine.
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        number
            .checked_mul(10)?
            .checked_add(u32::from(digit))
            .filter(|_| digit < 10)
    })
}

/// `/proc`.
#[derive(Debug)]
pub(super) struct Proc {
    root: OwnedFd,
}

impl Proc {
    pub(super) fn open() -> io::Result<Self> {
        let root = open(CWD, "/proc", OFlags::PATH | OFlags::DIRECTORY)?;
        Ok(Self { root })
    }

    /// Every process (not thread) that can be seen, in the kernel's order.
    pub(super) fn processes(&self) -> io::Result<Vec<u32>> {
        // O_PATH gives nothing to read from.
        let directory = open(&self.root, ".", OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut buffer = vec![MaybeUninit::uninit(); DIRECTORY_BUFFER];
        let mut entries = RawDir::new(directory, &mut buffer);
        let mut processes = Vec::new();
        while let Some(entry) = entries.next() {
            processes.extend(number(entry?.file_name()));
        }
        Ok(processes)
    }

    /// Every process that goes by such a name.
    pub(super) fn processes_named(&self, is_meant: impl Fn(&str) -> bool) -> Vec<u32> {
        let mut processes = self.processes().unwrap_or_default();
        processes.retain(|process| self.name(*process).is_some_and(|name| is_meant(&name)));
        processes
    }

    /// The name a process has, as it or its program's file chose it; none for one that ended.
    pub(super) fn name(&self, process: u32) -> Option<String> {
        let text = read_record(&self.root, &format!("{process}/comm")).ok()?;
        let name = String::from_utf8_lossy(&text);
        // The name may end in line feeds of its own; the last one is the kernel's.
        Some(name.strip_suffix('\n').unwrap_or(&name).to_owned())
    }

    /// The path of its program, without the kernel's mark where that was deleted or replaced.
    pub(super) fn program(&self, process: u32) -> Option<String> {
        let target = rustix::fs::readlinkat(&self.root, format!("{process}/exe"), Vec::new()).ok()?;
        let path = target.to_string_lossy();
        Some(path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned())
    }

    /// Its effective user: the owner of its folder, whatever the process is protected from
    /// (`task_dump_owner` in fs/proc/base.c).
    pub(super) fn user(&self, process: u32) -> Option<u32> {
        let folder = rustix::fs::statat(&self.root, process.to_string(), AtFlags::empty());
        Some(folder.ok()?.st_uid)
    }

    /// Its name and its parent.
    pub(super) fn status(&self, process: u32) -> Option<Status> {
        Status::parse(&read_record(&self.root, &format!("{process}/stat")).ok()?)
    }

    /// What `fdinfo` says of one of its open files.
    pub(super) fn descriptor_info(&self, process: u32, descriptor: u32) -> Option<String> {
        let text = read_file(&self.root, &format!("{process}/fdinfo/{descriptor}")).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// The path of its cgroup.
    pub(super) fn cgroup(&self, process: u32) -> Option<String> {
        let text = read_record(&self.root, &format!("{process}/cgroup")).ok()?;
        cgroup_of(&String::from_utf8_lossy(&text)).map(str::to_owned)
    }
}

/// What `/proc/PID/stat` begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    /// The process's name, as it chose it.
    pub(super) name: String,
    /// Its parent; 0 for none (in this PID namespace).
    pub(super) parent: u32,
    /// Its process group; 0 for one whose first process is outside this PID namespace.
    pub(super) group: u32,
    /// Its session; 0 for one that began outside this PID namespace.
    pub(super) session: u32,
    /// The device number of its controlling terminal; 0 for none.
    pub(super) terminal: i32,
    /// When it was started, since boot: cut to a hundredth of a second (`USER_HZ`, which is 100 on
    /// every architecture Linux has users on).
    pub(super) started: Duration,
}

impl Status {
    /// Reads `PID (NAME) STATE PPID ...`. The name may hold spaces and parentheses, so it ends at
    /// the last one; the terminal is field 7, the start 22 (`proc_pid_stat(5)`).
    fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        let (_, rest) = text.split_once('(')?;
        let (name, rest) = rest.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        let terminal = fields.next()?.parse().ok()?;
        let ticks: u64 = fields.nth(14)?.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            parent,
            group,
            session,
            terminal,
            started: Duration::from_millis(ticks.saturating_mul(10)),
        })
    }
}

/// The path in `/proc/PID/cgroup` that systemd manages: cgroup v2's, and in a hybrid layout, where
/// that may be the root for all, systemd's own hierarchy of v1 (cgroups(7)).
fn cgroup_of(text: &str) -> Option<&str> {
    let path = |mark: &str| {
        text.lines()
            .find_map(|line| line.split_once(mark))
            .map(|(_, path)| path)
    };
    let unified = text.lines().find_map(|line| line.strip_prefix("0::"));
    unified
        .filter(|path| *path != "/")
        .or_else(|| path(":name=systemd:"))
        .or(unified)
}

/// Buffers for [`Descriptors::each`], to be used again and again.
#[derive(Debug)]
pub(super) struct Descriptors {
    entries: Vec<MaybeUninit<u8>>,
    target: [MaybeUninit<u8>; LONGEST_TARGET],
}

impl Descriptors {
    pub(super) fn new() -> Self {
        Self {
            entries: vec![MaybeUninit::uninit(); DIRECTORY_BUFFER],
            target: [MaybeUninit::uninit(); LONGEST_TARGET],
        }
    }

    /// Calls `each` with the number and the target of every open file of a process, until it breaks
    /// off.
    ///
    /// # Errors
    /// The process ended, or belongs to somebody else.
    pub(super) fn each(
        &mut self,
        proc: &Proc,
        process: u32,
        mut each: impl FnMut(u32, &[u8]) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let directory = open(&proc.root, &format!("{process}/fd"), OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut entries = RawDir::new(&directory, &mut self.entries);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            let Some(descriptor) = number(name) else {
                continue;
            };
            // It may have been closed meanwhile.
            let Ok((target, _)) = rustix::fs::readlinkat_raw(&directory, name, self.target.as_mut_slice()) else {
                continue;
            };
            if each(descriptor, target).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_may_hold_anything() {
        const REST: &str = "42 40 34817 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 1";
        let status = Status::parse(format!("42 (tmux: server) S 1 {REST}").as_bytes()).unwrap();
        assert_eq!(
            status,
            Status {
                name: "tmux: server".into(),
                parent: 1,
                group: 42,
                session: 40,
                terminal: 34817,
                started: Duration::from_millis(1_234_560),
            }
        );
        let status = Status::parse(format!("42 (a) S 7 (b)) R 99 {REST}").as_bytes()).unwrap();
        assert_eq!((status.name.as_str(), status.parent), ("a) S 7 (b)", 99));
        for text in ["", "42", "42 (a", "42 a) S 1", "42 (a) S", "42 (a) S x"] {
            assert_eq!(Status::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_unified_cgroup_comes_first_unless_all_are_in_its_root() {
        assert_eq!(
            cgroup_of("0::/system.slice/ssh.service\n"),
            Some("/system.slice/ssh.service")
        );
        let hybrid = "12:pids:/x\n1:name=systemd:/system.slice/cron.service\n0::/\n";
        assert_eq!(cgroup_of(hybrid), Some("/system.slice/cron.service"));
        assert_eq!(cgroup_of("0::/\n"), Some("/"));
        assert_eq!(cgroup_of(""), None);
    }

    #[test]
    fn socket_links_are_told_from_others() {
        assert_eq!(socket_inode(b"socket:[4294967295]"), Some(u32::MAX));
        for target in [
            &b"socket:[4294967296]"[..],
            b"socket:[1x]",
            b"socket:[1",
            b"pipe:[1]",
            b"/tmp/socket:[1]",
            b"",
        ] {
            assert_eq!(socket_inode(target), None);
        }
    }

    #[test]
    fn this_process_is_seen() {
        let proc = Proc::open().unwrap();
        let own = std::process::id();
        assert!(proc.processes().unwrap().contains(&own));
        assert_eq!(proc.status(own).unwrap().name, proc.name(own).unwrap());
        assert_eq!(proc.program(own).as_deref(), std::env::current_exe().unwrap().to_str());
        assert_eq!(proc.user(own), Some(rustix::process::geteuid().as_raw()));
        assert!(proc.cgroup(own).unwrap().starts_with('/'));
        assert_eq!(proc.status(u32::MAX), None);
    }

    #[test]
    fn open_files_are_walked_until_told_to_stop() {
        let proc = Proc::open().unwrap();
        let count = |limit: usize| {
            let mut count = 0;
            Descriptors::new()
                .each(&proc, std::process::id(), |_, _| {
                    count += 1;
                    if count == limit {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
                .unwrap();
            count
        };
        assert!(count(usize::MAX) > 2);
        assert_eq!(count(2), 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            drop(Status::parse(&bytes));
            let _: Option<u32> = socket_inode(&bytes);
            let _: Option<&str> = cgroup_of(&String::from_utf8_lossy(&bytes));
        }
    }
}
