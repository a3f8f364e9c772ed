//! An answer in words: the same on the command line and on the screens.

use std::net::SocketAddr;

use super::Answer;
use crate::core::reach::Fate;
use crate::core::service::ServiceId;
use crate::core::text::{capitalised, printable_within};

/// Longest rule shown; a comment may have 255 characters, and a set of nft any number.
const LONGEST: usize = 300;

/// A line of the way a packet goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkLine {
    /// The hook it comes to.
    Hook(String),
    /// What happens to it, and where.
    Step(String),
    /// The rule that did it.
    Rule(String),
}

impl Answer {
    /// How it fares, in one sentence.
    pub fn verdict(&self, id: &ServiceId, is_after: bool) -> String {
        let to = SocketAddr::new(self.destination, id.ports.first());
        let when = if is_after { "After applying, a" } else { "A" };
        let verdict = match self.explanation.fate {
            Fate::Accepted => "gets in",
            Fate::Refused => "is refused",
            Fate::Dropped => "is dropped in silence",
            Fate::Unknown { may_arrive: true } => "may get in or not",
            Fate::Unknown { may_arrive: false } => "is refused or dropped",
        };
        format!(
            "{when} new connection from {} to {to}/{}, coming in by {}, {verdict}.",
            self.source,
            id.protocol,
            shown(&self.interface)
        )
    }

    /// Who decided, and the text of the rule where it is one.
    pub fn because(&self) -> (String, Option<String>) {
        let by = &self.explanation.decided_by;
        let because = match self.explanation.fate {
            Fate::Unknown { .. } => "It can't be told because of",
            Fate::Accepted | Fate::Refused | Fate::Dropped => "Decided by",
        };
        // Rules that could not be read are in no chain.
        let sentence = match by.chain.is_empty() && by.number.is_some() {
            true => because.to_owned(),
            false => shown(&format!("{because} {by}")),
        };
        match by.number {
            Some(_) => (format!("{sentence}:"), Some(shown(&by.rule))),
            None => (format!("{sentence}."), None),
        }
    }

    /// The way, step by step.
    pub fn walk(&self) -> Vec<WalkLine> {
        let mut lines = Vec::new();
        let mut hook = "";
        for step in &self.explanation.walk {
            if step.hook != hook {
                hook = step.hook;
                lines.push(WalkLine::Hook(format!("{}:", capitalised(hook))));
            }
            let (table, chain, effect) = (shown(&step.table), shown(&step.chain), shown(&step.effect));
            match (step.table.as_str(), step.number) {
                ("", _) => lines.push(WalkLine::Step(effect)),
                (_, Some(_)) if chain.is_empty() => {
                    lines.push(WalkLine::Step(effect));
                    lines.push(WalkLine::Rule(shown(&step.rule)));
                }
                (_, None) => lines.push(WalkLine::Step(format!("{table} {chain}: {effect}"))),
                (_, Some(number)) => {
                    lines.push(WalkLine::Step(format!("{table} {chain} {number}: {effect}")));
                    lines.push(WalkLine::Rule(shown(&step.rule)));
                }
            }
        }
        lines
    }
}

fn shown(text: &str) -> String {
    printable_within(text, LONGEST)
}
