//! A ruleset: what is loaded, and what of it can be left out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use fwtui::backend::iptables::open;
use fwtui::backend::{Backend, everything};
use fwtui::core::listener::Family;
use fwtui::core::netfilter::Netfilter;
use fwtui::sys::runner::SystemRunner;

use crate::lab::run;

/// The tables of iptables.
pub const TABLES: [&str; 5] = ["raw", "mangle", "nat", "filter", "security"];
/// Whether iptables-legacy was used: its tables stay for ever.
static HAS_LEGACY: AtomicBool = AtomicBool::new(false);

/// Where a rule is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// In a table of iptables.
    Saved {
        is_legacy: bool,
        family: Family,
        table: &'static str,
    },
    /// In a table of nft.
    Native(usize),
}

/// One rule, in its tool's words, with its chain: `-A INPUT ...`, or `add rule inet t c ...`.
#[derive(Debug, Clone)]
pub struct Line {
    pub spot: Spot,
    pub text: String,
}

/// A ruleset.
#[derive(Debug, Clone, Default)]
pub struct Case {
    pub seed: u64,
    /// Settings below /proc/sys/net.
    pub settings: Vec<(String, String)>,
    /// Sets of ipset.
    pub ipsets: String,
    /// Chains of the tables of iptables, as iptables-restore declares them.
    pub saved: BTreeMap<Spot, Vec<String>>,
    /// Tables of nft with their sets and chains.
    pub native: Vec<String>,
    pub lines: Vec<Line>,
    /// fwtui's own rules, for both families.
    pub own: Option<[String; 2]>,
    /// Whether it holds what can't be told on purpose.
    pub has_unknown: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.settings {
            writeln!(f, "{name} = {value}")?;
        }
        if self.lines.iter().any(|line| line.text.contains("--match-set")) {
            write!(f, "{}", self.ipsets)?;
        }
        for (spot, declared) in &self.saved {
            let lines: Vec<_> = self.lines.iter().filter(|line| line.spot == *spot).collect();
            if lines.is_empty()
                && declared
                    .iter()
                    .all(|chain| chain.contains("ACCEPT") || chain.ends_with(" -"))
            {
                continue;
            }
            if let Spot::Saved {
                is_legacy,
                family,
                table,
            } = spot
            {
                writeln!(f, "*{table} ({}, {family})", if *is_legacy { "legacy" } else { "nft" })?;
            }
            for chain in declared {
                writeln!(f, "{chain}")?;
            }
            for line in lines {
                writeln!(f, "{}", line.text)?;
            }
        }
        for (number, table) in self.native.iter().enumerate() {
            write!(f, "{table}")?;
            for line in self.lines.iter().filter(|line| line.spot == Spot::Native(number)) {
                writeln!(f, "{}", line.text)?;
            }
        }
        if self.own.is_some() {
            writeln!(f, "and fwtui's own")?;
        }
        Ok(())
    }
}

fn restore(is_legacy: bool, family: Family) -> &'static str {
    match (is_legacy, family) {
        (false, Family::Ipv4) => "iptables-nft-restore",
        (false, Family::Ipv6) => "ip6tables-nft-restore",
        (true, Family::Ipv4) => "iptables-legacy-restore",
        (true, Family::Ipv6) => "ip6tables-legacy-restore",
    }
}

/// Loads rules of iptables.
pub fn load_saved(is_legacy: bool, family: Family, text: &str) -> Result<(), String> {
    HAS_LEGACY.fetch_or(is_legacy, Ordering::Relaxed);
    run(&[restore(is_legacy, family)], text).map(drop)
}

/// Empties everything.
pub fn clear() {
    run(&["nft", "-f", "-"], "flush ruleset\n").unwrap();
    if HAS_LEGACY.load(Ordering::Relaxed) {
        let mut text = String::new();
        for table in TABLES {
            text.push_str(&format!("*{table}\n"));
            for chain in built_in(table) {
                text.push_str(&format!(":{chain} ACCEPT\n"));
            }
            text.push_str("COMMIT\n");
        }
        for family in Family::ALL {
            run(&[restore(true, family)], &text).unwrap();
        }
    }
    run(&["ipset", "destroy"], "").unwrap();
}

