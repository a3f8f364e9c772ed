//! What package managers say of packages that have newer versions, read from what they print.

use crate::core::text::printable;

mod version;

pub use version::{compare, newer_kernel};

/// How many packages are kept of a list.
const MOST: usize = 10_000;

/// Packages with a newer version, and which of those are security updates, where that is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// Their names, in order.
    pub all: Vec<String>,
    /// Those of them from an archive of security updates.
    pub security: Vec<String>,
}

/// `apt list --upgradable`: `NAME/SUITE,SUITE VERSION ARCH [upgradable from: VERSION]`. The suite of
/// security updates is `NAME-security`, in Debian and in Ubuntu (there also `NAME-apps-security`).
///
/// # Errors
/// Where there are lines about upgrades that can't be read: the format may change.
pub fn apt(text: &str) -> Result<Pending, String> {
    let mut pending = Pending::default();
    for line in text.lines().filter(|line| line.contains("[upgradable from: ")) {
        let read = line.split_once('/').and_then(|(name, rest)| {
            let suites = rest.split_whitespace().next()?;
            (!name.is_empty() && !name.contains(' ')).then_some((name, suites))
        });
        let Some((name, suites)) = read else {
            return Err(format!("what apt says can't be read: {}", printable(line)));
        };
        if suites.split(',').any(|suite| suite.ends_with("-security")) {
            pending.security.push(printable(name));
        }
        pending.all.push(printable(name));
    }
    Ok(Pending {
        all: sorted(pending.all),
        security: sorted(pending.security),
    })
}

/// `dnf check-update`: `NAME.ARCH VERSION REPOSITORY`; what is obsoleted follows behind a headline. A
/// long name goes on in the next line.
pub fn dnf(text: &str) -> Vec<String> {
    let packages = text
        .lines()
        .take_while(|line| !line.to_ascii_lowercase().starts_with("obsoleting"))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()));
    let name = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, arch) = words.next()?.rsplit_once('.')?;
        let is_package = match words.next() {
            Some(version) => version.contains(|letter: char| letter.is_ascii_digit()),
            None => true,
        };
        (is_package && !name.is_empty() && is_arch(arch)).then(|| printable(name))
    };
    sorted(packages.filter_map(name).collect())
}

/// What rpm calls an architecture.
fn is_arch(word: &str) -> bool {
    matches!(
        word,
        "noarch"
            | "x86_64"
            | "i386"
            | "i486"
            | "i586"
            | "i686"
            | "aarch64"
            | "armv7hl"
            | "ppc64le"
            | "s390x"
            | "riscv64"
            | "loongarch64"
    )
}

/// `pacman -Qu`: `NAME OLD -> NEW`; those that the administrator holds back end in `[ignored]`.
pub fn pacman(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name, _, "->", _] => Some(printable(name)),
            _ => None,
        }
    };
    sorted(text.lines().filter_map(name).collect())
}

/// `zypper list-updates`: a table whose lines begin with `v` and have the name third.
pub fn zypper_updates(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let cells = cells(line);
        match cells.as_slice() {
            ["v", _, name, _, _, ..] => Some(printable(name)),
            _ => None,
        }
    };
    sorted(text.lines().filter_map(name).collect())
}

/// `zypper list-patches`: a table with the patch's name and its category; those of the category
/// `security`.
pub fn zypper_security(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let cells = cells(line);
        match cells.as_slice() {
            [_, name, "security", ..] => Some(printable(name)),
            _ => None,
        }
    };
    sorted(text.lines().filter_map(name).collect())
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

/// `apk version -l '<'`: `NAME-VERSION < VERSION` below a headline.
pub fn apk(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let (package, newer) = line.split_once(" < ")?;
        let package = package.trim();
        // NAME-1.2.3-r0: the version has no hyphen but that of the release.
        let (name, release) = package.rsplit_once('-')?;
        let (name, _) = name.rsplit_once('-')?;
        (release.starts_with('r') && !newer.trim().is_empty() && !name.is_empty()).then(|| printable(name))
    };
    sorted(text.lines().filter_map(name).collect())
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names.truncate(MOST);
    names
}

#[cfg(test)]
mod tests;
