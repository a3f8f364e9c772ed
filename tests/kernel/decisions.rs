//! What was decided is what neighbours get, through the program and the kernel.

use std::net::{Ipv4Addr, SocketAddr};

use fwtui::app::sandbox::{self, Knock, MACHINE_TRUSTED, Neighbour};
use fwtui::core::listener::{Family, Protocol};

use crate::checks;
use crate::harness::{Lab, SILENCE, in_sandbox};

const EVERYONE: [Neighbour; 4] = [
    Neighbour::Public,
    Neighbour::Stranger,
    Neighbour::Trusted,
    Neighbour::Far,
];
const NOBODY: [Neighbour; 0] = [];

/// What those get who are not let in.
#[derive(Clone, Copy, PartialEq)]
enum Else {
    Refused,
    Silence,
}

/// Who is answered at a port, in both families; the others get what is said of them, at once
/// (a refusal that comes only with the retransmitted SYN, a second later, is silence here).
fn expect(lab: &Lab, protocol: Protocol, port: u16, answered: &[Neighbour], others: Else) {
    for from in EVERYONE {
        expect_of(lab, from, protocol, port, answered.contains(&from), others);
    }
}

fn expect_of(_lab: &Lab, from: Neighbour, protocol: Protocol, port: u16, is_answered: bool, others: Else) {
    let doors = Family::ALL.map(|family| (SocketAddr::new(from.machine().of(family), port), protocol));
    let knocks = sandbox::knock_all(from, &doors, SILENCE).unwrap();
    for ((door, _), knock) in doors.iter().zip(knocks) {
        let holds = match (is_answered, others) {
            (true, _) => knock == Knock::Answered,
            (false, Else::Refused) => knock.is_refused(),
            (false, Else::Silence) => knock == Knock::Silent,
        };
        assert!(holds, "{from:?} at {door}/{protocol}: {knock:?}");
    }
}

/// The protocols of this kernel: UDP-Lite is built into most.
fn protocols(lab: &Lab, ports: &[u16]) -> Vec<Protocol> {
    for port in ports {
        lab.listen_everywhere(*port);
    }
    let mut protocols = vec![Protocol::Tcp, Protocol::Udp];
    if std::fs::read_to_string("/proc/net/protocols")
        .unwrap()
        .contains("UDP-Lite")
    {
        for port in ports {
            lab.listen(&format!("udplite/dual/[::]:{port}"));
        }
        protocols.push(Protocol::UdpLite);
    }
    protocols
}

fn set(lab: &Lab, protocols: &[Protocol], port: &str, words: &[&str]) {
    for protocol in protocols {
        let id = format!("{port}/{protocol}");
        lab.does(&[&["set", &id], words].concat());
    }
}

#[test]
fn everyone_the_trusted_some_or_nobody_gets_in_as_decided() {
    in_sandbox(|lab| {
        let ports = [8001, 8002, 8003, 8004, 8005, 8105, 8107];
        let protocols = protocols(lab, &ports);
        lab.does(&["network", "eth1", "trusted"]);
        set(lab, &protocols, "8001", &["open"]);
        set(lab, &protocols, "8002", &["confine"]);
        set(lab, &protocols, "8003", &["trusted"]);
        let some = ["open", "--from", "203.0.113.66", "--from", "2001:db8:1::66"];
        set(lab, &protocols, "8005", &some);
        set(lab, &protocols, "8100-8110", &["open"]);
        set(lab, &protocols, "8107", &["confine"]);
        lab.does(&["apply", "--yes"]);
        for protocol in protocols {
            let expect = |port, answered: &[Neighbour]| expect(lab, protocol, port, answered, Else::Refused);
            expect(8001, &EVERYONE);
            expect(8002, &NOBODY);
            // Not who is routed in through the trusted neighbour: it is no neighbour.
            expect(8003, &[Neighbour::Trusted]);
            expect(8004, &NOBODY);
            expect(8005, &[Neighbour::Stranger]);
            expect(8105, &EVERYONE);
            expect(8107, &NOBODY);
        }
    });
}

#[test]
fn with_drop_there_is_silence() {
    in_sandbox(|lab| {
        let protocols = protocols(lab, &[8001, 8002, 8003]);
        lab.does(&["network", "eth1", "trusted"]);
        lab.does(&["set", "refusal", "drop"]);
        set(lab, &protocols, "8001", &["open"]);
        set(lab, &protocols, "8003", &["trusted"]);
        lab.does(&["apply", "--yes"]);
        for protocol in protocols {
            expect(lab, protocol, 8001, &EVERYONE, Else::Silence);
            expect(lab, protocol, 8002, &NOBODY, Else::Silence);
            expect(lab, protocol, 8003, &[Neighbour::Trusted], Else::Silence);
        }
    });
}

