//! `fwtui explain`

use serde::Serialize;

use crate::app::explain::{Answer, Question, answer};
use crate::app::{Depth, Error, Machine};
use crate::cli::args::Explain;
use crate::cli::output::Out;
use crate::cli::{DONE, FAILED, NOT_PERMITTED};
use crate::core::reach::{DecidedBy, Fate, Step};
use crate::core::text::{capitalised, printable_within};

/// Longest rule shown; a comment may have 255 characters, and a set of nft any number.
const LONGEST: usize = 300;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    verdict: &'static str,
    decided_by: &'a DecidedBy,
    interface: &'a str,
    from: std::net::IpAddr,
    to: std::net::IpAddr,
    port: u16,
    protocol: crate::core::listener::Protocol,
    walk: &'a [Step],
    /// What could not be seen.
    notes: &'a [String],
}

pub(super) fn run(machine: &Machine, args: &Explain, out: &Out) -> Result<u8, Error> {
    let observation = machine.look(Depth::Reach);
    let question = Question {
        id: args.service.clone(),
        from: args.from,
        interface: args.interface.clone(),
        is_after: args.after,
    };
    let answer = answer(&observation, &question)?;
    let Answer { explanation, .. } = &answer;
    if args.json {
        out.json(&Document {
            schema: 1,
            verdict: explanation.fate.word(),
            decided_by: &explanation.decided_by,
            interface: &answer.interface,
            from: answer.source,
            to: answer.destination,
            port: question.id.ports.first(),
            protocol: question.id.protocol,
            walk: &explanation.walk,
            notes: &observation.unseen,
        })?;
    } else {
        show(&question, &answer, out)?;
        for sentence in &observation.unseen {
            out.note(sentence);
        }
    }
    if let Some(error) = &observation.policy_error {
        out.note(&format!("fwtui: the policy is not used: {error}"));
        return Ok(FAILED);
    }
    Ok(match explanation.fate {
        Fate::Unknown { .. } if !observation.is_root => NOT_PERMITTED,
        _ => DONE,
    })
}

fn show(question: &Question, answer: &Answer, out: &Out) -> Result<(), Error> {
    let Answer {
        interface,
        source,
        destination,
        explanation,
    } = answer;
    let port = question.id.ports.first();
    let to = std::net::SocketAddr::new(*destination, port);
    let when = if question.is_after { "After applying, a" } else { "A" };
    let by = &explanation.decided_by;
    let verdict = match explanation.fate {
        Fate::Accepted => "gets in".to_owned(),
        Fate::Refused => "is refused".to_owned(),
        Fate::Dropped => "is dropped in silence".to_owned(),
        Fate::Unknown { may_arrive: true } => "may get in or not".to_owned(),
        Fate::Unknown { may_arrive: false } => "is refused or dropped".to_owned(),
    };
    out.line(&format!(
        "{when} new connection from {source} to {to}/{}, coming in by {interface}, {verdict}.",
        question.id.protocol
    ))?;
    let because = match explanation.fate {
        Fate::Unknown { .. } => "It can't be told because of",
        _ => "Decided by",
    };
    out.line(&format!("{because} {by}{}", rule_of(by)))?;
    let mut hook = "";
    for step in &explanation.walk {
        if step.hook != hook {
            hook = step.hook;
            out.line(&format!("\n{}:", capitalised(hook)))?;
        }
        match (step.table.as_str(), step.number) {
            ("", _) => out.line(&format!("  {}", step.effect))?,
            (table, None) => out.line(&format!("  {table} {}: {}", shown(&step.chain), step.effect))?,
            (table, Some(number)) => {
                let place = format!("{table} {} {number}", shown(&step.chain));
                out.line(&format!("  {place}: {}\n      {}", step.effect, shown(&step.rule)))?;
            }
        }
    }
    Ok(())
}

/// The rule's own text on a line of its own.
fn rule_of(by: &DecidedBy) -> String {
    match by.number {
        Some(_) => format!(":\n    {}", shown(&by.rule)),
        None => ".".to_owned(),
    }
}

fn shown(text: &str) -> String {
    printable_within(text, LONGEST)
}
