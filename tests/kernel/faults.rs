//! What fails half-way is undone at once; what cannot be written down is not begun.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::backend::switch::Base;
use fwtui::core::trial::Reason;
use fwtui::guard::Report;
use fwtui::sys::runner::find_program;

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::{guards, paths, policy};

/// Nothing was begun: no guard, no trial, and the rules as they were.
fn untouched(lab: &Lab, base: &Base, foreign: &str) {
    lab.settled();
    assert!(guards().is_empty());
    assert!(!paths().journal().exists() && !paths().socket().exists());
    assert_eq!((&lab.base(), lab.foreign().as_str()), (base, foreign));
}

/// Somebody who owns a native table: nobody else may change it while he lives.
struct TableOwner(Child);

impl TableOwner {
    fn of(lab: &Lab, table: &str) -> Self {
        let mut child = Command::new("nft")
            .arg("-i")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let command = format!("add table {table} {{ flags owner; }}\n");
        child.stdin.as_mut().unwrap().write_all(command.as_bytes()).unwrap();
        eventually(|| lab.run(&["nft", "list", "tables"]).contains(table).then_some(())).expect("the table is there");
        Self(child)
    }
}

impl Drop for TableOwner {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn where_one_family_fails_both_are_as_they_were() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let (base, foreign) = (lab.base(), lab.foreign());
        // IPv6 is loaded first and succeeds; then the kernel refuses IPv4.
        let owner = TableOwner::of(lab, "ip filter");
        lab.does(&["set", "8080/tcp", "confine"]);
        let complaint = lab.fails(1, &["apply", "--yes"]);
        assert!(complaint.contains("iptables"), "{complaint}");
        assert!(matches!(lab.last_reason(), Some(Reason::Failed(_))));
        assert!(lab.answers(Neighbour::Public, 8080));
        drop(owner);
        untouched(lab, &base, &foreign);
        // And nothing stands in the way of trying again.
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080));
    });
}

#[test]
fn where_one_family_fails_the_confirmed_rules_of_both_are_in_force() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let (base, foreign) = (lab.base(), lab.foreign());
        // Loads IPv6 and loses IPv4 half-way.
        let broken = Replaced::program(
            "iptables-nft-restore",
            r#"if [ "${0##*/}" = iptables-nft-restore ] && ! [ -e /run/refused ]; then
                   : > /run/refused; cat > /run/given; echo "line 3: cannot allocate memory" >&2; exit 1
               fi"#,
        );
        let report = lab.try_to_hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
        let Err(Report::Failed(why)) = report else {
            panic!("it says what failed");
        };
        assert!(why.contains("cannot allocate memory"), "{why}");
        assert!(fs::read_to_string("/run/given").unwrap().contains("8080"));
        assert!(matches!(lab.last_reason(), Some(Reason::Failed(_))));
        untouched(lab, &base, &foreign);
        assert!(lab.answers(Neighbour::Public, 8080));
        assert_eq!(lab.status().0["state"], "confirmed");
        drop(broken);
    });
}

#[test]
fn rules_the_kernel_keeps_otherwise_than_given_are_undone() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let (base, foreign) = (lab.base(), lab.foreign());
        // A program that loses a rule and says that all is well.
        let broken = Replaced::program(
            "iptables-nft-restore",
            r#"if [ "${0##*/}" = ip6tables-nft-restore ] && ! [ -e /run/refused ]; then
                   : > /run/refused; grep -v 8080 | "/run/real/${0##*/}" "$@"; exit
               fi"#,
        );
        let report = lab.try_to_hold(&policy(&[("8080/tcp", "open")]), Duration::from_secs(60));
        let Err(Report::Failed(why)) = report else {
            panic!("it says what failed");
        };
        assert!(why.contains("IPv6: the kernel does not hold what was loaded"), "{why}");
        untouched(lab, &base, &foreign);
        drop(broken);
    });
}

/// A program of the system's behind a script of ours, in this mount namespace only.
pub struct Replaced {
    target: std::path::PathBuf,
}

