//! The kernel's own timer: with every process of fwtui dead, the old rules are back at the deadline.
//! And the guard's, where the kernel has none.

use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::backend::iptables;
use fwtui::core::listener::Family;
use fwtui::core::ruleset::Entry;
use fwtui::core::trial::{Event, Reason};
use fwtui::guard::{Answer, Holder, Request};
use fwtui::sys::clock::{self, Moment};
use fwtui::sys::runner::SystemRunner;
use rustix::process::{Signal, kill_process};

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::{Guard, guards, job, paths, policy, processes, twin_of};
use crate::trial::{back_at, closed};

const SHORT: Duration = Duration::from_millis(2500);

/// Ends every process of fwtui's at once.
fn kill_all(guard: &mut Guard) {
    let twin = twin_of(guard.pid());
    for pid in [twin, guard.pid()] {
        kill_process(pid, Signal::STOP).unwrap();
    }
    kill_process(twin, Signal::KILL).unwrap();
    guard.kill();
    let is_twin = |args: &[String]| args.iter().any(|arg| arg == "--twin-of");
    eventually(|| processes(is_twin).is_empty().then_some(())).expect("nobody of fwtui is left");
}

/// When the kernel goes back by itself, since boot.
fn kernel_deadline(lab: &Lab, family: Family) -> Duration {
    let observed = lab.observed();
    let mut stamps = observed.family(family).entries.values().map(|entry| match entry {
        Entry::Timed { from, .. } => from.since_1970(),
        other => panic!("no timer: {other:?}"),
    });
    let stamp = stamps.next().expect("an entry chain");
    assert!(stamps.all(|other| other == stamp), "the hooks agree");
    let Moment { boot, wall } = clock::moment();
    boot + stamp.saturating_sub(wall)
}

/// The old rules are back at the deadline with nobody to put them there, and the next start tidies up.
fn the_kernel_alone_goes_back(lab: &Lab, is_legacy: bool) {
    if is_legacy {
        lab.use_legacy();
    }
    lab.listen_everywhere(8080);
    lab.listen_everywhere(8081);
    // Over nothing, and over rules that were confirmed.
    for is_confirmed in [false, true] {
        if is_confirmed {
            lab.keep(&policy(&[("8080/tcp", "open")]));
        }
        let base = lab.base();
        let mut guard = lab.hold(&policy(&[("8081/tcp", "open")]), SHORT);
        assert!(lab.refuses(Neighbour::Public, 8080) && lab.answers(Neighbour::Public, 8081));
        kill_all(&mut guard);
        assert!(lab.refuses(Neighbour::Public, 8080), "nobody reverted early");
        back_at(guard.deadline, || {
            let others = lab.refuses(Neighbour::Public, 8081);
            lab.answers(Neighbour::Public, 8080) && others == is_confirmed
        });
        assert!(guards().is_empty(), "nobody but the kernel did it");
        lab.fwtui(&["status"]);
        closed(lab, &Reason::GuardDied);
        assert_eq!(lab.base(), base);
    }
}

#[test]
fn with_everything_dead_the_kernel_goes_back_by_itself() {
    in_sandbox(|lab| the_kernel_alone_goes_back(lab, false));
}

#[test]
fn with_everything_dead_the_kernel_goes_back_by_itself_legacy() {
    in_sandbox(|lab| the_kernel_alone_goes_back(lab, true));
}

/// Taking everything out is a trial too: what comes back by itself are the rules.
fn the_kernel_alone_goes_back_from_off(lab: &Lab, is_legacy: bool) {
    if is_legacy {
        lab.use_legacy();
    }
    lab.listen_everywhere(8080);
    lab.keep(&policy(&[("8080/tcp", "confine")]));
    let base = lab.base();
    let mut off = job(&policy(&[]), SHORT);
    off.candidate.is_off = true;
    off.candidate.rules = fwtui::store::state::RulesText::of(&fwtui::core::ruleset::Ruleset::default());
    let mut guard = lab.try_to_hold_job(&off).unwrap_or_else(|report| panic!("{report:?}"));
    assert!(lab.answers(Neighbour::Public, 8080));
    kill_all(&mut guard);
    back_at(guard.deadline, || lab.refuses(Neighbour::Public, 8080));
    lab.fwtui(&["status"]);
    closed(lab, &Reason::GuardDied);
    assert_eq!(lab.base(), base);
}

#[test]
fn off_is_taken_back_by_the_kernel_too() {
    in_sandbox(|lab| the_kernel_alone_goes_back_from_off(lab, false));
}

#[test]
fn off_is_taken_back_by_the_kernel_too_legacy() {
    in_sandbox(|lab| the_kernel_alone_goes_back_from_off(lab, true));
}

#[test]
fn without_the_kernels_timer_and_the_twin_the_guard_alone_reverts() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut job = job(&policy(&[("8080/tcp", "confine")]), Duration::from_millis(1500));
        job.no_kernel_timer = Some("a test took it away".to_owned());
        let guard = lab.try_to_hold_job(&job).unwrap_or_else(|report| panic!("{report:?}"));
        kill_process(twin_of(guard.pid()), Signal::KILL).unwrap();
        let timed = |entry: &Entry| matches!(entry, Entry::Timed { .. });
        assert!(!lab.observed().ipv4.entries.values().any(timed));
        let (status, _) = lab.status();
        let kernel = status["protection"]
            .as_array()
            .unwrap()
            .iter()
            .find(|line| line["line"] == "kernel");
        let kernel = kernel.expect("the line is told").clone();
        assert_eq!(
            (kernel["holds"].as_bool(), kernel["why"].as_str()),
            (Some(false), Some("a test took it away"))
        );
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
    });
}

