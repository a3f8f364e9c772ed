//! Files that must not be half-written, and are not believed blindly.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, open};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::sys::clock;

/// Reads a text file of at most `limit` bytes; none where there is no such file. A symbolic link,
/// a device or a pipe in its place is refused: the program runs as root and follows nobody's lead.
///
/// # Errors
/// Where it can't be read, is no plain file, is too large, or is not UTF-8.
pub fn read_limited(path: &Path, limit: u64) -> io::Result<Option<String>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(io::Error::other("it is a symbolic link, which is not followed")),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let too_large = || io::Error::other(format!("it is larger than {limit} bytes"));
    if metadata.len() > limit {
        return Err(too_large());
    }
    let mut text = String::new();
    // The file may grow meanwhile.
    file.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(Some(text))
}

/// Writes a file so that at every moment, a power cut included, either the old or the new one is
/// there whole: a temporary file beside it, fsync, rename, fsync of the folder.
///
/// # Errors
/// Where any of it fails; the old file is then as it was.
pub fn write_atomic(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(OsStr::new(".new"));
    let temporary = folder.join(name);
    let result = write_new(&temporary, text, mode).and_then(|()| {
        refuse_link(path)?;
        fs::rename(&temporary, path)?;
        sync_folder_of(path)
    });
    if result.is_err() {
        // What is left of it helps nobody; the error that counts is the first.
        let _gone = fs::remove_file(&temporary);
    }
    result
}

/// Writes a file where there is none; a symbolic link in its place counts as one.
///
/// # Errors
/// Where there is something already, or it can't be written; then nothing of it is left.
pub fn create_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(open(path, flags, Mode::from_raw_mode(mode))?);
    // Whoever may read it is decided here, not by the umask of whoever runs us.
    let written = file
        .set_permissions(Permissions::from_mode(mode))
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // Half of it helps nobody; the error that counts is the first.
        let _gone = fs::remove_file(path);
    }
    written
}

/// Writes a file in the place of a plain one: a new file beside it is renamed, so that what others can
/// still read of the old one is not written to.
///
/// # Errors
/// Where there is something else than a plain file, or it can't be written; the old one is then as it was.
pub fn replace_plain(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut name = OsStr::new(".").to_owned();
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    create_new(&beside, text, mode)?;
    let renamed = fs::rename(&beside, path);
    if renamed.is_err() {
        let _gone = fs::remove_file(&beside);
    }
    renamed
}

/// A rename would replace a symbolic link by a file, which is not what its maker meant.
fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(io::Error::other("it is a symbolic link, which is not followed")),
        _ => Ok(()),
    }
}

fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create_new(path, text, mode),
    }
}

/// Renames a file within its folder. Where the folder can't be synchronised, it is renamed all the
/// same; only a power cut may undo it.
///
/// # Errors
/// Where renaming fails.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    let _not_durable = sync_folder_of(to);
    Ok(())
}

/// Removes a file and makes that durable; one that is not there is fine.
///
/// # Errors
/// Where it can't be removed.
pub fn remove_durably(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    File::open(folder)?.sync_all()
}

/// Makes a folder (and those above it) that only root may enter, or checks the one that is there:
/// a folder somebody else owns could be swapped under our feet.
///
/// # Errors
/// Where it can't be made, is a symbolic link, or belongs to another user.
pub fn private_folder(path: &Path) -> io::Result<()> {
    make_folder(path, 0o700)?;
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::other(format!("{} is no folder", path.display())));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(format!("{} belongs to another user", path.display())));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!(
            "{} can be written by other users",
            path.display()
        )));
    }
    Ok(())
}

/// Refuses, for root, a file that another user could have written or could put another in the place
/// of: what it says would be done as root. Others may read what they can.
///
/// # Errors
/// Where it or its folder can be written by others, belongs to another user, or the folder is a
/// symbolic link.
pub fn refuse_others(path: &Path) -> io::Result<()> {
    let user = rustix::process::geteuid();
    if !user.is_root() {
        return Ok(());
    }
    for place in [path.parent(), Some(path)].into_iter().flatten() {
        let metadata = match fs::symlink_metadata(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            metadata => metadata?,
        };
        let error = |what: &str| Err(io::Error::other(format!("{} {what}", place.display())));
        if metadata.is_symlink() {
            return error("is a symbolic link, which is not followed");
        }
        if metadata.uid() != user.as_raw() {
            return error("belongs to another user (chown root mends that)");
        }
        if metadata.mode() & 0o022 != 0 {
            return error("can be written by other users (chmod go-w mends that)");
        }
    }
    Ok(())
}

