//! The state folder: what was confirmed, what is on trial, what is under way, how it ended.
//!
//! Every document carries a format number and a checksum. One that is torn, spoilt, of another
//! format, or otherwise not understood is an error and never taken for confirmed; it is left where
//! it is. `restore.sh` beside them needs none of them, and no fwtui.

use std::collections::BTreeSet;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest, Sha256};

use crate::core::listened::Listened;
use crate::core::network::Interface;
use crate::core::policy::Policy;
use crate::core::ruleset::{FamilyRules, Hook, Own, Ruleset, Slot};
use crate::core::trial::Reason;
use crate::core::unit::{UnitBefore, UnitWork};
use crate::store::StoreError;
use crate::store::paths::Paths;
use crate::sys::files;

/// The format this program writes, and the only one it reads.
const FORMAT: u32 = 2;
/// A ruleset of 65,535 decisions on every port fits.
const LARGEST: u64 = 64 * 1024 * 1024;

/// An id of a trial is far shorter.
const LONGEST_ID: u64 = 100;

/// A document with what tells whether it is whole in front.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    format: u32,
    /// Of the document's text, in hexadecimal digits.
    sha256: String,
    document: Box<RawValue>,
}

/// Of a document the format number only, whatever else its format has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// What is, or may become, confirmed: enough to load it at boot without recompiling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The id of the trial it comes from.
    pub id: String,
    /// When it was applied, RFC 3339 in UTC.
    pub at: String,
    /// Whether it takes all of fwtui's rules out.
    pub is_off: bool,
    /// The policy.
    pub policy: Policy,
    /// The interfaces it was compiled for.
    pub interfaces: Vec<Interface>,
    /// The rules, as text.
    pub rules: RulesText,
    /// What the units of disabled services were before they were stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<UnitBefore>,
}

/// A ruleset as `iptables-save` would print its chains, for both families.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesText {
    /// IPv4.
    pub ipv4: String,
    /// IPv6.
    pub ipv6: String,
}

impl RulesText {
    /// Prints a ruleset.
    pub fn of(ruleset: &Ruleset) -> Self {
        Self {
            ipv4: ruleset.ipv4.to_text(),
            ipv6: ruleset.ipv6.to_text(),
        }
    }

    /// Reads it back; none where it is not what was printed.
    pub fn ruleset(&self) -> Option<Ruleset> {
        Some(Ruleset {
            ipv4: FamilyRules::parse(&self.ipv4)?,
            ipv6: FamilyRules::parse(&self.ipv6)?,
        })
    }
}

/// What of fwtui was in the kernel before the trial, for one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseText {
    /// `A` or `B`; none where nothing was there.
    pub slot: Option<String>,
    /// The rules of that slot.
    pub rules: String,
    /// The built-in chains that jumped to fwtui's; with the table, where a name is not enough.
    pub jumps: Vec<String>,
}

impl BaseText {
    /// Prints what was there.
    pub fn of(own: &Own) -> Self {
        let slot = own.slot.map(|slot| if slot == Slot::A { "A" } else { "B" }.to_owned());
        let jumps = own.jumps.iter().map(|hook| hook.id().to_owned()).collect();
        Self {
            slot,
            rules: own.rules.to_text(),
            jumps,
        }
    }

    /// Reads it back; none where it is not what was printed.
    pub fn own(&self) -> Option<Own> {
        let slot = match self.slot.as_deref() {
            None => None,
            Some("A") => Some(Slot::A),
            Some("B") => Some(Slot::B),
            Some(_) => return None,
        };
        let hook = |name: &String| Hook::ALL.into_iter().find(|hook| hook.id() == name);
        let jumps: Option<BTreeSet<Hook>> = self.jumps.iter().map(hook).collect();
        Some(Own {
            slot,
            rules: FamilyRules::parse(&self.rules)?,
            jumps: jumps?,
        })
    }
}

