use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::backend::Backend;
use crate::backend::memory::Memory;
use crate::core::policy::Policy;
use crate::core::ruleset::compile;
use crate::core::trial::{Event, Reason, SETTLE_TIME};
use crate::guard::recover::close;
use crate::guard::{Answer, Holder, Job};
use crate::store::paths::Paths;
use crate::store::state::{self, Confirmed, RulesText};
use crate::sys::clock::Moment;
use crate::sys::runner::{Call, Output, RunError};

const BOOT: &str = "boot-1";

/// As much of systemd as this takes.
#[derive(Debug, Default)]
struct State {
    units: BTreeMap<String, One>,
    /// Every change, as it was called.
    calls: Vec<String>,
    /// No answer to any call.
    is_dead: bool,
    /// These do not stop, or do not start.
    stubborn: Vec<String>,
    is_going_down: bool,
}

#[derive(Debug, Default)]
struct One {
    active: &'static str,
    file: &'static str,
    is_masked: bool,
    more: String,
}

/// A runner that is a systemd; its clones are the same one.
#[derive(Debug, Clone, Default)]
struct Systemd(Arc<Mutex<State>>);

impl Systemd {
    fn with(units: &[(&str, &'static str, &'static str, &str)]) -> Self {
        let systemd = Self::default();
        for (name, active, file, more) in units {
            let one = One {
                active,
                file,
                is_masked: false,
                more: (*more).to_owned(),
            };
            systemd.0.lock().unwrap().units.insert((*name).to_owned(), one);
        }
        systemd
    }

    /// A service with a socket, and one that needs it.
    fn database() -> Self {
        Self::with(&[
            (
                "db.service",
                "active",
                "enabled",
                "TriggeredBy=db.socket\nRequiredBy=web.service\n",
            ),
            ("db.socket", "active", "enabled", "Triggers=db.service\n"),
            ("web.service", "active", "enabled", ""),
        ])
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    fn active(&self, unit: &str) -> &'static str {
        self.0.lock().unwrap().units[unit].active
    }

    fn file(&self, unit: &str) -> &'static str {
        self.0.lock().unwrap().units[unit].file
    }

    fn is_masked(&self, unit: &str) -> bool {
        self.0.lock().unwrap().units[unit].is_masked
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }
}

impl Runner for Systemd {
    fn run(&self, call: &Call) -> Result<Output, RunError> {
        let mut state = self.0.lock().unwrap();
        if state.is_dead {
            return Err(RunError::TimedOut {
                program: call.program.clone(),
                after: call.timeout,
            });
        }
        assert_eq!(call.program, Path::new("systemctl"));
        let words: Vec<String> = call
            .args
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let (options, names) = match words.iter().position(|word| word == "--") {
            Some(at) => (&words[..at], &words[at + 1..]),
            None => (&words[..], &[][..]),
        };
        let verb = options.iter().find(|word| !word.starts_with('-')).unwrap().clone();
        let mut output = Output {
            code: 0,
            stdout: String::new(),
            stderr: String::new(),
        };
        if !["show", "is-system-running"].contains(&verb.as_str()) {
            state.calls.push(format!("{verb} {}", names.join(" ")));
        }
        if verb == "is-system-running" {
            output.stdout = if state.is_going_down { "stopping\n" } else { "running\n" }.to_owned();
        }
        for name in names {
            let is_stubborn = state.stubborn.contains(name);
            let is_going_down = state.is_going_down;
            // What needs it stops with it.
            if verb == "stop" && name == "db.service" && !is_stubborn {
                state.units.get_mut("web.service").unwrap().active = "inactive";
            }
            let Some(one) = state.units.get_mut(name) else {
                writeln!(output.stdout, "Id={name}\nLoadState=not-found\nActiveState=inactive\n").unwrap();
                continue;
            };
            match verb.as_str() {
                "show" => {
                    let load = if one.is_masked { "masked" } else { "loaded" };
                    writeln!(
                        output.stdout,
                        "Id={name}\nLoadState={load}\nActiveState={}\nUnitFileState={}\nCanStop=yes\n{}",
                        one.active, one.file, one.more
                    )
                    .unwrap();
                }
                "start" if one.is_masked || is_going_down => {
                    output.code = 1;
                    output.stderr = format!("Failed to start {name}: it is masked or the machine goes down.\n");
                }
                "start" if one.active == "active" => {}
                "start" => one.active = if is_stubborn { "failed" } else { "active" },
                "stop" if is_stubborn => {}
                "stop" => one.active = "inactive",
                "mask" => one.is_masked = true,
                "unmask" => one.is_masked = false,
                "enable" => one.file = "enabled",
                "disable" => one.file = "disabled",
                _ => panic!("{verb}"),
            }
        }
        Ok(output)
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn at(seconds: u64) -> Moment {
    Moment {
        boot: Duration::from_secs(seconds),
        wall: clock::since_1970() + Duration::from_secs(seconds),
    }
}

/// As soon as a trial that began then can be confirmed.
fn settled(seconds: u64) -> Moment {
    at(seconds + SETTLE_TIME.as_secs())
}

fn stopping() -> UnitWork {
    UnitWork {
        stop: names(&["db.socket", "db.service"]),
        ..UnitWork::default()
    }
}

fn job(root: &Path, timeout: Duration, units: UnitWork) -> Job {
    let policy = Policy::default();
    Job {
        root: root.to_owned(),
        timeout,
        settle: SETTLE_TIME,
        candidate: Confirmed {
            id: "t1".into(),
            at: "now".into(),
            is_off: false,
            rules: RulesText::of(&compile(&policy, &[])),
            policy,
            interfaces: vec![],
            stopped: vec![],
        },
        no_kernel_timer: None,
        end_connections: false,
        ways_in: Vec::new(),
        begun_by: String::new(),
        units,
    }
}

/// A trial that stops the database, and what became of it.
struct Played {
    folder: tempfile::TempDir,
    backend: Memory,
    systemd: Systemd,
}

impl Played {
    fn with(systemd: Systemd) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            backend: Memory::default(),
            systemd,
        }
    }

