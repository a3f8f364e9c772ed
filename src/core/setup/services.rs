//! What is proposed for each service.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::answers::decide_all;
use super::{Found, ServiceProposal};
use crate::core::catalogue::{Advice, Match};
use crate::core::listener::Protocol;
use crate::core::policy::{Decision, Entry, Policy};
use crate::core::ruleset::compile;
use crate::core::service::{BoundTo, Service, ServiceId};
use crate::core::text::{printable, printable_within};
use crate::core::way_in::{Carrier, WayIn};

/// The user ids of people, where nothing else is set up (login.defs(5)).
const PEOPLE: std::ops::RangeInclusive<u32> = 1000..=60000;

/// Why nothing is proposed.
const OVERLAPS: &str = "It overlaps in part with a range that is decided otherwise: split one of them first.";

/// Longest path shown, in characters.
const LONGEST_PATH: usize = 120;

pub(super) fn propose(found: &Found<'_>) -> Vec<ServiceProposal> {
    let knows_owners = knows_owners(found);
    let asked = found
        .services
        .iter()
        .filter(|service| is_asked(service, found, knows_owners));
    let mut ranked: Vec<(Rank, ServiceProposal)> = asked
        .map(|service| {
            let proposal = proposal(service, found);
            (Rank::of(&proposal, service.bound_to == BoundTo::All), proposal)
        })
        .collect();
    for way_in in found.ways_in {
        let Some(id) = way_in.service() else { continue };
        let is_there = ranked.iter().any(|(_, one)| is_way_in(&one.id, way_in));
        // mosh's socket is among the clients' by its looks.
        if !is_there {
            let name = match &way_in.carrier {
                Carrier::Mosh => "mosh-server".to_owned(),
                Carrier::Other(program) => printable(program),
                Carrier::Ssh => "sshd".to_owned(),
                Carrier::Tunnel(interface) => printable(interface),
            };
            let proposal = unnamed(id, name, way_in, found.policy);
            ranked.push((Rank::of(&proposal, true), proposal));
        }
    }
    ranked.sort_by(|(a_rank, a), (b_rank, b)| (a_rank, &a.id).cmp(&(b_rank, &b.id)));
    let mut proposals: Vec<ServiceProposal> = ranked.into_iter().map(|(_, proposal)| proposal).collect();
    keep_ways_in(found, &mut proposals);
    leave_contradictions(found.policy, &mut proposals);
    proposals
}

/// The order they are asked in: what carries the user, what listens everywhere, the rest; what is
/// decided already last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    carries_you: Reverse<bool>,
    is_decided: bool,
    is_everywhere: Reverse<bool>,
}

impl Rank {
    fn of(proposal: &ServiceProposal, is_everywhere: bool) -> Self {
        Self {
            carries_you: Reverse(proposal.carries_you),
            is_decided: proposal.is_decided,
            is_everywhere: Reverse(is_everywhere),
        }
    }
}

/// Whether others could reach it, so that there is something to decide.
fn is_asked(service: &Service, found: &Found<'_>, knows_owners: bool) -> bool {
    service.is_there()
        && service.bound_to != BoundTo::Loopback
        && !found.policy.disabled.contains_key(&service.id)
        && !is_client(service, found, knows_owners)
}

/// Whether owners were looked up and seen: then what nobody holds is the kernel's.
pub(super) fn knows_owners(found: &Found<'_>) -> bool {
    found.services.iter().any(|service| !service.owners.is_empty())
}

/// Those of the services that look like clients which wait for answers: nothing is asked about them.
pub fn clients<'a>(found: &Found<'a>) -> BTreeSet<&'a ServiceId> {
    let knows_owners = knows_owners(found);
    let services = found.services.iter();
    let clients = services.filter(|service| service.is_there() && is_client(service, found, knows_owners));
    clients.map(|service| &service.id).collect()
}

/// Whether it looks like a client that waits for answers, which get in without any decision.
pub(super) fn is_client(service: &Service, found: &Found<'_>, knows_owners: bool) -> bool {
    let id = &service.id;
    let is_ephemeral = id.protocol != Protocol::Tcp && found.ephemeral.contains(id.ports);
    if !is_ephemeral || service.published.is_some() || found.policy.entry_for(id).is_some() {
        return false;
    }
    let is_kernels = service.is_ownerless() && knows_owners;
    let is_usual = found.catalogue.find(service).is_some_and(|known| is_usual(&known, id));
    !is_kernels && !is_usual && !found.ways_in.iter().any(|way_in| is_way_in(id, way_in))
}

