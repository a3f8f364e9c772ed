//! Whether what one rule asks follows from what another asks.

use crate::core::netfilter::{Condition, Elements, Field, Part, Pattern, Rule, Statement};

/// TCP's number.
const TCP: u8 = 6;

/// Whether every packet of which these conditions are true is as the rule asks.
pub(super) fn all(rule: &Rule, asked: &[&Condition]) -> bool {
    rule.statements.iter().all(|statement| match statement {
        Statement::If(wanted) => asked.iter().any(|condition| follows(condition, wanted, asked)),
        _ => true,
    })
}

/// Whether one condition follows from another, of a rule that asks all of these.
fn follows(from: &Condition, wanted: &Condition, asked: &[&Condition]) -> bool {
    if let (
        Condition::Is {
            field: known,
            mask: mask_known,
            values,
            is_negated,
        },
        Condition::Is {
            field,
            mask,
            values: wanted,
            is_negated: is_wanted_negated,
        },
    ) = (from, wanted)
    {
        if *field == Field::Protocol && mask.is_none() && known != field {
            // A port of TCP is in a packet of TCP only.
            return protocol_of(known)
                .is_some_and(|number| holds(&[Part::number(number.into())], wanted) != *is_wanted_negated);
        }
        return is_same(known, field, asked)
            && match (mask_known, mask) {
                (None, None) => ranges(values, *is_negated, wanted, *is_wanted_negated),
                (Some(known), Some(mask)) => bits((*known, values, *is_negated), (*mask, wanted, *is_wanted_negated)),
                _ => false,
            };
    }
    from == wanted
        && matches!(
            wanted,
            Condition::In {
                elements: Elements::Inline(_),
                ..
            }
        )
}

/// The protocol that a packet with a field has.
const fn protocol_of(field: &Field) -> Option<u8> {
    match field {
        Field::Port(protocol, _) => *protocol,
        Field::TcpFlags => Some(TCP),
        _ => None,
    }
}

/// Whether two fields are the same in a packet that has the first.
fn is_same(known: &Field, field: &Field, asked: &[&Condition]) -> bool {
    match (known, field) {
        (Field::Port(Some(_), end), Field::Port(None, wanted)) => end == wanted,
        (Field::Port(None, end), Field::Port(Some(number), wanted)) => {
            let protocol = Condition::is(Field::Protocol, (*number).into());
            end == wanted && asked.iter().any(|condition| **condition == protocol)
        }
        (known, field) => known == field,
    }
}

fn ranges(known: &[Part], is_negated: bool, wanted: &[Part], is_wanted_negated: bool) -> bool {
    match (is_negated, is_wanted_negated) {
        (false, false) => holds(known, wanted),
        (true, true) => holds(wanted, known),
        (false, true) => known
            .iter()
            .all(|part| wanted.iter().all(|other| are_apart(part, other))),
        (true, false) => false,
    }
}

/// Whether each of the parts is in one of the others.
fn holds(parts: &[Part], others: &[Part]) -> bool {
    parts
        .iter()
        .all(|part| others.iter().any(|other| is_within(part, other)))
}

fn is_within(part: &Part, other: &Part) -> bool {
    match (part, other) {
        (Part::Range(first, last), Part::Range(from, to)) => from <= first && last <= to,
        (Part::Name(name), Part::Name(other)) => match (name.is_prefix, other.is_prefix) {
            (_, true) => name.stem.starts_with(&other.stem),
            (false, false) => name.stem == other.stem,
            (true, false) => false,
        },
        _ => false,
    }
}

fn are_apart(part: &Part, other: &Part) -> bool {
    let begins = |with: &Pattern, name: &Pattern| with.is_prefix && name.stem.starts_with(&with.stem);
    match (part, other) {
        (Part::Range(first, last), Part::Range(from, to)) => last < from || to < first,
        (Part::Name(name), Part::Name(other)) => {
            name.stem != other.stem && !begins(name, other) && !begins(other, name)
        }
        _ => false,
    }
}

/// The bits that count, their values, whether it is the opposite.
type Bits<'a> = (u128, &'a [Part], bool);

fn bits(known: Bits<'_>, wanted: Bits<'_>) -> bool {
    if known == wanted {
        return true;
    }
    let single = |parts: &[Part]| match parts {
        [Part::Range(first, last)] if first == last => Some(*first),
        _ => None,
    };
    let (Some(value), Some(other)) = (single(known.1), single(wanted.1)) else {
        return false;
    };
    let (mask, other_mask) = (known.0, wanted.0);
    match (known.2, wanted.2) {
        // Some bit of these is set, so some bit of more.
        (true, true) => value == 0 && other == 0 && mask & !other_mask == 0,
        (false, is_negated) => other_mask & !mask == 0 && (value & other_mask == other) != is_negated,
        (true, false) => false,
    }
}
