//! `match`: what a packet must be like.

use serde_json::Value;

use super::bits::{Formula, formula};
use super::operands::{Operand, key_of, kind, needs, operand, word};
use super::sets::{elements, part};
use super::text;
use super::words::{Kind, constant};
use crate::core::netfilter::{Condition, Elements, Field, Part, TableFamily, ct};

/// The conditions of a `match`.
pub(super) fn conditions(matched: &Value, family: TableFamily) -> Vec<Condition> {
    let (Some(left), Some(right)) = (matched.get("left"), matched.get("right")) else {
        return vec![Condition::Unknown(text::compact(matched))];
    };
    let operator = word(matched, "op").unwrap_or("==");
    if let Some(protocol) = version(left, operator, right) {
        return vec![Condition::is(Field::NetworkProtocol, protocol)];
    }
    let unknown = || Condition::Unknown(text::matched(matched));
    let (condition, says_its_needs) = if left.get("concat").is_some() {
        (concatenated(left, operator, right, family), false)
    } else if let Some((inner, formula)) = formula(left, kind_of(left, family)) {
        let operand = operand(inner, family);
        let says = says_its_needs(inner, &operand.field);
        (compared(operand, formula, operator, right), says)
    } else {
        (None, false)
    };
    let mut all = match says_its_needs {
        true => Vec::new(),
        false => needs(left, family),
    };
    // nft asks for the labels of a connection only; a packet without one has none, and would be as asked.
    if let Some(Condition::Is {
        field: Field::Labels,
        values,
        is_negated,
        ..
    }) = &condition
        && values.contains(&Part::number(0)) != *is_negated
    {
        all.push(Condition::has_any(
            Field::State,
            ct::NEW | ct::ESTABLISHED | ct::RELATED,
        ));
    }
    all.push(condition.unwrap_or_else(unknown));
    all
}

/// `ip version 4`, `ip6 version 6`: all packets of the family, since the kernel drops any other.
fn version(left: &Value, operator: &str, right: &Value) -> Option<u128> {
    let header = left.get("payload")?;
    match (
        word(header, "protocol")?,
        word(header, "field")?,
        operator,
        right.as_u64()?,
    ) {
        ("ip", "version", "==", 4) => Some(2),
        ("ip6", "version", "==", 6) => Some(10),
        _ => None,
    }
}

/// The kind of the field below the operators.
fn kind_of(left: &Value, family: TableFamily) -> Kind {
    // `fib ... oif` has names of interfaces as its text, and only "is there one" as its meaning.
    match left.get("fib") {
        Some(_) => operand(left, family).kind,
        None => kind(left),
    }
}

/// Whether a packet without the header has no such field: then the field says it.
fn says_its_needs(expression: &Value, field: &Field) -> bool {
    match field {
        Field::Address(..) | Field::Port(..) | Field::TcpFlags | Field::IcmpType(_) | Field::IcmpCode(_) => true,
        Field::Protocol => expression.get("meta").is_some(),
        _ => false,
    }
}

/// `a . b` against a set, or against one `c . d`.
fn concatenated(left: &Value, operator: &str, right: &Value, family: TableFamily) -> Option<Condition> {
    let is_negated = match operator {
        "==" | "in" => false,
        "!=" => true,
        _ => return None,
    };
    let (key, kinds) = key_of(left, family);
    let wrapped;
    let set = match right.get("concat") {
        Some(_) => {
            wrapped = serde_json::json!({"set": [right]});
            &wrapped
        }
        None => right,
    };
    Some(Condition::In {
        key,
        elements: elements(set, &kinds, false, false),
        is_negated,
    })
}

/// One field against a value, a range, a set.
fn compared(operand: Operand, formula: Formula, operator: &str, right: &Value) -> Option<Condition> {
    let Operand { field, kind } = operand;
    let is_negated = match operator {
        "==" | "in" | "<" | ">" | "<=" | ">=" => false,
        "!=" | "!" => true,
        _ => return None,
    };
    if let Some(name) = right.as_str().and_then(|word| word.strip_prefix('@')) {
        return formula.is_plain(kind).then(|| Condition::In {
            key: vec![field],
            elements: Elements::Named(name.to_owned()),
            is_negated,
        });
    }
    if matches!(field, Field::Other(_)) {
        return None;
    }
    if matches!(operator, "<" | ">" | "<=" | ">=") {
        let value = constant(right, kind)?;
        let range = match operator {
            "<" => value.checked_sub(1).map(|last| Part::Range(0, last)),
            ">" => (value < kind.most()).then(|| Part::Range(value + 1, kind.most())),
            "<=" => Some(Part::Range(0, value)),
            _ => Some(Part::Range(value, kind.most())),
        };
        let is_understood = formula.is_plain(kind) && !kind.is_bits() && kind != Kind::Route;
        return is_understood.then(|| Condition::among(field, range.into_iter().collect()));
    }
    // `ct state new,established`: any of these bits; `ct state ! new`: none of them.
    if kind.is_bits() && (operator == "!" || operator == "in" && right.get("set").is_none()) {
        let bits = constant(right, kind)?;
        let any = Condition::has_any(field, bits);
        return formula.is_plain(kind).then_some(match is_negated {
            true => any.negated(),
            false => any,
        });
    }
    let values = match right.get("set") {
        Some(Value::Array(listed)) => listed
            .iter()
            .map(|one| value(one, kind, formula))
            .collect::<Option<Vec<_>>>()?,
        Some(one) => vec![value(one, kind, formula)?],
        None => vec![value(right, kind, formula)?],
    };
    Some(Condition::Is {
        field,
        mask: mask(kind, formula),
        values: values.into_iter().flatten().collect(),
        is_negated,
    })
}

/// The bits that count.
fn mask(kind: Kind, formula: Formula) -> Option<u128> {
    match (formula.is_plain(kind), kind.mask()) {
        (true, own) => own,
        (false, own) => Some(formula.mask & own.unwrap_or(u128::MAX)),
    }
}

/// What the masked field must be for the whole to be a value; nothing where it never is.
fn value(value: &Value, kind: Kind, formula: Formula) -> Option<Vec<Part>> {
    // "fib ... oif 0": no route. Any other interface is not told.
    if kind == Kind::Route && value == "" {
        return Some(vec![Part::number(0)]);
    }
    match part(value, kind)? {
        part if formula.is_plain(kind) => Some(vec![part]),
        Part::Range(first, last) if first == last => {
            Some(formula.undone(first).map(Part::number).into_iter().collect())
        }
        part @ Part::Range(..) if formula.stays() && formula.flip == 0 => Some(vec![part]),
        // `saddr & 255.0.0.0 == 10.0.0.0/8` and the like: too odd to be worth more.
        Part::Range(..) | Part::Name(_) => None,
    }
}
