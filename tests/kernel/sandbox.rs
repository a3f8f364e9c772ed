//! The sandbox itself: its services, its commands, its end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{eventually, in_sandbox};
use crate::host::Outside;

fn sandbox(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fwtui"));
    command.arg("sandbox").args(args);
    command
}

/// A sandbox with services, whose command tells of one of them and waits for the end of its input.
fn running() -> (Child, Pid) {
    let mut child = sandbox(&["--", "sh", "-c", "pgrep -x -P $PPID chronyd; echo; cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let service = Pid::from_raw(line.trim().parse().expect("a service")).unwrap();
    (child, service)
}

fn is_alive(process: Pid) -> bool {
    // A zombie that init has not reaped yet has no command line any more.
    std::fs::read(format!("/proc/{}/cmdline", process.as_raw_nonzero())).is_ok_and(|line| !line.is_empty())
}

#[test]
fn the_exit_code_is_the_commands() {
    let _outside = Outside::now();
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)] {
        let status = sandbox(&["--bare", "--", "sh", "-c", script]).status().unwrap();
        assert_eq!(status.code(), Some(code), "{script}");
    }
}

#[test]
fn services_answer_and_loopback_ones_do_not() {
    let _outside = Outside::now();
    let output = sandbox(&["--", "fwtui", "knock"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let words = |port: &str| {
        let line = table
            .lines()
            .find(|line| line.contains(port))
            .unwrap_or_else(|| panic!("{port} in {table}"));
        line.split_whitespace().skip(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words(" 22/tcp"), ["answers"; 6]);
    assert_eq!(words(" 22000/udp"), ["answers"; 6]);
    assert_eq!(words(" 6379/tcp"), ["refused"; 6]);
    assert_eq!(
        words(" 9100/tcp"),
        ["refused", "answers", "refused", "answers", "refused", "answers"]
    );
    assert_eq!(
        words(" 53/udp"),
        ["refused", "refused", "answers", "refused", "answers", "refused"]
    );
}

#[test]
fn ip_netns_and_the_lock_of_iptables_work_inside() {
    let _outside = Outside::now();
    let script = "ip netns exec public ip -o address | grep 203.0.113.66 && : > /run/xtables.lock && echo $FWTUI_ROOT";
    let output = sandbox(&["--bare", "--", "sh", "-c", script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("/run/fwtui-sandbox/root\n"), "{text}");
}

#[test]
fn services_end_with_the_command() {
    let _outside = Outside::now();
    let (mut child, service) = running();
    assert!(is_alive(service));
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!is_alive(service));
}

#[test]
fn services_end_with_a_killed_sandbox() {
    let _outside = Outside::now();
    let (mut child, service) = running();
    child.kill().unwrap();
    child.wait().unwrap();
    eventually(|| (!is_alive(service)).then_some(())).expect("the service ends");
}

#[test]
fn a_request_to_end_is_passed_on() {
    let _outside = Outside::now();
    let (mut child, service) = running();
    // Waiting would close it, and the command would end by that.
    let input = child.stdin.take();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    drop(input);
    assert!(!is_alive(service));
    let mut rest = String::new();
    child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
}

#[test]
fn outside_nobody_knocks() {
    let _outside = Outside::now();
    let output = Command::new(env!("CARGO_BIN_EXE_fwtui")).arg("knock").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("fwtui sandbox"));
}

#[test]
fn a_bare_sandbox_has_neighbours_but_no_services() {
    in_sandbox(|lab| {
        let output = lab.fwtui(&["knock"]);
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && table.contains("refused"), "{table}");
        assert!(!table.contains("answers"), "{table}");
    });
}
