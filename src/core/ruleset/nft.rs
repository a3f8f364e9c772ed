//! Rules as `nft -f` reads them, for reading and for those who keep their rules by it.

use std::fmt::Write as _;

use ipnet::IpNet;

use crate::core::listener::{Family, Protocol};
use crate::core::ruleset::print::COMMENT_PREFIX;
use crate::core::ruleset::rule::{LABEL, Match, RejectWith, Rule, State, Target};
use crate::core::ruleset::{FamilyRules, Hook, Ruleset, Table};
use crate::core::service::Ports;

impl Ruleset {
    /// The rules as a table of their own in each family. What leaves fwtui's chains is accepted in this
    /// table, which leaves it to the tables of others, as RETURN does.
    pub fn to_nft_text(&self) -> String {
        Family::ALL
            .into_iter()
            .map(|family| self.family(family).to_nft_text(family))
            .collect()
    }
}

impl FamilyRules {
    fn to_nft_text(&self, family: Family) -> String {
        let word = match family {
            Family::Ipv4 => "ip",
            Family::Ipv6 => "ip6",
        };
        let mut chains = String::new();
        // A chain is there before what goes to it: nft reads from the top.
        for table in Table::ALL {
            for (name, rules) in self.table(table) {
                let _ = writeln!(chains, "    chain {} {{", chain(table, name));
                let hook = Hook::ALL
                    .into_iter()
                    .find(|hook| hook.table() == table && hook.chain() == name);
                if let Some(hook) = hook {
                    let _ = writeln!(chains, "        {}", base(hook));
                }
                for rule in rules {
                    let _ = writeln!(chains, "        {}", rule_text(rule, table, family));
                }
                chains.push_str("    }\n");
            }
        }
        match chains.is_empty() {
            true => String::new(),
            false => format!("table {word} fwtui {{\n{chains}}}\n"),
        }
    }
}

/// The chains of all tables are in one: those of filter have their bare names. None is a word of nft's
/// own, for those are in small letters.
fn chain(table: Table, name: &str) -> String {
    match table {
        Table::Filter => name.to_owned(),
        Table::Raw | Table::Mangle => format!("{}-{name}", table.name().to_uppercase()),
    }
}

/// What makes a chain a base chain: a packet that no rule ends goes on.
const fn base(hook: Hook) -> &'static str {
    match hook {
        Hook::Prerouting => "type filter hook prerouting priority raw; policy accept;",
        Hook::Label => "type filter hook prerouting priority mangle; policy accept;",
        Hook::Forward => "type filter hook forward priority filter; policy accept;",
        Hook::Input => "type filter hook input priority filter; policy accept;",
    }
}

fn rule_text(rule: &Rule, table: Table, family: Family) -> String {
    let (matches, reason, target) = match rule {
        Rule::Known {
            matches,
            reason,
            target,
        } => (matches, reason, target),
        Rule::Other(words) => return format!("# not fwtui's: {}", words.join(" ")),
    };
    let mut words = match_words(matches, family);
    let end = match target {
        Target::Next => None,
        Target::Return => Some("accept".to_owned()),
        Target::Goto(name) => Some(format!("goto {}", chain(table, name))),
        Target::Reject(RejectWith::TcpReset) => Some("reject with tcp reset".to_owned()),
        Target::Reject(RejectWith::PortUnreachable) => Some(match family {
            Family::Ipv4 => "reject with icmp port-unreachable".to_owned(),
            Family::Ipv6 => "reject with icmpv6 port-unreachable".to_owned(),
        }),
        Target::Drop => Some("drop".to_owned()),
        Target::Log(prefix) => Some(format!("log prefix {}", text(prefix))),
        Target::Nflog(group, prefix) => Some(format!("log prefix {} group {group}", text(prefix))),
    };
    words.extend(end);
    if let Some(reason) = reason {
        words.push(format!("comment {}", text(&format!("{COMMENT_PREFIX}{reason}"))));
    }
    words.join(" ")
}

