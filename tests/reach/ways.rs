//! ICMP, errors about connections, answers, and what the machine sends: the model against the kernel.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fwtui::core::listener::{Family, Protocol};
use fwtui::core::netfilter::Netfilter;
use fwtui::core::network::World;
use fwtui::core::reach::{Fate, Probe as Packet, Rules, State};
use fwtui::sys::netns;

use crate::case::{clear, load_saved, read};
use crate::compare::decider;
use crate::dice::Dice;
use crate::lab::{Lab, in_lab, run};
use crate::packets::Heard;

use rules::{native, saved};
use voices::Voices;

mod rules;
mod voices;

/// The machine and one peer on its public link, by family.
const ENDS: [(Family, &str, &str); 2] = [
    (Family::Ipv4, "203.0.113.10", "203.0.113.1"),
    (Family::Ipv6, "2001:db8:1::10", "2001:db8:1::1"),
];
const PEER: usize = 1;
/// So long nothing more must be heard.
const QUIET: Duration = Duration::from_millis(20);
const RULESETS: u64 = 40;

/// What conntrack makes of a message nobody asked for (`icmp_new`, `icmpv6_new` in `net/netfilter`).
const fn state_of(family: Family, kind: u8) -> State {
    match (family, kind) {
        (Family::Ipv4, 8 | 13) | (Family::Ipv6, 128) => State::New,
        (Family::Ipv6, 130..=136 | 143) => State::Untracked,
        _ => State::Invalid,
    }
}

/// Neighbours that nobody has to find: rules may refuse it.
fn settle() {
    let link = |name: &str| {
        let show = || run(&["ip", "-o", "link", "show", "eth0"], "").unwrap();
        let text = if name.is_empty() {
            show()
        } else {
            netns::enter(name, show).unwrap()
        };
        let mut words = text.split_whitespace().skip_while(|word| *word != "link/ether");
        words.nth(1).unwrap().to_owned()
    };
    let (machine, peer) = (link(""), link("public"));
    for (_, own, of_peer) in ENDS {
        let set = |address: &str, link: &str| {
            run(
                &[
                    "ip",
                    "neigh",
                    "replace",
                    address,
                    "lladdr",
                    link,
                    "dev",
                    "eth0",
                    "nud",
                    "permanent",
                ],
                "",
            )
            .unwrap();
        };
        set(of_peer, &peer);
        netns::enter("public", || set(own, &machine)).unwrap();
    }
}

/// One round of a family; says on what the two differ.
fn play(
    lab: &mut Lab,
    voices: &Voices,
    kernel: &Netfilter,
    world: &World,
    first: u16,
    counts: &mut [usize; 3],
) -> Vec<String> {
    let rules = Rules::new(kernel, world);
    let mut against = Vec::new();
    let mut expect = |what: String, packet: &Packet<'static>, has_arrived: bool| {
        let walk = rules.walk(packet, false);
        let is_so = match walk.fate {
            Fate::Accepted => has_arrived,
            Fate::Refused | Fate::Dropped | Fate::Unknown { may_arrive: false } => !has_arrived,
            Fate::Unknown { may_arrive: true } => true,
        };
        counts[match walk.fate {
            Fate::Accepted => 0,
            Fate::Refused | Fate::Dropped => 1,
            Fate::Unknown { .. } => 2,
        }] += 1;
        if !is_so {
            against.push(format!(
                "{what}: the kernel {has_arrived}, the model {:?} by {}",
                walk.fate,
                decider(&walk)
            ));
        }
    };
    // What nobody asked for.
    let kinds: &[(u8, u8)] = match voices.family {
        Family::Ipv4 => &[(8, 0), (0, 0), (13, 0), (3, 1), (3, 4)],
        Family::Ipv6 => &[
            (128, 0),
            (129, 0),
            (130, 0),
            (134, 0),
            (135, 0),
            (136, 0),
            (1, 4),
            (2, 0),
        ],
    };
    for (number, (kind, code)) in (first..).zip(kinds) {
        voices.say(*kind, *code, number, &[]);
    }
    let heard = listen(voices);
    for (number, (kind, code)) in (first..).zip(kinds) {
        let mut packet = Packet::icmp("eth0", voices.peer, voices.own, *kind, *code);
        packet.state = state_of(voices.family, *kind);
        // Of "too big" the number is its size.
        let has_arrived = heard
            .iter()
            .any(|one| (one.0, one.1) == (*kind, *code) && (one.2 == number || *kind == 2));
        expect(format!("unasked {kind}/{code}"), &packet, has_arrived);
    }
    // What the machine asks by UDP, the answer, and an error about it.
    let port = first;
    let (own, peer) = (SocketAddr::new(voices.own, port), SocketAddr::new(voices.peer, 9));
    lab.ears[0].say(own, peer, Protocol::Udp);
    let has_arrived = hears(lab, PEER, port);
    let mut asked = Packet::opening("eth0", voices.own, voices.peer, Protocol::Udp, 9).sent();
    asked.ends.source_port = port;
    expect("asked".to_owned(), &asked, has_arrived);
    if !has_arrived {
        return against;
    }
    // That nobody listens there is an error by itself: heard, and not counted.
    listen(voices);
    let errors: &[(u8, u8)] = if voices.family == Family::Ipv4 {
        &[(3, 4), (3, 1), (11, 0)]
    } else {
        &[(2, 0), (1, 3), (3, 0)]
    };
    for (kind, code) in errors {
        voices.say(*kind, *code, 0, &voices.sent(port));
        let heard = listen(voices);
        let has_arrived = heard.contains(&(*kind, *code, port));
        let packet = Packet::icmp("eth0", voices.peer, voices.own, *kind, *code).about_a_connection();
        expect(format!("error {kind}/{code}"), &packet, has_arrived);
    }
    lab.ears[PEER].say(peer, own, Protocol::Udp);
    let has_arrived = hears(lab, 0, 9);
    expect("answered".to_owned(), &asked.answered(), has_arrived);
    against
}

