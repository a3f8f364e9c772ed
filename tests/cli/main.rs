//! The program from outside: arguments, exit codes, words, JSON, in an empty environment.
//!
//! Whatever needs root or rules runs in a sandbox; whatever must not have root runs without it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "test code"
)]

mod block;
mod catalogue;
mod check;
mod classic;
mod config;
mod documents;
mod explain;
mod facts;
mod harness;
mod json;
mod known;
mod links;
mod network;
mod nft;
mod set;
mod setup;
mod streams;
mod themes;
mod tools;
mod trial;
mod unprivileged;
mod usage;
