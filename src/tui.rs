//! Layer tui.
