//! logrotate's blocks (logrotate(8)).

use std::path::Path;

use super::{glob, in_folder, text};

/// Some files, and how they are rotated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    patterns: Vec<String>,
    /// Whether their size makes them rotate.
    pub(super) is_by_size: bool,
}

impl Block {
    /// Whether a file is rotated by it.
    pub(super) fn covers(&self, file: &str) -> bool {
        self.patterns.iter().any(|pattern| glob::matches(pattern, file, '/'))
    }
}

/// All blocks; none where the program that reads them is not installed.
pub(super) fn read(root: &Path) -> Vec<Block> {
    let is_installed = ["usr/sbin/logrotate", "usr/bin/logrotate", "sbin/logrotate"]
        .iter()
        .any(|program| root.join(program).exists());
    if !is_installed {
        return Vec::new();
    }
    let mut blocks = Vec::new();
    let mut is_by_size = false;
    let main = root.join("etc/logrotate.conf");
    for path in std::iter::once(main).chain(in_folder(&root.join("etc/logrotate.d"), "")) {
        parse(&text(&path).unwrap_or_default(), &mut is_by_size, &mut blocks);
    }
    blocks
}

/// Reads a file; what stands outside of blocks holds for those behind it, in later files as well.
fn parse(text: &str, default_by_size: &mut bool, blocks: &mut Vec<Block>) {
    let mut patterns: Vec<String> = Vec::new();
    let mut open: Option<Block> = None;
    let mut is_script = false;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let first = words.first().copied().unwrap_or_default();
        if is_script {
            is_script = first != "endscript";
        } else if matches!(
            first,
            "postrotate" | "prerotate" | "firstaction" | "lastaction" | "preremove"
        ) {
            is_script = true;
        } else if let Some(block) = &mut open {
            block.is_by_size |= is_size(first);
            if first == "}" {
                blocks.extend(open.take());
            }
        } else if is_size(first) {
            *default_by_size = true;
        } else {
            let names = line.trim_end_matches('{').split_whitespace();
            let names = names.map(|name| name.trim_matches(['"', '\'']).to_owned());
            patterns.extend(names.filter(|name| name.starts_with('/')));
            if line.ends_with('{') {
                open = Some(Block {
                    patterns: std::mem::take(&mut patterns),
                    is_by_size: *default_by_size,
                });
            }
        }
    }
}

/// `minsize` is the opposite.
fn is_size(word: &str) -> bool {
    matches!(word.split('=').next(), Some("size" | "maxsize"))
}
