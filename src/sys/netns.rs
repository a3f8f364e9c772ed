//! Namespaces: a network of one's own, without root where the system allows it.
//!
//! `man 7 user_namespaces`, `man 7 network_namespaces` and `man 8 ip-netns` (the convention that
//! a file under `/run/netns` is a name for a network namespace) are the sources.

pub mod links;
mod restriction;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::thread;

use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_change, mount_move,
    unmount,
};
use rustix::process::{getegid, geteuid};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

pub use restriction::Restriction;

/// Where named network namespaces live, for `ip netns` and for us.
pub const NAMED: &str = "/run/netns";

/// Why there is no namespace.
#[derive(Debug, thiserror::Error)]
pub enum NetnsError {
    /// The system does not let this user have namespaces.
    #[error("this user may not make namespaces: {}", reason(restriction.as_ref(), source))]
    Forbidden {
        /// The setting that forbids it, where one was found.
        restriction: Option<Restriction>,
        /// What the kernel said.
        source: io::Error,
    },
    /// One of the steps failed.
    #[error("could not {step}: {source}")]
    Step {
        /// What was tried, as in "could not ...".
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
}

fn reason(restriction: Option<&Restriction>, source: &io::Error) -> String {
    restriction.map_or_else(|| source.to_string(), ToString::to_string)
}

/// For `map_err`: the step that failed.
fn step<E: Into<io::Error>>(step: impl Into<String>) -> impl FnOnce(E) -> NetnsError {
    move |source| NetnsError::Step {
        step: step.into(),
        source: source.into(),
    }
}

/// What [`isolate`] got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// A user namespace of our own: root inside, nobody special outside.
    User,
    /// Real root's own network and mount namespaces: user namespaces were not to be had.
    Root,
}

/// Moves this process into a user, network and mount namespace of its own, as root of it. Real
/// root goes without the user namespace where there is none to be had.
///
/// Call it while there is one thread: the kernel refuses it afterwards.
///
/// # Errors
///
/// [`NetnsError::Forbidden`] where the system does not allow it; the process is then unchanged, or
/// of no more use for anything but ending.
pub fn isolate() -> Result<Isolation, NetnsError> {
    let (uid, gid) = (geteuid(), getegid());
    let private = UnshareFlags::NEWNET | UnshareFlags::NEWNS;
    let isolation = match unshare(private | UnshareFlags::NEWUSER) {
        Ok(()) => Isolation::User,
        Err(_) if uid.is_root() && unshare(private).is_ok() => Isolation::Root,
        Err(source) => return Err(forbidden(source.into())),
    };
    if isolation == Isolation::User {
        let map = [
            // Without this, an ordinary user may not write the map of groups.
            ("/proc/self/setgroups", "deny".to_owned()),
            ("/proc/self/uid_map", format!("0 {uid} 1")),
            ("/proc/self/gid_map", format!("0 {gid} 1")),
        ];
        for (path, text) in map {
            // Ubuntu's AppArmor lets the namespace come about and then allows nothing in it.
            fs::write(path, text).map_err(forbidden)?;
        }
    }
    // Else our mounts would show up outside.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).map_err(|error| {
        if isolation == Isolation::User && error == Errno::ACCESS {
            return forbidden(error.into());
        }
        step("make the mounts private")(error)
    })?;
    Ok(isolation)
}

fn forbidden(source: io::Error) -> NetnsError {
    NetnsError::Forbidden {
        restriction: Restriction::find(),
        source,
    }
}

/// Puts an empty file system in memory at a directory, for this mount namespace only.
///
/// # Errors
///
/// Where the kernel does not do it.
pub fn cover(directory: &Path) -> Result<(), NetnsError> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("fwtui", directory, "tmpfs", flags, c"mode=0755")
        .map_err(step(format!("mount a private {}", directory.display())))
}

