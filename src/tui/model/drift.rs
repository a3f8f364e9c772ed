//! Who changed the rules in the kernel.

use std::time::Duration;

/// More programs are not named.
const MOST: usize = 3;
/// How long after fwtui loaded something the kernel may still tell of it.
const ECHO: Duration = Duration::from_secs(2);
/// The programs fwtui loads with.
const LOADERS: [&str; 4] = [
    "iptables-restore",
    "ip6tables-restore",
    "iptables-nft-restore",
    "ip6tables-nft-restore",
];
/// The kernel cuts a thread's name here (`TASK_COMM_LEN` without the NUL).
const LONGEST_NAME: usize = 15;

/// The programs that changed the rules, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Since the rules were last known to be what was confirmed.
    suspects: Vec<String>,
    /// When they were found to be something else.
    culprits: Vec<String>,
    /// Whether there was a change since the status was asked for.
    is_overtaken: bool,
    /// Until then fwtui's own loading may be told of.
    echo_until: Duration,
}

impl Drift {
    /// Fwtui itself has just loaded something, at this time since boot.
    pub fn has_loaded(&mut self, now: Duration) {
        self.echo_until = now.saturating_add(ECHO);
    }

    /// Takes down who changed something, and whether the status is being asked for already.
    pub fn note(&mut self, programs: Vec<String>, now: Duration, is_asked: bool) {
        self.is_overtaken |= is_asked;
        for program in programs {
            let is_own = now < self.echo_until && is_loader(&program);
            if !is_own && self.suspects.len() < MOST && !self.suspects.contains(&program) {
                self.suspects.push(program);
            }
        }
    }

    /// The rules were looked at: whether they are what they should be.
    pub fn judge(&mut self, has_drifted: bool) {
        if !has_drifted {
            self.culprits.clear();
        } else if self.culprits.is_empty() {
            self.culprits = std::mem::take(&mut self.suspects);
        }
    }

    /// The status has come: whether there were changes since it was asked for.
    pub const fn must_ask(&mut self) -> bool {
        std::mem::replace(&mut self.is_overtaken, false)
    }

    /// The changes so far did no harm, or it is told already.
    pub fn forget(&mut self) {
        self.suspects.clear();
    }

    /// Who did it: `nft`, `dockerd and iptables`; none where that is not known.
    pub fn by(&self) -> Option<String> {
        match self.culprits.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            [some @ .., last] => Some(format!("{} and {last}", some.join(", "))),
        }
    }
}

fn is_loader(name: &str) -> bool {
    LOADERS
        .iter()
        .any(|loader| loader.get(..LONGEST_NAME) == Some(name) || *loader == name)
}
