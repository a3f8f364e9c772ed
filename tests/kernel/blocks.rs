//! Quick blocks: refused whatever is decided, and over when the kernel's clock says so.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use fwtui::app::sandbox::{self, Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use fwtui::core::policy::{Block, Policy};
use fwtui::sys::clock;
use fwtui::sys::netns;

use crate::harness::{Lab, PATIENCE, SILENCE, eventually, eventually_within, in_sandbox};
use crate::machine::{paths, policy};

const EVERYONE: [Neighbour; 4] = [
    Neighbour::Public,
    Neighbour::Stranger,
    Neighbour::Trusted,
    Neighbour::Far,
];

/// Who is answered at a port, TCP and UDP, in one family; the others are refused at once.
fn expect(family: Family, port: u16, answered: &[Neighbour]) {
    for from in EVERYONE {
        let door = SocketAddr::new(from.machine().of(family), port);
        let doors = [Protocol::Tcp, Protocol::Udp].map(|protocol| (door, protocol));
        let knocks = sandbox::knock_all(from, &doors, SILENCE).unwrap();
        for ((door, protocol), knock) in doors.iter().zip(knocks) {
            let holds = match answered.contains(&from) {
                true => knock == Knock::Answered,
                false => knock.is_refused(),
            };
            assert!(holds, "{from:?} at {door}/{protocol}: {knock:?}");
        }
    }
}

fn expect_in_both(port: u16, answered: &[Neighbour]) {
    for family in Family::ALL {
        expect(family, port, answered);
    }
}

fn in_both_protocols(lab: &Lab, verb: &str, port: u16, words: &[&str]) {
    for protocol in ["tcp", "udp"] {
        let id = format!("{port}/{protocol}");
        lab.does(&[&[verb, &id], words].concat());
    }
}

/// Whether a connection to an echo goes on.
fn goes_on(connection: &mut TcpStream) -> bool {
    let mut word = [0; 4];
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.write_all(b"yes?").is_ok() && connection.read_exact(&mut word).is_ok()
}

fn rules(lab: &Lab) -> String {
    lab.run(&["iptables-save"]) + &lab.run(&["ip6tables-save"])
}

#[test]
fn a_block_is_on_top_of_every_decision() {
    in_sandbox(|lab| {
        for port in [8001, 8002, 8003, 8004] {
            lab.listen_everywhere(port);
        }
        lab.does(&["network", "eth1", "trusted"]);
        for (port, decision) in [(8001, "open"), (8002, "trusted"), (8003, "open")] {
            in_both_protocols(lab, "set", port, &[decision]);
        }
        let sources = ["open", "--from", "203.0.113.66", "--from", "2001:db8:1::66"];
        in_both_protocols(lab, "set", 8004, &sources);
        let machine = SocketAddr::new(Neighbour::Public.machine().of(Family::Ipv4), 8001);
        let connect = || TcpStream::connect_timeout(&machine, PATIENCE).unwrap();
        let mut running = netns::enter(Neighbour::Public.namespace(), connect).unwrap();
        assert!(goes_on(&mut running));
        for port in [8001, 8002, 8004, 8009] {
            in_both_protocols(lab, "block", port, &["--note", "CVE-2026-0001", "--for", "1h"]);
        }
        let going_on = &lab.json(&["preview", "--json"])["running"];
        assert_eq!(
            (&going_on[0]["service"], &going_on[0]["connections"]),
            (&"8001/tcp".into(), &1.into())
        );
        lab.does(&["apply", "--yes"]);
        for port in [8001, 8002, 8004] {
            expect_in_both(port, &[]);
        }
        expect_in_both(8003, &EVERYONE);
        // What runs goes on, and this machine is never refused.
        assert!(goes_on(&mut running));
        for own in ["127.0.0.1:8001", "[::1]:8001", "203.0.113.10:8001", "[fd07::10]:8001"] {
            assert!(goes_on(&mut TcpStream::connect(own).unwrap()), "{own}");
        }
        // Nor are answers to what it asked, at whichever port it did.
        let peer = "203.0.113.1:9000";
        netns::enter(Neighbour::Public.namespace(), || lab.listen(&format!("udp/{peer}"))).unwrap();
        let asking = UdpSocket::bind("0.0.0.0:8009").unwrap();
        asking.set_read_timeout(Some(PATIENCE)).unwrap();
        asking.connect(peer).unwrap();
        asking.send(b"answer?").unwrap();
        asking.recv(&mut [0; 16]).expect("an answer");
        // Whoever asks why is led to the block.
        let why = lab.json(&["explain", "8001/tcp", "--from", "192.168.7.1", "--json"]);
        assert_eq!(why["verdict"], "refused", "{why}");
        assert!(why["walk"].to_string().contains("fwtui:block 8001/tcp"), "{why}");
        let list = lab.json(&["list", "--json"]);
        let row = |id: &str| {
            let rows = list["services"].as_array().unwrap();
            rows.iter().find(|row| row["id"] == id).unwrap().clone()
        };
        assert_eq!(row("8001/tcp")["reach"]["now"], "this-machine");
        assert_eq!(row("8001/tcp")["blocks"][0]["note"], "CVE-2026-0001");
        assert_eq!(row("8003/tcp")["blocks"].as_array().unwrap().len(), 0);
        let blocks = lab.json(&["block", "--json"]);
        assert_eq!(blocks["blocks"][0]["in_force"], true, "{blocks}");
        in_both_protocols(lab, "unblock", 8001, &[]);
        let preview = lab.json(&["preview", "--json"]);
        assert!(
            preview["blocks"].to_string().contains("8001/tcp is no longer blocked"),
            "{preview}"
        );
        lab.does(&["apply", "--yes", "--replace"]);
        expect_in_both(8001, &EVERYONE);
        expect_in_both(8002, &[]);
    });
}

