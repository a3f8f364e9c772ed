//! Checkup: what of a packet filter, its machine's settings and services is harmful, redundant or
//! missing, why, and what to do.
//!
//! One file for each family of findings. Every kind of finding is a [`Kind`] of its family: the manual
//! page is made from these, and a test holds that there is an example of each.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::core::listener::Family;
use crate::core::netfilter::{Chain, Netfilter, Rule, Table};
use crate::core::network::World;
use crate::core::overview::Row;
use crate::core::service::ServiceId;
use crate::core::tools::Presence;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "it asks for a few of the many kinds of conditions and fields"
)]
mod gist;
mod helpers;
mod logging;
mod looked_at;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "it asks for a few of the many kinds of conditions and fields"
)]
mod redundant;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "it asks for a few of the many kinds of conditions and fields"
)]
mod refusal;
pub mod script;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "it asks for a few of the many kinds of conditions and fields"
)]
mod shadowed;

/// How bad it is. The order is the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It breaks something, now or soon, or leaves open what looks closed.
    Harmful,
    /// It may, under circumstances that are said.
    Risky,
    /// Nothing would change without it.
    Redundant,
    /// Something that ought to be there is not.
    Missing,
    /// A fact worth knowing, or a matter of taste.
    Info,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [Self::Harmful, Self::Risky, Self::Redundant, Self::Missing, Self::Info];

    /// The word on the screens, on the command line and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Harmful => "harmful",
            Self::Risky => "risky",
            Self::Redundant => "redundant",
            Self::Missing => "missing",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.word() == word)
            .ok_or_else(|| format!("unknown severity '{word}': use harmful, risky, redundant, missing or info"))
    }
}

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What scripts and the policy know it by: `ipv6-neighbour-discovery-refused`. Never changes.
    pub id: &'static str,
    /// How bad it is, unless a finding says otherwise.
    pub severity: Severity,
    /// One line for the manual page, without a full stop.
    pub line: &'static str,
}

/// Where it is. What does not apply is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// A file: the one that is checked, or one of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Table and chain: `ip filter INPUT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The rule as its own tool prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// A service of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// A sysctl: `net.ipv4.ip_forward`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sysctl: Option<String>,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The id of its kind.
    pub id: &'static str,
    /// How bad it is here.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What was found: one sentence.
    pub what: String,
    /// Why it matters: one sentence.
    pub why: String,
    /// What to do: one sentence.
    #[serde(rename = "do")]
    pub advice: String,
}

impl Finding {
    /// A finding of a kind, as bad as the kind.
    pub fn new(
        kind: &Kind,
        place: Place,
        what: impl Into<String>,
        why: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            id: kind.id,
            severity: kind.severity,
            place,
            what: what.into(),
            why: why.into(),
            advice: advice.into(),
        }
    }

    /// What it is about, in one word that stays the same from look to look: the rule, the service, the
    /// sysctl, the file or the chain. With the id it names the finding in the policy.
    pub fn subject(&self) -> String {
        let place = &self.place;
        let service = place.service.as_ref().map(ToString::to_string);
        place
            .rule
            .clone()
            .or(service)
            .or_else(|| place.sysctl.clone())
            .or_else(|| place.chain.clone())
            .or_else(|| place.file.clone())
            .unwrap_or_default()
    }
}

/// Where the rules of a file stand: table, chain and rule by their places in [`Netfilter`], to lines
/// from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// The file's name, printable.
    pub file: String,
    /// The lines.
    pub rules: BTreeMap<(usize, usize, usize), usize>,
    /// The lines that give base chains their policies.
    pub policies: BTreeMap<(usize, usize), usize>,
}

/// A sysctl of the network, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Its name: `net.ipv4.conf.all.rp_filter`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The running kernel's default; none where that is not known.
    pub default: Option<String>,
    /// The file and line that set it, where one does.
    pub source: Option<(String, usize)>,
}

/// What the package manager's local state says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Updates {
    /// `apt`, `dnf`, `pacman`, `zypper`, `apk`.
    pub manager: String,
    /// Packages with a newer version; none where that can't be told.
    pub pending: Option<Vec<String>>,
    /// Those of them that are security updates; none where the state does not tell.
    pub security: Option<Vec<String>>,
    /// How old the state is, in seconds.
    pub age: Option<u64>,
    /// What wants a reboot, in words.
    pub reboot: Option<String>,
    /// The running kernel's release, and a newer one that is installed.
    pub kernel: Option<(String, String)>,
    /// What could not be read, and why: one sentence each.
    pub unseen: Vec<String>,
}

