//! `fwtui check` on a machine of which little is known.

use std::fs;

use crate::harness::Home;

#[test]
fn nothing_to_read_is_no_error() {
    let home = Home::unprivileged();
    let document = home.fwtui(&["check", "--json"]).exits(0).json();
    assert_eq!(document["schema"], 1);
    let findings = document["findings"].as_array().unwrap();
    // Below an empty root there is no package manager and no log.
    for family in ["updates-", "reboot-", "kernel-", "log-space-"] {
        let of_family = findings
            .iter()
            .filter(|one| one["id"].as_str().unwrap().starts_with(family));
        assert_eq!(of_family.count(), 0, "{family}");
    }
}

#[test]
fn files_that_cannot_be_read_as_meant_do_no_harm() {
    let home = Home::unprivileged();
    let folder = home.root().join("etc/sysctl.d");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.conf"), [0xff, 0xfe, b'=', b'\n', 0, b'\n']).unwrap();
    fs::create_dir(folder.join("folder.conf")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join("zero.conf")).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.join("gone.conf")).unwrap();
    fs::create_dir_all(home.root().join("var/lib/dpkg/status")).unwrap();
    home.fwtui(&["check", "--json"]).exits(0).json();
}