/// Shows this network namespace's interfaces in `/sys/class/net`, as `ip netns exec` does; what
/// was at `/sys/fs/cgroup` stays visible. `scratch` is a directory of this mount namespace only.
///
/// # Errors
///
/// Where the kernel does not do it: in most containers `/sys` has been tampered with.
pub fn show_own_interfaces(scratch: &Path) -> Result<(), NetnsError> {
    let cgroups = Path::new("/sys/fs/cgroup");
    let tried = "mount a /sys of its own".to_owned();
    fs::create_dir_all(scratch).map_err(step(&tried))?;
    let has_cgroups = mount_bind_recursive(cgroups, scratch).is_ok();
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("sysfs", "/sys", "sysfs", flags, None).map_err(step(&tried))?;
    if has_cgroups && mount_move(scratch, cgroups).is_err() {
        unmount(scratch, UnmountFlags::DETACH).map_err(step(&tried))?;
    }
    Ok(())
}

/// The file that names a network namespace.
pub fn path_of(name: &str) -> PathBuf {
    Path::new(NAMED).join(name)
}

/// Makes a network namespace, runs `setup` in it, and names it. The name goes with the mount
/// namespace, the network with the last process, interface end and name.
///
/// # Errors
///
/// Where the kernel does not do it.
pub fn add<T: Send>(name: &str, setup: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
    let path = path_of(name);
    let tried = format!("make the network namespace '{name}'");
    fs::create_dir_all(NAMED).map_err(step(&tried))?;
    File::create_new(&path).map_err(step(&tried))?;
    on_a_thread(|| {
        unshare(UnshareFlags::NEWNET).map_err(step(&tried))?;
        mount_bind("/proc/thread-self/ns/net", &path).map_err(step(&tried))?;
        Ok(setup())
    })
}

/// A network namespace without a name that nobody else has. It ends with this value, and with the
/// last process in it.
#[derive(Debug)]
pub struct Scratch(File);

impl Scratch {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Where the kernel does not give one.
    pub fn new() -> Result<Self, NetnsError> {
        let tried = "make a scratch network namespace";
        on_a_thread(|| {
            unshare(UnshareFlags::NEWNET).map_err(step(tried))?;
            File::open("/proc/thread-self/ns/net").map(Self).map_err(step(tried))
        })
    }

    /// Runs a closure in it, on a thread of its own. Programs, sockets and threads that the closure
    /// makes are in it too.
    ///
    /// # Errors
    ///
    /// Where it may not be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
        on_a_thread(|| {
            move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
                .map_err(step("enter a scratch network namespace"))?;
            Ok(work())
        })
    }

    /// What names it to other programs, while it lasts.
    pub fn path(&self) -> PathBuf {
        let descriptor = self.0.as_raw_fd();
        PathBuf::from(format!("/proc/{}/fd/{descriptor}", std::process::id()))
    }
}

/// Runs a closure inside a named network namespace, on a thread of its own: the caller stays where
/// it is. Programs and threads started by the closure are in that namespace too.
///
/// # Errors
///
/// Where there is no such namespace, or it may not be entered.
pub fn enter<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> Result<T, NetnsError> {
    on_a_thread(|| {
        enter_for_good(name)?;
        Ok(work())
    })
}

/// Moves the calling thread, and what it starts from now on, into a named network namespace.
///
/// # Errors
///
/// Where there is no such namespace, or it may not be entered.
pub fn enter_for_good(name: &str) -> Result<(), NetnsError> {
    let tried = format!("enter the network namespace '{name}'");
    let file = File::open(path_of(name)).map_err(step(&tried))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(step(&tried))
}

fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        scope
            .spawn(work)
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Leaves the shared namespaces for new ones.
fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    debug_assert!(!flags.contains(UnshareFlags::FILES), "descriptors must stay shared");
    #[expect(unsafe_code, reason = "rustix has no safe way to unshare")]
    // SAFETY: unsharing is unsound only with FILES, which takes descriptors from other threads.
    unsafe {
        rustix::thread::unshare_unsafe(flags)
    }
}
