//! The guard as a process: detached, waiting on its timer, its socket and its signals.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2,
};

use crate::backend::Backend;
use crate::core::trial::Event;
use crate::guard::channel;
use crate::guard::hold::Switched;
use crate::guard::pulse::Pulse;
use crate::guard::{Answer, GuardError, Holder, Job, Message, Report, Request, supervise, twin};
use crate::store::paths::Paths;
use crate::sys::{clock, session};

/// How often a guard looks up without being called: at the wall clock, and for new connections.
const LOOK_UP: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };
/// How long a client may take to say what it wants. It says so right after connecting, but on a
/// machine that is out of breath that takes its time.
const LONGEST_PATIENCE: Duration = Duration::from_secs(2);
/// The same with the deadline at hand.
const SHORTEST_PATIENCE: Duration = Duration::from_millis(50);

/// Reads a job from standard input, tries it, reports on standard output, and holds it to its end.
///
/// # Errors
/// Where there was no trial to hold; the report has said so to whoever started us.
pub fn run(
    open_backend: impl FnOnce() -> Result<Box<dyn Backend>, GuardError>,
    boot_id: &str,
) -> Result<(), GuardError> {
    let result = prepare(open_backend).and_then(|(job, backend)| {
        let stop = stop_signal().map_err(GuardError::io("signals can't be handled"))?;
        hold(job, backend.as_ref(), boot_id, &stop, accompany, report)
    });
    if let Err(error) = &result {
        let report = match error {
            GuardError::Busy => Report::Busy,
            other => Report::Failed(other.to_string()),
        };
        // Whoever started us may be gone; the state folder has the outcome.
        let _unheard = channel::write(io::stdout(), &report);
    }
    result
}

fn prepare(
    open_backend: impl FnOnce() -> Result<Box<dyn Backend>, GuardError>,
) -> Result<(Job, Box<dyn Backend>), GuardError> {
    // Out of the terminal's session, before anything can go wrong with it. It fails where we lead a
    // group already, and then we are out of it.
    let _already = rustix::process::setsid();
    ignore_signals().map_err(GuardError::io("signals can't be handled"))?;
    supervise::harden();
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(GuardError::io("the job can't be read"))?;
    let job = serde_json::from_str(&text)
        .map_err(io::Error::other)
        .map_err(GuardError::io("the job can't be read"))?;
    Ok((job, open_backend()?))
}

/// Starts the twin, and lets the programs that load rules hold the lock.
fn accompany(holder: &Holder<'_>, root: &Path) -> Result<Pulse, GuardError> {
    let pulse = twin::start(root, holder.journal())?;
    // The twin is not among the lock's holders: it is to take it when they are gone.
    holder
        .share_lock()
        .map_err(GuardError::io("the lock can't be shared"))?;
    Ok(pulse)
}

/// Says that the trial runs; it holds whether or not anybody hears of it.
fn report(Switched { deadline, took }: Switched) {
    let _unheard = channel::write(
        io::stdout(),
        &Report::Applied {
            deadline,
            switched_in: took,
        },
    );
    let _attached = let_go_of_terminal();
}

