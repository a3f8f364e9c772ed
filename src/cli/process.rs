//! The hidden verb that is the guard, its twin, or what systemd runs after them.

use crate::app::{Error, Machine};
use crate::cli::args::Guard;
use crate::cli::{DONE, variable};
use crate::guard::supervise;
use crate::sys::runner::close_inherited;

pub(super) fn guard(machine: &Machine, args: &Guard) -> Result<u8, Error> {
    close_inherited();
    match (args.twin_of, &args.job_from) {
        _ if args.recover => machine.finish_for_a_guard()?,
        (Some(pid), _) => machine.be_twin_of(pid)?,
        (None, job_from) => {
            if let Some(path) = job_from {
                supervise::take_job_from(path)
                    .map_err(|error| Error::failed(format!("nobody hands over a job any more: {error}")))?;
            }
            if let Some(socket) = variable("NOTIFY_SOCKET") {
                supervise::answer_to(socket.as_ref());
            }
            Machine::be_guard()?;
        }
    }
    Ok(DONE)
}
