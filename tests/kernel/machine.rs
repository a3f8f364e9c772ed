//! fwtui at work on the lab's machine: its commands, its folders, its guards.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::backend::switch::Base;
use fwtui::backend::{Backend, Observed, iptables};
use fwtui::core::listener::{Family, Protocol};
use fwtui::core::policy::{Entry, Policy};
use fwtui::core::ruleset::{compile, own_text_removed};
use fwtui::core::trial::{Reason, SETTLE_TIME};
use fwtui::core::unit::UnitWork;
use fwtui::guard::{self, Answer, Job, Message, Report, Request, Running};
use fwtui::store::paths::Paths;
use fwtui::store::state::{self, Confirmed, RulesText};
use fwtui::sys::interfaces::interfaces;
use fwtui::sys::runner::SystemRunner;
use fwtui::sys::{clock, host};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Lab, eventually};

/// What a user without doubts asks for.
pub const CONFIRM: Request = Request::Confirm {
    is_unproven_fine: false,
};

/// Where fwtui's folders are in the sandbox.
pub fn paths() -> Paths {
    Paths::under(std::env::var_os("FWTUI_ROOT").unwrap())
}

/// A policy from decisions as `set` takes them: an id and a word.
pub fn policy(decisions: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::default();
    for (id, decision) in decisions {
        let entry = Entry {
            decision: decision.parse().unwrap(),
            from: Vec::new(),
        };
        policy.decide(id.parse().unwrap(), entry).unwrap();
    }
    policy
}

