//! Units through `systemctl(1)`: asked, stopped, started, masked until the next boot, disabled.
//!
//! As root, `systemctl` talks to systemd over a socket of its own (`/run/systemd/private`), so this
//! needs no D-Bus. Nothing here waits for systemd's jobs: a call puts them in the queue and ends, so
//! that no program of ours is left over that holds the guard's lock, and whoever called may look as
//! long as it wants, and no longer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::core::text::printable_within;
use crate::core::unit::{PROPERTIES, Unit, parse};
use crate::sys::runner::{Call, Runner, find_program};

/// How long a question may take.
const ASKING: Duration = Duration::from_secs(5);
/// How long a change may take: masking and the like make systemd run its generators and read all units
/// anew, which takes a slow machine ten seconds and more.
const CHANGING: Duration = Duration::from_secs(25);
/// How long it may take to put a job in the queue.
const QUEUEING: Duration = Duration::from_secs(10);
/// So many rounds of units that belong to units; nothing sane needs more.
const MOST_ROUNDS: usize = 8;
/// So many units are looked at.
const MOST_UNITS: usize = 200;
/// Longest words of systemd's handed on.
const LONGEST_WORDS: usize = 300;

/// Why units are not as they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// systemd can't be asked: another attempt may do better.
    #[error("{0}")]
    Unreachable(String),
    /// systemd was asked, and refuses or fails: another attempt would not do better.
    #[error("{0}")]
    Refused(String),
}

/// Why there are no units here; none where there are.
pub fn why_none() -> Option<String> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Some("systemd does not run here".to_owned());
    }
    find_program(Path::new("systemctl"))
        .is_none()
        .then(|| "systemctl is not installed".to_owned())
}

/// Asks for units by name, and nothing else; by what they are called there, in no order.
///
/// # Errors
/// Where systemd can't be asked.
pub fn show(runner: &dyn Runner, names: &[String]) -> Result<Vec<Unit>, UnitError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let call = Call::new("systemctl").args(["show", &format!("--property={PROPERTIES}"), "--"]);
    let text = run(runner, &call.args(names).timeout(ASKING))?;
    Ok(parse(&text))
}

/// Every socket unit there is.
///
/// # Errors
/// Where systemd can't be asked.
pub fn sockets(runner: &dyn Runner) -> Result<Vec<Unit>, UnitError> {
    let call = Call::new("systemctl").args(["show", &format!("--property={PROPERTIES}"), "--", "*.socket"]);
    run(runner, &call.timeout(ASKING)).map(|text| parse(&text))
}

/// These units, and those that belong to them, by their own names and the names they were asked by.
///
/// # Errors
/// Where systemd can't be asked.
pub fn show_all(runner: &dyn Runner, names: &[String]) -> Result<BTreeMap<String, Unit>, UnitError> {
    let mut known = BTreeMap::new();
    let mut open = names.to_vec();
    for _ in 0..MOST_ROUNDS {
        let found = show(runner, &open)?;
        // One block for each name, in this order; an alias is known by both of its names.
        if found.len() == open.len() {
            for (name, unit) in open.iter().zip(&found) {
                known.insert(name.clone(), unit.clone());
            }
        }
        for unit in found {
            known.insert(unit.name.clone(), unit);
        }
        open = known.values().flat_map(Unit::neighbours).cloned().collect();
        open.sort();
        open.dedup();
        open.retain(|name| !known.contains_key(name));
        open.truncate(MOST_UNITS.saturating_sub(known.len()));
        if open.is_empty() {
            break;
        }
    }
    Ok(known)
}

/// What is to be done to units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Begin to stop them.
    Stop,
    /// Begin to start them.
    Start,
    /// Keep them from being started, until the next boot.
    Mask,
    /// Take such a mask off.
    Unmask,
    /// Have boot start them.
    Enable,
    /// Have boot start them no more.
    Disable,
}

impl Verb {
    const fn limit(self) -> Duration {
        match self {
            Self::Stop | Self::Start => QUEUEING,
            Self::Mask | Self::Unmask | Self::Enable | Self::Disable => CHANGING,
        }
    }

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Stop => &["--no-block", "stop"],
            Self::Start => &["--no-block", "start"],
            Self::Mask => &["--runtime", "mask"],
            Self::Unmask => &["--runtime", "unmask"],
            Self::Enable => &["enable"],
            Self::Disable => &["disable"],
        }
    }
}

