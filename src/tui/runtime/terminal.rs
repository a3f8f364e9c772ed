//! The terminal: taken over on entry, given back as it was, whatever happens.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write, stdin, stdout};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::DisableBracketedPaste;
use crossterm::execute;
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

/// Clicks and the wheel (1000) in the notation without limits (1006). Not the movements that
/// crossterm's own command asks for as well: they would wake the program for nothing.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// One frame is one write, as long as it fits here.
const FRAME_BUFFER: usize = 64 * 1024;

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
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    previous_hook: Arc<Box<PanicHook>>,
    must_clear: bool,
    has_mouse: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn enter(has_mouse: bool) -> io::Result<Self> {
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
        let started = start(has_mouse);
        let terminal = started
            .and_then(|()| Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(FRAME_BUFFER, stdout()))));
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

    /// Columns and rows. Some pseudo-terminals say 0x0 until they are told.
    pub(super) fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or((80, 24), |size| (size.width, size.height))
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
            self.terminal.resize(area)?;
        }
        self.terminal.draw(render)?;
        Ok(())
    }

    /// Takes the terminal over again: a shell had it while this process was stopped. Without being
    /// in the foreground the process is stopped again here, as it should be.
    pub(super) fn resume(&mut self) -> io::Result<()> {
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
    execute!(out, EnterAlternateScreen, DisableBracketedPaste, Hide)?;
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
    let mut out = stdout();
    execute!(out, Print(MOUSE_OFF), ResetColor, Show, LeaveAlternateScreen).ok();
    out.flush().ok();
    disable_raw_mode().ok();
}
