//! What was confirmed and what the kernel holds come apart: never in silence, and one command mends it.

use std::time::Duration;

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::app::{Change, Changes, Machine};
use fwtui::core::listener::Protocol;
use fwtui::core::ruleset::Hook;

use crate::harness::{Lab, eventually, in_sandbox};
use crate::machine::policy;

/// `status` says that it drifted and why; after `restore` it says that all is well.
fn is_noticed_and_mended(lab: &Lab, why: &str) {
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("drifted"), 3), "{status}");
    assert!(status["drift"].as_str().unwrap().contains(why), "{status}");
    lab.does(&["restore"]);
    let (status, code) = lab.status();
    assert_eq!((status["state"].as_str(), code), (Some("confirmed"), 0), "{status}");
}

#[test]
fn rules_that_were_flushed_cut_off_changed_or_bypassed_are_noticed_and_mended() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        for (others, why) in [
            ("iptables -F", "IPv4"),
            ("ip6tables -F", "IPv6"),
            (
                "iptables -D INPUT -j FWTUI-INPUT",
                "IPv4: the jump to fwtui's rules is gone",
            ),
            (
                "ip6tables -D INPUT -j FWTUI-INPUT",
                "IPv6: the jump to fwtui's rules is gone",
            ),
            (
                "iptables -t raw -D PREROUTING -j FWTUI-PREROUTING",
                "the jump to fwtui's rules is gone",
            ),
            ("nft flush ruleset", "IPv4: fwtui's rules are gone from the kernel"),
            (
                "nft delete table ip6 filter",
                "IPv6: fwtui's rules in the kernel have been changed",
            ),
            (
                "iptables -I INPUT -p tcp --dport 8081 -j ACCEPT",
                "comes before fwtui's own rules",
            ),
            (
                "iptables -I INPUT -p tcp --dport 8081 -j RETURN",
                "comes before fwtui's own rules",
            ),
        ] {
            lab.line(others);
            is_noticed_and_mended(lab, why);
            assert!(lab.answers(Neighbour::Public, 8080), "{others}");
            assert!(lab.refuses(Neighbour::Public, 8081), "{others}");
        }
        // The other tool's rule is where it was, behind ours.
        assert!(lab.line("iptables-save").contains("--dport 8081 -j ACCEPT"));
    });
}

#[test]
fn a_rule_put_into_our_own_chains_is_noticed_and_mended() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[]));
        let chain = lab
            .base()
            .ipv4
            .slot
            .map(|slot| format!("{}INPUT", slot.prefix()))
            .unwrap();
        lab.line(&format!("iptables -I {chain} -p tcp --dport 8081 -j ACCEPT"));
        is_noticed_and_mended(lab, "IPv4: fwtui's rules in the kernel have been changed");
        assert!(lab.refuses(Neighbour::Public, 8081));
    });
}

#[test]
fn an_entry_chain_that_was_emptied_or_added_to_is_noticed_and_mended() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        for others in [
            "iptables -F FWTUI-INPUT",
            "ip6tables -F FWTUI-INPUT",
            "iptables -t raw -F FWTUI-PREROUTING",
            "iptables -I FWTUI-INPUT -j ACCEPT",
            "ip6tables -I FWTUI-INPUT -j ACCEPT",
            "iptables -t raw -I FWTUI-PREROUTING -j ACCEPT",
            "iptables -A FWTUI-INPUT -j ACCEPT",
        ] {
            lab.line(others);
            is_noticed_and_mended(lab, "IPv");
            assert!(lab.answers(Neighbour::Public, 8080), "{others}");
            assert!(lab.refuses(Neighbour::Public, 8081), "{others}");
        }
    });
}

#[test]
fn a_load_cut_between_its_tables_is_noticed_and_put_right_by_a_revert() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8081);
        lab.keep(&policy(&[]));
        let slot = lab.base().ipv4.slot.unwrap();
        // What a killed load of the next rules leaves: raw has them already, filter has not.
        let raw = format!(
            "*raw\n:FWTUI-PREROUTING - [0:0]\n:{0} - [0:0]\n-A FWTUI-PREROUTING -g {0}\nCOMMIT\n",
            slot.other().main(Hook::Prerouting)
        );
        lab.feed(&["iptables-restore", "--noflush"], &raw);
        assert_eq!(lab.status().0["state"], "drifted");
        lab.does(&["set", "8081/tcp", "open"]);
        lab.does(&["apply", "--yes"]);
        assert!(lab.answers(Neighbour::Public, 8081));
        lab.does(&["revert"]);
        lab.settled();
        assert_eq!(lab.status().0["state"], "confirmed");
        assert!(lab.refuses(Neighbour::Public, 8081));
    });
}

