//! Hand-written rules, seen from the neighbours: the knock tells every kind of refusal.

use std::net::SocketAddr;
use std::time::Duration;

use fwtui::app::sandbox::{self, Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};

use crate::harness::{PATIENCE, in_sandbox};

const EVERYONE: [Neighbour; 4] = [
    Neighbour::Public,
    Neighbour::Stranger,
    Neighbour::Trusted,
    Neighbour::Far,
];
const BOTH: [Protocol; 2] = [Protocol::Tcp, Protocol::Udp];

#[test]
fn without_rules_everyone_is_answered() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for from in EVERYONE {
            for family in Family::ALL {
                for protocol in BOTH {
                    let case = format!("{from:?} {family} {protocol}");
                    assert_eq!(lab.knock(from, family, protocol, 8080), Knock::Answered, "{case}");
                    let closed = lab.knock(from, family, protocol, 8081);
                    assert!(
                        matches!(closed, Knock::Refused { after } if after < Duration::from_millis(500)),
                        "{case}: {closed:?}"
                    );
                }
            }
        }
    });
}

#[test]
fn a_reset_and_an_icmp_error_are_refusals_at_once() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for (family, unreachable) in [
            (Family::Ipv4, "icmp-port-unreachable"),
            (Family::Ipv6, "icmp6-port-unreachable"),
        ] {
            lab.load(
                family,
                &format!(
                    "-A INPUT -p tcp --dport 8080 --syn -j REJECT --reject-with tcp-reset\n\
                     -A INPUT -p udp --dport 8080 -j REJECT --reject-with {unreachable}"
                ),
            );
            for from in EVERYONE {
                for protocol in BOTH {
                    // Many in a row: the kernel must not hold its errors back.
                    for round in 0..20 {
                        let knock = lab.knock(from, family, protocol, 8080);
                        assert!(
                            matches!(knock, Knock::Refused { after } if after < Duration::from_millis(500)),
                            "{from:?} {family} {protocol} {round}: {knock:?}"
                        );
                    }
                }
            }
        }
    });
}

#[test]
fn a_drop_is_silence_and_a_prohibition_is_told_apart() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(8082);
        for (family, prohibited) in [
            (Family::Ipv4, "icmp-admin-prohibited"),
            (Family::Ipv6, "icmp6-adm-prohibited"),
        ] {
            for protocol in BOTH {
                lab.load(
                    family,
                    &format!(
                        "-A INPUT -p {protocol} --dport 8080 -j DROP\n\
                         -A INPUT -p {protocol} --dport 8082 -j REJECT --reject-with {prohibited}"
                    ),
                );
                let from = Neighbour::Public;
                assert_eq!(
                    lab.knock(from, family, protocol, 8080),
                    Knock::Silent,
                    "{family} {protocol}"
                );
                // An ICMP error that arrives while connect() still holds the socket counts only when the
                // retransmitted SYN brings a second one, a second later.
                let target = SocketAddr::new(from.machine().of(family), 8082);
                let knock = sandbox::knock(from, target, protocol, PATIENCE).unwrap();
                assert_eq!(knock, Knock::Unreachable, "{family} {protocol}");
            }
        }
    });
}

#[test]
fn sources_tell_a_neighbour_from_one_routed_in() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for (family, on_link) in [(Family::Ipv4, "192.168.7.0/24"), (Family::Ipv6, "fd07::/64")] {
            lab.load(
                family,
                &format!(
                    "-A INPUT -i eth1 -s {on_link} -j RETURN\n-A INPUT -p tcp --syn -j REJECT --reject-with tcp-reset"
                ),
            );
            assert_eq!(
                lab.knock(Neighbour::Trusted, family, Protocol::Tcp, 8080),
                Knock::Answered
            );
            for from in [Neighbour::Far, Neighbour::Public, Neighbour::Stranger] {
                let knock = lab.knock(from, family, Protocol::Tcp, 8080);
                assert!(knock.is_refused(), "{from:?} {family}: {knock:?}");
            }
        }
    });
}
