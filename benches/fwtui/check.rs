//! `fwtui check FILE` with 10,000 rules, beside iptables-restore loading them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::FWTUI;
use crate::table::{Table, Target, median, milliseconds, time};

const RULES: usize = 10_000;
/// How long it may take.
const MOST: Duration = Duration::from_millis(200);

pub fn measure(table: &mut Table) {
    let folder = std::env::temp_dir();
    for (what, text) in [
        ("ports and sources", mixed()),
        ("all of one port, by source", bans()),
        ("ranges that overlap", ranges()),
        ("a script, not a save", script()),
    ] {
        let path = folder.join(format!("fwtui-bench-check-{}", std::process::id()));
        fs::write(&path, text).unwrap();
        let ours: Vec<Duration> = (0..11)
            .map(|_| time(Command::new(FWTUI).arg("check").arg(&path)))
            .collect();
        let ours = median(ours);
        table.single(
            &format!("check: {RULES} rules, {what}"),
            milliseconds(ours),
            format!("< {}", milliseconds(MOST)),
            ours < MOST,
        );
        if what != "a script, not a save" {
            let theirs = median((0..5).map(|_| test(&path)).collect());
            table.pair("  beside iptables-restore --test", ours, theirs, Target::None);
        }
        fs::remove_file(&path).unwrap();
    }
}

/// How long iptables-restore takes to read a file, without loading it.
fn test(path: &std::path::Path) -> Duration {
    let start = Instant::now();
    let status = Command::new("iptables-restore")
        .arg("--test")
        .stdin(File::open(path).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    start.elapsed()
}

fn save(rules: impl Iterator<Item = String>) -> String {
    let mut text = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n".to_owned();
    text.push_str("-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
    for rule in rules.take(RULES) {
        writeln!(text, "-A INPUT {rule}").unwrap();
    }
    text + "COMMIT\n"
}

fn mixed() -> String {
    save((0..).map(|n: usize| {
        let (a, b, port) = (n / 250, n % 250, n % 60_000 + 1);
        match n % 4 {
            0 => format!("-s 10.{a}.{b}.0/24 -p tcp -m tcp --dport {port} -j ACCEPT"),
            1 => format!("-p udp -m udp --dport {port} -j DROP"),
            2 => format!("-s 192.0.{}.{b}/32 -i eth0 -j DROP", a % 250),
            _ => format!(
                "-p tcp -m multiport --dports {port},{} -m conntrack --ctstate NEW -j ACCEPT",
                port + 1
            ),
        }
    }))
}

fn bans() -> String {
    save((0..).map(|n: usize| {
        format!(
            "-s 10.{}.{}.{}/32 -p tcp -m tcp --dport 22 -j REJECT",
            n / 65_536,
            n / 256 % 256,
            n % 256
        )
    }))
}

fn ranges() -> String {
    save((0..).map(|n: usize| format!("-p tcp -m tcp --dport {}:{} -j ACCEPT", n + 1, n + 2 + n % 7)))
}

fn script() -> String {
    let mut text = "#!/bin/sh\nIPT=/sbin/iptables\n$IPT -P INPUT DROP\n$IPT -A INPUT -i lo -j ACCEPT\n".to_owned();
    text.push_str("$IPT -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
    for n in 0..RULES {
        writeln!(
            text,
            "$IPT -A INPUT -s 10.0.{}.{} -p tcp --dport ssh -j ACCEPT",
            n / 256,
            n % 256
        )
        .unwrap();
    }
    text
}
