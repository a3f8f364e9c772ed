//! The model of the packet filter against the kernel, packet by packet: random rulesets of every kind,
//! and those of real tools, are loaded in a sandbox, read back as fwtui reads them, and walked; then the
//! same packets are sent.
//!
//! What counts as arrived is what a raw socket behind the filter gets to see, so that nothing depends on
//! who listens or on the way back.
//!
//! The rulesets are the same every time: a run says something of the change it was made for. `make soak`
//! adds new ones. `FWTUI_SEED` plays one seed again, `FWTUI_CASES` sets how many packets there are at least.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::format_push_string,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::match_same_arms,
    clippy::range_plus_one,
    clippy::assigning_clones,
    clippy::unused_self,
    missing_docs,
    unreachable_pub,
    reason = "test code"
)]

mod case;
mod compare;
mod dice;
mod fixtures;
mod generate;
mod lab;
mod links;
mod packets;
mod places;
mod random;
mod ways;
