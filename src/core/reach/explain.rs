//! A walk in words.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::core::listener::Family;
use crate::core::netfilter::{Hook, TableFamily, Tool, owner};
use crate::core::service::Service;

use super::fate::{Decider, Fate, Kernel, Place, Walk};
use super::packet::{Packet, Transport};
use super::rules::Rules;

/// What decided, named for people and scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecidedBy {
    /// Whose it is.
    pub owner: Tool,
    /// The table; empty where the kernel decides.
    pub table: String,
    /// The chain; empty where the kernel decides.
    pub chain: String,
    /// The rule's text, `policy DROP`, or what the kernel does.
    pub rule: String,
    /// The rule's number in its chain, from 1, as `iptables -L --line-numbers` counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<usize>,
}

impl DecidedBy {
    fn kernel(kernel: Kernel) -> Self {
        Self {
            owner: Tool::Kernel,
            table: String::new(),
            chain: String::new(),
            rule: kernel.words().to_owned(),
            number: None,
        }
    }
}

impl fmt::Display for DecidedBy {
    /// `ufw's rule 12 in ufw-user-input`, `the policy DROP of INPUT (ufw)`, or what the kernel says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.owner {
            Tool::Admin => "the admin".to_owned(),
            Tool::Unknown => "another tool".to_owned(),
            tool => tool.to_string(),
        };
        match (self.owner, self.number) {
            (Tool::Kernel, _) if self.table.is_empty() => write!(f, "the kernel: {}", self.rule),
            // What can't be seen has no place.
            (_, None) if self.chain.is_empty() => f.write_str(&self.rule),
            (Tool::Kernel, None) => write!(f, "the {} of {}", self.rule, self.chain),
            (_, Some(number)) => write!(f, "{whose}'s rule {number} in {}", self.chain),
            (_, None) => write!(f, "{whose}'s {} of {}", self.rule, self.chain),
        }
    }
}

impl From<&Decider<'_>> for DecidedBy {
    fn from(decider: &Decider<'_>) -> Self {
        match decider {
            Decider::Kernel(kernel) => Self::kernel(*kernel),
            Decider::Rule(place) => Self {
                owner: place.owner(),
                table: place.table_name(),
                chain: place.chain.name.clone(),
                rule: place.text(),
                number: place.number(),
            },
        }
    }
}

impl Place<'_> {
    /// Whether it stands for what can't be seen.
    const fn is_nowhere(&self) -> bool {
        self.table.name.is_empty()
    }

    /// Whose it is. A policy that accepts is nobody's: it is the kernel's default.
    fn owner(&self) -> Tool {
        if self.is_nowhere() {
            return Tool::Unknown;
        }
        let accepts = self.chain.base.as_ref().is_some_and(|base| !base.drops);
        match self.rule {
            None if accepts => Tool::Kernel,
            rule => owner(self.table, self.chain, rule),
        }
    }

    /// `filter` for a table of iptables, `inet firewalld` for one of nft's own.
    fn table_name(&self) -> String {
        let is_iptables = matches!(self.table.family, TableFamily::Ip | TableFamily::Ip6)
            && ["raw", "mangle", "nat", "filter", "security"].contains(&self.table.name.as_str());
        match is_iptables || self.is_nowhere() {
            true => self.table.name.clone(),
            false => format!("{} {}", self.table.family.word(), self.table.name),
        }
    }

    fn text(&self) -> String {
        match (self.rule, &self.chain.base) {
            (Some(rule), _) => rule.text.clone(),
            (None, Some(base)) if base.drops => "policy DROP".to_owned(),
            (None, _) => "policy ACCEPT".to_owned(),
        }
    }

    fn number(&self) -> Option<usize> {
        let rule = self.rule.filter(|_| !self.is_nowhere())?;
        let mut rules = self.chain.rules.iter();
        rules.position(|other| std::ptr::eq(other, rule)).map(|at| at + 1)
    }
}

impl Kernel {
    /// In words, after "by the kernel:".
    pub const fn words(self) -> &'static str {
        match self {
            Self::LoopbackAddress => "loopback addresses come from no network",
            Self::OwnSource => "the source is this machine's own address",
            Self::ReversePath => "answers would leave by another interface (rp_filter)",
            Self::NotForwarding => "it is for another machine, and this one does not forward",
            Self::NoRoute => "it is for another machine, and no route leads there",
            Self::NoRule => "no rule stands in the way",
            Self::NobodyListens => "nothing listens there",
        }
    }
}

/// One thing that happened, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The hook.
    pub hook: &'static str,
    /// The table.
    pub table: String,
    /// The chain; empty where the kernel decides.
    pub chain: String,
    /// The rule, or the chain's policy.
    pub rule: String,
    /// The rule's number in its chain, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<usize>,
    /// What it did.
    pub effect: String,
}

/// How a packet fares, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// How it ends.
    pub fate: Fate,
    /// Who decided.
    pub decided_by: DecidedBy,
    /// The way, step by step.
    pub walk: Vec<Step>,
}

/// Walks a packet and says what happened. What arrives at this machine is refused by the kernel where
/// no socket takes it.
pub fn explain<'n>(rules: &Rules<'n>, packet: &Packet<'n>, services: &[&Service]) -> Explanation {
    let walk = rules.walk(packet, true);
    let mut steps: Vec<Step> = walk
        .events
        .iter()
        .map(|event| Step {
            hook: event.hook.word(),
            table: event.place.map(|place| place.table_name()).unwrap_or_default(),
            chain: event.place.map(|place| place.chain.name.clone()).unwrap_or_default(),
            rule: event.place.map(|place| place.text()).unwrap_or_default(),
            number: event.place.and_then(|place| place.number()),
            effect: match event.place {
                Some(place) if place.is_nowhere() => place.text(),
                _ => event.effect.clone(),
            },
        })
        .collect();
    let is_unheard = walk.fate == Fate::Accepted && walk.is_local && !is_heard(&walk, packet, services);
    let (fate, decided_by) = match is_unheard {
        true => (Fate::Refused, DecidedBy::kernel(Kernel::NobodyListens)),
        false => (walk.fate, DecidedBy::from(&walk.decided_by)),
    };
    if decided_by.owner == Tool::Kernel && decided_by.table.is_empty() {
        steps.push(Step {
            hook: if walk.is_local {
                Hook::Input.word()
            } else {
                Hook::Forward.word()
            },
            table: String::new(),
            chain: String::new(),
            rule: String::new(),
            number: None,
            effect: format!("the kernel: {}", decided_by.rule),
        });
    }
    Explanation {
        fate,
        decided_by,
        walk: steps,
    }
}

/// Whether a socket takes what arrived.
fn is_heard(walk: &Walk<'_>, packet: &Packet<'_>, services: &[&Service]) -> bool {
    let Transport::Ports(protocol) = packet.transport else {
        return true;
    };
    services.iter().flat_map(|service| &service.listeners).any(|listener| {
        let is_there = |address: IpAddr| address.is_unspecified() || address == walk.ends.destination;
        listener.protocol == protocol
            && listener.port == walk.ends.destination_port
            && is_there(listener.address)
            && listener.families().contains(&Family::of(walk.ends.destination))
            && listener
                .interface
                .as_deref()
                .is_none_or(|name| name == packet.interface)
    })
}
