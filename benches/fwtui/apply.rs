//! Applying 1,000 decisions beside loading the same rules with the bare programs.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::FWTUI;
use crate::table::{Table, Target, eventually, median, milliseconds};

const ROUNDS: usize = 7;
/// How long a rehearsal of 20 services may take: what nobody minds to wait for.
const REHEARSED_WITHIN: Duration = Duration::from_millis(300);

pub fn measure(table: &mut Table) {
    let folder = PathBuf::from(std::env::var_os("FWTUI_ROOT").unwrap()).join("etc/fwtui");
    fs::create_dir_all(&folder).unwrap();
    let rehearsed = median((0..ROUNDS).map(|_| rehearse(&folder, 20)).collect());
    let what = "rehearsal: 20 services, on two interfaces";
    let is_reached = rehearsed < REHEARSED_WITHIN;
    table.single(what, milliseconds(rehearsed), "< 300.0 ms", is_reached);
    fs::write(folder.join("policy.json"), policy(1000)).unwrap();
    let texts = [("iptables-restore", "iptables"), ("ip6tables-restore", "ip6tables")]
        .map(|(program, format)| (program, fwtui(&["preview", "--format", format]).stdout));
    let (mut whole, mut switched, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (taken, switch) = apply();
        whole.push(taken);
        switched.push(switch);
        eventually(|| fwtui(&["revert"]).status.success().then_some(()));
        // The guard cleans up before it leaves, and would count as ours again.
        eventually(|| is_gone().then_some(()));
        let start = Instant::now();
        for (program, text) in &texts {
            restore(program, text);
        }
        theirs.push(start.elapsed());
        flush();
    }
    fs::remove_file(folder.join("policy.json")).unwrap();
    let rules: usize = texts
        .iter()
        .map(|(_, text)| text.split(|byte| *byte == b'\n').count())
        .sum();
    let theirs = median(theirs);
    let what = format!("switch: 1000 decisions, {rules} lines of rules");
    table.pair(&what, median(switched), theirs, Target::AtMost(1.5));
    // Looking, planning, rehearsing 200 services, starting the guard, writing the journal and reading
    // back included.
    table.pair(
        "the whole apply, from the prompt and back",
        median(whole),
        theirs,
        Target::None,
    );
}

/// Decisions that differ from port to port, so that few of them fold into ranges.
fn policy(services: usize) -> String {
    let entries = (0..services).map(|index| {
        let port = 1000 + index * 7;
        let decision = ["open", "trusted", "confine"][index % 3];
        format!(
            "\"{port}/{}\": {{\"decision\": \"{decision}\"}}",
            ["tcp", "udp"][index % 2]
        )
    });
    let mut text =
        "{\"version\": 1, \"networks\": {\"interfaces\": {\"eth1\": \"trusted\"}}, \"services\": {".to_owned();
    write!(text, "{}}}}}", entries.collect::<Vec<_>>().join(",\n")).unwrap();
    text
}

fn fwtui(args: &[&str]) -> Output {
    Command::new(FWTUI).args(args).stdin(Stdio::null()).output().unwrap()
}

/// Times an apply, once the guard before it has left, and reads how long the switch in it took.
fn apply() -> (Duration, Duration) {
    eventually(|| {
        let start = Instant::now();
        let output = fwtui(&["apply", "--yes"]);
        let taken = start.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || said.contains("running already"), "{said}");
        output
            .status
            .success()
            .then(|| (taken, figure(&output, "switched in ")))
    })
}

/// Times the rehearsal in an apply.
fn rehearse(folder: &Path, services: usize) -> Duration {
    fs::write(folder.join("policy.json"), policy(services)).unwrap();
    let output = eventually(|| Some(fwtui(&["apply", "--yes"])).filter(|output| output.status.success()));
    eventually(|| fwtui(&["revert"]).status.success().then_some(()));
    eventually(|| is_gone().then_some(()));
    figure(&output, "Rehearsed in ")
}

/// "On trial for 90 seconds (switched in 9.1 ms). ..."
fn figure(output: &Output, words: &str) -> Duration {
    let said = String::from_utf8_lossy(&output.stdout);
    let milliseconds = said.split(words).nth(1).and_then(|rest| rest.split(' ').next());
    Duration::from_secs_f64(milliseconds.unwrap().parse::<f64>().unwrap() / 1000.0)
}

/// Whether the guard before has left, with its lock.
fn is_gone() -> bool {
    let path = PathBuf::from(std::env::var_os("FWTUI_ROOT").unwrap()).join("run/fwtui/lock");
    let lock = fs::File::open(path).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
}

fn restore(program: &str, text: &[u8]) {
    let mut child = Command::new(program)
        .arg("--noflush")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    assert!(child.wait().unwrap().success());
}

fn flush() {
    for program in ["iptables", "ip6tables"] {
        for table in ["raw", "mangle", "filter"] {
            for what in ["-F", "-X"] {
                let status = Command::new(program).args(["-t", table, what]).status().unwrap();
                assert!(status.success());
            }
        }
    }
}
