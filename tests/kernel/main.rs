//! Tests against the kernel: each runs in a sandbox of its own, with real rules and real packets.
//!
//! They work with and without root, and fail, not skip, where the kernel or a program does not
//! give what they need: `ip`, `iptables` and `conntrack` must be installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::unused_self,
    missing_docs,
    unreachable_pub,
    reason = "test code"
)]

mod always;
mod backends;
mod basics;
mod blocks;
mod boot;
mod checks;
mod checkup;
mod clock;
mod concurrency;
mod containers;
mod counters;
mod damage;
mod deaths;
mod decisions;
mod docker;
mod drift;
mod facts;
mod faults;
mod foreign;
mod harness;
mod host;
mod keep;
mod lockout;
mod machine;
mod pressure;
mod promises;
mod proof;
mod published;
mod random;
mod raw;
mod reach;
mod reading;
mod recovery;
mod rehearsal;
mod reverting;
mod rules;
mod rulesets;
mod running;
mod sandbox;
mod services;
mod sessions;
mod storage;
mod supervision;
mod switching;
mod timer;
mod trial;
