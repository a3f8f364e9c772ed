//! What a network of one's own is made of.

use std::fs;
use std::io;

use crate::core::text::printable_within;
use crate::sys::runner::{Call, Runner};

/// Settings of every network in which refusals are counted: errors are never held back, so that a
/// refusal is seen as one however many there are, and addresses work at once.
pub const PROMPT: [(&str, &str); 6] = [
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv4/icmp_ratemask", "0"),
    ("ipv6/icmp/ratelimit", "0"),
    ("ipv6/icmp/ratemask", "\n"),
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
];

/// Writes settings below `/proc/sys/net` of the calling thread's namespace. Those the kernel lacks
/// are passed over: older ones lack some, and one without IPv6 lacks more.
///
/// # Errors
/// Where one can't be written, with its path.
pub fn set(settings: &[(&str, &str)]) -> io::Result<()> {
    settings.iter().try_for_each(|(name, value)| {
        let path = format!("/proc/sys/net/{name}");
        match fs::write(&path, value) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io::Error::new(error.kind(), format!("{path}: {error}")))
            }
            _ => Ok(()),
        }
    })
}

/// What `ip` says first; after it comes the number of the line.
fn complaint(words: &str) -> String {
    let first = words
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it failed");
    printable_within(first.trim().trim_end_matches('.'), 200)
}

/// Runs commands of `ip`, one a line, in the calling thread's namespace.
///
/// # Errors
/// Where there is no such program, or it complains: its words.
pub fn batch(runner: &dyn Runner, commands: &str) -> io::Result<()> {
    let call = Call::new("ip").args(["-batch", "-"]).stdin(commands);
    let output = runner.run(&call).map_err(io::Error::other)?;
    match output.is_success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("ip: {}", complaint(&output.stderr)))),
    }
}
