//! The catalogue of services, with what is added to it on this machine.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use crate::core::catalogue::Catalogue;
use crate::core::text::printable_within;
use crate::store::paths::Paths;
use crate::sys::{behalf, files};

/// The name of a document with additions.
pub const FILE: &str = "services.json";

/// Several times what comes with the program.
const LARGEST: u64 = 1024 * 1024;

/// Longest name of a file in a sentence, in characters.
const LONGEST_PATH: usize = 200;

/// The catalogue with the additions of this machine and of the user's config folder, and what of these
/// is left out: one sentence each.
pub fn load(paths: &Paths, config: Option<&Path>) -> (Arc<Catalogue>, Vec<String>) {
    let mut catalogue = Catalogue::embedded();
    let mut notes = Vec::new();
    let users = config.map(|folder| folder.join(FILE));
    for path in [Some(paths.services()), users].into_iter().flatten() {
        let name = || printable_within(&path.display().to_string(), LONGEST_PATH);
        let read = || {
            let text = match path == paths.services() {
                true => files::read_limited(&path, LARGEST)?,
                false => behalf::read(&path, LARGEST)?,
            };
            // Where there is none, it does not matter whose the folder is.
            if text.is_some() {
                files::refuse_others(&path)?;
            }
            Ok::<_, std::io::Error>(text)
        };
        match read() {
            Ok(None) => {}
            Ok(Some(text)) => {
                let complaints = Arc::make_mut(&mut catalogue).extend(&text);
                notes.extend(complaints.iter().map(|complaint| {
                    let reason = complaint.to_string();
                    let end = if reason.ends_with(['?', '.']) { "" } else { "." };
                    format!(
                        "{}, {reason}{end} This is left out; the rest of the catalogue holds.",
                        name()
                    )
                }));
            }
            // HOME may still be the one of who started this, as after setpriv: none of ours.
            Err(error) if path != paths.services() && error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => notes.push(format!("{} is not used: {error}.", name())),
        }
    }
    (catalogue, notes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_machines_and_the_users_additions_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let (plain, notes) = load(&paths, None);
        assert_eq!((plain, notes.len()), (Catalogue::embedded(), 0));
        let users = folder.path().join("users");
        fs::create_dir_all(folder.path().join("etc/fwtui")).unwrap();
        fs::create_dir(&users).unwrap();
        let entry = |what: &str| {
            format!("{{ \"version\": 1, \"services\": [\n{{ \"id\": \"sshd\", \"name\": \"ours\" }},\n{what}] }}")
        };
        fs::write(paths.services(), entry(r#"{ "id": "a", "nme": "A" }"#)).unwrap();
        fs::write(users.join(FILE), entry(r#"{ "id": "sshd", "name": "mine" }"#)).unwrap();
        let (catalogue, notes) = load(&paths, Some(&users));
        assert_eq!(catalogue.get("sshd").unwrap().name, "ours");
        assert_eq!(notes.len(), 2, "{notes:?}");
        let place = format!(
            "{}, line 3: unknown field 'nme': did you mean 'name'?",
            paths.services().display()
        );
        assert!(notes[0].starts_with(&place), "{notes:?}");
        assert!(
            notes[1].contains("users/services.json, line 3: 'sshd' is there twice."),
            "{notes:?}"
        );
        fs::write(users.join(FILE), "{").unwrap();
        let (_, notes) = load(&paths, Some(&users));
        assert!(notes[1].contains("line 1: the file ends too early"), "{notes:?}");
    }

    #[test]
    fn what_cant_be_read_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(paths.services()).unwrap();
        let (catalogue, notes) = load(&paths, None);
        assert_eq!(catalogue, Catalogue::embedded());
        assert!(
            notes[0].ends_with("services.json is not used: it is no plain file."),
            "{notes:?}"
        );
    }
}
