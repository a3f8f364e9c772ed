//! Which file sets a sysctl at boot: sysctl.d(5), and ufw's own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::core::text::printable_within;
use crate::sys::glob;

/// The folders, the strongest first: of files with the same name only the first is read.
const FOLDERS: [&str; 5] = [
    "etc/sysctl.d",
    "run/sysctl.d",
    "usr/local/lib/sysctl.d",
    "usr/lib/sysctl.d",
    "lib/sysctl.d",
];
/// Read behind those: `sysctl --system` reads the one last, ufw the other when it starts, after all.
const LAST: [&str; 2] = ["etc/sysctl.conf", "etc/ufw/sysctl.conf"];
/// How much of a file is read, in bytes.
const MOST: u64 = 1 << 18;
/// How many files are.
const MOST_FILES: usize = 512;

/// A line that sets a sysctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The name with dots; it may hold `*`, `?` and `[...]`.
    pub name: String,
    /// The value, with single spaces.
    pub value: String,
    /// The file, printable.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Names a pattern does not hold for: lines with `-name` alone, in any file.
    except: Vec<String>,
}

impl Assigned {
    /// Whether it sets the sysctl of this name.
    pub fn sets(&self, name: &str) -> bool {
        glob::matches(&self.name, name, '.') && !self.except.iter().any(|except| except == name)
    }
}

/// All lines that set one, those that win last: patterns lose against names (sysctl.d(5)), and
/// earlier lines against later ones.
pub fn assigned(root: &Path) -> Vec<Assigned> {
    let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if Path::new(&name).extension().is_some_and(|ending| ending == "conf") && by_name.len() < MOST_FILES {
                by_name.entry(name).or_insert_with(|| entry.path());
            }
        }
    }
    let last = LAST.iter().map(|file| root.join(file));
    let mut found = Vec::new();
    let mut except = Vec::new();
    for path in by_name.into_values().chain(last) {
        let shown = path.strip_prefix(root).unwrap_or(&path);
        let file = printable_within(&Path::new("/").join(shown).to_string_lossy(), 200);
        for (line, text) in text(&path).unwrap_or_default().lines().enumerate() {
            match parse(text) {
                Some((name, Some(value))) => found.push(Assigned {
                    name,
                    value,
                    file: file.clone(),
                    line: line + 1,
                    except: Vec::new(),
                }),
                Some((name, None)) => except.push(name),
                None => {}
            }
        }
    }
    for assigned in found.iter_mut().filter(|assigned| is_pattern(&assigned.name)) {
        assigned.except.clone_from(&except);
    }
    found.sort_by_key(|assigned| !is_pattern(&assigned.name));
    found
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The name and the value of a line; a name alone is one that patterns leave out.
fn parse(line: &str) -> Option<(String, Option<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return None;
    }
    // A leading '-' means: no complaint where it fails.
    let (name, value, is_marked) = match line.strip_prefix('-') {
        Some(rest) => (rest, rest.split_once('='), true),
        None => (line, line.split_once('='), false),
    };
    match value {
        Some((name, value)) => Some((dotted(name.trim()), Some(super::plain(value)))),
        None if is_marked => Some((dotted(name.trim()), None)),
        None => None,
    }
}

/// A name with dots. The first separator tells which of the two ways it is written in: in
/// `net/ipv4/conf/eth0.7/forwarding` the dot belongs to the interface.
fn dotted(name: &str) -> String {
    match name.find(['/', '.']).and_then(|at| name.get(at..=at)) {
        Some("/") => super::dotted(name),
        _ => name.to_owned(),
    }
}

/// The beginning of a plain file; links are followed, for `99-sysctl.conf` is one.
fn text(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
