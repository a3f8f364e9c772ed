//! What must always work does so without rules; and each check fails where it should.

use fwtui::core::listener::Family;

use crate::checks;
use crate::harness::{Lab, in_sandbox};

#[test]
fn everything_works_without_rules() {
    in_sandbox(|lab| checks::all(lab, 8080).unwrap());
}

#[test]
fn everything_works_where_only_tcp_syns_and_unasked_udp_are_refused() {
    in_sandbox(|lab| {
        for (family, extra) in [
            (Family::Ipv4, "-A INPUT -p udp --sport 67 --dport 68 -j RETURN"),
            (Family::Ipv6, "-A INPUT -p udp --dport 546 -s fe80::/10 -j RETURN"),
        ] {
            lab.load(
                family,
                &format!(
                    "-A INPUT -i lo -j RETURN\n{extra}\n\
                     -A INPUT -p udp -i eth1 --sport 5353 --dport 32768:60999 -j RETURN\n\
                     -A INPUT -p udp -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j RETURN\n\
                     -A INPUT -p tcp --dport 8080 -j RETURN\n\
                     -A INPUT -p tcp --syn -j REJECT --reject-with tcp-reset\n\
                     -A INPUT -p udp -j REJECT"
                ),
            );
        }
        checks::all(lab, 8080).unwrap();
    });
}

/// Loads a rule in one family, and tells what the check then says.
fn with(lab: &Lab, family: Family, rule: &str, check: impl Fn() -> checks::Check) -> String {
    check().expect("it works without the rule");
    lab.load(family, rule);
    let error = check().expect_err("the check sees the rule");
    lab.load(family, "-F INPUT");
    error
}

#[test]
fn a_ruleset_that_blocks_icmp_is_caught() {
    in_sandbox(|lab| {
        let icmp = "-A INPUT -p icmp --icmp-type 8 -j DROP";
        let error = with(lab, Family::Ipv4, icmp, || checks::pings(lab));
        assert!(error.contains("IPv4"), "{error}");
        let icmp = "-A INPUT -p icmpv6 --icmpv6-type 135 -j DROP";
        with(lab, Family::Ipv6, icmp, || checks::neighbour_discovery(lab));
        let icmp = "-A INPUT -p icmp --icmp-type fragmentation-needed -j DROP";
        with(lab, Family::Ipv4, icmp, || checks::path_mtu(lab, Family::Ipv4, 8080));
        let icmp = "-A INPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP";
        with(lab, Family::Ipv6, icmp, || checks::path_mtu(lab, Family::Ipv6, 8080));
    });
}

#[test]
fn a_ruleset_that_blocks_router_advertisements_is_caught() {
    in_sandbox(|lab| {
        lab.load(Family::Ipv6, "-A INPUT -p icmpv6 --icmpv6-type 134 -j DROP");
        checks::router_advertisement(lab).unwrap_err();
        lab.load(Family::Ipv6, "-F INPUT");
        checks::router_advertisement(lab).unwrap();
    });
}

#[test]
fn a_ruleset_that_blocks_udp_answers_is_caught() {
    in_sandbox(|lab| {
        let answers = "-A INPUT -p udp -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP";
        with(lab, Family::Ipv4, answers, || checks::dhcp(lab));
        with(lab, Family::Ipv6, answers, || checks::dhcpv6(lab));
        for family in Family::ALL {
            with(lab, family, answers, || checks::multicast_answer(lab, family));
        }
    });
}
