//! iptables and ip6tables, nft and legacy variants.
//!
//! Contents go through `iptables-restore` and `iptables-save`, one call a family, by the [`Runner`],
//! which ends what takes too long. The `iptables` crate only answers whether chains are still there:
//! its calls wait for the legacy lock without limit, and a change that is given up on could still
//! happen later, over rules loaded meanwhile. A question that is given up on does no harm.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::backend::detect::{Detected, Programs, Variant, unread};
use crate::backend::{Backend, BackendError, Observed, Save};
use crate::core::listener::Family;
use crate::core::netfilter::Engine;
use crate::core::ruleset::{Obstacle, SavedFamily, SavedTables, Table, in_one_commit};
use crate::sys::clock;
use crate::sys::runner::{Call, Output, Runner};

/// How long iptables waits for the legacy lock, in seconds.
const LOCK_WAIT: &str = "5";
/// How long a load may take: 100,000 rules load in a few seconds. One that hangs while the old rules
/// are to come back is given up, and there is time for another before half a minute is over.
const LOAD_TIMEOUT: Duration = Duration::from_secs(12);
/// How long the question what is left may take: a little more than waiting for the lock.
const CLEAN_TIMEOUT: Duration = Duration::from_secs(7);

/// The real backend.
#[derive(Debug)]
pub struct Iptables<R> {
    runner: R,
    detected: Detected,
    families: Vec<Family>,
}

impl<R: Runner> Iptables<R> {
    /// Over what was detected.
    pub fn new(runner: R, detected: Detected) -> Self {
        let families = if detected.ipv6.is_some() {
            Family::ALL.to_vec()
        } else {
            vec![Family::Ipv4]
        };
        Self {
            runner,
            detected,
            families,
        }
    }

    fn programs(&self, family: Family) -> Result<&Programs, BackendError> {
        match family {
            Family::Ipv4 => Ok(&self.detected.ipv4),
            Family::Ipv6 => self.detected.ipv6.as_ref().ok_or(BackendError::NoIptables),
        }
    }

    /// What is loaded for one family, and all that was read for it.
    fn read_saves(&self, family: Family) -> Result<(SavedFamily, Vec<Save>), BackendError> {
        let tables = SavedTables::parse(&save_with(&self.runner, self.programs(family)?, &["-c"])?)?;
        // A table it does not show is not an empty one: nothing may be concluded, or changed, from it.
        if let Some(table) = Table::ALL.into_iter().find(|table| tables.is_hidden(*table)) {
            let table = table.name();
            return Err(BackendError::Unreadable { family, table });
        }
        let mut apart = tables.take_apart(clock::since_1970());
        if self.detected.unread.contains(&family) {
            apart.foreign.push(Obstacle::NoReader(unread(Variant::Legacy)));
        }
        let of = |variant, tables| Save {
            engine: engine(variant),
            family,
            tables,
        };
        let mut saves = vec![of(self.detected.variant, tables)];
        // The other variant's rules stand in the way as well.
        if let Some((variant, ipv4, ipv6)) = &self.detected.other {
            let programs = if family == Family::Ipv4 {
                Some(ipv4)
            } else {
                ipv6.as_ref()
            };
            if let Some(programs) = programs {
                let tables = SavedTables::parse(&save(&self.runner, programs)?)?;
                apart.foreign.extend(tables.take_apart(clock::since_1970()).foreign);
                saves.push(of(*variant, tables));
            }
        }
        Ok((apart, saves))
    }

    fn restore(&self, family: Family, text: &str, is_test: bool) -> Result<(), BackendError> {
        let call = Call::new(&self.programs(family)?.restore)
            .args(["--noflush", "-w", LOCK_WAIT])
            .args(is_test.then_some("--test"))
            .stdin(text)
            .timeout(LOAD_TIMEOUT);
        let output = self.runner.run(&call)?;
        match output.is_success() {
            true => Ok(()),
            false => Err(complaint(&call, &output)),
        }
    }
}

