//! Really starts programs.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::{Call, Output, RunError, Runner, SYSTEM_PATH, find_program};
use crate::sys::cancel::Cancel;
use crate::sys::clock;

/// How long a killed program gets to vanish. One that hangs in the kernel does not even die of
/// SIGKILL, and nobody may wait for ever: least of all a revert.
const REAPING: Duration = Duration::from_secs(1);

/// How often it is asked whether a program is still wanted, where that can change.
const ASKING: Duration = Duration::from_millis(50);

/// The real [`Runner`].
#[derive(Debug, Clone, Default)]
pub struct SystemRunner {
    lock_file: Option<PathBuf>,
    cancel: Option<Cancel>,
}

impl SystemRunner {
    /// A runner for this machine.
    pub const fn new() -> Self {
        Self {
            lock_file: None,
            cancel: None,
        }
    }

    /// A runner whose programs take this file as the lock of the xtables tools
    /// (`XTABLES_LOCKFILE`): in a scratch namespace `/run/xtables.lock` is another world's.
    pub fn with_lock_file(path: impl Into<PathBuf>) -> Self {
        Self {
            lock_file: Some(path.into()),
            cancel: None,
        }
    }

    /// The same, whose programs are killed once they are no longer wanted. Only for those that change
    /// nothing, or nothing that outlives them.
    #[must_use]
    pub fn unless(mut self, cancel: &Cancel) -> Self {
        self.cancel = Some(cancel.clone());
        self
    }

    fn start(&self, path: &Path, call: &Call) -> io::Result<Child> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
        let mut command = Command::new(path);
        command
            .args(&call.args)
            .env_clear()
            .env("LC_ALL", "C")
            .env("PATH", SYSTEM_PATH)
            .current_dir("/")
            // Ctrl-C in the terminal is meant for us; it must not stop a half-done iptables-restore.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(lock_file) = &self.lock_file {
            command.env("XTABLES_LOCKFILE", lock_file);
        }
        command.spawn()
    }
}

impl Runner for SystemRunner {
    fn run(&self, call: &Call) -> Result<Output, RunError> {
        let program = call.program.clone();
        let Some(path) = find_program(&program) else {
            return Err(RunError::NotFound { program });
        };
        let io_error = |source| RunError::Io {
            program: program.clone(),
            source,
        };
        let mut child = self.start(&path, call).map_err(io_error)?;
        let talk = converse(&mut child, call, self.cancel.as_ref());
        // Whatever went wrong, nothing of ours is left running.
        let status = match &talk {
            Ok(Talk::Ended { .. }) => child.wait().map(Some),
            _ => kill(&mut child),
        };
        match talk.map_err(io_error)? {
            Talk::TimedOut => Err(RunError::TimedOut {
                program,
                after: call.timeout,
            }),
            Talk::Stopped => Err(RunError::Stopped { program }),
            Talk::TooMuch => Err(RunError::TooMuchOutput {
                program,
                limit: call.output_limit,
            }),
            Talk::Ended { stdout, stderr } => match status.map_err(io_error)? {
                Some(status) if let Some(signal) = status.signal() => Err(RunError::Signalled { program, signal }),
                status => Ok(Output {
                    code: status.and_then(|status| status.code()).unwrap_or(-1),
                    stdout: String::from_utf8_lossy(&stdout).into_owned(),
                    stderr: String::from_utf8_lossy(&stderr).into_owned(),
                }),
            },
        }
    }
}

/// How talking to a program ended.
enum Talk {
    Ended { stdout: Vec<u8>, stderr: Vec<u8> },
    TimedOut,
    TooMuch,
    Stopped,
}

