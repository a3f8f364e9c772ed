//! What keeps an ordinary user from making namespaces.

use std::fmt;
use std::fs;

/// A setting of this system that forbids user namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// The file that was read.
    pub file: &'static str,
    /// What it says.
    pub value: String,
    /// The command that would allow them, until the next boot.
    pub remedy: &'static str,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.file, self.value)
    }
}

/// The settings that exist: file, the value that forbids, the remedy.
const KNOWN: [(&str, &str, &str); 3] = [
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "sudo sysctl user.max_user_namespaces=10000",
    ),
    // Ubuntu since 23.10.
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    // Debian's own, until version 10.
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
];

impl Restriction {
    /// The first setting of this system that forbids user namespaces.
    pub fn find() -> Option<Self> {
        Self::among(|file| fs::read_to_string(file).ok())
    }

    fn among(read: impl Fn(&str) -> Option<String>) -> Option<Self> {
        KNOWN.into_iter().find_map(|(file, forbids, remedy)| {
            let value = read(file)?.trim().to_owned();
            (value == forbids).then_some(Self { file, value, remedy })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_found_by_its_file() {
        for (file, forbids, remedy) in KNOWN {
            let found = Restriction::among(|asked| (asked == file).then(|| format!("{forbids}\n"))).unwrap();
            assert_eq!((found.file, found.remedy), (file, remedy));
            assert_eq!(found.to_string(), format!("{file} is {forbids}"));
        }
        assert_eq!(Restriction::among(|_| None), None);
        assert_eq!(Restriction::among(|_| Some("96343\n".into())), None);
    }
}
