//! The programs fail when the old rules are to come back: the kernel's timer does not need them, and
//! the guard goes on trying.

use std::fs;
use std::path::Path;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use fwtui::guard::{Answer, Job, Report, Request};
use fwtui::sys::clock;

use crate::faults::Replaced;
use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::{Guard, job, paths, policy};
use crate::trial::{back_at, closed};

const SHORT: Duration = Duration::from_millis(2500);

fn held(lab: &Lab, job: &Job) -> Guard {
    lab.try_to_hold_job(job).unwrap_or_else(|report| panic!("{report:?}"))
}

fn confine() -> Job {
    job(&policy(&[("8080/tcp", "confine")]), SHORT)
}

#[test]
fn programs_that_are_gone_at_the_deadline_are_not_needed() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let base = lab.base();
        let guard = held(lab, &confine());
        // As between the two halves of an upgrade.
        let programs = ["xtables-nft-multi", "xtables-legacy-multi"];
        let gone: Vec<_> = programs
            .into_iter()
            .filter_map(|name| fwtui::sys::runner::find_program(Path::new(name)))
            .map(|path| fs::canonicalize(path).unwrap())
            .collect();
        assert!(!gone.is_empty());
        fs::write("/run/nothing", "").unwrap();
        for program in &gone {
            rustix::mount::mount_bind("/run/nothing", program).unwrap();
        }
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        let noticed = || {
            fwtui::store::state::last(&paths())
                .unwrap()
                .filter(|last| last.id == guard.id)
        };
        assert!(paths().journal().exists() && noticed().is_none_or(|last| last.has_failed));
        for program in &gone {
            rustix::mount::unmount(program, rustix::mount::UnmountFlags::DETACH).unwrap();
        }
        eventually(|| (!paths().journal().exists()).then_some(())).expect("the guard goes on trying");
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        assert_eq!(lab.base(), base);
    });
}

/// Refuses every load in this network while there is a file, and counts.
const REFUSES: &str = r#"case "$0" in *-restore) if [ -e /run/refuse ]; then
    echo refused >> /run/refused; cat > /dev/null; echo "line 1: RULE_REPLACE failed (No buffer space available)" >&2; exit 4
fi;; esac"#;

/// A kernel that refuses the old rules some times; the way in is there meanwhile where the kernel's
/// timer is, and once it takes them where not.
fn refused_again_and_again(lab: &Lab, has_kernel_timer: bool) {
    lab.listen_everywhere(8080);
    lab.keep(&policy(&[("8080/tcp", "open")]));
    let base = lab.base();
    let broken = Replaced::program("iptables-nft-restore", REFUSES);
    let mut job = confine();
    if !has_kernel_timer {
        job.no_kernel_timer = Some("a test took it away".to_owned());
    }
    let guard = held(lab, &job);
    fs::write("/run/refuse", "").unwrap();
    if has_kernel_timer {
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
    }
    // The whole of them and three parts of them make an attempt.
    let refusals = || fs::read_to_string("/run/refused").unwrap_or_default().lines().count();
    eventually(|| (refusals() >= 8).then_some(())).expect("it goes on trying");
    assert_eq!(lab.answers(Neighbour::Public, 8080), has_kernel_timer);
    fs::remove_file("/run/refuse").unwrap();
    eventually(|| (!paths().journal().exists()).then_some(())).expect("it is taken in the end");
    assert!(lab.answers(Neighbour::Public, 8080));
    assert!(clock::since_boot() < guard.deadline + Duration::from_secs(30));
    guard.ended();
    closed(lab, &Reason::NotConfirmed);
    drop(broken);
    assert_eq!(lab.base(), base);
}

#[test]
fn a_kernel_that_refuses_the_old_rules_is_asked_again() {
    in_sandbox(|lab| refused_again_and_again(lab, true));
}

#[test]
fn a_kernel_that_refuses_the_old_rules_is_asked_again_where_it_has_no_timer() {
    in_sandbox(|lab| refused_again_and_again(lab, false));
}

