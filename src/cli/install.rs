//! `fwtui install-service`

use crate::app::{Error, Init, Machine};
use crate::cli::DONE;
use crate::cli::args::InstallService;
use crate::cli::output::Out;

pub(super) fn run(machine: &Machine, args: &InstallService, out: &Out) -> Result<u8, Error> {
    match args.uninstall {
        true => uninstall(machine, out),
        false => install(machine, out),
    }
}

fn install(machine: &Machine, out: &Out) -> Result<u8, Error> {
    let installed = machine.install_service()?;
    let program = installed.program.display();
    let done = match installed.init {
        Init::Systemd => format!("Boot loads what is confirmed: fwtui.service is enabled, and runs {program}."),
        Init::OpenRc => format!("Boot loads what is confirmed: /etc/init.d/fwtui is in 'boot', and runs {program}."),
        Init::Other => {
            return Err(
                Error::failed("nothing was installed: neither systemd nor OpenRC is here").hint(format!(
                    "Have '{program} restore' run at boot, as root, after the disks are mounted and before the network \
                 is set up; /etc/rc.local is later than that, and better than nothing."
                )),
            );
        }
    };
    out.line(&done)?;
    for doubt in installed.doubts {
        out.note(&format!("fwtui: {doubt}."));
    }
    Ok(DONE)
}

fn uninstall(machine: &Machine, out: &Out) -> Result<u8, Error> {
    out.line(match machine.uninstall_service()? {
        Init::Systemd | Init::OpenRc => "Boot loads nothing of fwtui's any more. The rules in force stay as they are.",
        Init::Other => {
            "Neither systemd nor OpenRC is here: whatever runs 'fwtui restore' at boot was not put there by fwtui."
        }
    })?;
    Ok(DONE)
}
