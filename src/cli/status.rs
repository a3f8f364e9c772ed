//! `fwtui status`

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use crate::app::TrialView;
use crate::app::{Error, Last, Machine, Presence, Protection, State, Status, protection_words};
use crate::cli::args::Json;
use crate::cli::output::Out;
use crate::cli::{DONE, FAILED, NOT_PERMITTED, TO_DO};
use crate::core::listener::Family;
use crate::core::policy::end_words;
use crate::core::proof::Evidence;
use crate::core::ruleset::Stamp;
use crate::core::text::capitalised;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    state: State,
    backend: Option<&'a str>,
    trial: Option<TrialJson<'a>>,
    last: Option<&'a Last>,
    pending_changes: Option<bool>,
    drift: Option<&'a str>,
    other_backend: Option<&'a str>,
    protection: &'a [Protection],
    blocks: BlocksJson,
    tools: &'a [Presence],
    conflicts: &'a [String],
}

/// What the wanted policy blocks.
#[derive(Serialize)]
struct BlocksJson {
    count: usize,
    next_end: Option<String>,
}

#[derive(Serialize)]
struct TrialJson<'a> {
    id: &'a str,
    seconds_left: u64,
    timeout: u64,
    evidence: Vec<EvidenceJson>,
    second_session: Option<&'a str>,
    /// What the kernel's timer can't undo.
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel_note: Option<&'a str>,
    /// What is wanted by now and not on trial, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_since: Option<&'a str>,
}

#[derive(Serialize)]
struct EvidenceJson {
    family: Family,
    port: String,
    peer: IpAddr,
    new_connections: u32,
    seconds_ago: u64,
}

pub(super) fn run(machine: &Machine, args: &Json, out: &Out) -> Result<u8, Error> {
    let status = machine.status();
    let now = machine.since_boot();
    let decided_since = status.trial.as_ref().and_then(|_| machine.decided_since());
    if args.json {
        out.json(&Document {
            schema: 1,
            state: status.state,
            backend: status.backend.as_deref(),
            trial: status.trial.as_ref().map(|trial| TrialJson {
                id: &trial.id,
                seconds_left: trial.seconds_left(now),
                timeout: trial.timeout.as_secs(),
                evidence: evidence_json(trial, now),
                second_session: trial.second_session.as_deref(),
                kernel_note: trial.kernel_note.as_deref(),
                decided_since: decided_since.as_deref(),
            }),
            last: status.last.as_ref(),
            pending_changes: status.has_pending,
            drift: status.drift.as_deref(),
            other_backend: status.other_backend.as_deref(),
            protection: &status.protection,
            blocks: BlocksJson {
                count: status.blocks.len(),
                next_end: next_end(&status).map(|until| format!("{until}Z")),
            },
            tools: &status.tools,
            conflicts: &status.conflicts,
        })?;
    } else {
        out.prose(&text(&status, decided_since, now))?;
    }
    // Without root that nothing can be seen is said already.
    let unreadable = machine.policy().err().filter(|_| status.state != State::Unknown);
    if let Some(error) = &unreadable {
        out.note(&format!(
            "fwtui: the policy can't be used, and nothing is applied until it is mended: {error}"
        ));
    }
    Ok(match status.state {
        State::Off | State::Confirmed if unreadable.is_some() => FAILED,
        State::Off | State::Confirmed => DONE,
        State::Trial | State::Drifted => TO_DO,
        // What can't be seen must not pass for "all is well".
        State::Unknown if status.drift.is_some() => FAILED,
        State::Unknown => NOT_PERMITTED,
    })
}

/// When the next block ends by itself.
fn next_end(status: &Status) -> Option<Stamp> {
    status.blocks.iter().filter_map(|block| block.until).min()
}

