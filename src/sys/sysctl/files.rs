//! Which file sets a sysctl at boot: sysctl.d(5), and ufw's own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::core::text::printable_within;

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
        matches(&self.name, name) && !self.except.iter().any(|except| except == name)
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

/// glob(7) for names of sysctls: between dots, which separate here as slashes do in paths.
fn matches(pattern: &str, name: &str) -> bool {
    let mut names = name.split('.');
    let mut patterns = pattern.split('.');
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if part_matches(pattern.as_bytes(), name.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// The same for a part. Only the last `*` is ever taken back, so that no pattern takes long.
fn part_matches(mut pattern: &[u8], mut name: &[u8]) -> bool {
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            last_star = Some((rest, name));
            pattern = rest;
            continue;
        }
        match (one(pattern, name), name) {
            (Some(rest), [_, later @ ..]) => (pattern, name) = (rest, later),
            (_, []) if pattern.is_empty() => return true,
            _ => match last_star {
                Some((rest, [_, later @ ..])) => {
                    last_star = Some((rest, later));
                    (pattern, name) = (rest, later);
                }
                _ => return false,
            },
        }
    }
}

/// What is left of a pattern that begins with something that stands for the first letter.
fn one<'a>(pattern: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let byte = name.first()?;
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b']')?;
            let (class, rest) = rest.split_at(end);
            let (is_negated, class) = match class {
                [b'!' | b'^', class @ ..] => (true, class),
                _ => (false, class),
            };
            (is_in(class, *byte) != is_negated).then(|| rest.get(1..)).flatten()
        }
        [wanted, rest @ ..] => (wanted == byte).then_some(rest),
        [] => None,
    }
}

/// Whether a letter is among those between brackets: `abc`, `0-9`.
fn is_in(class: &[u8], byte: u8) -> bool {
    match class {
        [first, b'-', last, rest @ ..] => (*first..=*last).contains(&byte) || is_in(rest, byte),
        [one, rest @ ..] => *one == byte || is_in(rest, byte),
        [] => false,
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
