//! Whose a rule or a policy is.
//!
//! Told by names that only one tool gives (its chains, tables, sets, comments and bridges), never by
//! what a rule does. A rule of nobody's names in a built-in chain is the administrator's.

use std::fmt;

use serde::Serialize;

use crate::core::netfilter::{Chain, Condition, Elements, Field, Part, Rule, Statement, Table, TableFamily, Verdict};
use crate::core::ruleset::PREFIX;

mod docker;
mod names;
#[cfg(test)]
mod tests;

pub use names::by_names;

/// Who writes rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// This program.
    Fwtui,
    /// Docker.
    Docker,
    /// Podman, through netavark or CNI.
    Podman,
    /// nerdctl, containerd's own, through CNI.
    Nerdctl,
    /// kube-proxy and the networks of Kubernetes.
    Kubernetes,
    /// ufw.
    Ufw,
    /// firewalld.
    Firewalld,
    /// fail2ban.
    Fail2ban,
    /// libvirt's networks.
    Libvirt,
    /// LXD and Incus.
    Lxd,
    /// Tailscale.
    Tailscale,
    /// Whoever administers the machine: what is loaded at boot, and what was typed.
    Admin,
    /// Nobody: the kernel's own default.
    Kernel,
    /// A program that has no word here.
    Unknown,
}

impl Tool {
    /// The word in JSON and on the screens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fwtui => "fwtui",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
            Self::Kubernetes => "kubernetes",
            Self::Ufw => "ufw",
            Self::Firewalld => "firewalld",
            Self::Fail2ban => "fail2ban",
            Self::Libvirt => "libvirt",
            Self::Lxd => "lxd",
            Self::Tailscale => "tailscale",
            Self::Admin => "admin",
            Self::Kernel => "kernel",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whose a rule of a chain is; without a rule, whose the chain is and what becomes of packets at
/// its end.
pub fn owner(table: &Table, chain: &Chain, rule: Option<&Rule>) -> Tool {
    if let Some(tool) = of_chain(table, chain) {
        return match rule {
            Some(rule) if names::is_for_admin(&chain.name) && !is_return(rule) => rule
                .comment
                .as_deref()
                .and_then(names::by_comment)
                .unwrap_or(Tool::Admin),
            _ => tool,
        };
    }
    match rule {
        None => of_policy(table, chain),
        Some(rule) => of_rule(table, chain, rule),
    }
}

/// Whose a chain is by its name.
fn of_chain(table: &Table, chain: &Chain) -> Option<Tool> {
    if is_built_in(table, chain) {
        return None;
    }
    match by_names(&table.name, &chain.name) {
        Some(Tool::Podman) if chain.name.starts_with("CNI-") => Some(names::of_cni(table)),
        Some(tool) => Some(tool),
        None => names::is_of_zone(&chain.name)
            .then(|| has_chain(table, Tool::Firewalld))?
            .then_some(Tool::Firewalld),
    }
}

/// Whether it is one of the chains every such table has, that everyone writes into.
fn is_built_in(table: &Table, chain: &Chain) -> bool {
    let is_theirs = matches!(table.family, TableFamily::Ip | TableFamily::Ip6 | TableFamily::Bridge)
        && names::BUILT_IN_TABLES.contains(&table.name.as_str());
    is_theirs && names::BUILT_IN_CHAINS.contains(&chain.name.as_str())
}

fn has_chain(table: &Table, tool: Tool) -> bool {
    let is_of = |chain: &Chain| by_names(&table.name, &chain.name) == Some(tool);
    table.chains.iter().any(is_of)
}

/// Whose the end of a chain that everyone writes into is.
fn of_policy(table: &Table, chain: &Chain) -> Tool {
    let Some(base) = &chain.base else {
        return Tool::Admin;
    };
    let is_built_in = is_built_in(table, chain);
    match base.drops {
        _ if !is_built_in => Tool::Admin,
        false => Tool::Kernel,
        true if has_chain(table, Tool::Ufw) => Tool::Ufw,
        // Docker drops what it does not forward, and touches no other policy.
        true if chain.name == "FORWARD" && has_chain(table, Tool::Docker) => Tool::Docker,
        true => Tool::Admin,
    }
}

/// Whose a rule in a chain of nobody's is.
fn of_rule(table: &Table, chain: &Chain, rule: &Rule) -> Tool {
    let by_target = targets(rule).find_map(|target| {
        let known = table.chain(target).and_then(|target| of_chain(table, target));
        known.or_else(|| by_names(&table.name, target))
    });
    let found = by_target
        .or_else(|| rule.comment.as_deref().and_then(names::by_comment))
        .or_else(|| sets(rule).find_map(names::by_set))
        .or_else(|| asked_set(&rule.text).and_then(names::by_set));
    if let Some(tool) = found {
        return tool;
    }
    let is_of_libvirt = || interfaces(rule).any(|name| name.starts_with("virbr"));
    let is_of_firewalld = || has_chain(table, Tool::Firewalld) && names::is_frame_of_firewalld(&rule.text);
    match is_built_in(table, chain) {
        true if docker::wrote(table, chain, rule) => Tool::Docker,
        true if is_of_libvirt() => Tool::Libvirt,
        true if is_of_firewalld() => Tool::Firewalld,
        _ => Tool::Admin,
    }
}

/// Whether it does nothing but end the chain.
fn is_return(rule: &Rule) -> bool {
    matches!(rule.statements.as_slice(), [Statement::End(Verdict::Return)])
}

/// The chains a rule leads to.
fn targets(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.statements.iter().filter_map(|statement| {
        let Statement::End(Verdict::Jump(chain) | Verdict::Goto(chain)) = statement else {
            return None;
        };
        Some(chain.as_str())
    })
}

fn conditions(rule: &Rule) -> impl Iterator<Item = &Condition> {
    rule.statements.iter().filter_map(|statement| {
        let Statement::If(condition) = statement else {
            return None;
        };
        Some(condition)
    })
}

/// The named sets a rule asks.
fn sets(rule: &Rule) -> impl Iterator<Item = &str> {
    conditions(rule).filter_map(|condition| {
        let Condition::In {
            elements: Elements::Named(name),
            ..
        } = condition
        else {
            return None;
        };
        Some(name.as_str())
    })
}

/// The set a rule of iptables asks, by its text: without ipset(8) its content is not known, its name is.
fn asked_set(text: &str) -> Option<&str> {
    text.split_once("--match-set ")?.1.split(' ').next()
}

/// The names of interfaces in a rule, asked for or excluded.
fn interfaces(rule: &Rule) -> impl Iterator<Item = &str> {
    let names = conditions(rule).filter_map(|condition| {
        let Condition::Is {
            field: Field::InInterface | Field::OutInterface,
            values,
            ..
        } = condition
        else {
            return None;
        };
        Some(values)
    });
    names.flatten().filter_map(|value| match value {
        Part::Name(name) => Some(name.stem.as_str()),
        Part::Range(..) => None,
    })
}