/// What bounds the logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSpace {
    /// Whether the journal is kept on disk, and its bound in words (`SystemMaxUse=500M`, `10 % of the
    /// disk by default`).
    pub journal: Option<String>,
    /// The files that syslog writes the kernel's messages to, each with whether they are rotated, and
    /// whether by size.
    pub syslog: Vec<(String, bool, bool)>,
    /// Bytes free where they are.
    pub free: Option<u64>,
}

/// What there is to judge. What is empty or none was not looked at, and nothing is found there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// The rules.
    pub netfilter: Option<&'a Netfilter>,
    /// Where they stand, for those of a file.
    pub lines: Option<&'a Lines>,
    /// The families whose rules are all there: a file of iptables-save's has one.
    pub families: &'a [Family],
    /// What else decides over packets here; none for a file from somewhere.
    pub world: Option<&'a World>,
    /// The services, and who can connect.
    pub rows: &'a [Row],
    /// The sysctls.
    pub sysctls: &'a [Sysctl],
    /// The updates.
    pub updates: Option<&'a Updates>,
    /// The logs.
    pub logs: Option<&'a LogSpace>,
    /// Other programs that load rules.
    pub managers: &'a [Presence],
    /// Whether somebody sits at it: a graphical session is installed. None where that is not known.
    pub is_desktop: Option<bool>,
}

/// A rule with where it is.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Its table.
    pub table: &'a Table,
    /// Its chain.
    pub chain: &'a Chain,
    /// The rule.
    pub rule: &'a Rule,
    /// Places in [`Netfilter`]: table, chain, rule.
    pub at: (usize, usize, usize),
}

impl<'a> Evidence<'a> {
    /// Every rule that fwtui did not make.
    pub fn rules(&self) -> impl Iterator<Item = Placed<'a>> + use<'a> {
        let tables = self.netfilter.map(|netfilter| netfilter.tables.as_slice());
        let tables = tables.unwrap_or_default().iter().enumerate();
        let chains = tables.flat_map(|(t, table)| {
            table
                .chains
                .iter()
                .enumerate()
                .map(move |(c, chain)| (t, table, c, chain))
        });
        chains
            .filter(|(_, _, _, chain)| !chain.name.starts_with(crate::core::ruleset::PREFIX))
            .flat_map(|(t, table, c, chain)| {
                chain.rules.iter().enumerate().map(move |(r, rule)| Placed {
                    table,
                    chain,
                    rule,
                    at: (t, c, r),
                })
            })
    }

    /// Where a rule is.
    pub fn place(&self, placed: &Placed<'_>) -> Place {
        Place {
            file: self.lines.map(|lines| lines.file.clone()),
            line: self.lines.and_then(|lines| lines.rules.get(&placed.at).copied()),
            chain: Some(chain_words(placed.table, placed.chain)),
            rule: Some(placed.rule.text.clone()),
            ..Place::default()
        }
    }

    /// Where the policy of a base chain is, by the places of its table and itself.
    pub fn place_of_policy(&self, table: usize, chain: usize) -> Place {
        let tables = self.netfilter.map(|netfilter| netfilter.tables.as_slice());
        let words = tables.unwrap_or_default().get(table).and_then(|table| {
            let chain = table.chains.get(chain)?;
            Some(chain_words(table, chain))
        });
        Place {
            file: self.lines.map(|lines| lines.file.clone()),
            line: self
                .lines
                .and_then(|lines| lines.policies.get(&(table, chain)).copied()),
            chain: words,
            ..Place::default()
        }
    }
}

/// `ip filter INPUT`.
fn chain_words(table: &Table, chain: &Chain) -> String {
    format!("{} {} {}", table.family.word(), table.name, chain.name)
}

/// A family of findings: its kinds, and what finds them.
type FamilyOfFindings = (&'static [Kind], fn(&Evidence<'_>) -> Vec<Finding>);

/// All of them.
const FAMILIES: &[FamilyOfFindings] = &[
    (helpers::KINDS, helpers::findings),
    (logging::KINDS, logging::findings),
    (redundant::KINDS, redundant::findings),
    (refusal::KINDS, refusal::findings),
    (shadowed::KINDS, shadowed::findings),
];

/// Every kind of finding there is, family by family.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    FAMILIES.iter().flat_map(|(kinds, _)| kinds.iter())
}

/// Judges, the worst first.
pub fn check(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = FAMILIES.iter().flat_map(|(_, find)| find(evidence)).collect();
    findings.sort_by(|a, b| (a.severity, a.id, &a.place).cmp(&(b.severity, b.id, &b.place)));
    findings.dedup();
    findings
}
