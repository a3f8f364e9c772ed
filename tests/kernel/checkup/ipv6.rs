//! What IPv6 cannot do without.

use std::net::Ipv6Addr;
use std::time::Duration;

use fwtui::app::sandbox::{Knock, MACHINE_TRUSTED, Neighbour, TRUSTED};
use fwtui::core::checkup::Severity;
use fwtui::core::listener::{Family, Protocol};

use super::{
    ADVERTISEMENT, ADVERTISEMENTS, ANSWERS, CLOSED, DHCPV6, LOOPBACK, OPEN, REST, Rules, SOLICITATION, SSH, finds,
    finds_no, follow, harmful, knock_within, listen_at,
};
use crate::checks::{self, at};
use crate::harness::{Lab, PATIENCE, SILENCE, addresses, eventually_within, in_sandbox};
use crate::raw;

const V6: Family = Family::Ipv6;
const DISCOVERY: &str = "ipv6-neighbour-discovery-refused";
const ROUTERS: &str = "ipv6-router-advertisements-refused";

/// The machine and its neighbour forget each other; then TCP, out or in.
pub(super) fn after_forgetting(lab: &Lab, from: Option<Neighbour>) -> Knock {
    after_forgetting_within(PATIENCE, lab, from)
}

/// The same with a patience of its own.
pub(super) fn after_forgetting_within(patience: Duration, lab: &Lab, from: Option<Neighbour>) -> Knock {
    lab.line("ip -6 neigh flush dev eth1");
    lab.line_at(Neighbour::Trusted, "ip -6 neigh flush dev eth0");
    let to = match from {
        None => (TRUSTED.v6, CLOSED),
        Some(_) => (MACHINE_TRUSTED.v6, OPEN),
    };
    knock_within(patience, from, to, Protocol::Tcp)
}

/// Unanswered questions for a neighbour are given up after 0.3 s.
pub(super) fn hasten(lab: &Lab) {
    lab.line("sysctl -qw net.ipv6.neigh.eth1.retrans_time_ms=100");
    lab.line_at(Neighbour::Trusted, "sysctl -qw net.ipv6.neigh.eth0.retrans_time_ms=100");
}

#[test]
fn neighbours_are_lost_once_forgotten() {
    in_sandbox(|lab| {
        lab.listen_everywhere(OPEN);
        listen_at(lab, Neighbour::Trusted, CLOSED);
        let [out, inward] = [None, Some(Neighbour::Trusted)];
        let deaf = Rules::good().without(V6, SOLICITATION).without(V6, ADVERTISEMENT);
        deaf.load(lab);
        assert_eq!(after_forgetting(lab, out), Knock::Unreachable);
        hasten(lab);
        // Either of the two alone cures one direction only.
        for (rules, out_fares, in_fares) in [
            (deaf, Knock::Unreachable, Knock::Unreachable),
            (
                Rules::good().without(V6, SOLICITATION),
                Knock::Answered,
                Knock::Unreachable,
            ),
            (
                Rules::good().without(V6, ADVERTISEMENT),
                Knock::Unreachable,
                Knock::Answered,
            ),
        ] {
            rules.load(lab);
            assert_eq!(after_forgetting(lab, out), out_fares, "{rules:?}");
            assert_eq!(after_forgetting(lab, inward), in_fares, "{rules:?}");
            harmful(lab, &[DISCOVERY]);
            follow(lab, DISCOVERY);
            for from in [out, inward] {
                assert_eq!(after_forgetting(lab, from), Knock::Answered, "{rules:?} {from:?}");
            }
            harmful(lab, &[]);
        }
    });
}

/// Whether an advertisement of this prefix makes an address and a default route. The route is taken
/// away again.
pub(super) fn is_configured(lab: &Lab, prefix: u16) -> bool {
    let own = lab.link_local(Some(Neighbour::Trusted), "eth0");
    at(Neighbour::Trusted, || {
        let prefix = Ipv6Addr::new(prefix, 0, 0, 0, 0, 0, 0, 0);
        raw::advertise(prefix, 1800, own, raw::index_of("eth0"));
    });
    let has_address = eventually_within(SILENCE, || {
        let mut made = addresses("eth1").into_iter();
        made.find(|address| address.segments()[0] == prefix).map(drop)
    });
    let route = lab.line("ip -6 route show default dev eth1 proto ra");
    assert_eq!(has_address.is_some(), !route.is_empty(), "{route}");
    if !route.is_empty() {
        lab.line("ip -6 route del default dev eth1 proto ra");
    }
    !route.is_empty()
}

