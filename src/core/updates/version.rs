//! Which of two versions is the newer one.

use std::cmp::Ordering;

/// Compares two releases as rpm does (`rpmvercmp`): runs of digits and runs of letters one by one, a
/// number newer than a word, and `~` older than the end. Releases of dpkg's systems are in the same
/// order by it; by dpkg's own rules those of Red Hat are not (`284.el9` is older than `284.11.1.el9`).
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (parts(a), parts(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(part)) => part.against_the_end().reverse(),
            (Some(part), None) => part.against_the_end(),
            (Some(one), Some(other)) => one.cmp(&other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A part of a version, in order of age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Tilde,
    Word(&'a str),
    /// Without leading zeros: of two numbers the longer is the greater.
    Number(usize, &'a str),
}

impl Part<'_> {
    fn against_the_end(self) -> Ordering {
        match self {
            Self::Tilde => Ordering::Less,
            Self::Word(_) | Self::Number(..) => Ordering::Greater,
        }
    }
}

/// The parts of a version; all other characters only separate.
fn parts(version: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric() && letter != '~');
        let first = rest.chars().next()?;
        let belongs = |letter: char| match first {
            '~' => false,
            first if first.is_ascii_digit() => letter.is_ascii_digit(),
            _ => letter.is_ascii_alphabetic(),
        };
        let end = rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
        let (part, later) = rest.split_at(end.max(1));
        rest = later;
        let number = part.trim_start_matches('0');
        Some(match first {
            '~' => Part::Tilde,
            first if first.is_ascii_digit() => Part::Number(number.len(), number),
            _ => Part::Word(part),
        })
    })
}

/// The newest of the installed kernels, where it is newer than the running one and of its flavour:
/// who runs `lts` is not told of another line.
pub fn newer_kernel<'a>(running: &str, installed: &'a [String]) -> Option<&'a str> {
    let same = installed
        .iter()
        .map(String::as_str)
        .filter(|release| flavour(release) == flavour(running));
    same.max_by(|a, b| compare(a, b))
        .filter(|newest| compare(newest, running) == Ordering::Greater)
}

/// What follows behind the numbers of a release: `amd64` in `6.1.0-18-amd64`, `cloud-amd64`, `lts`;
/// nothing in `6.5.6-300.fc39.x86_64`.
fn flavour(release: &str) -> String {
    let starts_with_letter = |part: &&str| part.starts_with(|first: char| first.is_ascii_alphabetic());
    let mut parts: Vec<&str> = release.rsplit('-').take_while(starts_with_letter).collect();
    parts.reverse();
    parts.join("-")
}
