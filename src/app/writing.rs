//! Writing what is shown to a file of the user's choice.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::app::Error;
use crate::core::text::printable_within;
use crate::sys::files;

/// It shows the firewall: nobody else reads it.
const MODE: u32 = 0o600;
/// Longest path in a sentence.
const LONGEST: usize = 300;

/// A text for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// Where to, as it was typed; a relative path begins in the folder the program was started in.
    pub path: String,
    /// What.
    pub text: String,
    /// Whether a file that is there is replaced.
    pub may_replace: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is there, at this absolute path.
    Done(PathBuf),
    /// A file is there already, and is as it was.
    Exists(PathBuf),
}

impl Writing {
    /// Writes it, readable by its owner only.
    ///
    /// # Errors
    /// Where it can't be written: what, why, and what to do next.
    pub fn perform(&self) -> Result<Written, Error> {
        let typed = self.path.trim();
        if typed.is_empty() {
            return Err(Error::failed("a file needs a name"));
        }
        let path = std::path::absolute(typed)
            .map_err(|error| Error::failed(format!("the folder you are in is gone: {error}")))?;
        if typed.ends_with('/') || path.is_dir() {
            let error = Error::failed(format!("{} is a folder", shown(&path)));
            return Err(error.hint("Name a file in it."));
        }
        let folder = path.parent().unwrap_or(&path);
        if !folder.is_dir() {
            let what = if folder.exists() { "no folder" } else { "not there" };
            let error = Error::failed(format!("{} is {what}", shown(folder)));
            let is_home = typed.starts_with('~');
            return Err(error.hint(match is_home {
                true => "~ is a word of the shell: type the whole path.",
                false => "Make the folder first, or name another one.",
            }));
        }
        let written = match files::create_new(&path, &self.text, MODE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match is_plain(&path) {
                false => Err(io::Error::other("something else than a plain file is there")),
                true if self.may_replace => files::replace_plain(&path, &self.text, MODE),
                true => return Ok(Written::Exists(path)),
            },
            written => written,
        };
        match written {
            Ok(()) => Ok(Written::Done(path)),
            Err(error) => {
                let error = Error::failed(format!("{} can't be written: {error}", shown(&path)));
                Err(error.hint("Name another file."))
            }
        }
    }
}

fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn shown(path: &Path) -> String {
    printable_within(&path.display().to_string(), LONGEST)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn write(path: &Path, may_replace: bool) -> Result<Written, String> {
        let writing = Writing {
            path: path.display().to_string(),
            text: "new\n".into(),
            may_replace,
        };
        writing.perform().map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_its_owners_and_replaced_only_if_one_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("preview.txt");
        assert_eq!(write(&path, false), Ok(Written::Done(path.clone())));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(write(&path, false), Ok(Written::Exists(path.clone())));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(write(&path, true), Ok(Written::Done(path.clone())));
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn no_link_is_followed_and_what_is_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "kept").unwrap();
        symlink(&target, &link).unwrap();
        symlink(folder.path().join("nowhere"), folder.path().join("dangling")).unwrap();
        for (name, words) in [
            ("link", "something else than a plain file"),
            ("dangling", "something else than a plain file"),
            ("missing/preview.txt", "missing is not there"),
            ("target/preview.txt", "target is no folder"),
            ("", "is a folder"),
        ] {
            for may_replace in [false, true] {
                let error = write(&folder.path().join(name), may_replace).unwrap_err();
                assert!(error.contains(words), "{name}: {error}");
            }
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
        assert!(!folder.path().join("nowhere").exists());
    }
}
