//! ICMP errors and echoes.

use fwtui::app::sandbox::Neighbour;
use fwtui::core::checkup::Severity;
use fwtui::core::listener::Family;

use super::{ANSWERS, ECHO, OPEN, Rules, finds, finds_no, follow, harmful};
use crate::checks::{SIZE, at, transfer};
use crate::harness::{Lab, in_sandbox};
use crate::raw;

const ONLY_ESTABLISHED: &str = "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT";

/// Without the errors that belong to a connection a large transfer stalls; what is advised cures it.
fn path_mtu_discovery(lab: &Lab, family: Family, id: &str, spoilt: &[&str]) {
    Rules::good().instead(family, ANSWERS, spoilt).load(lab);
    assert_eq!(transfer(lab, family, OPEN).0, 0);
    harmful(lab, &[id]);
    follow(lab, id);
    assert_eq!(transfer(lab, family, OPEN).0, SIZE);
    harmful(lab, &[]);
}

#[test]
fn a_transfer_stalls_without_icmp_errors() {
    in_sandbox(|lab| {
        for spoilt in [&[ONLY_ESTABLISHED][..], &["-A INPUT -p icmp -j DROP", ANSWERS]] {
            path_mtu_discovery(lab, Family::Ipv4, "icmp-errors-refused", spoilt);
        }
    });
}

#[test]
fn a_transfer_stalls_without_packet_too_big() {
    in_sandbox(|lab| {
        let dropped = "-A INPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP";
        for spoilt in [&[ONLY_ESTABLISHED][..], &[dropped, ANSWERS]] {
            path_mtu_discovery(lab, Family::Ipv6, "ipv6-packet-too-big-refused", spoilt);
        }
    });
}

/// A server asks by an echo whether an address is in use before it gives it away.
#[test]
fn the_probe_for_a_free_address_finds_nobody() {
    in_sandbox(|lab| {
        let is_found = || at(Neighbour::Public, || raw::ping(Neighbour::Public.machine().v4.into()));
        Rules::good().without(Family::Ipv4, ECHO).load(lab);
        assert!(!is_found());
        harmful(lab, &[]);
        finds(lab, "icmp-echo-refused", Severity::Risky);
        follow(lab, "icmp-echo-refused");
        assert!(is_found());
        finds_no(lab, "icmp-echo-refused");
    });
}
