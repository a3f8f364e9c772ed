//! Reading what a user chose, with the rights of that user and no others.
//!
//! Users keep what they choose where they like, and link to it. But the program mostly runs as root, in whose
//! name every file can be read, and it quotes what it does not understand. So what lies in the folders of another
//! user is opened in his name, by a thread of its own: a link of his leads where he may go himself, and no
//! further. That also opens what root may not, as homes on NFS.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::thread;

use rustix::fs::{Gid, Mode, OFlags, Uid, open};
use rustix::process::geteuid;
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use sysinfo::Users;

use crate::sys::owners::user_name;

/// As many links one after the other are followed; the kernel follows no more.
const MOST_LINKS: usize = 40;
/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The group of nobody (`nogroup`), for users of whom no groups are known.
const NO_GROUP: u32 = 65534;

/// Reads a text of at most `limit` bytes, following links; none where nothing is there.
///
/// # Errors
/// Where it can't be read, is no plain file, is too large, or is not UTF-8; where it leads to what the user whose
/// folders it is in may not read himself. In words, without the path.
pub fn read(path: &Path, limit: u64) -> io::Result<Option<String>> {
    let reader = Reader::of(path)?;
    match reader.runs(|| read_plain(path, limit)) {
        // What is told of it is seen in the same name.
        Err(error) if error.kind() == ErrorKind::NotFound => match reader.runs(|| fs::read_link(path)) {
            Ok(target) => Err(io::Error::other(format!(
                "it is a link to {}, which is not there",
                shown(&target)
            ))),
            Err(_) => Ok(None),
        },
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(denied(path, &reader)),
        Err(error) => Err(error),
        Ok(text) => Ok(Some(text)),
    }
}

/// What is in a folder, at most so much of it, in no order.
///
/// # Errors
/// Where it can't be read, also because the user whose folders it is in may not.
pub fn list(folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
    Reader::of(folder)?.runs(|| {
        let entries = fs::read_dir(folder)?;
        Ok(entries.flatten().take(most).map(|entry| entry.path()).collect())
    })
}

/// Waits for nothing: neither for somebody to write to a pipe, nor for the end of a device.
fn read_plain(path: &Path, limit: u64) -> io::Result<String> {
    let plain = |metadata: Metadata| match metadata.is_file() {
        true => Ok(metadata),
        false => Err(io::Error::other("it is no plain file")),
    };
    let too_large = || io::Error::other(format!("it is larger than {limit} bytes"));
    // Opening alone does something to some devices.
    plain(fs::metadata(path)?)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(open(path, flags, Mode::empty())?);
    if plain(file.metadata()?)?.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // The file may grow meanwhile.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    let text = String::from_utf8(bytes).map_err(|_not_text| {
        io::Error::new(
            ErrorKind::InvalidData,
            "it is not UTF-8: save it as UTF-8 in your editor",
        )
    })?;
    Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => text.to_owned(),
        None => text,
    })
}

/// In whose name something is read.
enum Reader {
    /// Whoever runs the program.
    Caller,
    /// Another user, by root.
    User { user: u32, groups: Vec<u32> },
}

impl Reader {
    /// The first user but root who has a say on the way to it: from there on it leads where he wants.
    fn of(path: &Path) -> io::Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Caller);
        }
        let Some(user) = first_user(path)? else {
            return Ok(Self::Caller);
        };
        let users = Users::new_with_refreshed_list().ok();
        let all = users.iter().flat_map(|users| users.iter());
        let known = all.into_iter().find(|known| **known.id() == user);
        let groups = known.map_or_else(
            || vec![NO_GROUP],
            |known| {
                let others = known
                    .groups()
                    .into_iter()
                    .map(|group| **group.id())
                    .collect::<Vec<u32>>();
                [*known.group_id()].into_iter().chain(others).collect()
            },
        );
        Ok(Self::User { user, groups })
    }

    /// Does something in his name.
    fn runs<T: Send>(&self, what: impl Fn() -> io::Result<T> + Send + Sync) -> io::Result<T> {
        let Self::User { user, groups } = self else {
            return what();
        };
        let done = thread::scope(|scope| {
            let spawned = thread::Builder::new().spawn_scoped(scope, || {
                // The thread ends with it, and nothing has to be given back.
                become_user(*user, groups).map(|()| what())
            })?;
            spawned
                .join()
                .unwrap_or_else(|_panic| Err(io::Error::other("reading it failed")))
        });
        match done {
            Ok(done) => done,
            // A root of a namespace of its own, as in the sandbox, who is nobody to the other users' files.
            Err(_) if !is_kernels_root() => what(),
            Err(error) => Err(io::Error::other(format!(
                "it can't be read in the name of {}: {error}",
                user_name(*user)
            ))),
        }
    }

    /// His name.
    fn name(&self) -> String {
        match self {
            Self::Caller => user_name(geteuid().as_raw()),
            Self::User { user, .. } => user_name(*user),
        }
    }
}

