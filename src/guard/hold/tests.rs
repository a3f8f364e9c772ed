use super::*;
use crate::backend::memory::Memory;
use crate::core::listener::Family;
use crate::core::policy::Policy;
use crate::core::ruleset::compile;
use crate::core::trial::Reason;
use crate::core::trial::SETTLE_TIME;
use crate::guard::recover;
use crate::store::state::RulesText;

const BOOT: &str = "boot-1";

/// So many seconds after boot. The backend looks at the wall clock itself, for what is in force.
fn at(seconds: u64) -> Moment {
    Moment {
        boot: Duration::from_secs(seconds),
        wall: clock::since_1970() + Duration::from_secs(seconds),
    }
}

fn job(root: &std::path::Path, id: &str) -> Job {
    let policy = Policy::default();
    let rules = RulesText::of(&compile(&policy, &[]));
    let candidate = Confirmed {
        id: id.into(),
        at: "now".into(),
        is_off: false,
        policy,
        interfaces: vec![],
        rules,
        stopped: vec![],
    };
    Job {
        root: root.to_owned(),
        timeout: Duration::from_secs(90),
        settle: SETTLE_TIME,
        candidate,
        no_kernel_timer: None,
        end_connections: false,
        ways_in: Vec::new(),
        begun_by: String::new(),
        units: UnitWork::default(),
    }
}

#[test]
fn confirmed_is_kept_and_reverted_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    let backend = Memory::default();
    let mut holder = Holder::arm(&backend, job(folder.path(), "t1"), BOOT).unwrap();
    assert_eq!(holder.switch(|| at(100)).unwrap().deadline, Duration::from_secs(190));
    assert!(matches!(holder.on(Event::Confirm, at(101)), Answer::Refused(_)));
    assert!(state::confirmed(&paths).unwrap().is_none());
    assert_eq!(holder.on(Event::Confirm, at(110)), Answer::Confirmed { trouble: None });
    drop(holder);
    assert_eq!(state::confirmed(&paths).unwrap().unwrap().id, "t1");

    let mut holder = Holder::arm(&backend, job(folder.path(), "t2"), BOOT).unwrap();
    holder.switch(|| at(200)).unwrap();
    assert!(matches!(
        holder.on(Event::Tick, at(290)),
        Answer::Reverted {
            reason: Reason::NotConfirmed,
            ..
        }
    ));
    holder.clean();
    drop(holder);
    assert_eq!(state::confirmed(&paths).unwrap().unwrap().id, "t1");
    assert_eq!(
        state::last(&paths).unwrap().unwrap().reverted,
        Some(Reason::NotConfirmed)
    );
    assert!(!backend.saved_text(Family::Ipv4).contains("FWTUI-B-"));
}

#[test]
fn one_trial_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Memory::default();
    let _first = Holder::arm(&backend, job(folder.path(), "t1"), BOOT).unwrap();
    assert!(matches!(
        Holder::arm(&backend, job(folder.path(), "t2"), BOOT),
        Err(GuardError::Busy)
    ));
}

#[test]
fn a_failed_switch_is_undone_in_both_families() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Memory::default();
    backend.refuse_next_load(Family::Ipv4);
    let mut holder = Holder::arm(&backend, job(folder.path(), "t1"), BOOT).unwrap();
    holder.switch(|| at(1)).unwrap_err();
    holder.clean();
    for family in Family::ALL {
        assert!(
            !backend.saved_text(family).contains("FWTUI"),
            "{}",
            backend.saved_text(family)
        );
    }
    let last = state::last(&Paths::under(folder.path())).unwrap().unwrap();
    assert!(matches!(last.reverted, Some(Reason::Failed(_))));
}

#[test]
fn a_dead_guards_trial_is_reverted_by_who_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    let backend = Memory::default();
    let mut holder = Holder::arm(&backend, job(folder.path(), "t1"), BOOT).unwrap();
    holder.switch(|| at(1)).unwrap();
    assert!(recover(&paths, &backend, BOOT).unwrap().is_none(), "its guard is alive");
    drop(holder);
    let outcome = recover(&paths, &backend, BOOT).unwrap().unwrap();
    assert_eq!(outcome.reverted, Some(Reason::GuardDied));
    assert!(backend.read().unwrap().ipv4.own.rules.is_empty());
    assert!(recover(&paths, &backend, BOOT).unwrap().is_none());
}

#[test]
fn a_trial_cut_by_a_reboot_is_closed_and_the_kernel_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    let holder_backend = Memory::default();
    let mut holder = Holder::arm(&holder_backend, job(folder.path(), "t1"), BOOT).unwrap();
    holder.switch(|| at(1)).unwrap();
    drop(holder);
    let outcome = recover(&paths, &Memory::default(), "boot-2").unwrap().unwrap();
    assert_eq!(outcome.reverted, Some(Reason::Reboot));
}

#[test]
fn a_guard_that_died_after_the_decision_is_rolled_forward() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::under(folder.path());
    let backend = Memory::default();
    let mut holder = Holder::arm(&backend, job(folder.path(), "t1"), BOOT).unwrap();
    holder.switch(|| at(1)).unwrap();
    state::confirm(&paths, &job(folder.path(), "t1").candidate).unwrap();
    drop(holder);
    let outcome = recover(&paths, &backend, BOOT).unwrap().unwrap();
    assert_eq!(outcome.reverted, None);
    assert!(!backend.read().unwrap().ipv4.own.rules.is_empty());
}

#[test]
fn rules_that_changed_after_they_were_read_are_not_switched_from() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Memory::default();
    let mut first = Holder::arm(&backend, job(folder.path(), "t1"), BOOT).unwrap();
    first.switch(|| at(1)).unwrap();
    assert_eq!(first.on(Event::Confirm, at(10)), Answer::Confirmed { trouble: None });
    drop(first);
    let base = Base::of(&backend.read().unwrap());
    let mut holder = Holder::arm(&backend, job(folder.path(), "t2"), BOOT).unwrap();
    backend.flush_everything();
    let error = holder.switch(|| at(20)).unwrap_err();
    assert!(
        matches!(error, GuardError::Backend(BackendError::ChangedMeanwhile)),
        "{error}"
    );
    // What was read is what is put back.
    assert_eq!(Base::of(&backend.read().unwrap()), base);
    let paths = Paths::under(folder.path());
    assert!(!paths.journal().exists());
    assert_eq!(state::confirmed(&paths).unwrap().unwrap().id, "t1");
}
