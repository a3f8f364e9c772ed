//! The sandbox: a machine to play with, in namespaces of its own. Real services, real neighbours
//! on a public and on a trusted network, the kernel's real netfilter; nothing outside is touched,
//! and no root is needed.
//!
//! ```text
//!   public 203.0.113.1   203.0.113.10 eth0 ┌─────────┐ eth1 192.168.7.10   192.168.7.1  trusted
//!   stranger .66  ─────────────────────────┤ machine ├──────────────────────────┐
//!   2001:db8:1::/64                        └─────────┘                 fd07::/64 │ forwards
//!                                                          far 198.18.5.5, fd05::5
//! ```

mod knock;
mod links;
mod missing;
mod service;
mod services;
mod table;

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::sys::netns::{self, NetnsError};
use crate::sys::runner::{Runner, SYSTEM_PATH, run_in_foreground};

use super::error::Error;

pub use knock::{Knock, knock, knock_all};
pub use links::{FAR, MACHINE_PUBLIC, MACHINE_TRUSTED, Neighbour, PUBLIC, Pair, STRANGER, TRUSTED};
pub use service::{Socket, bind, serve, serve_socket};
pub use services::{SERVICES, Service};
pub use table::{PATIENCE, Row, Seen, Target, neighbours_at, print_rows, rows, targets};

/// Everything of the sandbox that is a file is below this, in memory.
const HOME: &str = "/run/fwtui-sandbox";

/// How a sandbox is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Namespaces and networks only: no services.
    pub bare: bool,
    /// The caller's `PATH`, for commands run inside; the system's where there is none.
    pub search_path: Option<OsString>,
}

/// A sandbox this process is in. Dropping it ends its services; the rest goes with the processes.
#[derive(Debug)]
pub struct Sandbox {
    services: Vec<Child>,
    search_path: Option<OsString>,
}

impl Sandbox {
    /// Moves this process into a new sandbox. Call it while the process has one thread.
    ///
    /// # Errors
    ///
    /// Says what is missing and how to get it: namespaces, a program, a module of the kernel.
    pub fn enter(runner: &dyn Runner, options: Options) -> Result<Self, Error> {
        missing::check_programs()?;
        netns::isolate().map_err(missing::explain)?;
        // A private /run: the lock of the xtables tools becomes writable, `ip netns` finds our
        // names and nobody else's, and no daemon of the machine can be reached by its socket.
        netns::cover(Path::new("/run")).map_err(missing::explain)?;
        for directory in [bin(), root()] {
            fs::create_dir_all(&directory).map_err(|error| failed("make its directories", error))?;
        }
        links::build(runner)?;
        // Containers do not let it be; then only the kind of an interface is shown less exactly.
        netns::show_own_interfaces(&Path::new(HOME).join("cgroup")).unwrap_or_default();
        fs::write(mark(), own_network()).map_err(|error| failed("mark it", error))?;
        let program = std::env::current_exe().map_err(|error| failed("find its own program", error))?;
        std::os::unix::fs::symlink(program, bin().join("fwtui")).map_err(|error| failed("link its program", error))?;
        let mut sandbox = Self {
            services: Vec::new(),
            search_path: options.search_path,
        };
        if !options.bare {
            // What listens here is a server's; without any folder nobody could tell.
            fs::create_dir_all(root().join("usr/share/fwtui"))
                .map_err(|error| failed("make its directories", error))?;
            services::start(&mut sandbox.services, &Path::new(HOME).join("services"))?;
        }
        Ok(sandbox)
    }

    /// The directory that stands for `/` in every path of fwtui's (`--root`, `FWTUI_ROOT`).
    pub fn root(&self) -> PathBuf {
        root()
    }

    /// Runs a command inside, with the terminal, and gives its exit code: 128 and the signal's
    /// number where a signal ended it.
    ///
    /// # Errors
    ///
    /// Where it cannot be started.
    pub fn run(&self, command: &[OsString]) -> Result<u8, Error> {
        let Some((program, args)) = command.split_first() else {
            return Err(Error::failed("there is no command to run in the sandbox"));
        };
        let mut path = bin().into_os_string();
        path.push(":");
        if let Some(search_path) = &self.search_path {
            path.push(search_path);
            path.push(":");
        }
        // Many users' PATH lacks the directories of iptables.
        path.push(SYSTEM_PATH);
        let variables = [("FWTUI_ROOT".into(), root().into()), ("PATH".into(), path)];
        let status = run_in_foreground(program, args, &variables).map_err(|error| {
            Error::failed(format!("could not run {}: {error}", program.to_string_lossy()))
                .hint("After -- come a program and its arguments: fwtui sandbox -- bash.")
        })?;
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for service in &mut self.services {
            // One that has ended already is what is wanted.
            service.kill().unwrap_or_default();
        }
        for service in &mut self.services {
            drop(service.wait());
        }
    }
}

/// Whether this process is inside a sandbox.
pub fn is_inside() -> bool {
    fs::read_to_string(mark()).is_ok_and(|text| !text.is_empty() && text == own_network())
}

/// The error of what works only inside.
pub fn outside() -> Error {
    Error::failed("there are no neighbours to knock from: this is not the sandbox")
        .hint("Start one with 'fwtui sandbox -- bash' and run 'fwtui knock' in it.")
}

fn bin() -> PathBuf {
    Path::new(HOME).join("bin")
}

fn root() -> PathBuf {
    Path::new(HOME).join("root")
}

/// Holds the identity of the sandbox's network, so that a file left by accident marks nothing.
fn mark() -> PathBuf {
    Path::new(HOME).join("network")
}

fn own_network() -> String {
    fs::read_link("/proc/self/ns/net").map_or_else(|_| String::new(), |link| link.display().to_string())
}

fn failed(step: &str, error: impl std::fmt::Display) -> Error {
    Error::failed(format!("the sandbox could not {step}: {error}"))
}

/// For the parts below.
impl From<NetnsError> for Error {
    fn from(error: NetnsError) -> Self {
        missing::explain(error)
    }
}
