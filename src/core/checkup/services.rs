//! Services: what could be bound to loopback, asks nobody who he is, can be read on the way, runs as
//! root without need, or was opened by a user's program.
//!
//! Whether anybody ever connected to a service is not among it: the kernel counts that for no socket.

use super::{Evidence, Finding, Kind, Place, Severity};
use crate::core::catalogue::{Advice, Entry, Match};
use crate::core::listener::Protocol;
use crate::core::netfilter::Tool;
use crate::core::overview::Row;
use crate::core::policy::Decision;
use crate::core::reach::Reach;
use crate::core::service::{BoundTo, Service};

#[cfg(test)]
mod tests;

const COULD_BE_LOOPBACK: Kind = Kind {
    id: "service-could-be-loopback",
    severity: Severity::Info,
    line: "A service that others have no use for listens on every address, and could be bound to loopback",
};
const PLAINTEXT: Kind = Kind {
    id: "service-plaintext",
    severity: Severity::Risky,
    line: "Others reach a service whose traffic can be read on the way, though something does the same encrypted",
};
const WITHOUT_PASSWORD: Kind = Kind {
    id: "service-without-password",
    severity: Severity::Harmful,
    line: "Others reach a service that lets whoever reaches it use it",
};
const ROOT_OWNED: Kind = Kind {
    id: "service-root-owned",
    severity: Severity::Info,
    line: "A service runs as root, and does not need to",
};
const USER_PROGRAM_OPEN: Kind = Kind {
    id: "service-user-program-open",
    severity: Severity::Risky,
    line: "Everyone reaches a program that a user started, at a port above 1024, and nobody decided so",
};
const WITHOUT_OWNER: Kind = Kind {
    id: "socket-without-owner",
    severity: Severity::Info,
    line: "No process holds a listening socket",
};

pub(super) const KINDS: &[Kind] = &[
    COULD_BE_LOOPBACK,
    PLAINTEXT,
    WITHOUT_PASSWORD,
    ROOT_OWNED,
    USER_PROGRAM_OPEN,
    WITHOUT_OWNER,
];

/// The user ids of people, where nothing else is set up (login.defs(5)); above are those of containers
/// and of systemd's dynamic users.
const PEOPLE: std::ops::RangeInclusive<u32> = 1000..=60000;

/// Ports from here on need no privilege (`ip_unprivileged_port_start`, by default).
const UNPRIVILEGED: u16 = 1024;

pub(super) fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    // Without root other users' processes can't be seen, and every socket would seem to be nobody's.
    let sees_owners = evidence.netfilter.is_some() && evidence.rows.iter().any(|row| !row.service.owners.is_empty());
    let mut findings = Vec::new();
    for row in evidence.rows.iter().filter(|row| row.service.is_there()) {
        let known = evidence
            .catalogue
            .and_then(|catalogue| catalogue.find_credible(&row.service));
        if let Some(known) = known {
            findings.extend(could_be_loopback(row, &known, evidence.is_desktop));
            findings.extend(plaintext(row, &known));
            findings.extend(without_password(row, &known));
            findings.extend(root_owned(row, &known));
        }
        findings.extend(published_for_all(row));
        findings.extend(user_program_open(row, known.as_ref()));
        let is_kernels = known.is_some_and(|known| known.entry.is_kernel);
        if sees_owners && !is_kernels && row.service.is_ownerless() && row.service.published.is_none() {
            findings.push(without_owner(row));
        }
    }
    findings
}

fn place(row: &Row) -> Place {
    Place {
        service: Some(row.service.id.clone()),
        ..Place::default()
    }
}

/// What others are not let in to, or have no use for: the rule is then the second line of defence.
fn could_be_loopback(row: &Row, known: &Match<'_>, is_desktop: Option<bool>) -> Option<Finding> {
    let entry = known.entry;
    let because = match row.decision {
        Decision::Confine => "though it was decided that only this machine uses it",
        Decision::Undecided if is_for_this_machine(entry, is_desktop) => {
            "though mostly programs of this machine alone have a use for it"
        }
        Decision::Undecided | Decision::Trusted | Decision::Open => return None,
    };
    let is_everywhere = row.service.bound_to == BoundTo::All && row.service.published.is_none();
    let advice = entry
        .loopback_in_full()
        .filter(|_| known.is_certain() && is_everywhere)?;
    Some(Finding::new(
        &COULD_BE_LOOPBACK,
        place(row),
        format!(
            "{} listens on every address at {}, {because}.",
            entry.name, row.service.id
        ),
        WHY_LOOPBACK,
        advice,
    ))
}

