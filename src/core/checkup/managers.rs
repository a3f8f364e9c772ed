//! Others that load rules: two at once, two packet filters at once, what the next boot takes away or
//! brings, and what docker opens behind ufw's back.

use super::{Evidence, Finding, Kind, Place, Severity};
use crate::core::netfilter::{Engine, Tool};
use crate::core::reach::Reach;
use crate::core::text::capitalised;
use crate::core::tools::{Manager, Presence, conflicts};

mod boot;

const TWO_MANAGERS: Kind = Kind {
    id: "two-managers",
    severity: Severity::Risky,
    line: "two firewalls are active, or one throws out the other's rules",
};
const LEGACY_AND_NFT: Kind = Kind {
    id: "legacy-and-nft",
    severity: Severity::Risky,
    line: "both packet filters hold rules, iptables-legacy's and nf_tables'",
};
const VANISH: Kind = Kind {
    id: "rules-vanish-at-boot",
    severity: Severity::Risky,
    line: "rules are in the kernel that nothing loads at boot",
};
const APPEAR: Kind = Kind {
    id: "rules-appear-at-boot",
    severity: Severity::Risky,
    line: "rules are loaded at boot that are not in the kernel now",
};
const DOCKER_BYPASSES_UFW: Kind = Kind {
    id: "docker-bypasses-ufw",
    severity: Severity::Harmful,
    line: "everyone reaches a container's port that ufw looks to refuse",
};

/// The kinds of this family.
pub(super) const KINDS: &[Kind] = &[TWO_MANAGERS, LEGACY_AND_NFT, VANISH, APPEAR, DOCKER_BYPASSES_UFW];

/// Judges who else loads rules.
pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    // All of it is about this machine.
    if evidence.world.is_none() {
        return Vec::new();
    }
    let mut found = two_managers(evidence.managers);
    found.extend(legacy_and_nft(evidence));
    found.extend(not_at_boot(evidence.managers));
    found.extend(boot::vanishing(evidence));
    found.extend(boot::appearing(evidence));
    found.extend(docker_bypasses_ufw(evidence));
    found
}

/// Where a manager is: what says that it is started at boot.
fn place_of(manager: &Presence) -> Place {
    let file = match manager.how.is_empty() {
        true => format!("{}.service", manager.manager),
        false => manager.how.clone(),
    };
    Place {
        file: Some(file),
        ..Place::default()
    }
}

fn two_managers(managers: &[Presence]) -> Vec<Finding> {
    let told = conflicts(managers);
    if !told.is_empty() {
        let one = |said: &String| {
            // What they do to one another, and what to do.
            let (what, advice) = said.rsplit_once("; ").unwrap_or((said, "disable one of them"));
            let first = managers.iter().find(|one| what.starts_with(one.manager.word()));
            Finding::new(
                &TWO_MANAGERS,
                first.map(place_of).unwrap_or_default(),
                format!("{}.", capitalised(what)),
                "Which rules hold depends on who was started last.",
                format!("{}.", capitalised(advice)),
            )
        };
        return told.iter().map(one).collect();
    }
    let active: Vec<&Presence> = managers
        .iter()
        .filter(|one| one.manager.is_firewall() && one.is_active())
        .collect();
    let [first, _, ..] = active.as_slice() else {
        return Vec::new();
    };
    let names: Vec<&str> = active.iter().map(|one| one.manager.word()).collect();
    vec![Finding {
        severity: Severity::Info,
        ..Finding::new(
            &TWO_MANAGERS,
            place_of(first),
            format!("Several firewalls are active: {}.", names.join(", ")),
            "A packet must pass all of them, so that a port opened in one stays closed in another.",
            "Keep one, and disable the others.",
        )
    }]
}

