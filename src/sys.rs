//! Layer sys.

pub mod clock;
pub mod netns;
pub mod runner;