const WHY_LOOPBACK: &str =
    "What is bound to 127.0.0.1 needs no rule, and stays closed when rules are not loaded or wrong.";

fn is_for_this_machine(entry: &Entry, is_desktop: Option<bool>) -> bool {
    let recommended = entry.recommended(is_desktop).map(|it| it.decision);
    matches!(recommended, Some(Advice::Confine | Advice::Disable))
}

/// A container's port that was published for everyone, and confined here.
fn published_for_all(row: &Row) -> Option<Finding> {
    let id = &row.service.id;
    let published = row.service.published.as_ref()?;
    let is_engine = matches!(published.by, Tool::Docker | Tool::Podman | Tool::Nerdctl);
    let is_everywhere = row.service.bound_to == BoundTo::All && id.ports.is_single();
    if !is_engine || !is_everywhere || row.decision != Decision::Confine {
        return None;
    }
    let udp = if id.protocol == Protocol::Tcp { "" } else { "/udp" };
    let (port, to) = (id.ports.first(), published.to.port());
    Some(Finding::new(
        &COULD_BE_LOOPBACK,
        place(row),
        format!(
            "A container's port is published on every address at {id}, though it was decided that only this machine uses it."
        ),
        WHY_LOOPBACK,
        format!("Publish it for this machine alone, with -p 127.0.0.1:{port}:{to}{udp}, and make the container anew."),
    ))
}

fn plaintext(row: &Row, known: &Match<'_>) -> Option<Finding> {
    let entry = known.entry;
    let alternative = entry.alternative.as_ref().filter(|_| entry.is_plain())?;
    let (who, severity) = match row.reach_now {
        Reach::ThisMachine => return None,
        Reach::Everyone => ("everyone", Severity::Risky),
        Reach::Trusted => ("trusted networks", Severity::Info),
        Reach::Unknown => ("others, perhaps,", Severity::Info),
    };
    let finding = Finding::new(
        &PLAINTEXT,
        place(row),
        format!("{} encrypts nothing, and {who} can reach it.", at(row, known)),
        "Whoever is on the way can read what is said, passwords included, and change it.",
        alternative,
    );
    Some(Finding { severity, ..finding })
}

fn without_password(row: &Row, known: &Match<'_>) -> Option<Finding> {
    let entry = known.entry;
    let (is_never, is_perhaps) = (entry.asks_nobody(), entry.may_ask_nobody());
    let (who, severity) = match row.reach_now {
        Reach::Everyone if is_never && known.is_certain() => ("everyone", Severity::Harmful),
        Reach::Everyone if is_never || is_perhaps && known.is_certain() => ("everyone", Severity::Risky),
        Reach::Trusted if is_never && known.is_certain() => ("trusted networks", Severity::Risky),
        Reach::Trusted if is_never => ("trusted networks", Severity::Info),
        Reach::Everyone | Reach::Trusted | Reach::ThisMachine | Reach::Unknown => return None,
    };
    let name = at(row, known);
    let with = entry.authenticates.as_ref().and_then(|it| it.with.as_deref());
    let what = match (is_never, with) {
        (true, _) => format!("{name} asks nobody for a password, and {who} can reach it."),
        (false, Some(with)) => {
            format!("{name} asks for a password only if that was set up ({with}), and {who} can reach it.")
        }
        (false, None) => format!("{name} asks for a password only if that was set up, and {who} can reach it."),
    };
    let advice = match (&entry.alternative, entry.loopback_in_full()) {
        (Some(alternative), _) => alternative.clone(),
        (None, Some(loopback)) if is_for_this_machine(entry, None) => loopback,
        (None, _) => format!(
            "Let in only those who need it: fwtui set {} {}.",
            row.service.id,
            narrower(row.reach_now)
        ),
    };
    let why = entry.server.as_ref().map_or(WHY_PASSWORD, |it| it.why.as_str());
    let finding = Finding::new(&WITHOUT_PASSWORD, place(row), what, why, advice);
    Some(Finding { severity, ..finding })
}

