//! The model's word against the kernel's.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use fwtui::core::listener::Protocol;
use fwtui::core::netfilter::{Direction, Netfilter, Statement, To};
use fwtui::core::network::World;
use fwtui::core::reach::{Decider, Ends, Fate, Probe as Packet, Rules, State, Transport, Walk};

use crate::case::{Case, Spot, read};
use crate::dice::Dice;
use crate::lab::{Lab, Probe};
use crate::packets::Outcome;
use crate::places::{ELSEWHERE, MACHINE, PLACES};

/// What was counted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub rulesets: usize,
    pub cases: usize,
    pub arrived: usize,
    pub refused: usize,
    pub dropped: usize,
    pub unknown: usize,
    /// Of these, where that is as it should be.
    pub expected_unknown: usize,
    pub disagreements: usize,
    /// Why the last was unknown.
    pub because: String,
}

/// So long a ruleset is made smaller.
const SHRINKING: Duration = Duration::from_secs(12);

/// Ports that rules speak of, and some nobody does.
pub const PORTS: [u16; 8] = [22, 53, 80, 443, 8080, 9000, 9001, 33_333];

/// The packets of a ruleset: from everywhere to everything, at some of the ports each.
pub fn probes(dice: &mut Dice, ports: &[u16], thin: usize) -> Vec<Probe> {
    let mut probes = Vec::new();
    for (place, from) in PLACES.iter().enumerate() {
        for source in from.addresses {
            for (target, to) in PLACES.iter().enumerate() {
                for destination in to.addresses {
                    if !makes_sense(place, source, target, destination) || !dice.once_in(thin) {
                        continue;
                    }
                    let protocol = dice.one(&[Protocol::Tcp, Protocol::Tcp, Protocol::Udp]);
                    probes.push(Probe {
                        place,
                        source: source.parse().unwrap(),
                        to: SocketAddr::new(destination.parse().unwrap(), dice.one(ports)),
                        protocol,
                    });
                }
            }
        }
    }
    probes
}

/// Whether the machine gets to see it at all, and who sends it would.
fn makes_sense(place: usize, source: &str, target: usize, destination: &str) -> bool {
    let is_loopback = |address: &str| address == "127.0.0.1" || address == "::1";
    let is_v6 = |address: &str| address.contains(':');
    let container = 4;
    if is_v6(source) != is_v6(destination) || ELSEWHERE.contains(&destination) {
        return false;
    }
    match (place, target) {
        (MACHINE, MACHINE) => is_loopback(source) == is_loopback(destination),
        // Published on loopback: the sender must have sent it to the machine's link.
        (1, MACHINE) if destination == "127.0.0.1" => true,
        (MACHINE, _) => false,
        // The container itself is sent to; its own packets to itself would not come back.
        (4, _) => false,
        (from, to) if from == to => false,
        (2, 3) | (3, 2) => false,
        (5, 4) => false,
        (_, to) if to == 5 || (to != MACHINE && to != container && from_container(place)) => !is_loopback(destination),
        _ => !is_loopback(destination),
    }
}

const fn from_container(place: usize) -> bool {
    place >= 4
}

/// The packet as the model knows it.
fn packet(probe: &Probe, port: u16) -> Packet<'static> {
    Packet {
        interface: PLACES[probe.place].interface,
        is_sent: false,
        ends: Ends {
            source: probe.source,
            destination: probe.to.ip(),
            source_port: port,
            destination_port: probe.to.port(),
        },
        transport: Transport::Ports(probe.protocol),
        state: State::New,
        direction: Direction::Original,
    }
}

/// Whether the two agree. A refusal of the machine's own to itself has to pass the same rules, and may
/// not come back; one to a sender who uses another's address goes to the
/// other, and a loopback address refuses nobody outside.
fn agree(probe: &Probe, walk: &Walk<'_>, outcome: Outcome, has_unknown: bool) -> bool {
    match (walk.fate, outcome) {
        (Fate::Accepted, Outcome::Arrived { place, address, port }) => {
            // Of ways that all lead in, one is told.
            has_unknown
                || (place == MACHINE) == walk.is_local
                    && address.is_none_or(|address| address == walk.ends.destination)
                    && port == walk.ends.destination_port
        }
        (Fate::Refused, Outcome::Silence) => {
            probe.place == MACHINE || is_elsewhere(probe.source) || probe.to.ip().is_loopback()
        }
        (Fate::Refused, Outcome::Refused) | (Fate::Dropped, Outcome::Silence) => true,
        (Fate::Unknown { may_arrive: false }, Outcome::Arrived { .. }) => false,
        (Fate::Unknown { .. }, _) => true,
        _ => false,
    }
}

fn is_elsewhere(source: IpAddr) -> bool {
    ELSEWHERE.contains(&source.to_string().as_str())
}

