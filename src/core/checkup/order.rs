//! What must stand in front of a refusal, and what stands in front of it by mistake.

use crate::core::listener::{Family, Protocol};
use crate::core::netfilter::{Condition, Field, Part, Rule, Statement, Table, TableFamily, Tool, ct, owner};
use crate::core::reach::{Decider, Fate, Place as Spot, Probe, Tracking, Walk};

use super::families::knocks;
use super::links::Link;
use super::outbound::{is_on_its_way_out, sent, to_itself};
use super::scene::{NO_SERVICE, Refusal, Scene, Wanted, number_of, program, removing};
use super::{Finding, Kind, Severity};

mod before;

const LOOPBACK: Kind = Kind {
    id: "loopback-refused",
    severity: Severity::Harmful,
    line: "rules refuse what this machine sends to itself, as it comes in on lo; risky where 127.0.0.1 and ::1 get \
           through and its other addresses don't",
};
const ANSWERS: Kind = Kind {
    id: "answers-refused",
    severity: Severity::Harmful,
    line: "rules refuse the answers to connections that they let pass: nothing accepts ESTABLISHED in front of a \
           refusal",
};
const LATE: Kind = Kind {
    id: "established-late",
    severity: Severity::Info,
    line: "packets of running connections are compared with 16 rules or more before one accepts ESTABLISHED",
};
const FLUSH: Kind = Kind {
    id: "policy-drop-flush",
    severity: Severity::Risky,
    line: "INPUT's policy is DROP under rules that were written by hand: 'iptables -F' refuses everything, SSH as well",
};

pub(super) const KINDS: &[Kind] = &[LOOPBACK, ANSWERS, LATE, before::BEFORE, FLUSH];

/// From so many rules on it is worth a word.
const MANY: usize = 16;
/// So many ports are tried.
const MOST_PORTS: usize = 16;

/// What was found.
pub(super) fn of(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for family in Family::ALL {
        findings.extend(loopback(scene, family));
        findings.extend(answers_in(scene, family));
        findings.extend(answers_out(scene, family));
        findings.extend(late(scene, family));
        findings.extend(flush(scene, family));
    }
    findings.extend(before::of(scene));
    findings
}

fn loopback(scene: &Scene<'_>, family: Family) -> Option<Finding> {
    let is_in = |refusal: &Refusal<'_>| !is_on_its_way_out(refusal);
    let itself = to_itself(scene, family)?;
    let (is_all, refusal) = if let Some(refusal) = scene.refusal([itself.clone()]).filter(is_in) {
        (true, refusal)
    } else {
        let own = scene.links.iter().find_map(|link| link.side(family).global())?;
        let packet = Probe::opening(itself.interface, own, own, Protocol::Tcp, NO_SERVICE);
        (false, scene.refusal([packet]).filter(is_in)?)
    };
    let wanted = Wanted {
        saved: "-i lo",
        native: "iifname lo",
    };
    let advice = Scene::accepting(&refusal, family, &[wanted]);
    let what = match is_all {
        true => format!("What this machine sends to itself over {family} is refused as it comes in on lo."),
        false => {
            format!(
                "What this machine sends to its own addresses other than loopback's is refused over {family} on lo."
            )
        }
    };
    let mut finding = Finding::new(
        &LOOPBACK,
        scene.place(&refusal.spot),
        what,
        "Programs of one machine speak to each other over the loopback interface, whatever address of it they use: \
         resolvers, databases, printing, the desktop.",
        format!("Accept it in front of that: {advice}."),
    );
    if !is_all {
        finding.severity = Severity::Risky;
    }
    Some(finding)
}

/// The accepting of what belongs to a connection.
const KNOWN: Wanted = Wanted {
    saved: "-m conntrack --ctstate RELATED,ESTABLISHED",
    native: "ct state established,related",
};

/// Answers to what this machine asks, by TCP and by DNS over UDP.
fn answers_in(scene: &Scene<'_>, family: Family) -> Option<Finding> {
    let refused = |protocol: Protocol, port: u16| {
        let asked = scene.links.iter().flat_map(|link| sent(link, family, protocol, port));
        let asked = asked.filter(|packet| scene.walk(packet).fate == Fate::Accepted);
        scene.refusal(asked.map(Probe::answered))
    };
    let tcp = refused(Protocol::Tcp, 443).filter(|refusal| !is_on_its_way_out(refusal));
    let udp = refused(Protocol::Udp, 53).filter(|refusal| !is_on_its_way_out(refusal));
    let refusal = tcp.or(udp)?;
    let what = match (tcp, udp) {
        (Some(_), Some(_)) => "Answers to this machine's own connections, TCP's and UDP's,",
        (Some(_), None) => "Answers to this machine's own TCP connections",
        _ => "Answers of DNS servers to this machine",
    };
    let (why, advice) = match refusal.tracking {
        Tracking::Looked => (
            "The rules let the questions out, and nothing in front of this refusal accepts what conntrack knows as \
             ESTABLISHED, so this machine's own connections fail.",
            format!(
                "Accept it in front of that: {}.",
                Scene::accepting(&refusal, family, &[KNOWN])
            ),
        ),
        Tracking::NotYet => (
            "The rules let the questions out, and here conntrack has not looked yet and nothing can tell an answer by \
             ESTABLISHED, so this machine's own connections fail.",
            match removing(&refusal, family) {
                Some(command) => format!("Take it away, and refuse in filter what is not an answer: {command}."),
                None => "Take it away, and refuse behind conntrack what is not an answer.".to_owned(),
            },
        ),
        Tracking::Kept => (
            "The rules let the questions out, and others keep the answers from conntrack (NOTRACK, notrack), so none \
             counts as ESTABLISHED and this machine's own connections fail.",
            "Keep only those ports from conntrack that are meant, or accept answers by the ports that they come from."
                .to_owned(),
        ),
    };
    Some(Finding::new(
        &ANSWERS,
        scene.place(&refusal.spot),
        format!("{what} are refused over {family} as they come in."),
        why,
        advice,
    ))
}

