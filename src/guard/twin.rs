//! The guard's twin: a process that does nothing but watch the guard, and does what the guard would
//! have done when that is dead, or stands still.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

use crate::backend::Backend;
use crate::guard::pulse::{Pulse, timespec};
use crate::guard::recover::recover_known;
use crate::guard::{GuardError, channel, recover, supervise};
use crate::store::paths::Paths;
use crate::store::state::Journal;
use crate::sys::clock;
use crate::sys::runner::{SelfCall, Stdin, spawn_self};

/// A guard that was silent for so long stands still.
const SILENCE: Duration = Duration::from_secs(10);
/// A twin that wakes so much later than it wanted has itself stood still.
const OVERSLEPT: Duration = Duration::from_secs(1);
/// What the guard gets then, since it may have stood still for the same reason.
const GRACE: Duration = Duration::from_secs(3);
/// No journal is longer.
const LONGEST_LINE: usize = 64 * 1024 * 1024;
/// Pauses between attempts to close the trial.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often what is on disk may stand in the way.
const MOST_REFUSALS: u32 = 30;
/// How long systemd's helper goes on; systemd would end it soon after.
const RECOVERY: Duration = Duration::from_secs(50);

/// Starts a twin that watches this process, waits until it does, and gives signs of life from then on.
///
/// # Errors
/// Where it can't be started: a guard without a twin would be reduced protection nobody asked for.
pub(super) fn start(root: &Path, journal: &Journal) -> Result<Pulse, GuardError> {
    const WHAT: &str = "the guard's twin can't be started";
    let root = root.as_os_str().to_owned();
    let pid = getpid().as_raw_nonzero().to_string();
    let args = ["--root".into(), root, "guard".into(), "--twin-of".into(), pid.into()];
    let mut child = spawn_self(&SelfCall {
        stdin: Stdin::Pipe,
        reads_back: true,
        ..SelfCall::new::<std::ffi::OsString>(args)
    })
    .map_err(GuardError::io(WHAT))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    thread::spawn(move || child.wait());
    let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(GuardError::Failed(WHAT.to_owned()));
    };
    let pulse = Pulse::of(stdin).map_err(GuardError::io(WHAT))?;
    pulse.tell(journal)?;
    match channel::read::<bool>(stdout) {
        Ok(true) => {
            pulse.clone().beat_for_ever();
            Ok(pulse)
        }
        _ => Err(GuardError::Failed(WHAT.to_owned())),
    }
}

/// Watches a guard and, when it is dead or stands still, closes the trial it may have left open.
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
    supervise::harden();
    let pid = Pid::from_raw(guard).ok_or(GuardError::Gibberish)?;
    let guard = pidfd_open(pid, PidfdFlags::empty())
        .map_err(|error| GuardError::io("the guard can't be watched")(error.into()))?;
    let mut ear = Ear::default();
    let mut journal = ear.first(&guard).ok_or(GuardError::Gibberish)?;
    let _unheard = channel::write(io::stdout(), &true);
    ear.until_its_end(&guard, &mut journal);
    let recover = |backend: &dyn Backend| recover_known(paths, backend, boot_id, &journal);
    close_patiently(paths, &open_backend, recover, None)
}

/// What systemd does when a guard has ended: closes the trial it may have left open, unless its twin
/// does.
///
/// # Errors
/// Where it can't be closed in time.
pub fn finish(
    paths: &Paths,
    open_backend: impl Fn() -> Result<Box<dyn Backend>, GuardError>,
    boot_id: &str,
) -> Result<(), GuardError> {
    let recover = |backend: &dyn Backend| recover(paths, backend, boot_id);
    close_patiently(paths, &open_backend, recover, Some(clock::since_boot() + RECOVERY))
}

/// The twin's side of the pipe.
#[derive(Debug, Default)]
struct Ear {
    begun: Vec<u8>,
    is_deaf: bool,
}

/// What can happen to a twin.
enum Sign {
    /// The guard has ended.
    Dead,
    /// These lines were said.
    Lines(Vec<Vec<u8>>),
    /// Nothing, for as long as asked.
    Silence,
}

