//! An empty policy's rules beside the four rules that a client is often given.

use serde::Serialize;

use super::{PREFIX, compile};
use crate::core::listener::Family;
use crate::core::policy::Policy;

/// A rule of the classic, what fwtui has in its place, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The classic rule; none where the classic has nothing.
    pub classic: Option<&'static str>,
    /// The rules of fwtui, as `iptables-save` would print them, with chains by their bare names.
    pub own: Vec<String>,
    /// Why they are so.
    pub why: &'static str,
}

/// What a rule of an empty policy is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Loopback,
    Answers,
    Tcp,
    Udp,
    UdpLite,
    Trusted,
    Published,
    LoopbackGuard,
    Jumps,
}

const PARTS: [Part; 9] = [
    Part::Loopback,
    Part::Answers,
    Part::Tcp,
    Part::Udp,
    Part::UdpLite,
    Part::Trusted,
    Part::Published,
    Part::LoopbackGuard,
    Part::Jumps,
];

impl Part {
    const fn classic(self) -> Option<&'static str> {
        match self {
            Self::Loopback => Some("-A INPUT -i lo -j ACCEPT"),
            Self::Answers => Some("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
            Self::Tcp => Some("-A INPUT -p tcp -j REJECT --reject-with tcp-reset"),
            Self::Udp => Some("-A INPUT -p udp -j REJECT"),
            Self::UdpLite | Self::Trusted | Self::Published | Self::LoopbackGuard | Self::Jumps => None,
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::Loopback => {
                "This machine always reaches itself. Here and below what passes returns instead of being accepted, \
                 so that other tools' rules have their say."
            }
            Self::Answers => {
                "Answers of every protocol pass, FTP's data connection included. TCP needs no ESTABLISHED, since \
                 only its SYN is ever refused; UDP has none, so its answers are named, and those of DHCP, which \
                 connection tracking does not know as answers."
            }
            Self::Tcp => {
                "The same reset, but for the SYN only: a rule that resets every packet connection tracking does not \
                 know cuts the SSH session of the admin who applies it. Decisions go before the last line."
            }
            Self::Udp => {
                "The same port-unreachable, so that a mistyped port fails at once. ICMP is not refused by either, \
                 nor is any other protocol without ports."
            }
            Self::UdpLite => "UDP-Lite has ports and listeners like UDP; the classic forgets it.",
            Self::Trusted => "Decisions for trusted networks lead here; an empty policy has none.",
            Self::Published => {
                "A port that a container publishes never passes INPUT. It is refused in FORWARD, and only what was \
                 sent to this machine, which the label tells."
            }
            Self::LoopbackGuard => {
                "127.0.0.1 belongs to this machine: without this, whoever is on the same wire may reach a port that \
                 a container publishes there."
            }
            Self::Jumps => {
                "One jump to each chain of fwtui's own: nothing else is changed, and one step takes all of it out."
            }
        }
    }

    /// The part a line belongs to: a rule as text, of an empty policy.
    fn of(line: &str) -> Self {
        let has = |text: &str| line.contains(text);
        let is_in = |chain: &str| line.starts_with(&format!("-A {PREFIX}{chain} "));
        if !line.starts_with(&format!("-A {PREFIX}")) {
            Self::Jumps
        } else if has("fwtui:loopback guard") {
            Self::LoopbackGuard
        } else if is_in("FORWARD") || is_in("PUBLISHED") || is_in("PREROUTING") {
            Self::Published
        } else if is_in("TRUSTED") {
            Self::Trusted
        } else if has("fwtui:loopback") {
            Self::Loopback
        } else if has("fwtui:related") || has("answers") {
            Self::Answers
        } else if is_in("TCP") || has("-p tcp ") {
            Self::Tcp
        } else if is_in("UDPLITE") || has("-p udplite ") {
            Self::UdpLite
        } else {
            Self::Udp
        }
    }
}

/// Every rule of an empty policy, with the table where that is not filter, and what it is there for.
fn rules(family: Family) -> Vec<(Part, String)> {
    let rules = compile(&Policy::default(), &[]);
    let rules = rules.family(family);
    let text = rules.to_plain_text(&rules.hooks());
    let mut table = "";
    let mut found = Vec::new();
    for line in text.lines() {
        match line.strip_prefix('*') {
            Some(name) => table = name,
            None if table == "filter" => found.push((Part::of(line), line.to_owned())),
            None => found.push((Part::of(line), format!("-t {table} {line}"))),
        }
    }
    found
}

/// What an empty policy compiles to, beside the classic: line by line, with the reason.
pub fn beside_the_classic(family: Family) -> Vec<Comparison> {
    let rules = rules(family);
    let own = |part: Part| {
        let of_it = rules.iter().filter(|(other, _)| *other == part);
        of_it.map(|(_, rule)| rule.clone()).collect::<Vec<_>>()
    };
    PARTS
        .into_iter()
        .map(|part| Comparison {
            classic: part.classic(),
            own: own(part),
            why: part.why(),
        })
        .filter(|comparison| !comparison.own.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_an_empty_policy_stands_beside_the_classic_once() {
        for family in Family::ALL {
            let compiled = compile(&Policy::default(), &[]);
            let compiled = compiled.family(family);
            let text = compiled.to_plain_text(&compiled.hooks());
            let mut all: Vec<&str> = text.lines().filter(|line| line.starts_with("-A ")).collect();
            let comparisons = beside_the_classic(family);
            let mut shown: Vec<&str> = comparisons
                .iter()
                .flat_map(|comparison| &comparison.own)
                .map(|rule| rule.trim_start_matches("-t raw ").trim_start_matches("-t mangle "))
                .collect();
            all.sort_unstable();
            shown.sort_unstable();
            assert_eq!(shown, all);
        }
    }

    #[test]
    fn the_classic_rules_are_four_in_both_families_and_each_has_its_counterpart() {
        for family in Family::ALL {
            let comparisons = beside_the_classic(family);
            let own = |classic: &str| {
                let mut found = comparisons
                    .iter()
                    .filter(|it| it.classic.is_some_and(|it| it.contains(classic)));
                found.next().unwrap().own.join("\n")
            };
            assert_eq!(comparisons.iter().filter(|it| it.classic.is_some()).count(), 4);
            assert_eq!(
                own("-i lo"),
                "-A FWTUI-INPUT -i lo -m comment --comment fwtui:loopback -j RETURN"
            );
            assert!(own("RELATED").contains("--ctstate RELATED "));
            let tcp = own("tcp-reset");
            assert!(tcp.contains("--tcp-flags FIN,SYN,RST,ACK SYN"), "{tcp}");
            assert!(
                tcp.contains("-A FWTUI-REFUSE -p tcp -j REJECT --reject-with tcp-reset"),
                "{tcp}"
            );
            let udp = own("-p udp -j REJECT");
            assert!(udp.contains("-A FWTUI-REFUSE -j REJECT"), "{udp}");
            assert!(!udp.contains("udplite") && !udp.contains("tcp"), "{udp}");
        }
    }
}
