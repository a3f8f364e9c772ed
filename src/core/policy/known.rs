//! Findings of Checkup that are known and intended: marked with a note, and no longer counted.
//!
//! A mark changes no rule, so it is no change that waits for an apply.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::checkup::Finding;
use crate::core::policy::{Policy, note};

/// Longest id of a kind of finding, in characters.
const LONGEST_ID: usize = 100;

/// A mark: this kind of finding, at this subject, is intended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The id of the kind of finding. Another version of fwtui may call it otherwise.
    #[serde(deserialize_with = "id")]
    pub finding: String,
    /// The finding's subject; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// Why it is intended.
    #[serde(deserialize_with = "note")]
    pub note: String,
}

impl Known {
    /// What there is one mark of.
    fn key(&self) -> (&str, &str) {
        (&self.finding, &self.at)
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    match !id.is_empty() && id.len() <= LONGEST_ID && id.chars().all(is_letter) {
        true => Ok(()),
        false => Err(format!("{id:?} is no kind of finding: 'fwtui check' names them")),
    }
}

/// A note as it is kept: one line that says something, without blanks around it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_note(text: &str) -> Result<&str, String> {
    note::check(text, "a note is needed: why is it intended?")
}

/// Reads a text and checks it where it stands: a complaint after that would have a later line.
struct Checked(fn(&str) -> Result<&str, String>);

impl Visitor<'_> for Checked {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        (self.0)(text).map(str::to_owned).map_err(E::custom)
    }
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(Checked(|id| check_id(id).map(|()| id)))
}

fn note<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(Checked(check_note))
}

/// All marks, in order, one for each finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(Vec<Known>);

impl Marks {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.iter()
    }

    /// The note of a finding; none where it is not marked.
    pub fn note(&self, id: &str, subject: &str) -> Option<&str> {
        let place = self.find(id, subject).ok()?;
        self.0.get(place).map(|known| known.note.as_str())
    }

    /// [`Self::note`] of a finding as it was found.
    pub fn note_of(&self, finding: &Finding) -> Option<&str> {
        match self.is_empty() {
            true => None,
            false => self.note(finding.id, &finding.subject()),
        }
    }

    fn find(&self, id: &str, subject: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|known| known.key().cmp(&(id, subject)))
    }

    /// Takes one more; whether there was none of this finding.
    fn add(&mut self, known: Known) -> bool {
        match self.find(&known.finding, &known.at) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, known);
                true
            }
        }
    }

    fn remove(&mut self, id: &str, subject: &str) -> bool {
        match self.find(id, subject) {
            Ok(place) => {
                self.0.remove(place);
                true
            }
            Err(_) => false,
        }
    }
}

impl Policy {
    /// Marks a finding as known and intended; a mark that is there gets the new note.
    ///
    /// # Errors
    /// What is wrong with the id or the note; the policy is then unchanged.
    pub fn mark_known(&mut self, id: &str, subject: &str, note: &str) -> Result<(), String> {
        check_id(id)?;
        let note = check_note(note)?;
        self.known.remove(id, subject);
        self.known.add(Known {
            finding: id.to_owned(),
            at: subject.to_owned(),
            note: note.to_owned(),
        });
        Ok(())
    }

    /// Takes a mark back; whether there was one.
    pub fn unmark_known(&mut self, id: &str, subject: &str) -> bool {
        self.known.remove(id, subject)
    }

    /// Whether it wants of the machine what another one wants: all but the marks of findings.
    pub fn wants_the_same_as(&self, other: &Self) -> bool {
        let bare = |policy: &Self| Self {
            known: Marks::default(),
            ..policy.clone()
        };
        match self.known == other.known {
            true => self == other,
            false => bare(self) == bare(other),
        }
    }

    /// Whether it is there for its marks alone, and nothing was ever decided.
    pub fn has_only_marks(&self) -> bool {
        !self.known.is_empty() && self.wants_nothing()
    }

    /// Whether nothing is decided; findings may be marked.
    pub fn wants_nothing(&self) -> bool {
        self.wants_the_same_as(&Self::default())
    }
}

impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List)
    }
}

/// Reads mark by mark, so that a complaint has its line.
struct List;

