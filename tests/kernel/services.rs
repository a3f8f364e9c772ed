//! Services that are stopped on trial. There is no systemd in the sandbox: a program in the place of
//! `systemctl` keeps the state of a few units in files, and can be made to hang, to fail and to be gone.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use fwtui::core::unit::UnitWork;
use fwtui::guard::{Answer, Job, Report, Request};
use fwtui::store::state;
use fwtui::sys::clock;
use fwtui::sys::runner::find_program;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Lab, eventually, eventually_within, in_sandbox};
use crate::lockout::Ssh;
use crate::machine::{Guard, job, paths, policy, processes, twin_of};
use crate::timer::kill_all;
use crate::trial::{back_at, closed};

/// A systemd of files: `/run/units/NAME/active`, `file`, `masked`, and whatever else is to be shown.
const SYSTEMCTL: &str = r#"#!/bin/sh
state=/run/units
verb= names= past=
for word; do
    case "$past$word" in
        +*) names="$names $word" ;;
        --) past=+ ;;
        -*) ;;
        *) [ -n "$verb" ] || verb=$word ;;
    esac
done
[ "$verb" = show ] || echo "$verb$names" >> /run/units.calls
while [ -e /run/units.hang ] || [ -e "/run/units.hang-$verb" ]; do sleep 0.05; done
code=0
for name in $names; do
    unit=$state/$name
    if ! [ -d "$unit" ]; then
        printf 'Id=%s\nLoadState=not-found\nActiveState=inactive\n\n' "$name"
        continue
    fi
    case $verb in
        show)
            load=loaded; [ -e "$unit/masked" ] && load=masked
            printf 'Id=%s\nLoadState=%s\nActiveState=%s\nUnitFileState=%s\nCanStop=yes\n' \
                "$name" "$load" "$(cat "$unit/active")" "$(cat "$unit/file")"
            cat "$unit/more"; echo ;;
        start)
            if [ -e "$unit/masked" ]; then echo "Failed to start $name: Unit is masked." >&2; code=1
            elif [ -e "$unit/broken" ]; then echo failed > "$unit/active"
            else echo active > "$unit/active"; fi ;;
        stop) [ -e "$unit/stubborn" ] || echo inactive > "$unit/active" ;;
        mask) : > "$unit/masked" ;;
        unmask) rm -f "$unit/masked" ;;
        enable) echo enabled > "$unit/file" ;;
        disable) echo disabled > "$unit/file" ;;
    esac
done
exit $code
"#;

const UNITS: [&str; 2] = ["echo.socket", "echo.service"];

/// The program in the place of `systemctl`, in this mount namespace only.
struct Systemd {
    target: PathBuf,
}

impl Systemd {
    /// With a service, its socket, and another one that goes on without it.
    fn start() -> Self {
        let target = find_program(Path::new("systemctl")).expect("systemctl must be installed for this test");
        let target = fs::canonicalize(target).unwrap();
        fs::create_dir_all("/run/systemd/system").unwrap();
        for (name, more) in [
            (
                "echo.service",
                "TriggeredBy=echo.socket\nWantedBy=other.service multi-user.target\n",
            ),
            ("echo.socket", "Triggers=echo.service\n"),
            ("other.service", ""),
        ] {
            let unit = Path::new("/run/units").join(name);
            fs::create_dir_all(&unit).unwrap();
            for (file, text) in [("active", "active\n"), ("file", "enabled\n"), ("more", more)] {
                fs::write(unit.join(file), text).unwrap();
            }
        }
        let program = Path::new("/run/systemctl");
        let mut file = fs::File::create(program).unwrap();
        file.write_all(SYSTEMCTL.as_bytes()).unwrap();
        drop(file);
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        rustix::mount::mount_bind(program, &target).unwrap();
        Self { target }
    }

    /// Whether both units are so: running, enabled, masked.
    fn is(&self, active: &str, file: &str, is_masked: bool) -> bool {
        UNITS.iter().all(|name| {
            let unit = Path::new("/run/units").join(name);
            let read = |file: &str| fs::read_to_string(unit.join(file)).unwrap().trim().to_owned();
            read("active") == active && read("file") == file && unit.join("masked").exists() == is_masked
        })
    }

    fn runs(&self) -> bool {
        self.is("active", "enabled", false)
    }