    fn arm(&self, units: UnitWork) -> Holder<'_> {
        self.arm_for(Duration::from_secs(90), units)
    }

    fn arm_for(&self, timeout: Duration, units: UnitWork) -> Holder<'_> {
        let runner = Box::new(self.systemd.clone());
        Holder::arm_with(&self.backend, runner, job(self.folder.path(), timeout, units), BOOT).unwrap()
    }

    fn paths(&self) -> Paths {
        Paths::under(self.folder.path())
    }

    fn recover(&self, boot: &str) -> Result<Option<state::Outcome>, crate::guard::GuardError> {
        close(&self.paths(), &self.backend, &self.systemd, boot, None)
    }

    fn is_as_before(&self) {
        for unit in ["db.service", "db.socket", "web.service"] {
            assert_eq!(self.systemd.active(unit), "active", "{unit}");
            assert_eq!(self.systemd.file(unit), "enabled", "{unit}");
            assert!(!self.systemd.is_masked(unit), "{unit}");
        }
        assert!(self.backend.read().unwrap().ipv4.own.rules.is_empty(), "no rules");
        assert!(!self.paths().journal().exists(), "the journal is closed");
    }
}

#[test]
fn a_trial_stops_and_masks_and_a_revert_starts_all_that_ran() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    assert_eq!(played.systemd.calls(), [""; 0], "arming changes nothing");
    holder.switch(|| at(100)).unwrap();
    assert_eq!(
        played.systemd.calls(),
        ["stop db.socket db.service", "mask db.socket db.service"],
        "stopped before it is masked"
    );
    assert_eq!(played.systemd.active("web.service"), "inactive");
    assert_eq!(played.systemd.file("db.service"), "enabled", "nothing is for good yet");
    let Answer::Running(running) = holder.answer() else {
        panic!("it runs")
    };
    let note = running.kernel_note.unwrap();
    assert!(note.contains("can't start db.socket and db.service again"), "{note}");
    let script = std::fs::read_to_string(played.paths().script()).unwrap();
    assert!(
        script.contains("systemctl start -- 'db.socket' 'db.service' 'web.service' || failed=1\n"),
        "{script}"
    );
    assert!(matches!(
        holder.on(Event::Tick, at(400)),
        Answer::Reverted {
            reason: Reason::NotConfirmed,
            trouble: None
        }
    ));
    assert_eq!(
        played.systemd.calls(),
        ["unmask db.socket db.service", "start db.socket db.service web.service"]
    );
    drop(holder);
    played.is_as_before();
}