fn is_usual(known: &Match<'_>, id: &ServiceId) -> bool {
    let usual = &known.entry.ports;
    usual
        .iter()
        .any(|port| port.protocol == id.protocol && port.ports.contains(id.ports))
}

/// Whether a way in may come to a row.
fn is_way_in(id: &ServiceId, way_in: &WayIn) -> bool {
    let is_its_address = match (&id.address, way_in.local) {
        (Some(address), Some(local)) => address.ip == local,
        (None, _) | (_, None) => true,
    };
    id.protocol == way_in.protocol && id.ports.contains_port(way_in.port) && is_its_address
}

fn proposal(service: &Service, found: &Found<'_>) -> ServiceProposal {
    let known = found.catalogue.find_credible(service);
    let way_in = found.ways_in.iter().find(|way_in| is_way_in(&service.id, way_in));
    let name = match (service.name.as_str(), known) {
        ("", Some(known)) => known.name(),
        (name, _) => printable(name),
    };
    let (advice, why) = match (way_in, known) {
        (Some(way_in), _) => (Advice::Open, why_way_in(way_in)),
        (None, Some(known)) => advised(service, &known, found),
        (None, None) => (Advice::Confine, why_unknown(service)),
    };
    let decided = found.policy.entry_for(&service.id);
    let (decision, from, why) = match decided {
        Some((id, entry)) => {
            let why = why_decided(&service.id, id, entry, way_in.is_some());
            (entry.decision, entry.from.clone(), why)
        }
        None => (advice.decision(), Vec::new(), why),
    };
    ServiceProposal {
        id: service.id.clone(),
        name,
        advice,
        decision,
        from,
        why,
        what: known.map(|known| known.what()),
        is_known: known.is_some(),
        carries_you: way_in.is_some(),
        is_decided: decided.is_some(),
    }
}

/// A way in without a row of its own.
fn unnamed(id: ServiceId, name: String, way_in: &WayIn, policy: &Policy) -> ServiceProposal {
    let decided = policy.entry_for(&id);
    let (decision, from, why) = match decided {
        Some((by, entry)) => (entry.decision, entry.from.clone(), why_decided(&id, by, entry, true)),
        None => (Decision::Open, Vec::new(), why_way_in(way_in)),
    };
    ServiceProposal {
        name,
        advice: Advice::Open,
        decision,
        from,
        why,
        what: None,
        is_known: false,
        carries_you: true,
        is_decided: decided.is_some(),
        id,
    }
}

/// What the catalogue advises, and why.
fn advised(service: &Service, known: &Match<'_>, found: &Found<'_>) -> (Advice, String) {
    let entry = known.entry;
    // Where it can't be told what the machine is, the more careful advice is taken, and said whose it is.
    let careful = || {
        let both = [("On a desktop: ", &entry.desktop), ("On a server: ", &entry.server)];
        let given = both.into_iter().filter_map(|(on, it)| Some((on, it.as_ref()?)));
        given.min_by_key(|(_, recommended)| recommended.decision.decision())
    };
    let known_here = entry.recommended(found.is_desktop).map(|recommended| ("", recommended));
    let Some((on, recommended)) = known_here.or_else(careful) else {
        return (Advice::Confine, why_unknown(service));
    };
    let id = &service.id;
    let why = match known.is_certain() {
        true => format!("{on}{}", recommended.why),
        false => format!("By its port it is {}. {on}{}", known.name(), recommended.why),
    };
    match recommended.decision {
        // Any program can give itself a name.
        Advice::Open if is_name_alone(service, known) => (
            Advice::Confine,
            format!(
                "It calls itself {}, at a port that is not usual for that, and a user runs it. Open it only if you know \
                 that it is yours.",
                printable(&entry.name)
            ),
        ),
        Advice::Disable => (
            Advice::Disable,
            format!("{why} Best not run at all (sudo fwtui disable {id}); until then this machine only."),
        ),
        advice @ (Advice::Confine | Advice::Trusted | Advice::Open) => (advice, why),
    }
}

/// Whether nothing but the name that a user's program has speaks for what it is.
fn is_name_alone(service: &Service, known: &Match<'_>) -> bool {
    let is_users = service.listeners.iter().any(|listener| PEOPLE.contains(&listener.uid));
    is_users && service.published.is_none() && !is_usual(known, &service.id)
}

