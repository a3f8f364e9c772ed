//! Published container ports: what is sent to this machine and rewritten to go on to a container.
//!
//! ```text
//! mangle     what is sent to this machine gets a label, before anybody rewrites it
//! FORWARD    of rewritten connections, TCP's SYN, UDP and UDP-Lite go on; everything else returns
//! PUBLISHED  what has the label goes on; RELATED and all else returns
//! DECIDED    by protocol to its decisions; a protocol without any goes to REFUSE
//! PUB-TCP    the blocks and the decisions as in INPUT, by the port it was sent to; the rest goes to REFUSE
//! ```
//!
//! Where there are no decisions, PUBLISHED goes to REFUSE. What containers send, what is sent between
//! them, and what others rewrite on its way through (Kubernetes' services) is not looked at.
//!
//! Where the kernel has no labels, what was sent to this machine is told by the addresses it has when
//! the rules are compiled.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Compiler, REFUSE, Telling, chain_of, link_local, on};
use crate::core::listener::{Family, Protocol};
use crate::core::network::Interface;
use crate::core::ruleset::rule::{Match, Rule, State, Target};
use crate::core::ruleset::{Hook, Table};

/// Where what was sent to this machine is told from what was not.
const PUBLISHED: &str = "PUBLISHED";
/// Where the protocols part.
const DECIDED: &str = "DECIDED";

/// The addresses of a family by which packets for this machine are known without labels. Loopback is not among
/// them: the guard in raw drops what comes for it from outside.
///
/// Where addresses come and go by themselves, their whole prefix stands for them, so that a new one
/// opens nothing; link-local ones are never forwarded for others.
pub(super) fn own_addresses(interfaces: &[Interface], family: Family) -> Vec<IpNet> {
    let own = |interface: &Interface| -> Vec<IpNet> {
        let exact = interface.addresses.iter().map(|net| match net.addr() {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => link_local(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => IpNet::from(ip),
        });
        exact.chain(interface.changing.iter().copied()).collect()
    };
    let of_family = interfaces
        .iter()
        .flat_map(own)
        .filter(|net| Family::of(net.addr()) == family && !net.addr().is_loopback())
        .collect::<Vec<_>>();
    // Sorted and without those that are in another one.
    IpNet::aggregate(&of_family)
}

impl Compiler<'_> {
    /// Whether published ports are looked at: by address, not on a machine that has none.
    fn has_published(&self) -> bool {
        self.telling == Telling::ByLabel || !self.own.is_empty()
    }

    /// Labels what is sent to this machine. Every packet on its way there, not the first one only: a
    /// flow that began while somebody had emptied the table gets it late rather than never. Answers
    /// come to an own address, too, where others rewrite the source of what passes through.
    fn label(&mut self) {
        let matches = Match {
            state: Some(State::Original),
            is_to_local: true,
            sets_label: true,
            ..Match::default()
        };
        let hook = Hook::Label;
        self.add(
            hook.table(),
            hook.chain(),
            vec![Rule::new(matches, "sent here", Target::Next)],
        );
    }

    /// What tells what was sent to this machine.
    fn sent_here(&self) -> Vec<Match> {
        let to = |net: &IpNet| Match {
            original_destination: Some(*net),
            ..Match::default()
        };
        match self.telling {
            Telling::ByAddress => self.own.iter().map(to).collect(),
            Telling::ByLabel => vec![Match {
                has_label: true,
                ..Match::default()
            }],
        }
    }

    /// The rules for published ports.
    pub(super) fn published(&mut self) {
        if !self.has_published() {
            return;
        }
        if self.telling == Telling::ByLabel {
            self.label();
        }
        let to = |chain: &str| Target::Goto(chain.to_owned());
        let rewritten = Protocol::ALL.map(|protocol| {
            let matches = Match {
                is_syn: protocol == Protocol::Tcp,
                state: Some(State::Published),
                ..on(protocol)
            };
            Rule::new(matches, protocol.name(), to(PUBLISHED))
        });
        self.add(Table::Filter, Hook::Forward.chain(), rewritten.into());
        let decided: Vec<(Protocol, Vec<Rule>)> = Protocol::ALL
            .into_iter()
            .map(|protocol| (protocol, self.decisions(Hook::Forward, protocol, REFUSE)))
            .filter(|(_, rules)| !rules.is_empty())
            .collect();
        let next = if decided.is_empty() { REFUSE } else { DECIDED };
        let related = Match {
            state: Some(State::Related),
            ..Match::default()
        };
        let mut rules = vec![Rule::new(related, "related", Target::Return)];
        let sent_here = self.sent_here().into_iter();
        rules.extend(sent_here.map(|matches| Rule::new(matches, "published", to(next))));
        self.add(Table::Filter, PUBLISHED, rules);
        if decided.is_empty() {
            return;
        }
        for (protocol, decisions) in decided {
            let mut rules = self.blocks(Hook::Forward, protocol);
            rules.extend(decisions);
            let chain = chain_of(Hook::Forward, protocol);
            let of_protocol = Rule::new(on(protocol), protocol.name(), to(&chain));
            self.add(Table::Filter, DECIDED, vec![of_protocol]);
            rules.push(Rule::new(Match::default(), "undecided", to(REFUSE)));
            self.add(Table::Filter, &chain, rules);
        }
        let undecided = Rule::new(Match::default(), "undecided", to(REFUSE));
        self.add(Table::Filter, DECIDED, vec![undecided]);
    }

    /// What no reset would reach that is refused at a published port. With `br_netfilter`, which docker
    /// loads, one for what came through a bridge is sent by the port it came from, past the rewriting
    /// back: it names the container and nobody knows it (`nf_send_reset` in
    /// `net/ipv4/netfilter/nf_reject_ipv4.c`). An ICMP error goes the usual way.
    pub(super) fn bridged_published(&self) -> Vec<Match> {
        let bridges = self.bridges.iter().filter(|_| self.has_published());
        let matches = |name: &String| Match {
            interface: Some(name.clone()),
            state: Some(State::Published),
            ..on(Protocol::Tcp)
        };
        bridges.map(matches).collect()
    }
}