#[test]
fn with_sources_only_they_are_refused_each_in_its_family() {
    in_sandbox(|lab| {
        for port in [8001, 8002] {
            lab.listen_everywhere(port);
            in_both_protocols(lab, "set", port, &["open"]);
        }
        in_both_protocols(lab, "block", 8001, &["--from", "203.0.113.66"]);
        let both = ["--from", "203.0.113.0/26", "--from", "2001:db8:1::66"];
        in_both_protocols(lab, "block", 8002, &both);
        lab.does(&["apply", "--yes"]);
        let but = |out: Neighbour| {
            EVERYONE
                .into_iter()
                .filter(move |from| *from != out)
                .collect::<Vec<_>>()
        };
        expect(Family::Ipv4, 8001, &but(Neighbour::Stranger));
        expect(Family::Ipv6, 8001, &EVERYONE);
        expect(Family::Ipv4, 8002, &but(Neighbour::Public));
        expect(Family::Ipv6, 8002, &but(Neighbour::Stranger));
        let save = lab.run(&["ip6tables-save"]);
        assert!(!save.contains("block 8001/"), "{save}");
    });
}

/// Everyone in, but for what is blocked until a time.
fn open_until(lab: &Lab, seconds: u64) -> (Policy, Duration) {
    lab.listen_everywhere(8001);
    let mut policy = policy(&[("8001/tcp", "open"), ("8001/udp", "open")]);
    let line = |protocol: &str| format!("8001/{protocol} for {seconds}s note a test");
    for protocol in ["tcp", "udp"] {
        policy.block(Block::parse_line(&line(protocol), clock::since_1970()).unwrap());
    }
    let until = policy.blocks[0].until.unwrap().since_1970();
    std::fs::create_dir_all(paths().policy().parent().unwrap()).unwrap();
    std::fs::write(paths().policy(), policy.to_text()).unwrap();
    (policy, until)
}

/// The kernel counts its seconds by the tick of its timer, which may be a hundredth behind.
fn wait_until(end: Duration) {
    const TICK: Duration = Duration::from_millis(20);
    let (end, patience) = (end + TICK, Duration::from_secs(20));
    eventually_within(patience, || (clock::since_1970() >= end).then_some(())).expect("time goes by");
}

fn the_kernel_ends_it(lab: &Lab, variant: &str) {
    let (_, until) = open_until(lab, 4);
    // Loaded by hand: no process of fwtui's has a part in what comes.
    for program in ["iptables", "ip6tables"] {
        let text = lab.does(&["preview", "--format", program]);
        lab.feed(&[&format!("{program}{variant}-restore"), "--noflush"], &text);
    }
    expect_in_both(8001, &[]);
    assert!(clock::since_1970() < until, "the test was too slow to see it hold");
    let answers = || lab.answers(Neighbour::Stranger, 8001).then(clock::since_1970);
    let opened = eventually(answers).expect("the kernel ends it");
    assert!(opened >= until, "{opened:?} is before {until:?}");
    assert!(
        opened < until + Duration::from_secs(2),
        "{opened:?} is long after {until:?}"
    );
    expect_in_both(8001, &EVERYONE);
}

