//! From the deadline to the old rules in force, as a neighbour sees it: by the guard, and by the
//! kernel with every process of fwtui dead.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fwtui::app::sandbox::{self, Knock, Neighbour, Socket};
use fwtui::core::listener::{Family, Protocol};
use fwtui::core::policy::Policy;
use fwtui::core::ruleset::compile;
use fwtui::core::trial::SETTLE_TIME;
use fwtui::guard::{Job, Report};
use fwtui::store::state::{Confirmed, RulesText};
use fwtui::sys::{clock, host};
use rustix::process::{Pid, Signal, kill_process};

use crate::FWTUI;
use crate::table::{Table, eventually, milliseconds};

const ROUNDS: usize = 5;
const PORT: u16 = 8080;
/// How long the trials last; what is measured begins at their end.
const TRIAL: Duration = Duration::from_secs(2);
const GUARD_WITHIN: Duration = Duration::from_millis(200);
const KERNEL_WITHIN: Duration = Duration::from_millis(1100);

pub fn measure(table: &mut Table) {
    let socket: Socket = format!("tcp/dual/[::]:{PORT}").parse().unwrap();
    let bound = sandbox::bind(&socket).unwrap();
    std::thread::spawn(move || sandbox::serve_socket(socket.protocol, bound, ""));
    let rounds = |is_killed| (0..ROUNDS).map(|_| run_out(is_killed)).max().unwrap();
    for (what, is_killed, limit) in [
        ("deadline to old rules, by the guard (worst)", false, GUARD_WITHIN),
        ("the same by the kernel, fwtui killed (worst)", true, KERNEL_WITHIN),
    ] {
        let worst = rounds(is_killed);
        table.single(
            what,
            milliseconds(worst),
            format!("< {}", milliseconds(limit)),
            worst < limit,
        );
    }
}

/// How long after its deadline a trial that confines the port is over.
fn run_out(is_killed: bool) -> Duration {
    let (mut guard, deadline) = hold();
    assert!(!is_open(), "the trial is in force");
    if is_killed {
        let twin = twin_of(guard.id());
        for pid in [twin, Pid::from_child(&guard)] {
            kill_process(pid, Signal::STOP).unwrap();
        }
        kill_process(twin, Signal::KILL).unwrap();
        guard.kill().unwrap();
    }
    let late = eventually(|| is_open().then(|| clock::since_boot().saturating_sub(deadline)));
    guard.wait().unwrap();
    // Closes what is left of it.
    eventually(|| {
        let status = Command::new(FWTUI)
            .arg("status")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        status.success().then_some(())
    });
    late
}

fn hold() -> (Child, Duration) {
    let policy = Policy::default();
    let job = Job {
        root: std::env::var_os("FWTUI_ROOT").unwrap().into(),
        timeout: TRIAL,
        settle: SETTLE_TIME,
        candidate: Confirmed {
            id: host::new_id(),
            at: clock::rfc3339(clock::now()),
            is_off: false,
            rules: RulesText::of(&compile(&policy, &[])),
            policy,
            interfaces: Vec::new(),
            stopped: Vec::new(),
        },
        begun_by: String::new(),
        no_kernel_timer: None,
        end_connections: false,
        ways_in: Vec::new(),
        units: fwtui::core::unit::UnitWork::default(),
    };
    let mut guard = Command::new(FWTUI)
        .arg("guard")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_vec(&job).unwrap();
    guard.stdin.take().unwrap().write_all(&text).unwrap();
    let mut line = String::new();
    BufReader::new(guard.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    match serde_json::from_str(&line).unwrap() {
        Report::Applied { deadline, .. } => (guard, deadline),
        other => panic!("{other:?}"),
    }
}

/// The twin of a guard, by its arguments.
fn twin_of(guard: u32) -> Pid {
    let wanted = format!("--twin-of\0{guard}\0");
    let is_twin = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).ends_with(&wanted)
    };
    let processes = fs::read_dir("/proc").unwrap();
    let mut pids = processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    Pid::from_raw(pids.find(is_twin).expect("a twin")).unwrap()
}

fn is_open() -> bool {
    Family::ALL.into_iter().all(|family| {
        let target = SocketAddr::new(Neighbour::Public.machine().of(family), PORT);
        let knock = sandbox::knock(Neighbour::Public, target, Protocol::Tcp, Duration::from_millis(500));
        knock.unwrap() == Knock::Answered
    })
}
