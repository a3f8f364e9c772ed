//! A look that takes long, or hangs: it says so, keys do what they do, and it is stopped for real.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, eventually, in_sandbox};
use crate::slow::{Hanging, Slow};
use crate::terminal::{PATIENCE, Terminal};

const SIZE: (u16, u16) = (100, 30);
const UNKNOWN: &str = "(not looked up)";

/// The process that answers at a port.
fn holder(lab: &Lab, port: &str) -> u64 {
    let list: serde_json::Value = serde_json::from_str(&lab.does(&["list", "--json"])).unwrap();
    let services = list["services"].as_array().unwrap();
    let service = services.iter().find(|service| service["id"] == port).unwrap();
    service["owners"][0]["pid"].as_u64().unwrap()
}

/// Where the sandbox keeps what is wanted.
fn policy() -> PathBuf {
    PathBuf::from(std::env::var_os("FWTUI_ROOT").unwrap()).join("etc/fwtui/policy.json")
}

/// Rules that have to be read: without any, no program is asked.
fn with_rules() {
    let rule = ["-A", "INPUT", "-p", "icmp", "-j", "ACCEPT"];
    assert!(Command::new("iptables").args(rule).status().unwrap().success());
}

fn open() -> Terminal {
    Terminal::start(SIZE, &["--screen", "services"])
}

#[test]
fn the_search_for_owners_is_stopped_and_taken_up_again() {
    in_sandbox(|lab| {
        let hanging = Hanging::new(holder(lab, "80/tcp"));
        let mut terminal = open();
        terminal.sees(&["looking up owners … 1 s   esc stops it"]);
        // Meanwhile everything else goes on; the key closes what lies over the screen first.
        terminal.answers("2", &["class"]);
        terminal.types("?");
        terminal.loses("esc stops it");
        terminal.answers("\u{1b}", &["esc stops it"]);
        terminal.answers("1", &["REACH NOW"]);
        terminal.answers(
            "\u{1b}",
            &[
                "Who holds the sockets was not looked up: that was stopped. F5 looks again.",
                "80/tcp",
                UNKNOWN,
            ],
        );
        // The rest is known, and nothing is said of who is not.
        terminal.until("the rules", |text| !text.contains("looking") && text.contains("off"));
        assert!(!terminal.text().contains("(kernel)"), "{}", terminal.text());
        hanging.end();
        terminal.types("\u{1b}[15~");
        terminal.loses(UNKNOWN);
        terminal.loses("was not looked up");
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn while_the_search_for_owners_hangs_edits_are_saved_and_leaving_takes_no_time() {
    in_sandbox(|lab| {
        let _hanging = Hanging::new(holder(lab, "80/tcp"));
        let mut terminal = open();
        terminal.sees(&["looking up owners … 1 s", "22/tcp"]);
        terminal.types("oq");
        terminal.ends_well(0);
        let policy = fs::read_to_string(policy()).unwrap();
        assert!(policy.contains("open"), "{policy}");
    });
}

#[test]
fn the_reading_of_the_rules_is_stopped_and_taken_up_again() {
    in_sandbox(|_lab| {
        with_rules();
        let slow = Slow::save();
        slow.begin();
        let mut terminal = open();
        let pid = slow.is_running();
        terminal.sees(&["looking at the rules … 1 s   esc stops it", "22/tcp"]);
        // An edit does not wait for it.
        terminal.types("o");
        eventually("the edit on the disk", PATIENCE, || {
            let policy = fs::read_to_string(policy()).ok()?;
            policy.contains("open").then_some(())
        });
        terminal.sees(&["looking at the rules … "]);
        let again = "The rules in the kernel were not read: that was stopped. F5 reads them.";
        terminal.answers("\u{1b}", &[again]);
        eventually("the end of the slow program", PATIENCE, || {
            (!Path::new(&format!("/proc/{pid}")).exists()).then_some(())
        });
        terminal.answers("a", &[again]);
        assert!(!terminal.text().contains("Apply?"), "{}", terminal.text());
        slow.end();
        terminal.types("\u{1b}[15~");
        terminal.loses("were not read");
        terminal.sees(&["off"]);

        // One that was looked at before stays in sight.
        slow.forget();
        slow.begin();
        terminal.answers("\u{1b}[15~", &["looking again … 1 s   esc stops it", "off"]);
        terminal.answers(
            "\u{1b}",
            &["Stopped: what is shown is as it was before. F5 looks again."],
        );
        terminal.loses("looking again");
        terminal.answers("\u{1b}[15~", &["looking again … "]);
        terminal.types("q");
        terminal.ends_well(0);
    });
}