impl Lab {
    /// Runs a program of the system's, written as one types it without quotes.
    pub fn line(&self, line: &str) -> String {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// The same in a neighbour's namespace.
    pub fn line_at(&self, neighbour: Neighbour, line: &str) -> String {
        self.run_at(neighbour, &line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs fwtui, which must succeed; what it printed.
    pub fn does(&self, args: &[&str]) -> String {
        let output = self.fwtui(args);
        let (said, complaint) = (text(output.stdout), text(output.stderr));
        assert!(
            output.status.success(),
            "{args:?}: {}\n{said}\n{complaint}",
            output.status
        );
        said
    }

    /// Runs fwtui, which must fail with this exit code; its complaint.
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.fwtui(args);
        let (said, complaint) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{said}\n{complaint}");
        complaint
    }

    /// What fwtui prints as JSON, whatever its exit code.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.fwtui(args);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}\n{}", text(output.stderr)))
    }

    /// `status --json` and its exit code.
    pub fn status(&self) -> (Value, i32) {
        let output = self.fwtui(&["status", "--json"]);
        let code = output.status.code().expect("it ends by itself");
        (serde_json::from_slice(&output.stdout).unwrap(), code)
    }

    /// Confirms as soon as it is not too early any more.
    pub fn confirm(&self) {
        let done = eventually(|| {
            let output = self.fwtui(&["confirm"]);
            let complaint = text(output.stderr);
            assert!(
                output.status.success() || complaint.contains("too early"),
                "{complaint}"
            );
            output.status.success().then_some(())
        });
        done.expect("it is not too early for ever");
        self.settled();
    }

    /// Waits until no guard of fwtui's is left: it cleans up after the decision.
    pub fn settled(&self) {
        eventually(|| guards().is_empty().then_some(())).expect("the guard ends");
    }

    /// Makes a policy the confirmed one.
    pub fn keep(&self, policy: &Policy) {
        std::fs::create_dir_all(paths().policy().parent().unwrap()).unwrap();
        std::fs::write(paths().policy(), policy.to_text()).unwrap();
        self.does(&["apply", "--yes"]);
        self.confirm();
    }

    /// Starts a guard as `fwtui apply` does, with a trial as short as one likes.
    pub fn hold(&self, policy: &Policy, timeout: Duration) -> Guard {
        self.try_to_hold(policy, timeout)
            .unwrap_or_else(|report| panic!("{report:?}"))
    }

    /// The same where it may fail: with what the guard said.
    pub fn try_to_hold(&self, policy: &Policy, timeout: Duration) -> Result<Guard, Report> {
        self.try_to_hold_job(&job(policy, timeout))
    }

    /// The same with a job of one's own.
    pub fn try_to_hold_job(&self, job: &Job) -> Result<Guard, Report> {
        let mut child = self
            .command(&["guard"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let text = serde_json::to_vec(job).unwrap();
        child.stdin.take().unwrap().write_all(&text).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        match serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}")) {
            Report::Applied { deadline, .. } => Ok(Guard {
                child,
                deadline,
                id: job.candidate.id.clone(),
            }),
            report => {
                child.wait().unwrap();
                Err(report)
            }
        }
    }

    /// Asks the guard over its socket.
    pub fn ask(&self, request: Request, id: Option<&str>) -> Option<Answer> {
        let id = id.map(str::to_owned);
        guard::ask(&paths(), &Message { request, id }).unwrap()
    }

    /// The trial that runs, as its guard tells it.
    pub fn running(&self) -> Option<Running> {
        match self.ask(Request::Status, None) {
            Some(Answer::Running(running)) => Some(*running),
            _ => None,
        }
    }

    /// Makes iptables-legacy the one in use, by a rule of somebody else's.
    pub fn use_legacy(&self) {
        for program in ["iptables-legacy", "ip6tables-legacy"] {
            self.line(&format!("{program} -A OUTPUT -p tcp --dport 9 -j ACCEPT"));
        }
        assert_eq!(self.status().0["backend"], "iptables-legacy");
    }

    /// What fwtui reads from the kernel.
    pub fn observed(&self) -> Observed {
        let (backend, _) = iptables::open(SystemRunner::new()).unwrap();
        backend.read().unwrap()
    }

    /// fwtui's own part of it.
    pub fn base(&self) -> Base {
        Base::of(&self.observed())
    }

    /// What everyone else has in the kernel: every tool's listing without fwtui's lines.
    pub fn foreign(&self) -> String {
        let mut all = String::new();
        for save in ["iptables-nft-save", "ip6tables-nft-save"] {
            all += &own_text_removed(&self.run(&[save]));
        }
        // Saving a legacy table makes it, and the names are for the machine's own root: without
        // it, each table is asked for.
        for (names, save) in [
            ("/proc/net/ip_tables_names", "iptables-legacy-save"),
            ("/proc/net/ip6_tables_names", "ip6tables-legacy-save"),
        ] {
            let names = std::fs::read_to_string(names).unwrap_or_else(|_| "raw\nmangle\nnat\nfilter".to_owned());
            for table in ["raw", "mangle", "nat", "filter"] {
                if names.lines().any(|name| name == table) {
                    all += &own_text_removed(&self.run(&[save, "-t", table]));
                }
            }
        }
        all
    }

    /// Whether TCP to the machine is answered in both families; it must be the same in both.
    pub fn answers(&self, from: Neighbour, port: u16) -> bool {
        let knocks = Family::ALL.map(|family| self.knock(from, family, Protocol::Tcp, port));
        let is_answered = knocks.map(|knock| knock.word() == "answers");
        is_answered.iter().all(|answered| *answered)
    }

    /// Whether TCP to the machine is refused in both families.
    pub fn refuses(&self, from: Neighbour, port: u16) -> bool {
        Family::ALL
            .into_iter()
            .all(|family| self.knock(from, family, Protocol::Tcp, port).is_refused())
    }

    /// How the last trial ended: none where it was confirmed.
    pub fn last_reason(&self) -> Option<Reason> {
        state::last(&paths()).unwrap().expect("there was a trial").reverted
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// What a guard is given.
pub fn job(policy: &Policy, timeout: Duration) -> Job {
    let interfaces = interfaces().unwrap();
    let candidate = Confirmed {
        id: host::new_id(),
        at: clock::rfc3339(clock::now()),
        is_off: false,
        policy: policy.clone(),
        rules: RulesText::of(&compile(policy, &interfaces)),
        interfaces,
        stopped: Vec::new(),
    };
    Job {
        root: paths().root().to_owned(),
        timeout,
        settle: SETTLE_TIME,
        candidate,
        begun_by: String::new(),
        no_kernel_timer: None,
        end_connections: false,
        ways_in: Vec::new(),
        units: UnitWork::default(),
    }
}

/// A guard that holds a trial.
pub struct Guard {
    child: Child,
    pub deadline: Duration,
    pub id: String,
}

impl Guard {
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Kills it and buries it.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn ended(mut self) {
        let status = eventually(|| self.child.try_wait().unwrap()).expect("the guard ends");
        assert!(status.success(), "the guard ended with {status}");
    }
}

/// The guards in this sandbox, without their twins.
pub fn guards() -> Vec<Pid> {
    processes(|args| args.first().is_some_and(|arg| arg == "guard"))
}

/// The twin of a guard.
pub fn twin_of(guard: Pid) -> Pid {
    let guard = guard.as_raw_nonzero().to_string();
    let found = processes(|args| args.iter().any(|arg| arg == "--twin-of") && args.last() == Some(&guard));
    assert_eq!(found.len(), 1, "one twin");
    found[0]
}

/// The processes of fwtui in this sandbox with such arguments.
pub fn processes(is: impl Fn(&[String]) -> bool) -> Vec<Pid> {
    let own_network = std::fs::read_link("/proc/self/ns/net").unwrap();
    let own_program = std::fs::canonicalize(env!("CARGO_BIN_EXE_fwtui")).unwrap();
    let is_ours = |process: &Path| {
        std::fs::read_link(process.join("exe")).is_ok_and(|program| program == own_program)
            && std::fs::read_link(process.join("ns/net")).is_ok_and(|network| network == own_network)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let pid = path.file_name()?.to_str()?.parse().ok().and_then(Pid::from_raw)?;
            let line = is_ours(&path).then(|| std::fs::read(path.join("cmdline")).ok())??;
            let args: Vec<String> = line
                .split(|byte| *byte == 0)
                .skip(1)
                .filter(|arg| !arg.is_empty())
                .map(|arg| String::from_utf8_lossy(arg).into_owned())
                .collect();
            is(&args).then_some(pid)
        })
        .collect()
}