impl Replaced {
    /// `script` runs first, where a program of this family of programs is started; then the real one.
    pub fn program(name: &str, script: &str) -> Self {
        let target = fs::canonicalize(find_program(Path::new(name)).unwrap()).unwrap();
        let real = Path::new("/run/real");
        fs::create_dir_all(real).unwrap();
        fs::copy(&target, real.join("multi")).unwrap();
        for stem in ["iptables-nft", "ip6tables-nft"] {
            for part in ["", "-save", "-restore"] {
                symlink("multi", real.join(format!("{stem}{part}"))).unwrap();
            }
        }
        let wrapper = Path::new("/run/wrapper");
        let real = "exec \"/run/real/${0##*/}\" \"$@\"";
        // What is only tried changes nothing, so there is nothing to spoil.
        let text = format!("#!/bin/sh\ncase \" $* \" in *\" --test \"*) {real};; esac\n{script}\n{real}\n");
        fs::write(wrapper, text).unwrap();
        fs::set_permissions(wrapper, Permissions::from_mode(0o755)).unwrap();
        rustix::mount::mount_bind(wrapper, &target).unwrap();
        Self { target }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.target, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

#[test]
fn with_a_full_disk_nothing_is_begun() {
    in_sandbox(|lab| {
        lab.does(&["set", "8080/tcp", "confine"]);
        let (base, foreign) = (lab.base(), lab.foreign());
        let var = paths().root().join("var");
        fs::create_dir_all(&var).unwrap();
        lab.run(&["mount", "-t", "tmpfs", "-o", "size=4k", "full", var.to_str().unwrap()]);
        let complaint = lab.fails(1, &["apply", "--yes"]);
        assert!(complaint.contains("No space left on device"), "{complaint}");
        untouched(lab, &base, &foreign);
        lab.run(&["umount", var.to_str().unwrap()]);
        lab.does(&["apply", "--yes"]);
    });
}

#[test]
fn with_a_disk_full_at_the_confirmation_it_is_told_and_reverted() {
    in_sandbox(|lab| {
        let var = paths().root().join("var");
        fs::create_dir_all(&var).unwrap();
        lab.run(&["mount", "-t", "tmpfs", "tmp", var.to_str().unwrap()]);
        let (base, foreign) = (lab.base(), lab.foreign());
        let guard = lab.hold(&policy(&[]), Duration::from_secs(4));
        lab.run(&["mount", "-o", "remount,bind,ro", var.to_str().unwrap()]);
        let kept = eventually(|| {
            let output = lab.fwtui(&["confirm"]);
            let complaint = String::from_utf8(output.stderr).unwrap();
            (!complaint.contains("too early")).then_some((output.status.code(), complaint))
        });
        let (code, complaint) = kept.unwrap();
        assert_ne!(code, Some(0));
        assert!(complaint.contains("Read-only file system"), "{complaint}");
        guard.ended();
        assert_eq!((lab.base(), lab.foreign()), (base, foreign));
        lab.run(&["mount", "-o", "remount,bind,rw", var.to_str().unwrap()]);
        // The journal could not be closed then; the twin or the next start does it.
        let is_closed = || {
            lab.status();
            (!paths().journal().exists()).then_some(())
        };
        eventually(is_closed).expect("the journal is closed");
        assert!(!paths().confirmed().exists());
        assert!(lab.last_reason().is_some());
    });
}

#[test]
fn with_a_read_only_etc_the_policy_stays_and_the_reason_is_told() {
    in_sandbox(|lab| {
        lab.does(&["set", "8080/tcp", "confine"]);
        let before = fs::read_to_string(paths().policy()).unwrap();
        let etc = paths().root().join("etc");
        let etc = etc.to_str().unwrap();
        lab.run(&["mount", "--bind", etc, etc]);
        lab.run(&["mount", "-o", "remount,bind,ro", etc]);
        for change in [&["set", "8080/tcp", "open"][..], &["network", "eth1", "trusted"]] {
            let complaint = lab.fails(1, change);
            assert!(complaint.contains("policy.json could not be written"), "{complaint}");
            assert!(complaint.contains("Read-only file system"), "{complaint}");
        }
        assert_eq!(fs::read_to_string(paths().policy()).unwrap(), before);
        // What is on disk can be applied all the same.
        lab.does(&["apply", "--yes"]);
    });
}

#[test]
fn a_state_folder_that_others_could_have_made_is_not_used() {
    in_sandbox(|lab| {
        let (base, foreign) = (lab.base(), lab.foreign());
        for folder in [paths().state(), paths().run()] {
            let elsewhere = Path::new("/run/elsewhere");
            fs::create_dir_all(elsewhere).unwrap();
            fs::create_dir_all(folder.parent().unwrap()).unwrap();
            if folder.exists() {
                fs::remove_dir_all(&folder).unwrap();
            }
            symlink(elsewhere, &folder).unwrap();
            let complaint = lab.fails(1, &["apply", "--yes"]);
            assert!(complaint.contains("is no folder"), "{complaint}");
            untouched(lab, &base, &foreign);
            assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
            fs::remove_file(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
            let complaint = lab.fails(1, &["apply", "--yes"]);
            assert!(complaint.contains("can be written by other users"), "{complaint}");
            untouched(lab, &base, &foreign);
            fs::remove_dir_all(&folder).unwrap();
        }
        lab.does(&["apply", "--yes"]);
    });
}

#[test]
fn a_lock_held_for_ever_stops_the_apply_and_nothing_more() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.use_legacy();
        lab.does(&["set", "8080/tcp", "confine"]);
        let (base, foreign) = (lab.base(), lab.foreign());
        let lock = fs::File::create("/run/xtables.lock").unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let complaint = lab.fails(1, &["apply", "--yes"]);
        assert!(complaint.contains("/run/xtables.lock"), "{complaint}");
        drop(lock);
        untouched(lab, &base, &foreign);
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn a_restore_that_fails_leaves_what_was_there() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let base = lab.base();
        let broken = Replaced::program(
            "iptables-nft-restore",
            r#"if [ "${0##*/}" = iptables-nft-restore ] && ! [ -e /run/refused ]; then
                   : > /run/refused; exit 1
               fi"#,
        );
        lab.fails(1, &["restore"]);
        drop(broken);
        assert_eq!(lab.base(), base);
        assert!(lab.answers(Neighbour::Public, 8080));
        assert_eq!(lab.status().0["state"], "confirmed");
    });
}