/// This machine's answers to connections that rules let in.
fn answers_out(scene: &Scene<'_>, family: Family) -> Option<Finding> {
    let mut ports: Vec<u16> = scene
        .evidence
        .rows
        .iter()
        .map(|row| row.service.id.ports.first())
        .collect();
    ports.splice(0..0, [22, 80, 443]);
    ports.truncate(MOST_PORTS);
    let port_and_refusal = ports.into_iter().find_map(|port| {
        let asked = scene
            .links
            .iter()
            .flat_map(|link| knocks(link, family, Protocol::Tcp, port));
        let mut asked = asked.filter(|packet| is_let_in_by_a_rule(&scene.walk(packet)));
        let packet = asked.next()?;
        Some((port, scene.refusal([packet.answered()])?))
    });
    let (port, refusal) = port_and_refusal?;
    let advice = Scene::accepting(&refusal, family, &[KNOWN]);
    is_on_its_way_out(&refusal).then(|| {
        Finding::new(
            &ANSWERS,
            scene.place(&refusal.spot),
            format!("Connections to port {port}/tcp are let in over {family}, and this machine's answers not out."),
            "Nothing in front of this refusal accepts what conntrack knows as ESTABLISHED, so whoever connects waits for \
             his time limit.",
            format!("Accept it in front of that: {advice}."),
        )
    })
}

/// Whether it arrives, and not by a policy only.
fn is_let_in_by_a_rule(walk: &Walk<'_>) -> bool {
    let by_rule = matches!(walk.decided_by, Decider::Rule(Spot { rule: Some(_), .. }));
    walk.fate == Fate::Accepted && by_rule
}

fn late(scene: &Scene<'_>, family: Family) -> Option<Finding> {
    let mut known = scene
        .links
        .iter()
        .flat_map(|link| sent(link, family, Protocol::Tcp, 443))
        .map(|packet| scene.walk(&packet.answered()));
    let spot = known.find_map(|walk| match walk.decided_by {
        Decider::Rule(spot) if is_let_in_by_a_rule(&walk) => Some(spot),
        Decider::Rule(_) | Decider::Kernel(_) => None,
    })?;
    let before = number_of(&spot).filter(|before| *before >= MANY)?;
    let is_of_tool = !matches!(owner(spot.table, spot.chain, spot.rule), Tool::Admin | Tool::Unknown);
    if is_of_tool || !spot.rule.is_some_and(asks_for_established) {
        return None;
    }
    let first = format!("the first of {}", spot.chain.name);
    Some(Finding::new(
        &LATE,
        scene.place(&spot),
        format!(
            "Packets of running connections pass {before} rules of {} before this one accepts them.",
            spot.chain.name
        ),
        "Nearly all packets belong to a running connection, and each of them is compared with every rule in front.",
        format!(
            "Make it {first}, behind the one for lo, unless a refusal in front is meant for running connections too."
        ),
    ))
}

fn asks_for_established(rule: &Rule) -> bool {
    rule.statements.iter().any(|statement| {
        let Statement::If(Condition::Is {
            field: Field::State,
            mask,
            values,
            is_negated,
        }) = statement
        else {
            return false;
        };
        // One value or several, or a mask of bits of which one is set.
        let of_values = values.iter().any(|part| *part == Part::number(ct::ESTABLISHED));
        mask.is_some_and(|mask| mask & ct::ESTABLISHED != 0 && *is_negated) || of_values
    })
}

/// `iptables -F` empties the chains and leaves their policies.
fn flush(scene: &Scene<'_>, family: Family) -> Option<Finding> {
    let of_family = match family {
        Family::Ipv4 => TableFamily::Ip,
        Family::Ipv6 => TableFamily::Ip6,
    };
    let is_table = |table: &&Table| table.family == of_family && table.name == "filter" && !table.is_dormant;
    let table = scene.netfilter.tables.iter().find(is_table)?;
    let chain = table.chain("INPUT")?;
    let drops = chain.base.as_ref().is_some_and(|base| base.drops);
    let policy = Spot {
        table,
        chain,
        rule: None,
    };
    if !drops || owner(table, chain, None) != Tool::Admin {
        return None;
    }
    let is_by_hand = |walk: &Walk<'_>| match walk.decided_by {
        Decider::Rule(spot) => {
            is_let_in_by_a_rule(walk)
                && std::ptr::eq(spot.table, table)
                && owner(spot.table, spot.chain, spot.rule) == Tool::Admin
        }
        Decider::Kernel(_) => false,
    };
    let ssh = |link: &Link<'_>| {
        let knocks = knocks(link, family, Protocol::Tcp, 22);
        let mut walks = knocks.iter().map(|packet| scene.walk(packet));
        walks.any(|walk| is_by_hand(&walk))
    };
    let is_open = scene.links.iter().any(ssh);
    is_open.then(|| {
        let program = program(table, family);
        Finding::new(
            &FLUSH,
            scene.place(&policy),
            format!("The policy of INPUT is DROP, and SSH gets in over {family} by a rule that '{program} -F' takes away."),
            format!("'{program} -F' empties the chains and leaves their policies, so whoever is connected over SSH is locked out."),
            format!(
                "Let the last rule refuse instead ({program} -A INPUT -j REJECT) and set the policy to ACCEPT ({program} \
                 -P INPUT ACCEPT), or run {program} -P INPUT ACCEPT before every flush."
            ),
        )
    })
}
