//! The pure core: values in, values out.
//!
//! No I/O, no clock, no environment, no order taken from a hash. Everything that decides lives
//! here and is tested without root.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod catalogue;
pub mod checkup;
pub mod config;
pub mod connections;
pub mod counters;
pub mod date;
pub mod json;
pub mod listened;
pub mod listener;
pub mod netfilter;
pub mod network;
pub mod overview;
pub mod plan;
pub mod policy;
pub mod proof;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "each place asks for a few of the many kinds of fields and statements; the walk itself names all"
)]
pub mod reach;
pub mod ruleset;
pub mod service;
pub mod setup;
pub mod text;
pub mod tools;
pub mod trial;
pub mod unit;
pub mod updates;
pub mod way_in;
