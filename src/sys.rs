//! Layer sys.

pub mod clock;
pub mod runner;
