//! The machine below: sockets, processes, interfaces, the kernel's tables, programs, files, clocks.
//! Everything is read anew at each call; nothing here decides.

pub mod behalf;
pub mod cancel;
pub mod cgroups;
pub mod clock;
pub mod connections;
pub mod containers;
pub mod files;
pub mod glob;
pub mod host;
pub mod interfaces;
pub mod job;
pub mod knock;
pub mod logspace;
pub mod netlink;
pub mod netns;
pub mod nftables;
pub mod owners;
pub mod ping;
mod procfs;
pub mod routing;
pub mod runner;
pub mod session;
pub mod sock_diag;
pub mod sysctl;
pub mod systemd;
pub mod tools;
pub mod units;
pub mod updates;
