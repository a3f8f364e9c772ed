//! What this machine is and does: sockets, interfaces, processes, the kernel's tables. Everything
//! is read anew at each call; nothing here decides.

pub mod cgroups;
pub mod host;
pub mod interfaces;
pub mod netlink;
pub mod nftables;
pub mod owners;
mod procfs;
pub mod session;
pub mod sock_diag;
