//! Names of containers, for the ports they publish and the addresses they have.
//!
//! Read from the engines' own files; no program is started, nothing is waited for, and what can't be
//! read is left out: a missing name costs nothing but the name. The formats are the engines' own and
//! not promised by them, so every field may be missing.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::core::listener::Protocol;
use crate::core::netfilter::owner::Tool;
use crate::core::text::printable;
use crate::sys::files::read_limited;

mod docker;
mod nerdctl;
mod podman;
#[cfg(test)]
mod tests;

/// How many files and folders are looked at altogether.
const MOST_FILES: usize = 10_000;
/// The longest file that is read, in bytes. Docker's are some thousand.
const LARGEST: u64 = 4 << 20;

/// One container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Who runs it: Docker, Podman or nerdctl.
    pub engine: Tool,
    /// Its name, printable.
    pub name: String,
    /// Its id, as the engine's rules carry it in comments.
    pub id: String,
    /// Its addresses in the engine's networks.
    pub addresses: Vec<IpAddr>,
    /// The ports of this machine that lead to it; with an address where only that one does. Always
    /// empty for Podman, which keeps them in a database.
    pub published: Vec<(Protocol, u16, Option<IpAddr>)>,
}

/// The containers whose files are below `root`, those that run as far as the files tell, sorted by
/// engine and name.
pub fn containers(root: &Path) -> Vec<Container> {
    let mut files = Files::new(root, MOST_FILES);
    let mut found = docker::containers(&mut files);
    found.extend(podman::containers(&mut files));
    found.extend(nerdctl::containers(&mut files));
    found.sort_by(|a, b| (a.engine, &a.name, &a.id).cmp(&(b.engine, &b.name, &b.id)));
    found
}

/// Reads files, up to a number of them.
#[derive(Debug)]
struct Files<'a> {
    root: &'a Path,
    left: usize,
}

impl<'a> Files<'a> {
    const fn new(root: &'a Path, most: usize) -> Self {
        Self { root, left: most }
    }

    /// A path below the root, even where it is written as absolute.
    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// One more file or folder.
    fn takes_one(&mut self) -> bool {
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }

    fn text(&mut self, path: &Path) -> Option<String> {
        self.takes_one().then(|| read_limited(path, LARGEST).ok().flatten())?
    }

    fn json<T: DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        serde_json::from_str(&self.text(path)?).ok()
    }

    /// What is in a folder, by name; nothing where there is none. Links are not followed.
    fn list(&mut self, folder: &Path) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        if !self.takes_one() {
            return found;
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if !self.takes_one() {
                break;
            }
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if let Ok(name) = entry.file_name().into_string()
                && !is_link
            {
                found.insert(name, entry.path());
            }
        }
        found
    }
}

/// An address a port is published on; none for every address.
fn published_on(address: &str) -> Option<IpAddr> {
    let address: IpAddr = address.parse().ok()?;
    (!address.is_unspecified()).then_some(address)
}

/// A name as it may be shown; none where there is nothing of it.
fn name(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('/');
    (!text.is_empty()).then(|| printable(text))
}

/// An id, where it is one: it is compared with comments, and shown.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
