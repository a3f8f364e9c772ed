//! Documents of nft, spoilt in every way.

use proptest::prelude::*;
use serde_json::Map;

use super::documents::ALL;
use super::*;

/// Words and numbers that stand in such documents, and some that do not.
fn leaves() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0_u64..200).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "*",
            "@",
            "@s",
            "",
            "0",
            "lo",
            "eth*",
            "\\*",
            "10.0.0.1",
            "fe80::1",
            "tcp",
            "syn",
            "new",
            "local",
            "filter + 2147483647",
            "filter - 99999999999",
            "-",
            "\u{e9}\u{301}",
            "0xffffffffffffffffffffffffffffffffff",
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ]
}

/// Any JSON made of nft's words.
fn values() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "match", "left", "right", "op", "payload", "protocol", "field", "meta", "key", "ct", "dir", "fib", "flags",
        "result", "set", "elem", "val", "map", "data", "concat", "range", "prefix", "addr", "len", "&", "|", "^", "<<",
        ">>", "vmap", "jump", "target", "limit", "rate", "stmt", "mangle", "value", "dnat", "port", "reject", "type",
        "expr", "xt", "name", "counter", "quota", "log", "typeof",
    ]);
    leaves().prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((keys.clone(), inner), 0..3).prop_map(|entries| Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            )),
        ]
    })
}

/// How many values a document holds.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(parts) => parts.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Puts another value in the place of one.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    let parts: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(parts) => Box::new(parts.iter_mut()),
        Value::Object(map) => Box::new(Map::values_mut(map)),
        _ => return,
    };
    for part in parts {
        if *at == usize::MAX {
            return;
        }
        replace(part, at, with);
    }
}

/// How many rules a document lists, of tables that are ours.
fn rules_of(listed: &Listed) -> usize {
    let chains = listed.netfilter.tables.iter().flat_map(|table| &table.chains);
    chains.map(|chain| chain.rules.len()).sum()
}

#[test]
fn an_element_without_a_value_is_shown_as_it_is() {
    let rule = serde_json::json!({"nftables": [
        {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [
            {"match": {"op": "==", "left": {"elem": {"val": {"elem": []}}}, "right": {"elem": "x"}}}
        ]}}
    ]});
    let listed = read(&rule).unwrap();
    assert_eq!(rules_of(&listed), 1);
}

proptest! {
    #[test]
    fn one_spoilt_object_costs_no_other_rule(
        document in 0..ALL.len(),
        object in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        with in values(),
    ) {
        let mut document: Value = serde_json::from_str(ALL[document].1).unwrap();
        let before = rules_of(&read(&document).unwrap());
        let objects = document["nftables"].as_array_mut().unwrap();
        let object = object.get_mut(objects);
        let mut at = place.index(count(object));
        replace(object, &mut at, &with);
        let listed = read(&document).unwrap();
        prop_assert!(rules_of(&listed) + 1 >= before);
        for place in &listed.extensions {
            prop_assert!(place.rule < listed.netfilter.tables[place.table].chains[place.chain].rules.len());
        }
    }

    #[test]
    fn nothing_that_a_rule_says_is_left_out(statement in values()) {
        let known_harmless = ["counter", "log", "set", "map", "meter", "mangle", "xt", "dup", "last", "secmark", "reset"];
        let rule = serde_json::json!({"nftables": [
            {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [statement.clone()]}}
        ]});
        let listed = read(&rule).unwrap();
        let statements = &listed.netfilter.tables[0].chains[0].rules[0].statements;
        let is_harmless = statement.as_object().is_some_and(|map| {
            map.len() == 1 && map.keys().all(|key| known_harmless.contains(&key.as_str()))
        });
        prop_assert!(is_harmless || !statements.is_empty());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        if let Ok(listed) = parse(&text) {
            prop_assert!(listed.netfilter.tables.is_empty());
        }
    }
}