/// Makes a folder and those above it.
///
/// # Errors
/// Where it can't be made.
pub fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    match fs::DirBuilder::new().mode(mode).create(path) {
        // As with files: the umask has no say.
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// A lock on a file; it ends with the value, and with the process however that ends.
#[derive(Debug)]
pub struct Lock {
    file: OwnedFd,
}

impl Lock {
    /// Takes the lock; none where somebody else holds it. Never waits.
    ///
    /// # Errors
    /// Where the file can't be made or opened.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, path, flags, Mode::from_raw_mode(0o600))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same, but waits while `is_worth_it` says so, at most `patience`.
    ///
    /// # Errors
    /// As [`Self::try_take`].
    pub fn take_within(path: &Path, patience: Duration, is_worth_it: impl Fn() -> bool) -> io::Result<Option<Self>> {
        const PAUSE: Duration = Duration::from_millis(10);
        let deadline = clock::since_boot() + patience;
        loop {
            let taken = Self::try_take(path)?;
            if taken.is_some() || !is_worth_it() || clock::since_boot() > deadline {
                return Ok(taken);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Lets programs started from now on hold the lock as well: should this process be killed, it is
    /// not free before they have ended.
    ///
    /// # Errors
    /// Where the descriptor can't be changed.
    pub fn share_with_children(&self) -> io::Result<()> {
        Ok(fcntl_setfd(&self.file, FdFlags::empty())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_written_is_read_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        assert_eq!(read_limited(&path, 100).unwrap(), None);
        write_atomic(&path, "one", 0o644).unwrap();
        write_atomic(&path, "two", 0o644).unwrap();
        assert_eq!(read_limited(&path, 100).unwrap().as_deref(), Some("two"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_pipes_and_large_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "x".repeat(200)).unwrap();
        symlink(&target, &link).unwrap();
        assert!(
            read_limited(&link, 1000)
                .unwrap_err()
                .to_string()
                .contains("symbolic link")
        );
        assert!(
            write_atomic(&link, "y", 0o600)
                .unwrap_err()
                .to_string()
                .contains("symbolic link")
        );
        assert!(
            read_limited(&target, 100)
                .unwrap_err()
                .to_string()
                .contains("larger than 100")
        );
        assert!(
            read_limited(folder.path(), 100)
                .unwrap_err()
                .to_string()
                .contains("no plain file")
        );
        assert_eq!(fs::read_to_string(&target).unwrap().len(), 200);
    }

    #[test]
    fn a_folder_others_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        private_folder(&path).unwrap();
        private_folder(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        assert!(
            private_folder(&path)
                .unwrap_err()
                .to_string()
                .contains("can be written")
        );
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(private_folder(&link).is_err());
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut path = folder.path().join("state");
        private_folder(&path).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(1), Some(1)).unwrap();
        } else {
            // Root's.
            path = "/etc".into();
        }
        let error = private_folder(&path).unwrap_err().to_string();
        assert!(error.contains("belongs to another user"), "{error}");
    }

    #[test]
    fn a_lock_is_not_taken_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("lock"));
        symlink(&target, &link).unwrap();
        Lock::try_take(&link).unwrap_err();
        assert!(!target.exists());
    }

    #[test]
    fn a_lock_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::try_take(&path).unwrap();
        assert!(held.is_some());
        assert!(Lock::try_take(&path).unwrap().is_none());
        let long = Duration::from_secs(60);
        assert!(Lock::take_within(&path, long, || false).unwrap().is_none());
        assert!(Lock::take_within(&path, Duration::ZERO, || true).unwrap().is_none());
        let freed = std::cell::Cell::new(held);
        let taken = Lock::take_within(&path, long, || {
            drop(freed.take());
            true
        });
        assert!(taken.unwrap().is_some());
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
