//! The guard's twin: a process that does nothing but wait for the guard's death, and then does what
//! the guard would have done.

use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use crate::backend::Backend;
use crate::guard::{GuardError, channel, recover};
use crate::store::paths::Paths;
use crate::sys::runner::{SelfCall, spawn_self};

/// Attempts to close the trial, a second apart.
const ATTEMPTS: u32 = 30;

/// Starts a twin that watches this process, and waits until it does.
///
/// # Errors
/// Where it can't be started: a guard without a twin would be reduced protection nobody asked for.
pub(super) fn start(root: &Path) -> Result<(), GuardError> {
    let root = root.as_os_str().to_owned();
    let pid = getpid().as_raw_nonzero().to_string();
    let args = ["--root".into(), root, "guard".into(), "--twin-of".into(), pid.into()];
    let mut child = spawn_self(&SelfCall {
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
    let mut result = Ok(None);
    for _ in 0..ATTEMPTS {
        result = open_backend().and_then(|backend| recover(paths, backend.as_ref(), boot_id));
        // Still there: somebody else is closing it, and may die as well.
        if result.is_ok() && !paths.journal().exists() {
            break;
        }
        thread::sleep(Duration::from_secs(1));
    }
    result.map(|_outcome| ())
}