/// Feeds the program and reads both its outputs at once, so that neither side can wait for the
/// other for ever, until it ends or a limit is reached.
fn converse(child: &mut Child, call: &Call, cancel: Option<&Cancel>) -> io::Result<Talk> {
    let deadline = clock::since_boot() + call.timeout;
    let pid = Pid::from_child(child);
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    let mut stdin = child.stdin.take();
    let mut input = call.stdin.as_slice();
    let mut stdout = child
        .stdout
        .take()
        .map(|pipe| Collected::new(pipe.into()))
        .transpose()?;
    let mut stderr = child
        .stderr
        .take()
        .map(|pipe| Collected::new(pipe.into()))
        .transpose()?;
    if let Some(stdin) = &stdin {
        ioctl_fionbio(stdin, true)?;
    }
    loop {
        feed(&mut stdin, &mut input)?;
        // Asked before reading: what a program wrote before it ended is in the pipes by then. A
        // daemon it left behind may keep them open, so their end is not waited for.
        let is_over = wait_for(&[(ended.as_fd(), PollFlags::IN)], Duration::ZERO)?;
        let mut total = 0;
        for output in [&mut stdout, &mut stderr].into_iter().flatten() {
            output.read_available(call.output_limit)?;
            total += output.bytes.len();
        }
        if total > call.output_limit {
            return Ok(Talk::TooMuch);
        }
        if is_over {
            return Ok(Talk::Ended {
                stdout: stdout.map(|output| output.bytes).unwrap_or_default(),
                stderr: stderr.map(|output| output.bytes).unwrap_or_default(),
            });
        }
        let left = deadline.saturating_sub(clock::since_boot());
        if left.is_zero() {
            return Ok(Talk::TimedOut);
        }
        if cancel.is_some_and(Cancel::is_cancelled) {
            return Ok(Talk::Stopped);
        }
        let mut waiting = vec![(ended.as_fd(), PollFlags::IN)];
        if let Some(stdin) = &stdin {
            waiting.push((stdin.as_fd(), PollFlags::OUT));
        }
        for pipe in [
            stdout.as_ref().and_then(Collected::open_pipe),
            stderr.as_ref().and_then(Collected::open_pipe),
        ] {
            waiting.extend(pipe.map(|pipe| (pipe, PollFlags::IN)));
        }
        wait_for(&waiting, cancel.map_or(left, |_| left.min(ASKING)))?;
    }
}