impl<'de> Visitor<'de> for List {
    type Value = Marks;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of known findings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Marks, A::Error> {
        let mut marks = Marks::default();
        while let Some(known) = access.next_element::<Known>()? {
            let (name, number) = (known.finding.clone(), marks.0.len() + 1);
            if !marks.add(known) {
                let text = format!("mark {number}: {name} is there twice with the same 'at'");
                return Err(de::Error::custom(text));
            }
        }
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::{Decision, Entry};

    const SAMPLE: &str = r#"{
  "version": 1,
  "refusal": "reject",
  "logging": "off",
  "networks": {
    "interfaces": {},
    "trusted_sources": []
  },
  "services": {},
  "known": [
    {
      "finding": "drop-invalid",
      "at": "-A INPUT -m conntrack --ctstate INVALID -j DROP",
      "note": "wanted by the auditors"
    },
    {
      "finding": "updates-pending",
      "note": "every Tuesday"
    }
  ]
}
"#;

    #[test]
    fn marks_are_read_printed_and_found() {
        let policy = Policy::parse(SAMPLE).unwrap();
        assert_eq!(policy.to_text(), SAMPLE);
        let rule = "-A INPUT -m conntrack --ctstate INVALID -j DROP";
        assert_eq!(policy.known.note("drop-invalid", rule), Some("wanted by the auditors"));
        assert_eq!(policy.known.note("updates-pending", ""), Some("every Tuesday"));
        assert_eq!(policy.known.note("updates-pending", "apt"), None);
        assert!(!Policy::default().to_text().contains("known"));
    }

    #[test]
    fn every_complaint_has_its_line() {
        let long = "x".repeat(201);
        for (find, replace, line, reason) in [
            ("wanted by the auditors", "", 14, "a note is needed"),
            ("wanted by the auditors", "  ", 14, "a note is needed"),
            ("wanted by the auditors", "two\\nlines", 14, "one line"),
            ("wanted by the auditors", long.as_str(), 14, "200 characters at most"),
            ("\"drop-invalid\"", "\"Drop Invalid\"", 12, "no kind of finding"),
            ("\"drop-invalid\"", "\"\"", 12, "no kind of finding"),
            ("\"at\"", "\"where\"", 13, "unknown field `where`"),
            (
                "\"note\": \"every Tuesday\"",
                "\"at\": \"\"",
                19,
                "missing field `note`",
            ),
            ("[\n    {", "{ \"a\":\n    {", 10, "a list of known findings"),
        ] {
            let text = SAMPLE.replacen(find, replace, 1);
            assert_ne!(text, SAMPLE, "{find}");
            let error = Policy::parse(&text).unwrap_err();
            assert!(error.reason.contains(reason), "{replace}: {error}");
            assert_eq!(error.line, line, "{replace}: {error}");
        }
        let twice = SAMPLE.replacen(
            "updates-pending\",",
            "drop-invalid\", \"at\": \"-A INPUT -m conntrack --ctstate INVALID -j DROP\",",
            1,
        );
        let error = Policy::parse(&twice).unwrap_err();
        assert!(error.reason.contains("mark 2: drop-invalid is there twice"), "{error}");
    }

    #[test]
    fn kinds_that_are_not_known_here_are_kept() {
        let text = SAMPLE.replacen("drop-invalid", "something-of-a-newer-fwtui", 1);
        assert_eq!(Policy::parse(&text).unwrap().to_text().len(), text.len());
    }

    #[test]
    fn a_mark_has_one_note_and_can_be_taken_back() {
        let mut policy = Policy::default();
        policy.mark_known("drop-invalid", "a rule", "first").unwrap();
        policy.mark_known("drop-invalid", "a rule", " second ").unwrap();
        assert_eq!(policy.known.iter().count(), 1);
        assert_eq!(policy.known.note("drop-invalid", "a rule"), Some("second"));
        assert!(policy.mark_known("drop-invalid", "a rule", "\n").is_err());
        assert!(policy.mark_known("no such thing", "a rule", "why").is_err());
        assert_eq!(policy.known.note("drop-invalid", "a rule"), Some("second"));
        assert!(policy.unmark_known("drop-invalid", "a rule"));
        assert!(!policy.unmark_known("drop-invalid", "a rule"));
        assert_eq!(policy, Policy::default());
    }

    #[test]
    fn marks_want_nothing_of_the_machine() {
        let mut marked = Policy::default();
        assert!(!marked.has_only_marks());
        marked.mark_known("drop-invalid", "a rule", "why").unwrap();
        assert!(marked.wants_the_same_as(&Policy::default()) && marked != Policy::default());
        assert!(marked.has_only_marks());
        let open = Entry {
            decision: Decision::Open,
            from: Vec::new(),
        };
        marked.decide("22/tcp".parse().unwrap(), open).unwrap();
        assert!(!marked.wants_the_same_as(&Policy::default()) && !marked.has_only_marks());
    }
}
