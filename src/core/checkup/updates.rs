//! Updates: the first tool for the security of a machine in a network.

use super::{Evidence, Finding, Kind, Place, Severity, Updates};

const PENDING: Kind = Kind {
    id: "updates-pending",
    severity: Severity::Info,
    line: "packages have newer versions",
};
const SECURITY: Kind = Kind {
    id: "updates-security",
    severity: Severity::Risky,
    line: "security updates wait to be installed",
};
const STATE_OLD: Kind = Kind {
    id: "updates-state-old",
    severity: Severity::Info,
    line: "nobody has asked for updates for a week; risky after a month",
};
const REBOOT: Kind = Kind {
    id: "reboot-required",
    severity: Severity::Risky,
    line: "what was updated is not in use before the next boot",
};
const KERNEL: Kind = Kind {
    id: "kernel-older",
    severity: Severity::Risky,
    line: "the running kernel is older than the one that is installed",
};

/// The kinds of this family.
pub(super) const KINDS: &[Kind] = &[PENDING, SECURITY, STATE_OLD, REBOOT, KERNEL];

const DAY: u64 = 24 * 60 * 60;
/// After this many days the lists are said to be old.
const OLD: u64 = 7;
/// After this many that is risky.
const TOO_OLD: u64 = 30;
/// From this many on, what waits is risky whatever it is: where no archive tells what is a security
/// update, some will be.
const MANY: usize = 100;

/// Judges what is known of updates.
pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let Some(updates) = evidence.updates else {
        return Vec::new();
    };
    let found = [
        security(updates),
        pending(updates),
        old(updates),
        reboot(updates),
        kernel(updates),
    ];
    found.into_iter().flatten().collect()
}

fn security(updates: &Updates) -> Option<Finding> {
    let names = updates.security.as_ref().filter(|names| !names.is_empty())?;
    Some(Finding::new(
        &SECURITY,
        Place::default(),
        format!("{} for security: {}.", waiting(names.len(), "update"), some(names)),
        "The first tool for network security is the system update: what these mend is known to everyone, and a packet \
         filter can't close it in a service that is meant to be reached.",
        format!("Install them: {}", install(&updates.manager)),
    ))
}

fn pending(updates: &Updates) -> Option<Finding> {
    let names = updates.pending.as_ref().filter(|names| !names.is_empty())?;
    let has_others = updates
        .security
        .as_ref()
        .is_none_or(|security| security.len() < names.len());
    if !has_others {
        return None;
    }
    let is_told = updates.security.is_some();
    let why = match is_told {
        true => "Most of these mend faults that are no danger; waiting long makes the next update harder.",
        false => {
            "The first tool for network security is the system update, and this package manager does not tell which of \
             these are for security."
        }
    };
    let finding = Finding::new(
        &PENDING,
        Place::default(),
        format!("{}: {}.", waiting(names.len(), "package"), some(names)),
        why,
        format!("Install them: {}", install(&updates.manager)),
    );
    Some(Finding {
        severity: match !is_told && names.len() >= MANY {
            true => Severity::Risky,
            false => PENDING.severity,
        },
        ..finding
    })
}

fn old(updates: &Updates) -> Option<Finding> {
    let days = updates.age? / DAY;
    if days <= OLD {
        return None;
    }
    let finding = Finding::new(
        &STATE_OLD,
        Place::default(),
        format!("The newest package list of {} is {days} days old.", updates.manager),
        "Which updates there are is known as of then only: what was mended since is not among those that wait.",
        format!("Fetch the lists, and look again: {}", fetch(&updates.manager)),
    );
    Some(Finding {
        severity: match days > TOO_OLD {
            true => Severity::Risky,
            false => STATE_OLD.severity,
        },
        ..finding
    })
}

fn reboot(updates: &Updates) -> Option<Finding> {
    let words = updates.reboot.as_ref()?;
    Some(Finding::new(
        &REBOOT,
        Place::default(),
        format!("A reboot is asked for{words}."),
        "What is running is still the old version, with what the update mends.",
        "Reboot when it suits; 'fwtui status' says first whether the rules come back.",
    ))
}

fn kernel(updates: &Updates) -> Option<Finding> {
    let (running, installed) = updates.kernel.as_ref()?;
    Some(Finding::new(
        &KERNEL,
        Place::default(),
        format!("Linux {running} is running, and {installed} is installed."),
        "The kernel is what every packet meets first, and what the newer one mends is still open.",
        "Reboot when it suits; 'fwtui status' says first whether the rules come back.",
    ))
}

fn waiting(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what} waits"),
        _ => format!("{count} {what}s wait"),
    }
}

/// The first few of many.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown.join(", "),
        Some(rest) => format!("{} and {rest} more", shown.join(", ")),
    }
}

fn install(manager: &str) -> &'static str {
    match manager {
        "apt" => "sudo apt update && sudo apt full-upgrade",
        "dnf" => "sudo dnf upgrade",
        "pacman" => "sudo pacman -Syu",
        "zypper" => "sudo zypper patch, or on Tumbleweed sudo zypper dup",
        "apk" => "sudo apk upgrade --update-cache",
        _ => "by the package manager",
    }
}

fn fetch(manager: &str) -> &'static str {
    match manager {
        "apt" => "sudo apt update",
        "dnf" => "sudo dnf makecache",
        "pacman" => "sudo pacman -Syu, which installs as well, as pacman wants it",
        "zypper" => "sudo zypper refresh",
        "apk" => "sudo apk update",
        _ => "by the package manager",
    }
}

#[cfg(test)]
mod tests;
