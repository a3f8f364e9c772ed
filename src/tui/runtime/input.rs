//! What comes from outside: keys, the mouse, signals, and the end of the terminal.

use std::io::{self, PipeWriter, stdin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

use super::keys::read_terminal;
use super::{Event, terminal};

/// Watches the signals; dropped, they do what they do to any other program.
pub(super) struct Watched(Handle);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.close();
        is_nobody_listening().store(true, Ordering::SeqCst);
    }
}

/// Starts listening to the terminal. The thread that reads it stays in its read until the process
/// ends: there is no way to interrupt it. The one that watches it ends with what is returned.
pub(super) fn listen(sender: &SyncSender<Event>) -> io::Result<PipeWriter> {
    let stop = watch_terminal(sender.clone())?;
    let sender = sender.clone();
    thread::Builder::new()
        .name("keys".into())
        .spawn(move || read_terminal(&sender))?;
    Ok(stop)
}

/// What asks the process to end.
const ENDINGS: [i32; 4] = [SIGTERM, SIGHUP, SIGINT, SIGQUIT];
/// How often, and how long each time, it is waited for the screens to end when they are asked to: two
/// seconds.
const WAITS: u32 = 200;
const WAIT: Duration = Duration::from_millis(10);

/// Whether these signals do again what they do to any other program: what handles them once stays
/// installed, and would swallow them.
fn is_nobody_listening() -> &'static Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    FLAG.get_or_init(Arc::default)
}

/// Watches the signals. Call it before the terminal is taken: no signal may find it taken and
/// nobody there to give it back.
pub(super) fn watch(sender: &SyncSender<Event>) -> io::Result<Watched> {
    static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
    // A signal's handlers run in the order they were registered in. What may end the process comes
    // first: behind the one that wakes us it could find the screens gone already, and end the process
    // by the very signal that was heard.
    if !IS_REGISTERED.swap(true, Ordering::SeqCst) {
        is_nobody_listening().store(true, Ordering::SeqCst);
        for signal in ENDINGS {
            flag::register_conditional_default(signal, Arc::clone(is_nobody_listening()))?;
        }
    }
    let mut signals = Signals::new(ENDINGS.iter().chain([&SIGCONT, &SIGTSTP]))?;
    is_nobody_listening().store(false, Ordering::SeqCst);
    let sender = sender.clone();
    let handle = signals.handle();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGCONT => Event::Resumed,
                SIGTSTP => Event::Suspend,
                ending => return end(&sender, ending),
            };
            if sender.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(Watched(handle))
}

/// Waits for the other end of the terminal to be closed: a reader that waits for input may miss it,
/// or take the end of the file for no input yet.
fn watch_terminal(sender: SyncSender<Event>) -> io::Result<PipeWriter> {
    let (reader, writer) = io::pipe()?;
    thread::Builder::new().name("hangup".into()).spawn(move || {
        let stdin = stdin();
        loop {
            let mut watched = [
                PollFd::new(&stdin, PollFlags::empty()),
                PollFd::new(&reader, PollFlags::IN),
            ];
            let is_interrupted = poll(&mut watched, None) == Err(rustix::io::Errno::INTR);
            let [terminal, stop] = watched;
            if !stop.revents().is_empty() {
                return;
            }
            if !is_interrupted || !terminal.revents().is_empty() {
                sender.send(Event::End(SIGHUP)).ok();
                return;
            }
        }
    })?;
    Ok(writer)
}

/// Asks the screens to end. Where they stand still, because nobody reads what they write, the process
/// ends by the signal, as any other would, with the terminal's settings as they were.
fn end(sender: &SyncSender<Event>, signal: i32) {
    let mut is_told = false;
    for _ in 0..WAITS {
        is_told = is_told || !matches!(sender.try_send(Event::End(signal)), Err(TrySendError::Full(_)));
        if is_told && !terminal::is_taken() {
            return;
        }
        thread::sleep(WAIT);
    }
    terminal::abandon();
    emulate_default_handler(signal).ok();
}
