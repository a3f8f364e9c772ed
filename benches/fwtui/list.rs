//! `fwtui list` beside `ss -Htulpn`.

use std::process::Command;

use crate::FWTUI;
use crate::crowd::{Crowd, count};
use crate::table::{Table, Target, median, note, time};

pub fn measure(table: &mut Table) {
    for (processes, factor) in [(60, 2.0), (500, 10.0)] {
        let mut crowd = Crowd::default();
        for port in 20_000..20_020 {
            crowd.add(port..port + 1);
        }
        crowd.fill(processes);
        note(match crowd.are_grouped() {
            true => "each process in a cgroup of its own, as under systemd",
            false => "cgroups can't be made here: all processes in one, so owners are looked for in all of them",
        });
        compare(table, &format!("list: 20 listeners, {} processes", count()), 31, factor);
    }
    let mut crowd = Crowd::default();
    for part in 0..20 {
        let first = 20_000 + part * 500;
        crowd.add(first..first + 500);
    }
    compare(table, &format!("list: 10000 listeners, {} processes", count()), 11, 2.0);
}

fn compare(table: &mut Table, what: &str, rounds: usize, factor: f64) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(time(Command::new(FWTUI).arg("list")));
        theirs.push(time(Command::new("ss").arg("-Htulpn")));
    }
    table.pair(what, median(ours), median(theirs), Target::Faster(factor));
}
