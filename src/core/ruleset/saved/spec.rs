//! A rule's specification: from words back to a typed rule.

use std::net::IpAddr;
use std::slice::Iter;

use ipnet::IpNet;

use crate::core::listener::Protocol;
use crate::core::ruleset::print::COMMENT_PREFIX;
use crate::core::ruleset::rule::{LABEL, Limit, Match, RejectWith, Rule, State, Target};
use crate::core::ruleset::{Slot, Stamp};
use crate::core::service::Ports;

/// Splits a line into words as `iptables-restore` does: double quotes keep spaces, a backslash
/// inside them keeps the next character.
///
/// # Errors
/// A quote that is never closed.
pub(super) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if is_quoted => word.get_or_insert_default().extend(characters.next()),
            ' ' | '\t' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    match is_quoted {
        true => Err("a quote is never closed".to_owned()),
        false => Ok(words),
    }
}

/// A rule as read; one with anything fwtui does not write is [`Rule::Other`].
pub(super) fn parse(words: &[String], slot: Slot) -> Rule {
    known(words, slot).unwrap_or_else(|| Rule::Other(words.to_vec()))
}

fn known(words: &[String], slot: Slot) -> Option<Rule> {
    let mut matches = Match::default();
    let mut reason = None;
    let (mut state, mut direction) = (None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().map(String::as_str);
        match word.as_str() {
            "-s" => matches.source = Some(value()?.parse().ok()?),
            "-d" => matches.destination = Some(value()?.parse().ok()?),
            "-i" => matches.interface = Some(value()?.to_owned()),
            "!" => match (value()?, value()?) {
                ("-i", name) => matches.not_interface = Some(name.to_owned()),
                _ => return None,
            },
            "-p" => matches.protocol = Some(protocol(value()?)?),
            // Each option below belongs to one match only, so the match's name adds nothing.
            "-m" => match value()? {
                "tcp" | "udp" | "multiport" | "conntrack" | "addrtype" | "connlabel" | "comment" | "limit" | "time" => {
                }
                _ => return None,
            },
            "--sport" | "--sports" => matches.source_ports = ports(value()?)?,
            "--dport" | "--dports" => matches.destination_ports = ports(value()?)?,
            "--tcp-flags" => match (value()?, value()?) {
                ("FIN,SYN,RST,ACK", "SYN") => matches.is_syn = true,
                _ => return None,
            },
            // What these two mean together is only known at the end.
            "--ctstate" => state = Some(value()?.to_owned()),
            "--ctdir" => direction = Some(value()?.to_owned()),
            "--ctorigdst" => matches.original_destination = Some(network(value()?)?),
            "--ctorigdstport" => matches.original_ports = Some(port_range(value()?)?),
            "--dst-type" => match value()? {
                "LOCAL" => matches.is_to_local = true,
                _ => return None,
            },
            "--label" => match value()?.parse() {
                Ok(LABEL) => matches.has_label = true,
                _ => return None,
            },
            "--set" if matches.has_label => (matches.has_label, matches.sets_label) = (false, true),
            "--datestop" => matches.until = Some(value()?.parse().ok().and_then(Stamp::after)?),
            "--limit" => matches.limit = Some(limit(&mut words)?),
            "--comment" => reason = Some(value()?.strip_prefix(COMMENT_PREFIX)?.to_owned()),
            "-g" => {
                let chain = value()?.strip_prefix(slot.prefix())?.to_owned();
                conntrack_state(&mut matches, state.as_deref(), direction.as_deref())?;
                return words.next().is_none().then_some(Rule::Known {
                    matches,
                    reason,
                    target: Target::Goto(chain),
                });
            }
            "-j" => {
                let name = value()?;
                let target = target(name, &mut words)?;
                conntrack_state(&mut matches, state.as_deref(), direction.as_deref())?;
                return words.next().is_none().then_some(Rule::Known {
                    matches,
                    reason,
                    target,
                });
            }
            _ => return None,
        }
    }
    conntrack_state(&mut matches, state.as_deref(), direction.as_deref())?;
    matches.sets_label.then_some(Rule::Known {
        matches,
        reason,
        target: Target::Next,
    })
}

/// None where it is a combination that fwtui does not write.
fn conntrack_state(matches: &mut Match, state: Option<&str>, direction: Option<&str>) -> Option<()> {
    matches.state = match (state, direction) {
        (None, None) => None,
        (Some("RELATED"), None) => Some(State::Related),
        (Some("ESTABLISHED"), Some("REPLY")) => Some(State::EstablishedReply),
        (None, Some("ORIGINAL")) => Some(State::Original),
        (Some("DNAT"), Some("ORIGINAL")) => Some(State::Published),
        _ => return None,
    };
    Some(())
}

/// iptables prints a protocol it has no name for as a number; 136 is UDP-Lite.
fn protocol(word: &str) -> Option<Protocol> {
    match word {
        "6" => Some(Protocol::Tcp),
        "17" => Some(Protocol::Udp),
        "136" => Some(Protocol::UdpLite),
        name => name.parse().ok(),
    }
}

/// conntrack's networks have a length only where it is not the whole one.
fn network(word: &str) -> Option<IpNet> {
    let host = || word.parse::<IpAddr>().ok().map(IpNet::from);
    word.parse().ok().or_else(host)
}

fn ports(list: &str) -> Option<Vec<Ports>> {
    list.split(',').map(port_range).collect()
}

fn port_range(range: &str) -> Option<Ports> {
    let (first, last) = range.split_once(':').unwrap_or((range, range));
    Ports::new(first.parse().ok()?, last.parse().ok()?)
}

/// `5/sec --limit-burst 10`; the burst is left out when it is the default.
fn limit(words: &mut Iter<'_, String>) -> Option<Limit> {
    const DEFAULT_BURST: u32 = 5;
    let per_second = words.next()?.strip_suffix("/sec")?.parse().ok()?;
    let mut ahead = words.clone();
    let burst = match ahead.next().map(String::as_str) {
        Some("--limit-burst") => {
            let burst = ahead.next()?.parse().ok()?;
            *words = ahead;
            burst
        }
        _ => DEFAULT_BURST,
    };
    Some(Limit { per_second, burst })
}

fn target(name: &str, words: &mut Iter<'_, String>) -> Option<Target> {
    let mut value = || words.next().map(String::as_str);
    Some(match name {
        "RETURN" => Target::Return,
        "DROP" => Target::Drop,
        "REJECT" => match (value(), value()) {
            (Some("--reject-with"), Some("tcp-reset")) => Target::Reject(RejectWith::TcpReset),
            (None, _) | (Some("--reject-with"), Some("icmp-port-unreachable" | "icmp6-port-unreachable")) => {
                Target::Reject(RejectWith::PortUnreachable)
            }
            _ => return None,
        },
        "LOG" => match (value(), value()) {
            (Some("--log-prefix"), Some(prefix)) => Target::Log(prefix.to_owned()),
            _ => return None,
        },
        "NFLOG" => nflog(words)?,
        _ => return None,
    })
}

/// The options in whichever order this version of iptables prints them.
fn nflog(words: &mut Iter<'_, String>) -> Option<Target> {
    let (mut group, mut prefix) = (0, String::new());
    while let Some(option) = words.next() {
        let value = words.next()?;
        match option.as_str() {
            "--nflog-group" => group = value.parse().ok()?,
            "--nflog-prefix" => prefix.clone_from(value),
            _ => return None,
        }
    }
    Some(Target::Nflog(group, prefix))
}
