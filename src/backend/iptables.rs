//! iptables and ip6tables, nft and legacy variants.
//!
//! Contents go through `iptables-restore` and `iptables-save`, one call a family. The `iptables`
//! crate removes what is left over, chain by chain; its calls wait for the legacy lock without
//! limit and print no errors worth showing, so they run on a thread that is given up on in time.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::backend::detect::{Detected, Programs, Variant};
use crate::backend::{Backend, BackendError, Observed};
use crate::core::listener::Family;
use crate::core::ruleset::{Obstacle, SavedFamily, SavedTables, Table};
use crate::sys::nftables::{self, BaseChain, TableFamily};
use crate::sys::runner::{Call, Output, Runner};

/// How long iptables waits for the legacy lock, in seconds.
const LOCK_WAIT: &str = "5";
/// How long a load may take: 100,000 rules load in a few seconds.
const LOAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long cleaning up may take.
const CLEAN_TIMEOUT: Duration = Duration::from_secs(15);

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

    fn read_family(&self, family: Family) -> Result<SavedFamily, BackendError> {
        let saved = SavedTables::parse(&save(&self.runner, self.programs(family)?)?)?;
        // A table it does not show is not an empty one: nothing may be concluded, or changed, from it.
        if let Some(table) = Table::ALL.into_iter().find(|table| saved.is_hidden(*table)) {
            let table = table.name();
            return Err(BackendError::Unreadable { family, table });
        }
        let mut apart = saved.take_apart();
        // The other variant's rules stand in the way as well.
        if let Some((_, ipv4, ipv6)) = &self.detected.other {
            let programs = if family == Family::Ipv4 {
                Some(ipv4)
            } else {
                ipv6.as_ref()
            };
            if let Some(programs) = programs {
                apart
                    .foreign
                    .extend(SavedTables::parse(&save(&self.runner, programs)?)?.take_apart().foreign);
            }
        }
        Ok(apart)
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
            let ipv6 = has_ipv6.then(|| scope.spawn(|| self.read_family(Family::Ipv6)));
            let ipv4 = self.read_family(Family::Ipv4);
            let ipv6 = ipv6.map(|thread| thread.join().unwrap_or(Err(BackendError::NoIptables)));
            (ipv4, ipv6)
        });
        let mut observed = Observed {
            ipv4: ipv4?,
            ipv6: ipv6.transpose()?.unwrap_or_default(),
        };
        for chain in nftables::base_chains().map_err(BackendError::Kernel)? {
            if !stands_in_the_way(&chain) {
                continue;
            }
            let obstacle = Obstacle::NativeChain(format!("{} {} {}", chain.family.word(), chain.table, chain.name));
            if chain.family != TableFamily::Ip6 {
                observed.ipv4.foreign.push(obstacle.clone());
            }
            if chain.family != TableFamily::Ip {
                observed.ipv6.foreign.push(obstacle);
            }
        }
        Ok(observed)
    }

    fn check(&self, family: Family, text: &str) -> Result<(), BackendError> {
        self.restore(family, text, true)
    }

    fn load(&self, family: Family, text: &str) -> Result<(), BackendError> {
        self.restore(family, text, false)
    }

    fn remove(&self, family: Family, chains: &[(Table, String)]) -> Result<(), BackendError> {
        // The crate takes the command as a static string; one is leaked for each clean-up, of which
        // a process does one or two.
        let path = self.programs(family)?.iptables.to_string_lossy().into_owned();
        let command: &'static str = Box::leak(path.into_boxed_str());
        let chains = chains.to_vec();
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            // Nobody may be listening any more: then the result does not matter.
            let _gone = send.send(remove_one_by_one(command, &chains));
        });
        let left = receive
            .recv_timeout(CLEAN_TIMEOUT)
            .unwrap_or_else(|_| vec!["(it took too long)".to_owned()]);
        match left.is_empty() {
            true => Ok(()),
            false => Err(BackendError::LeftBehind(left.join(", "))),
        }
    }
}

/// Empties all of the chains before it deletes any: they refer to each other.
fn remove_one_by_one(command: &'static str, chains: &[(Table, String)]) -> Vec<String> {
    // `is_numeric` breaks listing (yaa110/rust-iptables#12).
    let iptables = iptables::IPTables {
        cmd: command,
        has_check: true,
        has_wait: true,
        is_numeric: false,
    };
    for (table, chain) in chains {
        // One that is not there any more is what was wanted.
        let _flushed = iptables.flush_chain(table.name(), chain);
    }
    chains
        .iter()
        .filter(|(table, chain)| iptables.delete_chain(table.name(), chain).is_err())
        // Only those that are still there count as left behind.
        .filter(|(table, chain)| {
            iptables
                .list_chains(table.name())
                .is_ok_and(|have| have.contains(chain))
        })
        .map(|(_, chain)| chain.clone())
        .collect()
}

/// Runs `iptables-save`.
pub(super) fn save(runner: &dyn Runner, programs: &Programs) -> Result<String, BackendError> {
    let call = Call::new(&programs.save);
    let output = runner.run(&call)?;
    match output.is_success() {
        true => Ok(output.stdout),
        false if super::detect::hides_legacy_tables() => save_each(runner, programs, complaint(&call, &output)),
        false => Err(complaint(&call, &output)),
    }
}

/// Runs `iptables-save` for each table by its name. One the kernel does not have is no error; where
/// it has none of them, the first complaint stands.
fn save_each(runner: &dyn Runner, programs: &Programs, first: BackendError) -> Result<String, BackendError> {
    let mut text = String::new();
    let mut has_any = false;
    for table in ["raw", "mangle", "nat", "filter", "security"] {
        let output = runner.run(&Call::new(&programs.save).args(["-t", table]))?;
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

/// A native chain on the way in that can refuse something. The built-in chains of iptables-nft are
/// base chains too, and were read as iptables rules.
fn stands_in_the_way(chain: &BaseChain) -> bool {
    let is_on_the_way = matches!(chain.hook, "ingress" | "prerouting" | "input" | "unknown")
        && !matches!(chain.family, TableFamily::Arp | TableFamily::Bridge);
    let is_iptables = matches!(chain.family, TableFamily::Ip | TableFamily::Ip6)
        && ["raw", "mangle", "nat", "filter", "security"].contains(&chain.table.as_str())
        && ["PREROUTING", "INPUT"].contains(&chain.name.as_str());
    is_on_the_way && !is_iptables && (chain.has_rules || chain.drops_by_policy)
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

/// The variant's name is part of the state documents.
impl Variant {
    /// Reads a name back.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }
}
