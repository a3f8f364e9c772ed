//! The guard's twin: a process that does nothing but wait for the guard's death, and then does what
//! the guard would have done.

use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use crate::backend::Backend;
use crate::guard::recover::recover_known;
use crate::guard::{GuardError, channel};
use crate::store::paths::Paths;
use crate::store::state::Journal;
use crate::sys::runner::{SelfCall, Stdin, spawn_self};

/// Pauses between attempts to close the trial.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often the disk may refuse, once the rules are back.
const MOST_REFUSALS: u32 = 30;

/// Starts a twin that watches this process, and waits until it does.
///
/// # Errors
/// Where it can't be started: a guard without a twin would be reduced protection nobody asked for.
pub(super) fn start(root: &Path, journal: &Journal) -> Result<(), GuardError> {
    let text = serde_json::to_vec(journal).map_err(io::Error::other);
    let text = text.map_err(GuardError::io("the guard's twin can't be started"))?;
    let root = root.as_os_str().to_owned();
    let pid = getpid().as_raw_nonzero().to_string();
    let args = ["--root".into(), root, "guard".into(), "--twin-of".into(), pid.into()];
    let mut child = spawn_self(&SelfCall {
        stdin: Stdin::Bytes(text),
        reads_back: true,
        ..SelfCall::new::<std::ffi::OsString>(args)
    })
    .map_err(GuardError::io("the guard's twin can't be started"))?;
    let ready = child.stdout.take().map(channel::read::<bool>);
    thread::spawn(move || child.wait());
    match ready {
        Some(Ok(true)) => Ok(()),
        _ => Err(GuardError::Failed("the guard's twin can't be started".to_owned())),
    }
}

/// Watches a guard and, when it is gone, closes the trial it may have left open.
///
/// # Errors
/// Where the guard can't be watched, or the trial can't be closed.
pub fn watch(
    guard: i32,
    paths: &Paths,
    open_backend: impl Fn() -> Result<Box<dyn Backend>, GuardError>,
    boot_id: &str,
) -> Result<(), GuardError> {
    let _already = rustix::process::setsid();
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(GuardError::io("the journal can't be read"))?;
    let journal: Journal = serde_json::from_str(&text)
        .map_err(io::Error::other)
        .map_err(GuardError::io("the journal can't be read"))?;
    super::process::ignore_signals().map_err(GuardError::io("signals can't be handled"))?;
    let pid = Pid::from_raw(guard).ok_or(GuardError::Gibberish)?;
    let guard = pidfd_open(pid, PidfdFlags::empty())
        .map_err(|error| GuardError::io("the guard can't be watched")(error.into()))?;
    let _unheard = channel::write(io::stdout(), &true);
    let _flushed = io::stdout().flush();
    loop {
        let mut events = [PollFd::new(&guard, PollFlags::IN)];
        if poll(&mut events, None).is_ok() {
            break;
        }
    }
    close_patiently(paths, &open_backend, boot_id, &journal)
}

/// Tries until the trial is closed: nobody comes after the twin. Only where the rules are back and
/// the disk alone refuses does it leave the journal to the next start.
fn close_patiently(
    paths: &Paths,
    open_backend: &impl Fn() -> Result<Box<dyn Backend>, GuardError>,
    boot_id: &str,
    journal: &Journal,
) -> Result<(), GuardError> {
    let (mut pause, mut refusals) = (SHORTEST_PAUSE, 0);
    loop {
        let result = open_backend().and_then(|backend| recover_known(paths, backend.as_ref(), boot_id, journal));
        // Where it is still there, somebody else is closing it, and may die as well.
        if result.is_ok() && !paths.journal().exists() {
            return Ok(());
        }
        refusals += u32::from(matches!(result, Err(GuardError::Store(_))));
        if refusals > MOST_REFUSALS {
            return result.map(|_outcome| ());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
