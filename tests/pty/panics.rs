//! A defect in the program: the terminal is given back before the message is written.
//!
//! The program has no way to panic on purpose, so the screens are run here on a machine that does,
//! in a process and a terminal of their own.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fwtui::app::{Error, Observation, Setup, Status, TrialView};
use fwtui::core::policy::Policy;
use fwtui::core::service::ServiceId;
use fwtui::core::setup::Answers;
use fwtui::core::unit::Proposal;
use fwtui::tui::theme::ColorDepth;
use fwtui::tui::{
    ApplyRequest, Cancel, Changes, Depth, Machine, Options, Restored, Seen, Settings, Started, Stops, run,
};

use crate::terminal::Terminal;

/// Set in the process that is to panic, to the thread it happens on.
const WHERE: &str = "FWTUI_PTY_PANIC";

/// A machine with a defect.
struct Broken {
    is_worker: bool,
    clock_readings: AtomicU32,
}

impl Machine for Broken {
    fn look(&self, depth: Depth, _: &Stops) -> Observation {
        assert!(!self.is_worker || depth < Depth::Complete, "a defect in a look");
        Observation::default()
    }

    fn save(&self, _: &Policy, _: &Policy) -> Result<(), Error> {
        Ok(())
    }

    fn apply(&self, _: &ApplyRequest, _: &Cancel) -> Result<Started, Error> {
        Err(Error::failed("nothing to apply"))
    }

    fn confirm(&self, _: &str, _: bool) -> Result<Option<String>, Error> {
        Ok(None)
    }

    fn revert(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn extend(&self, _: &str) -> Result<TrialView, Error> {
        Err(Error::failed("nothing to extend"))
    }

    fn restore(&self) -> Result<(Restored, Option<Error>), Error> {
        Ok((Restored::Nothing, None))
    }

    fn checkup(&self, _: &Cancel) -> Option<fwtui::app::check::Checkup> {
        None
    }

    fn propose(&self, _: &ServiceId) -> Result<Proposal, Error> {
        Err(Error::failed("nothing to disable"))
    }

    fn changes(&self) -> Option<Changes> {
        None
    }

    fn status(&self) -> Status {
        Status::default()
    }

    fn knock(&self, _: &ServiceId) -> Option<Vec<Seen>> {
        None
    }

    fn setup(&self, _: &Observation) -> Setup {
        panic!("never asked for")
    }

    fn needs_setup(&self) -> bool {
        false
    }

    fn keep_answers(&self, _: &Answers) -> Result<(), Error> {
        Ok(())
    }

    fn forget_answers(&self) -> Result<(), Error> {
        Ok(())
    }

    fn since_boot(&self) -> Duration {
        let thread = std::thread::current();
        // Once at the start, and again with the first event.
        let calls = self.clock_readings.fetch_add(1, Ordering::SeqCst);
        assert!(self.is_worker || calls == 0, "a defect on {:?}", thread.name());
        Duration::from_secs(5000)
    }
}

/// Runs the screens until they panic, if this is the process for it.
fn panic_if_asked() -> bool {
    let Ok(place) = std::env::var(WHERE) else {
        return false;
    };
    let options = Options {
        settings: Settings {
            color: ColorDepth::Many,
            ..Settings::default()
        },
        is_sandbox: false,
        start: fwtui::tui::Start::Screens,
    };
    let machine = Broken {
        is_worker: place == "worker",
        clock_readings: AtomicU32::new(0),
    };
    let outcome = run(Arc::new(machine), &options);
    panic!("the screens ended with {outcome:?}");
}

/// This test again, in a terminal of its own.
fn panicking(test: &str, place: &str) -> Terminal {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(WHERE, place)
        .env("RUST_BACKTRACE", "0");
    Terminal::with((100, 30), &command)
}

#[test]
fn on_the_main_thread() {
    if !panic_if_asked() {
        let mut terminal = panicking("panics::on_the_main_thread", "main");
        terminal.ends();
        terminal.is_as_before();
        assert!(terminal.written().contains("\u{1b}[?1049h"), "the screens were there");
        terminal.line("a defect on");
    }
}

#[test]
fn on_a_worker() {
    if !panic_if_asked() {
        let mut terminal = panicking("panics::on_a_worker", "worker");
        terminal.ends();
        terminal.is_as_before();
        assert!(terminal.written().contains("\u{1b}[?1049h"), "the screens were there");
        terminal.line("a defect in a look");
        terminal.line("a worker thread panicked");
    }
}
