//! What single rules ask and do, for the families that look at rules one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::checkup::{Evidence, Finding, Kind, Placed, Severity};
use crate::core::netfilter::save::takes_any_text;
use crate::core::netfilter::{
    Condition, Data, Elements, Field, Hook, Part, Rule, Statement, Table, Tool, Verdict, owner,
};
use crate::core::ruleset::words_of;

/// What a rule asks.
pub(super) fn conditions(rule: &Rule) -> impl Iterator<Item = &Condition> {
    rule.statements.iter().filter_map(|statement| {
        let Statement::If(condition) = statement else {
            return None;
        };
        Some(condition)
    })
}

/// What becomes of a packet that is as the rule asks.
pub(super) fn verdict(rule: &Rule) -> Option<&Verdict> {
    match rule.statements.last() {
        Some(Statement::End(verdict)) => Some(verdict),
        _ => None,
    }
}

/// Whether a packet that is as the rule asks is refused: here, or in a chain that does nothing else but
/// log.
pub(super) fn refuses(table: &Table, rule: &Rule) -> bool {
    let at_once = |rule: &Rule| matches!(verdict(rule), Some(Verdict::Drop | Verdict::Reject(_)));
    match verdict(rule) {
        Some(Verdict::Jump(chain) | Verdict::Goto(chain)) => table.chain(chain).is_some_and(|chain| {
            let is_whole = chain.rules.last().is_some_and(|rule| rule.statements.len() == 1);
            let only_logs = |rule: &Rule| at_once(rule) || rule.statements.iter().all(is_condition);
            is_whole && chain.rules.last().is_some_and(at_once) && chain.rules.iter().all(only_logs)
        }),
        _ => at_once(rule),
    }
}

const fn is_condition(statement: &Statement) -> bool {
    matches!(statement, Statement::If(_))
}

/// Whether a rule asks for one of these states of connections and nothing else of them.
pub(super) fn asks_states(rule: &Rule, states: u128) -> bool {
    conditions(rule).any(|condition| *condition == Condition::has_any(Field::State, states))
}

/// Whether a rule is about a field.
pub(super) fn asks(rule: &Rule, is_it: impl Fn(&Field) -> bool) -> bool {
    conditions(rule).any(|condition| match condition {
        Condition::Is { field, .. } => is_it(field),
        Condition::In { key, .. } => key.iter().any(&is_it),
        Condition::FirstOfMany { .. } | Condition::Between { .. } | Condition::Unknown(_) => false,
    })
}

/// Whether a rule holds for so many packets only.
pub(super) fn is_limited(rule: &Rule) -> bool {
    conditions(rule).any(|condition| matches!(condition, Condition::FirstOfMany { .. }))
}

/// The single ports a rule asks for as the packet's destination.
pub(super) fn destination_ports(rule: &Rule) -> impl Iterator<Item = &Part> {
    conditions(rule)
        .filter_map(|condition| {
            let Condition::Is {
                field: Field::Port(_, crate::core::netfilter::End::Destination),
                values,
                is_negated: false,
                ..
            } = condition
            else {
                return None;
            };
            Some(values)
        })
        .flatten()
}

/// Whether a rule asks for a protocol, by its ports or otherwise.
pub(super) fn asks_protocol(rule: &Rule, number: u8) -> bool {
    conditions(rule).any(|condition| match condition {
        Condition::Is {
            field: Field::Protocol,
            values,
            is_negated: false,
            ..
        } => *values == [Part::number(number.into())],
        Condition::Is {
            field: Field::Port(Some(of), _),
            ..
        } => *of == number,
        _ => false,
    })
}

/// Whether a rule writes to the kernel's log.
pub(super) fn logs(rule: &Rule) -> bool {
    if rule.text.starts_with("-A ") {
        return rule.text.contains("LOG") && target(rule).is_some_and(|target| target == "LOG" || target == "ULOG");
    }
    let text = format!(" {} ", rule.text);
    text.contains(" log ") && !text.contains(" group ") && !text.contains("audit")
}

