//! This process as a job of a shell's: stopped with ctrl-z, continued with `fg`.
//!
//! A full-screen program gives the terminal back before it stops, so it can't leave that to the
//! kernel's SIGTSTP. It is stopped by SIGSTOP instead, with its whole group as ctrl-z does it: the
//! shell waits for the group's first process, which may be `sudo` or `fwtui sandbox`. SIGSTOP knows
//! no orphans, so [`can_continue`] has to.

use std::io;

use rustix::process::{Pid, Signal, getpgid, getpgrp, getpid, getsid, kill_process, kill_process_group};

use super::procfs::Proc;

/// No chain of parents within a group is longer.
const LONGEST: usize = 16;

/// Whether there is a shell to continue this process's group: a parent outside the group and in the
/// same session (POSIX, 3.264: a group without is orphaned, and ctrl-z does not stop it).
pub fn can_continue() -> bool {
    let Ok(session) = getsid(None) else {
        return false;
    };
    let group = getpgrp();
    let mut pid = getpid();
    for _ in 0..LONGEST {
        let Some(parent) = parent_of(pid).filter(|parent| getsid(Some(*parent)) == Ok(session)) else {
            return false;
        };
        if getpgid(Some(parent)) != Ok(group) {
            return true;
        }
        pid = parent;
    }
    false
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let pid = u32::try_from(pid.as_raw_nonzero().get()).ok()?;
    let parent = Proc::open().ok()?.status(pid)?.parent;
    Pid::from_raw(i32::try_from(parent).ok()?)
}

/// Stops this process, and with it its group where ctrl-z was pressed; returns when it goes on.
///
/// # Errors
/// Where the kernel does not do it.
pub fn stop(is_whole_group: bool) -> io::Result<()> {
    match is_whole_group {
        true => kill_process_group(getpgrp(), Signal::STOP)?,
        false => kill_process(getpid(), Signal::STOP)?,
    }
    Ok(())
}
