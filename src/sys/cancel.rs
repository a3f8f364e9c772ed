//! Stopping work that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const WANTED: u8 = 0;
const CANCELLED: u8 = 1;
const CLOSED: u8 = 2;

/// Whether somebody still wants what is being done. It is shared: each clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicU8>);

impl Cancel {
    /// Asks for the work to stop; whether it was in time.
    pub fn cancel(&self) -> bool {
        self.becomes(CANCELLED)
    }

    /// Whether that was asked for in time.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) == CANCELLED
    }

    /// From here on it is too late to stop; false where that was asked for already.
    pub fn close(&self) -> bool {
        self.becomes(CLOSED)
    }

    /// Whether it is too late.
    pub fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst) == CLOSED
    }

    fn becomes(&self, state: u8) -> bool {
        let swapped = self
            .0
            .compare_exchange(WANTED, state, Ordering::SeqCst, Ordering::SeqCst);
        swapped.is_ok() || swapped == Err(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_first_decides() {
        let cancel = Cancel::default();
        let other = cancel.clone();
        assert!(!cancel.is_cancelled() && !cancel.is_closed());
        assert!(other.cancel() && other.cancel());
        assert!(cancel.is_cancelled() && !cancel.close() && !cancel.is_closed());
        let cancel = Cancel::default();
        assert!(cancel.close() && !cancel.cancel());
        assert!(cancel.is_closed() && !cancel.is_cancelled());
    }
}