    fn is_stopped(&self) -> bool {
        self.is("inactive", "enabled", true)
    }

    /// What was asked of it since the last time.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string("/run/units.calls").unwrap_or_default();
        fs::write("/run/units.calls", "").unwrap();
        calls.lines().map(str::to_owned).collect()
    }

    fn set(&self, what: &str) {
        fs::write(Path::new("/run").join(what), "").unwrap();
    }

    fn unset(&self, what: &str) {
        fs::remove_file(Path::new("/run").join(what)).unwrap();
    }

    fn vanish(&self) {
        self.set("nothing");
        rustix::mount::mount_bind("/run/nothing", &self.target).unwrap();
    }

    fn come_back(&self) {
        rustix::mount::unmount(&self.target, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.target, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

fn stopping(timeout: Duration) -> Job {
    let mut wanted = policy(&[("8080/tcp", "confine")]);
    let units = UNITS.map(str::to_owned);
    wanted.disable("8080/tcp".parse().unwrap(), &units).unwrap();
    Job {
        units: UnitWork {
            stop: units.to_vec(),
            ..UnitWork::default()
        },
        ..job(&wanted, timeout)
    }
}

/// A trial that stops the service and refuses its port, in force.
fn held(lab: &Lab, systemd: &Systemd, timeout: Duration) -> Guard {
    lab.listen_everywhere(8080);
    let guard = lab
        .try_to_hold_job(&stopping(timeout))
        .unwrap_or_else(|report| panic!("{report:?}"));
    assert!(systemd.is_stopped(), "it is stopped, and nothing is for good");
    assert!(lab.refuses(Neighbour::Public, 8080));
    guard
}

const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(600);

#[test]
fn disabled_on_trial_for_good_once_kept_and_enabled_again() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        lab.listen_everywhere(8080);
        let said = lab.does(&["disable", "8080/tcp", "--unit", "echo.service"]);
        for words in [
            "Stopped when you apply, and disabled for good once you keep it: echo.socket and echo.service.",
            "No other unit needs them.",
            "Wanted by other.service, which starts them again when it starts.",
            "That is not in force yet",
        ] {
            assert!(said.contains(words), "{said}");
        }
        assert!(systemd.runs() && systemd.calls().is_empty(), "asking changes nothing");
        let preview = lab.json(&["preview", "--json"]);
        assert_eq!(preview["services"][0]["action"], "disable", "{preview}");
        assert_eq!(preview["services"][0]["units"][1], "echo.service");
        let said = lab.does(&["apply", "--yes"]);
        assert!(
            said.contains("The kernel's timer can't start echo.socket and echo.service again"),
            "{said}"
        );
        assert!(systemd.is_stopped());
        assert_eq!(
            systemd.calls(),
            ["stop echo.socket echo.service", "mask echo.socket echo.service"]
        );
        let (status, _) = lab.status();
        let note = status["trial"]["kernel_note"].as_str().unwrap();
        assert!(note.contains("echo.service"), "{note}");
        assert!(
            status["protection"][1]["why"].as_str().unwrap().contains(note),
            "{status}"
        );
        lab.confirm();
        assert!(systemd.is("inactive", "disabled", false));
        let list = lab.does(&["list"]);
        assert!(
            list.lines()
                .any(|line| line.contains("8080/tcp") && line.ends_with("disabled")),
            "{list}"
        );
        assert!(lab.does(&["apply", "--yes"]).contains("Nothing to change"));

        lab.does(&["enable", "8080/tcp"]);
        lab.does(&["apply", "--yes"]);
        assert!(systemd.is("active", "disabled", false));
        lab.does(&["revert"]);
        assert!(systemd.is("inactive", "disabled", false), "as before that trial");
        lab.settled();
        lab.does(&["apply", "--yes"]);
        lab.confirm();
        assert!(systemd.runs());
        lab.fails(1, &["enable", "8080/tcp"]);
    });
}

#[test]
fn nobody_confirms_and_it_runs_again() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let base = lab.base();
        let guard = held(lab, &systemd, SHORT);
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        guard.ended();
        closed(lab, &Reason::NotConfirmed);
        assert!(systemd.runs());
        assert_eq!(lab.base(), base);
    });
}

#[test]
fn a_killed_guards_twin_starts_it_again() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let mut guard = held(lab, &systemd, LONG);
        guard.kill();
        eventually(|| systemd.runs().then_some(())).expect("its twin starts it again");
        closed(lab, &Reason::GuardDied);
    });
}