fn legacy_and_nft(evidence: &Evidence<'_>) -> Option<Finding> {
    let of = |engine: Engine| {
        let rules = evidence.rules().filter(move |placed| placed.table.engine == engine);
        rules.map(|placed| format!("{} {}", placed.table.family.word(), placed.table.name))
    };
    let mut legacy: Vec<String> = of(Engine::Legacy).collect();
    let rules = legacy.len();
    let natives = of(Engine::Nft).count();
    if rules == 0 || natives == 0 {
        return None;
    }
    legacy.sort();
    legacy.dedup();
    Some(Finding::new(
        &LEGACY_AND_NFT,
        Place {
            chain: Some(legacy.join(", ")),
            ..Place::default()
        },
        format!("iptables-legacy holds {rules} rules and nf_tables holds {natives}."),
        "A packet must pass both, and 'iptables' shows one of them only: who looks for what refuses a connection sees half.",
        "Move to one: 'update-alternatives --config iptables' tells which is in use, and 'iptables-legacy-save' what is \
         left in the other; a reboot empties what nothing loads.",
    ))
}

/// A firewall that is on now and not after the next boot.
fn not_at_boot(managers: &[Presence]) -> Vec<Finding> {
    let gone = managers
        .iter()
        .filter(|one| one.manager.is_firewall() && one.in_kernel == Some(true) && one.at_boot == Some(false));
    let one = |presence: &Presence| {
        Finding::new(
            &VANISH,
            place_of(presence),
            format!(
                "{} is active, and is not started at boot.",
                capitalised(presence.manager.word())
            ),
            "After the next boot nothing of what it refuses is refused.",
            format!("Enable it if it is meant to stay: sudo {}", enable(presence.manager)),
        )
    };
    gone.map(one).collect()
}

const fn enable(manager: Manager) -> &'static str {
    match matches!(manager, Manager::Ufw) {
        true => "ufw enable, and sudo systemctl enable ufw",
        false => "systemctl enable firewalld",
    }
}

/// Published ports never meet ufw's INPUT rules: they are forwarded.
fn docker_bypasses_ufw(evidence: &Evidence<'_>) -> Vec<Finding> {
    let is_on = |one: &Presence| one.manager == Manager::Ufw && one.in_kernel == Some(true);
    if !evidence.managers.iter().any(is_on) || !refuses_by_default(evidence) {
        return Vec::new();
    }
    let is_bypassing = |row: &&crate::core::overview::Row| {
        let by_docker = row
            .service
            .published
            .as_ref()
            .is_some_and(|published| published.by == Tool::Docker);
        by_docker && row.reach_now == Reach::Everyone
    };
    let bypassing = evidence.rows.iter().filter(is_bypassing);
    let one = |row: &crate::core::overview::Row| {
        let id = &row.service.id;
        if is_allowed(evidence, id.ports.first()) {
            return None;
        }
        let container = row
            .service
            .published
            .as_ref()
            .and_then(|published| published.container.as_deref());
        let container = container.unwrap_or("a container");
        Some(Finding::new(
            &DOCKER_BYPASSES_UFW,
            Place {
                service: Some(id.clone()),
                ..Place::default()
            },
            format!("{id}, published for {container}, is reached by everyone, and ufw has no rule that allows it."),
            "Docker sends what comes for a published port on to the container before ufw's rules for this machine are \
             asked.",
            format!(
                "Publish it for this machine only (-p 127.0.0.1:{0}:...), or decide on it here: sudo fwtui set {id} confine",
                id.ports.first()
            ),
        ))
    };
    bypassing.filter_map(one).collect()
}

/// Whether ufw's default is to refuse what comes in.
fn refuses_by_default(evidence: &Evidence<'_>) -> bool {
    let tables = evidence
        .netfilter
        .map(|netfilter| netfilter.tables.as_slice())
        .unwrap_or_default();
    tables.iter().filter(|table| table.name == "filter").any(|table| {
        let drops = |base: &crate::core::netfilter::Base| base.drops;
        table
            .chains
            .iter()
            .any(|chain| chain.name == "INPUT" && chain.base.as_ref().is_some_and(drops))
    })
}

/// Whether ufw has a rule that lets a port in: then it is meant to be reached.
fn is_allowed(evidence: &Evidence<'_>, port: u16) -> bool {
    let asked = format!("--dport {port} ");
    evidence
        .rules()
        .filter(|placed| placed.chain.name == "ufw-user-input")
        .any(|placed| placed.rule.text.contains(&asked) && placed.rule.text.contains("-j ACCEPT"))
}

#[cfg(test)]
mod tests;
