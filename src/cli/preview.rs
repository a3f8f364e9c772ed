//! `fwtui preview`

use std::net::SocketAddr;

use serde::Serialize;

use crate::app::{Depth, Error, Machine, plan};
use crate::cli::args::{Format, Preview};
use crate::cli::output::Out;
use crate::cli::{DONE, FAILED, NOT_PERMITTED, TO_DO};
use crate::core::connections::interrupted_words;
use crate::core::listener::{Family, Protocol};
use crate::core::overview::NetworkReach;
use crate::core::plan::{Plan, ServiceChange, UNSEEN};
use crate::core::reach::{Reach, Who};
use crate::core::ruleset::Sign;
use crate::core::text::capitalised;

mod classic;

#[derive(Serialize)]
struct Document {
    schema: u32,
    /// None where the kernel's rules can't be read.
    changes: Option<bool>,
    consequences: Vec<ConsequenceJson>,
    blocks: Vec<String>,
    /// The services that are stopped or started themselves.
    services: Vec<ServiceJson>,
    ways_in: Vec<String>,
    lockouts: Vec<LockoutJson>,
    warnings: Vec<String>,
    running: Vec<RunningJson>,
    interrupted: Vec<InterruptedJson>,
    diff: Option<Vec<String>>,
    ruleset: RulesetJson,
}

#[derive(Serialize)]
struct ConsequenceJson {
    id: String,
    name: String,
    before: Reach,
    after: Reach,
    text: String,
    networks: Vec<ChangeJson>,
}

/// What changes for those on one network.
#[derive(Serialize)]
struct ChangeJson {
    interface: String,
    family: Family,
    who: Who,
    before: &'static str,
    after: &'static str,
}

impl From<&NetworkReach> for ChangeJson {
    fn from(network: &NetworkReach) -> Self {
        Self {
            interface: network.interface.clone(),
            family: network.family,
            who: network.who,
            before: network.now.fate.word(),
            after: network.after.fate.word(),
        }
    }
}

#[derive(Serialize)]
struct ServiceJson {
    id: String,
    name: String,
    /// `disable` or `enable`.
    action: &'static str,
    units: Vec<String>,
    needed_by: Vec<String>,
    wanted_by: Vec<String>,
    also: Vec<String>,
    text: String,
}

impl From<&ServiceChange> for ServiceJson {
    fn from(change: &ServiceChange) -> Self {
        let proposal = &change.proposal;
        Self {
            id: proposal.id.to_string(),
            name: proposal.name.clone(),
            action: if change.is_stopped { "disable" } else { "enable" },
            units: proposal.units.clone(),
            needed_by: proposal.needed_by.clone(),
            wanted_by: proposal.wanted_by.clone(),
            also: proposal.also.iter().map(ToString::to_string).collect(),
            text: change.to_string(),
        }
    }
}

#[derive(Serialize)]
struct LockoutJson {
    service: String,
    text: String,
}

#[derive(Serialize)]
struct RunningJson {
    service: String,
    connections: usize,
    text: String,
}

#[derive(Serialize)]
struct InterruptedJson {
    protocol: Protocol,
    port: u16,
    peer: SocketAddr,
    program: Option<String>,
}

#[derive(Serialize)]
struct RulesetJson {
    ipv4: String,
    ipv6: String,
}

pub(super) fn run(machine: &Machine, args: &Preview, out: &Out) -> Result<u8, Error> {
    if args.classic {
        return classic::run(args.json, out);
    }
    // A broken policy has no preview: the default one would be shown in its place.
    let policy = machine.policy()?;
    let observation = machine.look(Depth::Plan);
    let plan = plan(&observation, &policy, args.off);
    match if args.json { Format::Json } else { args.format } {
        Format::Text => {
            out.prose(&words(&plan, false))?;
            if !(plan.is_in_force || plan.diff.is_empty()) {
                out.print(&format!("\n{}", diff(&plan)))?;
            }
        }
        Format::Diff => out.print(&diff(&plan))?,
        Format::Iptables => out.print(&machine.restore_text(&plan.candidate, Family::Ipv4)?)?,
        Format::Ip6tables => out.print(&machine.restore_text(&plan.candidate, Family::Ipv6)?)?,
        Format::Nft => out.print(&plan.candidate.to_nft_text())?,
        Format::Json => out.json(&document(machine, &plan, observation.filter.is_some())?)?,
    }
    for sentence in &observation.unseen {
        out.note(sentence);
    }
    if args.exit_code && observation.filter.is_none() {
        return Ok(if observation.is_root { FAILED } else { NOT_PERMITTED });
    }
    Ok(if args.exit_code && !plan.is_done() { TO_DO } else { DONE })
}

