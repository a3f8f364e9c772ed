//! Layer backend.
