//! What differs from the kernel's defaults, and what that costs or gains. Most of it is harmless, and
//! most of what is copied from lists of advice is the default already.

use std::collections::BTreeMap;

use super::{Evidence, Finding, Kind, Place, Severity, Sysctl};

mod costs;
mod defaults;
mod forward;
mod kinds;
mod special;

pub use defaults::compiled_default;

/// What differs and is not in the table of costs.
const DIFFERS: Kind = Kind {
    id: "sysctl-differs",
    severity: Severity::Info,
    line: "a sysctl of the network differs from the kernel's default",
};
/// What a script sets to what it is anyway.
const IS_DEFAULT: Kind = Kind {
    id: "sysctl-is-default",
    severity: Severity::Redundant,
    line: "a script sets a sysctl to the kernel's default",
};

/// The kinds of this family.
pub(super) const KINDS: &[Kind] = &[
    DIFFERS,
    IS_DEFAULT,
    kinds::ABORT_ON_OVERFLOW,
    kinds::ACCEPT_RA,
    kinds::ACCEPT_REDIRECTS,
    kinds::ACCEPT_SOURCE_ROUTE,
    kinds::BINDV6ONLY,
    kinds::ECHO_IGNORE_ALL,
    kinds::ECHO_IGNORE_BROADCASTS,
    kinds::IP_FORWARD,
    kinds::IPV6_DISABLED,
    kinds::LOG_MARTIANS,
    kinds::PMTU_DISCOVERY,
    kinds::PROXY_ARP,
    kinds::ROUTE_LOCALNET,
    kinds::RP_FILTER,
    kinds::SECURE_REDIRECTS,
    kinds::SEND_REDIRECTS,
    kinds::SYNCOOKIES,
    kinds::TCP_SPEED,
    kinds::TCP_TIMESTAMPS,
    kinds::TEMPORARY_ADDRESSES,
    kinds::TW_RECYCLE,
    kinds::TW_REUSE,
    kinds::UNPRIVILEGED_PORTS,
];

/// Finds what differs.
pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let is_file = evidence.world.is_none();
    let mut redundant = Vec::new();
    let mut groups: BTreeMap<(String, String), Vec<Deviation<'_>>> = BTreeMap::new();
    for sysctl in evidence.sysctls {
        let name = normal(&sysctl.name);
        if !name.starts_with("net.ipv4.") && !name.starts_with("net.ipv6.") {
            continue;
        }
        let known = sysctl.default.clone();
        let default = known.or_else(|| compiled_default(&name).map(str::to_owned));
        let deviation = Deviation::new(sysctl, name, default);
        match &deviation.default {
            Some(default) if *default == deviation.value => {
                if is_file {
                    redundant.push(needless(&deviation));
                }
            }
            None if !is_file => {}
            _ => groups
                .entry((deviation.key(), deviation.value.clone()))
                .or_default()
                .push(deviation),
        }
    }
    // Writing either writes the other.
    let has_ip_forward = groups.keys().any(|(key, _)| key == "net.ipv4.ip_forward");
    let judged = groups.into_iter().filter_map(|((key, _), mut group)| {
        if has_ip_forward && key == "net.ipv4.conf.forwarding" {
            group.retain(|one| !one.is_shared());
        }
        group.sort_by_key(Deviation::rank);
        judge(&group, evidence)
    });
    judged.chain(redundant).collect()
}

/// A sysctl that differs.
#[derive(Debug, Clone)]
struct Deviation<'a> {
    /// Its name with dots.
    name: String,
    /// With single spaces.
    value: String,
    /// Of this kernel, or of the table.
    default: Option<String>,
    sysctl: &'a Sysctl,
}

impl<'a> Deviation<'a> {
    fn new(sysctl: &'a Sysctl, name: String, default: Option<String>) -> Self {
        Self {
            name,
            value: sysctl.value.split_whitespace().collect::<Vec<_>>().join(" "),
            default,
            sysctl,
        }
    }

    /// The part of the name that says whose it is, where there is one: `all`, `default`, `eth0`.
    fn scope(&self) -> Option<&str> {
        let (_, rest) = self.name.split_once(".conf.")?;
        Some(rest.rsplit_once('.')?.0)
    }

