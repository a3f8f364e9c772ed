//! Disks that are full, read-only or gone, and documents that are not what was written: what cannot
//! be written down is not begun, and what was begun ends without a disk.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::backend::iptables;
use fwtui::core::trial::Reason;
use fwtui::guard::{Answer, Holder, Report, Request};
use fwtui::store::state;
use fwtui::sys::runner::SystemRunner;

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::{CONFIRM, job, paths, policy};
use crate::timer::kill_all;
use crate::trial::{back_at, closed};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1500);

/// A small file system in memory over a folder of fwtui's.
struct Small<'a>(&'a Lab, std::path::PathBuf);

impl<'a> Small<'a> {
    fn over(lab: &'a Lab, folder: &Path, options: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        lab.run(&["mount", "-t", "tmpfs", "-o", options, "small", folder.to_str().unwrap()]);
        Self(lab, folder.to_owned())
    }

    fn is_read_only(&self, is_read_only: bool) {
        let mode = if is_read_only {
            "remount,bind,ro"
        } else {
            "remount,bind,rw"
        };
        self.0.run(&["mount", "-o", mode, self.1.to_str().unwrap()]);
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut size = 1 << 20;
        let path = self.1.join("filler");
        let mut file = fs::File::create(path).unwrap();
        while size > 0 {
            match std::io::Write::write(&mut file, &vec![0; size]) {
                Ok(count) if count > 0 => {}
                _ => size /= 2,
            }
        }
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.1, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

/// Nothing was begun.
fn untouched(lab: &Lab) {
    lab.settled();
    assert!(!paths().journal().exists() && !paths().socket().exists());
    assert!(lab.base().ipv4.rules.is_empty() && lab.base().ipv6.rules.is_empty());
    assert!(lab.answers(Neighbour::Public, 8080));
}

/// One page, or one file, more each time: every write is the one that the disk does not take. The
/// first trial that is begun is whole, and ends.
fn full_at_every_write(lab: &Lab, folder: &Path, unit: &str, first: u32) {
    let mut refused = 0;
    for units in first.. {
        let size = if unit == "size" { units * 4096 } else { units };
        // Hash tables and the folder itself take their part.
        let _small = Small::over(lab, folder, &format!("{unit}={size},mode=700"));
        match lab.try_to_hold(&policy(&[("8080/tcp", "confine")]), LONG) {
            Err(Report::Failed(why)) => {
                assert!(why.contains("No space left on device"), "{unit}={size}: {why}");
                untouched(lab);
                refused += 1;
            }
            Err(report) => panic!("{unit}={size}: {report:?}"),
            Ok(guard) => {
                assert!(lab.refuses(Neighbour::Public, 8080));
                // There may be no room for how it ended.
                let answer = lab.ask(Request::Revert, None);
                assert!(matches!(answer, Some(Answer::Reverted { .. })), "{answer:?}");
                guard.ended();
                untouched(lab);
                break;
            }
        }
    }
    println!("{}: {unit} refused {refused} times", folder.display());
    assert!(refused > 0);
}

#[test]
fn a_disk_that_is_full_at_any_write_begins_nothing() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        full_at_every_write(lab, &paths().state(), "size", 1);
        full_at_every_write(lab, &paths().state(), "nr_inodes", 1);
        full_at_every_write(lab, &paths().run(), "nr_inodes", 1);
    });
}

/// Waits for the deadline with the disk spoiled; the old rules must be back from memory.
fn ends_without(lab: &Lab, spoil: impl FnOnce(&[Small<'_>; 2])) {
    let base = lab.base();
    let disks = [paths().state(), paths().run()].map(|folder| Small::over(lab, &folder, "size=1m,mode=700"));
    let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), SHORT);
    assert!(lab.refuses(Neighbour::Public, 8080));
    spoil(&disks);
    back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
    guard.ended();
    assert_eq!(lab.base(), base);
    disks[0].is_read_only(false);
    for disk in &disks {
        let _not_there = fs::remove_file(disk.1.join("filler"));
    }
    // The twin, or the next start, writes down what could not be.
    let is_closed = || {
        lab.status();
        (!paths().journal().exists()).then_some(())
    };
    eventually(is_closed).expect("the journal is closed");
    assert!(!paths().confirmed().exists());
    assert!(lab.answers(Neighbour::Public, 8080));
    let no_twin = || crate::machine::processes(|args| args.first().is_some_and(|arg| arg == "--root")).is_empty();
    eventually(|| no_twin().then_some(())).expect("the twin ends");
}