fn blocks(status: &Status) -> Option<String> {
    let services = match status.blocks.len() {
        0 => return None,
        1 => "1 block is".to_owned(),
        many => format!("{many} blocks are"),
    };
    let next = match next_end(status) {
        Some(until) => format!("the next ends {}", end_words(until)),
        None => "none ends by itself".to_owned(),
    };
    Some(format!("{services} in the policy; {next}. 'fwtui block' lists them."))
}

fn evidence_json(trial: &TrialView, now: Duration) -> Vec<EvidenceJson> {
    let json = |evidence: &Evidence| EvidenceJson {
        family: evidence.family,
        port: evidence.port.to_string(),
        peer: evidence.peer,
        new_connections: evidence.connections,
        seconds_ago: evidence.seconds_ago(now),
    };
    trial.evidence.iter().map(json).collect()
}

/// What has been seen of new connections, and how to make one.
fn proof(trial: &TrialView, now: Duration) -> Vec<String> {
    let mut lines: Vec<String> = trial.evidence.iter().map(|evidence| evidence.sentence(now)).collect();
    if let Some(command) = trial.second_session.as_ref().filter(|_| lines.is_empty()) {
        lines.push(format!(
            "No new connection of yours has been seen yet. Open one, and confirm there:\n  {command}"
        ));
    }
    lines
}

fn text(status: &Status, decided_since: Option<String>, now: Duration) -> String {
    let mut lines = vec![match (status.state, &status.trial) {
        (_, Some(trial)) => format!(
            "On trial: {} seconds left. Keep it with 'sudo fwtui confirm', end it with 'sudo fwtui revert'.",
            trial.seconds_left(now)
        ),
        (State::Off | State::Trial, None) => "Off: no rules of fwtui are in force.".to_owned(),
        (State::Confirmed, None) => "Confirmed: the rules in force are those that were confirmed.".to_owned(),
        (State::Drifted, None) => format!(
            "Drifted: {}. {}",
            status
                .drift
                .as_deref()
                .unwrap_or("the kernel does not hold what was confirmed"),
            match status.can_restore {
                true => "Load what was confirmed with 'sudo fwtui restore', or apply again.",
                // Restoring would take them out at once, and open the machine.
                false => "Apply and confirm rules with 'sudo fwtui apply', or take these out with 'sudo fwtui off'.",
            }
        ),
        (State::Unknown, None) => match &status.drift {
            Some(why) => format!("Unknown: {why}."),
            None => "Unknown: without root the rules can't be seen. Look with 'sudo fwtui status'.".to_owned(),
        },
    }];
    if let (State::Trial, Some(drift)) = (status.state, &status.drift) {
        lines.push(format!(
            "Beware: the rules on trial are no longer in the kernel as they were loaded: {drift}. \
             'sudo fwtui revert' puts the old ones back."
        ));
    }
    lines.extend(status.backend.as_ref().map(|name| format!("Rules go through {name}.")));
    lines.extend(status.other_backend.as_ref().map(|report| format!("Beware: {report}.")));
    if !status.tools.is_empty() {
        let words: Vec<String> = status.tools.iter().map(Presence::words).collect();
        lines.push(format!("Also decides: {}.", words.join(", ")));
    }
    lines.extend(status.conflicts.iter().map(|why| format!("Beware: {why}.")));
    lines.extend(status.trial.iter().flat_map(|trial| proof(trial, now)));
    if !status.protection.is_empty() {
        lines.push(format!("{}.", capitalised(&protection_words(&status.protection))));
    }
    lines.extend(decided_since);
    let note = status.trial.as_ref().and_then(|trial| trial.kernel_note.as_ref());
    lines.extend(note.map(|note| format!("{}.", capitalised(note))));
    // What became of one before says nothing of the one that runs.
    if let (Some(last), None) = (&status.last, &status.trial) {
        lines.push(format!("{}.", capitalised(&last.sentence())));
    }
    lines.extend(blocks(status));
    if status.has_pending == Some(true) && status.trial.is_none() {
        lines.push("The policy has changes that are not applied: 'fwtui preview' shows them.".to_owned());
    }
    lines.join("\n") + "\n"
}
