//! A packet's way through fwtui's own rules.

use std::net::IpAddr;

use crate::core::listener::Protocol;
use crate::core::ruleset::rule::{Match, RejectWith, Rule, State, Target};
use crate::core::ruleset::{Chains, FamilyRules, Hook};
use crate::core::service::Ports;

/// A packet, as far as fwtui's rules can tell packets apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The interface it comes in by.
    pub interface: &'a str,
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Transport protocol; none for ICMP and all else without ports.
    pub protocol: Option<Protocol>,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// TCP: a SYN.
    pub is_syn: bool,
    /// What conntrack says of it.
    pub state: Option<State>,
    /// Where it was sent, if that was this machine and its destination was rewritten on the way in: `destination` and
    /// `destination_port` are a container's then.
    pub published: Option<Original>,
}

/// Where a packet was sent before its destination was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original {
    /// This machine's address.
    pub destination: IpAddr,
    /// The published port.
    pub port: u16,
}

impl<'a> Packet<'a> {
    /// The first packet of a new connection or flow, from an ephemeral port.
    pub const fn opening(
        interface: &'a str,
        source: IpAddr,
        destination: IpAddr,
        protocol: Protocol,
        port: u16,
    ) -> Self {
        Self {
            interface,
            source,
            destination,
            protocol: Some(protocol),
            source_port: 50_000,
            destination_port: port,
            is_syn: matches!(protocol, Protocol::Tcp),
            state: None,
            published: None,
        }
    }

    /// Whether it meets the rules of a hook: after mangle, a rewritten packet is forwarded and another
    /// one is not. (What is forwarded as it was sent is not refused, and not walked.)
    pub const fn meets(&self, hook: Hook) -> bool {
        match hook {
            Hook::Prerouting | Hook::Label => true,
            Hook::Forward => self.published.is_some(),
            Hook::Input => self.published.is_none(),
        }
    }

    /// As it is before any destination is rewritten.
    #[must_use]
    pub fn as_sent(&self) -> Self {
        let mut sent = self.clone();
        if let Some(original) = sent.published.take() {
            sent.destination = original.destination;
            sent.destination_port = original.port;
        }
        sent
    }
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// fwtui lets it pass; the rules behind still have their say.
    Pass,
    /// Refused politely, by the rule with this reason.
    Reject(Option<String>),
    /// Refused silently, by the rule with this reason.
    Drop(Option<String>),
    /// A rule that fwtui did not write decides: its text.
    Unknown(String),
}

/// What a rule does to a packet that has reached it.
enum Fate<'a> {
    Next,
    Leave,
    Goto(&'a str),
    Stop(Verdict),
}

impl FamilyRules {
    /// Walks a packet through the chains of a hook. Chains only ever go forward with `-g`, so a
    /// packet meets each chain once; a loop somebody else made is cut and counts as unknown.
    pub fn walk(&self, hook: Hook, packet: &Packet<'_>) -> Verdict {
        let sent = packet.as_sent();
        let is_as_sent = matches!(hook, Hook::Prerouting | Hook::Label);
        let packet = if is_as_sent { &sent } else { packet };
        let chains = self.table(hook.table());
        let mut chain = hook.chain();
        // The reason is that of the rule that sent the packet to be refused.
        let mut sent_by: Option<&str> = None;
        for _ in 0..=chains.len() {
            match step_through(chains, chain, packet, &mut sent_by) {
                Fate::Next | Fate::Leave => return Verdict::Pass,
                Fate::Stop(verdict) => return verdict,
                Fate::Goto(next) => chain = next,
            }
        }
        Verdict::Unknown(format!("a loop of chains through {chain}"))
    }
}

fn step_through<'a>(chains: &'a Chains, chain: &str, packet: &Packet<'_>, sent_by: &mut Option<&'a str>) -> Fate<'a> {
    for rule in chains.get(chain).into_iter().flatten() {
        match fate(rule, packet, sent_by) {
            Fate::Next => {}
            fate @ (Fate::Leave | Fate::Goto(_) | Fate::Stop(_)) => return fate,
        }
    }
    Fate::Next
}

fn fate<'a>(rule: &'a Rule, packet: &Packet<'_>, sent_by: &mut Option<&'a str>) -> Fate<'a> {
    let (matches, reason, target) = match rule {
        Rule::Known {
            matches,
            reason,
            target,
        } => (matches, reason, target),
        Rule::Other(words) => return Fate::Stop(Verdict::Unknown(words.join(" "))),
    };
    if !matches.is_met_by(packet) {
        return Fate::Next;
    }
    match target {
        Target::Return => Fate::Leave,
        Target::Goto(chain) => {
            *sent_by = reason.as_deref().or(*sent_by);
            Fate::Goto(chain)
        }
        Target::Reject(RejectWith::TcpReset | RejectWith::PortUnreachable) => {
            Fate::Stop(Verdict::Reject(sent_by.map(str::to_owned)))
        }
        Target::Drop => Fate::Stop(Verdict::Drop(sent_by.map(str::to_owned))),
        Target::Next | Target::Log(_) | Target::Nflog(..) => Fate::Next,
    }
}

impl Match {
    /// Whether it is about this destination port.
    pub fn is_for(&self, protocol: Protocol, port: u16) -> bool {
        self.protocol == Some(protocol) && self.destination_ports.iter().any(|range| range.contains_port(port))
    }

    /// Whether a packet is like this. A limit counts as met: it only guards log rules. So does an end:
    /// [`FamilyRules::current`] takes out what is over.
    pub fn is_met_by(&self, packet: &Packet<'_>) -> bool {
        let has_port =
            |ports: &[Ports], port: u16| ports.is_empty() || ports.iter().any(|range| range.contains_port(port));
        let sent = packet.published.unwrap_or(Original {
            destination: packet.destination,
            port: packet.destination_port,
        });
        self.source.is_none_or(|net| net.contains(&packet.source))
            && self.destination.is_none_or(|net| net.contains(&packet.destination))
            && self.interface.as_ref().is_none_or(|name| *name == packet.interface)
            && self.not_interface.as_ref().is_none_or(|name| *name != packet.interface)
            && self.protocol.is_none_or(|protocol| packet.protocol == Some(protocol))
            && (!self.is_syn || packet.is_syn)
            && has_port(&self.source_ports, packet.source_port)
            && has_port(&self.destination_ports, packet.destination_port)
            // What was rewritten on the way in was sent here, else nobody would ask.
            && (!self.has_label || packet.published.is_some())
            && self.state.is_none_or(|state| match state {
                State::Original => packet.state != Some(State::EstablishedReply),
                State::Published => packet.published.is_some(),
                State::Related | State::EstablishedReply => packet.state == Some(state),
            })
            && self
                .original_destination
                .is_none_or(|net| net.contains(&sent.destination))
            && self.original_ports.is_none_or(|ports| ports.contains_port(sent.port))
    }
}
