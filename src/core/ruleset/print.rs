//! Rules as `iptables-save` writes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ipnet::IpNet;

use crate::core::listener::Protocol;
use crate::core::ruleset::rule::{LABEL, Match, RejectWith, Rule, State, Target};
use crate::core::ruleset::{FamilyRules, Hook, SavedTables, Slot, Table};
use crate::core::service::Ports;

/// What comments of fwtui's rules start with; the decision's id or the kind of rule follows.
pub(super) const COMMENT_PREFIX: &str = "fwtui:";

impl FamilyRules {
    /// The rules for reading, with the jumps into them: chains by their bare names.
    pub fn to_plain_text(&self, jumps: &BTreeSet<Hook>) -> String {
        let mut out = String::new();
        for table in Table::ALL {
            let chains = self.table(table);
            if chains.is_empty() {
                continue;
            }
            let _ = writeln!(out, "*{}", table.name());
            for hook in jumps.iter().filter(|hook| hook.table() == table) {
                let _ = writeln!(out, "-A {} -j {}", hook.chain(), hook.entry());
            }
            for (name, rules) in chains {
                for rule in rules {
                    let _ = writeln!(out, "-A {}{name} {}", super::PREFIX, rule_text(rule, super::PREFIX));
                }
            }
        }
        out
    }

    /// The chains as `iptables-save` would print them in slot A, without entry chains and jumps:
    /// the form on disk. [`Self::parse`] reads it back.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for table in Table::ALL {
            let chains = self.table(table);
            if chains.is_empty() {
                continue;
            }
            let prefix = Slot::A.prefix();
            let _ = writeln!(out, "*{}", table.name());
            for name in chains.keys() {
                let _ = writeln!(out, ":{prefix}{name} - [0:0]");
            }
            for (name, rules) in chains {
                for rule in rules {
                    let _ = writeln!(out, "-A {prefix}{name} {}", rule_spec(rule, Slot::A));
                }
            }
            out.push_str("COMMIT\n");
        }
        out
    }

    /// Reads [`Self::to_text`] back; none where it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let saved = SavedTables::parse(text).ok()?;
        saved.is_understood().then(|| saved.rules_of_slot(Slot::A))
    }
}

/// A rule's specification, everything after `-A CHAIN `, with its chains in a slot.
pub(super) fn rule_spec(rule: &Rule, slot: Slot) -> String {
    rule_text(rule, slot.prefix())
}

fn rule_text(rule: &Rule, chain_prefix: &str) -> String {
    match rule {
        Rule::Other(words) => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
        Rule::Known {
            matches,
            reason,
            target,
        } => {
            let mut words: Vec<String> = Vec::new();
            push_matches(&mut words, matches);
            if let Some(reason) = reason {
                words.extend([
                    "-m".into(),
                    "comment".into(),
                    "--comment".into(),
                    quoted(&format!("{COMMENT_PREFIX}{reason}")),
                ]);
            }
            push_target(&mut words, target, chain_prefix);
            words.join(" ")
        }
    }
}

fn push_matches(words: &mut Vec<String>, matches: &Match) {
    let mut push = |text: &[&str]| words.extend(text.iter().map(|word| (*word).to_owned()));
    if let Some(net) = matches.source {
        push(&["-s", &net.to_string()]);
    }
    if let Some(net) = matches.destination {
        push(&["-d", &net.to_string()]);
    }
    if let Some(name) = &matches.interface {
        push(&["-i", name]);
    }
    if let Some(name) = &matches.not_interface {
        push(&["!", "-i", name]);
    }
    if let Some(protocol) = matches.protocol {
        push(&["-p", protocol.name()]);
        push_ports(&mut push, protocol, matches);
    }
    push_conntrack(&mut push, matches);
    if matches.is_to_local {
        push(&["-m", "addrtype", "--dst-type", "LOCAL"]);
    }
    if matches.has_label || matches.sets_label {
        push(&["-m", "connlabel", "--label", &LABEL.to_string()]);
    }
    if matches.sets_label {
        push(&["--set"]);
    }
    if let Some(until) = matches.until {
        // The match includes its last second.
        push(&["-m", "time", "--datestop", &until.before().to_string()]);
    }
    if let Some(limit) = matches.limit {
        let rate = format!("{}/sec", limit.per_second);
        push(&[
            "-m",
            "limit",
            "--limit",
            &rate,
            "--limit-burst",
            &limit.burst.to_string(),
        ]);
    }
}