impl<R: Runner> Backend for Iptables<R> {
    fn name(&self) -> &'static str {
        self.detected.variant.name()
    }

    fn families(&self) -> &[Family] {
        &self.families
    }

    fn read(&self) -> Result<Observed, BackendError> {
        let (ipv4, ipv6) = thread::scope(|scope| {
            let has_ipv6 = self.families.contains(&Family::Ipv6);
            let ipv6 = has_ipv6.then(|| scope.spawn(|| self.read_saves(Family::Ipv6)));
            let ipv4 = self.read_saves(Family::Ipv4);
            let ipv6 = ipv6.map(|thread| thread.join().unwrap_or(Err(BackendError::NoIptables)));
            (ipv4, ipv6)
        });
        let (ipv4, mut saves) = ipv4?;
        let (ipv6, more) = ipv6.transpose()?.unwrap_or_else(|| (SavedFamily::absent(), Vec::new()));
        saves.extend(more);
        Ok(Observed { ipv4, ipv6, saves })
    }

    fn read_family(&self, family: Family) -> Result<SavedFamily, BackendError> {
        Ok(self.read_saves(family)?.0)
    }

    fn check(&self, family: Family, text: &str) -> Result<(), BackendError> {
        self.restore(family, &in_one_commit(text), true)
    }

    fn load(&self, family: Family, text: &str) -> Result<(), BackendError> {
        self.restore(family, text, false)
    }

    fn remove(&self, family: Family, chains: &[(Table, String)]) -> Result<(), BackendError> {
        if self.restore(family, &removal_text(chains), false).is_ok() {
            return Ok(());
        }
        // One chain that is gone already, or that somebody else refers to, fails the whole batch. Each
        // by itself is emptied only if it can be deleted too: it may be in force. Those that are referred
        // to by others of them go after these.
        let mut refused = chains.to_vec();
        loop {
            let before = refused.len();
            refused.retain(|chain| {
                self.restore(family, &removal_text(std::slice::from_ref(chain)), false)
                    .is_err()
            });
            if refused.is_empty() || refused.len() == before {
                break;
            }
        }
        let programs = self.programs(family)?;
        let left = still_there(&programs.iptables, refused);
        match left.is_empty() {
            true => Ok(()),
            false => Err(BackendError::LeftBehind(left.join(", "))),
        }
    }
}

/// Where a variant's rules are.
const fn engine(variant: Variant) -> Engine {
    match variant {
        Variant::Nft => Engine::Nft,
        Variant::Legacy => Engine::Legacy,
    }
}

/// Empties all of the chains of a table before it deletes any: they refer to each other.
fn removal_text(chains: &[(Table, String)]) -> String {
    let mut text = String::new();
    for table in Table::ALL {
        let names: Vec<&String> = chains
            .iter()
            .filter(|(of, _)| *of == table)
            .map(|(_, name)| name)
            .collect();
        if names.is_empty() {
            continue;
        }
        text.extend(["*", table.name(), "\n"]);
        for command in ["-F", "-X"] {
            text.extend(names.iter().map(|name| format!("{command} {name}\n")));
        }
        text.push_str("COMMIT\n");
    }
    text
}

/// Those of the chains that the kernel still has, as far as it says so in time.
fn still_there(program: &Path, chains: Vec<(Table, String)>) -> Vec<String> {
    if chains.is_empty() {
        return Vec::new();
    }
    let names = chains.iter().map(|(_, name)| name.clone()).collect();
    // The crate takes the command as a static string; one is leaked for each clean-up that went
    // wrong, of which a process does one or two.
    let command: &'static str = Box::leak(program.to_string_lossy().into_owned().into_boxed_str());
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        // `is_numeric` breaks listing (yaa110/rust-iptables#12).
        let iptables = iptables::IPTables {
            cmd: command,
            has_check: true,
            has_wait: true,
            is_numeric: false,
        };
        let is_there = |(table, chain): &(Table, String)| {
            let have = iptables.list_chains(table.name());
            // A table that can't be listed may hold anything.
            have.map_or(true, |have| have.contains(chain))
        };
        let left: Vec<String> = chains.into_iter().filter(is_there).map(|(_, chain)| chain).collect();
        // Nobody may be listening any more: then the result does not matter.
        let _gone = send.send(left);
    });
    receive.recv_timeout(CLEAN_TIMEOUT).unwrap_or(names)
}

/// Runs `iptables-save`.
pub(super) fn save(runner: &dyn Runner, programs: &Programs) -> Result<String, BackendError> {
    save_with(runner, programs, &[])
}

