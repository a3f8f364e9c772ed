//! What the machine itself sends.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::checkup::Severity;
use fwtui::core::listener::{Family, Protocol};

use super::ipv6::{after_forgetting, hasten};
use super::{CLOSED, OPEN, Rules, finds, finds_no, follow, harmful, knock_out, listen_at};
use crate::checks::{at, heard, udp};
use crate::harness::{Lab, in_sandbox};
use crate::raw;

const LOOPBACK: &str = "-A OUTPUT -o lo -j ACCEPT";
const ANSWERS: &str = "-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
const DNS: &str = "-A OUTPUT -p udp --dport 53 -j ACCEPT";
const DNS_TCP: &str = "-A OUTPUT -p tcp --dport 53 -j ACCEPT";
const NTP: &str = "-A OUTPUT -p udp --dport 123 -j ACCEPT";
const DHCP: &str = "-A OUTPUT -p udp --dport 67 -j ACCEPT";
const DHCPV6: &str = "-A OUTPUT -p udp --dport 547 -j ACCEPT";
const ICMP: &str = "-A OUTPUT -p icmp -j ACCEPT";
const ICMPV6: &str = "-A OUTPUT -p icmpv6 -j ACCEPT";
const SERVICE: &str = "-A OUTPUT -p tcp --dport 8080 -j ACCEPT";
const REST: &str = "-A OUTPUT -j REJECT";

/// Good rules that refuse on the way out as well, and keep what the machine needs.
fn good() -> Rules {
    let common = [LOOPBACK, ANSWERS, DNS, DNS_TCP, NTP];
    Rules::good()
        .each(|rules, family| rules.and(family, &common))
        .and(Family::Ipv4, &[DHCP, ICMP, SERVICE, REST])
        .and(Family::Ipv6, &[DHCPV6, ICMPV6, SERVICE, REST])
}

/// The same without a rule, in both families.
fn without(rule: &str) -> Rules {
    good().each(|rules, family| rules.without(family, rule))
}

/// How every target fares from the machine.
fn all(targets: &[SocketAddr], protocol: Protocol, fares: fn(Knock) -> bool) {
    for to in targets {
        let knock = knock_out(*to, protocol);
        assert!(fares(knock), "{to} {protocol}: {knock:?}");
    }
}

fn is_answered(knock: Knock) -> bool {
    knock == Knock::Answered
}

fn fails(knock: Knock) -> bool {
    knock != Knock::Answered
}

#[test]
fn the_machine_does_not_reach_itself_if_it_may_not_send_to_loopback() {
    in_sandbox(|lab| {
        const PORT: u16 = 5432;
        lab.listen_everywhere(PORT);
        let own = [(Ipv4Addr::LOCALHOST, PORT).into(), (Ipv6Addr::LOCALHOST, PORT).into()];
        without(LOOPBACK).load(lab);
        all(&own, Protocol::Tcp, fails);
        all(&own, Protocol::Udp, fails);
        harmful(lab, &["outbound-loopback-refused"]);
        follow(lab, "outbound-loopback-refused");
        all(&own, Protocol::Tcp, is_answered);
        all(&own, Protocol::Udp, is_answered);
        harmful(lab, &[]);
    });
}

#[test]
fn no_name_is_resolved_without_dns() {
    in_sandbox(|lab| {
        listen_at(lab, Neighbour::Public, 53);
        let resolvers = Family::ALL.map(|family| SocketAddr::new(Neighbour::Public.addresses().of(family), 53));
        without(DNS).load(lab);
        all(&resolvers, Protocol::Udp, fails);
        // Resolvers ask by TCP only when an answer by UDP says that it was cut short.
        all(&resolvers, Protocol::Tcp, is_answered);
        harmful(lab, &["outbound-dns-refused"]);
        follow(lab, "outbound-dns-refused");
        all(&resolvers, Protocol::Udp, is_answered);
        harmful(lab, &[]);
    });
}

/// Whether a DHCP server hears a client that broadcasts by an ordinary socket.
fn is_heard_by_socket() -> bool {
    let server = at(Neighbour::Public, || udp((Ipv4Addr::UNSPECIFIED, 67)));
    let client = udp((Ipv4Addr::UNSPECIFIED, 68));
    client.set_broadcast(true).unwrap();
    match client.send_to(b"request", (Ipv4Addr::BROADCAST, 67)) {
        Ok(_) => heard(&server).is_some(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            false
        }
    }
}

/// The same by a packet socket, as the common clients do while they have no address.
fn is_heard_by_packet() -> bool {
    let server = at(Neighbour::Public, || udp((Ipv4Addr::UNSPECIFIED, 67)));
    raw::broadcast(raw::index_of("eth0"), 68, 67, b"discover");
    heard(&server).is_some()
}

#[test]
fn a_dhcp_client_with_an_ordinary_socket_is_not_heard_and_one_with_packets_is() {
    in_sandbox(|lab| {
        const ID: &str = "outbound-dhcp-refused";
        good().without(Family::Ipv4, DHCP).load(lab);
        assert!(!is_heard_by_socket());
        assert!(is_heard_by_packet());
        finds(lab, ID, Severity::Risky);
        follow(lab, ID);
        assert!(is_heard_by_socket());
        assert!(is_heard_by_packet());
        finds_no(lab, ID);
    });
}

#[test]
fn neighbours_are_lost_if_the_machine_may_not_ask_for_them() {
    in_sandbox(|lab| {
        lab.listen_everywhere(OPEN);
        listen_at(lab, Neighbour::Trusted, CLOSED);
        hasten(lab);
        let both = |lab: &Lab, fares: Knock| {
            for from in [None, Some(Neighbour::Trusted)] {
                assert_eq!(after_forgetting(lab, from), fares, "{from:?}");
            }
        };
        good().without(Family::Ipv6, ICMPV6).load(lab);
        both(lab, Knock::Unreachable);
        harmful(lab, &["outbound-neighbour-discovery-refused"]);
        follow(lab, "outbound-neighbour-discovery-refused");
        both(lab, Knock::Answered);
        harmful(lab, &[]);
    });
}
