//! What the guard tells those who watch it: that it lives, and what it is about.

use std::io::{self, Write};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;

use crate::guard::{GuardError, supervise};
use crate::store::state::Journal;
use crate::sys::clock;

/// How often the guard says that it lives.
const BEAT: Duration = Duration::from_secs(2);
/// How long a guard may take for one round: every program it runs has a limit of its own, and together
/// they stay below. One that takes longer hangs in something that has none, such as a dead disk.
const LONGEST_ROUND: Duration = Duration::from_secs(180);
/// How long a twin may take to read.
const READING: Duration = Duration::from_secs(2);

/// What a guard tells its twin: a line with the journal, and then empty lines, each a sign of life.
#[derive(Debug, Clone)]
pub(super) struct Pulse {
    twin: Arc<Mutex<Option<ChildStdin>>>,
    /// When the guard last went its round, in milliseconds of the clock that stops in sleep.
    round: Arc<AtomicU64>,
}

impl Pulse {
    pub(super) fn of(stdin: ChildStdin) -> io::Result<Self> {
        // A twin that stands still must not make the guard wait.
        ioctl_fionbio(&stdin, true)?;
        Ok(Self::to(Some(stdin)))
    }

    /// Where there is no twin.
    #[cfg(test)]
    pub(super) fn unheard() -> Self {
        Self::to(None)
    }

    fn to(twin: Option<ChildStdin>) -> Self {
        let pulse = Self {
            twin: Arc::new(Mutex::new(twin)),
            round: Arc::default(),
        };
        pulse.begin_round();
        pulse
    }

    /// Whether the twin is there, and listens.
    pub(super) fn is_heard(&self) -> bool {
        self.twin.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The guard goes on: it does not hang.
    pub(super) fn begin_round(&self) {
        let now = u64::try_from(clock::awake().as_millis()).unwrap_or(u64::MAX);
        self.round.store(now, Ordering::Relaxed);
    }

    fn goes_round(&self) -> bool {
        let begun = Duration::from_millis(self.round.load(Ordering::Relaxed));
        clock::awake() < begun.saturating_add(LONGEST_ROUND)
    }

    /// Tells the twin of another journal: what it is to go by from now on.
    ///
    /// # Errors
    /// Where it does not take it in time. It then hears nothing more, takes the guard for dead, and
    /// puts the old rules back.
    pub(super) fn tell(&self, journal: &Journal) -> Result<(), GuardError> {
        let failed = GuardError::io("the guard's twin does not listen");
        let text = match serde_json::to_vec(journal) {
            Ok(text) => [text, b"\n".to_vec()].concat(),
            Err(error) => return Err(failed(error.into())),
        };
        self.send(&text).map_err(failed)
    }

    fn beat(&self) {
        // One that finds the pipe full is heard as well: there is plenty to read.
        let _heard = self.send(b"\n");
    }

    fn send(&self, text: &[u8]) -> io::Result<()> {
        let mut pipe = self.twin.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stdin) = pipe.as_mut() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let result = write_within(stdin, text, READING);
        // A beat is there whole or not at all; half a journal would spoil what follows. Nobody reads
        // where the other end is closed.
        let is_gone = result
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        if is_gone || (result.is_err() && text.len() > 1) {
            *pipe = None;
        }
        result
    }

    /// Says every other second that the guard lives, to its twin and to systemd, until it ends or hangs.
    pub(super) fn beat_for_ever(self) {
        thread::spawn(move || {
            supervise::tell_systemd("READY=1");
            while self.goes_round() {
                self.beat();
                supervise::tell_systemd("WATCHDOG=1");
                thread::sleep(BEAT);
            }
        });
    }
}

fn write_within(stdin: &mut ChildStdin, mut text: &[u8], patience: Duration) -> io::Result<()> {
    let deadline = clock::awake() + patience;
    while !text.is_empty() {
        match stdin.write(text) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => text = text.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = deadline.saturating_sub(clock::awake());
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let _ready = poll(&mut [PollFd::new(stdin, PollFlags::OUT)], Some(&timespec(left)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// For `poll`.
pub(super) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ruleset::Own;
    use crate::store::state::BaseText;
    use crate::sys::runner::{SelfCall, Stdin, spawn_self};

    #[test]
    fn a_twin_that_does_not_read_makes_nobody_wait_for_ever() {
        let mut child = spawn_self(&SelfCall {
            through: Some("/bin/sleep".into()),
            stdin: Stdin::Pipe,
            ..SelfCall::new(["60"])
        })
        .unwrap();
        let pulse = Pulse::of(child.stdin.take().unwrap()).unwrap();
        pulse.beat();
        let mut journal = Journal {
            id: "x".repeat(1 << 20),
            boot_id: String::new(),
            at: String::new(),
            ipv4: BaseText::of(&Own::default()),
            ipv6: BaseText::of(&Own::default()),
            units: crate::core::unit::UnitWork::default(),
        };
        let began = clock::awake();
        pulse.tell(&journal).unwrap_err();
        assert!(clock::awake().saturating_sub(began) < READING * 3);
        // A half journal was the last it heard.
        journal.id.truncate(1);
        pulse.tell(&journal).unwrap_err();
        pulse.beat();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