/// The journal of a trial: written before anything changes, removed when it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The trial's id.
    pub id: String,
    /// The boot it runs in (`/proc/sys/kernel/random/boot_id`).
    pub boot_id: String,
    /// When it was armed, RFC 3339 in UTC.
    pub at: String,
    /// What to put back, IPv4.
    pub ipv4: BaseText,
    /// What to put back, IPv6.
    pub ipv6: BaseText,
    /// Which units to put back.
    #[serde(default, skip_serializing_if = "UnitWork::is_empty")]
    pub units: UnitWork,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The trial's id.
    pub id: String,
    /// When it was armed, RFC 3339 in UTC.
    pub began: String,
    /// Why it was reverted; none when it was confirmed.
    pub reverted: Option<Reason>,
    /// Whether reverting failed, so far: somebody is still at it, or the next start will be.
    pub has_failed: bool,
    /// What went wrong while ending it, where something did.
    pub trouble: Option<String>,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// Reads what was last confirmed.
///
/// # Errors
/// Where it is damaged or can't be read.
pub fn confirmed(paths: &Paths) -> Result<Option<Confirmed>, StoreError> {
    read(&paths.confirmed())
}

/// Reads what listened when something was last confirmed.
///
/// # Errors
/// Where it is damaged or can't be read.
pub fn listened(paths: &Paths) -> Result<Option<Listened>, StoreError> {
    read(&paths.listened())
}

/// Takes down what listens, once something is confirmed.
///
/// # Errors
/// Where the disk does not take it.
pub fn save_listened(paths: &Paths, listened: &Listened) -> Result<(), StoreError> {
    write(&paths.listened(), listened)
}

/// Reads what is on trial.
///
/// # Errors
/// Where it is damaged or can't be read.
pub fn candidate(paths: &Paths) -> Result<Option<Confirmed>, StoreError> {
    read(&paths.candidate())
}

/// Reads the journal.
///
/// # Errors
/// Where it is damaged or can't be read.
pub fn journal(paths: &Paths) -> Result<Option<Journal>, StoreError> {
    read(&paths.journal())
}

/// Reads how the last trial ended.
///
/// # Errors
/// Where it is damaged or can't be read.
pub fn last(paths: &Paths) -> Result<Option<Outcome>, StoreError> {
    read(&paths.last())
}

/// Reads which trial's end the user was told of last; none where that is not known.
pub fn told(paths: &Paths) -> Option<String> {
    let path = paths.told();
    files::refuse_others(&path).ok()?;
    files::read_limited(&path, LONGEST_ID).ok()?
}

/// Takes down that the user was told how this trial ended.
///
/// # Errors
/// Where the disk does not take it.
pub fn note_told(paths: &Paths, id: &str) -> Result<(), StoreError> {
    let path = paths.told();
    files::write_atomic(&path, id, 0o600).map_err(StoreError::io(&path, "written"))
}

/// Writes down, before anything changes, what is to be tried and what is to be put back; also as a
/// script that puts it back by hand.
///
/// # Errors
/// Where the disk does not take it: then nothing may change.
pub fn arm(paths: &Paths, candidate: &Confirmed, journal: &Journal, script: &str) -> Result<(), StoreError> {
    save_script(paths, script)?;
    write(&paths.candidate(), candidate)?;
    write(&paths.journal(), journal)
}

/// The one decision: from here on the candidate is the confirmed one. One rename, so there is no
/// moment at which it is half true. Should the disk then not take the folder's entry, a power cut
/// brings the old one back, which is the safe side; it does not undo the decision.
///
/// A candidate that was spoiled meanwhile is written again first.
///
/// # Errors
/// Where that or renaming fails: then it is not confirmed.
pub fn confirm(paths: &Paths, known: &Confirmed) -> Result<(), StoreError> {
    let path = paths.confirmed();
    let is_whole = candidate(paths).is_ok_and(|candidate| candidate.as_ref() == Some(known));
    if !is_whole {
        write(&paths.candidate(), known)?;
    }
    files::rename(&paths.candidate(), &path).map_err(StoreError::io(&path, "written"))
}