fn match_words(matches: &Match, family: Family) -> Vec<String> {
    let ip = match family {
        Family::Ipv4 => "ip",
        Family::Ipv6 => "ip6",
    };
    let mut words = Vec::new();
    let mut push = |word: String| words.push(word);
    if let Some(net) = matches.source {
        push(format!("{ip} saddr {}", address(net)));
    }
    if let Some(net) = matches.destination {
        push(format!("{ip} daddr {}", address(net)));
    }
    if let Some(name) = &matches.interface {
        push(format!("iifname {}", text(name)));
    }
    if let Some(name) = &matches.not_interface {
        push(format!("iifname != {}", text(name)));
    }
    if let Some(protocol) = matches.protocol {
        push_transport(&mut push, protocol, matches);
    }
    match matches.state {
        Some(State::Related) => push("ct state related".to_owned()),
        Some(State::EstablishedReply) => push("ct state established ct direction reply".to_owned()),
        Some(State::Original) => push("ct direction original".to_owned()),
        Some(State::Published) => push("ct status dnat ct direction original".to_owned()),
        None => {}
    }
    if let Some(net) = matches.original_destination {
        push(format!("ct original {ip} daddr {}", address(net)));
    }
    if let Some(ports) = matches.original_ports {
        push(format!("ct original proto-dst {}", range(ports)));
    }
    if matches.is_to_local {
        push("fib daddr type local".to_owned());
    }
    if matches.has_label {
        push(format!("ct label {LABEL}"));
    }
    if matches.sets_label {
        push(format!("ct label set {LABEL}"));
    }
    if let Some(until) = matches.until {
        push(format!("meta time < {}", until.since_1970().as_secs()));
    }
    if let Some(limit) = matches.limit {
        push(format!(
            "limit rate {}/second burst {} packets",
            limit.per_second, limit.burst
        ));
    }
    words
}

fn push_transport(push: &mut impl FnMut(String), protocol: Protocol, matches: &Match) {
    let mut is_said = false;
    for (end, ports) in [("sport", &matches.source_ports), ("dport", &matches.destination_ports)] {
        if !ports.is_empty() {
            push(format!("{protocol} {end} {}", set(ports)));
            is_said = true;
        }
    }
    if matches.is_syn {
        push("tcp flags & (fin | syn | rst | ack) == syn".to_owned());
        is_said = true;
    }
    if !is_said {
        push(format!("meta l4proto {protocol}"));
    }
}

fn set(ports: &[Ports]) -> String {
    match ports {
        [one] => range(*one),
        more => format!(
            "{{ {} }}",
            more.iter().copied().map(range).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn range(ports: Ports) -> String {
    match ports.is_single() {
        true => ports.first().to_string(),
        false => format!("{}-{}", ports.first(), ports.last()),
    }
}

/// A network, or a host without the length of its prefix.
fn address(net: IpNet) -> String {
    match net.prefix_len() == net.max_prefix_len() {
        true => net.addr().to_string(),
        false => net.to_string(),
    }
}

/// A text in quotes. Names and comments of fwtui's rules hold none themselves.
fn text(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::{Decision, Entry, Policy};
    use crate::core::ruleset::compile;

    #[test]
    fn decisions_are_rules_of_a_table() {
        let mut policy = Policy::default();
        let entry = Entry {
            decision: Decision::Open,
            from: vec!["192.0.2.0/24".parse().unwrap()],
        };
        policy.decide("60000-61000/udp".parse().unwrap(), entry).unwrap();
        let text = compile(&policy, &[]).to_nft_text();
        for words in [
            "table ip fwtui {\n",
            "table ip6 fwtui {\n",
            "type filter hook input priority filter; policy accept;",
            "ip saddr 192.0.2.0/24 udp dport 60000-61000 accept comment \"fwtui:60000-61000/udp\"",
            "reject with tcp reset",
            "reject with icmpv6 port-unreachable",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
        assert_eq!(Ruleset::default().to_nft_text(), "");
    }
}