/// The built-in chains of a table of iptables.
pub fn built_in(table: &str) -> &'static [&'static str] {
    match table {
        "filter" | "security" => &["INPUT", "FORWARD", "OUTPUT"],
        "raw" => &["PREROUTING", "OUTPUT"],
        "nat" => &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
        _ => &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
    }
}

impl Case {
    /// Without the native rules that nft itself does not take, as `tcp dport 1 udp dport 1`.
    pub fn without_refused(mut self) -> Self {
        loop {
            let text = format!("flush ruleset\n{}", self.native_text());
            let Err(complaint) = run(&["nft", "-c", "-f", "-"], &text) else {
                return self;
            };
            let heads: usize = self.native.iter().map(|text| text.lines().count()).sum();
            let numbers = complaint
                .lines()
                .filter_map(|line| line.split_once("/dev/stdin:").map(|(_, rest)| rest));
            let mut refused: Vec<usize> = numbers
                .filter_map(|rest| rest.split(':').next()?.parse::<usize>().ok()?.checked_sub(heads + 2))
                .collect();
            refused.sort_unstable();
            refused.dedup();
            if refused.is_empty() {
                // A base chain: something its hook does not do is somewhere below it.
                let below = self.lines.iter().rposition(|line| matches!(line.spot, Spot::Native(_)));
                let below = below.unwrap_or_else(|| panic!("seed {}: {complaint}", self.seed));
                self.lines.remove(below);
                continue;
            }
            let mut at = 0;
            self.lines.retain(|line| {
                let is_native = matches!(line.spot, Spot::Native(_));
                at += usize::from(is_native);
                !is_native || !refused.contains(&(at - 1))
            });
        }
    }

    fn native_text(&self) -> String {
        let mut text = self.native.concat();
        for line in self.lines.iter().filter(|line| matches!(line.spot, Spot::Native(_))) {
            text.push_str(&format!("{}\n", line.text));
        }
        text
    }

    /// Loads it where nothing is.
    pub fn load(&self) -> Result<(), String> {
        clear();
        let settings: Vec<_> = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        fwtui::sys::netns::links::set(&settings).map_err(|error| error.to_string())?;
        if !self.ipsets.is_empty() {
            run(&["ipset", "restore"], &self.ipsets)?;
        }
        for is_legacy in [false, true] {
            for of in Family::ALL {
                let mut text = String::new();
                for (spot, declared) in &self.saved {
                    let Spot::Saved {
                        is_legacy: legacy,
                        family,
                        table,
                    } = spot
                    else {
                        continue;
                    };
                    if (*legacy, *family) != (is_legacy, of) {
                        continue;
                    }
                    text.push_str(&format!("*{table}\n"));
                    for chain in declared {
                        text.push_str(&format!("{chain}\n"));
                    }
                    for line in self.lines.iter().filter(|line| line.spot == *spot) {
                        text.push_str(&format!("{}\n", line.text));
                    }
                    text.push_str("COMMIT\n");
                }
                if !text.is_empty() {
                    load_saved(is_legacy, of, &text)?;
                }
            }
        }
        if !self.native.is_empty() {
            run(&["nft", "-f", "-"], &self.native_text())?;
        }
        if let Some(own) = &self.own {
            for (family, text) in Family::ALL.into_iter().zip(own) {
                run(&[restore(false, family), "--noflush"], text)?;
            }
        }
        Ok(())
    }
}

/// What is loaded, as fwtui reads it.
pub fn read() -> (Netfilter, Vec<String>) {
    let (backend, _) = open(SystemRunner::default()).unwrap();
    let observed = backend.read().unwrap();
    let everything = everything::read(&SystemRunner::default(), &observed);
    (everything.netfilter, everything.notes)
}