#[test]
fn a_disk_that_is_read_only_full_or_empty_at_the_deadline_is_not_needed() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        // The lock is open for writing, which keeps its file system writable.
        ends_without(lab, |disks| disks[0].is_read_only(true));
        ends_without(lab, |disks| disks.iter().for_each(Small::fill));
        // Nothing that was written is there any more.
        ends_without(lab, |disks| {
            for disk in disks {
                for entry in fs::read_dir(&disk.1).unwrap() {
                    fs::remove_file(entry.unwrap().path()).unwrap();
                }
            }
        });
    });
}

#[test]
fn a_confirmation_needs_no_room_on_the_disk() {
    in_sandbox(|lab| {
        let disk = Small::over(lab, &paths().state(), "size=1m,mode=700");
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let mut job = job(&policy(&[("8081/tcp", "open")]), LONG);
        job.settle = Duration::ZERO;
        let id = job.candidate.id.clone();
        let guard = lab.try_to_hold_job(&job).unwrap_or_else(|report| panic!("{report:?}"));
        disk.fill();
        let answer = lab.ask(CONFIRM, None);
        // What was confirmed before has gone, and its room may be enough for the outcome.
        let Some(Answer::Confirmed { trouble }) = answer else {
            panic!("{answer:?}");
        };
        assert!(trouble.is_none_or(|trouble| trouble.contains("No space left on device")));
        guard.ended();
        assert_eq!(
            state::confirmed(&paths()).unwrap().unwrap().id,
            id,
            "whole, and the new one"
        );
        fs::remove_file(disk.1.join("filler")).unwrap();
        assert_eq!(lab.status().0["state"], "confirmed");
        assert!(!paths().journal().exists());
        // Nobody takes the outcome of the trial before for this one's.
        assert!(lab.status().0["last"].is_null() || lab.status().0["last"]["outcome"] == "confirmed");
    });
}

#[test]
fn a_trial_that_was_written_down_and_not_begun_is_closed_by_the_next_start() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let (base, confirmed) = (lab.base(), fs::read(paths().confirmed()).unwrap());
        let (backend, _) = iptables::open(SystemRunner::new()).unwrap();
        let boot_id = fwtui::sys::host::boot_id().unwrap();
        // Its guard ends between the two, without a word.
        drop(Holder::arm(&backend, job(&policy(&[("8080/tcp", "confine")]), LONG), &boot_id).unwrap());
        assert!(paths().journal().exists());
        assert_eq!(lab.status().0["state"], "confirmed");
        closed(lab, &Reason::GuardDied);
        assert_eq!(lab.base(), base);
        assert_eq!(fs::read(paths().confirmed()).unwrap(), confirmed);
        lab.does(&["set", "8081/tcp", "open"]);
        lab.does(&["apply", "--yes"]);
    });
}