#[test]
fn the_kernel_alone_ends_a_block() {
    in_sandbox(|lab| the_kernel_ends_it(lab, "-nft"));
}

#[test]
fn the_kernel_alone_ends_a_block_with_legacy() {
    in_sandbox(|lab| {
        lab.use_legacy();
        the_kernel_ends_it(lab, "-legacy");
    });
}

#[test]
fn a_rule_that_is_over_is_neither_drift_nor_a_change_and_goes_with_the_next_edit() {
    in_sandbox(|lab| {
        let (_, until) = open_until(lab, 7);
        lab.does(&["apply", "--yes"]);
        lab.confirm();
        assert!(clock::since_1970() < until, "the test was too slow to see it hold");
        assert_eq!(lab.status().0["blocks"]["count"], 2);
        wait_until(until);
        expect_in_both(8001, &EVERYONE);
        let (status, code) = lab.status();
        assert_eq!((status["state"].as_str(), code), (Some("confirmed"), 0), "{status}");
        assert_eq!(status["pending_changes"], false, "{status}");
        assert_eq!(status["blocks"]["count"], 0, "{status}");
        assert_eq!(lab.does(&["block"]), "Nothing is blocked.\n");
        let preview = lab.json(&["preview", "--json"]);
        assert_eq!(preview["changes"], false, "{preview}");
        lab.does(&["preview", "--exit-code"]);
        // Looking changes nothing.
        assert!(rules(lab).contains("fwtui:block 8001/tcp"));
        lab.does(&["set", "8003/tcp", "open"]);
        assert!(!rules(lab).contains("fwtui:block"), "{}", rules(lab));
        assert!(!std::fs::read_to_string(paths().policy()).unwrap().contains("blocks"));
        expect_in_both(8001, &EVERYONE);
        assert_eq!(lab.status().0["state"], "confirmed");
        let script = std::fs::read_to_string(paths().script()).unwrap();
        assert!(!script.contains("fwtui:block"), "{script}");
    });
}

#[test]
fn boot_loads_what_was_confirmed_without_what_is_over() {
    in_sandbox(|lab| {
        let (_, until) = open_until(lab, 6);
        lab.does(&["apply", "--yes"]);
        lab.confirm();
        wait_until(until);
        for program in ["iptables", "ip6tables"] {
            lab.line(&format!("{program} -F"));
        }
        assert_eq!(lab.status().0["state"], "drifted");
        lab.does(&["restore"]);
        assert!(!rules(lab).contains("fwtui:block"), "{}", rules(lab));
        assert!(!std::fs::read_to_string(paths().policy()).unwrap().contains("blocks"));
        assert_eq!(lab.status().0["state"], "confirmed");
        assert_eq!(lab.status().0["pending_changes"], false);
        expect_in_both(8001, &EVERYONE);
    });
}

/// One that ends while it is on trial, and one in the rules that a trial would put back.
#[test]
fn a_trial_goes_its_way_while_blocks_end() {
    in_sandbox(|lab| {
        let (_, until) = open_until(lab, 5);
        lab.does(&["apply", "--yes"]);
        wait_until(until);
        let (status, _) = lab.status();
        assert_eq!(
            (&status["state"], &status["drift"]),
            (&"trial".into(), &serde_json::Value::Null)
        );
        lab.confirm();
        assert_eq!(lab.status().0["state"], "confirmed");
        let kept = rules(lab);
        assert!(kept.contains("fwtui:block 8001/tcp"));
        // The base of this trial holds a rule that is over: nobody cleans up below the guard.
        lab.does(&["set", "8003/tcp", "open"]);
        lab.does(&["apply", "--yes"]);
        let base = rules(lab);
        lab.does(&["set", "8004/tcp", "open"]);
        assert_eq!(without_counters(&rules(lab)), without_counters(&base));
        lab.does(&["revert"]);
        lab.settled();
        assert_eq!(lab.status().0["state"], "confirmed");
        expect_in_both(8001, &EVERYONE);
    });
}

fn without_counters(save: &str) -> String {
    let lines = save.lines().filter(|line| !line.starts_with('#'));
    let plain = lines.map(|line| line.split(" [").next().unwrap_or_default());
    plain.collect::<Vec<_>>().join("\n")
}
