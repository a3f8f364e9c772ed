//! The machine below: sockets, processes, interfaces, programs, files, clocks.

pub mod clock;
pub mod files;
pub mod nftables;
pub mod runner;
