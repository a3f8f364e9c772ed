//! What to do next about what the system refused, wherever the refusal came from: a guard hands on words.

use crate::app::Error;
use crate::sys::host;

/// Where fwtui stands, for whatever has no remedy of its own.
pub(super) const HOW_IT_STANDS: &str = "How it stands: sudo fwtui status.";

/// The system's refusals by their number in its words, and what to do.
const NUMBERED: [(&str, &str); 8] = [
    ("(os error 28)", NO_ROOM),
    ("(os error 122)", NO_ROOM),
    (
        "(os error 30)",
        "The disk can't be written to: 'findmnt -T' with that path shows where it is mounted, 'dmesg | tail' perhaps why. \
         Mount it for writing (mount -o remount,rw and the mount point), then try again.",
    ),
    (
        "(os error 5)",
        "The disk does not work as it should: 'dmesg | tail' says more. Save what matters, then try again.",
    ),
    ("(os error 11)", TOO_BUSY),
    ("(os error 12)", TOO_BUSY),
    ("(os error 23)", TOO_BUSY),
    ("(os error 24)", TOO_BUSY),
];

const NO_ROOM: &str =
    "Make room on the disk, and try again: 'df -h' shows which one is full, 'df -i' whether it has too many files.";
const TOO_BUSY: &str =
    "The system has no memory or processes left: end what can be spared ('top' shows what there is), then try again.";

/// What to do about words of the system's; none where nothing special is known.
fn of(words: &str) -> Option<String> {
    let numbered = NUMBERED.iter().find(|(number, _)| words.contains(number));
    if let Some((_, remedy)) = numbered {
        return Some((*remedy).to_owned());
    }
    if words.contains("(os error 1)") || words.contains("(os error 13)") {
        return Some(match host::is_root() {
            false => "Run it with sudo.".to_owned(),
            true => {
                "Not even root may: 'lsattr -d' with that path shows whether it may not be changed (chattr -i mends \
                     that); else a container or a security module forbids it."
                    .to_owned()
            }
        });
    }
    // What says already how it is mended needs no more words.
    if words.contains(" mends that)") {
        return Some("Look first who did that, and what else is there; then mend it, and try again.".to_owned());
    }
    let path = |what: &str| {
        let (before, _) = words.split_once(what)?;
        before.rsplit_once(' ').map_or(Some(before), |(_, path)| Some(path))
    };
    if let Some(path) = path(" belongs to another user") {
        return Some(format!(
            "Look what is in it and who put it there; then give it to root, and try again: sudo chown root:root {path}"
        ));
    }
    if let Some(path) = path(" can be written by other users") {
        return Some(format!(
            "Look what is in it; then take that right away, and try again: sudo chmod go-w {path}"
        ));
    }
    if let Some(path) = path(" is no folder") {
        return Some(format!("Move it away, and try again: sudo mv {path} {path}.old"));
    }
    if words.contains("symbolic link, which is not followed") {
        return Some("Put what it leads to in its place, and try again.".to_owned());
    }
    if words.contains(" is not installed (looked in") {
        return Some("Install what is missing, and try again.".to_owned());
    }
    words
        .contains(" and was killed")
        .then(|| "The machine is very busy, or another program holds the lock of iptables: try again.".to_owned())
}

impl Error {
    /// The same with what to do about the system's own words in it, or else with this.
    pub(super) fn with_remedy(self, or_else: &str) -> Self {
        let remedy = of(&self.message).unwrap_or_else(|| or_else.to_owned());
        self.hint(remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(words: &str) -> String {
        let mut error = Error::failed(words).with_remedy(HOW_IT_STANDS);
        assert_eq!(error.hints.len(), 1, "{words}");
        error.hints.remove(0)
    }

    #[test]
    fn every_refusal_of_the_disk_has_a_next_step() {
        for (words, step) in [
            (
                "/var/lib/fwtui/candidate.json could not be written: No space left on device (os error 28)",
                "df -h",
            ),
            (
                "it could not be kept: /x could not be written: Disk quota exceeded (os error 122)",
                "Make room",
            ),
            (
                "the state folder can't be used: Read-only file system (os error 30)",
                "remount,rw",
            ),
            (
                "/var/lib/fwtui/trial.json could not be written: Input/output error (os error 5)",
                "dmesg",
            ),
            (
                "the guard can't be started: Resource temporarily unavailable (os error 11)",
                "no memory or processes",
            ),
            (
                "the state folder can't be used: /var/lib/fwtui belongs to another user",
                "sudo chown root:root /var/lib/fwtui",
            ),
            (
                "the state folder can't be used: /run/fwtui can be written by other users",
                "sudo chmod go-w /run/fwtui",
            ),
            (
                "the state folder can't be used: /var/lib/fwtui is no folder",
                "sudo mv /var/lib/fwtui /var/lib/fwtui.old",
            ),
            (
                "/etc/fwtui/policy.json could not be trusted: /etc/fwtui belongs to another user (chown root mends that)",
                "Look first who did that",
            ),
            (
                "/x could not be written: it is a symbolic link, which is not followed",
                "in its place",
            ),
            (
                "/usr/sbin/iptables did not end within 5.0 s and was killed",
                "try again",
            ),
            ("something nobody thought of", "sudo fwtui status"),
        ] {
            assert!(next(words).contains(step), "{words}: {}", next(words));
        }
    }

    #[test]
    fn what_root_may_not_either_is_not_told_to_be_done_with_sudo() {
        let told = next("/x could not be written: Operation not permitted (os error 1)");
        assert_eq!(told.contains("sudo"), !host::is_root(), "{told}");
    }
}
