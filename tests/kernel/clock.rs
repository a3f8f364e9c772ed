//! Time that passes without the guard: frozen, or asleep.

use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use fwtui::sys::clock;
use rustix::process::{Signal, kill_process};

use crate::harness::{eventually, in_sandbox};
use crate::machine::{guards, paths, policy, twin_of};
use crate::trial::{back_at, closed};

/// A suspended machine is not in the tests' power. To the guard it looks the same: its clock goes
/// on while it stands still, and when it moves again the deadline is past.
#[test]
fn a_guard_that_was_frozen_past_its_deadline_reverts_as_soon_as_it_moves() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let base = lab.base();
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_millis(2500));
        let both = [guard.pid(), twin_of(guard.pid())];
        for pid in both {
            kill_process(pid, Signal::STOP).unwrap();
        }
        // Nobody of fwtui's moves; the kernel does.
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        assert_eq!(guards().len(), 1);
        assert!(paths().journal().exists(), "nobody has closed it");
        let moved = clock::since_boot();
        for pid in both {
            kill_process(pid, Signal::CONT).unwrap();
        }
        eventually(|| (!paths().journal().exists()).then_some(())).expect("the guard closes it");
        let took = clock::since_boot().saturating_sub(moved);
        assert!(took < Duration::from_secs(2), "{took:?}");
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        assert_eq!(lab.base(), base);
    });
}

#[test]
fn without_the_kernels_timer_a_guard_that_was_frozen_reverts_as_soon_as_it_moves() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut job = crate::machine::job(&policy(&[("8080/tcp", "confine")]), Duration::from_millis(800));
        job.no_kernel_timer = Some("a test took it away".to_owned());
        let guard = lab.try_to_hold_job(&job).unwrap_or_else(|report| panic!("{report:?}"));
        guard.signal(Signal::STOP);
        eventually(|| (clock::since_boot() > guard.deadline + Duration::from_millis(500)).then_some(()));
        assert!(lab.refuses(Neighbour::Public, 8080), "nobody moves");
        let moved = clock::since_boot();
        guard.signal(Signal::CONT);
        eventually(|| lab.answers(Neighbour::Public, 8080).then_some(())).expect("the old rules are back");
        let took = clock::since_boot().saturating_sub(moved);
        assert!(took < Duration::from_secs(2), "{took:?}");
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
    });
}
