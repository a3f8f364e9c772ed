//! What this machine sends, refused by its own rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::core::listener::{Family, Protocol};
use crate::core::netfilter::Hook;
use crate::core::reach::Probe;

use super::icmp::{NEIGHBOUR_DISCOVERY, has_lease};
use super::links::{Link, tunnels};
use super::scene::{NO_SERVICE, Refusal, Scene, Wanted, on, solicited_node};
use super::{Finding, Kind, Severity};

const LOOPBACK: Kind = Kind {
    id: "outbound-loopback-refused",
    severity: Severity::Harmful,
    line: "rules refuse what this machine sends to itself, on its way out",
};
const DNS: Kind = Kind {
    id: "outbound-dns-refused",
    severity: Severity::Harmful,
    line: "rules refuse this machine's questions to every DNS server; risky where it is one family of two",
};
const DHCP: Kind = Kind {
    id: "outbound-dhcp-refused",
    severity: Severity::Risky,
    line: "rules refuse what a DHCP client sends; harmful where an address of this machine comes by DHCPv6",
};
const NTP: Kind = Kind {
    id: "outbound-ntp-refused",
    severity: Severity::Risky,
    line: "rules refuse this machine's questions to every time server (UDP 123)",
};
const DISCOVERY: Kind = Kind {
    id: "outbound-neighbour-discovery-refused",
    severity: Severity::Harmful,
    line: "rules refuse this machine's own neighbour solicitations or advertisements (ICMPv6 135, 136)",
};
const FILTERED: Kind = Kind {
    id: "outbound-filtered",
    severity: Severity::Info,
    line: "rules refuse connections of this machine's own programs to ports that no rule names",
};

pub(super) const KINDS: &[Kind] = &[LOOPBACK, DNS, DHCP, NTP, DISCOVERY, FILTERED];

/// The servers of `DHCPv6` and relays (RFC 8415, 7.1).
const SERVERS: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2));

const fn wanted(saved: &'static str, native: &'static str) -> Wanted {
    Wanted { saved, native }
}

/// What was found.
pub(super) fn of(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = [dns(scene), ntp(scene), discovery(scene), filtered(scene)]
        .into_iter()
        .flatten()
        .collect();
    for family in Family::ALL {
        findings.extend(loopback(scene, family));
        findings.extend(dhcp(scene, family));
    }
    findings
}

/// Whether it ended on its way out of this machine.
pub(super) const fn is_on_its_way_out(refusal: &Refusal<'_>) -> bool {
    matches!(refusal.hook, Hook::Output | Hook::Postrouting)
}

/// This machine's own to itself, by the loopback addresses.
pub(super) fn to_itself<'a>(scene: &Scene<'a>, family: Family) -> Option<Probe<'a>> {
    let address = match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let lo = scene.world.interface("lo")?;
    let is_there = lo.addresses.iter().any(|net| net.addr() == address) && scene.evidence.families.contains(&family);
    is_there.then(|| Probe::opening(&lo.name, address, address, Protocol::Tcp, NO_SERVICE))
}

fn loopback(scene: &Scene<'_>, family: Family) -> Option<Finding> {
    let refusal = scene.refusal(to_itself(scene, family)).filter(is_on_its_way_out)?;
    let advice = Scene::accepting(&refusal, family, &[wanted("-o lo", "oifname lo")]);
    Some(Finding::new(
        &LOOPBACK,
        scene.place(&refusal.spot),
        format!("What this machine sends to itself over {family} is refused on its way out."),
        "Programs of one machine speak to each other over the loopback interface: resolvers, databases, printing, the \
         desktop.",
        format!("Accept it in front of that: {advice}."),
    ))
}

/// Packets that this machine sends by a link to everyone whom it may mean.
pub(super) fn sent<'a>(link: &Link<'a>, family: Family, protocol: Protocol, port: u16) -> Vec<Probe<'a>> {
    let side = link.side(family);
    let name = link.name;
    let pairs = side.globals().flat_map(|own| {
        let to = side.strangers.iter().chain(side.neighbours.first()).chain(&side.named);
        to.map(move |to| (own, *to))
    });
    pairs
        .filter(|(own, to)| own != to)
        .map(|(own, to)| Probe::opening(name, own, to, protocol, port).sent())
        .collect()
}

