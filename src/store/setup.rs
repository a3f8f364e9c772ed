//! The answers of a setup that was left before its end, /var/lib/fwtui/setup.json.

use std::fs;
use std::io::ErrorKind;

use crate::core::setup::{Answers, LARGEST};
use crate::store::StoreError;
use crate::store::paths::Paths;
use crate::sys::files;

/// Reads them; none where there are none. What is no such document, or may not be seen, is told in a
/// sentence, and otherwise as if there were none.
pub fn load(paths: &Paths) -> (Option<Answers>, Option<String>) {
    let path = paths.setup();
    let note = |why: String| {
        let what = "The answers kept from an earlier setup can't be used";
        let then = "A new setup begins without them, and keeps that file as setup.json.damaged";
        (None, Some(format!("{what}: {}: {why}. {then}.", path.display())))
    };
    let unseen = || {
        let what = "Whether answers of an earlier setup are kept can't be seen without root";
        (None, Some(format!("{what}: {}.", path.display())))
    };
    if let Err(error) = files::refuse_others(&path) {
        return match error.kind() {
            ErrorKind::NotFound => (None, None),
            ErrorKind::PermissionDenied => unseen(),
            _ => note(error.to_string()),
        };
    }
    match files::read_limited(&path, LARGEST) {
        Ok(None) => (None, None),
        Ok(Some(text)) => match Answers::parse(&text) {
            Ok(answers) => (Some(answers), None),
            Err(why) => note(why),
        },
        Err(error) if error.kind() == ErrorKind::PermissionDenied => unseen(),
        Err(error) => note(error.to_string()),
    }
}

/// Writes them; a document that can't be read as such is set aside first, as `setup.json.damaged`.
///
/// # Errors
/// Where they can't be written; the old ones are then as they were.
pub fn save(paths: &Paths, answers: &Answers) -> Result<(), StoreError> {
    let path = paths.setup();
    let write = || {
        files::private_folder(&paths.state())?;
        if let (None, Some(_)) = load(paths) {
            fs::rename(&path, paths.damaged_setup())?;
        }
        files::write_atomic(&path, &answers.to_text(), 0o600)
    };
    write().map_err(StoreError::io(&path, "written"))
}

/// Removes them; what can't be read as such stays as it is: nobody has seen what is in it.
///
/// # Errors
/// Where they can't be removed.
pub fn remove(paths: &Paths) -> Result<(), StoreError> {
    let path = paths.setup();
    if let (None, Some(_)) = load(paths) {
        return Ok(());
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io(&path, "removed")(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::core::setup::Step;

    fn answers() -> Answers {
        Answers {
            step: Step::Services,
            ..Answers::default()
        }
    }

    #[test]
    fn they_are_kept_for_root_alone_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        assert_eq!(load(&paths), (None, None));
        save(&paths, &answers()).unwrap();
        assert_eq!(load(&paths), (Some(answers()), None));
        let mode = fs::metadata(paths.setup()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        remove(&paths).unwrap();
        remove(&paths).unwrap();
        assert_eq!(load(&paths), (None, None));
    }

    #[test]
    fn what_is_damaged_is_told_and_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(paths.state()).unwrap();
        let long = "x".repeat(usize::try_from(LARGEST).unwrap() + 1);
        for text in ["", "{", "[]", "{\"version\": 9}", "\u{1b}[2J", &long] {
            fs::write(paths.setup(), text).unwrap();
            let (answers_there, told) = load(&paths);
            let note = told.unwrap();
            assert_eq!(answers_there, None);
            assert!(note.contains("setup.json: ") && note.ends_with('.'), "{note}");
            assert!(!note.contains('\u{1b}'), "{note:?}");
            assert_eq!(
                fs::read_to_string(paths.setup()).unwrap(),
                text,
                "looking changes nothing"
            );
            save(&paths, &answers()).unwrap();
            assert_eq!(fs::read_to_string(paths.damaged_setup()).unwrap(), text);
            assert_eq!(load(&paths), (Some(answers()), None));
        }
    }
}
