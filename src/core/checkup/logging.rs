//! Rules that write to the kernel's log.

use crate::core::checkup::gist::{about, asks, by_chain, conditions, is_limited, leads_to, logs, verdict};
use crate::core::checkup::{Evidence, Finding, Kind, Placed, Severity};
use crate::core::netfilter::{Condition, Field, Hook, Rule, Table, Verdict};

const LOG_WITHOUT_LIMIT: Kind = Kind {
    id: "log-without-limit",
    severity: Severity::Risky,
    line: "A rule logs without a limit: whoever sends packets fills the log",
};
const LOG_BEFORE_ACCEPT: Kind = Kind {
    id: "log-before-accept",
    severity: Severity::Risky,
    line: "A rule logs packets that are accepted behind it",
};
const LOG_KERNEL_DESKTOP: Kind = Kind {
    id: "log-kernel-desktop",
    severity: Severity::Info,
    line: "A desktop logs refused packets, which nobody reads, to the kernel's log",
};

pub(super) const KINDS: &[Kind] = &[LOG_WITHOUT_LIMIT, LOG_BEFORE_ACCEPT, LOG_KERNEL_DESKTOP];

pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let logging: Vec<Placed<'_>> = evidence.rules().filter(|placed| logs(placed.rule)).collect();
    let mut findings = Vec::new();
    for group in by_chain(logging.iter().copied()) {
        let reached = |placed: &Placed<'_>| is_reached_limited(placed.table, &placed.chain.name);
        let mut unlimited = group.iter().filter(|placed| !is_limited(placed.rule));
        if let Some(first) = unlimited.next().filter(|first| !reached(first)) {
            let what = match unlimited.count() {
                0 => "It logs every packet that comes to it, without a limit.".to_owned(),
                more => format!(
                    "It logs every packet that comes to it, without a limit, and so do {more} more of its chain."
                ),
            };
            findings.push(about(
                &LOG_WITHOUT_LIMIT,
                evidence,
                first,
                &what,
                "Whoever sends packets decides how much is written: a flood fills the disk or pushes everything else out of the \
log, and slows the machine down.",
                "Put '-m limit --limit 5/min' before '-j LOG', or log to nflog with a quota.",
            ));
        }
        findings.extend(
            group
                .iter()
                .find(|placed| is_before_accept(placed))
                .map(|placed| before_accept(evidence, placed)),
        );
    }
    if evidence.is_desktop == Some(true) {
        findings.extend(logging.first().map(|placed| {
            about(
                &LOG_KERNEL_DESKTOP,
                evidence,
                placed,
                "Packets are logged to the kernel's log, on a desktop.",
                "On a desktop nobody reads it, and it hides the messages of the hardware; for a server it is what \
troubleshooting lives on.",
                "Remove it unless you look for something, or log to nflog.",
            )
        }));
    }
    findings
}

fn before_accept(evidence: &Evidence<'_>, placed: &Placed<'_>) -> Finding {
    let finding = about(
        &LOG_BEFORE_ACCEPT,
        evidence,
        placed,
        "It logs every packet, those of running connections too, because the rules that accept come behind it.",
        "Ordinary traffic fills the log, or uses up the limit, so that what is refused is missing from it.",
        "Put it behind the rules that accept, just before the refusal.",
    );
    match is_limited(placed.rule) {
        true => Finding {
            severity: Severity::Info,
            ..finding
        },
        false => finding,
    }
}

/// Whether every jump to a chain has a limit.
fn is_reached_limited(table: &Table, chain: &str) -> bool {
    let rules = table.chains.iter().flat_map(|chain| &chain.rules);
    let mut jumps = rules.filter(|rule| leads_to(rule).any(|to| to == chain)).peekable();
    jumps.peek().is_some() && jumps.all(is_limited)
}

/// Whether packets in both directions of every connection come by, and accepts stand behind it.
fn is_before_accept(placed: &Placed<'_>) -> bool {
    let is_way_in = placed
        .chain
        .base
        .as_ref()
        .is_some_and(|base| matches!(base.hook, Hook::Input | Hook::Forward));
    let is_limit = |condition: &Condition| matches!(condition, Condition::FirstOfMany { .. });
    let is_place = |condition: &Condition| {
        matches!(
            condition,
            Condition::Is {
                field: Field::InInterface | Field::OutInterface | Field::Protocol,
                ..
            }
        )
    };
    let of_all = |rule: &Rule| conditions(rule).all(|condition| is_limit(condition) || is_place(condition));
    let accepts_running =
        |rule: &Rule| verdict(rule) == Some(&Verdict::Accept) && asks(rule, |field| *field == Field::State);
    let behind = placed.chain.rules.iter().skip(placed.at.2 + 1);
    is_way_in && of_all(placed.rule) && behind.into_iter().any(accepts_running)
}

#[cfg(test)]
mod tests {
    use crate::core::checkup::script::read;
    use crate::core::checkup::{Evidence, check};

    #[test]
    fn logging_is_told_of_a_desktop_only() {
        let reading = read("a.v4", "*filter\n-A INPUT -m limit --limit 1/s -j LOG\nCOMMIT\n").unwrap();
        for is_desktop in [None, Some(false), Some(true)] {
            let findings = check(&Evidence {
                netfilter: Some(&reading.netfilter),
                is_desktop,
                ..Evidence::default()
            });
            let is_told = findings.iter().any(|finding| finding.id == "log-kernel-desktop");
            assert_eq!(is_told, is_desktop == Some(true));
        }
    }
}