#[test]
fn what_is_confirmed_has_no_timer_any_more() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut job = job(&policy(&[("8080/tcp", "confine")]), SHORT);
        job.settle = Duration::ZERO;
        let guard = lab.try_to_hold_job(&job).unwrap_or_else(|report| panic!("{report:?}"));
        let answer = lab.ask(crate::machine::CONFIRM, None);
        assert_eq!(answer, Some(Answer::Confirmed { trouble: None }));
        let deadline = guard.deadline;
        guard.ended();
        let plain = |entry: &Entry| matches!(entry, Entry::Plain(_));
        assert!(lab.observed().ipv4.entries.values().all(plain));
        eventually(|| (clock::since_boot() > deadline + Duration::from_millis(1200)).then_some(()));
        assert!(lab.refuses(Neighbour::Public, 8080));
        assert_eq!(lab.status().0["state"], "confirmed");
    });
}

#[test]
fn extending_moves_the_kernels_timer() {
    in_sandbox(|lab| {
        let guard = lab.hold(&policy(&[]), Duration::from_secs(60));
        for family in Family::ALL {
            agrees(kernel_deadline(lab, family), guard.deadline);
        }
        let Some(Answer::Running(running)) = lab.ask(Request::Extend, None) else {
            panic!("it is extended");
        };
        assert_eq!(running.deadline, guard.deadline + Duration::from_secs(60));
        for family in Family::ALL {
            agrees(kernel_deadline(lab, family), running.deadline);
        }
        lab.does(&["revert"]);
    });
}

/// The kernel counts whole seconds: never before the guard, and hardly later.
fn agrees(kernel: Duration, guard: Duration) {
    // Both clocks were read one after the other.
    let slack = Duration::from_millis(20);
    assert!(kernel + slack >= guard, "{:?} early", guard.saturating_sub(kernel));
    assert!(
        kernel < guard + Duration::from_millis(1100) + slack,
        "{:?} late",
        kernel.saturating_sub(guard)
    );
}

#[test]
fn a_wall_clock_that_is_set_moves_the_kernels_timer_and_not_the_deadline() {
    in_sandbox(|lab| {
        const DAY: Duration = Duration::from_secs(86_400);
        let (backend, _) = iptables::open(SystemRunner::new()).unwrap();
        let mut holder = Holder::arm(&backend, job(&policy(&[]), Duration::from_secs(60)), "boot").unwrap();
        let deadline = holder.switch(clock::moment).unwrap().deadline;
        // The machine's own clock stays as it is: the guard is told another time.
        let told = |change: fn(Duration) -> Duration| {
            let now = clock::moment();
            Moment {
                wall: change(now.wall),
                ..now
            }
        };
        for change in [
            |wall| wall + DAY,
            |wall| wall,
            |wall: Duration| wall + Duration::from_secs(2),
        ] {
            let change: fn(Duration) -> Duration = change;
            holder.keep_time(told(change));
            assert_eq!(holder.trial().deadline(), Some(deadline));
            let shift = change(DAY).saturating_sub(DAY);
            for family in Family::ALL {
                agrees(kernel_deadline(lab, family).saturating_sub(shift), deadline);
            }
        }
        holder.keep_time(clock::moment());
        assert!(matches!(
            holder.on(Event::Revert, clock::moment()),
            Answer::Reverted { trouble: None, .. }
        ));
        holder.clean();
        assert!(lab.base().ipv4.rules.is_empty());
    });
}

/// What was loaded by hand with the script is what was there before.
fn the_script_alone_restores(lab: &Lab, variant: &str) {
    lab.listen_everywhere(8080);
    for decision in [None, Some("confine")] {
        if let Some(decision) = decision {
            lab.keep(&policy(&[("8080/tcp", decision)]));
        }
        let (base, foreign) = (lab.base(), lab.foreign());
        let mut guard = lab.hold(
            &policy(&[("8080/tcp", "open"), ("8082/tcp", "open")]),
            Duration::from_secs(60),
        );
        kill_all(&mut guard);
        // Without fwtui, with what a rescue shell has in its environment.
        let said = lab.run(&[
            "env",
            "-i",
            "PATH=/usr/bin:/bin",
            "sh",
            paths().script().to_str().unwrap(),
        ]);
        assert!(said.contains("The rules are back."), "{said}");
        assert_eq!((lab.base(), lab.foreign()), (base.clone(), foreign.clone()));
        assert_eq!(lab.refuses(Neighbour::Public, 8080), decision.is_some());
        // Twice is as good as once; and with everything gone, too.
        lab.run(&["sh", paths().script().to_str().unwrap()]);
        assert_eq!(lab.base(), base);
        lab.fwtui(&["status"]);
        closed(lab, &Reason::GuardDied);
        assert_eq!(lab.base(), base);
    }
    // After a confirmation it has what was confirmed.
    let base = lab.base();
    for program in ["iptables", "ip6tables"] {
        lab.line(&format!("{program}-{variant} -F"));
    }
    assert!(lab.answers(Neighbour::Public, 8080));
    lab.run(&["sh", paths().script().to_str().unwrap()]);
    assert_eq!(lab.base(), base);
    assert!(lab.refuses(Neighbour::Public, 8080));
}

#[test]
fn the_script_restores_without_fwtui() {
    in_sandbox(|lab| the_script_alone_restores(lab, "nft"));
}

#[test]
fn the_script_restores_without_fwtui_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        the_script_alone_restores(lab, "legacy");
    });
}
