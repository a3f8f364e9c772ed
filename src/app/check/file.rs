//! Checkup of a file, on any machine: nothing of this one is looked at.

use std::fs::File;
use std::io::{ErrorKind, Read};

use super::Checkup;
use crate::app::{Error, Kind};
use crate::core::checkup::script::{self, LARGEST, Unreadable};
use crate::core::checkup::{Evidence, Finding, Place, check};
use crate::core::text::printable_within;

/// Longest sentence that is shown, in characters.
const LONGEST: usize = 2000;

/// Checks a file of rules or commands; `-` is the standard input.
///
/// # Errors
/// Where it can't be read, or there is no rule in it; with the line.
pub fn checkup_of_file(name: &str) -> Result<Checkup, Error> {
    let (shown, bytes) = match name {
        "-" => ("standard input".to_owned(), taken(std::io::stdin().lock())),
        name => (printable_within(name, LONGEST), File::open(name).and_then(taken)),
    };
    let bytes = bytes.map_err(|error| {
        let message = format!("{shown} can't be read: {error}");
        match error.kind() {
            ErrorKind::PermissionDenied => Error::new(Kind::NotPermitted, message).hint("Run it with sudo."),
            _ => Error::failed(message).hint("Give a file, or - for the standard input."),
        }
    })?;
    if bytes.len() as u64 > LARGEST {
        let most = LARGEST >> 20;
        return Err(
            Error::failed(format!("{shown} is larger than {most} MiB, and not read"))
                .hint("Give it the rules alone: what 'iptables-save' prints."),
        );
    }
    // Old scripts have comments in other encodings; what they do is ASCII.
    let text = String::from_utf8_lossy(&bytes);
    checkup_of_text(&shown, &text)
}

/// Checks a text of rules or commands; the name is that of its file.
///
/// # Errors
/// Where there is no rule in it; with the line.
pub fn checkup_of_text(name: &str, text: &str) -> Result<Checkup, Error> {
    let reading = script::read(name, text).map_err(|error| unreadable(name, error))?;
    let evidence = Evidence {
        netfilter: Some(&reading.netfilter),
        lines: Some(&reading.lines),
        families: &reading.families,
        sysctls: &reading.sysctls,
        ..Evidence::default()
    };
    Ok(Checkup {
        findings: check(&evidence).into_iter().map(made_printable).collect(),
        looked_at: evidence.looked_at(),
        unseen: reading.notes,
    })
}

fn taken(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more than is allowed tells that there is more.
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, error: Unreadable) -> Error {
    let place = match error.line {
        Some(line) => format!("{name}, line {line}"),
        None => name.to_owned(),
    };
    let message = printable_within(&format!("{place}: {}", error.reason), LONGEST);
    Error::failed(message).hint(error.hint)
}

/// Names of chains and the like are as somebody wrote them.
fn made_printable(finding: Finding) -> Finding {
    let printable = |text: String| printable_within(&text, LONGEST);
    Finding {
        place: Place {
            file: finding.place.file.map(printable),
            chain: finding.place.chain.map(printable),
            rule: finding.place.rule.map(printable),
            sysctl: finding.place.sysctl.map(printable),
            ..finding.place
        },
        what: printable(finding.what),
        why: printable(finding.why),
        advice: printable(finding.advice),
        ..finding
    }
}
