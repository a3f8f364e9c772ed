//! The screens as somebody at a terminal meets them: the real program on a real pseudo-terminal,
//! in a sandbox with real rules, read back through a terminal emulator.
//!
//! They work with and without root, and fail, not skip, where something is missing: `iptables`,
//! `ip` and `setsid` must be installed.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::unused_self,
    missing_docs,
    unreachable_pub,
    reason = "test code"
)]

mod bytes;
mod cancelling;
mod checkup;
mod colours;
mod config;
mod cycle;
mod deaths;
mod drift;
mod endings;
mod job;
mod keys;
mod lab;
mod looking;
mod names;
mod panics;
mod pastes;
mod planning;
mod proof;
mod screenshots;
mod setup;
mod sizes;
mod slow;
mod stalled;
mod streams;
mod terminal;
mod trial;
mod unprivileged;
mod widths;