fn why_unknown(service: &Service) -> String {
    const UNTIL: &str = "until you know who needs it, this machine only";
    if let Some(published) = &service.published {
        let container = match &published.container {
            Some(container) => format!("the container {}", printable(container)),
            None => published.to.to_string(),
        };
        return format!("Packets for it go to {container}, and fwtui does not know what is there; {UNTIL}.");
    }
    let Some(owner) = service.owners.first() else {
        return format!("fwtui can't tell what listens here; {UNTIL}.");
    };
    let program = owner.exe.as_deref().unwrap_or(&owner.name);
    let program = printable_within(program, LONGEST_PATH);
    let user = owner
        .user
        .as_deref()
        .map(|user| format!(", run by {}", printable(user)));
    let user = user.unwrap_or_default();
    format!("fwtui does not know this program ({program}{user}); {UNTIL}.")
}

/// Why a way in stays open.
fn why_way_in(way_in: &WayIn) -> String {
    let what = match &way_in.carrier {
        Carrier::Ssh => "Your own SSH connection".to_owned(),
        Carrier::Mosh => "Your own mosh session".to_owned(),
        Carrier::Tunnel(interface) => format!("The tunnel {} that carries your session", printable(interface)),
        Carrier::Other(program) => format!("Your own connection to {}", printable(program)),
    };
    let from = way_in.peer.map(|peer| format!(" from {peer}")).unwrap_or_default();
    let more = match way_in.carrier {
        Carrier::Mosh => " New sessions take other ports of 60000-61000/udp.",
        Carrier::Ssh | Carrier::Tunnel(_) | Carrier::Other(_) => "",
    };
    format!("{what}{from} comes in here: it stays open, to everyone, because your address may change.{more}")
}

fn why_decided(id: &ServiceId, by: &ServiceId, entry: &Entry, carries_you: bool) -> String {
    let whole = if id == by { String::new() } else { format!(" for {by}") };
    let sources: Vec<String> = entry.from.iter().map(ToString::to_string).collect();
    let only = match sources.is_empty() {
        true => String::new(),
        false => format!(": only {}", sources.join(", ")),
    };
    let you = if carries_you {
        " Your own connection comes in here."
    } else {
        ""
    };
    format!("You decided so{whole}{only}.{you}")
}

/// The policy that all proposals together make, and those left out of it: they contradict others.
fn policy_of(policy: &Policy, proposals: &[ServiceProposal]) -> (Policy, BTreeMap<ServiceId, String>) {
    let mut policy = policy.clone();
    let entry = |one: &ServiceProposal| Entry {
        decision: one.decision,
        from: one.from.clone(),
    };
    let entries = proposals.iter().map(|one| (&one.id, entry(one)));
    let left_out = decide_all(&mut policy, entries.collect());
    (policy, left_out)
}

/// Where what was decided would shut the user out, opening it is proposed.
fn keep_ways_in(found: &Found<'_>, proposals: &mut Vec<ServiceProposal>) {
    if found.ways_in.is_empty() {
        return;
    }
    let (policy, _) = policy_of(found.policy, proposals);
    let rules = compile(&policy, found.interfaces);
    for way_in in found.ways_in.iter().filter(|way_in| !way_in.is_let_in(&rules)) {
        let Some(id) = way_in.service_under(&policy) else {
            continue;
        };
        let was = policy
            .entry_for(&id)
            .map(|(_, entry)| entry.clone())
            .unwrap_or_default();
        // What refuses it then is a block, which stays until it is taken back.
        if was.decision == Decision::Open && was.from.is_empty() {
            continue;
        }
        let was = match was.from.is_empty() {
            true => was.decision.word().to_owned(),
            false => format!("{} to some only", was.decision),
        };
        let why = format!("You decided '{was}', which would shut you out. {}", why_way_in(way_in));
        if !proposals.iter().any(|one| one.id == id) {
            proposals.insert(0, unnamed(id.clone(), String::new(), way_in, found.policy));
        }
        for one in proposals.iter_mut().filter(|one| one.id == id) {
            (one.advice, one.decision) = (Advice::Open, Decision::Open);
            (one.is_decided, one.carries_you) = (false, true);
            one.from.clear();
            one.why.clone_from(&why);
        }
    }
}

/// Where a decision would contradict another one, none is proposed.
fn leave_contradictions(policy: &Policy, proposals: &mut [ServiceProposal]) {
    let (_, left_out) = policy_of(policy, proposals);
    for one in proposals.iter_mut().filter(|one| left_out.contains_key(&one.id)) {
        one.decision = Decision::Undecided;
        OVERLAPS.clone_into(&mut one.why);
    }
}
