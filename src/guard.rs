//! Layer guard.
