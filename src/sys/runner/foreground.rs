//! A command of the user's, with the terminal.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::{pipe, unregister};

/// How long a command may take to end when asked to, before it is asked as an interactive shell is.
const TO_END: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Runs a command of the user's with our terminal, environment and directory, found through the
/// user's own `PATH`, and waits for its end. For what the user typed, never for what we need.
///
/// Ctrl-C is the command's business alone; what asks us to end (SIGTERM, SIGHUP) is passed on.
///
/// # Errors
///
/// Where the system does not start it.
pub fn run_in_foreground(
    program: &OsStr,
    args: &[OsString],
    variables: &[(OsString, OsString)],
) -> io::Result<ExitStatus> {
    let (told, mut signals) = (UnixStream::pair()?, Vec::new());
    let outcome = prepare(&mut signals, &told.1).and_then(|()| {
        #[expect(clippy::disallowed_methods, reason = "this module starts programs")]
        let mut command = Command::new(program);
        let variables = variables.iter().map(|(name, value)| (name, value));
        let child = command.args(args).envs(variables).spawn()?;
        wait(child, told.0)
    });
    for signal in signals {
        unregister(signal);
    }
    outcome
}

fn prepare(signals: &mut Vec<SigId>, teller: &UnixStream) -> io::Result<()> {
    for signal in [SIGINT, SIGQUIT] {
        // Handled by noting it and nothing more, not ignored: what is ignored stays so in the command.
        signals.push(flag::register(signal, Arc::default())?);
    }
    for signal in [SIGTERM, SIGHUP] {
        signals.push(pipe::register(signal, teller.try_clone()?)?);
    }
    Ok(())
}

fn wait(mut child: Child, mut told: UnixStream) -> io::Result<ExitStatus> {
    let pid = Pid::from_child(&child);
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let mut descriptors = [PollFd::new(&ended, PollFlags::IN), PollFd::new(&told, PollFlags::IN)];
        match poll(&mut descriptors, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [end, word] = descriptors.map(|descriptor| !descriptor.revents().is_empty());
        if end {
            return child.wait();
        }
        if word && told.read(&mut [0; 16])? > 0 {
            // Programs end on the first, interactive shells on the second. Not both at once: the
            // kernel delivers the lower number first.
            kill_process(pid, Signal::TERM)?;
            let mut descriptors = [PollFd::new(&ended, PollFlags::IN)];
            if poll(&mut descriptors, Some(&TO_END)) == Ok(0) {
                kill_process(pid, Signal::HUP)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_the_foreground_gives_its_status() {
        let status = run_in_foreground(
            OsStr::new("sh"),
            &["-c".into(), "exit $N".into()],
            &[("N".into(), "7".into())],
        );
        assert_eq!(status.unwrap().code(), Some(7));
        assert!(run_in_foreground(OsStr::new("no-such-program"), &[], &[]).is_err());
    }
}