#[test]
fn a_guard_killed_while_it_stops_leaves_nothing_stopped() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        systemd.set("units/echo.service/stubborn");
        let guard = lab
            .command(&["guard"])
            .stdin(with_job(LONG))
            .stdout(Stdio::piped())
            .spawn();
        let guard = guard.unwrap();
        let is_half = || fs::read_to_string("/run/units/echo.socket/active").unwrap() == "inactive\n";
        eventually(|| is_half().then_some(())).expect("its socket is stopped");
        kill_process(Pid::from_child(&guard), Signal::KILL).unwrap();
        let starting = guard.wait_with_output().unwrap();
        assert!(starting.stdout.is_empty(), "it said nothing");
        eventually(|| systemd.runs().then_some(())).expect("its twin starts it again");
        closed(lab, &Reason::GuardDied);
    });
}

/// A job as a guard reads it.
fn with_job(timeout: Duration) -> fs::File {
    fs::write("/run/job", serde_json::to_vec(&stopping(timeout)).unwrap()).unwrap();
    fs::File::open("/run/job").unwrap()
}

#[test]
fn when_everything_is_killed_the_next_start_starts_it_again() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let mut guard = held(lab, &systemd, SHORT);
        kill_process(twin_of(guard.pid()), Signal::KILL).unwrap();
        guard.kill();
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        assert!(systemd.is_stopped(), "the kernel's timer can't start it");
        lab.status();
        assert!(systemd.runs());
        closed(lab, &Reason::GuardDied);
    });
}

#[test]
fn a_systemctl_that_hangs_at_the_deadline_keeps_no_rule_waiting() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let guard = held(lab, &systemd, SHORT);
        systemd.set("units.hang");
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        assert!(systemd.is_stopped());
        systemd.unset("units.hang");
        eventually_within(Duration::from_secs(30), || systemd.runs().then_some(())).expect("it is started again");
        eventually_within(Duration::from_secs(30), || (!paths().journal().exists()).then_some(()))
            .expect("the journal is closed");
    });
}

#[test]
fn at_boot_no_systemctl_keeps_the_confirmed_rules_waiting() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let mut guard = held(lab, &systemd, LONG);
        kill_all(&mut guard);
        // As after a power cut right behind the decision: empty tables, a journal of an earlier boot.
        let candidate = state::candidate(&paths()).unwrap().unwrap();
        let mut journal = state::journal(&paths()).unwrap().unwrap();
        journal.boot_id = "00000000-0000-4000-8000-000000000000".to_owned();
        let script = fs::read_to_string(paths().script()).unwrap();
        state::arm(&paths(), &candidate, &journal, &script).unwrap();
        state::confirm(&paths(), &candidate).unwrap();
        lab.line("nft flush ruleset");
        assert!(lab.answers(Neighbour::Public, 8080));
        systemd.set("units.hang");
        let mut restore = lab.command(&["restore"]).spawn().unwrap();
        eventually(|| lab.refuses(Neighbour::Public, 8080).then_some(())).expect("the rules come first");
        assert!(paths().journal().exists(), "the services come after them");
        systemd.unset("units.hang");
        assert!(restore.wait().unwrap().success());
        assert!(systemd.is("inactive", "disabled", false));
        assert!(!paths().journal().exists());
    });
}

#[test]
fn a_systemctl_that_is_gone_at_the_deadline_is_waited_for() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let guard = held(lab, &systemd, SHORT);
        systemd.vanish();
        back_at(guard.deadline, || lab.answers(Neighbour::Public, 8080));
        let told = || {
            state::last(&paths())
                .unwrap()
                .filter(|last| last.id == guard.id && last.has_failed)
        };
        let last = eventually(told).expect("it is told");
        let trouble = last.trouble.unwrap();
        assert!(
            trouble.contains("by hand: systemctl start echo.socket echo.service"),
            "{trouble}"
        );
        systemd.come_back();
        eventually_within(Duration::from_secs(20), || systemd.runs().then_some(())).expect("its twin starts it again");
        closed(lab, &Reason::NotConfirmed);
    });
}

