//! Control groups (cgroups(7)): which systemd unit or container a socket was made in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::{CWD, FileType, OFlags, RawDir};

use crate::core::listener::Listener;
use crate::core::text::printable;
use crate::sys::procfs::{open, read_file};

/// `CGROUP2_SUPER_MAGIC` in linux/magic.h.
const CGROUP2: u64 = 0x6367_7270;
/// How many directories are looked into before ids count as gone.
const MOST_DIRECTORIES: usize = 10_000;
/// Characters of a container's id that are shown, as `docker ps` does.
const SHORT_ID: usize = 12;

/// The units the sockets were made in: cgroup id to systemd unit or container.
///
/// Works without root. Cgroups that are gone, and the root, are not in the map.
pub fn units(listeners: &[Listener]) -> BTreeMap<u64, String> {
    Cgroups::locate(listeners.iter().filter_map(|listener| listener.cgroup)).units()
}

/// Cgroups of the unified hierarchy, found by their id.
#[derive(Debug, Default)]
pub(super) struct Cgroups {
    root: Option<OwnedFd>,
    /// Id to path below the root.
    paths: BTreeMap<u64, String>,
}

impl Cgroups {
    /// Looks for cgroups. An id is the inode number of the directory (`cgroup_id()` in
    /// linux/cgroup.h), so reading the directories finds it, without opening what they hold.
    pub(super) fn locate(ids: impl Iterator<Item = u64>) -> Self {
        let mut wanted: BTreeSet<u64> = ids.collect();
        let Some(root) = mount().filter(|_| !wanted.is_empty()) else {
            return Self::default();
        };
        if let Ok(status) = rustix::fs::fstat(&root) {
            wanted.remove(&status.st_ino);
        }
        let paths = search(&root, wanted);
        Self {
            root: Some(root),
            paths,
        }
    }

    /// The processes in a cgroup; none for the root, and where it cannot be read.
    pub(super) fn processes(&self, id: u64) -> Option<Vec<u32>> {
        let path = self.paths.get(&id)?;
        let text = read_file(self.root.as_ref()?, &format!("{path}/cgroup.procs")).ok()?;
        Some(
            text.split(|byte| *byte == b'\n')
                .filter_map(|line| std::str::from_utf8(line).ok()?.parse().ok())
                // 0 stands for a process of another PID namespace.
                .filter(|process| *process != 0)
                .collect(),
        )
    }

    /// The names of the units.
    pub(super) fn units(&self) -> BTreeMap<u64, String> {
        self.paths
            .iter()
            .filter_map(|(id, path)| Some((*id, unit_of(path)?)))
            .collect()
    }
}

/// The root of cgroup v2, wherever it is mounted.
fn mount() -> Option<OwnedFd> {
    // Where systemd mounts it, in the unified and in the hybrid layout.
    let usual = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(str::to_owned);
    usual.into_iter().find_map(|path| open_cgroup2(&path)).or_else(|| {
        let table = read_file(CWD, "/proc/self/mountinfo").ok()?;
        mounts(&String::from_utf8_lossy(&table)).find_map(|path| open_cgroup2(&path))
    })
}

fn open_cgroup2(path: &str) -> Option<OwnedFd> {
    let root = open(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
    let status = rustix::fs::fstatfs(&root).ok()?;
    u64::try_from(status.f_type)
        .is_ok_and(|kind| kind == CGROUP2)
        .then_some(root)
}

/// The mount points of cgroup2 in `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`).
fn mounts(table: &str) -> impl Iterator<Item = String> {
    table.lines().filter_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let is_cgroup2 = source.split(' ').next() == Some("cgroup2");
        let path = mount.split(' ').nth(4)?;
        is_cgroup2.then(|| unescape(path))
    })
}

/// Spaces and the like are written as `\040`.
fn unescape(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(path.to_owned(), |path, (escaped, plain)| path.replace(escaped, plain))
}

/// Breadth first, since units are high up, and slices first, since they are what holds units.
fn search(root: &OwnedFd, mut wanted: BTreeSet<u64>) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    let (mut slices, mut others) = (VecDeque::from([".".to_owned()]), VecDeque::new());
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    for _ in 0..MOST_DIRECTORIES {
        if wanted.is_empty() {
            break;
        }
        let Some(path) = slices.pop_front().or_else(|| others.pop_front()) else {
            break;
        };
        // A cgroup that ended meanwhile holds nothing of interest.
        drop(children(root, &path, &mut buffer, |id, name| {
            let child = format!("{path}/{name}");
            if wanted.remove(&id) {
                found.insert(id, child.clone());
            }
            if name.strip_suffix(".slice").is_some() {
                slices.push_back(child);
            } else {
                others.push_back(child);
            }
        }));
    }
    found
}