/// Writes as much as the program takes now, and closes its input after the last byte.
fn feed(stdin: &mut Option<ChildStdin>, input: &mut &[u8]) -> io::Result<()> {
    while let Some(pipe) = stdin {
        if input.is_empty() {
            *stdin = None;
            break;
        }
        match pipe.write(input) {
            Ok(count) => *input = input.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It does not want to hear the rest; its exit code says what it thinks of it.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => *input = &[],
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What came from one output so far.
struct Collected {
    pipe: Option<File>,
    bytes: Vec<u8>,
}

impl Collected {
    fn new(pipe: OwnedFd) -> io::Result<Self> {
        ioctl_fionbio(&pipe, true)?;
        Ok(Self {
            pipe: Some(pipe.into()),
            bytes: Vec::new(),
        })
    }

    fn open_pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads what is there, up to a little beyond the limit.
    fn read_available(&mut self, limit: usize) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let mut buffer = [0; 16 * 1024];
        while self.bytes.len() <= limit {
            match pipe.read(&mut buffer) {
                Ok(0) => {
                    self.pipe = None;
                    break;
                }
                Ok(count) => self.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Waits until one of the descriptors is ready. False: none was within the time.
fn wait_for(waiting: &[(BorrowedFd<'_>, PollFlags)], at_most: Duration) -> io::Result<bool> {
    let mut descriptors: Vec<_> = waiting
        .iter()
        .map(|(descriptor, events)| PollFd::from_borrowed_fd(*descriptor, *events))
        .collect();
    let timeout = Timespec::try_from(at_most).unwrap_or(Timespec {
        tv_sec: 3600,
        tv_nsec: 0,
    });
    match poll(&mut descriptors, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Kills the program with all it started in its group, and reaps it.
fn kill(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let pid = Pid::from_child(child);
    // Fails only where all of the group is gone already, which is what is wanted.
    if kill_process_group(pid, Signal::KILL).is_err() {
        child.kill()?;
    }
    if let Ok(ended) = pidfd_open(pid, PidfdFlags::empty()) {
        wait_for(&[(ended.as_fd(), PollFlags::IN)], REAPING)?;
    }
    child.try_wait()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(call: &Call) -> Result<Output, RunError> {
        SystemRunner::new().run(call)
    }

    #[test]
    fn large_texts_go_in_and_out_without_deadlock() {
        let text = "0123456789abcde\n".repeat(256 * 1024);
        let output = run(&Call::new("cat").stdin(text.as_str())).unwrap();
        assert_eq!((output.code, output.stdout.len()), (0, text.len()));
        assert_eq!(output.stdout, text);
        // Both outputs at once, each larger than a pipe.
        let call = Call::new("tee").arg("/dev/stderr").stdin(text.as_str());
        let output = run(&call).unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len()), (text.len(), text.len()));
    }

    #[test]
    fn exit_codes_and_complaints_are_handed_on() {
        let output = run(&Call::new("cat").arg("/nowhere/at/all")).unwrap();
        assert_eq!(output.code, 1);
        assert!(output.stderr.contains("No such file"), "{}", output.stderr);
        // A program that does not read its input is no error.
        let output = run(&Call::new("true").stdin(vec![0; 1 << 20])).unwrap();
        assert!(output.is_success());
    }

    #[test]
    fn the_environment_is_clean_and_the_directory_is_the_root() {
        let output = run(&Call::new("env")).unwrap();
        let mut lines: Vec<_> = output.stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["LC_ALL=C".to_owned(), format!("PATH={SYSTEM_PATH}")]);
        let locked = SystemRunner::with_lock_file("/tmp/x.lock")
            .run(&Call::new("env"))
            .unwrap();
        assert!(locked.stdout.contains("XTABLES_LOCKFILE=/tmp/x.lock\n"));
        assert_eq!(run(&Call::new("pwd")).unwrap().stdout, "/\n");
    }

    #[test]
    fn limits_kill() {
        let before = clock::since_boot();
        let slow = Call::new("sleep").arg("30").timeout(Duration::from_millis(50));
        assert!(matches!(run(&slow), Err(RunError::TimedOut { .. })));
        let endless = Call::new("yes").output_limit(100_000);
        assert!(matches!(
            run(&endless),
            Err(RunError::TooMuchOutput { limit: 100_000, .. })
        ));
        assert!(clock::since_boot() < before + Duration::from_secs(5));
    }

    #[test]
    fn what_is_no_longer_wanted_is_killed() {
        let cancel = Cancel::default();
        let runner = SystemRunner::new().unless(&cancel);
        assert!(runner.run(&Call::new("true")).unwrap().is_success());
        let before = clock::since_boot();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| runner.run(&Call::new("sleep").arg("9")));
            cancel.cancel();
            assert!(matches!(run.join().unwrap(), Err(RunError::Stopped { .. })));
        });
        assert!(clock::since_boot() < before + Duration::from_secs(5));
    }

    #[test]
    fn a_program_that_leaves_a_daemon_behind_is_not_waited_for() {
        let call = Call::new("sh").args(["-c", "sleep 2 & echo done"]);
        let before = clock::since_boot();
        assert_eq!(run(&call).unwrap().stdout, "done\n");
        assert!(clock::since_boot() < before + Duration::from_millis(1900));
    }

    #[test]
    fn deaths_and_absences_are_told_apart() {
        let call = Call::new("sh").args(["-c", "kill -SEGV $$"]);
        assert!(matches!(run(&call), Err(RunError::Signalled { signal: 11, .. })));
        let missing = run(&Call::new("no-such-program")).unwrap_err();
        assert!(matches!(missing, RunError::NotFound { .. }));
        assert!(
            missing.to_string().starts_with("no-such-program is not installed"),
            "{missing}"
        );
    }
}
