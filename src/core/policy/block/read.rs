//! Blocks as the user writes them, in one line or in parts.

use std::time::Duration;

use ipnet::IpNet;

use super::{Block, end_words, exact};
use crate::core::network::parse_source;
use crate::core::policy::note::{self, LONGEST_NOTE};
use crate::core::ruleset::Stamp;
use crate::core::text::printable_within;

/// How an end is written; the kernel's clock match ends in 2038.
const HOW_UNTIL: &str = "write 2026-12-24 (00:00 UTC of that day) or 2026-12-24T18:00 (UTC), before 2038-01-19";

impl Block {
    /// Reads `445/tcp from 192.0.2.0/24 for 7d note CVE-...`. `now` is the time since 1970.
    ///
    /// # Errors
    /// What makes no sense, in words.
    pub fn parse_line(line: &str, now: Duration) -> Result<Self, String> {
        let mut words = line.split_whitespace().peekable();
        let service = words.next().ok_or("write a service first, like 445/tcp")?;
        let mut block = Self::on(service.parse()?);
        let is_keyword = |word: &str| matches!(word, "from" | "until" | "for" | "note");
        while let Some(word) = words.next() {
            match word {
                "from" => {
                    let mut listed = Vec::new();
                    while let Some(list) = words.next_if(|word| !is_keyword(word)) {
                        listed.extend(list.split(',').filter(|source| !source.is_empty()));
                    }
                    if listed.is_empty() {
                        return Err("'from' needs a network: 192.0.2.0/24, or an address".to_owned());
                    }
                    block.from.extend(parse_sources(listed)?);
                    block.from.sort();
                    block.from.dedup();
                }
                "until" | "for" if block.until.is_some() => {
                    return Err("it can end at one time only: 'until' or 'for', once".to_owned());
                }
                "until" => block.until = Some(parse_until(words.next().unwrap_or_default(), now)?),
                "for" => block.until = Some(parse_for(words.next().unwrap_or_default(), now)?),
                "note" => {
                    let note: Vec<&str> = words.by_ref().collect();
                    block.note = Some(parse_note(&note.join(" "))?);
                }
                other => {
                    return Err(format!(
                        "'{}' is not known here: write from, until, for, and note last",
                        printable_within(other, LONGEST_NOTE)
                    ));
                }
            }
        }
        block.check()?;
        Ok(block)
    }
}

/// Sources as the user writes them, sorted and none twice.
///
/// # Errors
/// What is wrong with the first that is wrong.
pub fn parse_sources<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Result<Vec<IpNet>, String> {
    let mut nets: Vec<IpNet> = words
        .into_iter()
        .map(|word| parse_source(word.as_ref()))
        .collect::<Result<_, _>>()?;
    nets.sort();
    nets.dedup();
    Ok(nets)
}

/// An end as the user writes it: a day stands for its first second. All times are UTC, as the
/// kernel's match counts: a summer time or a journey must not move it.
///
/// # Errors
/// What makes no sense, or is over at `now`, the time since 1970.
pub fn parse_until(text: &str, now: Duration) -> Result<Stamp, String> {
    let plain = text.strip_suffix('Z').unwrap_or(text).replacen(' ', "T", 1);
    let whole = match plain.len() {
        10 => format!("{plain}T00:00:00"),
        16 => format!("{plain}:00"),
        _ => plain,
    };
    let until = exact(&whole).ok_or_else(|| {
        let text = printable_within(text, LONGEST_NOTE);
        format!("'{text}' is no time: {HOW_UNTIL}")
    })?;
    match until.since_1970() <= now {
        true => Err(format!(
            "{} is over already: write a later time, or a day after today",
            end_words(until)
        )),
        false => Ok(until),
    }
}

/// An end as the user counts to it: `12h`, `7d`.
///
/// # Errors
/// What is no length of time, nothing at all, or longer than the kernel's match can count.
pub fn parse_for(text: &str, now: Duration) -> Result<Stamp, String> {
    let shown = printable_within(text, LONGEST_NOTE);
    let length = humantime::parse_duration(text)
        .map_err(|_error| format!("'{shown}' is no length of time: write it like 12h, 7d or 2weeks"))?;
    if length < Duration::from_secs(1) {
        return Err("a block lasts a second at least".to_owned());
    }
    let until = now.checked_add(length).and_then(Stamp::at_or_after);
    until.ok_or_else(|| format!("'{shown}' is too long: a block ends before 2038-01-19, or never"))
}

/// A note as the user writes it.
///
/// # Errors
/// Where it is empty, too long, or holds what a terminal would not print.
pub fn parse_note(text: &str) -> Result<String, String> {
    note::check(text, "the note is empty: leave it out instead").map(str::to_owned)
}
