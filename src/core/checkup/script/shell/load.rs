//! Commands that load rules or set sysctls.

use super::super::held::Held;
use super::super::{Note, Sysctl, invocation, save};
use super::expand::is_unknown;
use crate::core::listener::Family;

/// What a script has done so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Loaded {
    pub(super) held: Held,
    pub(super) sysctls: Vec<Sysctl>,
    /// How many commands of iptables there were.
    commands: usize,
}

/// The family of a program of iptables: `/sbin/iptables-legacy`, `ip6tables`.
pub(super) fn family(program: &str) -> Option<Family> {
    let name = program.rsplit('/').next()?;
    let is_of = |base: &str| {
        name.strip_prefix(base).is_some_and(|rest| {
            matches!(
                rest,
                "" | "-nft" | "-legacy" | "-restore" | "-nft-restore" | "-legacy-restore"
            )
        })
    };
    match () {
        () if is_of("iptables") => Some(Family::Ipv4),
        () if is_of("ip6tables") => Some(Family::Ipv6),
        () => None,
    }
}

impl Loaded {
    /// How much there is.
    pub(super) fn weight(&self) -> usize {
        self.held.weight() + self.sysctls.len()
    }

    /// What a command costs that looks for its place among the rules there are.
    pub(super) fn cost(&self, words: &[String]) -> usize {
        let is_at_end = words.iter().any(|word| matches!(word.as_str(), "-A" | "--append"));
        if is_at_end { 0 } else { self.commands / 512 }
    }

    /// One command of iptables.
    pub(super) fn iptables(&mut self, family: Family, words: &[String], line: usize, notes: &mut Vec<Note>) {
        self.commands += 1;
        let unknown = words.iter().find(|word| is_unknown(word));
        match (
            invocation::perform(&mut self.held, family, "filter", words, None, line),
            unknown,
        ) {
            (Ok(()), None) => {}
            (Ok(()), Some(word)) => notes.push((
                Some(line),
                format!("'{word}' can't be known from here; what depends on it counts as unknown."),
            )),
            (Err(reason), _) => notes.push((Some(line), format!("this command is left out: {reason}."))),
        }
    }

    /// iptables-restore with a text.
    pub(super) fn restore(
        &mut self,
        family: Family,
        words: &[String],
        text: Option<&[(usize, String)]>,
        line: usize,
        notes: &mut Vec<Note>,
    ) {
        let Some(lines) = text else {
            let text = "rules are loaded from elsewhere, which is not read; check that file by itself.".to_owned();
            return notes.push((Some(line), text));
        };
        if words.iter().any(|word| matches!(word.as_str(), "-t" | "--test")) {
            return;
        }
        let flushes = !words.iter().any(|word| matches!(word.as_str(), "-n" | "--noflush"));
        let mut held = self.held.clone();
        match save::read_lines(lines, family, flushes, &mut held) {
            Ok(()) => self.held = held,
            Err(error) => notes.push((error.line, format!("this text is not loaded: {}.", error.reason))),
        }
        for (line, text) in lines {
            if is_unknown(text) && !text.starts_with('#') {
                let text = "something here can't be known; what depends on it counts as unknown.".to_owned();
                notes.push((Some(*line), text));
            }
        }
    }

    /// `sysctl -w NAME=VALUE ...`
    pub(super) fn sysctl(&mut self, file: &str, words: &[String], line: usize, notes: &mut Vec<Note>) {
        let loads = |word: &String| matches!(word.as_str(), "-p" | "--load" | "--system") || word.starts_with("-p");
        if words.iter().any(loads) {
            let text = "sysctls are loaded from elsewhere, which is not read.".to_owned();
            return notes.push((Some(line), text));
        }
        for word in words {
            if let Some((name, value)) = word.split_once('=') {
                self.set(file, name.trim(), value.trim(), line, notes);
            }
        }
    }

    /// Writing to a file below /proc/sys.
    pub(super) fn write(&mut self, file: &str, path: &str, value: &str, line: usize, notes: &mut Vec<Note>) {
        if let Some(name) = path.strip_prefix("/proc/sys/") {
            self.set(file, name, value.trim(), line, notes);
        }
    }

    fn set(&mut self, file: &str, name: &str, value: &str, line: usize, notes: &mut Vec<Note>) {
        // What is done for each interface is done for the one that stands for all.
        let name = name.replace('/', ".").replace(".*.", ".all.");
        if !name.starts_with("net.") && !is_unknown(&name) {
            return;
        }
        if is_unknown(&name) || is_unknown(value) {
            let text = format!("which sysctl is set, or to what, can't be known: {name} = {value}.");
            return notes.push((Some(line), text));
        }
        self.sysctls.retain(|sysctl| sysctl.name != name);
        self.sysctls.push(Sysctl {
            name,
            value: value.to_owned(),
            default: None,
            source: Some((file.to_owned(), line)),
        });
    }
}
