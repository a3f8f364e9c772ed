//! What one family refuses and the other lets in.

use std::collections::BTreeSet;

use crate::core::listener::{Family, Protocol};
use crate::core::netfilter::{Condition, End, Field, Part, Statement, Verdict};
use crate::core::overview::Row;
use crate::core::reach::Probe;
use crate::core::service::{BoundTo, ServiceId};

use super::links::Link;
use super::scene::{NO_SERVICE, Refusal, Scene};
use super::{Finding, Kind, Place, Severity};

const IPV6: Kind = Kind {
    id: "ipv6-forgotten",
    severity: Severity::Harmful,
    line: "a service that rules refuse to strangers over IPv4 is open to them over IPv6; risky where only neighbours \
           get in; missing where no service is known, and rules refuse new connections over IPv4 only",
};
const IPV4: Kind = Kind {
    id: "ipv4-forgotten",
    severity: Severity::Harmful,
    line: "the reverse: refused over IPv6 and open over IPv4",
};

pub(super) const KINDS: &[Kind] = &[IPV6, IPV4];

/// So many services are named.
const MOST_SERVICES: usize = 8;
/// So many ports that rules name are compared.
const MOST_PORTS: usize = 16;

/// What was found.
pub(super) fn of(scene: &Scene<'_>) -> Vec<Finding> {
    let pairs = [(Family::Ipv4, Family::Ipv6, &IPV6), (Family::Ipv6, Family::Ipv4, &IPV4)];
    let has_both = Family::ALL
        .iter()
        .all(|family| scene.evidence.families.contains(family));
    if !has_both {
        return alone(scene).into_iter().collect();
    }
    pairs
        .into_iter()
        .flat_map(|(refused, open, kind)| {
            let services = scene.evidence.rows.iter();
            let differing = services.filter_map(|row| service(scene, row, refused, open));
            let mut findings = told(scene, differing.collect(), refused, open, kind);
            if findings.is_empty() {
                findings.extend(rules(scene, refused, open, kind));
            }
            findings
        })
        .collect()
}

/// A file that has rules for IPv4 only, unless its name says that there is another.
fn alone(scene: &Scene<'_>) -> Option<Finding> {
    let lines = scene.evidence.lines?;
    if scene.evidence.families != [Family::Ipv4] || lines.file.ends_with("v4") {
        return None;
    }
    let (refusal, _) = scene.refused_on(|link| from_strangers(link, Family::Ipv4, Protocol::Tcp, NO_SERVICE))?;
    let mut finding = Finding::new(
        &IPV6,
        scene.place(&refusal.spot),
        "New connections are refused over IPv4, but for what rules accept, and this has no rules for IPv6.",
        "What listens on all addresses is reached over IPv6 too, and most networks have it.",
        "Unless they come from elsewhere, write the rules for IPv6 as well, with what it needs of ICMP, or decide with \
         fwtui, which always does both.",
    );
    finding.severity = Severity::Missing;
    Some(finding)
}

/// First packets from everyone on a link, neighbours last.
pub(super) fn knocks<'a>(link: &Link<'a>, family: Family, protocol: Protocol, port: u16) -> Vec<Probe<'a>> {
    let side = link.side(family);
    let name = link.name;
    let sources = side.strangers.iter().chain(&side.neighbours);
    let pairs = sources.flat_map(|source| side.own.iter().map(move |own| (*source, *own)));
    // Who has an address for the link only is met by addresses for the link only.
    let pairs = pairs.filter(|(source, own)| {
        super::links::is_link_local(*source) == super::links::is_link_local(*own) || family == Family::Ipv4
    });
    pairs
        .map(|(source, own)| Probe::opening(name, source, own, protocol, port))
        .collect()
}

/// The same from strangers only.
fn from_strangers<'a>(link: &Link<'a>, family: Family, protocol: Protocol, port: u16) -> Vec<Probe<'a>> {
    let strangers = &link.side(family).strangers;
    let mut packets = knocks(link, family, protocol, port);
    packets.retain(|packet| strangers.contains(&packet.ends.source));
    packets
}

/// Who gets in where the other family refuses everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gets {
    Neighbours,
    Strangers,
}

/// Whether one family refuses on a link whom the other lets in, and who refuses.
fn differs<'a>(
    scene: &Scene<'a>,
    refused: Family,
    open: Family,
    protocol: Protocol,
    port: u16,
) -> Option<(Refusal<'a>, Gets)> {
    let on = |link: &Link<'a>| {
        let refusal = scene.refusal(knocks(link, refused, protocol, port))?;
        if scene.is_accepted(from_strangers(link, open, protocol, port)) {
            return Some((refusal, Gets::Strangers));
        }
        let is_met = scene.is_accepted(knocks(link, open, protocol, port));
        is_met.then_some((refusal, Gets::Neighbours))
    };
    scene.links.iter().filter_map(on).max_by_key(|(_, gets)| *gets)
}

/// A service that one family refuses, and who gets to it by the other.
#[derive(Debug, Clone)]
struct Differing<'a> {
    id: ServiceId,
    refusal: Refusal<'a>,
    gets: Gets,
}

impl Differing<'_> {
    /// Whether the same rule or policy refuses both.
    fn is_as(&self, other: &Self) -> bool {
        let (one, another) = (self.refusal.spot, other.refusal.spot);
        let is_same_rule = match (one.rule, another.rule) {
            (Some(one), Some(another)) => std::ptr::eq(one, another),
            (None, None) => true,
            _ => false,
        };
        self.gets == other.gets && std::ptr::eq(one.chain, another.chain) && is_same_rule
    }
}

