//! Arithmetic of bits around a field: `mark & 0xff ^ 0x1`, as one formula.

use serde_json::Value;

use super::operands::only;
use super::words::{Kind, constant};

/// `((field & mask) << shift) ^ flip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Formula {
    pub(super) mask: u128,
    /// To the left; to the right where it is negative.
    shift: i32,
    pub(super) flip: u128,
}

impl Formula {
    /// The field itself.
    const fn plain(kind: Kind) -> Self {
        Self {
            mask: kind.most(),
            shift: 0,
            flip: 0,
        }
    }

    /// Whether the field is left as it is.
    pub(super) fn is_plain(self, kind: Kind) -> bool {
        self == Self::plain(kind)
    }

    /// Whether bits stay in their places.
    pub(super) const fn stays(self) -> bool {
        self.shift == 0
    }

    /// Which value the masked field has where the whole is `value`; none where it never is.
    pub(super) const fn undone(self, value: u128) -> Option<u128> {
        let moved = value ^ self.flip;
        let back = unshifted(moved, self.shift);
        match shifted(back, self.shift) == moved && back & !self.mask == 0 {
            true => Some(back),
            false => None,
        }
    }

    /// The formula with one more operator behind it.
    fn then(self, operator: &str, constant: u128, kind: Kind) -> Option<Self> {
        let most = kind.most();
        let constant = constant & most;
        Some(match operator {
            "&" => Self {
                mask: self.mask & unshifted(constant, self.shift),
                flip: self.flip & constant,
                ..self
            },
            "|" => Self {
                mask: self.mask & !unshifted(constant, self.shift),
                flip: self.flip | constant,
                ..self
            },
            "^" => Self {
                flip: self.flip ^ constant,
                ..self
            },
            "<<" if self.shift >= 0 && constant < 128 => {
                let by = i32::try_from(constant).ok()?;
                let shift = self.shift.checked_add(by).filter(|shift| *shift < 128)?;
                Self {
                    mask: self.mask & unshifted(most, shift),
                    shift,
                    flip: shifted(self.flip, by) & most,
                }
            }
            ">>" if self.shift <= 0 && constant < 128 => {
                let by = i32::try_from(constant).ok()?;
                let shift = self.shift.checked_sub(by).filter(|shift| *shift > -128)?;
                Self {
                    mask: self.mask & unshifted(u128::MAX, shift),
                    shift,
                    flip: unshifted(self.flip, by),
                }
            }
            _ => return None,
        })
    }
}

/// Moved to the left, or to the right where negative.
const fn shifted(value: u128, by: i32) -> u128 {
    match by >= 0 {
        true => value << by,
        false => value >> -by,
    }
}

/// Moved back.
const fn unshifted(value: u128, by: i32) -> u128 {
    shifted(value, -by)
}

/// Takes operators with constants off an expression: what is left, and what they do to it. None
/// where something else than a constant stands on the right.
pub(super) fn formula(expression: &Value, kind: Kind) -> Option<(&Value, Formula)> {
    let Some((operator @ ("&" | "|" | "^" | "<<" | ">>"), arguments)) = only(expression) else {
        return Some((expression, Formula::plain(kind)));
    };
    let (left, right) = arguments.as_array()?.split_first()?;
    let (inner, mut whole) = formula(left, kind)?;
    for argument in right {
        let number = match operator {
            "<<" | ">>" => constant(argument, Kind::Number)?,
            _ => constant(argument, kind)?,
        };
        whole = whole.then(operator, number, kind)?;
    }
    Some((inner, whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_formula_is_what_its_operators_do(
            steps in prop::collection::vec((prop::sample::select(vec!["&", "|", "^", "<<", ">>"]), any::<u32>()), 0..6),
            mark in any::<u32>(),
            other in any::<u32>(),
        ) {
            let mut expression = serde_json::json!({"meta": {"key": "mark"}});
            let mut value = mark;
            for (operator, number) in &steps {
                let number = if operator.len() == 2 { number % 32 } else { *number };
                value = match *operator {
                    "&" => value & number,
                    "|" => value | number,
                    "^" => value ^ number,
                    "<<" => value << number,
                    _ => value >> number,
                };
                let mut object = serde_json::Map::new();
                object.insert((*operator).to_owned(), serde_json::json!([expression, number]));
                expression = Value::Object(object);
            }
            let Some((_, formula)) = formula(&expression, Kind::Mark) else {
                return Ok(());
            };
            let masked = u128::from(mark) & formula.mask;
            prop_assert_eq!(shifted(masked, formula.shift) ^ formula.flip, u128::from(value));
            prop_assert_eq!(formula.undone(u128::from(value)), Some(masked));
            if other != value {
                prop_assert_ne!(formula.undone(u128::from(other)), Some(masked));
            }
        }
    }
}