/// Does it to these units; to none, nothing.
///
/// # Errors
/// Where systemd can't be asked, or refuses.
pub fn change(runner: &dyn Runner, verb: Verb, units: &[String]) -> Result<(), UnitError> {
    if units.is_empty() {
        return Ok(());
    }
    let call = Call::new("systemctl")
        .args(["--no-ask-password", "--quiet"])
        .args(verb.words());
    run(runner, &call.arg("--").args(units).timeout(verb.limit())).map(|_silence| ())
}

/// Whether the machine is going down: then nothing can be started, and boot starts what is enabled.
pub fn is_going_down(runner: &dyn Runner) -> bool {
    let call = Call::new("systemctl").arg("is-system-running").timeout(ASKING);
    runner.run(&call).is_ok_and(|output| output.stdout.trim() == "stopping")
}

fn run(runner: &dyn Runner, call: &Call) -> Result<String, UnitError> {
    let output = runner
        .run(call)
        .map_err(|error| UnitError::Unreachable(error.to_string()))?;
    if output.is_success() {
        return Ok(output.stdout);
    }
    let said = output.stderr.lines().map(str::trim).find(|line| !line.is_empty());
    let words = match said {
        Some(said) => printable_within(said, LONGEST_WORDS).trim_end_matches('.').to_owned(),
        None => format!("systemctl ended with {}", output.code),
    };
    // The words of systemctl(1) where nobody is at the other end.
    let is_deaf = [
        "Failed to connect to",
        "not been booted with systemd",
        "Connection timed out",
        "Transport endpoint",
    ];
    Err(match is_deaf.iter().any(|part| words.contains(part)) {
        true => UnitError::Unreachable(words),
        false => UnitError::Refused(words),
    })
}

/// A process's control group below the root; none where it can't be read.
pub fn cgroup_of(process: u32) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
    // cgroups(7): the unified hierarchy has number 0 and no controllers.
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(printable_within(path, LONGEST_WORDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::runner::{ScriptedCall, ScriptedRunner};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn asking(names: &[&str]) -> ScriptedCall {
        let words = ["show".to_owned(), format!("--property={PROPERTIES}"), "--".to_owned()];
        ScriptedCall::new(
            "systemctl",
            words.into_iter().chain(names.iter().map(|name| (*name).to_owned())),
        )
    }

    #[test]
    fn units_are_asked_for_with_all_that_belongs_to_them() {
        let runner = ScriptedRunner::new([
            asking(&["sshd.service"]).prints("Id=ssh.service\nTriggeredBy=ssh.socket\n"),
            asking(&["ssh.socket"]).prints("Id=ssh.socket\nTriggers=ssh.service\n"),
        ]);
        let known = show_all(&runner, &names(&["sshd.service"])).unwrap();
        runner.finish().unwrap();
        let found: Vec<&str> = known.keys().map(String::as_str).collect();
        assert_eq!(found, ["ssh.service", "ssh.socket", "sshd.service"]);
        assert_eq!(known["sshd.service"].name, "ssh.service");
    }

    #[test]
    fn a_change_waits_for_no_job_and_takes_no_pattern_for_an_option() {
        let stop = [
            "--no-ask-password",
            "--quiet",
            "--no-block",
            "stop",
            "--",
            "a.socket",
            "a.service",
        ];
        let mask = ["--no-ask-password", "--quiet", "--runtime", "mask", "--", "a.service"];
        let runner = ScriptedRunner::new([
            ScriptedCall::new("systemctl", stop),
            ScriptedCall::new("systemctl", mask),
        ]);
        change(&runner, Verb::Stop, &names(&["a.socket", "a.service"])).unwrap();
        change(&runner, Verb::Mask, &names(&["a.service"])).unwrap();
        change(&runner, Verb::Mask, &[]).unwrap();
        runner.finish().unwrap();
    }

    #[test]
    fn a_refusal_is_told_from_silence() {
        let stop = || {
            ScriptedCall::new(
                "systemctl",
                ["--no-ask-password", "--quiet", "disable", "--", "a.service"],
            )
        };
        for (said, is_silence) in [
            ("Failed to disable unit: Unit file a.service does not exist.", false),
            (
                "System has not been booted with systemd as init system (PID 1). Can't operate.",
                true,
            ),
            ("Failed to connect to bus: No such file or directory", true),
        ] {
            let runner = ScriptedRunner::new([stop().fails(1, said)]);
            let error = change(&runner, Verb::Disable, &names(&["a.service"])).unwrap_err();
            assert_eq!(matches!(error, UnitError::Unreachable(_)), is_silence, "{error}");
            assert!(said.starts_with(&error.to_string()), "{error}");
        }
    }

    #[test]
    fn our_own_control_group_is_a_path() {
        let own = cgroup_of(std::process::id());
        assert!(own.is_none_or(|path| path.starts_with('/')));
    }
}
