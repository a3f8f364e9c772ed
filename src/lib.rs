//! fwtui: list what listens, decide who may connect, apply with a rollback timer.
//!
//! The modules form layers; each may use the ones to its left and none to its right:
//!
//! ```text
//! core <- sys <- backend, store <- guard <- app <- tui <- cli
//! ```
//!
//! `core` is pure: values in, values out, no I/O, no clock, no environment. `tui` reaches the
//! machine through `app` only. `tests/layers.rs` reads the `use` lines and fails on an arrow in
//! the other direction. `ARCHITECTURE.md` tells the same story at length.

pub mod app;
pub mod backend;
pub mod cli;
pub mod core;
pub mod guard;
pub mod store;
pub mod sys;
pub mod tui;
