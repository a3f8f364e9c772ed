//! Being told to end by ctrl-c or SIGTERM: as long as nothing has changed it ends as any program would,
//! and later not without a word about the trial.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::app::{Cancel, TRIAL_BEGINS, TrialView};
use crate::cli::output::Out;
use crate::cli::told_to_end;

/// What was asked of this process.
#[derive(Debug)]
pub(super) struct Interrupt {
    cancel: Cancel,
    /// The signal; 0 means none.
    caught: Arc<AtomicI32>,
    is_applying: Arc<AtomicBool>,
}

impl Interrupt {
    /// Begins to watch, for an apply that takes this word for a stop.
    pub(super) fn watch(words: Out) -> io::Result<Self> {
        let watched = Self {
            cancel: Cancel::default(),
            caught: Arc::default(),
            is_applying: Arc::new(AtomicBool::new(true)),
        };
        let (cancel, caught) = (watched.cancel.clone(), Arc::clone(&watched.caught));
        let is_applying = Arc::clone(&watched.is_applying);
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if cancel.cancel() {
                    emulate_default_handler(signal).ok();
                }
                let is_first = caught.swap(signal, Ordering::SeqCst) == 0;
                match (is_applying.load(Ordering::SeqCst), is_first) {
                    (true, true) => words.note("\nToo late to stop: the new rules are being put on trial. One moment."),
                    // Whoever asks twice does not wait for what becomes of it.
                    (true, false) => {
                        words.note(&format!("\n{TRIAL_BEGINS}"));
                        emulate_default_handler(signal).ok();
                    }
                    (false, _) => {}
                }
            }
        })?;
        Ok(watched)
    }

    /// What stops the apply.
    pub(super) const fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The trial runs: from here on signals are taken one by one.
    pub(super) fn has_applied(&self) {
        self.is_applying.store(false, Ordering::SeqCst);
    }

    /// The signal since the last time this was asked.
    pub(super) fn take(&self) -> Option<i32> {
        Some(self.caught.swap(0, Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}

/// Says that the trial goes on; the exit code for it.
pub(super) fn leave(trial: &TrialView, signal: i32, now: std::time::Duration, out: &Out) -> u8 {
    out.note(&format!("\n{}", trial.goes_on(now)));
    told_to_end(signal)
}
