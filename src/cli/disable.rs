//! `fwtui disable` and `fwtui enable`

use crate::app::{Error, Kind, Machine};
use crate::cli::DONE;
use crate::cli::args::{Disable, Enable};
use crate::cli::decide::outcome;
use crate::cli::output::Out;
use crate::core::text::capitalised;
use crate::core::unit::listed;

pub(super) fn disable(machine: &Machine, args: &Disable, out: &Out) -> Result<u8, Error> {
    let proposal = machine.propose(&args.service, &args.unit)?;
    let ((), has_changed) = machine.edit(|policy| {
        policy
            .disable(proposal.id.clone(), &proposal.units)
            .map_err(|error| Error::new(Kind::Usage, error))
    })?;
    for sentence in proposal.sentences() {
        out.line(&format!("{}.", capitalised(&sentence)))?;
    }
    out.line(&outcome(&format!("{} is to be off", proposal.id), has_changed))?;
    Ok(DONE)
}

pub(super) fn enable(machine: &Machine, args: &Enable, out: &Out) -> Result<u8, Error> {
    let id = &args.service;
    let (units, _) = machine.edit(|policy| {
        let units = policy.disabled.get(id).map(|disabled| disabled.units.clone());
        policy.enable(id);
        Ok(units)
    })?;
    match units {
        Some(units) => {
            let said = format!("{id} is to run again, as before it was disabled: {}", listed(&units));
            out.line(&outcome(&said, true))?;
            Ok(DONE)
        }
        None => Err(Error::failed(format!("{id} is not disabled by fwtui")).hint("fwtui list shows what is.")),
    }
}