#[test]
fn a_restart_during_a_trial_brings_back_what_was_confirmed() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for is_confirmed in [false, true] {
            if is_confirmed {
                lab.keep(&policy(&[("8080/tcp", "confine")]));
            }
            let wanted = lab.base().ipv4.rules;
            let mut guard = lab.hold(&policy(&[("8082/tcp", "open")]), LONG);
            kill_all(&mut guard);
            // As after a power cut: the tables are empty, and the journal is of an earlier boot.
            let mut journal = state::journal(&paths()).unwrap().unwrap();
            let candidate = state::candidate(&paths()).unwrap().unwrap();
            let script = fs::read_to_string(paths().script()).unwrap();
            journal.boot_id = "00000000-0000-4000-8000-000000000000".to_owned();
            state::arm(&paths(), &candidate, &journal, &script).unwrap();
            fs::remove_dir_all(paths().run()).unwrap();
            lab.line("nft flush ruleset");
            lab.does(&["restore"]);
            closed(lab, &Reason::Reboot);
            assert_eq!(lab.base().ipv4.rules, wanted);
            let (status, code) = lab.status();
            assert_eq!(status["state"], if is_confirmed { "confirmed" } else { "off" });
            assert_eq!(
                (status["last"]["outcome"].as_str(), code),
                (Some("reverted"), 0),
                "{status}"
            );
            assert_eq!(lab.refuses(Neighbour::Public, 8080), is_confirmed);
        }
    });
}

#[test]
fn what_stands_in_the_place_of_the_lock_or_the_socket_is_not_followed() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        let elsewhere = Path::new("/run/elsewhere");
        let is_refused = |why: &str| {
            let complaint = lab.fails(1, &["apply", "--yes", "--no-rehearsal"]);
            assert!(complaint.contains(why), "{complaint}");
            // The guard has said why, and ends.
            lab.settled();
            assert!(!paths().journal().exists());
            assert!(lab.answers(Neighbour::Public, 8080));
        };
        fwtui::sys::files::private_folder(&paths().run()).unwrap();
        let _not_there = fs::remove_file(paths().lock());
        symlink(elsewhere, paths().lock()).unwrap();
        is_refused("the lock can't be taken");
        assert!(!elsewhere.exists());
        fs::remove_file(paths().lock()).unwrap();
        // A folder can't be replaced by a socket.
        fs::create_dir(paths().socket()).unwrap();
        is_refused("the guard's socket can't be made");
        fs::remove_dir(paths().socket()).unwrap();
        // A link is: what it leads to stays as it is.
        fs::write(elsewhere, "theirs").unwrap();
        symlink(elsewhere, paths().socket()).unwrap();
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), LONG);
        assert_eq!(fs::read_to_string(elsewhere).unwrap(), "theirs");
        // Nobody but root gets to either.
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([paths().run(), paths().state()].map(|path| mode(&path)), [0o700; 2]);
        let files = [paths().socket(), paths().lock(), paths().journal(), paths().candidate()];
        assert_eq!(files.map(|path| mode(&path)), [0o600; 4]);
        lab.does(&["revert"]);
        guard.ended();
    });
}

#[test]
fn what_stands_in_the_way_of_an_apply_is_told_with_the_next_step() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "open"]);
        let apply = ["apply", "--yes", "--no-rehearsal"];
        let folder = paths().state();
        let told = |why: &str, next: &str| {
            let complaint = lab.fails(1, &apply);
            assert!(complaint.contains(why) && complaint.contains(next), "{complaint}");
        };
        {
            let disk = Small::over(lab, &folder, "size=64k,mode=700");
            disk.fill();
            told("No space left on device", "'df -h' shows which one is full");
        }
        {
            let disk = Small::over(lab, &folder, "size=1m,mode=700");
            disk.is_read_only(true);
            told("Read-only file system", "remount,rw");
            disk.is_read_only(false);
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
            told("can be written by other users", "sudo chmod go-w /");
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        }
        lab.does(&apply);
    });
}

#[test]
fn rules_are_kept_whatever_becomes_of_the_note_about_what_listens() {
    in_sandbox(|lab| {
        lab.does(&["set", "22/tcp", "open"]);
        lab.does(&["apply", "--yes", "--no-rehearsal"]);
        // Nothing can be written there.
        fs::create_dir_all(paths().state().join("listened.json/x")).unwrap();
        let done = eventually(|| {
            let output = lab.fwtui(&["confirm"]);
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            (!complaint.contains("too early")).then_some((output.status.code(), complaint))
        });
        assert_eq!(done, Some((Some(0), String::new())));
        assert_eq!(lab.status().0["state"], "confirmed");
    });
}
