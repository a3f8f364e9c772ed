//! This process as a job of a shell's: stopped with ctrl-z, continued with `fg`.
//!
//! A full-screen program gives the terminal back before it stops, so it can't leave that to the
//! kernel's SIGTSTP. It is stopped by SIGSTOP instead, and what started it by SIGTSTP, as ctrl-z does
//! it: the shell waits for the group's first process, which may be `sudo` or `fwtui sandbox`. SIGSTOP
//! knows no orphans, so [`can_continue`] has to.
//!
//! What this process started goes on: a child that is stopped before it runs its program keeps the
//! thread that waits for it (vfork) from stopping, and the shell waits for ever; one that is stopped
//! later may hold a lock that a rollback needs.

use std::io;

use rustix::process::{Pid, Signal, getpid, kill_process};

use super::procfs::Proc;

/// No chain of parents within a group is longer.
const LONGEST: usize = 16;

/// Whether there is a shell to continue this process's group: a parent outside the group and in the
/// same session (POSIX, 3.264: a group without is orphaned, and ctrl-z does not stop it).
pub fn can_continue() -> bool {
    parents_in_group().is_some()
}

/// The parents between this process and its shell; none where there is no shell.
///
/// In a container that was entered from outside, group and session may be none of its own: they are
/// 0 then, which procfs says and the system calls return as if it were a process.
fn parents_in_group() -> Option<Vec<Pid>> {
    let proc = Proc::open().ok()?;
    let own = proc.status(std::process::id())?;
    let mut parents = Vec::new();
    let mut parent = own.parent;
    for _ in 0..LONGEST {
        let status = proc.status(parent).filter(|status| status.session == own.session)?;
        if status.group != own.group {
            return Some(parents);
        }
        parents.push(Pid::from_raw(i32::try_from(parent).ok()?)?);
        parent = status.parent;
    }
    None
}

/// Stops this process, and where ctrl-z was pressed what it was started by; returns when it goes on.
///
/// # Errors
/// Where the kernel does not do it.
pub fn stop(is_from_key: bool) -> io::Result<()> {
    for parent in parents_in_group().filter(|_| is_from_key).unwrap_or_default() {
        // One that has ended meanwhile needs no stop; nor one of root's that stops with its child.
        kill_process(parent, Signal::TSTP).unwrap_or_default();
    }
    kill_process(getpid(), Signal::STOP)?;
    Ok(())
}
