//! `fwtui explain`

use serde::Serialize;

use crate::app::explain::{Answer, Question, WalkLine, answer};
use crate::app::{Depth, Error, Machine};
use crate::cli::args::Explain;
use crate::cli::output::Out;
use crate::cli::{DONE, FAILED, NOT_PERMITTED};
use crate::core::reach::{DecidedBy, Fate, Step};

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
    out.line(&answer.verdict(&question.id, question.is_after))?;
    let (because, rule) = answer.because();
    out.line(&because)?;
    if let Some(rule) = rule {
        out.line(&format!("    {rule}"))?;
    }
    for line in answer.walk() {
        match line {
            WalkLine::Hook(hook) => out.line(&format!("\n{hook}"))?,
            WalkLine::Step(step) => out.line(&format!("  {step}"))?,
            WalkLine::Rule(rule) => out.line(&format!("      {rule}"))?,
        }
    }
    Ok(())
}
