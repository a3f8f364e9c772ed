//! Documents that nft itself printed, and ones that nothing printed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use super::*;

mod documents;
mod meaning;
mod mutated;

/// What a document made here lists.
fn read(document: &Value) -> Result<Listed, JsonError> {
    parse(&document.to_string())
}

/// The lines of rules in what `nft list ruleset` printed, in order.
fn rule_lines(listing: &str) -> Vec<String> {
    let mut is_chain = false;
    let mut lines = Vec::new();
    for line in listing.lines() {
        match line.trim() {
            "}" => is_chain = false,
            trimmed if trimmed.starts_with("chain ") => is_chain = true,
            trimmed if trimmed.starts_with("type ") => {}
            trimmed if is_chain && !trimmed.is_empty() => lines.push(trimmed.to_owned()),
            _ => {}
        }
    }
    lines
}

#[test]
fn rules_read_as_nft_prints_them() {
    for (name, json, listing) in documents::ALL {
        let listed = parse(json).unwrap();
        let texts: Vec<String> = listed
            .netfilter
            .tables
            .iter()
            .flat_map(|table| &table.chains)
            .flat_map(|chain| &chain.rules)
            .map(|rule| rule.text.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let lines: Vec<String> = rule_lines(listing)
            .iter()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(texts.len(), lines.len(), "{name}");
        let wrong: Vec<String> = texts
            .iter()
            .zip(&lines)
            .filter(|(text, line)| text != line)
            .map(|(text, line)| format!("ours {text}\nnft  {line}"))
            .collect();
        assert!(wrong.is_empty(), "{name}\n{}", wrong.join("\n"));
    }
}

#[test]
fn rules_as_firewalld_netavark_kube_proxy_and_docker_write_them_are_understood() {
    let (_, json, _) = documents::ALL.iter().find(|document| document.0 == "tools").unwrap();
    let listed = parse(json).unwrap();
    let chains = listed.netfilter.tables.iter().flat_map(|table| &table.chains);
    for rule in chains.flat_map(|chain| &chain.rules) {
        let words = format!("{:?}", rule.statements);
        assert!(!words.contains("Unknown("), "{}: {words}", rule.text);
    }
    let sets = listed.netfilter.tables.iter().flat_map(|table| &table.sets);
    for set in sets {
        assert_eq!(set.unknown, None, "{}", set.name);
    }
}