    /// The name without that part.
    fn key(&self) -> String {
        match (self.scope(), self.name.split_once(".conf.")) {
            (Some(_), Some((family, rest))) => {
                let key = rest.rsplit_once('.').map_or(rest, |(_, key)| key);
                format!("{family}.conf.{key}")
            }
            _ => self.name.clone(),
        }
    }

    /// Whether it is about every interface, or every new one.
    fn is_shared(&self) -> bool {
        matches!(self.scope(), Some("all" | "default"))
    }

    /// What is shown first.
    fn rank(&self) -> (u8, String) {
        let rank = match self.scope() {
            None | Some("all") => 0,
            Some("default") => 1,
            Some(_) => 2,
        };
        (rank, self.name.clone())
    }

    fn place(&self) -> Place {
        let source = self.sysctl.source.clone();
        Place {
            line: source.as_ref().map(|(_, line)| *line),
            file: source.map(|(file, _)| file),
            sysctl: Some(self.name.clone()),
            ..Place::default()
        }
    }
}

/// Judges those of one key and one value together: one finding.
fn judge(group: &[Deviation<'_>], evidence: &Evidence<'_>) -> Option<Finding> {
    let first = group.first()?;
    let cost = costs::of(group, evidence);
    Some(Finding {
        severity: cost.severity,
        ..Finding::new(
            &cost.kind,
            first.place(),
            what(group, evidence),
            cost.why,
            advice(first, cost.advice, evidence),
        )
    })
}

/// What differs, from what, and by whom.
fn what(group: &[Deviation<'_>], evidence: &Evidence<'_>) -> String {
    let Some((first, others)) = group.split_first() else {
        return String::new();
    };
    let scopes: Vec<&str> = others.iter().filter_map(Deviation::scope).collect();
    let also = match scopes.as_slice() {
        [] => String::new(),
        some if some.len() <= 3 => format!(" (also for {})", some.join(", ")),
        [one, two, rest @ ..] => format!(" (also for {one}, {two} and {} others)", rest.len()),
        [_] => String::new(),
    };
    let value = |value: &str| {
        if value.is_empty() {
            "empty".to_owned()
        } else {
            value.to_owned()
        }
    };
    let default = first.default.as_deref().map(value);
    if evidence.world.is_none() {
        let default = default.map_or_else(
            || "what it is by default is not known here".to_owned(),
            |default| format!("the kernel's default is {default}"),
        );
        return format!("{} is set to {}{also}; {default}.", first.name, value(&first.value));
    }
    let by = match &first.sysctl.source {
        Some((file, line)) => format!("{file}, line {line}, sets it"),
        None => "no file sets it, so a program or somebody did".to_owned(),
    };
    let default = default.unwrap_or_else(|| "not known".to_owned());
    format!(
        "{} is {}{also}; the kernel's default is {default}, and {by}.",
        first.name,
        value(&first.value)
    )
}

/// What to do.
fn advice(first: &Deviation<'_>, advice: costs::Advice, evidence: &Evidence<'_>) -> String {
    let default = first.default.as_deref().unwrap_or_default();
    match (advice, &first.sysctl.source) {
        (costs::Advice::Leave, _) => "Nothing, if it is meant; else leave it at its default.".to_owned(),
        (costs::Advice::Words(words), _) => words,
        (costs::Advice::Reset, _) if evidence.world.is_none() => "Take the line out.".to_owned(),
        (costs::Advice::Reset, Some((file, _))) => {
            format!(
                "Take the line out of {file}, and set it back: sudo sysctl -w {}='{default}'",
                first.name
            )
        }
        (costs::Advice::Reset, None) => format!(
            "Find out which program sets it, or set it back: sudo sysctl -w {}='{default}'",
            first.name
        ),
    }
}

/// A script sets what is so anyway.
fn needless(deviation: &Deviation<'_>) -> Finding {
    Finding::new(
        &IS_DEFAULT,
        deviation.place(),
        format!(
            "{} is set to {}, which is the kernel's default.",
            deviation.name, deviation.value
        ),
        "The line does nothing today, and will hold the old value when the kernel's developers find a better one.",
        "Take the line out.",
    )
}

/// A name with dots, as sysctl(8) prints it. The first separator tells which way it is written.
fn normal(name: &str) -> String {
    let is_path = name.find(['/', '.']).is_some_and(|at| name.get(at..=at) == Some("/"));
    let swap = |letter: char| match letter {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    match is_path {
        true => name.chars().map(swap).collect(),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
