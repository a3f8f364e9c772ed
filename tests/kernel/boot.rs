//! Whether boot loads what is confirmed. Everything is below the sandbox's own root, where no service
//! manager is asked.

use std::fs;
use std::path::{Path, PathBuf};

use fwtui::app::{Machine, Options};

use crate::harness::{Lab, in_sandbox};
use crate::machine::paths;

fn below(path: &str) -> PathBuf {
    paths().root().join(path)
}

/// A machine with this in it.
fn with(path: &str) {
    fs::create_dir_all(below(path).parent().unwrap()).unwrap();
    fs::write(below(path), "").unwrap();
}

/// Whether boot loads what is confirmed, and why not.
fn boot() -> (bool, String) {
    let root = Some(paths().root().to_owned());
    Machine::new(Options {
        root,
        ..Options::default()
    })
    .boot()
}

fn refuses(word: &str) {
    let (is_enabled, why) = boot();
    assert!(!is_enabled && why.contains(word), "{why}");
}

/// Puts the program where the unit says it is: the tests' own is not below the root.
fn provide_program(unit: &Path) {
    let text = fs::read_to_string(unit).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let program = line.strip_suffix(" restore").unwrap();
    assert_eq!(
        Path::new(program),
        fs::canonicalize(env!("CARGO_BIN_EXE_fwtui")).unwrap()
    );
    assert!(text.contains(&format!("ExecReload={program} restore\n")));
    with(program.trim_start_matches('/'));
}

fn installed(lab: &Lab, link: &str) -> PathBuf {
    lab.does(&["install-service"]);
    let target = fs::read_link(below(link)).unwrap();
    // As the machine under that root will see it.
    below(target.strip_prefix("/").unwrap().to_str().unwrap())
}

#[test]
fn with_systemd_a_unit_is_written_and_wanted() {
    in_sandbox(|lab| {
        with("usr/lib/systemd/systemd");
        refuses("not installed");
        let unit = installed(lab, "etc/systemd/system/sysinit.target.wants/fwtui.service");
        assert_eq!(unit, below("etc/systemd/system/fwtui.service"));
        refuses("which is not there");
        provide_program(&unit);
        assert_eq!(boot(), (true, "fwtui.service loads them".to_owned()));
        // Once more is no different.
        assert_eq!(
            installed(lab, "etc/systemd/system/sysinit.target.wants/fwtui.service"),
            unit
        );
        fs::remove_file(below("etc/systemd/system/sysinit.target.wants/fwtui.service")).unwrap();
        // What only another firewall's unit wants is not loaded at boot.
        fs::create_dir_all(below("etc/systemd/system/nftables.service.wants")).unwrap();
        fs::write(below("etc/systemd/system/nftables.service.wants/fwtui.service"), "").unwrap();
        refuses("systemctl enable");
        fs::remove_file(&unit).unwrap();
        std::os::unix::fs::symlink("/dev/null", &unit).unwrap();
        refuses("masked");
        let complaint = lab.fails(1, &["install-service"]);
        assert!(complaint.contains("systemctl unmask"), "{complaint}");
        fs::remove_file(&unit).unwrap();
        lab.does(&["install-service"]);
        assert!(boot().0);
        lab.does(&["install-service", "--uninstall"]);
        refuses("not installed");
        assert!(!below("etc/systemd/system/nftables.service.wants/fwtui.service").exists());
        lab.does(&["install-service", "--uninstall"]);
    });
}

#[test]
fn a_unit_that_a_package_brought_is_enabled_as_it_is() {
    in_sandbox(|lab| {
        with("usr/lib/systemd/systemd");
        let own = installed(lab, "etc/systemd/system/sysinit.target.wants/fwtui.service");
        let shipped = below("usr/lib/systemd/system/fwtui.service");
        fs::create_dir_all(shipped.parent().unwrap()).unwrap();
        fs::rename(&own, &shipped).unwrap();
        let wanted = installed(lab, "etc/systemd/system/sysinit.target.wants/fwtui.service");
        assert_eq!(wanted, shipped);
        assert!(!own.exists());
        // One for another program does not do.
        fs::write(&shipped, "[Service]\nExecStart=/opt/old/fwtui restore\n").unwrap();
        let wanted = installed(lab, "etc/systemd/system/sysinit.target.wants/fwtui.service");
        assert_eq!(wanted, own);
    });
}

#[test]
fn with_openrc_a_script_is_written_and_put_into_boot() {
    in_sandbox(|lab| {
        with("sbin/openrc-run");
        refuses("install-service");
        let script = installed(lab, "etc/runlevels/boot/fwtui");
        assert_eq!(script, below("etc/init.d/fwtui"));
        lab.run(&["sh", "-n", script.to_str().unwrap()]);
        let program = fs::canonicalize(env!("CARGO_BIN_EXE_fwtui")).unwrap();
        let text = fs::read_to_string(&script).unwrap();
        assert!(text.contains(&format!("command={}\n", program.display())), "{text}");
        assert!(boot().0);
        fs::remove_file(below("etc/runlevels/boot/fwtui")).unwrap();
        refuses("rc-update add fwtui boot");
        lab.does(&["install-service", "--uninstall"]);
        assert!(!script.exists());
    });
}

#[test]
fn without_either_it_says_what_to_run() {
    in_sandbox(|lab| {
        let said = lab.fails(1, &["install-service"]);
        let program = fs::canonicalize(env!("CARGO_BIN_EXE_fwtui")).unwrap();
        assert!(said.contains(&format!("{} restore", program.display())), "{said}");
        refuses("neither systemd nor OpenRC");
    });
}

#[test]
fn a_program_that_others_may_replace_is_told() {
    in_sandbox(|_| {
        with("usr/lib/systemd/systemd");
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("fwtui");
        fs::copy(env!("CARGO_BIN_EXE_fwtui"), &copy).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(&copy, mode).unwrap();
        let output = std::process::Command::new(&copy)
            .arg("install-service")
            .output()
            .unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        let words = format!("{} can be written by others than root", copy.display());
        assert!(output.status.success() && complaint.contains(&words), "{complaint}");
    });
}
