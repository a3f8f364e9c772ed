//! Layer sys.