/// In the order of iptables-save (`conntrack_dump` in `extensions/libxt_conntrack.c`).
fn push_conntrack(push: &mut impl FnMut(&[&str]), matches: &Match) {
    let (state, direction) = match matches.state {
        Some(State::Related) => (Some("RELATED"), None),
        Some(State::EstablishedReply) => (Some("ESTABLISHED"), Some("REPLY")),
        Some(State::Original) => (None, Some("ORIGINAL")),
        Some(State::Published) => (Some("DNAT"), Some("ORIGINAL")),
        None => (None, None),
    };
    let destination = matches.original_destination.map(|net| match is_host(net) {
        true => net.addr().to_string(),
        false => net.to_string(),
    });
    let ports = matches.original_ports.map(|ports| port_list(&[ports]));
    let options = [
        ("--ctstate", state),
        ("--ctorigdst", destination.as_deref()),
        ("--ctorigdstport", ports.as_deref()),
        ("--ctdir", direction),
    ];
    if options.iter().any(|(_, value)| value.is_some()) {
        push(&["-m", "conntrack"]);
    }
    for (option, value) in options {
        if let Some(value) = value {
            push(&[option, value]);
        }
    }
}

fn is_host(net: IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
}

fn push_ports(push: &mut impl FnMut(&[&str]), protocol: Protocol, matches: &Match) {
    let is_single = |ports: &[Ports]| ports.len() == 1;
    // UDP-Lite has no match of its own; multiport knows it.
    let has_own_match = protocol != Protocol::UdpLite;
    let (source, destination) = (&matches.source_ports, &matches.destination_ports);
    let by_own = |ports: &[Ports]| has_own_match && is_single(ports);
    if matches.is_syn || by_own(source) || by_own(destination) {
        push(&["-m", protocol.name()]);
    }
    if by_own(source) {
        push(&["--sport", &port_list(source)]);
    }
    if by_own(destination) {
        push(&["--dport", &port_list(destination)]);
    }
    if matches.is_syn {
        push(&["--tcp-flags", "FIN,SYN,RST,ACK", "SYN"]);
    }
    for (option, ports) in [("--sports", source), ("--dports", destination)] {
        if !ports.is_empty() && !by_own(ports) {
            push(&["-m", "multiport", option, &port_list(ports)]);
        }
    }
}

fn port_list(ports: &[Ports]) -> String {
    let one = |range: &Ports| match range.is_single() {
        true => range.first().to_string(),
        false => format!("{}:{}", range.first(), range.last()),
    };
    ports.iter().map(one).collect::<Vec<_>>().join(",")
}

fn push_target(words: &mut Vec<String>, target: &Target, chain_prefix: &str) {
    let family_neutral: Vec<String> = match target {
        Target::Next => Vec::new(),
        Target::Return => vec!["-j".into(), "RETURN".into()],
        Target::Goto(chain) => vec!["-g".into(), format!("{chain_prefix}{chain}")],
        // Without --reject-with, REJECT answers port-unreachable in either family.
        Target::Reject(RejectWith::PortUnreachable) => vec!["-j".into(), "REJECT".into()],
        Target::Reject(RejectWith::TcpReset) => {
            vec!["-j".into(), "REJECT".into(), "--reject-with".into(), "tcp-reset".into()]
        }
        Target::Drop => vec!["-j".into(), "DROP".into()],
        Target::Log(prefix) => vec!["-j".into(), "LOG".into(), "--log-prefix".into(), quoted(prefix)],
        Target::Nflog(group, prefix) => vec![
            "-j".into(),
            "NFLOG".into(),
            "--nflog-prefix".into(),
            quoted(prefix),
            "--nflog-group".into(),
            group.to_string(),
        ],
    };
    words.extend(family_neutral);
}

/// A word as `iptables-restore` reads it back (`add_param_to_argv` in iptables/xshared.c): quoted
/// when it holds more than plain characters, with quotes and backslashes escaped.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!-_,.:/=+%[]".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len() + 2);
    out.push('"');
    for character in word.chars() {
        if matches!(character, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}
