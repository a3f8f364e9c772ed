//! Rules that are copied from list to list, and change nothing for the better.

use crate::core::checkup::gist::{about, asks, asks_states, by_chain, conditions, counted, hooks, refuses, verdict};
use crate::core::checkup::{Evidence, Finding, Kind, Placed, Severity};
use crate::core::listener::Family;
use crate::core::netfilter::{Condition, End, Field, Hook, Part, Rule, Verdict, ct, number};

const DROP_INVALID: Kind = Kind {
    id: "drop-invalid",
    severity: Severity::Redundant,
    line: "Packets that connection tracking calls INVALID are dropped by a rule of their own",
};
const DROP_ODD_FLAGS: Kind = Kind {
    id: "drop-odd-flags",
    severity: Severity::Redundant,
    line: "Packets with odd TCP flags (NULL, XMAS, SYN with FIN) are dropped",
};
const DROP_FRAGMENTS: Kind = Kind {
    id: "drop-fragments",
    severity: Severity::Redundant,
    line: "Fragments of IPv4 are dropped",
};
const NEW_WITHOUT_SYN: Kind = Kind {
    id: "new-without-syn",
    severity: Severity::Risky,
    line: "New connections that do not begin with a SYN are refused: this cuts connections whose entry is lost",
};
const BOGON_SOURCES: Kind = Kind {
    id: "bogon-sources",
    severity: Severity::Redundant,
    line: "Sources of private or reserved networks are dropped by a list",
};
const SYN_RATE_LIMIT: Kind = Kind {
    id: "syn-rate-limit",
    severity: Severity::Redundant,
    line: "New TCP connections are limited in number for everybody together",
};
const MATCH_STATE: Kind = Kind {
    id: "match-state",
    severity: Severity::Redundant,
    line: "The match state is used, an old name of conntrack",
};

pub(super) const KINDS: &[Kind] = &[
    DROP_INVALID,
    DROP_ODD_FLAGS,
    DROP_FRAGMENTS,
    NEW_WITHOUT_SYN,
    BOGON_SOURCES,
    SYN_RATE_LIMIT,
    MATCH_STATE,
];

/// What is said of rules that are of one kind.
struct Words {
    /// Behind "There is 1 rule here".
    what: &'static str,
    why: &'static str,
    advice: &'static str,
}

/// What tells rules of one kind.
type IsIt = fn(&Placed<'_>) -> bool;

const OF_RULES: [(&Kind, IsIt, Words); 6] = [
    (
        &DROP_INVALID,
        drops_invalid,
        Words {
            what: "that drops packets of no connection (INVALID)",
            why: "What no rule accepts is refused at the end anyway, and the TCP stack answers a stray packet by itself; what the \
rule adds is that connections are cut whose packets come on two ways or whose entry was lost.",
            advice: "Remove it, and keep the one that accepts RELATED,ESTABLISHED.",
        },
    ),
    (
        &DROP_ODD_FLAGS,
        drops_odd_flags,
        Words {
            what: "that drops TCP packets with odd flags",
            why: "Such packets open nothing: connection tracking and the TCP stack discard or answer them by themselves, and a \
scanner learns as much from an ordinary SYN.",
            advice: "Remove it.",
        },
    ),
    (
        &DROP_FRAGMENTS,
        drops_fragments,
        Words {
            what: "that drops fragments of IPv4",
            why: "Connection tracking puts packets together before they come here, so the rule meets none; without it, large \
answers of DNS and UDP would be lost.",
            advice: "Remove it.",
        },
    ),
    (
        &NEW_WITHOUT_SYN,
        refuses_new_without_syn,
        Words {
            what: "that refuses TCP packets of unknown connections that are no SYN",
            why: "A connection that outlives its entry (an idle SSH session, a database's pool, all of them after 'conntrack -F' \
or a reboot of the router) is cut at its next packet, and no attack needs such packets.",
            advice: "Remove it; what is to be refused is refused by its SYN.",
        },
    ),
    (
        &BOGON_SOURCES,
        drops_bogons,
        Words {
            what: "that drops private or reserved source addresses",
            why: "The kernel drops impossible sources by itself, a forged one gets no answer back, and the list cuts off \
neighbours, VPNs and containers that use such addresses.",
            advice: "Remove it on a host; on a router's outer interface rp_filter does it from the routes.",
        },
    ),
    (
        &SYN_RATE_LIMIT,
        limits_syns,
        Words {
            what: "that limits how many TCP connections may begin, for all peers together",
            why: "The kernel's SYN cookies (on by default) bear a flood, while a common limit is used up by the attacker and \
shuts everybody else out.",
            advice: "Remove it, or limit each source by itself with hashlimit.",
        },
    ),
];

pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (kind, is_it, words) in &OF_RULES {
        for group in by_chain(evidence.rules().filter(is_it)) {
            let is_meant = match kind.id {
                id if id == BOGON_SOURCES.id => is_bogon_list(&group),
                id if id == DROP_INVALID.id => group.first().is_some_and(is_for_this_machine),
                _ => true,
            };
            if let Some(first) = group.first().filter(|_| is_meant) {
                let what = match group.len() {
                    1 => format!("There is a rule here {}.", words.what),
                    count => format!("There is a rule here {}, and {} more like it.", words.what, count - 1),
                };
                findings.push(about(kind, evidence, first, &what, words.why, words.advice));
            }
        }
    }
    findings.extend(match_state(evidence));
    findings
}

