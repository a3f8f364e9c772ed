//! `fwtui block`, `fwtui unblock`

use serde::Serialize;

use crate::app::{BlockView, Error, Kind, Machine};
use crate::cli::DONE;
use crate::cli::args::{self, Unblock};
use crate::cli::decide::outcome;
use crate::cli::output::Out;
use crate::cli::table;
use crate::core::policy::{Block, end_words, parse_for, parse_note, parse_sources, parse_until};
use crate::core::service::ServiceId;

#[derive(Serialize)]
struct Document {
    schema: u32,
    blocks: Vec<ListedJson>,
}

#[derive(Serialize)]
struct ListedJson {
    #[serde(flatten)]
    block: BlockJson,
    /// Whether the kernel holds it; null where that can't be seen.
    in_force: Option<bool>,
}

/// A block, as every document shows it.
#[derive(Serialize)]
pub(super) struct BlockJson {
    service: String,
    from: Vec<String>,
    until: Option<String>,
    note: Option<String>,
}

impl From<&Block> for BlockJson {
    fn from(block: &Block) -> Self {
        Self {
            service: block.service.to_string(),
            from: block.from.iter().map(ToString::to_string).collect(),
            until: block.until.map(|until| format!("{until}Z")),
            note: block.note.clone(),
        }
    }
}

impl From<&BlockView> for ListedJson {
    fn from(view: &BlockView) -> Self {
        Self {
            block: BlockJson::from(&view.block),
            in_force: view.is_in_force,
        }
    }
}

pub(super) fn run(machine: &Machine, args: &args::Block, out: &Out) -> Result<u8, Error> {
    let Some(service) = &args.service else {
        return list(machine, args.json, out);
    };
    let block = block(machine, service, args).map_err(usage)?;
    let (said, has_changed) = machine.edit(|policy| {
        policy.block(block.clone());
        Ok(block.to_string())
    })?;
    out.line(&outcome(&said, has_changed))?;
    Ok(DONE)
}

fn block(machine: &Machine, service: &str, args: &args::Block) -> Result<Block, String> {
    let now = machine.since_1970();
    let until = match (&args.until, &args.length) {
        (Some(until), _) => Some(parse_until(until, now)?),
        (None, Some(length)) => Some(parse_for(length, now)?),
        (None, None) => None,
    };
    let block = Block {
        from: parse_sources(&args.from)?,
        until,
        note: args.note.as_deref().map(parse_note).transpose()?,
        ..Block::on(service.parse()?)
    };
    block.check()?;
    Ok(block)
}

fn list(machine: &Machine, is_json: bool, out: &Out) -> Result<u8, Error> {
    let blocks = machine.blocks()?;
    if is_json {
        out.json(&Document {
            schema: 1,
            blocks: blocks.iter().map(ListedJson::from).collect(),
        })?;
    } else if blocks.is_empty() {
        out.line("Nothing is blocked.")?;
    } else {
        let rows: Vec<_> = blocks.iter().map(cells).collect();
        out.print(&table::columns(
            ["SERVICE", "FROM", "UNTIL", "IN FORCE", "NOTE"],
            &rows,
            out.width(),
        ))?;
    }
    Ok(DONE)
}

fn cells(view: &BlockView) -> table::Cells<'_, 5> {
    let block = &view.block;
    let from: Vec<String> = block.from.iter().map(ToString::to_string).collect();
    let from = match from.is_empty() {
        true => "everyone".to_owned(),
        false => from.join(" "),
    };
    let is_in_force = match view.is_in_force {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    };
    [
        block.service.to_string().into(),
        from.into(),
        block.until.map_or_else(|| "-".to_owned(), end_words).into(),
        is_in_force.into(),
        block.note.as_deref().unwrap_or("-").into(),
    ]
}

pub(super) fn unblock(machine: &Machine, args: &Unblock, out: &Out) -> Result<u8, Error> {
    let service: ServiceId = args.service.parse().map_err(usage)?;
    let from = parse_sources(&args.from).map_err(usage)?;
    let (left, has_changed) = machine.edit(|policy| {
        let others = match policy.unblock(&service, &from) {
            0 => policy.blocks_on(&service).cloned().collect(),
            _ => Vec::new(),
        };
        Ok(others)
    })?;
    if has_changed {
        out.line(&outcome(&format!("{service} is no longer blocked"), true))?;
        return Ok(DONE);
    }
    if left.is_empty() {
        out.line(&format!("{service} was not blocked; nothing changed."))?;
        return Ok(DONE);
    }
    // Else a script would believe that it is open again.
    let error = match left.iter().any(|block| block.service == service) {
        true => format!("{service} is not blocked from these sources, and from these alone"),
        false => format!("{service} has no block of its own, but others hold for it"),
    };
    Err(left.into_iter().fold(usage(error), |error, block| {
        let name = if block.service == service {
            "It".to_owned()
        } else {
            block.service.to_string()
        };
        error.hint(format!("{name} is {}.", block.mark()))
    }))
}

fn usage(error: String) -> Error {
    Error::new(Kind::Usage, error)
}
