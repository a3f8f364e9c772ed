//! The catalogue as JSON: strict, and every complaint with its line.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Entry, Loopback, Recommended, Safeguard};
use crate::core::json::{Complaint, line_at, line_of_key, offset_of, reason_of};
use crate::core::service::ServiceId;
use crate::core::text::printable_within;

/// The version of the document this program reads.
const VERSION: u32 = 1;

/// Longest text of an entry, in characters.
const LONGEST: usize = 600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    version: u32,
    #[serde(borrow)]
    services: Vec<&'a RawValue>,
}

/// The fields of an entry; all but the id may be missing where the entry is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) id: String,
    name: Option<String>,
    what: Option<String>,
    ports: Option<Vec<ServiceId>>,
    processes: Option<Vec<String>>,
    units: Option<Vec<String>>,
    desktop: Option<Recommended>,
    server: Option<Recommended>,
    loopback: Option<Vec<Loopback>>,
    authenticates: Option<Safeguard>,
    encrypts: Option<Safeguard>,
    alternative: Option<String>,
    needs_root: Option<bool>,
    kernel: Option<bool>,
    source: Option<String>,
}

/// An entry as it stands in a document.
#[derive(Debug)]
pub(super) struct Changes {
    /// Its fields.
    pub(super) fields: Fields,
    /// At which byte of the document it begins: lines are counted for complaints only.
    at: usize,
}

/// Reads a document: what is right, and what is wrong.
pub(super) fn parse(text: &str) -> (Vec<Changes>, Vec<Complaint>) {
    let whole = |reason: String, line| {
        let complaint = Complaint { line, reason };
        (Vec::new(), vec![complaint])
    };
    // Serde would take a list of the fields' values as well.
    if text.trim_start().starts_with('[') {
        return whole("it is an object, { ... }, and this is a list".to_owned(), 1);
    }
    let document: Document<'_> = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => return whole(reason_of(&error, text), error.line()),
    };
    if document.version != VERSION {
        let reason = format!("version {} is not known: this fwtui reads {VERSION}", document.version);
        return whole(reason, line_of_key(text, "version"));
    }
    let (mut changes, mut complaints): (Vec<Changes>, Vec<Complaint>) = (Vec::new(), Vec::new());
    let mut ids = BTreeSet::new();
    for raw in document.services {
        let raw = raw.get();
        // It is a part of the text, so this is where it begins.
        let at = offset_of(raw, text);
        match entry(raw) {
            Ok(fields) if ids.insert(fields.id.clone()) => changes.push(Changes { fields, at }),
            Ok(fields) => complaints.push(Complaint {
                line: line_at(text, at),
                reason: format!("'{}' is there twice", fields.id),
            }),
            Err(complaint) => complaints.push(Complaint {
                line: line_at(text, at) + complaint.line - 1,
                ..complaint
            }),
        }
    }
    (changes, complaints)
}

/// Reads an entry; lines count from its beginning.
fn entry(raw: &str) -> Result<Fields, Complaint> {
    if !raw.starts_with('{') {
        let reason = "an entry is an object, { \"id\": ... }".to_owned();
        return Err(Complaint { line: 1, reason });
    }
    let fields: Fields = serde_json::from_str(raw).map_err(|error| Complaint {
        line: error.line(),
        reason: reason_of(&error, raw),
    })?;
    let complain = |key: &str, reason: String| Complaint {
        line: line_of_key(raw, key),
        reason,
    };
    let is_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if fields.id.is_empty() || !fields.id.bytes().all(is_id) {
        let reason = "an id is made of small letters, digits and hyphens, like 'my-service'".to_owned();
        return Err(complain("id", reason));
    }
    for (key, text) in fields.texts() {
        if text.trim().is_empty() || text.chars().count() > LONGEST || printable_within(text, LONGEST) != text {
            let reason = format!("'{key}' is empty, longer than {LONGEST} characters or not printable");
            return Err(complain(key, reason));
        }
    }
    if fields.ports.iter().flatten().any(|port| port.address.is_some()) {
        return Err(complain("ports", "a port has no address here: 53/udp".to_owned()));
    }
    if fields
        .loopback
        .iter()
        .flatten()
        .any(|loopback| loopback.lines.is_empty())
    {
        return Err(complain("lines", "'lines' names at least one line to set".to_owned()));
    }
    Ok(fields)
}

impl Fields {
    /// Every text in it, with its key.
    fn texts(&self) -> Vec<(&'static str, &str)> {
        let one = [
            ("name", &self.name),
            ("what", &self.what),
            ("alternative", &self.alternative),
            ("source", &self.source),
        ];
        let many = [("processes", &self.processes), ("units", &self.units)];
        let mut texts: Vec<(&str, &str)> = Vec::new();
        texts.extend(one.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?))));
        for (key, list) in many {
            texts.extend(list.iter().flatten().map(|text| (key, text.as_str())));
        }
        for recommended in [&self.desktop, &self.server].into_iter().flatten() {
            texts.push(("why", &recommended.why));
        }
        for safeguard in [&self.authenticates, &self.encrypts].into_iter().flatten() {
            texts.extend(safeguard.with.as_deref().map(|with| ("with", with)));
        }
        for loopback in self.loopback.iter().flatten() {
            texts.push(("file", &loopback.file));
            texts.extend(loopback.on.as_deref().map(|on| ("on", on)));
            texts.extend(loopback.lines.iter().map(|line| ("lines", line.as_str())));
        }
        texts
    }
}

impl Changes {
    /// The entry's id.
    pub(super) fn id(&self) -> &str {
        &self.fields.id
    }

    /// The entry with these fields, from this document, over what is known of it.
    ///
    /// # Errors
    /// Where nothing is known, and a field that every entry has is missing.
    pub(super) fn over(self, known: Option<Entry>, text: &str) -> Result<Entry, Complaint> {
        let Self { fields, at } = self;
        let id = fields.id;
        let missing = |key: &str| Complaint {
            line: line_at(text, at),
            reason: format!("'{id}' is new, and '{key}' is missing"),
        };
        let (name, what) = match (fields.name, fields.what, &known) {
            (Some(name), Some(what), _) => (name, what),
            (name, what, Some(known)) => (
                name.unwrap_or_else(|| known.name.clone()),
                what.unwrap_or_else(|| known.what.clone()),
            ),
            (None, _, None) => return Err(missing("name")),
            (_, None, None) => return Err(missing("what")),
        };
        let known = known.unwrap_or_default();
        let entry = Entry {
            name,
            what,
            ports: fields.ports.unwrap_or(known.ports),
            processes: fields.processes.unwrap_or(known.processes),
            units: fields.units.unwrap_or(known.units),
            desktop: fields.desktop.or(known.desktop),
            server: fields.server.or(known.server),
            loopback: fields.loopback.unwrap_or(known.loopback),
            authenticates: fields.authenticates.or(known.authenticates),
            encrypts: fields.encrypts.or(known.encrypts),
            alternative: fields.alternative.or(known.alternative),
            needs_root: fields.needs_root.or(known.needs_root),
            is_kernel: fields.kernel.unwrap_or(known.is_kernel),
            source: fields.source.or(known.source),
            id: id.clone(),
        };
        match entry.ports.is_empty() && entry.processes.is_empty() && entry.units.is_empty() {
            true => Err(missing("ports")),
            false => Ok(entry),
        }
    }
}