/// Writes the script that puts rules back by hand, without fwtui.
///
/// # Errors
/// Where the disk does not take it.
pub fn save_script(paths: &Paths, script: &str) -> Result<(), StoreError> {
    let path = paths.script();
    files::write_atomic(&path, script, 0o700).map_err(StoreError::io(&path, "written"))
}

/// Takes down that the old rules are not back whole. The journal stays open.
///
/// # Errors
/// Where the disk does not take it.
pub fn note_failure(paths: &Paths, outcome: &Outcome) -> Result<(), StoreError> {
    write(&paths.last(), outcome)
}

/// Closes the journal: how it ended is written down, and nothing is under way any more.
///
/// # Errors
/// Where the disk does not take it.
pub fn close(paths: &Paths, outcome: &Outcome) -> Result<(), StoreError> {
    let written = write(&paths.last(), outcome);
    if written.is_err() {
        // An older trial's outcome must not pass for this one's.
        let _gone = files::remove_durably(&paths.last());
    }
    for path in [paths.candidate(), paths.journal()] {
        files::remove_durably(&path).map_err(StoreError::io(&path, "removed"))?;
    }
    written
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    files::refuse_others(path).map_err(StoreError::io(path, "trusted"))?;
    let Some(text) = files::read_limited(path, LARGEST).map_err(StoreError::io(path, "read"))? else {
        return Ok(None);
    };
    let damaged = |reason: String| StoreError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let unread = |error: serde_json::Error| damaged(error.to_string());
    // First, so that one of another format is called that, whatever it looks like.
    let Format { format } = serde_json::from_str(&text).map_err(unread)?;
    if format != FORMAT {
        let reason = format!("it is of format {format}, and this fwtui reads format {FORMAT}");
        return Err(damaged(reason));
    }
    let sealed: Sealed = serde_json::from_str(&text).map_err(unread)?;
    if sealed.sha256 != sha256(sealed.document.get()) {
        return Err(damaged("its checksum does not match".to_owned()));
    }
    serde_json::from_str(sealed.document.get()).map(Some).map_err(unread)
}