const WHY_PASSWORD: &str = "Whoever reaches it may use it.";

const fn narrower(reach: Reach) -> &'static str {
    match reach {
        Reach::Everyone | Reach::Unknown => "trusted",
        Reach::Trusted | Reach::ThisMachine => "confine",
    }
}

fn root_owned(row: &Row, known: &Match<'_>) -> Option<Finding> {
    let service = &row.service;
    let mut users = service.owners.iter().map(|owner| owner.user.as_deref());
    let is_roots = !service.owners.is_empty() && users.all(|user| user == Some("root"));
    let is_without_need = known.is_certain() && known.entry.needs_root == Some(false);
    if !is_roots || !is_without_need || service.bound_to == BoundTo::Loopback {
        return None;
    }
    Some(Finding::new(
        &ROOT_OWNED,
        place(row),
        format!(
            "{} at {} runs as root, which it does not need to.",
            known.entry.name, service.id
        ),
        "Whoever finds a mistake in it gets the whole machine by it.",
        format!("Give it a user of its own: User= in {}.", unit(service)),
    ))
}

/// Its unit, if it has one.
fn unit(service: &Service) -> String {
    let owners = service.owners.iter().filter_map(|owner| owner.unit.as_deref());
    let mut units = owners.chain(service.unit.as_deref());
    match units.find(|unit| unit.ends_with(".service") && !unit.starts_with("user@")) {
        Some(unit) => unit.to_owned(),
        None => "its unit, or whatever starts it".to_owned(),
    }
}

/// UDP is left out: what of it users' programs have open is mostly waiting for answers.
fn user_program_open(row: &Row, known: Option<&Match<'_>>) -> Option<Finding> {
    let service = &row.service;
    let id = &service.id;
    let is_users = service.listeners.iter().any(|listener| PEOPLE.contains(&listener.uid));
    let is_high = id.protocol == Protocol::Tcp && id.ports.first() > UNPRIVILEGED;
    let is_undecided = row.decision == Decision::Undecided && row.reach_now == Reach::Everyone;
    if !is_users || !is_high || !is_undecided || service.published.is_some() {
        return None;
    }
    let name = match service.name.as_str() {
        "" => "A program",
        name => name,
    };
    let user = service.owners.iter().find_map(|owner| owner.user.as_deref());
    let whose = user.map_or_else(|| "a user".to_owned(), |user| format!("the user {user}"));
    let certain = known.filter(|known| known.is_certain());
    let advice = match certain.and_then(|known| known.entry.loopback_in_short()) {
        Some(way) => format!("Bind it to loopback ({way}), or decide who may connect: fwtui set {id} confine."),
        None => format!("Decide who may connect: fwtui set {id} confine, or trusted, or open."),
    };
    Some(Finding::new(
        &USER_PROGRAM_OPEN,
        place(row),
        format!("{name} at {id} was started by {whose}, and everyone can reach it."),
        "What users start for themselves is seldom made to withstand strangers.",
        advice,
    ))
}

fn without_owner(row: &Row) -> Finding {
    Finding::new(
        &WITHOUT_OWNER,
        place(row),
        format!("No process holds the socket at {}.", row.service.id),
        "It is the kernel's own, as WireGuard, VXLAN and NFS have, or of a process that can't be seen from here.",
        "See what has it ('ip -d link' shows tunnels), and close what nothing needs.",
    )
}

/// `PostgreSQL at 5432/tcp`; where that is not certain, `What listens at 23/tcp (usually Telnet)`.
fn at(row: &Row, known: &Match<'_>) -> String {
    let id = &row.service.id;
    match known.is_certain() {
        true => format!("{} at {id}", known.entry.name),
        false => format!("What listens at {id} ({})", known.name()),
    }
}
