//! Whether rules restrict what is forwarded.

use crate::core::listener::Family;
use crate::core::netfilter::owner::by_names;
use crate::core::netfilter::{ChainType, Hook, Netfilter, Rule, Statement, Table, Tool, Verdict};
use crate::core::ruleset::PREFIX;

/// How many chains deep refusals are looked for: docker's are two, ufw's three.
const DEEPEST: usize = 8;

/// Whether some rule or policy refuses anything that is forwarded. It need not refuse everything: who
/// wrote one has thought of it. What those do who run guests is about their guests only.
pub(super) fn is_restricted(netfilter: &Netfilter, family: Family) -> bool {
    netfilter
        .tables
        .iter()
        .filter(|table| !table.is_dormant && table.family.sees(family))
        .any(restricts)
}

fn restricts(table: &Table) -> bool {
    table.chains.iter().any(|chain| {
        !is_about_guests(&table.name, &chain.name)
            && chain.base.as_ref().is_some_and(|base| {
                base.hook == Hook::Forward
                    && base.kind == ChainType::Filter
                    && (base.drops || refuses(table, &chain.rules, DEEPEST))
            })
    })
}

fn refuses(table: &Table, rules: &[Rule], depth: usize) -> bool {
    let below = |name: &str| {
        let chain = table.chains.iter().find(|chain| chain.name == name);
        let chain = chain.filter(|_| !is_about_guests(&table.name, name));
        depth > 0 && chain.is_some_and(|chain| refuses(table, &chain.rules, depth - 1))
    };
    let mut statements = rules.iter().flat_map(|rule| &rule.statements);
    statements.any(|statement| match statement {
        // A map of verdicts is a way of nft's to send packets on; what is not understood may refuse.
        Statement::End(Verdict::Drop | Verdict::Reject(_)) | Statement::Choose { .. } | Statement::Unknown(_) => true,
        Statement::End(Verdict::Jump(name) | Verdict::Goto(name)) => below(name),
        Statement::End(_)
        | Statement::If(_)
        | Statement::Nat(_)
        | Statement::Mark(_)
        | Statement::SetLabel(_)
        | Statement::NoTrack => false,
    })
}

/// Whether a chain is of a tool that only cares for its guests, or of fwtui, which cares for what was
/// sent to this machine.
fn is_about_guests(table: &str, chain: &str) -> bool {
    let guests = [Tool::Docker, Tool::Podman, Tool::Libvirt, Tool::Lxd];
    // That one is the administrator's, who restricts what goes to containers there.
    let is_users = chain == "DOCKER-USER";
    chain.starts_with(PREFIX) || !is_users && by_names(table, chain).is_some_and(|tool| guests.contains(&tool))
}