impl Ear {
    /// The journal, which comes first.
    fn first(&mut self, guard: &OwnedFd) -> Option<Journal> {
        let deadline = clock::awake() + SILENCE;
        loop {
            match self.listen(guard, deadline) {
                Sign::Lines(lines) => {
                    if let Some(line) = lines.first() {
                        return serde_json::from_slice(line).ok();
                    }
                }
                Sign::Dead | Sign::Silence => return None,
            }
        }
    }

    /// Waits until the guard has ended, or makes it end.
    fn until_its_end(&mut self, guard: &OwnedFd, journal: &mut Journal) {
        let mut deadline = clock::awake() + SILENCE;
        let mut is_killed = false;
        loop {
            match self.listen(guard, deadline) {
                Sign::Dead => return,
                Sign::Lines(lines) => {
                    deadline = clock::awake() + SILENCE;
                    let told = lines.iter().rev().find_map(|line| serde_json::from_slice(line).ok());
                    *journal = told.unwrap_or_else(|| journal.clone());
                }
                Sign::Silence if !is_killed && clock::awake() > deadline + OVERSLEPT => {
                    deadline = clock::awake() + GRACE;
                }
                Sign::Silence => {
                    // By its descriptor: no other process is ever meant. One that can't be killed at
                    // once, since it waits for the kernel, is waited for.
                    is_killed |= pidfd_send_signal(guard, Signal::KILL).is_ok();
                    deadline = clock::awake() + GRACE;
                }
            }
        }
    }

    /// Waits until something happens, or this time (awake) has come.
    fn listen(&mut self, guard: &OwnedFd, deadline: Duration) -> Sign {
        loop {
            let stdin = io::stdin();
            let mut events = vec![PollFd::new(guard, PollFlags::IN)];
            if !self.is_deaf {
                events.push(PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN));
            }
            let left = deadline.saturating_sub(clock::awake());
            // A signal interrupts it.
            let Ok(count) = poll(&mut events, Some(&timespec(left))) else {
                continue;
            };
            let has = |index: usize| events.get(index).is_some_and(|event| !event.revents().is_empty());
            let (is_dead, is_said) = (has(0), has(1));
            if is_said {
                let lines = self.hear(stdin.as_fd());
                if !lines.is_empty() && !is_dead {
                    return Sign::Lines(lines);
                }
            }
            if is_dead {
                return Sign::Dead;
            }
            if count == 0 || clock::awake() >= deadline {
                return Sign::Silence;
            }
        }
    }

    /// Reads once; the lines that are whole by now.
    fn hear(&mut self, stdin: impl AsFd) -> Vec<Vec<u8>> {
        let mut buffer = [0; 8 * 1024];
        match rustix::io::read(stdin, &mut buffer) {
            Ok(0) => self.is_deaf = true,
            Ok(count) => self.begun.extend(buffer.iter().take(count)),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.is_deaf = true,
        }
        let mut lines = Vec::new();
        while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
            let rest = self.begun.split_off(end + 1);
            lines.push(std::mem::replace(&mut self.begun, rest));
        }
        // No guard of ours says so much.
        self.is_deaf |= self.begun.len() > LONGEST_LINE;
        lines
    }
}

/// Tries until the trial is closed, or until this time since boot. Where what is on disk stands in
/// the way again and again, the journal is left to the next start.
fn close_patiently<T>(
    paths: &Paths,
    open_backend: &impl Fn() -> Result<Box<dyn Backend>, GuardError>,
    recover: impl Fn(&dyn Backend) -> Result<T, GuardError>,
    until: Option<Duration>,
) -> Result<(), GuardError> {
    let (mut pause, mut refusals) = (SHORTEST_PAUSE, 0);
    loop {
        let is_closed = || !paths.journal().exists();
        let result = match is_closed() {
            true => return Ok(()),
            false => open_backend().and_then(|backend| recover(backend.as_ref())),
        };
        // Where it is still there, somebody else is closing it, and may die as well.
        if result.is_ok() && is_closed() {
            return Ok(());
        }
        refusals += u32::from(matches!(result, Err(GuardError::Store(_))));
        if refusals > MOST_REFUSALS || until.is_some_and(|until| clock::since_boot() > until) {
            return result.map(|_outcome| ());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