/// The target of a rule of iptables, by its text: what decides nothing is not in its statements.
fn target(rule: &Rule) -> Option<String> {
    let words = words_of(&rule.text).ok()?;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if takes_any_text(word) {
            words.next();
        } else if word == "-j" || word == "-g" {
            return words.next().cloned();
        }
    }
    None
}

/// The chains that a rule leads to.
pub(super) fn leads_to(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.statements.iter().flat_map(|statement| {
        let mut found = Vec::new();
        match statement {
            Statement::End(Verdict::Jump(chain) | Verdict::Goto(chain)) => found.push(chain.as_str()),
            Statement::Choose {
                elements: Elements::Inline(set),
                ..
            } => found.extend(
                set.elements
                    .iter()
                    .filter_map(|element| chain_of(element.data.as_ref())),
            ),
            _ => {}
        }
        found
    })
}

/// The chain that an element of a verdict map leads to.
pub(super) fn chain_of(data: Option<&Data>) -> Option<&str> {
    match data? {
        Data::Verdict(Verdict::Jump(chain) | Verdict::Goto(chain)) => Some(chain),
        _ => None,
    }
}

/// The hooks from which each chain of a table is reached.
pub(super) fn hooks(table: &Table) -> BTreeMap<&str, BTreeSet<Hook>> {
    let mut hooks: BTreeMap<&str, BTreeSet<Hook>> = BTreeMap::new();
    let chains: BTreeMap<&str, &crate::core::netfilter::Chain> =
        table.chains.iter().map(|chain| (chain.name.as_str(), chain)).collect();
    let bases = table
        .chains
        .iter()
        .filter_map(|chain| Some((chain, chain.base.as_ref()?.hook)));
    let mut open: Vec<(&str, Hook)> = bases.map(|(chain, hook)| (chain.name.as_str(), hook)).collect();
    while let Some((name, hook)) = open.pop() {
        if !hooks.entry(name).or_default().insert(hook) {
            continue;
        }
        let rules = chains.get(name).map(|chain| chain.rules.as_slice()).unwrap_or_default();
        open.extend(rules.iter().flat_map(leads_to).map(|chain| (chain, hook)));
        if rules
            .iter()
            .flat_map(|rule| &rule.statements)
            .any(|statement| matches!(statement, Statement::Choose { .. }))
        {
            let maps = table.sets.iter().flat_map(|set| &set.elements);
            open.extend(maps.filter_map(|element| Some((chain_of(element.data.as_ref())?, hook))));
        }
    }
    hooks
}

/// The tool that made a rule, where it is one that makes its own.
pub(super) fn tool(placed: &Placed<'_>) -> Option<Tool> {
    let tool = owner(placed.table, placed.chain, Some(placed.rule));
    (!matches!(tool, Tool::Admin | Tool::Kernel | Tool::Unknown)).then_some(tool)
}

/// A finding about a rule. What a tool makes by itself is worth knowing only, and its name is told.
pub(super) fn about(
    kind: &Kind,
    evidence: &Evidence<'_>,
    placed: &Placed<'_>,
    what: &str,
    why: &str,
    advice: &str,
) -> Finding {
    let finding = Finding::new(kind, evidence.place(placed), what, why, advice);
    match tool(placed) {
        None => finding,
        Some(tool) => Finding {
            severity: Severity::Info,
            what: format!("{} ({tool} makes this rule by itself.)", finding.what),
            advice: format!("Leave it: {tool} puts it back."),
            ..finding
        },
    }
}

/// `1 rule`, `3 rules`.
pub(super) fn counted(count: usize) -> String {
    match count {
        1 => "1 rule".to_owned(),
        count => format!("{count} rules"),
    }
}

/// Rules by their chains, in order.
pub(super) fn by_chain<'a>(rules: impl Iterator<Item = Placed<'a>>) -> Vec<Vec<Placed<'a>>> {
    let mut groups: Vec<Vec<Placed<'a>>> = Vec::new();
    for placed in rules {
        let chain = |placed: &Placed<'_>| (placed.at.0, placed.at.1);
        match groups.last_mut() {
            Some(group) if group.last().map(chain) == Some(chain(&placed)) => group.push(placed),
            _ => groups.push(vec![placed]),
        }
    }
    groups
}
