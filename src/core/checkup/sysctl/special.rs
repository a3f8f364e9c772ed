//! Settings that cost something under circumstances only: how many ways out there are, what rules
//! restrict, what else is set.

use super::costs::{Advice, Cost, cost, fine};
use super::kinds::{IP_FORWARD, ROUTE_LOCALNET, RP_FILTER, SECURE_REDIRECTS};
use super::{Deviation, forward};
use crate::core::checkup::{Evidence, Severity};
use crate::core::listener::Family;
use crate::core::network::{InterfaceKind, NetworkClass, World};

/// `rp_filter` 1.
pub(super) fn strict_reverse_path(world: Option<&World>) -> Cost {
    let ways = world.map(ways);
    match ways {
        Some(ways) if ways.len() > 1 => cost(
            RP_FILTER,
            Severity::Risky,
            &format!(
                "With several ways out ({}) an answer may leave by another interface than the packet came in by, and then \
                 the packet is dropped without a word.",
                ways.join(", ")
            ),
            Advice::Words("Use loose mode (2), unless every interface is asked for its own network only.".to_owned()),
        ),
        Some(_) => fine(
            RP_FILTER,
            "With one way out strict mode drops forged sources and nothing else; with a second one (a VPN, Wi-Fi beside a \
             cable) it would drop more.",
        ),
        None => fine(
            RP_FILTER,
            "On a machine with one way out it drops forged sources and nothing else; with several (a VPN, Wi-Fi beside a \
             cable) it drops packets whose answers would leave by another.",
        ),
    }
}

/// The interfaces this machine reaches others by: not those of its own guests.
fn ways(world: &World) -> Vec<&str> {
    let is_way = |interface: &&crate::core::network::Interface| {
        interface.is_up
            && interface.kind != InterfaceKind::Loopback
            && interface.proposed_class() != NetworkClass::Guests
            && interface.addresses.iter().any(|net| net.addr().is_ipv4())
    };
    let ways = world.interfaces.iter().filter(is_way);
    ways.map(|interface| interface.name.as_str()).collect()
}

/// `secure_redirects` 0 sounds like less and is more.
pub(super) fn secure_redirects(evidence: &Evidence<'_>) -> Cost {
    let is_obeyed = !evidence.sysctls.iter().any(|sysctl| {
        super::normal(&sysctl.name) == "net.ipv4.conf.all.accept_redirects" && sysctl.value.trim() == "0"
    });
    match is_obeyed {
        true => cost(
            SECURE_REDIRECTS,
            Severity::Risky,
            "Redirects are still obeyed, and by this no longer to known routers only but to any: it opens what it looks to \
             close.",
            Advice::Reset,
        ),
        false => fine(
            SECURE_REDIRECTS,
            "It decides nothing, as redirects are not obeyed at all.",
        ),
    }
}

pub(super) fn route_localnet(group: &[Deviation<'_>]) -> Cost {
    let scopes: Vec<&str> = group.iter().filter_map(Deviation::scope).collect();
    let from = match scopes.iter().any(|scope| matches!(*scope, "all" | "default")) {
        true => "every network".to_owned(),
        false => scopes.join(", "),
    };
    cost(
        ROUTE_LOCALNET,
        Severity::Risky,
        &format!("Who is on {from} can send packets to 127.0.0.1 here, and reach services that listen there only."),
        Advice::Words(
            "Set it back unless Docker without its proxy or Kubernetes needs it; fwtui drops such packets while it is on."
                .to_owned(),
        ),
    )
}

/// Forwarding, judged with what restricts it.
pub(super) fn forwarding(evidence: &Evidence<'_>, family: Family) -> Cost {
    let is_restricted = evidence
        .netfilter
        .filter(|_| evidence.families.contains(&family))
        .map(|netfilter| forward::is_restricted(netfilter, family));
    let has_ways = evidence.world.is_none_or(|world| ways(world).len() > 1);
    let ra = match family {
        Family::Ipv4 => "",
        Family::Ipv6 => "; a machine that forwards also ignores router advertisements, unless accept_ra is 2",
    };
    match (is_restricted, has_ways) {
        (Some(true), _) => fine(
            IP_FORWARD,
            &format!("This machine is a router, as guests and VPNs need it, and rules restrict what it forwards{ra}."),
        ),
        (Some(false), true) => cost(
            IP_FORWARD,
            Severity::Risky,
            &format!(
                "No rule restricts what is forwarded: whoever sends packets to this machine gets them carried into every \
                 network it is in{ra}."
            ),
            Advice::Words(
                "Forward nothing, or only what is meant: a FORWARD chain with policy DROP and a rule for each way."
                    .to_owned(),
            ),
        ),
        (Some(false), false) => fine(
            IP_FORWARD,
            &format!(
                "No rule restricts what is forwarded, and this machine is in one network only: a second one, such as a VPN, \
                 would be open to the first{ra}."
            ),
        ),
        (None, _) => fine(
            IP_FORWARD,
            &format!("This machine is a router; whether rules restrict what it forwards can't be seen here{ra}."),
        ),
    }
}