#[test]
fn what_does_not_stop_is_never_applied() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let (base, foreign) = (lab.base(), lab.foreign());
        for (fault, words) in [
            (
                "units/echo.service/stubborn",
                "echo.service did not stop within 3 seconds",
            ),
            ("units.hang-stop", "can't be stopped: systemctl did not end"),
            ("units.hang", "the services can't be looked at"),
        ] {
            systemd.set(fault);
            let began = clock::since_boot();
            let lifted = std::thread::scope(|scope| {
                let report = scope.spawn(|| lab.try_to_hold_job(&stopping(SHORT)).err());
                // The hang ends before a revert has to start anything.
                eventually_within(Duration::from_secs(45), || report.is_finished().then_some(()));
                report.join().unwrap()
            });
            let Some(Report::Failed(why)) = lifted else {
                panic!("{fault}: {lifted:?}")
            };
            assert!(why.contains(words), "{fault}: {why}");
            assert!(
                clock::since_boot().saturating_sub(began) < Duration::from_secs(40),
                "{fault}"
            );
            systemd.unset(fault);
            eventually(|| systemd.runs().then_some(())).unwrap_or_else(|| panic!("{fault}: it runs as before"));
            lab.settled();
            assert_eq!((lab.base(), lab.foreign()), (base.clone(), foreign.clone()), "{fault}");
        }
    });
}

#[test]
fn what_does_not_start_again_is_told_and_the_trial_is_over() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let guard = held(lab, &systemd, LONG);
        systemd.set("units/echo.service/broken");
        let Some(Answer::Reverted {
            trouble: Some(trouble), ..
        }) = lab.ask(Request::Revert, None)
        else {
            panic!("it is reverted, with trouble")
        };
        assert!(
            trouble.contains("not running again: echo.service; see: systemctl status echo.service"),
            "{trouble}"
        );
        assert!(lab.answers(Neighbour::Public, 8080), "the rules are back");
        guard.ended();
        closed(lab, &Reason::Asked);
        let (status, _) = lab.status();
        assert!(
            status["last"]["why"].as_str().unwrap().contains("not running again"),
            "{status}"
        );
    });
}

#[test]
fn the_script_starts_it_again_by_hand() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let mut guard = held(lab, &systemd, LONG);
        kill_process(twin_of(guard.pid()), Signal::KILL).unwrap();
        guard.kill();
        let script = paths().script();
        lab.run(&["sh", script.to_str().unwrap()]);
        assert!(systemd.runs() && lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn the_servers_own_ssh_goes_by_its_typed_word_only() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        let session = Ssh::from(Neighbour::Public, fwtui::core::listener::Family::Ipv4, "0.0.0.0:22");
        lab.does(&["set", "22/tcp", "open"]);
        lab.does(&["disable", "22/tcp", "--unit", "echo.service"]);
        let complaint = lab.fails(1, &["apply", "--yes"]);
        for part in [
            "locks you out",
            "needs echo.service, which is stopped",
            "fwtui enable 22/tcp",
            "fwtui apply --accept-lockout 22/tcp",
        ] {
            assert!(complaint.contains(part), "{part}: {complaint}");
        }
        assert!(systemd.runs());
        lab.does(&["apply", "--yes", "--accept-lockout", "22/tcp"]);
        assert!(systemd.is_stopped());
        lab.does(&["revert"]);
        assert!(systemd.runs());
        drop(session);
    });
}

#[test]
fn taking_the_rules_out_leaves_services_as_they_are() {
    in_sandbox(|lab| {
        let systemd = Systemd::start();
        lab.keep(&policy(&[("8080/tcp", "open")]));
        lab.does(&["disable", "8080/tcp", "--unit", "echo.service"]);
        lab.does(&["off", "--yes"]);
        assert!(systemd.runs());
        lab.confirm();
        assert!(systemd.runs() && systemd.calls().is_empty());
        // It waits still.
        lab.does(&["apply", "--yes"]);
        assert!(systemd.is_stopped());
        lab.does(&["revert"]);
    });
}

#[test]
fn without_systemd_it_says_whose_the_service_is() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let complaint = lab.fails(1, &["disable", "8080/tcp"]);
        let own = format!("kill {}", std::process::id());
        assert!(
            complaint.contains("systemd does not run here") && complaint.contains(&own),
            "{complaint}"
        );
        assert!(processes(|args| args.first().is_some_and(|arg| arg == "guard")).is_empty());
    });
}
