//! ICMP that a host can't do without, refused.

use std::net::{IpAddr, Ipv6Addr};

use crate::core::listener::{Family, Protocol};
use crate::core::reach::Probe;

use super::links::{Link, is_link_local};
use super::scene::{Refusal, Scene, Wanted, on, solicited_node};
use super::{Finding, Kind, Severity};

const ERRORS: Kind = Kind {
    id: "icmp-errors-refused",
    severity: Severity::Harmful,
    line: "rules refuse ICMP's 'fragmentation needed' about this machine's own connections: path MTU discovery fails",
};
const ECHO: Kind = Kind {
    id: "icmp-echo-refused",
    severity: Severity::Risky,
    line: "rules refuse the echo requests of every neighbour, by which a DHCP server finds an address in use",
};
const DISCOVERY: Kind = Kind {
    id: "ipv6-neighbour-discovery-refused",
    severity: Severity::Harmful,
    line: "rules refuse neighbour solicitations or advertisements (ICMPv6 135, 136); risky where those from \
           link-local addresses get through",
};
const ROUTERS: Kind = Kind {
    id: "ipv6-router-advertisements-refused",
    severity: Severity::Harmful,
    line: "rules refuse router advertisements (ICMPv6 134); risky where the link's addresses are static, \
           nothing where the machine is a router",
};
const TOO_BIG: Kind = Kind {
    id: "ipv6-packet-too-big-refused",
    severity: Severity::Harmful,
    line: "rules refuse ICMPv6's 'packet too big' about this machine's own connections: path MTU discovery fails",
};
const ECHO_V6: Kind = Kind {
    id: "ipv6-echo-refused",
    severity: Severity::Info,
    line: "rules refuse every IPv6 echo request",
};
const LISTENERS: Kind = Kind {
    id: "ipv6-multicast-listener-refused",
    severity: Severity::Risky,
    line: "rules refuse multicast listener queries (ICMPv6 130), without answers to which a snooping bridge stops \
           forwarding neighbour discovery",
};
const DHCPV6: Kind = Kind {
    id: "dhcpv6-answers-refused",
    severity: Severity::Risky,
    line: "rules refuse the answers of DHCPv6 servers (UDP 546 from link-local addresses); harmful where an address \
           of this machine comes from one",
};

pub(super) const KINDS: &[Kind] = &[ERRORS, ECHO, DISCOVERY, ROUTERS, TOO_BIG, ECHO_V6, LISTENERS, DHCPV6];

const fn wanted(saved: &'static str, native: &'static str) -> Wanted {
    Wanted { saved, native }
}

/// What neighbours need of each other, in and out.
pub(super) const NEIGHBOUR_DISCOVERY: [Wanted; 2] = [
    wanted(
        "-p ipv6-icmp -m icmp6 --icmpv6-type 135",
        "icmpv6 type nd-neighbor-solicit",
    ),
    wanted(
        "-p ipv6-icmp -m icmp6 --icmpv6-type 136",
        "icmpv6 type nd-neighbor-advert",
    ),
];

const ALL_NODES: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1));

/// What was found.
pub(super) fn of(scene: &Scene<'_>) -> Vec<Finding> {
    [
        errors(scene),
        echo(scene),
        discovery(scene),
        routers(scene),
        too_big(scene),
        echo_v6(scene),
        listeners(scene),
        dhcpv6(scene),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// From everyone to everyone: messages of one type, as neighbours and hosts send them.
pub(super) fn messages<'a>(
    link: &Link<'a>,
    sources: impl IntoIterator<Item = IpAddr>,
    destinations: &[IpAddr],
    kind: u8,
    code: u8,
) -> Vec<Probe<'a>> {
    let name = link.name;
    sources
        .into_iter()
        .flat_map(|source| {
            destinations
                .iter()
                .map(move |destination| Probe::icmp(name, source, *destination, kind, code))
        })
        .collect()
}

fn about<'a>(link: &Link<'a>, family: Family, kind: u8, code: u8) -> Vec<Probe<'a>> {
    let side = link.side(family);
    let errors = messages(link, side.strangers.iter().copied(), &side.own, kind, code);
    errors.into_iter().map(Probe::about_a_connection).collect()
}

fn errors(scene: &Scene<'_>) -> Option<Finding> {
    let (refusal, links) = scene.refused_on(|link| about(link, Family::Ipv4, 3, 4))?;
    let advice = Scene::accepting(
        &refusal,
        Family::Ipv4,
        &[wanted(
            "-p icmp -m icmp --icmp-type 3/4",
            "icmp type destination-unreachable icmp code 4",
        )],
    );
    Some(Finding::new(
        &ERRORS,
        scene.place(&refusal.spot),
        format!(
            "ICMP errors about this machine's own connections are refused{}, 'fragmentation needed' among them.",
            on(&links, &scene.links)
        ),
        "They are RELATED, never ESTABLISHED, and without them a transfer over a path with a smaller MTU stalls at 0 \
         bytes while small answers still pass.",
        format!("Accept them in front of that: {advice}."),
    ))
}

