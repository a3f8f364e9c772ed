//! Golden folders: a policy and the interfaces it meets, and the rules that come of it.
//!
//! Each folder has `policy.json`, `interfaces.json`, and what `iptables-restore --noflush` and
//! `ip6tables-restore --noflush` are given on a machine without rules: `expected.v4`, `expected.v6`.
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes them anew; read the difference before you keep it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "test code"
)]

mod checkup;

use std::fs;
use std::path::{Path, PathBuf};

use fwtui::core::network::Interface;
use fwtui::core::policy::Policy;
use fwtui::core::ruleset::{Own, SavedFamily, Slot, compile, switch_text};

fn folders() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(here)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn compare(path: &Path, text: &str) -> Option<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, text).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    (expected != text).then(|| format!("{} differs; it should be:\n{text}", path.display()))
}

#[test]
fn every_folder_compiles_to_what_it_says() {
    let folders = folders();
    assert!(folders.len() >= 7, "{folders:?}");
    let mut wrong = Vec::new();
    for folder in folders {
        let policy = Policy::parse(&fs::read_to_string(folder.join("policy.json")).unwrap()).unwrap();
        let interfaces: Vec<Interface> =
            serde_json::from_str(&fs::read_to_string(folder.join("interfaces.json")).unwrap()).unwrap();
        let rules = compile(&policy, &interfaces);
        for (name, rules) in [("expected.v4", rules.ipv4), ("expected.v6", rules.ipv6)] {
            let text = switch_text(&SavedFamily::default(), &Own::wanted(Slot::A, rules), None);
            wrong.extend(compare(&folder.join(name), &text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