/// The cgroups in a cgroup: their ids and names.
fn children(
    root: &OwnedFd,
    path: &str,
    buffer: &mut [MaybeUninit<u8>],
    mut each: impl FnMut(u64, &str),
) -> io::Result<()> {
    let directory = open(root, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
    let mut entries = RawDir::new(directory, buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        match entry.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) if entry.file_type() == FileType::Directory => each(entry.ino(), name),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// The unit or container a cgroup's path names: the outermost container, since what runs in it has
/// units of its own, and else the innermost unit (`user@1000.service/app.slice/foo.service`).
pub(super) fn unit_of(path: &str) -> Option<String> {
    let is_unit = |name: &&str| {
        [".service", ".socket", ".scope", ".mount"]
            .iter()
            .any(|ending| name.strip_suffix(ending).is_some_and(|stem| !stem.is_empty()))
    };
    let mut parent = "";
    let container = path.split('/').find_map(|name| {
        let found = container(parent, name);
        parent = name;
        found
    });
    container.or_else(|| path.rsplit('/').find(is_unit).map(printable))
}

/// The short name of a container's cgroup: `docker-0123456789ab.scope` where systemd makes them,
/// `docker-0123456789ab` where the engine does (a folder with the id), `lxc.payload.NAME`.
fn container(parent: &str, name: &str) -> Option<String> {
    if name.starts_with("lxc.payload.") {
        return Some(printable(name));
    }
    let (stem, ending) = match name.strip_suffix(".scope") {
        Some(stem) => (stem, ".scope"),
        None => (name, ""),
    };
    let (engine, id) = stem.rsplit_once('-').unwrap_or((parent, stem));
    let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = id.get(..SHORT_ID).filter(|_| is_id)?;
    Some(printable(&format!("{engine}-{short}{ending}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn paths_name_units_and_containers() {
        for (path, unit) in [
            ("/system.slice/ssh.service", Some("ssh.service")),
            ("./system.slice/cups.socket", Some("cups.socket")),
            ("/system.slice/postgresql.service/worker", Some("postgresql.service")),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
                Some("foo.service"),
            ),
            ("/user.slice/user-1000.slice/session-3.scope", Some("session-3.scope")),
            ("/init.scope", Some("init.scope")),
            ("/", None),
            ("", None),
            ("/system.slice", None),
            ("/.service", None),
            ("/lxc.payload.web/system.slice/nginx.service", Some("lxc.payload.web")),
        ] {
            assert_eq!(unit_of(path).as_deref(), unit, "{path}");
        }
        for (path, unit) in [
            (format!("/system.slice/docker-{ID}.scope"), "docker-0123456789ab.scope"),
            (
                format!("/machine.slice/libpod-{ID}.scope/container/system.slice/a.service"),
                "libpod-0123456789ab.scope",
            ),
            (format!("/docker/{ID}"), "docker-0123456789ab"),
        ] {
            assert_eq!(unit_of(&path).as_deref(), Some(unit), "{path}");
        }
    }

    #[test]
    fn unit_names_obey_no_terminal() {
        assert_eq!(unit_of("/a\u{1b}[2J.service").as_deref(), Some("a?[2J.service"));
    }

    #[test]
    fn the_mount_is_read_from_the_table() {
        let table = "24 1 0:22 / /sys rw - sysfs sysfs rw\n\
                     31 24 0:27 / /mnt/c\\040g rw,nosuid shared:9 - cgroup2 cgroup2 rw\n\
                     32 24 0:28 / /x rw - cgroup cgroup rw\n\
                     broken\n";
        assert_eq!(mounts(table).collect::<Vec<_>>(), ["/mnt/c g"]);
    }

    #[test]
    fn cgroups_that_do_not_exist_have_no_unit() {
        let cgroups = Cgroups::locate([u64::MAX].into_iter());
        assert!(cgroups.units().is_empty());
        assert_eq!(cgroups.processes(u64::MAX), None);
    }

    #[test]
    fn the_root_is_nobodys_unit() {
        let root = mount().expect("cgroup2 is mounted");
        let id = rustix::fs::fstat(&root).unwrap().st_ino;
        let cgroups = Cgroups::locate([id].into_iter());
        assert!(cgroups.units().is_empty());
        assert_eq!(cgroups.processes(id), None);
    }

    #[test]
    fn every_cgroup_is_found_by_its_id() {
        let root = mount().expect("cgroup2 is mounted");
        let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        let mut top = BTreeMap::new();
        children(&root, ".", &mut buffer, |id, name| {
            top.insert(id, format!("./{name}"));
        })
        .unwrap();
        let cgroups = Cgroups::locate(top.keys().copied());
        assert_eq!(cgroups.paths, top);
    }

    proptest! {
        #[test]
        fn no_path_makes_the_reader_panic(path in "\\PC{0,80}") {
            drop(unit_of(&path));
            mounts(&path).for_each(drop);
        }
    }
}