/// Arms, switches and holds a trial to its end. `accompany` is called before anything changes, and
/// nothing does where it fails; `report` once the new rules are in force. A byte from `stop` ends it.
fn hold(
    job: Job,
    backend: &dyn Backend,
    boot_id: &str,
    stop: &UnixStream,
    accompany: impl FnOnce(&Holder<'_>, &Path) -> Result<Pulse, GuardError>,
    report: impl FnOnce(Switched),
) -> Result<(), GuardError> {
    let paths = Paths::under(&job.root);
    let root = job.root.clone();
    let mut holder = Holder::arm(backend, job, boot_id)?;
    let armed = channel::listen(&paths.socket())
        .map_err(GuardError::io("the guard's socket can't be made"))
        .and_then(|listener| {
            Timer::new()
                .map_err(GuardError::io("no timer"))
                .map(|timer| (listener, timer))
        })
        .and_then(|ready| accompany(&holder, &root).map(|pulse| (ready, pulse)));
    let ((listener, timer), pulse) = match armed {
        Ok(ready) => ready,
        Err(error) => {
            let _gone = std::fs::remove_file(paths.socket());
            // Nothing has changed; this closes the journal.
            holder.on(Event::Failed(error.to_string()), clock::moment());
            return Err(error);
        }
    };
    let switched = match holder.switch(clock::moment) {
        Ok(switched) => switched,
        Err(error) => {
            close(listener, &paths);
            holder.clean();
            return Err(error);
        }
    };
    timer.set(switched.deadline);
    report(switched);
    wait(&mut holder, &timer, &listener, stop, &pulse);
    close(listener, &paths);
    holder.clean();
    Ok(())
}

/// From here on nobody finds us any more.
fn close(listener: UnixListener, paths: &Paths) {
    drop(listener);
    // The next guard replaces one that stays behind.
    let _gone = std::fs::remove_file(paths.socket());
}

/// Waits for one of three things until the trial is over.
fn wait(holder: &mut Holder<'_>, timer: &Timer, listener: &UnixListener, stop: &UnixStream, pulse: &Pulse) {
    while !holder.trial().is_over() {
        pulse.begin_round();
        let mut events = [
            PollFd::from_borrowed_fd(timer.0.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
        ];
        // A signal interrupts it; then one looks again.
        let _ready = poll(&mut events, Some(&LOOK_UP));
        let is_stopped = events.get(2).is_some_and(|event| !event.revents().is_empty());
        // Whatever woke us: the deadline is looked at first.
        holder.on(if is_stopped { Event::Stop } else { Event::Tick }, clock::moment());
        holder.keep_time(clock::moment());
        // One at a time: before each the deadline is looked at again.
        if let Ok((stream, _)) = listener.accept() {
            serve(holder, &stream, pulse);
        }
        holder.look_for_evidence(clock::since_boot());
        if let Some(deadline) = holder.trial().deadline() {
            timer.set(deadline);
        }
    }
}

/// Answers one client. One that says nothing in time, or nonsense, gets no answer.
fn serve(holder: &mut Holder<'_>, stream: &UnixStream, pulse: &Pulse) {
    let Some(deadline) = holder.trial().deadline() else {
        return;
    };
    // Nobody's slowness moves the deadline.
    let left = deadline.saturating_sub(clock::since_boot());
    let patience = left.clamp(SHORTEST_PATIENCE, LONGEST_PATIENCE);
    let Some(caller) = channel::caller(stream) else {
        return;
    };
    let is_ready = stream.set_nonblocking(false).is_ok()
        && stream.set_read_timeout(Some(patience)).is_ok()
        && stream.set_write_timeout(Some(patience)).is_ok();
    if !is_ready {
        return;
    }
    let Ok(message) = channel::read::<Message>(stream) else {
        return;
    };
    // A client that died after asking loses its answer, not its effect: `status` tells.
    let _unheard = channel::write(stream, &answer(holder, message, caller, pulse));
}

fn answer(holder: &mut Holder<'_>, message: Message, caller: u32, pulse: &Pulse) -> Answer {
    if message.id.as_deref().is_some_and(|id| id != holder.id()) {
        return Answer::Refused("that was another trial: 'fwtui status' says which one runs now".to_owned());
    }
    let event = match message.request {
        Request::Status => {
            holder.look_at_kernel(clock::since_boot());
            let mut answer = holder.answer();
            if let Answer::Running(running) = &mut answer {
                running.has_twin = pulse.is_heard();
            }
            return answer;
        }
        Request::Confirm { is_unproven_fine } => {
            // Now, however short a time ago the last look was.
            holder.look_for_evidence(Duration::MAX);
            let since = holder.trial().applied_at().unwrap_or_default();
            let caller = || session::caller(caller, since);
            return holder.confirm(caller, is_unproven_fine, clock::moment);
        }
        Request::Replace(job) => {
            let replaced = holder.replace(*job, clock::moment);
            // A twin that does not take it hears nothing more, and puts the old rules back.
            let _told = pulse.tell(holder.journal());
            return match replaced {
                Ok(Switched { deadline, took }) => Answer::Replaced {
                    deadline,
                    switched_in: took,
                },
                Err(error) => Answer::Refused(error.to_string()),
            };
        }
        Request::Revert => Event::Revert,
        Request::Extend => Event::Extend,
    };
    holder.on(event, clock::moment())
}

/// The deadline: absolute, on `CLOCK_BOOTTIME`, so neither a suspend nor a new date moves it.
struct Timer(std::os::fd::OwnedFd);

impl Timer {
    fn new() -> io::Result<Self> {
        Ok(Self(timerfd_create(
            TimerfdClockId::Boottime,
            TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK,
        )?))
    }

    fn set(&self, deadline: Duration) {
        // 0 would disarm it; a time long past fires at once.
        let deadline = deadline.max(Duration::from_nanos(1));
        let value = Timespec {
            tv_sec: i64::try_from(deadline.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: deadline.subsec_nanos().into(),
        };
        let never_again = Timespec { tv_sec: 0, tv_nsec: 0 };
        // It can only fail for a bad descriptor or value, and these are neither.
        let _set = timerfd_settime(
            &self.0,
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec {
                it_interval: never_again,
                it_value: value,
            },
        );
    }
}

/// Signals that a terminal, a shell or a logout sends mean nothing to a guard.
pub(super) fn ignore_signals() -> io::Result<()> {
    let nobody_reads = Arc::new(AtomicBool::new(false));
    for signal in [
        SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGALRM, SIGUSR1, SIGUSR2,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&nobody_reads))?;
    }
    Ok(())
}

/// SIGTERM (stop, shutdown) means: revert now.
fn stop_signal() -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(SIGTERM, write)?;
    Ok(read)
}

fn let_go_of_terminal() -> io::Result<()> {
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

#[cfg(test)]
mod races;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_is_past_fires_at_once_and_none_is_never_set() {
        for deadline in [
            Duration::ZERO,
            Duration::from_nanos(1),
            clock::since_boot().saturating_sub(Duration::from_secs(1)),
        ] {
            let timer = Timer::new().unwrap();
            timer.set(deadline);
            let soon = Timespec { tv_sec: 5, tv_nsec: 0 };
            let ready = poll(&mut [PollFd::new(&timer.0, PollFlags::IN)], Some(&soon));
            assert_eq!(ready, Ok(1), "{deadline:?}");
        }
    }
}
