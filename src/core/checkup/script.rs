//! Rules from a file: what iptables-save printed, or a shell script of iptables commands, which is
//! read and never run.
//!
//! Text in, rules out. What can't be known from the text alone (the output of another program, a
//! variable that is set elsewhere) stays in its place as unknown, and is told in a note with its line.

use crate::core::checkup::{Lines, Sysctl};
use crate::core::listener::Family;
use crate::core::netfilter::{Engine, Netfilter, save as typed};
use crate::core::ruleset::{RuleParts, TableParts};
use crate::core::text::printable_within;

mod held;
mod icmp;
mod invocation;
mod normal;
mod save;
mod services;
mod shell;
#[cfg(test)]
mod tests;

use held::Held;

/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 8 << 20;
/// So many notes are told, and how many more there are.
const MOST_NOTES: usize = 50;
/// Longest rule that is shown, in characters.
const LONGEST_RULE: usize = 1000;

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The rules.
    pub netfilter: Netfilter,
    /// Where they stand.
    pub lines: Lines,
    /// The families it has rules of.
    pub families: Vec<Family>,
    /// The sysctls it sets.
    pub sysctls: Vec<Sysctl>,
    /// What could not be read, and why: one sentence each, with its line.
    pub notes: Vec<String>,
}

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, from 1; none where it is the whole file.
    pub line: Option<usize>,
    /// What is wrong, without a full stop.
    pub reason: String,
    /// What to do next.
    pub hint: String,
}

impl Unreadable {
    fn whole(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            line: None,
            reason: reason.into(),
            hint: hint.into(),
        }
    }

    fn at(line: usize, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::whole(reason, hint)
        }
    }
}

/// A note with the line it is about; none where it is about the whole.
type Note = (Option<usize>, String);

/// Reads a file's text. Its name tells the family where nothing else does.
///
/// # Errors
/// Where there is no rule in it, or what iptables-save printed is not whole.
pub fn read(file: &str, text: &str) -> Result<Reading, Unreadable> {
    if text.contains('\0') {
        return Err(Unreadable::whole("it is not text", NEXT));
    }
    let mut held = Held::default();
    let mut notes: Vec<Note> = Vec::new();
    let mut sysctls = Vec::new();
    let shown = printable_within(file, LONGEST_RULE);
    if save::is_save(text) {
        save::read_whole(file, text, &mut held, &mut notes)?;
    } else if is_native(text) {
        return Err(Unreadable::whole(
            "it holds rules of nft, which are not read from files",
            "Load them and run 'sudo fwtui check', which reads the rules of nft from the kernel.",
        ));
    } else {
        sysctls = shell::read(&shown, text, &mut held, &mut notes);
    }
    if held.is_empty() && sysctls.is_empty() {
        // Why there is none may be known.
        notes.sort();
        let why = notes.into_iter().find_map(|(line, text)| Some((line?, text)));
        return Err(match why {
            Some((line, text)) => {
                let text = text.trim_end_matches('.');
                Unreadable::at(line, format!("there is no rule in it that is read; {text}"), NEXT)
            }
            None => Unreadable::whole("there is no rule in it", NEXT),
        });
    }
    Ok(finished(file, &held, sysctls, notes))
}

/// Whether a text is for nft: its first line that is no comment says so.
fn is_native(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    if text.starts_with("#!") {
        return lines.next().is_some_and(|first| first.contains("nft"));
    }
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| {
        line.starts_with("table ") || line.starts_with("flush ruleset") || line.starts_with("define ")
    })
}

/// What to do with a file that holds no rules.
const NEXT: &str = "Give it what 'iptables-save' prints, or a shell script of iptables commands.";

/// The rules as Checkup takes them, with the places of their lines.
fn finished(file: &str, held: &Held, sysctls: Vec<Sysctl>, notes: Vec<Note>) -> Reading {
    let mut reading = Reading {
        lines: Lines {
            file: printable_within(file, LONGEST_RULE),
            ..Lines::default()
        },
        families: held.families(),
        sysctls,
        notes: told(notes),
        ..Reading::default()
    };
    for (family, name, table) in held.tables() {
        let chains = table.chains.iter().map(|(name, chain)| {
            let policy = chain.policy.as_deref().unwrap_or("-");
            (name.as_str(), policy)
        });
        let rules = table.chains.iter().flat_map(|(name, chain)| {
            chain.rules.iter().map(|rule| RuleParts {
                chain: name,
                words: &rule.words,
                line: &rule.text,
            })
        });
        let parts = TableParts {
            name,
            is_hidden: table.is_hidden,
            chains: chains.collect(),
            rules: rules.collect(),
            unread: &[],
        };
        let mut typed = typed::table_of(&parts, Engine::Nft, family);
        let at = reading.netfilter.tables.len();
        for (place, chain) in typed.chains.iter_mut().enumerate() {
            let Some(held) = table.chains.get(&chain.name) else {
                continue;
            };
            // What is hidden stands in front as a rule of its own.
            let before = chain.rules.len().saturating_sub(held.rules.len());
            for (rule, place_of_rule) in held.rules.iter().zip(before..) {
                reading.lines.rules.insert((at, place, place_of_rule), rule.line);
            }
            if let Some(line) = held.policy_line {
                reading.lines.policies.insert((at, place), line);
            }
            for rule in &mut chain.rules {
                rule.text = printable_within(&rule.text, LONGEST_RULE);
            }
        }
        reading.netfilter.tables.push(typed);
    }
    reading
}

/// The notes as sentences, by line, none twice, and not too many.
fn told(mut notes: Vec<Note>) -> Vec<String> {
    notes.sort();
    notes.dedup();
    let more = notes.len().saturating_sub(MOST_NOTES);
    notes.truncate(MOST_NOTES);
    let one = |(line, text): Note| {
        let text = printable_within(&text, LONGEST_RULE);
        match line {
            Some(line) => format!("Line {line}: {text}"),
            None => text,
        }
    };
    let rest = (more > 0).then(|| format!("There are {more} more notes like these."));
    notes.into_iter().map(one).chain(rest).collect()
}