#[test]
fn what_is_kept_is_disabled_and_can_be_put_back_by_another_trial() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(100)).unwrap();
    played.systemd.calls();
    assert_eq!(
        holder.on(Event::Confirm, settled(100)),
        Answer::Confirmed { trouble: None }
    );
    assert_eq!(
        played.systemd.calls(),
        [
            "unmask db.socket db.service",
            "disable db.socket db.service",
            "stop db.socket db.service"
        ]
    );
    drop(holder);
    let kept = state::confirmed(&played.paths()).unwrap().unwrap();
    let stopped: Vec<&str> = kept.stopped.iter().map(|before| before.unit.as_str()).collect();
    assert_eq!(stopped, ["db.socket", "db.service", "web.service"]);
    let script = std::fs::read_to_string(played.paths().script()).unwrap();
    assert!(!script.contains("systemctl"), "{script}");

    let work = UnitWork {
        start: kept.stopped,
        ..UnitWork::default()
    };
    let mut holder = played.arm(work.clone());
    holder.switch(|| at(200)).unwrap();
    assert_eq!(played.systemd.active("db.service"), "active");
    assert_eq!(played.systemd.file("db.service"), "disabled");
    holder.on(Event::Revert, at(201));
    assert_eq!(played.systemd.active("db.service"), "inactive", "as it was before");
    drop(holder);

    let mut holder = played.arm(work);
    holder.switch(|| at(300)).unwrap();
    holder.on(Event::Confirm, settled(300));
    drop(holder);
    assert_eq!(played.systemd.file("db.service"), "enabled");
    assert_eq!(played.systemd.active("web.service"), "active");
}

#[test]
fn a_service_that_does_not_stop_fails_the_apply_and_is_put_back() {
    let systemd = Systemd::database();
    systemd.change(|state| state.stubborn.push("db.service".into()));
    let played = Played::with(systemd);
    // A stop may take no longer than the trial.
    let mut holder = played.arm_for(Duration::from_millis(300), stopping());
    let error = holder.switch(|| at(1)).unwrap_err().to_string();
    assert!(error.contains("db.service did not stop within"), "{error}");
    drop(holder);
    // It is in no state to be stopped, and was never anything but running.
    played.systemd.change(|state| state.stubborn.clear());
    played.is_as_before();
    let last = state::last(&played.paths()).unwrap().unwrap();
    assert!(matches!(last.reverted, Some(Reason::Failed(_))), "{last:?}");
}

#[test]
fn a_dead_guards_services_are_started_by_who_comes_next() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(1)).unwrap();
    drop(holder);
    assert_eq!(played.systemd.active("db.service"), "inactive");
    let outcome = played.recover(BOOT).unwrap().unwrap();
    assert_eq!((outcome.reverted, outcome.trouble), (Some(Reason::GuardDied), None));
    played.is_as_before();
}

#[test]
fn a_guard_that_died_while_it_stopped_them_leaves_nothing_stopped() {
    let played = Played::with(Systemd::database());
    let holder = played.arm(stopping());
    // As far as it came.
    change(&played.systemd, Verb::Stop, &names(&["db.socket"])).unwrap();
    drop(holder);
    played.recover(BOOT).unwrap();
    played.is_as_before();
}

#[test]
fn after_a_reboot_nothing_is_left_to_do() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(1)).unwrap();
    drop(holder);
    // Masks in /run are gone, and boot has started what is enabled.
    played.systemd.change(|state| {
        for one in state.units.values_mut() {
            one.active = "active";
            one.is_masked = false;
        }
        state.calls.clear();
    });
    let outcome = played.recover("boot-2").unwrap().unwrap();
    assert_eq!(outcome.reverted, Some(Reason::Reboot));
    assert_eq!(played.systemd.calls(), [""; 0]);
}

#[test]
fn a_decision_cut_by_a_power_cut_is_carried_out_at_the_next_boot() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(1)).unwrap();
    state::confirm(&played.paths(), &state::candidate(&played.paths()).unwrap().unwrap()).unwrap();
    drop(holder);
    for boot in [BOOT, "boot-2"] {
        let outcome = played.recover(boot).unwrap();
        assert!(outcome.is_none_or(|outcome| outcome.reverted.is_none()));
        assert_eq!(played.systemd.file("db.service"), "disabled");
        assert_eq!(played.systemd.active("db.service"), "inactive");
    }
}