/// The same with options.
fn save_with(runner: &dyn Runner, programs: &Programs, options: &[&str]) -> Result<String, BackendError> {
    let call = Call::new(&programs.save).args(options.iter().copied());
    let output = runner.run(&call)?;
    match output.is_success() {
        true => Ok(output.stdout),
        false if super::detect::hides_legacy_tables() => {
            save_each(runner, programs, options, complaint(&call, &output))
        }
        false => Err(complaint(&call, &output)),
    }
}

/// Runs `iptables-save` for each table by its name. One the kernel does not have is no error; where
/// it has none of them, the first complaint stands.
fn save_each(
    runner: &dyn Runner,
    programs: &Programs,
    options: &[&str],
    first: BackendError,
) -> Result<String, BackendError> {
    let mut text = String::new();
    let mut has_any = false;
    for table in ["raw", "mangle", "nat", "filter", "security"] {
        let output = runner.run(
            &Call::new(&programs.save)
                .args(options.iter().copied())
                .args(["-t", table]),
        )?;
        has_any |= output.is_success();
        if output.is_success() {
            text.push_str(&output.stdout);
        }
    }
    match has_any {
        true => Ok(text),
        false => Err(first),
    }
}

fn complaint(call: &Call, output: &Output) -> BackendError {
    let program = call
        .program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let line = output.stderr.lines().find(|line| !line.trim().is_empty());
    let words = match line {
        Some(line) => crate::core::text::printable_within(line.trim(), 200),
        None => format!("exit code {}", output.code),
    };
    BackendError::Refused { program, words }
}

/// Opens the backend this machine uses.
///
/// # Errors
/// Where there is none, or its rules can't be read.
pub fn open<R: Runner + 'static>(runner: R) -> Result<(Iptables<R>, Option<String>), BackendError> {
    let detected = super::detect::detect(&runner)?;
    let report = detected.report.clone();
    Ok((Iptables::new(runner, detected), report))
}

/// The backend this machine uses, for a namespace that holds nothing else: what is chosen, and what
/// is not read beside it, is looked up here and not there.
///
/// # Errors
/// As for [`open`].
pub fn open_for_scratch<R: Runner>(runner: R) -> Result<Iptables<R>, BackendError> {
    let detected = super::detect::detect(&runner)?;
    let alone = Detected {
        other: None,
        unread: Vec::new(),
        ..detected
    };
    Ok(Iptables::new(runner, alone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::runner::{ScriptedCall, ScriptedRunner};

    #[test]
    fn chains_are_removed_by_programs_that_end_in_time_and_what_stays_is_told() {
        let programs = Programs {
            iptables: "/nowhere/iptables".into(),
            save: "/nowhere/iptables-save".into(),
            restore: "/nowhere/iptables-restore".into(),
        };
        let text = |chains: &[&str]| {
            let lines = ["-F", "-X"].into_iter();
            let lines = lines.flat_map(|command| chains.iter().map(move |chain| format!("{command} {chain}\n")));
            format!("*filter\n{}COMMIT\n", lines.collect::<String>())
        };
        let call = |chains: &[&str]| {
            ScriptedCall::new("/nowhere/iptables-restore", ["--noflush", "-w", LOCK_WAIT]).stdin(text(chains))
        };
        let runner = ScriptedRunner::new([
            call(&["FWTUI-A-TCP", "FWTUI-A-UDP"]).fails(1, "no"),
            // One by one, never emptied without being deleted, as long as that leads anywhere.
            call(&["FWTUI-A-TCP"]),
            call(&["FWTUI-A-UDP"]).fails(4, "in use"),
            call(&["FWTUI-A-UDP"]).fails(4, "in use"),
        ]);
        let detected = Detected {
            variant: Variant::Nft,
            ipv4: programs,
            ipv6: None,
            other: None,
            unread: Vec::new(),
            report: None,
        };
        let chains = ["FWTUI-A-TCP", "FWTUI-A-UDP"].map(|name| (Table::Filter, name.to_owned()));
        let backend = Iptables::new(runner, detected);
        let error = backend.remove(Family::Ipv4, &chains).unwrap_err().to_string();
        assert!(
            error.contains("FWTUI-A-UDP") && !error.contains("FWTUI-A-TCP"),
            "{error}"
        );
        backend.runner.finish().unwrap();
    }
}