/// For this thread only; the kernel knows no other way. Only what files are opened with changes: the user must
/// not be able to signal or trace a thread that shares everything with root's (credentials(7)).
fn become_user(user: u32, groups: &[u32]) -> io::Result<()> {
    let all: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    let group = all.first().copied().unwrap_or_else(|| Gid::from_raw(NO_GROUP));
    let user = Uid::from_raw(user);
    set_thread_groups(&all)?;
    set_thread_res_gid(None, group, None)?;
    set_thread_res_uid(None, user, None)?;
    Ok(())
}

/// The owner of the first folder, link or file on the way that is not root's.
///
/// # Errors
/// Where others could put something else in the place of what is root's.
fn first_user(path: &Path) -> io::Result<Option<u32>> {
    let mut place = PathBuf::from("/");
    let mut rest = steps(&std::path::absolute(path)?);
    let mut links = 0;
    while let Some(step) = rest.pop() {
        let next = place.join(&step);
        // What can't be seen (NFS) or is not there leads nowhere; opening tells why.
        let Ok(metadata) = fs::symlink_metadata(&next) else {
            return Ok(None);
        };
        if metadata.uid() != 0 {
            return Ok(Some(metadata.uid()));
        }
        if metadata.is_dir() && is_open_to_others(&metadata) {
            return Err(io::Error::other(format!(
                "{} can be written by other users (chmod go-w mends that)",
                next.display()
            )));
        }
        if !metadata.is_symlink() {
            place = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Ok(None);
        }
        rest.extend(steps(&fs::read_link(&next)?));
    }
    Ok(None)
}

/// The parts of a path, the last one first; the root is one.
fn steps(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let mut parts: Vec<PathBuf> = parts.map(|part| part.as_os_str().into()).collect();
    parts.reverse();
    parts
}

/// Whether anybody but root can put things into the folder, or in the place of what is in it.
fn is_open_to_others(folder: &Metadata) -> bool {
    let mode = folder.mode();
    let is_sticky = mode & 0o1000 != 0;
    !is_sticky && (mode & 0o002 != 0 || mode & 0o020 != 0 && folder.gid() != 0)
}

/// Whether root here is the kernel's root, for whom permissions mean nothing.
fn is_kernels_root() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().take(2).eq(["0", "0"])
}

/// Whose it is, who may not read it, and what mends that.
fn denied(path: &Path, reader: &Reader) -> io::Error {
    let name = reader.name();
    let words = match reader.runs(|| fs::metadata(path)) {
        Ok(metadata) => {
            let leads = match reader.runs(|| fs::read_link(path)) {
                Ok(target) => format!("it leads to {}, which belongs to", shown(&target)),
                Err(_) => "it belongs to".to_owned(),
            };
            format!(
                "{leads} {}, and {name} may not read it: let {name} read it (chmod, chown), or put a copy in its place",
                user_name(metadata.uid())
            )
        }
        Err(_) => format!("{name} may not enter a folder on the way to it"),
    };
    io::Error::new(ErrorKind::PermissionDenied, words)
}

/// Where a link leads, as it was made.
fn shown(target: &Path) -> String {
    crate::core::text::printable_within(&target.display().to_string(), 200)
}
