//! The terminal: taken over on entry, given back as it was, whatever happens.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::{Frame, Terminal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::pen::{END, Pen, forget_the_unseen};

/// Clicks and the wheel (1000) in the notation without limits (1006). Not the movements that
/// crossterm's own command asks for as well: they would wake the program for nothing.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// How long a terminal may take to be written to when it is given back: one whose reader stands still
/// gets its settings back, and no more.
const PATIENCE: Duration = Duration::from_millis(300);

/// Whether the terminal is ours. The panic hook has nothing else to go by.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Held while a frame is written, so that a thread that panics does not give the terminal back in
/// the middle of it.
static DRAWING: Mutex<()> = Mutex::new(());
/// How often, a millisecond each, it is waited for: in vain where drawing is what panicked.
const MOST_WAITS: u32 = 100;

type PanicHook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync + 'static;

/// The terminal while it is ours.
pub(super) struct Screen {
    terminal: Terminal<Pen<Out>>,
    previous_hook: Arc<Box<PanicHook>>,
    must_clear: bool,
    has_mouse: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn enter(has_mouse: bool, erases_in_color: bool) -> io::Result<Self> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Err(io::Error::other("standard input and output must be a terminal"));
        }
        let previous_hook: Arc<Box<PanicHook>> = Arc::new(panic::take_hook());
        let chained = Arc::clone(&previous_hook);
        panic::set_hook(Box::new(move |info| {
            restore();
            chained(info);
        }));
        IS_TAKEN.store(true, Ordering::SeqCst);
        let terminal = start(has_mouse).and_then(|()| Terminal::new(Pen::new(Out, size, erases_in_color)));
        match terminal {
            Ok(terminal) => Ok(Self {
                terminal,
                previous_hook,
                must_clear: false,
                has_mouse,
            }),
            Err(error) => {
                restore();
                panic::set_hook(Box::new(move |info| previous_hook(info)));
                Err(error)
            }
        }
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (u16, u16) {
        self.terminal
            .size()
            .map_or(USUAL_SIZE, |size| (size.width, size.height))
    }

    /// Draws a frame: only the cells that changed are written.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let _drawing = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        if !IS_TAKEN.load(Ordering::SeqCst) {
            // Another thread panicked and gave the terminal back: its message stays.
            return Ok(());
        }
        if std::mem::take(&mut self.must_clear) {
            // Not `clear`: that asks the terminal where the cursor is, and the thread that reads
            // the keys would get the answer.
            let area = self.terminal.size()?.into();
            self.terminal.backend_mut().forget();
            self.terminal.resize(area)?;
        }
        self.terminal.draw(|frame| {
            render(frame);
            forget_the_unseen(frame.buffer_mut());
        })?;
        Ok(())
    }

    /// Takes the terminal over again: a shell had it while this process was stopped. Without being
    /// in the foreground the process is stopped again here, as it should be.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        IS_TAKEN.store(true, Ordering::SeqCst);
        // Else the settings from before the stop are taken for those of now.
        disable_raw_mode()?;
        start(self.has_mouse)?;
        self.forget();
        Ok(())
    }

    /// Takes the mouse, or leaves it to the terminal, which then selects text with it.
    pub(super) fn set_mouse(&mut self, is_on: bool) -> io::Result<()> {
        self.has_mouse = is_on;
        execute!(stdout(), Print(if is_on { MOUSE_ON } else { MOUSE_OFF }))
    }

    /// Gives the terminal back, until it is taken over again.
    #[expect(clippy::unused_self, reason = "only whoever has it may give it back")]
    pub(super) fn give_back(&mut self) {
        restore();
    }

    /// No longer trusts what is on the screen: the next frame writes every cell.
    pub(super) const fn forget(&mut self) {
        self.must_clear = true;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
        // Hooks can't be changed while panicking; ours does nothing once the terminal is restored.
        if !thread::panicking() {
            let previous = Arc::clone(&self.previous_hook);
            panic::set_hook(Box::new(move |info| previous(info)));
        }
    }
}

fn start(has_mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    let mut out = stdout();
    execute!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if has_mouse {
        execute!(out, Print(MOUSE_ON))?;
    }
    Ok(())
}

/// Gives the terminal back, once. Errors have nobody to be told to: the terminal is gone then.
fn restore() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut waits = 0;
    let _not_drawing = loop {
        match DRAWING.try_lock() {
            Err(TryLockError::WouldBlock) if waits < MOST_WAITS => {
                waits += 1;
                thread::sleep(Duration::from_millis(1));
            }
            lock => break lock,
        }
    };
    give_back();
}

/// The same without waiting for a frame: that one will never be done.
pub(super) fn abandon() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        give_back();
    }
}

/// Whether the terminal is ours.
pub(super) fn is_taken() -> bool {
    IS_TAKEN.load(Ordering::SeqCst)
}

fn give_back() {
    let mut out = stdout();
    if can_write(PATIENCE) {
        let off = (Print(MOUSE_OFF), DisableBracketedPaste, Print(END), ResetColor);
        execute!(out, off.0, off.1, off.2, off.3, Show, LeaveAlternateScreen).ok();
        out.flush().ok();
    }
    disable_raw_mode().ok();
}

/// Whether the terminal takes what is written within this time.
fn can_write(within: Duration) -> bool {
    let out = stdout();
    let mut descriptors = [PollFd::new(&out, PollFlags::OUT)];
    let within = Timespec::try_from(within).ok();
    poll(&mut descriptors, within.as_ref()).is_ok_and(|ready| ready > 0)
}

/// What is taken for the size where the terminal has not been told its own, and says 0x0.
const USUAL_SIZE: (u16, u16) = (80, 24);

fn size() -> io::Result<(u16, u16)> {
    let size = terminal::size()?;
    Ok(if size.0 == 0 || size.1 == 0 { USUAL_SIZE } else { size })
}

/// Standard output without a buffer: a frame is written whole, not line by line.
#[derive(Debug)]
struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(stdout(), bytes) {
                // Whoever started us shares the terminal, and may not want to wait for it.
                Err(Errno::AGAIN) => {
                    can_write(PATIENCE);
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
