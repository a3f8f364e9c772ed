//! What a trial or another tool left behind, and what puts it right.

use std::fs;
use std::time::Duration;

use fwtui::app::sandbox::Neighbour;
use fwtui::core::trial::Reason;
use rustix::process::{Signal, kill_process};

use crate::harness::{eventually, in_sandbox};
use crate::machine::{guards, paths, policy, processes, twin_of};
use crate::trial::closed;

#[test]
fn rules_a_dead_guards_loader_still_loads_are_undone_as_well() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.use_legacy();
        lab.does(&["set", "8080/tcp", "confine"]);
        let (base, foreign) = (lab.base(), lab.foreign());
        // The loader waits for the lock of the xtables tools while its guard is killed.
        let lock = fs::File::create("/run/xtables.lock").unwrap();
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
        let mut starter = lab.command(&["apply", "--yes"]).spawn().unwrap();
        let guard = eventually(|| guards().first().copied()).expect("a guard");
        eventually(|| is_waiting_for_lock().then_some(())).expect("a loader waits");
        kill_process(guard, Signal::KILL).unwrap();
        drop(lock);
        assert!(!starter.wait().unwrap().success());
        eventually(|| (!paths().journal().exists()).then_some(())).expect("the twin closes it");
        closed(lab, &Reason::GuardDied);
        assert_eq!(lab.base(), base);
        assert_eq!(lab.foreign(), foreign);
        assert!(lab.answers(Neighbour::Public, 8080));
        assert_eq!(lab.status().0["state"], "off");
    });
}

/// Whether a program that loads rules has been started in this sandbox. With the lock held by us it
/// can but wait.
fn is_waiting_for_lock() -> bool {
    let own_network = fs::read_link("/proc/self/ns/net").unwrap();
    fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|entry| {
        let process = entry.path();
        fs::read_to_string(process.join("cmdline")).is_ok_and(|line| line.contains("legacy-restore"))
            && fs::read_link(process.join("ns/net")).is_ok_and(|network| network == own_network)
    })
}

#[test]
fn a_spoiled_confirmed_document_does_not_keep_a_trial_in_force() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let mut guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
        fs::write(paths().confirmed(), "{").unwrap();
        guard.kill();
        eventually(|| lab.answers(Neighbour::Public, 8080).then_some(())).expect("the old rules are back");
        closed(lab, &Reason::GuardDied);
    });
}

#[test]
fn a_twin_knows_the_journal_by_heart() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
        fs::write(paths().journal(), "{").unwrap();
        guard.kill();
        eventually(|| lab.answers(Neighbour::Public, 8080).then_some(())).expect("the old rules are back");
        closed(lab, &Reason::GuardDied);
    });
}

#[test]
fn a_spoiled_journal_does_not_keep_the_confirmed_rules_out() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "confine")]));
        for program in ["iptables", "ip6tables"] {
            lab.line(&format!("{program} -F"));
        }
        assert!(lab.answers(Neighbour::Public, 8080));
        fs::write(paths().journal(), "{\"format\": 2}").unwrap();
        let output = lab.fwtui(&["restore"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("trial.json"), "{said}");
        assert!(lab.refuses(Neighbour::Public, 8080));
    });
}

#[test]
fn rules_that_were_never_confirmed_are_taken_out_by_restore() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.does(&["set", "8080/tcp", "confine"]);
        // As if another program had saved them during a trial and loaded them at boot.
        let text = lab.does(&["preview", "--format", "iptables"]);
        lab.feed(&["iptables-restore", "--noflush"], &text);
        assert_eq!(lab.status().0["state"], "drifted");
        let said = lab.does(&["restore"]);
        assert!(said.contains("are out"), "{said}");
        assert_eq!(lab.status().0["state"], "off");
        assert!(lab.observed().ipv4.chains.is_empty());
        assert!(lab.answers(Neighbour::Public, 8080));
    });
}

#[test]
fn neighbours_stay_trusted_while_the_network_has_no_addresses_yet() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut wanted = policy(&[("8080/tcp", "trusted")]);
        wanted
            .networks
            .interfaces
            .insert("eth1".to_owned(), "trusted".parse().unwrap());
        lab.keep(&wanted);
        // As at boot: the interface is up with its link-local address, DHCP has not answered.
        lab.line("ip -4 address flush dev eth1");
        lab.does(&["restore"]);
        lab.line("ip address add 192.168.7.10/24 dev eth1");
        eventually(|| lab.answers(Neighbour::Trusted, 8080).then_some(())).expect("still trusted");
        assert!(lab.refuses(Neighbour::Public, 8080));
        assert_eq!(lab.status().0["state"], "confirmed");
    });
}

#[test]
fn a_trial_whose_outcome_the_disk_did_not_take_is_not_reported_as_an_older_one() {
    in_sandbox(|lab| {
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
        // A folder in its place: what is to be written there can't be.
        let last = paths().last();
        fs::remove_file(&last).unwrap();
        fs::create_dir(&last).unwrap();
        lab.fwtui(&["revert"]);
        guard.ended();
        fs::remove_dir(&last).unwrap();
        assert!(lab.status().0["last"].is_null());
        assert!(processes(|args| args.iter().any(|arg| arg == "--twin-of")).len() <= 1);
    });
}

#[test]
fn a_decision_meant_for_another_trial_is_refused() {
    in_sandbox(|lab| {
        let guard = lab.hold(&policy(&[]), Duration::from_secs(60));
        let twin = twin_of(guard.pid());
        let answer = lab.ask(fwtui::guard::Request::Revert, Some("another"));
        assert!(matches!(answer, Some(fwtui::guard::Answer::Refused(_))), "{answer:?}");
        assert_eq!(twin_of(guard.pid()), twin, "it goes on");
        lab.does(&["revert"]);
        guard.ended();
    });
}

/// A native rule that iptables can't show, in iptables' own chain.
const NATIVE: &str = "nft add rule ip filter INPUT ct count over 500 drop";

#[test]
fn nothing_is_applied_over_a_table_that_iptables_cannot_show() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        lab.line(NATIVE);
        let before = lab.line("nft list ruleset");
        lab.does(&["set", "8080/tcp", "confine"]);
        for verb in [&["apply", "--yes"][..], &["restore"]] {
            let complaint = lab.fails(1, verb);
            assert!(complaint.contains("native nft rules"), "{complaint}");
        }
        assert_eq!(
            without_counters(&lab.line("nft list ruleset")),
            without_counters(&before)
        );
        assert!(lab.answers(Neighbour::Public, 8080));
        let (status, code) = lab.status();
        assert_eq!((status["state"].as_str(), code), (Some("unknown"), 1), "{status}");
    });
}

#[test]
fn a_trial_is_undone_although_iptables_can_no_longer_show_the_table() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let guard = lab.hold(&policy(&[("8080/tcp", "confine")]), Duration::from_secs(60));
        assert!(lab.refuses(Neighbour::Public, 8080));
        lab.line(NATIVE);
        lab.does(&["revert"]);
        guard.ended();
        assert!(lab.answers(Neighbour::Public, 8080));
        let jumps = lab.line("nft list chain ip filter INPUT");
        assert_eq!(jumps.matches("jump FWTUI-INPUT").count(), 1, "{jumps}");
    });
}

fn without_counters(text: &str) -> String {
    let is_number = |word: &&str| !word.bytes().all(|byte| byte.is_ascii_digit());
    text.split_whitespace().filter(is_number).collect::<Vec<_>>().join(" ")
}