#[test]
fn a_decision_on_an_address_is_on_that_address_only() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8006);
        lab.listen_everywhere(8007);
        for protocol in ["tcp", "udp"] {
            for address in ["192.168.7.10", "[fd07::10]"] {
                lab.does(&["set", &format!("{address}:8006/{protocol}"), "open"]);
            }
            lab.does(&["set", &format!("8006/{protocol}"), "confine"]);
        }
        lab.does(&["set", "203.0.113.10:8007/tcp", "confine"]);
        lab.does(&["set", "8007/tcp", "open"]);
        lab.does(&["apply", "--yes"]);
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            expect(
                lab,
                protocol,
                8006,
                &[Neighbour::Trusted, Neighbour::Far],
                Else::Refused,
            );
        }
        let knock = |from, family| lab.knock(from, family, Protocol::Tcp, 8007);
        assert!(knock(Neighbour::Public, Family::Ipv4).is_refused());
        assert_eq!(knock(Neighbour::Public, Family::Ipv6), Knock::Answered);
        assert_eq!(knock(Neighbour::Trusted, Family::Ipv4), Knock::Answered);
        // The address counts, not the network it is reached from.
        lab.line_at(Neighbour::Public, "ip route add 192.168.7.10 via 203.0.113.10");
        let there = SocketAddr::new(MACHINE_TRUSTED.of(Family::Ipv4), 8006);
        let knock = lab.knock_at(Neighbour::Public, there, Protocol::Tcp);
        assert_eq!(knock, Knock::Answered);
    });
}

#[test]
fn a_network_trusted_by_hand_is_trusted_wherever_it_comes_in() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8003);
        lab.does(&["network", "198.18.5.0/24", "trusted"]);
        lab.does(&["network", "fd05::/64", "trusted"]);
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            set(lab, &[protocol], "8003", &["trusted"]);
        }
        lab.does(&["apply", "--yes"]);
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            expect(lab, protocol, 8003, &[Neighbour::Far], Else::Refused);
        }
    });
}

#[test]
fn guests_get_addresses_and_names_and_else_what_the_trusted_get() {
    in_sandbox(|lab| {
        for port in [53, 67, 547, 8002, 8003] {
            lab.listen_everywhere(port);
        }
        lab.does(&["network", "eth1", "guests"]);
        for id in ["8003/tcp", "8003/udp"] {
            lab.does(&["set", id, "trusted"]);
        }
        // Not even this takes the guests' names away.
        lab.does(&["set", "53/udp", "confine"]);
        lab.does(&["apply", "--yes"]);
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            expect(lab, protocol, 8002, &NOBODY, Else::Refused);
            expect(lab, protocol, 8003, &[Neighbour::Trusted], Else::Refused);
            // By interface: who asks for an address has none yet, so sources tell nothing.
            expect(lab, protocol, 53, &[Neighbour::Trusted, Neighbour::Far], Else::Refused);
        }
        for (family, port, other) in [(Family::Ipv4, 67, 547), (Family::Ipv6, 547, 67)] {
            let knock = |from, port| lab.knock(from, family, Protocol::Udp, port);
            assert_eq!(knock(Neighbour::Trusted, port), Knock::Answered, "{family}");
            assert!(knock(Neighbour::Trusted, other).is_refused(), "{family}");
            assert!(knock(Neighbour::Public, port).is_refused(), "{family}");
        }
    });
}

#[test]
fn reject_gives_way_to_drop_and_back_within_trials() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8002);
        lab.does(&["set", "8002/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        expect(lab, Protocol::Tcp, 8002, &NOBODY, Else::Refused);
        lab.does(&["revert"]);
        expect(lab, Protocol::Tcp, 8002, &EVERYONE, Else::Refused);
        lab.does(&["set", "refusal", "drop"]);
        lab.does(&["apply", "--yes"]);
        expect_of(lab, Neighbour::Public, Protocol::Tcp, 8002, false, Else::Silence);
        lab.does(&["revert"]);
        expect(lab, Protocol::Tcp, 8002, &EVERYONE, Else::Refused);
    });
}

#[test]
fn a_trusted_dhcp_server_hears_clients_that_have_no_address_yet() {
    in_sandbox(|lab| {
        let server = checks::udp((Ipv4Addr::UNSPECIFIED, 67));
        // Without an address, and with a way to everyone, a datagram's source is 0.0.0.0.
        lab.line_at(Neighbour::Trusted, "ip -4 address flush scope global");
        lab.line_at(Neighbour::Trusted, "ip route add 255.255.255.255 dev eth0");
        let discover = || {
            checks::at(Neighbour::Trusted, || {
                let client = checks::udp((Ipv4Addr::UNSPECIFIED, 68));
                client.set_broadcast(true).unwrap();
                client.send_to(b"discover", (Ipv4Addr::BROADCAST, 67)).unwrap();
            });
            let mut buffer = [0; 64];
            server.recv_from(&mut buffer).ok().map(|(_, from)| from.to_string())
        };
        let client = Some("0.0.0.0:68".to_owned());
        assert_eq!(discover(), client, "without rules");
        lab.does(&["network", "eth1", "trusted"]);
        for (decision, expected) in [("confine", None), ("trusted", client.clone())] {
            lab.does(&["set", "67/udp", decision]);
            lab.does(&["apply", "--yes"]);
            assert_eq!(discover(), expected, "{decision}");
            lab.does(&["revert"]);
        }
        lab.does(&["network", "eth1", "public"]);
        lab.does(&["apply", "--yes"]);
        assert_eq!(discover(), None, "on a network that is not trusted");
    });
}
