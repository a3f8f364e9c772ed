//! What accepts everything in front of what refuses something.

use std::net::IpAddr;

use crate::core::checkup::families::knocks;
use crate::core::checkup::scene::{NO_SERVICE, Scene};
use crate::core::checkup::{Finding, Kind, Severity};
use crate::core::listener::{Family, Protocol};
use crate::core::netfilter::{Chain, Condition, End, Field, Hook, Part, Rule, Statement, Table, Verdict, address, ct};
use crate::core::reach::{Decider, Fate, Place as Spot, Probe, Walk};

pub(super) const BEFORE: Kind = Kind {
    id: "accepted-before-refused",
    severity: Severity::Harmful,
    line: "a rule that accepts everything stands in front of refusals; risky where no packet was found that it lets in \
           and they would not",
};
/// So many refusals behind an accept-all are tried.
const MOST_TRIED: usize = 16;

/// A rule that accepts whatever comes, in front of refusals.
pub(super) fn of(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in &scene.netfilter.tables {
        for chain in &table.chains {
            let is_input = chain.base.as_ref().is_some_and(|base| base.hook == Hook::Input);
            if is_input && !table.is_dormant {
                findings.extend(before_in(scene, table, chain));
            }
        }
    }
    findings
}

fn before_in(scene: &Scene<'_>, table: &Table, chain: &Chain) -> Option<Finding> {
    let at = chain.rules.iter().position(accepts_everything)?;
    let rule = chain.rules.get(at)?;
    let behind = chain.rules.iter().skip(at + 1);
    let refusals: Vec<&Rule> = behind.filter(|rule| refuses(rule)).collect();
    let drops = chain.base.as_ref().is_some_and(|base| base.drops);
    if refusals.is_empty() {
        return None;
    }
    let is_here = |walk: &Walk<'_>| match walk.decided_by {
        Decider::Rule(spot) => walk.fate == Fate::Accepted && spot.rule.is_some_and(|by| std::ptr::eq(by, rule)),
        Decider::Kernel(_) => false,
    };
    let families = Family::ALL.into_iter().filter(|family| table.family.sees(*family));
    let mut tried = families.flat_map(|family| {
        refusals
            .iter()
            .take(MOST_TRIED)
            .flat_map(move |refusal| meant(scene, family, refusal))
    });
    let is_true = tried.any(|packet| is_here(&scene.walk(&packet)));
    let spot = Spot {
        table,
        chain,
        rule: Some(rule),
    };
    let behind = refusals.len();
    let policy = if drops { ", and the policy," } else { "" };
    let refuse = match (behind, drops) {
        (1, false) => "the refusal behind it refuses".to_owned(),
        (1, true) => format!("the refusal behind it{policy} refuse"),
        _ => format!("the {behind} refusals behind it{policy} refuse"),
    };
    let mut finding = Finding::new(
        &BEFORE,
        scene.place(&spot),
        format!("It accepts everything, and {refuse} nobody."),
        match is_true {
            true => {
                "What they are there to refuse was walked through the rules and gets in, so what looks closed is open."
            }
            false => "What looks closed may be open.",
        },
        "If it is meant for one interface or source, say so in it; else put it behind the refusals, or take them away.",
    );
    if !is_true {
        finding.severity = Severity::Risky;
    }
    Some(finding)
}

/// Whether a rule accepts without asking anything that a new connection is not.
fn accepts_everything(rule: &Rule) -> bool {
    let [asks @ .., Statement::End(Verdict::Accept)] = rule.statements.as_slice() else {
        return false;
    };
    let is_no_question = |condition: &Condition| match condition {
        // Of conntrack's states, NEW beside others.
        Condition::Is {
            field: Field::State,
            mask: Some(mask),
            is_negated: true,
            ..
        } => mask & ct::NEW != 0,
        Condition::Is {
            field: Field::Address(family, _),
            mask: None,
            values,
            is_negated: false,
        } => *values == [Part::Range(0, everyone(*family))],
        Condition::Is { .. }
        | Condition::In { .. }
        | Condition::FirstOfMany { .. }
        | Condition::Between { .. }
        | Condition::Unknown(_) => false,
    };
    asks.iter()
        .all(|statement| matches!(statement, Statement::If(condition) if is_no_question(condition)))
}

/// The last address of a family, as a number.
const fn everyone(family: Family) -> u128 {
    match family {
        Family::Ipv4 => u32::MAX as u128,
        Family::Ipv6 => u128::MAX,
    }
}

fn refuses(rule: &Rule) -> bool {
    matches!(
        rule.statements.last(),
        Some(Statement::End(Verdict::Drop | Verdict::Reject(_)))
    )
}

/// First packets of strangers that a refusal is about, as far as its protocol, port and source tell.
fn meant<'a>(scene: &Scene<'a>, family: Family, rule: &Rule) -> Vec<Probe<'a>> {
    let (mut protocol, mut port, mut source) = (Protocol::Tcp, NO_SERVICE, None);
    for statement in &rule.statements {
        let Statement::If(Condition::Is {
            field,
            mask: None,
            values,
            is_negated: false,
        }) = statement
        else {
            continue;
        };
        let first = values.iter().find_map(|part| match part {
            Part::Range(first, _) => Some(*first),
            Part::Name(_) => None,
        });
        if *field == Field::Protocol && first == Some(17) {
            protocol = Protocol::Udp;
        } else if *field == Field::Address(family, End::Source) {
            source = first.and_then(|first| address(family, first));
        } else if let Field::Port(of, End::Destination) = field {
            port = first.and_then(|first| u16::try_from(first).ok()).unwrap_or(port);
            if *of == Some(17) {
                protocol = Protocol::Udp;
            }
        }
    }
    let links = scene.links.iter();
    let knocks = links.flat_map(|link| knocks(link, family, protocol, port));
    knocks
        .map(|mut packet| {
            let from: IpAddr = source.unwrap_or(packet.ends.source);
            packet.ends.source = from;
            packet
        })
        .collect()
}
