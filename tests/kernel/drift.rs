//! What was confirmed and what the kernel holds come apart: never in silence, and one command mends it.

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::Protocol;
use fwtui::core::ruleset::Hook;

use crate::harness::{Lab, in_sandbox};
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
                "IPv6: fwtui's rules are gone from the kernel",
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
