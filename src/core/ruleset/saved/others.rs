//! What is not fwtui's: what of it stands in the way in, and the text that must stay as it is.

use std::fmt;

use super::without_counters;
use crate::core::ruleset::PREFIX;
use crate::core::text::printable_within;

/// Something that fwtui did not make and that has its say on packets coming in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// A rule: its table and its text.
    Rule {
        /// The table.
        table: String,
        /// The rule, from `-A`.
        text: String,
    },
    /// A built-in chain whose policy is not ACCEPT.
    ChainPolicy {
        /// The table.
        table: String,
        /// The chain.
        chain: String,
        /// The policy.
        policy: String,
    },
    /// A table that holds native nft rules, which `iptables-save` can't show.
    Incompatible(String),
    /// A line of a save that makes no sense: what it does is not known.
    Unread(String),
    /// Tables for which the program that shows them is not installed: in words.
    NoReader(String),
    /// A rule that may accept before fwtui's jump is reached.
    BeforeJump(String),
}

impl Obstacle {
    /// Whether it can let in what fwtui would refuse, because fwtui's rules are never reached.
    pub const fn goes_first(&self) -> bool {
        matches!(self, Self::BeforeJump(_))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { table, text } => write!(f, "{} (table {})", shown(text), shown(table)),
            Self::ChainPolicy { table, chain, policy } => {
                let [policy, chain, table] = [policy, chain, table].map(|word| shown(word));
                write!(f, "the policy {policy} of {chain} (table {table})")
            }
            Self::Incompatible(table) => write!(f, "native nft rules in table {}", shown(table)),
            Self::Unread(line) => write!(f, "a line that can't be read: {}", shown(line)),
            Self::NoReader(what) => f.write_str(what),
            Self::BeforeJump(text) => write!(f, "{}, which comes before fwtui's own rules", shown(text)),
        }
    }
}

/// What others wrote, for a terminal: a comment may hold anything.
fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    printable_within(text, LONGEST)
}

/// A save with everything of fwtui taken out, and comments, counters and empty built-in tables too:
/// what must be the same before, during and after. (Removing the last rule leaves an empty table.)
pub fn own_text_removed(text: &str) -> String {
    let is_own = |line: &str| {
        let rule = without_counters(line);
        let chain = rule
            .strip_prefix(':')
            .or_else(|| rule.strip_prefix("-A "))
            .and_then(|rest| rest.split(' ').next());
        chain.is_some_and(|chain| chain.starts_with(PREFIX))
            || rule.rsplit(' ').next().is_some_and(|last| last.starts_with(PREFIX))
    };
    let mut out = String::new();
    let mut table = String::new();
    let mut is_empty = true;
    for line in text.lines().filter(|line| !line.starts_with('#') && !is_own(line)) {
        let line = match line.strip_prefix(':').and_then(|_| line.split_once(" [")) {
            Some((chain, _counters)) => chain,
            None => without_counters(line),
        };
        is_empty &= line.starts_with('*') || line == "COMMIT" || line.ends_with(" ACCEPT") && line.starts_with(':');
        table.push_str(line);
        table.push('\n');
        if line == "COMMIT" {
            let whole = std::mem::take(&mut table);
            if !std::mem::replace(&mut is_empty, true) {
                out.push_str(&whole);
            }
        }
    }
    out + &table
}