/// Plays the probes; gives those on which the two differ twice.
pub fn play(
    lab: &mut Lab,
    netfilter: &Netfilter,
    world: &World,
    probes: &[Probe],
    tally: &mut Tally,
    has_unknown: bool,
) -> Vec<Probe> {
    let rules = Rules::new(netfilter, world);
    let mut doubted = Vec::new();
    for (probe, (port, outcome)) in probes.iter().zip(lab.send(probes, 1)) {
        let walk = rules.walk(&packet(probe, port), false);
        tally.cases += 1;
        match walk.fate {
            Fate::Accepted => tally.arrived += 1,
            Fate::Refused => tally.refused += 1,
            Fate::Dropped => tally.dropped += 1,
            Fate::Unknown { may_arrive } => {
                tally.unknown += 1;
                // What its own source becomes on the way to itself is not known.
                // Nor is which of two engines comes first, where one drops and the other refuses, or both mark.
                let is_about_order = is_translation(&walk) || is_order(&walk);
                let is_expected = has_unknown || probe.place == MACHINE || !may_arrive || is_about_order;
                tally.expected_unknown += usize::from(is_expected);
                tally.because = decider(&walk);
            }
        }
        if !agree(probe, &walk, outcome, has_unknown) {
            doubted.push(*probe);
        }
    }
    if doubted.is_empty() {
        return doubted;
    }
    let again = lab.send(&doubted, 3);
    doubted
        .into_iter()
        .zip(again)
        .filter(|(probe, (port, outcome))| {
            !agree(probe, &rules.walk(&packet(probe, *port), false), *outcome, has_unknown)
        })
        .map(|(probe, _)| probe)
        .collect()
}

/// Loads a ruleset and plays; gives the packets on which they differ.
pub fn differs(lab: &mut Lab, case: &Case, probes: &[Probe], tally: &mut Tally) -> Result<Vec<Probe>, String> {
    case.load()?;
    lab.forget();
    let (netfilter, notes) = read();
    if !notes.is_empty() {
        return Err(notes.join("\n"));
    }
    Ok(play(lab, &netfilter, &lab.world(), probes, tally, case.has_unknown))
}

/// Leaves out rule by rule while the probe still differs, and says what is left.
pub fn shrunk(lab: &mut Lab, mut case: Case, probe: Probe) -> String {
    let mut still = |case: &Case| {
        let found = differs(lab, case, &[probe], &mut Tally::default());
        found.is_ok_and(|found| !found.is_empty())
    };
    if case.own.is_some() {
        let mut without = case.clone();
        without.own = None;
        if still(&without) {
            case = without;
        }
    }
    let deadline = Instant::now() + SHRINKING;
    eprintln!("shrinking seed {}: {probe:?}, {} lines", case.seed, case.lines.len());
    for spot in case.saved.keys().cloned().collect::<Vec<_>>() {
        let mut without = case.clone();
        without.saved.remove(&spot);
        without.lines.retain(|line| line.spot != spot);
        if still(&without) {
            case = without;
        }
    }
    let mut natives: Vec<usize> = (0..case.native.len()).collect();
    natives.reverse();
    for number in natives {
        let mut without = case.clone();
        without.lines.retain(|line| line.spot != Spot::Native(number));
        if still(&without) {
            case = without;
        }
    }
    let mut step = (case.lines.len() / 2).max(1);
    loop {
        let mut at = 0;
        while at < case.lines.len() && Instant::now() < deadline {
            let mut without = case.clone();
            without.lines.drain(at..(at + step).min(case.lines.len()));
            match still(&without) {
                true => case = without,
                false => at += step,
            }
        }
        if step == 1 {
            break;
        }
        step /= 2;
    }
    told(lab, &case, probe)
}

/// What both say of one packet, in words.
pub fn told(lab: &mut Lab, case: &Case, probe: Probe) -> String {
    if let Err(error) = case.load() {
        return error;
    }
    format!("seed {}\n{case}{}", case.seed, told_of(lab, probe))
}

/// What both say of one packet under the rules that are loaded.
pub fn told_of(lab: &mut Lab, probe: Probe) -> String {
    lab.forget();
    let (netfilter, _) = read();
    let world = lab.world();
    let rules = Rules::new(&netfilter, &world);
    let (port, outcome) = lab.send(&[probe], 8)[0];
    let walk = rules.walk(&packet(&probe, port), true);
    let mut words = format!(
        "{} {} from {}:{port} ({}) to {}\nkernel: {outcome:?}\nmodel: {:?}, local {}, to {}:{}\n",
        probe.protocol,
        PLACES[probe.place].interface,
        probe.source,
        PLACES[probe.place].name,
        probe.to,
        walk.fate,
        walk.is_local,
        walk.ends.destination,
        walk.ends.destination_port,
    );
    for event in &walk.events {
        let place = event.place.map(|place| {
            let rule = place.rule.map_or("policy", |rule| rule.text.as_str());
            format!(
                "{} {} {}: {rule}",
                place.table.family.word(),
                place.table.name,
                place.chain.name
            )
        });
        words.push_str(&format!(
            "  {} {}: {}\n",
            event.hook,
            place.unwrap_or_default(),
            event.effect
        ));
    }
    words.push_str(&format!("  decided by {}\n", decider(&walk)));
    words
}

/// Whether it is a translation that decided: of two engines' the first counts, and that can't be told.
fn is_translation(walk: &Walk<'_>) -> bool {
    match walk.decided_by {
        Decider::Rule(place) => place.rule.is_some_and(|rule| {
            let is_known =
                |statement: &Statement| matches!(statement, Statement::Nat(nat) if matches!(nat.to, To::Fixed { .. }));
            rule.statements.iter().any(is_known)
        }),
        Decider::Kernel(_) => false,
    }
}

/// Whether it is a base chain as a whole: of those at one priority the order can't be told.
const fn is_order(walk: &Walk<'_>) -> bool {
    matches!(walk.decided_by, Decider::Rule(place) if place.rule.is_none())
}

pub fn decider(walk: &Walk<'_>) -> String {
    match walk.decided_by {
        Decider::Kernel(kernel) => format!("{kernel:?}"),
        Decider::Rule(place) => {
            let rule = place.rule.map_or("policy", |rule| rule.text.as_str());
            format!("{} {}: {rule}", place.table.name, place.chain.name)
        }
    }
}
