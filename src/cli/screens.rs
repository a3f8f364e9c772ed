//! The screens.

use crate::app::{Error, Machine};
use crate::cli::output::Out;

pub(super) fn run(_machine: Machine, _theme: Option<&str>, _out: &Out) -> Result<u8, Error> {
    Err(Error::failed("the screens are not there yet"))
}