fn write<T: Serialize>(path: &Path, document: &T) -> Result<(), StoreError> {
    let sealed = to_raw_value(document).map(|document| Sealed {
        format: FORMAT,
        sha256: sha256(document.get()),
        document,
    });
    let text = sealed.and_then(|sealed| serde_json::to_string(&sealed));
    text.map_err(std::io::Error::other)
        .and_then(|text| files::write_atomic(path, &(text + "\n"), 0o600))
        .map_err(StoreError::io(path, "written"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ruleset::compile;

    fn paths() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        std::fs::create_dir_all(paths.state()).unwrap();
        (folder, paths)
    }

    fn document() -> Confirmed {
        let policy = Policy::default();
        let rules = RulesText::of(&compile(&policy, &[]));
        Confirmed {
            id: "t1".into(),
            at: "2026-11-22T14:02:00Z".into(),
            is_off: false,
            policy,
            interfaces: vec![],
            rules,
            stopped: vec![],
        }
    }

    fn open_journal() -> Journal {
        let none = BaseText::of(&Own::default());
        Journal {
            id: "t1".into(),
            boot_id: "b".into(),
            at: "x".into(),
            ipv4: none.clone(),
            ipv6: none,
            units: UnitWork::default(),
        }
    }

    #[test]
    fn what_was_there_before_reads_back_and_so_does_a_document_without_labels() {
        let policy = Policy::default();
        let own = Own::wanted(Slot::B, compile(&policy, &[]).ipv4);
        let text = BaseText::of(&own);
        assert_eq!(text.jumps, ["PREROUTING", "mangle PREROUTING", "FORWARD", "INPUT"]);
        assert_eq!(text.own(), Some(own));
        // As one was written before there were labels: PREROUTING was that of raw.
        let old = BaseText {
            slot: Some("A".into()),
            rules: "*raw\n:FWTUI-A-PREROUTING - [0:0]\nCOMMIT\n*filter\n:FWTUI-A-INPUT - [0:0]\nCOMMIT\n".into(),
            jumps: vec!["PREROUTING".into(), "INPUT".into()],
        };
        let own = old.own().unwrap();
        assert_eq!(own.jumps, BTreeSet::from([Hook::Prerouting, Hook::Input]));
        assert!(own.rules.mangle.is_empty() && own.rules.raw.contains_key("PREROUTING"));
    }

    #[test]
    fn documents_from_before_services_could_be_disabled_are_as_they_are_now() {
        let (_folder, paths) = paths();
        arm(&paths, &document(), &open_journal(), "#!/bin/sh\n").unwrap();
        for path in [paths.candidate(), paths.journal()] {
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["stopped", "units", "disabled"] {
                assert!(!text.contains(word), "{text}");
            }
        }
        assert_eq!(candidate(&paths).unwrap(), Some(document()));
        assert_eq!(journal(&paths).unwrap(), Some(open_journal()));
        let mut disabled = document();
        disabled
            .policy
            .disable("1/tcp".parse().unwrap(), &["a.service".to_owned()])
            .unwrap();
        disabled.stopped.push(UnitBefore::usual("a.service"));
        arm(&paths, &disabled, &open_journal(), "#!/bin/sh\n").unwrap();
        assert_eq!(candidate(&paths).unwrap(), Some(disabled));
    }

    #[test]
    fn a_trial_is_confirmed_by_one_rename() {
        let (_folder, paths) = paths();
        arm(&paths, &document(), &open_journal(), "#!/bin/sh\n").unwrap();
        assert_eq!(confirmed(&paths).unwrap(), None);
        confirm(&paths, &document()).unwrap();
        assert_eq!(confirmed(&paths).unwrap(), Some(document()));
        assert_eq!(candidate(&paths).unwrap(), None);
        let outcome = Outcome {
            id: "t1".into(),
            began: "x".into(),
            reverted: None,
            has_failed: false,
            trouble: None,
            at: "y".into(),
        };
        close(&paths, &outcome).unwrap();
        assert_eq!((journal(&paths).unwrap(), last(&paths).unwrap()), (None, Some(outcome)));
    }

    #[test]
    fn a_candidate_that_was_spoiled_meanwhile_is_not_what_is_confirmed() {
        let (_folder, paths) = paths();
        for text in ["", "{\"format\":2"] {
            arm(&paths, &document(), &open_journal(), "#!/bin/sh\n").unwrap();
            std::fs::write(paths.candidate(), text).unwrap();
            confirm(&paths, &document()).unwrap();
            assert_eq!(confirmed(&paths).unwrap(), Some(document()));
        }
    }

    #[test]
    fn rules_and_bases_read_back_as_written() {
        let ruleset = compile(&Policy::default(), &[]);
        assert_eq!(RulesText::of(&ruleset).ruleset().unwrap(), ruleset);
        assert_eq!(
            RulesText::of(&Ruleset::default()).ruleset().unwrap(),
            Ruleset::default()
        );
        for own in [Own::default(), Own::wanted(Slot::B, ruleset.ipv4)] {
            assert_eq!(BaseText::of(&own).own().unwrap(), own);
        }
    }

    #[test]
    fn torn_and_newer_documents_are_never_believed_and_never_deleted() {
        let (_folder, paths) = paths();
        arm(&paths, &document(), &open_journal(), "#!/bin/sh\n").unwrap();
        confirm(&paths, &document()).unwrap();
        let whole = std::fs::read_to_string(paths.confirmed()).unwrap();
        for text in [
            whole.split_at(whole.len() / 2).0,
            &whole.replace("\"format\":2", "\"format\":3"),
            &whole.replace("\"format\":2", "\"format\":1"),
            // One bit.
            &whole.replace("14:02:00Z", "14:03:00Z"),
            &whole.replace("\"sha256\":", "\"sha\":"),
            "",
            "[]",
        ] {
            std::fs::write(paths.confirmed(), text).unwrap();
            assert!(matches!(confirmed(&paths), Err(StoreError::Damaged { .. })));
            assert_eq!(std::fs::read_to_string(paths.confirmed()).unwrap(), text);
        }
    }
}
