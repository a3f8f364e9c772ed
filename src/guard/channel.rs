//! One line of JSON each way over the guard's socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::net::sockopt::socket_peercred;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// No line is longer: a job that replaces another is the longest.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Listens at a path in root's own folder. One that a dead guard left is replaced: whoever holds
/// the lock is the only guard there is.
pub(super) fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The process at the other end, if it runs as the same user as we do, which is root: the folder and
/// the socket's mode say so already, and the kernel's word is better.
pub(super) fn caller(stream: &UnixStream) -> Option<u32> {
    let peer = socket_peercred(stream).ok()?;
    (peer.uid == rustix::process::geteuid()).then(|| peer.pid.as_raw_nonzero().get().cast_unsigned())
}

/// Whether the other end is ours, as far as the kernel knows.
pub(super) fn is_ours(stream: &UnixStream) -> bool {
    caller(stream).is_some()
}

/// Writes a value as one line.
pub(super) fn write<T: Serialize>(mut stream: impl Write, value: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    stream.flush()
}

/// Reads one line's value.
pub(super) fn read<T: DeserializeOwned>(stream: impl Read) -> io::Result<T> {
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_str(&line).map_err(io::Error::other)
}