fn too_big(scene: &Scene<'_>) -> Option<Finding> {
    let (refusal, links) = scene.refused_on(|link| about(link, Family::Ipv6, 2, 0))?;
    let advice = Scene::accepting(
        &refusal,
        Family::Ipv6,
        &[wanted(
            "-p ipv6-icmp -m icmp6 --icmpv6-type 2",
            "icmpv6 type packet-too-big",
        )],
    );
    Some(Finding::new(
        &TOO_BIG,
        scene.place(&refusal.spot),
        format!(
            "'Packet too big' (ICMPv6 2) about this machine's own connections is refused{}.",
            on(&links, &scene.links)
        ),
        "No router takes IPv6 packets apart, so without it a transfer over a path with a smaller MTU stalls at 0 bytes.",
        format!("Accept it in front of that: {advice}."),
    ))
}

fn echo(scene: &Scene<'_>) -> Option<Finding> {
    let asked = |link: &Link<'_>| link.has_neighbours;
    let (refusal, links) = scene.refused_on(|link| {
        let side = link.side(Family::Ipv4);
        let sources = side.neighbours.iter().chain(&side.named).copied();
        let sources: Vec<IpAddr> = sources.filter(|_| asked(link)).collect();
        messages(link, sources, &side.own, 8, 0)
    })?;
    let advice = Scene::accepting(
        &refusal,
        Family::Ipv4,
        &[wanted("-p icmp -m icmp --icmp-type 8", "icmp type echo-request")],
    );
    Some(Finding::new(
        &ECHO,
        scene.place(&refusal.spot),
        format!("Echo requests of neighbours are refused{}.", on(&links, &scene.links)),
        "Before a DHCP server gives an address away it asks by an echo request whether somebody has it, and may give \
         this machine's address to another that does not answer.",
        format!("Accept them in front of that: {advice}."),
    ))
}

fn echo_v6(scene: &Scene<'_>) -> Option<Finding> {
    let (refusal, links) = scene.refused_on(|link| {
        let side = link.side(Family::Ipv6);
        let sources = side.neighbours.iter().copied().chain(side.remote());
        messages(link, sources.collect::<Vec<_>>(), &side.own, 128, 0)
    })?;
    let advice = Scene::accepting(
        &refusal,
        Family::Ipv6,
        &[wanted(
            "-p ipv6-icmp -m icmp6 --icmpv6-type 128",
            "icmpv6 type echo-request",
        )],
    );
    Some(Finding::new(
        &ECHO_V6,
        scene.place(&refusal.spot),
        format!("IPv6 echo requests are refused{}.", on(&links, &scene.links)),
        "It hides nothing that neighbour discovery and open ports don't show, and takes away the first means to find \
         out what is broken.",
        format!("If that is not meant, accept them in front of that: {advice}."),
    ))
}

fn discovery(scene: &Scene<'_>) -> Option<Finding> {
    let asking = |is_local: bool, kind: u8| {
        move |link: &Link<'_>| {
            let side = link.side(Family::Ipv6);
            let sources: Vec<IpAddr> = side
                .neighbours
                .iter()
                .copied()
                .filter(|address| link.has_neighbours && (is_local || !is_link_local(*address)))
                .collect();
            let to: Vec<IpAddr> = match kind {
                135 => side.own.iter().map(|own| solicited_node(*own)).collect(),
                _ => side.own.clone(),
            };
            (sources, to)
        }
    };
    let refused = |is_local: bool, kind: u8| {
        scene.refused_on(move |link| {
            let (sources, to) = asking(is_local, kind)(link);
            messages(link, sources, &to, kind, 0)
        })
    };
    // From whom ever; or at least from the addresses by which neighbours speak to each other.
    let of_all = refused(true, 135).or_else(|| refused(true, 136));
    let (is_all, (refusal, links)) = match of_all {
        Some(found) => (true, found),
        None => (false, refused(false, 135).or_else(|| refused(false, 136))?),
    };
    let advice = Scene::accepting(&refusal, Family::Ipv6, &NEIGHBOUR_DISCOVERY);
    let on = on(&links, &scene.links);
    let mut finding = Finding::new(
        &DISCOVERY,
        scene.place(&refusal.spot),
        match is_all {
            true => format!("Neighbour solicitations or advertisements (ICMPv6 135, 136) are refused{on}."),
            false => format!(
                "Neighbour solicitations or advertisements (ICMPv6 135, 136) are refused{on} where they come from \
                 other than link-local addresses."
            ),
        },
        match is_all {
            true => {
                "IPv6 finds its neighbours and its router by them, and conntrack never counts them as ESTABLISHED: \
                 about 3 s after what is known of a neighbour is forgotten, connections with him fail, in both directions."
            }
            false => {
                "A router asks from its link-local address, but neighbours who speak by global addresses ask and answer \
                 from these, and find no way to this machine."
            }
        },
        format!("Accept them in front of that: {advice}."),
    );
    if !is_all {
        finding.severity = Severity::Risky;
    }
    Some(finding)
}