#[test]
fn no_address_and_no_route_without_router_advertisements() {
    in_sandbox(|lab| {
        let deaf = Rules::good().without(V6, ADVERTISEMENTS);
        deaf.load(lab);
        assert!(!is_configured(lab, 0xfd90));
        // As long as all addresses are static it may be meant.
        harmful(lab, &[]);
        finds(lab, ROUTERS, Severity::Risky);
        Rules::none().load(lab);
        assert!(is_configured(lab, 0xfd91));
        deaf.load(lab);
        assert!(!is_configured(lab, 0xfd92));
        harmful(lab, &[ROUTERS]);
        follow(lab, ROUTERS);
        assert!(is_configured(lab, 0xfd93));
        harmful(lab, &[]);
    });
}

/// The rules that most pages on the net advise, in both languages.
#[test]
fn the_classic_rules_break_ipv6() {
    in_sandbox(|lab| {
        lab.listen_everywhere(OPEN);
        listen_at(lab, Neighbour::Trusted, CLOSED);
        hasten(lab);
        assert!(is_configured(lab, 0xfd90));
        let native = "table inet filter { chain input {
            type filter hook input priority filter; policy drop;
            iif lo accept
            ct state established,related accept
            tcp dport 22 accept
        }
        }";
        let classic = Rules::none().each(|rules, family| rules.and(family, &[LOOPBACK, ANSWERS, SSH, REST]));
        for (is_native, prefix) in [(false, 0xfd91), (true, 0xfd93)] {
            lab.line("nft flush ruleset");
            match is_native {
                true => drop(lab.feed(&["nft", "-f", "-"], native)),
                false => classic.load(lab),
            }
            let all = |fares: Knock| {
                for from in [None, Some(Neighbour::Trusted)] {
                    assert_eq!(after_forgetting(lab, from), fares, "{is_native} {from:?}");
                }
            };
            all(Knock::Unreachable);
            assert!(!is_configured(lab, prefix), "{is_native}");
            harmful(lab, &[DISCOVERY, ROUTERS]);
            follow(lab, DISCOVERY);
            follow(lab, ROUTERS);
            all(Knock::Answered);
            assert!(is_configured(lab, prefix + 1), "{is_native}");
            harmful(lab, &[]);
        }
    });
}

#[test]
fn no_lease_without_the_answers_of_dhcpv6() {
    in_sandbox(|lab| {
        const ID: &str = "dhcpv6-answers-refused";
        let deaf = Rules::good().without(V6, DHCPV6);
        deaf.load(lab);
        checks::dhcpv6(lab).unwrap_err();
        // All addresses are static.
        finds_no(lab, ID);
        assert!(is_configured(lab, 0xfd90));
        harmful(lab, &[]);
        finds(lab, ID, Severity::Risky);
        // As DHCPv6 gives them.
        lab.line("ip address add fd07::99/128 dev eth1 valid_lft 3600 preferred_lft 3600 nodad");
        harmful(lab, &[ID]);
        follow(lab, ID);
        checks::dhcpv6(lab).unwrap();
        finds_no(lab, ID);
    });
}

#[test]
fn a_service_is_open_in_the_family_that_was_forgotten() {
    in_sandbox(|lab| {
        lab.listen_everywhere(CLOSED);
        let fares = |family| lab.knock(Neighbour::Stranger, family, Protocol::Tcp, CLOSED);
        for (forgotten, other, id) in [
            (Family::Ipv6, Family::Ipv4, "ipv6-forgotten"),
            (Family::Ipv4, Family::Ipv6, "ipv4-forgotten"),
        ] {
            let mut rules = Rules::good();
            rules.of(forgotten).clear();
            rules.load(lab);
            assert_eq!(fares(forgotten), Knock::Answered);
            assert_ne!(fares(other), Knock::Answered);
            harmful(lab, &[id]);
        }
        Rules::good().load(lab);
        for family in Family::ALL {
            assert_ne!(fares(family), Knock::Answered);
        }
        harmful(lab, &[]);
    });
}
