//! `fwtui set`

use crate::app::{Error, Kind, Machine};
use crate::cli::DONE;
use crate::cli::args::Set;
use crate::cli::output::Out;
use crate::core::network::parse_source;
use crate::core::policy::{Decision, Entry, Logging, Policy, Refusal};
use crate::core::service::ServiceId;

pub(super) fn run(machine: &Machine, args: &Set, out: &Out) -> Result<u8, Error> {
    let (said, has_changed) = machine.edit(|policy| change(policy, args))?;
    out.line(&outcome(&said, has_changed))?;
    let Ok(id) = args.subject.parse::<ServiceId>() else {
        return Ok(DONE);
    };
    let policy = machine.policy()?;
    if let Some(block) = policy.current(machine.since_1970()).blocks_on(&id).next() {
        out.note(&format!(
            "{block}. 'sudo fwtui unblock {}' takes that back.",
            block.service
        ));
    }
    Ok(DONE)
}

/// What an edit of the policy says.
pub(super) fn outcome(said: &str, has_changed: bool) -> String {
    match has_changed {
        true => format!("{said}. That is not in force yet: 'fwtui preview' shows it, 'sudo fwtui apply' applies it."),
        false => format!("{said} already; nothing changed."),
    }
}

/// Changes the policy and says what it is then, without a full stop.
fn change(policy: &mut Policy, args: &Set) -> Result<String, Error> {
    let usage = |error: String| Error::new(Kind::Usage, error);
    let words = |words: &[&str]| {
        usage(format!(
            "'{}' is not known here: use {}",
            args.value,
            words.join(" or ")
        ))
    };
    if !args.from.is_empty() && matches!(args.subject.as_str(), "refusal" | "logging") {
        return Err(usage(format!("'{}' takes no sources", args.subject)));
    }
    match args.subject.as_str() {
        "refusal" => {
            let known = [Refusal::Reject, Refusal::Drop];
            let found = known.into_iter().find(|refusal| refusal.word() == args.value);
            policy.refusal = found.ok_or_else(|| words(&known.map(Refusal::word)))?;
            Ok(match policy.refusal {
                Refusal::Reject => "What is refused gets an answer".to_owned(),
                Refusal::Drop => "What is refused gets no answer; a mistyped port looks like a dead machine".to_owned(),
            })
        }
        "logging" => {
            let known = [Logging::Off, Logging::Kernel, Logging::Nflog];
            let found = known.into_iter().find(|logging| logging.word() == args.value);
            policy.logging = found.ok_or_else(|| words(&known.map(Logging::word)))?;
            Ok(match policy.logging {
                Logging::Off => "Refusals are not logged".to_owned(),
                Logging::Kernel => "Refusals go to the kernel's log, five a second at most".to_owned(),
                Logging::Nflog => "Refusals go to NFLOG group 7, five a second at most".to_owned(),
            })
        }
        _ => decide(policy, args),
    }
}

fn decide(policy: &mut Policy, args: &Set) -> Result<String, Error> {
    let usage = |error: String| Error::new(Kind::Usage, error);
    let id: ServiceId = args.subject.parse().map_err(usage)?;
    let decision: Decision = args.value.parse().map_err(usage)?;
    let mut from = args
        .from
        .iter()
        .map(|source| parse_source(source))
        .collect::<Result<Vec<_>, _>>()
        .map_err(usage)?;
    from.sort();
    from.dedup();
    policy
        .decide(
            id.clone(),
            Entry {
                decision,
                from: from.clone(),
            },
        )
        .map_err(usage)?;
    let sources: Vec<String> = from.iter().map(ToString::to_string).collect();
    let said = match (decision, sources.is_empty()) {
        (Decision::Undecided, _) => format!("{id} is undecided"),
        (Decision::Open, true) => format!("{id} is open to everyone"),
        (Decision::Open, false) => format!("{id} is open to {}", sources.join(", ")),
        (Decision::Trusted, _) => format!("{id} is for trusted networks"),
        (Decision::Confine, _) => format!("{id} is confined to this machine"),
    };
    Ok(match policy.disabled.contains_key(&id) {
        true => format!("{said}, once it is enabled again: now it is to be off"),
        false => said,
    })
}