#[test]
fn a_program_that_hangs_at_the_deadline_is_killed_and_the_next_one_does_it() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let base = lab.base();
        let broken = Replaced::program(
            "iptables-nft-restore",
            r#"case "$0" in *-restore) if [ -e /run/hang ]; then
                   rm /run/hang; : > /run/hangs; exec sleep 300
               fi;; esac"#,
        );
        let guard = held(lab, &confine());
        fs::write("/run/hang", "").unwrap();
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        eventually(|| Path::new("/run/hangs").exists().then_some(())).expect("it hangs");
        assert!(paths().journal().exists(), "the guard waits for it");
        // It gets some time, as a large ruleset does; then half a minute is not over yet.
        let last = guard.deadline + Duration::from_secs(30);
        while paths().journal().exists() {
            assert!(clock::since_boot() < last, "it is still waited for");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(
            clock::since_boot() > guard.deadline + Duration::from_secs(8),
            "it was waited for"
        );
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        drop(broken);
        assert_eq!(lab.base(), base);
    });
}

#[test]
fn a_lock_held_for_ever_keeps_nobody_out_past_the_deadline() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.use_legacy();
        let (base, foreign) = (lab.base(), lab.foreign());
        let guard = held(lab, &confine());
        let lock = fs::File::create("/run/xtables.lock").unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        // The guard waits for it, never for ever, and never past it.
        let over = clock::since_boot() + Duration::from_secs(6);
        eventually(|| (clock::since_boot() > over).then_some(())).unwrap();
        assert!(paths().journal().exists(), "nothing was loaded past the lock");
        drop(lock);
        eventually(|| (!paths().journal().exists()).then_some(())).expect("the guard goes on trying");
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        assert_eq!((lab.base(), lab.foreign()), (base, foreign));
    });
}

/// Loading takes longer than the trial is to last.
fn slow_load(lab: &Lab, has_kernel_timer: bool) -> (Job, Result<Guard, Report>) {
    fs::write("/run/slow", "").unwrap();
    let mut job = job(&policy(&[("8080/tcp", "confine")]), Duration::from_millis(800));
    if !has_kernel_timer {
        job.no_kernel_timer = Some("a test took it away".to_owned());
    }
    let held = lab.try_to_hold_job(&job);
    (job, held)
}

#[test]
fn a_load_that_takes_longer_than_the_trial_is_undone_or_has_its_whole_time() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let base = lab.base();
        let slow = Replaced::program(
            "iptables-nft-restore",
            r#"if [ "${0##*/}" = iptables-nft-restore ] && [ -e /run/slow ]; then rm /run/slow; sleep 2.5; fi"#,
        );
        // The kernel's second is over before the second family is there: it does not hold what was loaded.
        let (_, held) = slow_load(lab, true);
        let Err(Report::Failed(why)) = held else {
            panic!("it is not held");
        };
        assert!(why.contains("does not hold what was loaded"), "{why}");
        lab.settled();
        assert_eq!(lab.base(), base);
        assert!(!paths().journal().exists() && lab.answers(Neighbour::Public, 8080));
        // Without the kernel's timer the time counts from the switch.
        let (_, held) = slow_load(lab, false);
        let guard = held.unwrap_or_else(|report| panic!("{report:?}"));
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        drop(slow);
        assert_eq!(lab.base(), base);
    });
}

#[test]
fn a_family_that_cant_be_shown_does_not_excuse_the_other() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "confine")]));
        let guard = lab.hold(&policy(&[("8080/tcp", "open")]), Duration::from_secs(60));
        // iptables can't show a table with such a rule, and somebody has cut the other family's jump.
        lab.line("nft add rule ip6 filter INPUT ct state new meta mark set 5");
        lab.line("iptables -D INPUT -j FWTUI-INPUT");
        assert!(lab.answers(Neighbour::Public, 8080));
        let answer = lab.ask(Request::Revert, None);
        assert!(
            matches!(answer, Some(Answer::Reverted { trouble: None, .. })),
            "{answer:?}"
        );
        assert!(lab.refuses(Neighbour::Public, 8080), "in both families");
        guard.ended();
    });
}