#[test]
fn with_systemd_gone_the_rules_are_back_and_the_journal_waits() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(1)).unwrap();
    played.systemd.change(|state| state.is_dead = true);
    let Answer::Reverted {
        trouble: Some(trouble), ..
    } = holder.on(Event::Revert, at(2))
    else {
        panic!("it is reverted, with trouble")
    };
    assert!(trouble.starts_with("the old rules are back, but"), "{trouble}");
    assert!(
        trouble.contains("by hand: systemctl start db.socket db.service web.service"),
        "{trouble}"
    );
    assert!(played.backend.read().unwrap().ipv4.own.rules.is_empty());
    drop(holder);
    assert!(state::last(&played.paths()).unwrap().unwrap().has_failed);
    played.recover(BOOT).unwrap_err();
    assert!(played.paths().journal().exists());
    played.systemd.change(|state| state.is_dead = false);
    assert_eq!(played.recover(BOOT).unwrap().unwrap().reverted, Some(Reason::Asked));
    played.is_as_before();
}

#[test]
fn a_service_that_does_not_start_any_more_is_told_and_no_trial_is_left() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(1)).unwrap();
    played.systemd.change(|state| state.stubborn.push("db.service".into()));
    let Answer::Reverted {
        trouble: Some(trouble), ..
    } = holder.on(Event::Revert, at(2))
    else {
        panic!("it is reverted, with trouble")
    };
    assert!(
        trouble.contains("not running again: db.service; see: systemctl status db.service"),
        "{trouble}"
    );
    drop(holder);
    assert!(!played.paths().journal().exists());
    assert_eq!(state::last(&played.paths()).unwrap().unwrap().trouble, Some(trouble));
}

#[test]
fn a_machine_that_goes_down_starts_nothing_and_finds_no_fault_with_that() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(1)).unwrap();
    played.systemd.change(|state| state.is_going_down = true);
    assert!(matches!(
        holder.on(Event::Stop, at(1)),
        Answer::Reverted { trouble: None, .. }
    ));
}

#[test]
fn what_something_else_started_again_is_not_kept() {
    let played = Played::with(Systemd::database());
    let mut holder = played.arm(stopping());
    holder.switch(|| at(1)).unwrap();
    played
        .systemd
        .change(|state| state.units.get_mut("db.service").unwrap().active = "active");
    let Answer::Refused(why) = holder.on(Event::Confirm, settled(1)) else {
        panic!("it is refused")
    };
    assert!(why.contains("something has started it again: db.service"), "{why}");
    assert!(state::confirmed(&played.paths()).unwrap().is_none());
}

#[test]
fn what_is_not_there_is_refused_before_anything_changes() {
    let played = Played::with(Systemd::database());
    let work = UnitWork {
        stop: names(&["nothing.service"]),
        ..UnitWork::default()
    };
    let runner = Box::new(played.systemd.clone());
    let refused = Holder::arm_with(
        &played.backend,
        runner,
        job(played.folder.path(), Duration::from_secs(90), work),
        BOOT,
    );
    let error = refused.err().unwrap().to_string();
    assert!(error.contains("there is no unit nothing.service"), "{error}");
    assert!(!played.paths().journal().exists());
}

#[test]
fn what_was_removed_since_it_was_disabled_needs_no_starting() {
    let played = Played::with(Systemd::database());
    let work = UnitWork {
        start: vec![UnitBefore::usual("gone.service"), UnitBefore::usual("db.socket")],
        ..UnitWork::default()
    };
    let mut holder = played.arm(work);
    holder.switch(|| at(1)).unwrap();
    assert_eq!(played.systemd.calls(), ["start db.socket"]);
}

#[test]
fn what_needs_what_needs_it_comes_back_with_the_unit_itself() {
    let systemd = Systemd::with(&[
        ("db.service", "active", "enabled", "RequiredBy=web.service\n"),
        ("web.service", "active", "enabled", "RequiredBy=proxy.service\n"),
        ("proxy.service", "active", "enabled", ""),
    ]);
    let mut work = UnitWork {
        stop: names(&["db.service"]),
        ..UnitWork::default()
    };
    prepare(&systemd, &mut work).unwrap();
    let with: Vec<(&str, Option<&str>)> = work
        .before
        .iter()
        .map(|before| (before.unit.as_str(), before.with.as_deref()))
        .collect();
    // Not with web.service: nobody disables that, so the next apply would start the proxy, and it the
    // database.
    assert_eq!(
        with,
        [
            ("db.service", None),
            ("web.service", Some("db.service")),
            ("proxy.service", Some("db.service"))
        ]
    );
}