#[test]
fn a_jump_behind_an_accept_is_moved_to_the_front_by_the_next_apply() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8081);
        lab.line("iptables -A INPUT -p tcp --dport 8081 -j ACCEPT");
        lab.line("ip6tables -A INPUT -p tcp --dport 8081 -j ACCEPT");
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8081), "ours come first");
        lab.confirm();
        lab.line("iptables -D INPUT -j FWTUI-INPUT");
        lab.line("iptables -A INPUT -j FWTUI-INPUT");
        assert_eq!(lab.status().0["state"], "drifted");
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8081));
        let saved = lab.line("iptables-save");
        assert_eq!(saved.matches("-A INPUT -j FWTUI-INPUT").count(), 1, "{saved}");
    });
}

#[test]
fn a_changed_prefix_fails_closed_is_noticed_and_trusted_again_after_restoring() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8003);
        lab.does(&["network", "eth1", "trusted"]);
        lab.does(&["set", "8003/tcp", "trusted"]);
        lab.does(&["apply", "--yes"]);
        lab.confirm();
        lab.line("ip address delete 192.168.7.10/24 dev eth1");
        lab.line("ip address add 192.168.99.10/24 dev eth1");
        lab.line_at(Neighbour::Trusted, "ip address add 192.168.99.1/24 dev eth0");
        let knock = || lab.knock_at(Neighbour::Trusted, "192.168.99.10:8003".parse().unwrap(), Protocol::Tcp);
        assert!(knock().is_refused());
        is_noticed_and_mended(lab, "the addresses of trusted networks have changed");
        assert_eq!(knock(), Knock::Answered);
        // An interface that is gone for a while (at boot it is not there yet) is no reason to forget it.
        lab.line("nft flush ruleset");
        lab.line("ip address flush dev eth1");
        lab.does(&["restore"]);
        assert!(lab.line("iptables-save").contains("-s 192.168.7.0/24 -i eth1"));
    });
}

/// Waits for a change made by a program of this name.
fn is_told_of(changes: &mut Changes, program: &str) {
    let mut heard = Vec::new();
    let found = eventually(|| {
        heard.extend(changes.wait(Duration::from_millis(100)).unwrap());
        let by = |change: &&Change| change.program.as_deref() == Some(program);
        heard.iter().find(by).cloned()
    });
    let change = found.unwrap_or_else(|| panic!("{program} is not in {heard:?}"));
    assert!(change.generation.is_some() && change.pid.is_some(), "{change:?}");
}

#[test]
fn changes_are_told_with_the_program_that_made_them_and_those_of_legacy_are_not() {
    in_sandbox(|lab| {
        let mut changes = Machine::changes().expect("the kernel has nf_tables");
        lab.line("nft add table inet other");
        is_told_of(&mut changes, "nft");
        lab.line("iptables-nft -A OUTPUT -p tcp --dport 9 -j ACCEPT");
        is_told_of(&mut changes, "iptables-nft");
        lab.line("nft flush ruleset");
        is_told_of(&mut changes, "nft");
        lab.line("iptables-legacy -A OUTPUT -p tcp --dport 9 -j ACCEPT");
        assert_eq!(changes.wait(Duration::from_millis(300)).unwrap(), []);
    });
}

#[test]
fn a_name_chosen_by_a_process_is_told_without_harm() {
    in_sandbox(|lab| {
        let mut changes = Machine::changes().expect("the kernel has nf_tables");
        // A program's name is that of its file.
        let folder = tempfile::tempdir().unwrap();
        let hostile = folder.path().join("\u{1b}[2Jnft");
        std::os::unix::fs::symlink(lab.line("which nft").trim(), &hostile).unwrap();
        lab.run(&[hostile.to_str().unwrap(), "add", "table", "inet", "other"]);
        is_told_of(&mut changes, "?[2Jnft");
    });
}

#[test]
fn changes_too_large_to_be_heard_whole_are_still_told() {
    in_sandbox(|lab| {
        let mut changes = Machine::changes().expect("the kernel has nf_tables");
        lab.feed(
            &["nft", "-f", "-"],
            "add table inet other\nadd chain inet other input\n",
        );
        let rules = "add rule inet other input ip saddr 192.0.2.1 counter accept\n".repeat(400);
        for _ in 0..60 {
            lab.feed(&["nft", "-f", "-"], &rules);
        }
        let heard = changes.wait(Duration::from_secs(5)).unwrap();
        let is_lost = |change: &Change| change.generation.is_none();
        assert!(heard.iter().any(is_lost), "{} heard", heard.len());
        // What comes later is heard as usual.
        lab.line("nft add table inet another");
        is_told_of(&mut changes, "nft");
    });
}
