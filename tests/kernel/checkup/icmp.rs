//! ICMP errors and echoes.

use fwtui::app::sandbox::Neighbour;
use fwtui::core::checkup::Severity;
use fwtui::core::listener::Family;

use super::{ANSWERS, ECHO, OPEN, Rules, finds, finds_no, harmful};
use crate::checks::{SIZE, at, transfer};
use crate::harness::{Lab, in_sandbox};
use crate::raw;

const ONLY_ESTABLISHED: &str = "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT";

/// Without the errors that belong to a connection a large transfer stalls; either way of accepting
/// them cures it.
fn path_mtu_discovery(lab: &Lab, family: Family, id: &str, explicitly: &str) {
    let stalls = Rules::good().instead(family, ANSWERS, &[ONLY_ESTABLISHED]);
    stalls.load(lab);
    assert_eq!(transfer(lab, family, OPEN).0, 0);
    harmful(lab, &[id]);
    let by_type = stalls.instead(family, ONLY_ESTABLISHED, &[ONLY_ESTABLISHED, explicitly]);
    for cured in [Rules::good(), by_type] {
        cured.load(lab);
        assert_eq!(transfer(lab, family, OPEN).0, SIZE);
        harmful(lab, &[]);
    }
}

#[test]
fn a_transfer_stalls_without_icmp_errors() {
    in_sandbox(|lab| {
        let explicitly = "-A INPUT -p icmp --icmp-type fragmentation-needed -j ACCEPT";
        path_mtu_discovery(lab, Family::Ipv4, "icmp-errors-refused", explicitly);
    });
}

#[test]
fn a_transfer_stalls_without_packet_too_big() {
    in_sandbox(|lab| {
        let explicitly = "-A INPUT -p icmpv6 --icmpv6-type packet-too-big -j ACCEPT";
        path_mtu_discovery(lab, Family::Ipv6, "ipv6-packet-too-big-refused", explicitly);
    });
}

#[test]
fn a_transfer_stalls_where_icmp_is_dropped_first() {
    in_sandbox(|lab| {
        for (family, first, id) in [
            (Family::Ipv4, "-A INPUT -p icmp -j DROP", "icmp-errors-refused"),
            (
                Family::Ipv6,
                "-A INPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP",
                "ipv6-packet-too-big-refused",
            ),
        ] {
            Rules::good().instead(family, ANSWERS, &[first, ANSWERS]).load(lab);
            assert_eq!(transfer(lab, family, OPEN).0, 0);
            harmful(lab, &[id]);
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
        Rules::good().load(lab);
        assert!(is_found());
        finds_no(lab, "icmp-echo-refused");
    });
}
