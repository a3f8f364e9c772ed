//! The counters of fwtui's rules in force, where the save was made with them.

use super::{SavedRule, SavedTables};
use crate::core::counters::{Count, Counted, Counters, Does};
use crate::core::ruleset::print::COMMENT_PREFIX;
use crate::core::ruleset::rule::{Rule, Target};
use crate::core::ruleset::saved::spec;
use crate::core::ruleset::{Slot, Table};

impl SavedTables {
    /// Adds what the rules of a slot have counted; those without counters are left out.
    pub fn count(&self, slot: Slot, counters: &mut Counters) {
        let Some(filter) = self.tables.get(Table::Filter.name()) else {
            return;
        };
        let own = filter.rules.iter().filter(|rule| rule.chain.starts_with(slot.prefix()));
        for rule in own {
            // Most rules of a large set are about a service, but the reason is quicker looked at.
            if let (Some(count), Some(reason)) = (rule.count, reason(rule)) {
                add(rule, slot, reason, count, counters);
            }
        }
    }
}

fn add(rule: &SavedRule, slot: Slot, reason: &str, count: Count, counters: &mut Counters) {
    let Rule::Known { matches, target, .. } = spec::parse(&rule.words, slot) else {
        return;
    };
    let does = match &target {
        Target::Return => Does::LetsIn,
        Target::Goto(chain) if chain == "REFUSE" => Does::Refuses,
        Target::Goto(chain) if chain == "TRUSTED" => Does::Asks,
        Target::Reject(_) | Target::Drop => Does::Refuses,
        Target::Goto(_) | Target::Next | Target::Log(_) | Target::Nflog(..) => return,
    };
    let Some(protocol) = matches.protocol else {
        return;
    };
    let ports = matches.original_ports.into_iter().chain(matches.destination_ports);
    counters.add(&Counted {
        reason,
        protocol,
        ports: ports.collect(),
        does,
        count,
    });
}

/// Where a decision is the reason: its id, or what was decided on many.
fn reason(rule: &SavedRule) -> Option<&str> {
    let at = rule.words.iter().position(|word| word == "--comment")?;
    let reason = rule.words.get(at + 1)?.strip_prefix(COMMENT_PREFIX)?;
    let is_decision = reason.contains('/') || matches!(reason, "open" | "trusted" | "confine");
    is_decision.then_some(reason)
}

/// `[12:3456] -A INPUT ...`: the counters that `iptables-save -c` prints.
pub(super) fn counters(line: &str) -> Option<Count> {
    let (packets, bytes) = line.strip_prefix('[')?.split_once("] ")?.0.split_once(':')?;
    Some(Count {
        packets: packets.parse().ok()?,
        bytes: bytes.parse().ok()?,
    })
}