/// Everything the machine's socket for ICMP hears until it is quiet.
fn listen(voices: &Voices) -> Vec<(u8, u8, u16)> {
    let mut all = Vec::new();
    let mut until = Instant::now() + QUIET;
    while Instant::now() < until {
        let more = voices.heard();
        if !more.is_empty() {
            until = Instant::now() + QUIET;
        }
        all.extend(more);
        std::thread::sleep(Duration::from_millis(1));
    }
    all
}

/// Whether a place hears a packet of UDP from this port.
fn hears(lab: &Lab, place: usize, from: u16) -> bool {
    let until = Instant::now() + QUIET;
    let mut found = false;
    while Instant::now() < until && !found {
        lab.ears[place].listen(|protocol, port, what| {
            found |= protocol == Protocol::Udp && port == from && matches!(what, Heard::Packet { .. });
        });
        std::thread::sleep(Duration::from_millis(1));
    }
    found
}

#[test]
fn icmp_answers_and_what_the_machine_sends() {
    in_lab(|lab| {
        clear();
        settle();
        let world = lab.world();
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() * 1_000;
        let only = std::env::var("FWTUI_SEED")
            .ok()
            .map(|text| text.replace('_', "").parse().unwrap());
        let seeds: Vec<u64> = match only {
            Some(seed) => vec![seed],
            None => (0..RULESETS / 2).chain(clock..clock + RULESETS / 2).collect(),
        };
        let voices = ENDS.map(|(family, own, peer)| Voices::open(family, own, peer));
        let mut counts = [0; 3];
        let mut against = BTreeSet::new();
        for seed in seeds {
            let mut dice = Dice::new(seed);
            let is_legacy = dice.once_in(4);
            let texts = Family::ALL.map(|family| saved(&mut dice, family));
            let of_nft = if dice.once_in(2) {
                native(&mut dice)
            } else {
                String::new()
            };
            clear();
            for (family, text) in Family::ALL.into_iter().zip(&texts) {
                load_saved(is_legacy, family, text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
            }
            run(&["nft", "-f", "-"], &of_nft).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{of_nft}"));
            lab.forget();
            let (kernel, notes) = read();
            assert!(notes.is_empty(), "{notes:?}");
            for voices in &voices {
                let first = 30_000 + (seed % 2_000) as u16 * 10;
                let mut found = play(lab, voices, &kernel, &world, first, &mut counts);
                if !found.is_empty() {
                    // A link may be slow once.
                    lab.forget();
                    let again = play(lab, voices, &kernel, &world, first, &mut counts);
                    found.retain(|words| again.contains(words));
                }
                let text = &texts[voices.family as usize];
                against.extend(
                    found
                        .into_iter()
                        .map(|words| format!("seed {seed}: {words}\n{text}{of_nft}")),
                );
            }
        }
        let [accepted, refused, unknown] = counts;
        eprintln!(
            "ways: {accepted} accepted, {refused} refused, {unknown} unknown, {} disagreements",
            against.len()
        );
        for words in against.iter().take(4) {
            eprintln!("{words}");
        }
        assert!(against.is_empty(), "see above");
        assert!(accepted > 100 && refused > 100, "too few of a kind");
        assert!(unknown * 10 < accepted, "{unknown} unknown");
    });
}
