//! Documents as they should not be: said with line and reason, and left as they are.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use fwtui::core::policy::Policy;

use crate::harness::{Home, in_sandbox};

/// Every verb that reads the policy complains; none of them touches it.
#[track_caller]
fn refused(home: &Home, words: &str) {
    for args in [
        &["set", "80/tcp", "open"][..],
        &["network", "eth1", "trusted"],
        &["preview"],
        &["preview", "--json"],
        &["apply", "--yes"],
        &["apply", "--wait"],
    ] {
        home.fwtui(args).complains(1, words);
    }
    let list = home.fwtui(&["list"]).exits(1);
    assert!(list.stderr.contains("the policy is not used"), "{}", list.stderr);
    assert!(list.stderr.contains(words), "{}", list.stderr);
    assert_eq!(home.fwtui(&["status", "--json"]).json()["state"], "off");
}

#[test]
fn mistakes_come_with_their_line_and_reason() {
    in_sandbox(|home| {
        let service =
            |id: &str, entry: &str| format!("{{\n\"version\": 1,\n\"services\": {{\n\"{id}\": {entry}\n}}\n}}\n");
        let open = r#"{"decision": "open"}"#;
        for (text, line, reason) in [
            (
                service("22/tcp", &format!("{open},\n\"22/tcp\": {open}")),
                5,
                "22/tcp is there twice",
            ),
            (service("0/tcp", open), 4, "ports go from 1 to 65535"),
            (service("70000/tcp", open), 4, "ports go from 1 to 65535"),
            (
                service("22/tcp", r#"{"decision": "opened"}"#),
                4,
                "unknown variant `opened`",
            ),
            (
                service("22/tcp", r#"{"decision": "open", "till": 1}"#),
                4,
                "unknown field `till`",
            ),
            (
                service("22/tcp", r#"{"decision": "open", "from": ["x"]}"#),
                4,
                "is no network",
            ),
            (
                "{\n\"version\": 2,\n\"services\": {}\n}\n".to_owned(),
                2,
                "version 2 is not known",
            ),
            (
                "{\n\"version\": 1,\n\"polcy\": {}\n}\n".to_owned(),
                3,
                "unknown field `polcy`",
            ),
            ("{\n\"version\": 1,\n\"services\": {\n".to_owned(), 4, "ends too early"),
            (String::new(), 1, "ends too early"),
            ("42".to_owned(), 1, "invalid type"),
        ] {
            fs::write(home.policy(), &text).unwrap();
            refused(home, reason);
            let done = home.fwtui(&["preview"]);
            assert!(
                done.stderr.contains(&format!("policy.json, line {line},")),
                "{text}{}",
                done.stderr
            );
            assert_eq!(fs::read_to_string(home.policy()).unwrap(), text);
        }
    });
}

#[test]
fn a_huge_file_is_not_read() {
    in_sandbox(|home| {
        fs::File::create(home.policy())
            .unwrap()
            .set_len(100 * 1024 * 1024)
            .unwrap();
        refused(home, "larger than");
        assert_eq!(fs::metadata(home.policy()).unwrap().len(), 100 * 1024 * 1024);
    });
}

#[test]
fn links_are_not_followed() {
    in_sandbox(|home| {
        let elsewhere = home.root().join("elsewhere.json");
        let text = Policy::default().to_text();
        fs::write(&elsewhere, &text).unwrap();
        symlink(&elsewhere, home.policy()).unwrap();
        refused(home, "symbolic link");
        assert_eq!(fs::read_link(home.policy()).unwrap(), elsewhere);
        assert_eq!(fs::read_to_string(elsewhere).unwrap(), text);
    });
}

#[test]
fn folders_and_pipes_are_no_policy() {
    in_sandbox(|home| {
        fs::create_dir(home.policy()).unwrap();
        refused(home, "no plain file");
        fs::remove_dir(home.policy()).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, home.policy(), 0o600.into()).unwrap();
        refused(home, "no plain file");
    });
}

#[test]
fn an_unreadable_policy_is_not_taken_for_none() {
    let home = Home::unprivileged();
    fs::write(home.policy(), Policy::default().to_text()).unwrap();
    fs::set_permissions(home.policy(), fs::Permissions::from_mode(0o000)).unwrap();
    home.fwtui(&["preview"]).complains(5, "Permission denied");
    let list = home.fwtui(&["list"]).exits(1);
    assert!(list.stderr.contains("the policy is not used"), "{}", list.stderr);
}

#[test]
fn a_folder_that_cannot_be_written_loses_nothing() {
    in_sandbox(|home| {
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        let text = fs::read_to_string(home.policy()).unwrap();
        let folder = home.policy().parent().unwrap().to_owned();
        mount_read_only(&folder);
        home.fwtui(&["set", "80/tcp", "open"])
            .complains(1, "Read-only file system");
        assert_eq!(fs::read_to_string(home.policy()).unwrap(), text);
    });
}

#[test]
fn a_full_disk_loses_nothing() {
    in_sandbox(|home| {
        let folder = home.policy().parent().unwrap().to_owned();
        rustix::mount::mount(
            "none",
            &folder,
            "tmpfs",
            rustix::mount::MountFlags::empty(),
            Some(c"size=16k,mode=755"),
        )
        .unwrap();
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        let text = fs::read_to_string(home.policy()).unwrap();
        // As large as the disk lets it be.
        let filler = fs::write(folder.join("filler"), vec![0; 64 * 1024]);
        assert_eq!(filler.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        home.fwtui(&["set", "80/tcp", "open"])
            .complains(1, "No space left on device");
        assert_eq!(fs::read_to_string(home.policy()).unwrap(), text);
        let names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            !names.iter().any(|name| name.to_string_lossy().ends_with(".new")),
            "{names:?}"
        );
    });
}

#[test]
fn the_policy_is_for_everyone_to_read_and_the_state_is_not() {
    in_sandbox(|home| {
        home.fwtui(&["set", "22/tcp", "open"]).exits(0);
        assert_eq!(fs::metadata(home.policy()).unwrap().mode() & 0o777, 0o644);
        home.fwtui(&["apply", "--yes"]).exits(0);
        for (folder, mode) in [("var/lib/fwtui", 0o700), ("run/fwtui", 0o700)] {
            assert_eq!(
                fs::metadata(home.root().join(folder)).unwrap().mode() & 0o777,
                mode,
                "{folder}"
            );
        }
    });
}

#[test]
fn the_example_is_a_policy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/policy.example.json");
    let text = fs::read_to_string(path).unwrap();
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.to_text(), text, "written as fwtui writes it");
    assert!(!policy.services.is_empty() && !policy.networks.interfaces.is_empty());
}

/// Makes a folder read-only in the sandbox's own mount namespace.
fn mount_read_only(folder: &Path) {
    use rustix::mount::{MountFlags, mount_bind, mount_remount};
    mount_bind(folder, folder).unwrap();
    mount_remount(folder, MountFlags::BIND | MountFlags::RDONLY, "").unwrap();
}