fn routers(scene: &Scene<'_>) -> Option<Finding> {
    let (refusal, links) = scene.refused_on(|link| {
        let asked = link.has_neighbours && hears_routers(scene, link).is_some();
        let side = link.side(Family::Ipv6);
        let to: Vec<IpAddr> = side.local().into_iter().chain([ALL_NODES]).collect();
        let sources = side.local_neighbours().filter(|_| asked);
        messages(link, sources.collect::<Vec<_>>(), &to, 134, 0)
    })?;
    let severity = links.iter().filter_map(|link| hears_routers(scene, link)).min()?;
    let advice = Scene::accepting(
        &refusal,
        Family::Ipv6,
        &[wanted(
            "-p ipv6-icmp -m icmp6 --icmpv6-type 134",
            "icmpv6 type nd-router-advert",
        )],
    );
    let mut finding = Finding::new(
        &ROUTERS,
        scene.place(&refusal.spot),
        format!(
            "Router advertisements (ICMPv6 134) are refused{}.",
            on(&links, &scene.links)
        ),
        if severity == Severity::Harmful {
            "Addresses and the default route of IPv6 come by them and expire without them, whatever else is accepted."
        } else {
            "Where addresses and the default route of IPv6 are not static they come by them, and expire without them."
        },
        format!("Accept them in front of that: {advice}."),
    );
    finding.severity = severity;
    Some(finding)
}

/// How bad it is not to hear routers on a link; none where the machine has no use for them.
fn hears_routers(scene: &Scene<'_>, link: &Link<'_>) -> Option<Severity> {
    if !scene.is_live() {
        return Some(Severity::Harmful);
    }
    let is_router = scene
        .world
        .switches
        .get(link.name)
        .is_some_and(|switches| switches.forwards_ipv6);
    let is_static = link.interface.changing.is_empty() && link.side(Family::Ipv6).global().is_some();
    match (link.interface.changing.is_empty(), is_router, is_static) {
        (true, true, _) => None,
        (true, false, true) => Some(Severity::Risky),
        // By routers; or no address but the link's, because none is heard.
        (false, ..) | (true, false, false) => Some(Severity::Harmful),
    }
}

fn listeners(scene: &Scene<'_>) -> Option<Finding> {
    let (refusal, links) = scene.refused_on(|link| {
        let side = link.side(Family::Ipv6);
        let sources = side.local_neighbours().filter(|_| link.has_neighbours);
        messages(link, sources.collect::<Vec<_>>(), &[ALL_NODES], 130, 0)
    })?;
    let advice = Scene::accepting(
        &refusal,
        Family::Ipv6,
        &[wanted(
            "-p ipv6-icmp -m icmp6 --icmpv6-type 130",
            "icmpv6 type mld-listener-query",
        )],
    );
    Some(Finding::new(
        &LISTENERS,
        scene.place(&refusal.spot),
        format!(
            "Multicast listener queries (ICMPv6 130) are refused{}.",
            on(&links, &scene.links)
        ),
        "A bridge or switch that snoops forgets the groups of who does not answer, among them those of neighbour \
         discovery, and IPv6 fails some minutes later.",
        format!("Accept them in front of that: {advice}."),
    ))
}

fn dhcpv6(scene: &Scene<'_>) -> Option<Finding> {
    let (refusal, links): (Refusal<'_>, Vec<&Link<'_>>) = scene.refused_on(|link| {
        let side = link.side(Family::Ipv6);
        let is_static = scene.is_live() && link.interface.changing.is_empty() && side.global().is_some();
        let sources = side.local_neighbours().filter(|_| link.has_neighbours && !is_static);
        let to = side.local();
        let answers = sources.filter_map(|source| {
            let mut answer = Probe::opening(link.name, source, to?, Protocol::Udp, 546);
            answer.ends.source_port = 547;
            Some(answer)
        });
        answers.collect::<Vec<_>>()
    })?;
    let advice = Scene::accepting(
        &refusal,
        Family::Ipv6,
        &[wanted(
            "-s fe80::/10 -p udp -m udp --dport 546",
            "ip6 saddr fe80::/10 udp dport 546",
        )],
    );
    let is_used = links.iter().any(|link| has_lease(link));
    let mut finding = Finding::new(
        &DHCPV6,
        scene.place(&refusal.spot),
        format!(
            "Answers of DHCPv6 servers (UDP 546 from link-local addresses) are refused{}.",
            on(&links, &scene.links)
        ),
        match is_used {
            true => {
                "They answer what was sent to a group, so conntrack does not know them, and without them the address \
                 that this machine has by DHCPv6 is not renewed."
            }
            false => {
                "They answer what was sent to a group, so conntrack does not know them, and a network that gives \
                 addresses by DHCPv6 gives this machine none."
            }
        },
        format!("Accept them in front of that: {advice}."),
    );
    if is_used {
        finding.severity = Severity::Harmful;
    }
    Some(finding)
}

/// Whether an address of a link looks as `DHCPv6` gives them: one by itself, and not for ever.
pub(super) fn has_lease(link: &Link<'_>) -> bool {
    link.interface.addresses.iter().any(|net| {
        let is_changing = link
            .interface
            .changing
            .iter()
            .any(|changing| changing.contains(&net.addr()));
        Family::of(net.addr()) == Family::Ipv6 && net.prefix_len() == 128 && is_changing
    })
}