/// The plan in words.
pub(super) fn words(plan: &Plan, ends_connections: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    for lockout in &plan.lockouts {
        lines.push(format!("!! {lockout}."));
    }
    for warning in &plan.warnings {
        lines.push(format!(" ! {warning}."));
    }
    for change in &plan.services {
        lines.extend(
            change
                .sentences()
                .into_iter()
                .enumerate()
                .map(|(index, sentence)| match index {
                    0 => format!("   {}: {sentence}.", change.service()),
                    _ => format!("     {}.", capitalised(&sentence)),
                }),
        );
    }
    for consequence in &plan.consequences {
        lines.push(format!("   {consequence}."));
        lines.extend(consequence.by_network().map(|line| format!("     {line}.")));
    }
    lines.extend(plan.blocks.iter().map(|text| format!("   {text}.")));
    for way_in in &plan.kept {
        lines.push(format!(
            "   {}{} stays.",
            way_in.to_string().get(..1).unwrap_or_default().to_uppercase(),
            way_in.to_string().get(1..).unwrap_or_default()
        ));
    }
    for goes_on in &plan.going_on {
        lines.push(match ends_connections {
            true => format!("   {}.", goes_on.words_if_ended()),
            false => format!("   {goes_on} (--end-connections ends them once the trial is kept)."),
        });
    }
    if let Some(sentence) = interrupted_words(&plan.interrupted) {
        lines.push(format!("   {sentence}."));
    }
    if plan.is_blind {
        lines.push(format!("   {UNSEEN}."));
    } else if plan.consequences.is_empty() && plan.blocks.is_empty() {
        lines.push(match plan.is_in_force {
            true if !plan.services.is_empty() => "   The rules stay as they are.".to_owned(),
            true => "   Nothing changes: the kernel holds these rules already.".to_owned(),
            false => "   Nobody gains or loses access.".to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

fn diff(plan: &Plan) -> String {
    plan.diff
        .iter()
        .map(|line| match line.sign {
            Sign::Heading => format!("# {}\n", line.text),
            sign => format!("{}{}\n", sign.mark(), line.text),
        })
        .collect()
}

fn document(machine: &Machine, plan: &Plan, is_seen: bool) -> Result<Document, Error> {
    Ok(Document {
        schema: 1,
        changes: is_seen.then_some(!plan.is_done()),
        consequences: plan
            .consequences
            .iter()
            .map(|consequence| ConsequenceJson {
                id: consequence.id.to_string(),
                name: consequence.name.clone(),
                before: consequence.before,
                after: consequence.after,
                text: consequence.to_string(),
                networks: consequence.networks.iter().map(ChangeJson::from).collect(),
            })
            .collect(),
        blocks: plan.blocks.clone(),
        services: plan.services.iter().map(ServiceJson::from).collect(),
        ways_in: plan.kept.iter().map(ToString::to_string).collect(),
        lockouts: plan
            .lockouts
            .iter()
            .map(|lockout| LockoutJson {
                service: lockout.service.to_string(),
                text: lockout.to_string(),
            })
            .collect(),
        warnings: plan.warnings.iter().map(ToString::to_string).collect(),
        running: plan
            .going_on
            .iter()
            .map(|goes_on| RunningJson {
                service: goes_on.service.to_string(),
                connections: goes_on.count,
                text: goes_on.to_string(),
            })
            .collect(),
        interrupted: plan
            .interrupted
            .iter()
            .map(|flow| InterruptedJson {
                protocol: flow.connection.protocol,
                port: flow.connection.local.port(),
                peer: flow.connection.peer,
                program: flow.program.clone(),
            })
            .collect(),
        diff: is_seen.then(|| diff(plan).lines().map(str::to_owned).collect()),
        ruleset: RulesetJson {
            ipv4: machine.restore_text(&plan.candidate, Family::Ipv4)?,
            ipv6: machine.restore_text(&plan.candidate, Family::Ipv6)?,
        },
    })
}
