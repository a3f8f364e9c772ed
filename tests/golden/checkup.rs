//! Golden folders of Checkup: `tests/fixtures/checkup/NAME` has one file of rules or commands, and what
//! `fwtui check` finds in it, in `expected.txt`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fwtui::app::check::{Checkup, checkup_of_text};
use fwtui::core::checkup::{Severity, kinds};

use super::compare;

fn folders(of: &str) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(of);
    let entries = fs::read_dir(here).unwrap();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The name and the text of the one file in a folder that is not the expectation.
fn input(folder: &Path) -> (String, String) {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_input = |path: &PathBuf| !path.ends_with("expected.txt");
    let files: Vec<PathBuf> = entries.filter(is_input).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    (
        name,
        String::from_utf8_lossy(&fs::read(&files[0]).unwrap()).into_owned(),
    )
}

/// Everything but the sentences that explain, which would be the same in every folder.
fn told(checkup: &Checkup) -> String {
    let mut text = String::new();
    for finding in &checkup.findings {
        let place = &finding.place;
        let line = place.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        writeln!(text, "{} {} line {line}", finding.severity, finding.id).unwrap();
        for more in [&place.chain, &place.rule, &place.sysctl].into_iter().flatten() {
            writeln!(text, "    {more}").unwrap();
        }
        writeln!(text, "    {}", finding.what).unwrap();
    }
    for note in &checkup.unseen {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

#[test]
fn every_file_is_judged_as_its_folder_says() {
    let folders = folders("checkup");
    assert!(folders.len() >= 10, "{folders:?}");
    let mut wrong = Vec::new();
    for folder in folders {
        let (name, text) = input(&folder);
        let checkup = checkup_of_text(&name, &text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for finding in &checkup.findings {
            let said = [&finding.what, &finding.why, &finding.advice];
            assert!(
                said.iter()
                    .all(|said| said.ends_with(['.', ')']) && !said.contains(char::is_control)),
                "{finding:?}"
            );
        }
        wrong.extend(compare(&folder.join("expected.txt"), &told(&checkup)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_that_a_tool_does_by_itself_is_called_harmful() {
    let mut read = BTreeSet::new();
    for folder in folders("rulesets") {
        for file in ["rules.v4", "rules.v6"] {
            let Ok(text) = fs::read_to_string(folder.join(file)) else {
                continue;
            };
            if text.trim().is_empty() {
                continue;
            }
            let checkup = checkup_of_text(file, &text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            let harmful: Vec<_> = checkup
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Harmful)
                .collect();
            assert!(harmful.is_empty(), "{}: {harmful:#?}", folder.display());
            assert_eq!(checkup.unseen, [""; 0], "{}", folder.display());
            read.insert(folder.file_name().unwrap().to_owned());
        }
    }
    for tool in ["ufw", "firewalld-iptables", "docker", "libvirt", "podman"] {
        assert!(read.iter().any(|name| name == tool), "{tool} is not among {read:?}");
    }
}

#[test]
fn every_kind_of_rules_is_in_the_corpus() {
    let mut found = BTreeSet::new();
    for folder in folders("checkup") {
        let (name, text) = input(&folder);
        let findings = checkup_of_text(&name, &text).unwrap().findings;
        found.extend(findings.iter().map(|finding| finding.id));
    }
    let sources = sources();
    let missing: Vec<&str> = kinds()
        .map(|kind| kind.id)
        .filter(|id| !found.contains(id))
        // Or it has a test beside the code, by its name.
        .filter(|id| !sources.contains(&format!("\"{id}\"")))
        .collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}

/// The tests beside the code of Checkup: what stands behind `mod tests`, and files of tests.
fn sources() -> String {
    let mut text = String::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.to_string_lossy().contains("check") {
            let source = fs::read_to_string(&path).unwrap();
            let is_tests = path.ends_with("tests.rs") || path.to_string_lossy().contains("/tests/");
            let tests = if is_tests {
                Some(source.as_str())
            } else {
                source.split_once("mod tests {").map(|(_, tests)| tests)
            };
            text.push_str(tests.unwrap_or_default());
        }
    }
    text
}
