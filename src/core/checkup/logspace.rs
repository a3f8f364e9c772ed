//! What an attacker could fill: log files that nothing bounds, where rules write to them.

use super::{Evidence, Finding, Kind, Place, Placed, Severity};

const UNBOUNDED: Kind = Kind {
    id: "log-space-unbounded",
    severity: Severity::Missing,
    line: "a rule logs to a file that nothing keeps small",
};

/// The kinds of this family.
pub(super) const KINDS: &[Kind] = &[UNBOUNDED];

/// Judges the files that the kernel's messages go to. The journal is bounded whatever is set: it
/// throws away what is oldest.
pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let Some(logs) = evidence.logs else {
        return Vec::new();
    };
    let logging: Vec<Placed<'_>> = evidence
        .rules()
        .filter(|placed| is_logging(&placed.rule.text))
        .collect();
    let endless = logging.iter().find(|placed| !is_limited(&placed.rule.text));
    let free = logs
        .free
        .map(|free| format!(" ({} are free there)", size(free)))
        .unwrap_or_default();
    let one = |(file, is_rotated, is_by_size): &(String, bool, bool)| {
        let place = Place {
            file: Some(file.clone()),
            ..Place::default()
        };
        match (is_rotated, is_by_size) {
            (true, true) => None,
            // Nothing writes more than what is normal between two rotations.
            (true, false) => endless.map(|rule| {
                Finding::new(
                    &UNBOUNDED,
                    place,
                    format!("{file} is rotated by time and not by size, and a rule logs to it without a limit{free}."),
                    "Whoever sends packets that this rule matches can fill the disk between two rotations.",
                    format!(
                        "Add 'maxsize 100M' to its block in /etc/logrotate.d, and a limit to the rule: {}",
                        rule.rule.text
                    ),
                )
            }),
            (false, _) if logging.is_empty() => Some(Finding {
                severity: Severity::Info,
                ..Finding::new(
                    &UNBOUNDED,
                    place,
                    format!("{file} is not rotated{free}."),
                    "No rule logs to it now, but all that the kernel says goes there, and it only grows.",
                    "Install logrotate, and give it a block in /etc/logrotate.d.",
                )
            }),
            (false, _) => Some(Finding::new(
                &UNBOUNDED,
                place,
                format!("{file} is not rotated, and rules log to it{free}."),
                "It grows for ever, limit or not, and an attacker can make it grow faster.",
                "Install logrotate, and give it a block in /etc/logrotate.d with 'weekly' and 'maxsize 100M'.",
            )),
        }
    };
    logs.syslog.iter().filter_map(one).collect()
}

/// Whether a rule writes to the kernel's log: iptables' LOG, nft's `log` without a group.
fn is_logging(rule: &str) -> bool {
    let words: Vec<&str> = rule.split_whitespace().collect();
    let is_iptables = words.windows(2).any(|pair| matches!(pair, ["-j", "LOG"]));
    let is_nft = !rule.starts_with('-') && words.contains(&"log") && !words.contains(&"group");
    is_iptables || is_nft
}

/// Whether it has a rate.
fn is_limited(rule: &str) -> bool {
    rule.split_whitespace()
        .any(|word| matches!(word, "limit" | "hashlimit" | "--limit" | "--hashlimit-upto"))
}

/// A size in words.
fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => "less than 1 MB".to_owned(),
        mega @ 1..=9_999 => format!("{mega} MB"),
        mega => format!("{} GB", mega >> 10),
    }
}

#[cfg(test)]
mod tests;