fn drops_invalid(placed: &Placed<'_>) -> bool {
    let others = |field: &Field| *field != Field::State;
    refuses(placed.table, placed.rule) && asks_states(placed.rule, ct::INVALID) && !asks(placed.rule, others)
}

/// Whether packets for this machine meet the rule, and none on their way through or out: a router that
/// translates addresses lets what is INVALID out untranslated, so there the rule has a use.
fn is_for_this_machine(placed: &Placed<'_>) -> bool {
    let hooks = hooks(placed.table);
    let hooks = hooks.get(placed.chain.name.as_str());
    hooks.is_none_or(|hooks| !hooks.contains(&Hook::Forward) && !hooks.contains(&Hook::Output))
}

const FIN: u128 = 1;
const SYN: u128 = 2;
const RST: u128 = 4;
const ACK: u128 = 16;

/// The TCP flags a rule asks for: which count, which of them are set, whether it is the opposite.
fn flags(rule: &Rule) -> Option<(u128, u128, bool)> {
    conditions(rule).find_map(|condition| match condition {
        Condition::Is {
            field: Field::TcpFlags,
            mask: Some(mask),
            values,
            is_negated,
        } => match values.as_slice() {
            [Part::Range(first, last)] if first == last => Some((*mask, *first, *is_negated)),
            _ => None,
        },
        _ => None,
    })
}

/// Combinations of flags that no TCP sends.
fn drops_odd_flags(placed: &Placed<'_>) -> bool {
    let is_odd = |(mask, set, is_negated): (u128, u128, bool)| {
        let has = |flags: u128| set & flags == flags;
        let lacks = |flag: u128| mask & flag != 0 && set & flag == 0;
        let contradicts = has(SYN | FIN) || has(SYN | RST) || has(FIN | RST);
        // Every packet of a connection but the first and a reset has ACK.
        let has_no_ack = lacks(ACK) && !has(SYN) && !has(RST) && (set != 0 || (lacks(SYN) && lacks(RST)));
        !is_negated && (contradicts || has_no_ack)
    };
    refuses(placed.table, placed.rule) && flags(placed.rule).is_some_and(is_odd)
}

/// `! --syn` of what is NEW, with or without the state.
fn refuses_new_without_syn(placed: &Placed<'_>) -> bool {
    let is_no_syn =
        |(mask, set, is_negated): (u128, u128, bool)| is_negated && set == SYN && mask & (SYN | ACK) == SYN | ACK;
    refuses(placed.table, placed.rule) && asks_states(placed.rule, ct::NEW) && flags(placed.rule).is_some_and(is_no_syn)
}

