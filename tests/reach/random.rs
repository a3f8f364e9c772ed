//! Rulesets nobody thought of.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::compare::{PORTS, Tally, differs, probes, shrunk};
use crate::dice::Dice;
use crate::generate::{Kind, case};
use crate::lab::{Lab, in_lab};

/// So many disagreements are shrunk and told.
const MOST_TOLD: usize = 4;

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.replace('_', "").parse().unwrap())
}

/// Seeds of rulesets that the model once had wrong: of two engines at the same priority, one with a
/// condition that is not known; a source that is rewritten to what it was; two engines that both mark
/// packets at one priority.
const ONCE_WRONG: [u64; 3] = [1_795_404_803_003, 1_795_427_901_002, 1_795_433_533_058];

/// Plays rulesets of a kind: the same every time, and with `FWTUI_CASES` others of the clock's seeds until
/// there are enough cases.
fn play(lab: &mut Lab, kind: Kind) {
    let began = Instant::now();
    let wanted = number("FWTUI_CASES").map(|cases| cases as usize);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() * 1_000;
    let mut tally = Tally::default();
    let mut told = Vec::new();
    let same = (0..24).chain(ONCE_WRONG);
    let mut seeds: Box<dyn Iterator<Item = u64>> = match (number("FWTUI_SEED"), wanted) {
        (Some(seed), _) => Box::new(std::iter::once(seed)),
        (None, None) => Box::new(same),
        (None, Some(_)) => {
            eprintln!("{kind:?}: seeds 0.. and {clock}.. (FWTUI_SEED plays one of them again)");
            Box::new(same.chain(clock..))
        }
    };
    while wanted.is_none_or(|wanted| tally.cases < wanted)
        && let Some(seed) = seeds.next()
    {
        let mut dice = Dice::new(seed);
        let case = case(&mut dice, kind, seed).without_refused();
        let probes = probes(&mut dice, &PORTS, 1);
        let unknown = (tally.unknown, tally.expected_unknown);
        tally.rulesets += 1;
        match differs(lab, &case, &probes, &mut tally) {
            Err(error) => panic!("seed {seed}: {error}"),
            Ok(found) => {
                tally.disagreements += found.len();
                if let Some(first) = found.first()
                    && told.len() < MOST_TOLD
                {
                    let words = shrunk(lab, case.clone(), *first);
                    eprintln!("{words}");
                    told.push(words);
                }
            }
        }
        let needless = (tally.unknown - tally.expected_unknown) - (unknown.0 - unknown.1);
        if needless > 0 {
            eprintln!("seed {seed}: {needless} unknown, the last because of {}", tally.because);
        }
    }
    eprintln!("{kind:?}: {tally:?}, {} s", began.elapsed().as_secs());
    assert!(told.is_empty(), "{} disagreements, see above", tally.disagreements);
    assert_eq!(tally.unknown, tally.expected_unknown, "what is not known, and need be");
}

#[test]
fn rules_of_iptables() {
    in_lab(|lab| play(lab, Kind::Iptables));
}

#[test]
fn rules_of_legacy_iptables() {
    in_lab(|lab| play(lab, Kind::Legacy));
}

#[test]
fn rules_of_nft() {
    in_lab(|lab| play(lab, Kind::Native));
}

#[test]
fn rules_of_everybody() {
    in_lab(|lab| play(lab, Kind::Mixed));
}