fn service<'a>(scene: &Scene<'a>, row: &Row, refused: Family, open: Family) -> Option<Differing<'a>> {
    let service = &row.service;
    let has = |family: Family| {
        service
            .listeners
            .iter()
            .any(|listener| listener.families().contains(&family))
    };
    let is_everywhere = service.bound_to == BoundTo::All && service.id.address.is_none() && service.published.is_none();
    if !is_everywhere || !has(refused) || !has(open) {
        return None;
    }
    let (refusal, gets) = differs(scene, refused, open, service.id.protocol, service.id.ports.first())?;
    Some(Differing {
        id: service.id.clone(),
        refusal,
        gets,
    })
}

/// One finding for each rule that refuses services, however many they are.
fn told(
    scene: &Scene<'_>,
    mut differing: Vec<Differing<'_>>,
    refused: Family,
    open: Family,
    kind: &Kind,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    while let Some(first) = differing.first().cloned() {
        let same = differing.iter().filter(|other| first.is_as(other));
        let ids: Vec<ServiceId> = same.map(|one| one.id.clone()).collect();
        findings.push(of_services(scene, &first, &ids, refused, open, kind));
        differing.retain(|other| !first.is_as(other));
    }
    findings
}

fn of_services(
    scene: &Scene<'_>,
    first: &Differing<'_>,
    ids: &[ServiceId],
    refused: Family,
    open: Family,
    kind: &Kind,
) -> Finding {
    let spot = &first.refusal.spot;
    let refused_by = match spot.rule {
        Some(rule) => rule.text.clone(),
        None => format!("the policy of {}", spot.chain.name),
    };
    let who = match first.gets {
        Gets::Strangers => "strangers",
        Gets::Neighbours => "neighbours",
    };
    let (place, services) = match ids {
        [only] => {
            let place = Place {
                service: Some(only.clone()),
                chain: scene.place(spot).chain,
                ..Place::default()
            };
            (place, format!("{only} is"))
        }
        many => {
            let named: Vec<String> = many.iter().take(MOST_SERVICES).map(ToString::to_string).collect();
            let more = match many.len().saturating_sub(named.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            (scene.place(spot), format!("{}{more} are", named.join(", ")))
        }
    };
    let them = if ids.len() == 1 { "it" } else { "them" };
    let mut finding = Finding::new(
        kind,
        place,
        format!("{services} refused over {refused} ({refused_by}), and open to {who} over {open}."),
        format!("Whoever reaches this machine over {open} gets what the rules for {refused} are there to refuse."),
        format!(
            "If nobody is to get in, refuse {them} over {open} as well; else accept {them} over {refused}; or decide on \
             {them} with fwtui, which always does both."
        ),
    );
    if first.gets == Gets::Neighbours {
        finding.severity = Severity::Risky;
    }
    finding
}

/// The same of ports that rules speak of, and of one that they don't, where no service tells.
fn rules(scene: &Scene<'_>, refused: Family, open: Family, kind: &Kind) -> Option<Finding> {
    let of_rules = ports(scene, refused);
    let asked = [(Protocol::Tcp, NO_SERVICE)].into_iter().chain(of_rules);
    let mut found: Vec<(Protocol, u16, Refusal<'_>)> = Vec::new();
    for (protocol, port) in asked {
        if let Some((refusal, _)) = differs(scene, refused, open, protocol, port) {
            found.push((protocol, port, refusal));
        }
    }
    let (_, first, refusal) = found.first()?;
    let what = if *first == NO_SERVICE {
        format!("New connections are refused over {refused}, but for what rules accept, and none are over {open}.")
    } else {
        let ports: Vec<String> = found
            .iter()
            .map(|(protocol, port, _)| format!("{port}/{protocol}"))
            .collect();
        let are = if ports.len() == 1 { "is" } else { "are" };
        format!(
            "{} {are} refused over {refused}, and not over {open}.",
            ports.join(", ")
        )
    };
    let mut finding = Finding::new(
        kind,
        scene.place(&refusal.spot),
        what,
        format!(
            "What listens on all addresses is reached over {open} too, wherever there is {open}, and most networks have both."
        ),
        format!(
            "Write the rules for {open} as well, with what it needs of ICMP, or decide with fwtui, which always does both."
        ),
    );
    finding.severity = Severity::Missing;
    Some(finding)
}

/// Ports that rules of a family refuse by name.
fn ports(scene: &Scene<'_>, family: Family) -> BTreeSet<(Protocol, u16)> {
    let mut ports = BTreeSet::new();
    let tables = scene.netfilter.tables.iter().filter(|table| table.family.sees(family));
    let rules = tables.flat_map(|table| &table.chains).flat_map(|chain| &chain.rules);
    for rule in rules {
        let refuses = matches!(
            rule.statements.last(),
            Some(Statement::End(Verdict::Drop | Verdict::Reject(_)))
        );
        for statement in rule.statements.iter().filter(|_| refuses) {
            let Statement::If(Condition::Is {
                field: Field::Port(of, End::Destination),
                values,
                is_negated: false,
                ..
            }) = statement
            else {
                continue;
            };
            let protocol = if *of == Some(17) { Protocol::Udp } else { Protocol::Tcp };
            for part in values {
                if let Part::Range(first, _) = part
                    && let Ok(port) = u16::try_from(*first)
                    && ports.len() < MOST_PORTS
                {
                    ports.insert((protocol, port));
                }
            }
        }
    }
    ports
}