fn drops_fragments(placed: &Placed<'_>) -> bool {
    let is_fragment = |condition: &Condition| matches!(condition, Condition::Unknown(words) if words == "-f");
    refuses(placed.table, placed.rule) && conditions(placed.rule).any(is_fragment)
}

/// Networks that such lists name, with whether a host may have neighbours there.
const BOGONS: [(&str, u32, bool); 18] = [
    ("0.0.0.0", 8, false),
    ("10.0.0.0", 8, true),
    ("100.64.0.0", 10, true),
    ("127.0.0.0", 8, false),
    ("169.254.0.0", 16, false),
    ("172.16.0.0", 12, true),
    ("192.0.0.0", 24, false),
    ("192.0.2.0", 24, false),
    ("192.168.0.0", 16, true),
    ("198.18.0.0", 15, false),
    ("198.51.100.0", 24, false),
    ("203.0.113.0", 24, false),
    ("224.0.0.0", 4, false),
    ("224.0.0.0", 3, false),
    ("240.0.0.0", 4, false),
    ("240.0.0.0", 5, false),
    ("248.0.0.0", 5, false),
    ("255.255.255.255", 32, false),
];

/// Whether a rule drops a source of the list, whatever it sends; and whether neighbours may have it.
fn bogon(rule: &Rule) -> Option<bool> {
    let mut found = None;
    for condition in conditions(rule) {
        match condition {
            Condition::Is {
                field: Field::Address(Family::Ipv4, End::Source),
                mask: None,
                values,
                is_negated: false,
            } => {
                let [Part::Range(first, last)] = values.as_slice() else {
                    return None;
                };
                let is_it = |(address, length, _): &&(&str, u32, bool)| {
                    let address = address.parse().map_or(0, number);
                    *first == address && last - first == u128::from(u32::MAX >> length)
                };
                found = BOGONS.iter().find(is_it).map(|(_, _, is_private)| *is_private);
                found?;
            }
            Condition::Is {
                field: Field::InInterface,
                ..
            } => {}
            _ => return None,
        }
    }
    found
}

fn drops_bogons(placed: &Placed<'_>) -> bool {
    refuses(placed.table, placed.rule) && bogon(placed.rule).is_some()
}

/// One private network alone is somebody's own decision.
fn is_bogon_list(group: &[Placed<'_>]) -> bool {
    group.len() > 1 || group.iter().any(|placed| bogon(placed.rule) == Some(false))
}

/// A SYN, to no port in particular, that is let through up to a common limit.
fn limits_syns(placed: &Placed<'_>) -> bool {
    let is_syn = |(mask, set, is_negated): (u128, u128, bool)| !is_negated && set == SYN && mask & SYN != 0;
    let is_common = |condition: &Condition| matches!(condition, Condition::FirstOfMany { matches: true, what } if what.starts_with("limit:"));
    let is_port = |field: &Field| matches!(field, Field::Port(..) | Field::Address(..));
    matches!(verdict(placed.rule), Some(Verdict::Accept | Verdict::Return))
        && flags(placed.rule).is_some_and(is_syn)
        && conditions(placed.rule).any(is_common)
        && !asks(placed.rule, is_port)
}

/// One finding for all of them.
fn match_state(evidence: &Evidence<'_>) -> Option<Finding> {
    let mut using = evidence
        .rules()
        .filter(|placed| placed.rule.text.contains("-m state --state "));
    let first = using.next()?;
    let count = 1 + using.count();
    let verb = if count == 1 { "uses" } else { "use" };
    Some(about(
        &MATCH_STATE,
        evidence,
        &first,
        &format!("{} {verb} the match 'state'; this is the first.", counted(count)),
        "It is an old name of 'conntrack' and does the same, as long as the kernel still knows it.",
        "Write '-m conntrack --ctstate' instead of '-m state --state'.",
    ))
}
