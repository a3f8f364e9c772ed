//! How packets are refused: with an answer or without.

use crate::core::checkup::gist::{about, asks, asks_protocol, conditions, counted, verdict};
use crate::core::checkup::{Evidence, Finding, Kind, Placed, Severity};
use crate::core::netfilter::{Chain, Condition, Field, Hook, Rule, Table, TableFamily, Tool, Verdict, ct, owner};

const DROP_INSTEAD_OF_REJECT: Kind = Kind {
    id: "drop-instead-of-reject",
    severity: Severity::Info,
    line: "New connections are dropped silently where they could be refused with an answer",
};

pub(super) const KINDS: &[Kind] = &[DROP_INSTEAD_OF_REJECT];

const WHY: &str = "A drop hides nothing (a closed port without an answer is as good as a sign) and makes every mistake wait for a \
time-out; for it speaks that scans of the Internet take longer and that no answer goes to a forged sender.";
const ADVICE: &str = "Refuse TCP with '-j REJECT --reject-with tcp-reset' and the rest with '-j REJECT', as fwtui does unless told \
otherwise; keep the drop where you want it.";

/// ICMP, IGMP and ICMPv6 begin no connection; what dropping them costs is told elsewhere.
const ICMP: [u8; 3] = [1, 2, 58];

pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let tables = evidence.netfilter.map(|netfilter| netfilter.tables.as_slice());
    let chains = tables.unwrap_or_default().iter().enumerate().flat_map(|(t, table)| {
        let chains = table.chains.iter().enumerate();
        chains.map(move |(c, chain)| (t, c, table, chain))
    });
    chains
        .filter(|(_, _, table, chain)| is_way_in(table, chain))
        .filter_map(|(t, c, table, chain)| of_chain(evidence, (t, c), table, chain))
        .collect()
}

/// Whether packets for this machine pass the chain.
fn is_way_in(table: &Table, chain: &Chain) -> bool {
    let base = chain.base.as_ref();
    let is_of_addresses = !matches!(table.family, TableFamily::Bridge | TableFamily::Netdev);
    is_of_addresses && base.is_some_and(|base| base.hook == Hook::Input)
}

fn of_chain(evidence: &Evidence<'_>, at: (usize, usize), table: &Table, chain: &Chain) -> Option<Finding> {
    let rules = chain.rules.iter().enumerate().map(|(r, rule)| Placed {
        table,
        chain,
        rule,
        at: (at.0, at.1, r),
    });
    let mut dropping = rules.filter(drops_new);
    // Behind a rule that takes everything no policy is asked.
    let is_asked = !chain.rules.iter().any(|rule| rule.statements.len() == 1 && ends(rule));
    if is_asked && chain.base.as_ref().is_some_and(|base| base.drops) {
        let tool = owner(table, chain, None);
        let by = match tool {
            Tool::Admin | Tool::Kernel | Tool::Unknown => String::new(),
            _ => format!(" ({tool} sets it.)"),
        };
        let what = format!("The policy drops silently what no rule accepts.{by}");
        return Some(Finding::new(
            &DROP_INSTEAD_OF_REJECT,
            evidence.place_of_policy(at.0, at.1),
            what,
            WHY,
            ADVICE,
        ));
    }
    let first = dropping.next()?;
    let what = match 1 + dropping.count() {
        1 => "It drops new connections silently.".to_owned(),
        count => format!(
            "{} of this chain drop new connections silently; this is the first.",
            counted(count)
        ),
    };
    Some(about(&DROP_INSTEAD_OF_REJECT, evidence, &first, &what, WHY, ADVICE))
}

fn ends(rule: &Rule) -> bool {
    matches!(
        verdict(rule),
        Some(Verdict::Accept | Verdict::Drop | Verdict::Reject(_))
    )
}

/// Whether a rule drops new connections, whoever makes them: a ban of somebody is another matter, and so
/// are packets that begin none.
fn drops_new(placed: &Placed<'_>) -> bool {
    let rule = placed.rule;
    let is_sure = |condition: &Condition| matches!(condition, Condition::Is { .. });
    let is_other = |field: &Field| {
        matches!(
            field,
            Field::Address(..) | Field::TcpFlags | Field::AddressType(..) | Field::PacketType | Field::RouteBack(_)
        )
    };
    let is_of_new = |condition: &Condition| match condition {
        Condition::Is {
            field: Field::State, ..
        } => *condition == Condition::has_any(Field::State, ct::NEW),
        _ => true,
    };
    verdict(rule) == Some(&Verdict::Drop)
        && conditions(rule).all(is_sure)
        && conditions(rule).all(is_of_new)
        && !asks(rule, is_other)
        && !ICMP.into_iter().any(|number| asks_protocol(rule, number))
}