/// The first refusal of each family in which there is somebody to ask, and whether there is a family
/// without one.
fn refused_in_families<'a>(scene: &Scene<'a>, port: u16) -> (Vec<(Family, Refusal<'a>)>, bool) {
    let mut refused = Vec::new();
    let mut is_open = false;
    for family in Family::ALL {
        let mut packets: Vec<Probe<'a>> = scene
            .links
            .iter()
            .filter(|link| !link.side(family).strangers.is_empty())
            .flat_map(|link| sent(link, family, Protocol::Udp, port))
            .collect();
        // Where everything is to go by a tunnel, so do the questions.
        let by_tunnels = tunnels(scene.netfilter, scene.world)
            .into_iter()
            .flat_map(|interface| {
                packets.iter().map(move |packet| Probe {
                    interface,
                    ..packet.clone()
                })
            })
            .collect::<Vec<_>>();
        packets.extend(by_tunnels);
        if packets.is_empty() {
            continue;
        }
        match scene.refusal(packets).filter(is_on_its_way_out) {
            Some(refusal) => refused.push((family, refusal)),
            None => is_open = true,
        }
    }
    (refused, is_open)
}

fn dns(scene: &Scene<'_>) -> Option<Finding> {
    let (refused, is_open) = refused_in_families(scene, 53);
    let (family, refusal) = *refused.first()?;
    let advice = in_families(
        &refused,
        &[
            wanted("-p udp -m udp --dport 53", "udp dport 53"),
            wanted("-p tcp -m tcp --dport 53", "tcp dport 53"),
        ],
    );
    let mut finding = Finding::new(
        &DNS,
        scene.place(&refusal.spot),
        format!(
            "This machine's questions to DNS servers are refused on their way out{}.",
            over(family, is_open)
        ),
        "Without answers no name is found, and every program that is given one waits for its time limit.",
        format!("Accept them in front of that: {advice}."),
    );
    if is_open {
        finding.severity = Severity::Risky;
    }
    Some(finding)
}

/// The commands for every family in which it is refused.
fn in_families(refused: &[(Family, Refusal<'_>)], wanted: &[Wanted]) -> String {
    let of = |(family, refusal): &(Family, Refusal<'_>)| Scene::accepting(refusal, *family, wanted);
    refused.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// ` over IPv4`, where the other family does not have it.
fn over(family: Family, is_open: bool) -> String {
    if is_open {
        format!(" over {family}")
    } else {
        String::new()
    }
}

fn ntp(scene: &Scene<'_>) -> Option<Finding> {
    let (refused, is_open) = refused_in_families(scene, 123);
    let (family, refusal) = *refused.first()?;
    let advice = in_families(&refused, &[wanted("-p udp -m udp --dport 123", "udp dport 123")]);
    Some(Finding::new(
        &NTP,
        scene.place(&refusal.spot),
        format!(
            "This machine's questions to time servers are refused on their way out{}.",
            over(family, is_open)
        ),
        "A clock that nobody sets drifts by seconds a day, until certificates and tokens count as not valid.",
        format!("Accept them in front of that, unless the time comes from elsewhere: {advice}."),
    ))
}

fn dhcp(scene: &Scene<'_>, family: Family) -> Option<Finding> {
    let (refusal, links) = scene.refused_on(|link| {
        let side = link.side(family);
        let is_static = scene.is_live() && family == Family::Ipv6 && link.interface.changing.is_empty();
        let mut packets = match family {
            Family::Ipv4 => sent(link, family, Protocol::Udp, 67),
            Family::Ipv6 => side
                .local()
                .map(|own| Probe::opening(link.name, own, SERVERS, Protocol::Udp, 547).sent())
                .into_iter()
                .collect(),
        };
        packets.retain(|_| link.has_neighbours && !is_static);
        for packet in &mut packets {
            packet.ends.source_port = if family == Family::Ipv4 { 68 } else { 546 };
        }
        packets
    })?;
    if !is_on_its_way_out(&refusal) {
        return None;
    }
    let (asked, why) = match family {
        Family::Ipv4 => (
            wanted("-p udp -m udp --dport 67", "udp dport 67"),
            "Most clients ask for their first lease past all rules but renew it through them, so it is renewed late, by \
             broadcast, or not at all.",
        ),
        Family::Ipv6 => (
            wanted("-p udp -m udp --dport 547", "udp dport 547"),
            "Without them there is no lease, and on a network that gives addresses by DHCPv6 this machine has none.",
        ),
    };
    let advice = Scene::accepting(&refusal, family, &[asked]);
    let mut finding = Finding::new(
        &DHCP,
        scene.place(&refusal.spot),
        format!(
            "What a DHCP client sends over {family} is refused on its way out{}.",
            on(&links, &scene.links)
        ),
        why,
        format!("Accept it in front of that, unless the addresses are static: {advice}."),
    );
    if family == Family::Ipv6 && links.iter().any(|link| has_lease(link)) {
        finding.severity = Severity::Harmful;
    }
    Some(finding)
}

fn discovery(scene: &Scene<'_>) -> Option<Finding> {
    let messages = |kind: u8| {
        scene.refused_on(move |link| {
            let side = link.side(Family::Ipv6);
            let own = side.own.iter().filter(|_| link.has_neighbours);
            let pairs = own.flat_map(|own| side.neighbours.iter().map(move |to| (*own, *to)));
            let packets = pairs.map(|(own, to)| {
                let to = if kind == 135 { solicited_node(to) } else { to };
                Probe::icmp(link.name, own, to, kind, 0).sent()
            });
            packets.collect::<Vec<_>>()
        })
    };
    let (refusal, links) = messages(135).or_else(|| messages(136))?;
    let advice = Scene::accepting(&refusal, Family::Ipv6, &NEIGHBOUR_DISCOVERY);
    Some(Finding::new(
        &DISCOVERY,
        scene.place(&refusal.spot),
        format!(
            "This machine's own neighbour solicitations or advertisements (ICMPv6 135, 136) are refused on their way out{}.",
            on(&links, &scene.links)
        ),
        "It can't find its router nor be found, and about 3 s after what is known of a neighbour is forgotten \
         connections with him fail.",
        format!("Accept them in front of that: {advice}."),
    ))
}

fn filtered(scene: &Scene<'_>) -> Option<Finding> {
    let families = Family::ALL.into_iter();
    let mut refused = families.filter_map(|family| {
        let packets = scene.links.iter().flat_map(|link| {
            let strangers = &link.side(family).strangers;
            let packets = sent(link, family, Protocol::Tcp, NO_SERVICE).into_iter();
            packets.filter(|packet| strangers.contains(&packet.ends.destination))
        });
        let refusal = scene.refusal(packets).filter(is_on_its_way_out)?;
        Some((family, refusal))
    });
    let (family, refusal) = refused.next()?;
    Some(Finding::new(
        &FILTERED,
        scene.place(&refusal.spot),
        format!("Connections of this machine's own programs over {family} are refused unless a rule lets them out."),
        "It stops programs that don't expect it, and not those who do: what runs as root changes the rules, and any \
         other goes out by a port that is open.",
        "If it is meant as a list of what this machine may do, keep it and expect to maintain it; else let the policy of \
         OUTPUT be ACCEPT.",
    ))
}
