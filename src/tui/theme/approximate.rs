//! A theme in the 256 colours of xterm.
//!
//! The nearest colour alone won't do: there are few dark ones, and a text may lose what sets it off
//! against its background. So of the colours that keep the contrast the nearest is taken.

use std::collections::BTreeMap;

use super::rgb::{Rgb, contrast, difference, lab, linear};
use super::{Theme, Token};

/// What a text must have of its contrast, as far as the theme has it: WCAG's AA, or AAA where all of the theme has that.
const ENOUGH: f64 = 4.5;
const ENHANCED: f64 = 7.0;
/// What a coloured bar must have against the background (WCAG 1.4.11).
const VISIBLE: f64 = 3.0;

/// One of the 256.
struct Candidate {
    index: u8,
    rgb: Rgb,
    lab: [f64; 3],
}

/// A colour that another one is drawn on or beside, and the least contrast to it.
type Demand = (Rgb, f64);

/// The index of every token that has a colour.
pub(super) fn indices(theme: &Theme) -> BTreeMap<Token, u8> {
    let candidates: Vec<Candidate> = candidates().collect();
    let enough = match theme.least_contrast() {
        Some(least) if least >= ENHANCED => ENHANCED,
        _ => ENOUGH,
    };
    let mut found: BTreeMap<Token, &Candidate> = BTreeMap::new();
    // To the true colour of the other where that has no approximation yet.
    let demand = |found: &BTreeMap<Token, &Candidate>, token, other, most: f64, share: f64| {
        let rgb = found.get(&other).map_or(theme.rgb(other)?, |candidate| candidate.rgb);
        Some((rgb, most.min(theme.contrast(token, other)? * share)))
    };
    let mut take = |token: Token, wanted: &[(Token, f64, f64)]| {
        let demands: Vec<Demand> = wanted
            .iter()
            .filter_map(|(other, most, share)| demand(&found, token, *other, *most, *share))
            .collect();
        let nearest = theme.rgb(token).and_then(|rgb| nearest(&candidates, rgb, &demands));
        nearest.map(|candidate| found.insert(token, candidate));
    };
    take(Token::Background, &[]);
    for (text, background) in Token::PAIRS.into_iter().skip(1) {
        take(background, &[(text, enough, 1.0), (Token::Background, VISIBLE, 0.9)]);
        take(text, &[(background, enough, 1.0)]);
    }
    let drawn = |token: &Token| {
        Token::PAIRS
            .iter()
            .skip(1)
            .all(|(text, background)| token != text && token != background)
    };
    for token in Token::ALL.into_iter().skip(1).filter(drawn) {
        take(
            token,
            &[
                (Token::Background, enough, 1.0),
                (Token::SelectionBackground, enough, 1.0),
            ],
        );
    }
    found
        .into_iter()
        .map(|(token, candidate)| (token, candidate.index))
        .collect()
}

/// The nearest that meets the demands; the nearest of all where none does.
fn nearest<'a>(candidates: &'a [Candidate], rgb: Rgb, demands: &[Demand]) -> Option<&'a Candidate> {
    let wanted = lab(rgb.map(linear));
    let meets = |candidate: &&Candidate| {
        demands
            .iter()
            .all(|(other, least)| contrast(candidate.rgb, *other) >= *least)
    };
    let far =
        |one: &&Candidate, other: &&Candidate| difference(one.lab, wanted).total_cmp(&difference(other.lab, wanted));
    candidates
        .iter()
        .filter(meets)
        .min_by(far)
        .or_else(|| candidates.iter().min_by(far))
}

/// The grey ramp (232 to 255) and the 6x6x6 cube (16 to 231): the first sixteen are the user's to change.
fn candidates() -> impl Iterator<Item = Candidate> {
    (16..=255).map(|index| {
        let rgb = rgb_of(index);
        Candidate {
            index,
            rgb,
            lab: lab(rgb.map(linear)),
        }
    })
}

/// What xterm shows for one of these.
pub(super) fn rgb_of(index: u8) -> Rgb {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    if let 232.. = index {
        return [8 + 10 * (index - 232); 3];
    }
    let index = index.saturating_sub(16);
    let step = |position: u8| STEPS.get(usize::from(position % 6)).copied().unwrap_or_default();
    [step(index / 36), step(index / 6), step(index)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_256_is_near() {
        let candidates: Vec<Candidate> = candidates().collect();
        let index = |rgb, demands: &[Demand]| nearest(&candidates, rgb, demands).unwrap().index;
        for (rgb, wanted) in [([0; 3], 16), ([255; 3], 231), ([255, 0, 0], 196), ([128; 3], 244)] {
            assert_eq!(index(rgb, &[]), wanted, "{rgb:?}");
        }
        // A grey on black that must be light enough, and one that can't be.
        assert_eq!(index([98; 3], &[([0; 3], 4.5)]), 243);
        assert_eq!(index([98; 3], &[([0; 3], 22.0)]), 241);
    }
}
