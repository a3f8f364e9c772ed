use std::fs::File;
use std::time::SystemTime;

use super::*;
use crate::sys::runner::{RunError, SystemRunner};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A file that was changed that many days after 1970.
fn aged(root: &Path, path: &str, days: u32) {
    write(root, path, "x");
    let time = SystemTime::UNIX_EPOCH + DAY * days;
    File::options()
        .write(true)
        .open(root.join(path))
        .unwrap()
        .set_modified(time)
        .unwrap();
}

/// A runner that answers every call alike, and remembers them.
#[derive(Debug, Default)]
struct Answering {
    code: i32,
    stdout: &'static str,
    stderr: &'static str,
    calls: std::sync::Mutex<Vec<Call>>,
}

impl Runner for Answering {
    fn run(&self, call: &Call) -> Result<Output, RunError> {
        self.calls.lock().unwrap().push(call.clone());
        Ok(Output {
            code: self.code,
            stdout: self.stdout.to_owned(),
            stderr: self.stderr.to_owned(),
        })
    }
}

#[test]
fn where_no_manager_is_known_nothing_is_asked() {
    let root = tempfile::tempdir().unwrap();
    let runner = Answering::default();
    assert_eq!(updates(&runner, root.path()), None);
    assert!(runner.calls.into_inner().unwrap().is_empty());
}

#[test]
fn every_call_is_offline_and_bounded() {
    for (manager, words) in [
        ("apt", &["list", "--upgradable"][..]),
        ("dnf", &["-C", "check-update"]),
        ("zypper", &["--no-refresh", "list-updates"]),
        ("pacman", &["-Qu"]),
        ("apk", &["--no-network", "version"]),
    ] {
        let runner = Answering::default();
        let asked = ask(&runner, manager, manager).unwrap();
        assert_eq!(asked.0, Vec::<String>::new(), "{manager}");
        for call in runner.calls.into_inner().unwrap() {
            assert_eq!((call.timeout, call.output_limit), (PATIENCE, MOST));
            assert!(
                call.args.iter().any(|arg| words.iter().any(|word| arg == word)),
                "{call}"
            );
            // Nobody can lock.
            assert_eq!(call.program == Path::new("setpriv"), host::is_root(), "{call}");
        }
    }
}

#[test]
fn a_manager_that_fails_is_told_and_not_taken_for_none() {
    let runner = Answering {
        code: 100,
        stderr: "W: a warning\nE: The list of sources could not be read.\n\n",
        ..Answering::default()
    };
    let said = ask(&runner, "apt", "apt").unwrap_err();
    assert_eq!(
        said,
        "apt failed with exit code 100: E: The list of sources could not be read."
    );
    let none = Answering {
        code: 1,
        ..Answering::default()
    };
    assert_eq!(ask(&none, "pacman", "pacman"), Ok((Vec::new(), None)));
    let broken = Answering {
        code: 1,
        stderr: "error: failed to initialize alpm library\n",
        ..Answering::default()
    };
    assert!(ask(&broken, "pacman", "pacman").is_err());
    // dnf's way to say that there are some.
    let some = Answering {
        code: 100,
        stdout: "curl.x86_64 8.0-1 updates\n",
        ..Answering::default()
    };
    assert_eq!(
        ask(&some, "dnf", "dnf"),
        Ok((vec!["curl".into()], Some(vec!["curl".into()])))
    );
}

#[test]
fn the_newest_list_tells_the_age() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let lists = MANAGERS[0].lists;
    let days = |now: u32| age(root, lists, DAY * now).map(|seconds| seconds / DAY.as_secs());
    assert_eq!(days(100), None);
    aged(root, "var/lib/apt/lists/stable_InRelease", 10);
    assert_eq!(days(100), Some(90));
    aged(root, "var/lib/apt/lists/security_InRelease", 60);
    // An attempt that failed touches these.
    aged(root, "var/lib/apt/lists/lock", 99);
    aged(root, "var/lib/apt/lists/partial/x", 99);
    assert_eq!(days(100), Some(40));
    aged(root, "var/lib/apt/periodic/update-success-stamp", 95);
    assert_eq!(days(100), Some(5));
    // A clock that was set back.
    assert_eq!(days(1), Some(0));
    let age_of = |manager: usize| age(root, MANAGERS[manager].lists, DAY * 20).map(|age| age / DAY.as_secs());
    aged(root, "var/cache/zypp/raw/repo-oss/cookie", 3);
    // What is installed was changed.
    aged(root, "var/cache/zypp/solv/@System/cookie", 19);
    assert_eq!(age_of(1), Some(17));
    aged(root, "var/cache/zypp/raw/repo-oss/repodata/repomd.xml", 4);
    assert_eq!(age_of(1), Some(16));
    aged(root, "var/cache/dnf/updates.solv", 5);
    aged(root, "var/cache/dnf/metadata_lock.pid", 19);
    aged(root, "var/cache/dnf/expired_repos.json", 19);
    assert_eq!(age_of(2), Some(15));
    aged(root, "var/cache/libdnf5/updates-0123/repodata/repomd.xml", 7);
    assert_eq!(age_of(2), Some(13));
}

#[test]
fn who_wants_a_reboot_is_told() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    assert_eq!(reboot(root), None);
    write(
        root,
        "run/reboot-required.pkgs",
        "libc6\nlinux-base\nlibc6\n\u{1b}[2J\n",
    );
    assert_eq!(reboot(root), None);
    write(root, "run/reboot-required", "*** System restart required ***\n");
    assert_eq!(reboot(root).as_deref(), Some(" by ?[2J, libc6, linux-base"));
}

#[test]
fn only_kernels_that_are_there_count() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let running = rustix::system::uname().release().to_str().unwrap().to_owned();
    let flavour: String = running.chars().skip_while(|letter| *letter != '-').collect();
    // Modules outlive the kernel they belong to.
    write(root, &format!("lib/modules/99.0.0{flavour}/modules.dep"), "");
    write(root, "boot/vmlinuz-linux", "");
    assert_eq!(kernel(root), None);
    write(root, &format!("boot/vmlinuz-98.0.0{flavour}"), "");
    assert_eq!(kernel(root), Some((running.clone(), format!("98.0.0{flavour}"))));
    write(root, &format!("usr/lib/modules/99.1.0{flavour}/vmlinuz"), "");
    assert_eq!(kernel(root), Some((running, format!("99.1.0{flavour}"))));
    // A container runs its host's.
    write(root, "run/.containerenv", "");
    assert_eq!(kernel(root), None);
}

/// The real one, on this machine: whatever it is, it is answered or said why not.
#[test]
fn this_machine_is_answered_in_time() {
    let start = clock::awake();
    if let Some(found) = updates(&SystemRunner::new(), Path::new("/")) {
        assert_eq!(found.pending.is_some(), found.unseen.is_empty(), "{found:?}");
    }
    assert!(clock::awake() < start + PATIENCE * 3);
}
