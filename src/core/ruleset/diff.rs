//! The ruleset as a diff, for reading.

use similar::{ChangeTag, TextDiff};

use crate::core::listener::Family;
use crate::core::reach::Filter;
use crate::core::ruleset::Ruleset;
use crate::core::text::printable_within;

/// Longest line shown, in characters: fwtui's own are far shorter, but somebody else may have put
/// a rule into its chains.
const LONGEST: usize = 1000;

/// What a line of the diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A heading: the family.
    Heading,
    /// In both.
    Same,
    /// Only after applying.
    Added,
    /// Only now.
    Removed,
}

impl Sign {
    /// The character in front of the line.
    pub const fn mark(self) -> char {
        match self {
            Self::Heading => '#',
            Self::Same => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
}

/// A line of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// What it is.
    pub sign: Sign,
    /// The rule or heading.
    pub text: String,
}

/// fwtui's own rules now against the candidate, chains named without their slot. A family the
/// machine doesn't have is left out.
pub fn diff(now: &Filter, candidate: &Ruleset) -> Vec<DiffLine> {
    let mut lines = Vec::new();
    for family in Family::ALL {
        let part = now.family(family);
        if part.is_absent {
            continue;
        }
        let own = &part.own;
        let before = own.rules.to_plain_text(&own.jumps);
        let rules = candidate.family(family);
        let after = rules.to_plain_text(&rules.hooks());
        if before.is_empty() && after.is_empty() {
            continue;
        }
        lines.push(DiffLine {
            sign: Sign::Heading,
            text: family.to_string(),
        });
        lines.extend(
            TextDiff::from_lines(&before, &after)
                .iter_all_changes()
                .map(|change| DiffLine {
                    sign: match change.tag() {
                        ChangeTag::Equal => Sign::Same,
                        ChangeTag::Insert => Sign::Added,
                        ChangeTag::Delete => Sign::Removed,
                    },
                    text: printable_within(change.value().trim_end(), LONGEST),
                }),
        );
    }
    lines
}
