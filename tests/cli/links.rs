//! Settings and themes that are links: those of dotfiles are followed, others lead nowhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rustix::process::geteuid;

use crate::harness::{Done, Home, finish};

/// Another user.
const OTHER: u32 = 65534;
/// What nobody else may see; as the name of a field it would be quoted.
const SECRET: &str = "sesame-open";

/// A user's home with dotfiles in it, and what is none of his beside it.
struct Place {
    home: Home,
}

impl Place {
    /// With a config folder; of another user where root runs the tests.
    fn new() -> Self {
        let place = Self { home: Home::new() };
        fs::create_dir_all(place.config().join("themes")).unwrap();
        fs::create_dir(place.path("dotfiles")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.root().parent().unwrap().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path(".config/fwtui")
    }

    /// What the user cannot read, with the secret in it.
    fn secret(&self, name: &str) -> PathBuf {
        let path = self.home.root().join(name);
        fs::write(&path, format!("{{\"{SECRET}\": 1}}")).unwrap();
        let mode = if geteuid().is_root() { 0o640 } else { 0 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Gives the home to the other user, where that can be done.
    fn is_anothers(&self) {
        if geteuid().is_root() {
            for path in [
                self.path(""),
                self.path(".config"),
                self.config(),
                self.config().join("themes"),
                self.path("dotfiles"),
            ] {
                chown(path, Some(OTHER), Some(OTHER)).unwrap();
            }
        }
    }

    #[track_caller]
    fn fwtui(&self, args: &[&str]) -> Done {
        let began = Instant::now();
        let done = self.home.fwtui(args);
        assert!(began.elapsed().as_secs() < 10, "{args:?}");
        assert!(!format!("{done:?}").contains("sesame"), "{done:?}");
        done
    }

    /// The settings are the defaults, and why is said.
    #[track_caller]
    fn is_refused(&self, words: &[&str]) {
        let done = self.fwtui(&["config"]).exits(1).says("theme    dark");
        for words in words {
            assert!(done.stderr.contains(words), "wanted '{words}', got: {}", done.stderr);
        }
        self.fwtui(&["themes"]).exits(0).says("*  dark");
    }
}

#[test]
fn dotfiles_are_followed_whoever_runs_it() {
    for is_anothers in [false, true] {
        let place = Place::new();
        let dotfiles = place.path("dotfiles");
        fs::write(dotfiles.join("config.json"), r#"{"theme": "mine", "refresh": 7}"#).unwrap();
        fs::write(dotfiles.join("mine.json"), r#"{"inherits": "light", "tokens": {}}"#).unwrap();
        // A link to a link, as stow and home-manager make them, and one that is relative.
        symlink(dotfiles.join("config.json"), place.path("generation")).unwrap();
        symlink(place.path("generation"), place.config().join("config.json")).unwrap();
        symlink("../../../dotfiles/mine.json", place.config().join("themes/mine.json")).unwrap();
        if is_anothers {
            place.is_anothers();
            // His own, and nobody else's.
            for name in ["config.json", "mine.json"] {
                let path = dotfiles.join(name);
                if geteuid().is_root() {
                    chown(&path, Some(OTHER), Some(OTHER)).unwrap();
                }
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
        let done = place.fwtui(&["config"]).exits(0).says("theme    mine");
        assert!(done.stdout.contains("refresh  7s"), "{}", done.stdout);
        assert_eq!(done.stderr, "");
    }
}

#[test]
fn a_config_folder_that_is_a_link_is_followed_too() {
    let place = Place::new();
    fs::remove_dir_all(place.config()).unwrap();
    fs::write(place.path("dotfiles/config.json"), r#"{"theme": "light"}"#).unwrap();
    symlink(place.path("dotfiles"), place.config()).unwrap();
    place.fwtui(&["config"]).exits(0).says("theme    light");
}

#[test]
fn what_the_user_cannot_read_himself_is_not_read_for_him() {
    let place = Place::new();
    let secret = place.secret("shadow");
    symlink(&secret, place.config().join("config.json")).unwrap();
    symlink(&secret, place.config().join("themes/stolen.json")).unwrap();
    symlink(&secret, place.config().join("services.json")).unwrap();
    place.is_anothers();
    place.is_refused(&["config.json: it can't be read: it leads to ", "may not read it"]);
    let done = place.fwtui(&["themes"]).exits(0);
    assert!(
        done.stderr.contains("stolen.json can't be read: it leads to "),
        "{}",
        done.stderr
    );
    place.fwtui(&["themes", "stolen"]).complains(2, "may not read it");
    place.fwtui(&["list"]);
}

#[test]
fn a_folder_that_is_closed_to_the_user_stays_closed() {
    let place = Place::new();
    let closed = place.home.root().join("closed");
    fs::create_dir_all(closed.join("themes")).unwrap();
    for name in ["config.json", "themes/sesame.json"] {
        fs::write(closed.join(name), format!("{{\"{SECRET}\": 1}}")).unwrap();
    }
    fs::remove_dir_all(place.config()).unwrap();
    symlink(&closed, place.config()).unwrap();
    if geteuid().is_root() {
        chown(place.path(".config"), Some(OTHER), Some(OTHER)).unwrap();
        chown(place.path(""), Some(OTHER), Some(OTHER)).unwrap();
    }
    let mode = if geteuid().is_root() { 0o700 } else { 0 };
    fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
    place.is_refused(&["may not"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn devices_pipes_and_links_to_nowhere_hold_nobody_up() {
    let place = Place::new();
    let pipe = place.path("pipe");
    finish(Command::new("mkfifo").arg(&pipe)).exits(0);
    let config = place.config().join("config.json");
    for (target, words) in [
        (pipe.as_path(), "it is no plain file"),
        (Path::new("/dev/zero"), "it is no plain file"),
        (Path::new("/dev/tty"), "it is no plain file"),
        (Path::new("/"), "it is no plain file"),
        (
            Path::new("/nowhere/config.json"),
            "it is a link to /nowhere/config.json, which is not there",
        ),
        (&config, "Too many levels of symbolic links"),
    ] {
        symlink(target, &config).unwrap();
        place.is_refused(&[words]);
        fs::remove_file(&config).unwrap();
    }
}

#[test]
fn large_files_are_refused_wherever_they_are() {
    let place = Place::new();
    let large = place.path("dotfiles/large");
    fs::File::create(&large).unwrap().set_len(100 << 20).unwrap();
    symlink(&large, place.config().join("config.json")).unwrap();
    place.is_refused(&["it is larger than 65536 bytes"]);
}

/// A user's own may be writable for his group; as root, what others may change is not believed.
#[test]
fn a_folder_that_others_can_write_is_root_s_business() {
    let place = Place::new();
    fs::write(place.config().join("config.json"), r#"{"theme": "light"}"#).unwrap();
    fs::set_permissions(place.config(), fs::Permissions::from_mode(0o777)).unwrap();
    match geteuid().is_root() {
        true => place.is_refused(&["can be written by other users (chmod go-w mends that)"]),
        false => drop(place.fwtui(&["config"]).exits(0).says("theme    light")),
    }
    place.is_anothers();
    place.fwtui(&["config"]).exits(0).says("theme    light");
}

#[test]
fn files_from_other_editors_are_read_and_what_is_wrong_is_named() {
    let place = Place::new();
    let config = place.config().join("config.json");
    let theme = place.config().join("themes/mine.json");
    for text in [
        "\u{feff}{\"theme\": \"light\"}",
        "{\r\n  \"theme\": \"light\"\r\n}\r\n",
        "\u{feff}{\r\n  \"theme\": \"light\"\r\n}",
    ] {
        fs::write(&config, text).unwrap();
        let done = place.fwtui(&["config"]).exits(0).says("theme    light");
        assert_eq!(done.stderr, "");
    }
    for (text, words) in [
        (
            "{\r\n  \"theme\": \"drak\"\r\n}",
            "config.json:2: there is no theme 'drak'",
        ),
        (
            "{\n  // mine\n  \"theme\": \"light\"\n}",
            "config.json:2: JSON has no comments",
        ),
        (
            "{\n  \"theme\": \"light\",\n}",
            "config.json:3: there is a comma too many",
        ),
        (
            "{\n  \"theme\": 'light'\n}",
            "config.json:2: JSON has double quotes only",
        ),
        (
            "{\n  \"colour\": 1\n}",
            "unknown field 'colour': there are theme, screen, mouse",
        ),
        (
            "{\n  \"theme\": \"dark\",\n  \"theme\": \"light\"\n}",
            "config.json:3: 'theme' is there twice",
        ),
        (
            "{\n  \"theme\": [\"light\"]\n}",
            "config.json:2: 'theme' takes one word or number",
        ),
        ("{\n  \"refresh\": 99999999999999999999\n}", "config.json:2: '"),
        (
            "{\n  \"refresh\": -1\n}",
            "config.json:2: '-1': write the seconds, 1 to 60, or off",
        ),
        ("{\n  \"timeout\": 1e999\n}", "config.json:2: "),
        ("{\n  \"keys\": [1]\n}", "config.json:2: 'keys': "),
        ("[]", "an object"),
    ] {
        fs::write(&config, text).unwrap();
        place.is_refused(&[words]);
    }
    fs::remove_file(&config).unwrap();
    fs::write(&theme, "\u{feff}{\r\n\"inherits\": \"light\", \"tokens\": {}}").unwrap();
    place.fwtui(&["themes"]).exits(0).says("mine");
    for (text, words) in [
        (
            "{\"inherits\": \"light\",\n // mine\n \"tokens\": {}}",
            "mine.json, line 2: JSON has no comments",
        ),
        (
            "{\"inherits\": \"light\", \"tokens\": {},\n}",
            "mine.json, line 2: there is a comma too many",
        ),
        (
            "{\"inherits\": \"light\", \"tokens\": {\n\"bad\": {\"rgb\": \"#8a0000\",}}}",
            "mine.json, line 2: ",
        ),
    ] {
        fs::write(&theme, text).unwrap();
        let done = place.fwtui(&["themes"]).exits(0);
        assert!(done.stderr.contains(words), "wanted '{words}', got: {}", done.stderr);
    }
}
