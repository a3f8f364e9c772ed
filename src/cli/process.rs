//! The hidden verb that is the guard, or its twin.

use crate::app::{Error, Machine};
use crate::cli::DONE;
use crate::cli::args::Guard;
use crate::sys::runner::close_inherited;

pub(super) fn guard(machine: &Machine, args: &Guard) -> Result<u8, Error> {
    close_inherited();
    match args.twin_of {
        Some(pid) => machine.be_twin_of(pid)?,
        None => Machine::be_guard()?,
    }
    Ok(DONE)
}
