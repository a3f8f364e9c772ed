//! Tables in memory, with the meaning `iptables-restore --noflush` gives its input: each table is
//! one transaction, a missing chain or rule fails it, and a failed transaction changes nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::backend::{Backend, BackendError, Observed, Save};
use crate::core::listener::Family;
use crate::core::netfilter::Engine;
use crate::core::ruleset::{SavedFamily, SavedTables, Table, own_text_removed};
use crate::sys::clock;

const BUILTIN: [&str; 3] = ["PREROUTING", "INPUT", "OUTPUT"];

/// One chain: its policy (`-` for user chains) and its rules.
#[derive(Debug, Clone, Default)]
struct Chain {
    policy: String,
    rules: Vec<String>,
}

type Chains = BTreeMap<String, Chain>;

#[derive(Debug, Default)]
struct State {
    families: BTreeMap<Family, BTreeMap<String, Chains>>,
    refuse_load: Option<Family>,
    reads_to_refuse: usize,
}

/// The backend in memory.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

impl Memory {
    /// With these tables (as `iptables-save` prints them) already loaded.
    pub fn with(ipv4: &str, ipv6: &str) -> Self {
        let memory = Self::default();
        for (family, text) in [(Family::Ipv4, ipv4), (Family::Ipv6, ipv6)] {
            // What a test hands in is its own concern; a wrong text simply is not there.
            let _loaded = memory.load(family, text);
        }
        memory
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `iptables-save` would print.
    pub fn saved_text(&self, family: Family) -> String {
        let state = self.state();
        let mut out = String::new();
        for (name, chains) in state.families.get(&family).into_iter().flatten() {
            let _ = writeln!(out, "*{name}");
            for (name, chain) in chains {
                let _ = writeln!(out, ":{name} {} [0:0]", chain.policy);
            }
            for (name, chain) in chains {
                for rule in &chain.rules {
                    let _ = writeln!(out, "-A {name} {rule}");
                }
            }
            out.push_str("COMMIT\n");
        }
        out
    }

    /// The same without what is fwtui's.
    pub fn foreign_text(&self, family: Family) -> String {
        own_text_removed(&self.saved_text(family))
    }

    /// What `nft flush ruleset` does.
    pub fn flush_everything(&self) {
        self.state().families.clear();
    }

    /// Makes the next load of a family fail.
    pub fn refuse_next_load(&self, family: Family) {
        self.state().refuse_load = Some(family);
    }

    /// Makes so many reads fail.
    pub fn refuse_reads(&self, count: usize) {
        self.state().reads_to_refuse = count;
    }
}

impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn families(&self) -> &[Family] {
        &Family::ALL
    }

    fn read(&self) -> Result<Observed, BackendError> {
        {
            let mut state = self.state();
            if state.reads_to_refuse > 0 {
                state.reads_to_refuse -= 1;
                return Err(refused("reading was made to fail"));
            }
        }
        let tables = |family| SavedTables::parse(&self.saved_text(family));
        let (ipv4, ipv6) = (tables(Family::Ipv4)?, tables(Family::Ipv6)?);
        let save = |family, tables| Save {
            engine: Engine::Legacy,
            family,
            tables,
        };
        Ok(Observed {
            ipv4: ipv4.take_apart(clock::since_1970()),
            ipv6: ipv6.take_apart(clock::since_1970()),
            saves: vec![save(Family::Ipv4, ipv4), save(Family::Ipv6, ipv6)],
        })
    }

    fn read_family(&self, family: Family) -> Result<SavedFamily, BackendError> {
        Ok(self.read()?.family(family).clone())
    }

    fn check(&self, family: Family, text: &str) -> Result<(), BackendError> {
        let mut tables = self.state().families.get(&family).cloned().unwrap_or_default();
        execute(&mut tables, text).map_err(|words| refused(&words))
    }

    fn load(&self, family: Family, text: &str) -> Result<(), BackendError> {
        let mut state = self.state();
        if state.refuse_load == Some(family) {
            state.refuse_load = None;
            return Err(refused("loading was made to fail"));
        }
        execute(state.families.entry(family).or_default(), text).map_err(|words| refused(&words))
    }

    fn remove(&self, family: Family, chains: &[(Table, String)]) -> Result<(), BackendError> {
        let mut state = self.state();
        let tables = state.families.entry(family).or_default();
        for (table, chain) in chains {
            if let Some(chains) = tables.get_mut(table.name()) {
                chains.remove(chain);
            }
        }
        // The built-in chains were not there before fwtui either.
        tables.retain(|_, chains| {
            !chains
                .iter()
                .all(|(name, chain)| BUILTIN.contains(&name.as_str()) && chain.rules.is_empty())
        });
        Ok(())
    }
}

fn refused(words: &str) -> BackendError {
    BackendError::Refused {
        program: "memory".to_owned(),
        words: words.to_owned(),
    }
}

/// Carries out a restore text, table by table.
fn execute(tables: &mut BTreeMap<String, Chains>, text: &str) -> Result<(), String> {
    let mut current: Option<(String, Chains)> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            let mut chains = tables.get(name).cloned().unwrap_or_default();
            for name in BUILTIN {
                chains.entry(name.to_owned()).or_insert_with(|| Chain {
                    policy: "ACCEPT".into(),
                    rules: Vec::new(),
                });
            }
            current = Some((name.to_owned(), chains));
        } else if line == "COMMIT" {
            let (name, chains) = current.take().ok_or("COMMIT without a table")?;
            check_targets(&chains)?;
            tables.insert(name, chains);
        } else {
            let (_, chains) = current.as_mut().ok_or("a line outside of any table")?;
            execute_line(chains, line)?;
        }
    }
    Ok(())
}

fn execute_line(chains: &mut Chains, line: &str) -> Result<(), String> {
    if let Some(declared) = line.strip_prefix(':') {
        let mut words = declared.split(' ');
        let (name, policy) = (words.next().unwrap_or_default(), words.next().unwrap_or("-"));
        let chain = chains.entry(name.to_owned()).or_default();
        policy.clone_into(&mut chain.policy);
        if policy == "-" {
            chain.rules.clear();
        }
        return Ok(());
    }
    let (command, rest) = line.split_once(' ').ok_or("no command")?;
    let (name, rule) = rest.split_once(' ').unwrap_or((rest, ""));
    let chain = chains.get_mut(name).ok_or_else(|| format!("no chain {name}"))?;
    match command {
        "-A" => chain.rules.push(rule.to_owned()),
        "-I" => chain
            .rules
            .insert(0, rule.strip_prefix("1 ").ok_or("only place 1 is known")?.to_owned()),
        "-D" => {
            let at = chain.rules.iter().position(|have| have == rule).ok_or("no such rule")?;
            chain.rules.remove(at);
        }
        other => return Err(format!("unknown command {other}")),
    }
    Ok(())
}

fn check_targets(chains: &Chains) -> Result<(), String> {
    for rule in chains.values().flat_map(|chain| &chain.rules) {
        let target = rule
            .split(" -g ")
            .nth(1)
            .or_else(|| rule.split("-j FWTUI").nth(1).map(|_| ""));
        let name = rule.rsplit(' ').next().unwrap_or_default();
        if target.is_some() && !chains.contains_key(name) {
            return Err(format!("no chain {name}"));
        }
    }
    Ok(())
}
