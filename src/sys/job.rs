//! This process as a job of a shell's: stopped with ctrl-z, continued with `fg`.
//!
//! A full-screen program gives the terminal back before it stops, so it can't leave that to the
//! kernel's SIGTSTP. It is stopped by SIGSTOP instead, with its whole group as ctrl-z does it: the
//! shell waits for the group's first process, which may be `sudo` or `fwtui sandbox`. SIGSTOP knows
//! no orphans, so [`can_continue`] has to.

use std::io;

use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};

use super::procfs::Proc;

/// No chain of parents within a group is longer.
const LONGEST: usize = 16;

/// Whether there is a shell to continue this process's group: a parent outside the group and in the
/// same session (POSIX, 3.264: a group without is orphaned, and ctrl-z does not stop it).
///
/// In a container that was entered from outside, group and session may be none of its own: they are
/// 0 then, which procfs says and the system calls return as if it were a process.
pub fn can_continue() -> bool {
    Proc::open().is_ok_and(|proc| has_shell(&proc).unwrap_or(false))
}

/// `None` where a parent is outside this PID namespace, or gone.
fn has_shell(proc: &Proc) -> Option<bool> {
    let own = proc.status(std::process::id())?;
    let mut parent = own.parent;
    for _ in 0..LONGEST {
        let status = proc.status(parent)?;
        if status.session != own.session {
            return Some(false);
        }
        if status.group != own.group {
            return Some(true);
        }
        parent = status.parent;
    }
    None
}

/// Stops this process, and with it its group where ctrl-z was pressed; returns when it goes on.
///
/// # Errors
/// Where the kernel does not do it.
pub fn stop(is_whole_group: bool) -> io::Result<()> {
    match is_whole_group {
        true => kill_current_process_group(Signal::STOP)?,
        false => kill_process(getpid(), Signal::STOP)?,
    }
    Ok(())
}
