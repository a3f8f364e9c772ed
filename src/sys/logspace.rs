//! What keeps the logs small: journald's bounds, syslog's files and logrotate's blocks.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::core::checkup::LogSpace;
use crate::core::text::printable_within;
use crate::sys::glob;

mod rotation;
mod syslog;

/// How much of a file is read, in bytes.
const MOST: u64 = 1 << 18;
/// How many files of a folder are.
const MOST_FILES: usize = 512;
/// Where systemd's programs have their settings, the strongest first.
const SETTINGS: [&str; 4] = ["etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"];
/// Where the logs are.
const LOGS: &str = "var/log";

/// What bounds the logs, by the files below `root`; none where there is neither a journal nor a file
/// that the kernel's messages go to.
pub fn log_space(root: &Path) -> Option<LogSpace> {
    let journal = journal(root);
    let rotation = rotation::read(root);
    let files = syslog::kernel_files(root).into_iter();
    let syslog: Vec<(String, bool, bool)> = files
        .filter(|file| root.join(file.trim_start_matches('/')).is_file())
        .map(|file| {
            let block = rotation.iter().find(|block| block.covers(&file));
            let (is_rotated, is_by_size) = (block.is_some(), block.is_some_and(|block| block.is_by_size));
            (printable_within(&file, 200), is_rotated, is_by_size)
        })
        .collect();
    if journal.is_none() && syslog.is_empty() {
        return None;
    }
    let free = rustix::fs::statvfs(root.join(LOGS)).ok();
    Some(LogSpace {
        journal,
        syslog,
        // What root may use counts: those who log are root.
        free: free.map(|disk| disk.f_bfree.saturating_mul(disk.f_frsize)),
    })
}

/// The journal's bound in words; none where there is no journald.
fn journal(root: &Path) -> Option<String> {
    let is_there = ["run/systemd/journal", "var/log/journal"]
        .iter()
        .any(|folder| root.join(folder).is_dir());
    if !is_there {
        return None;
    }
    let settings = journald(root);
    let get = |name: &str| settings.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let is_persistent = match get("Storage") {
        Some("none") => return Some("kept nowhere (Storage=none)".to_owned()),
        Some("persistent") => true,
        Some("volatile") => false,
        _ => root.join("var/log/journal").is_dir(),
    };
    Some(match is_persistent {
        true => get("SystemMaxUse").map_or_else(
            || "10 % of the disk by default, and no more than 4 GB".to_owned(),
            |bound| format!("SystemMaxUse={}", printable_within(bound, 32)),
        ),
        false => get("RuntimeMaxUse").map_or_else(
            || "in memory, 10 % of /run by default".to_owned(),
            |bound| format!("in memory, RuntimeMaxUse={}", printable_within(bound, 32)),
        ),
    })
}

/// journald.conf(5): the main file that is found first, then what is in the folders beside, by name;
/// of files of the same name the strongest folder's counts.
fn journald(root: &Path) -> BTreeMap<String, String> {
    let main = SETTINGS.iter().map(|folder| root.join(folder).join("journald.conf"));
    let main = main.into_iter().find(|file| file.is_file());
    let mut dropped: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in SETTINGS {
        for path in in_folder(&root.join(folder).join("journald.conf.d"), "conf") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            dropped.entry(name).or_insert(path);
        }
    }
    let mut settings = BTreeMap::new();
    for file in main.into_iter().chain(dropped.into_values()) {
        let text = text(&file).unwrap_or_default();
        let mut is_journal = false;
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
            if line.starts_with('[') {
                is_journal = line == "[Journal]";
            } else if let Some((name, value)) = line.split_once('=').filter(|_| is_journal) {
                settings.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
    settings
}

/// The files of a folder, by name; those with an ending, where one is asked for.
fn in_folder(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_FILES);
    let mut paths: Vec<PathBuf> = all
        .map(|entry| entry.path())
        .filter(|path| ending.is_empty() || path.extension().is_some_and(|has| has == ending))
        .collect();
    paths.sort();
    paths
}

/// The beginning of a plain file.
fn text(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
