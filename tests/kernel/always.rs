//! What works under every policy: this machine with itself, ICMP, neighbour discovery, DHCP, path
//! MTU discovery; and what under none: 127.0.0.1 from outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};

use fwtui::app::sandbox::{Knock, MACHINE_PUBLIC, MACHINE_TRUSTED, Neighbour};
use fwtui::core::listener::{Family, Protocol};
use fwtui::sys::netns;

use crate::checks;
use crate::harness::{Lab, PATIENCE, in_sandbox};

/// Whether this machine reaches itself, over TCP and UDP, at every address it has.
fn reaches_itself(port: u16) {
    let mut addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    for pair in [MACHINE_PUBLIC, MACHINE_TRUSTED] {
        addresses.extend(Family::ALL.map(|family| pair.of(family)));
    }
    for address in addresses {
        let target = SocketAddr::new(address, port);
        TcpStream::connect_timeout(&target, PATIENCE).unwrap_or_else(|error| panic!("{target}/tcp: {error}"));
        let any: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(target).unwrap();
        socket.send(b"x").unwrap();
        socket
            .recv(&mut [0; 8])
            .unwrap_or_else(|error| panic!("{target}/udp: {error}"));
    }
}

/// Applies, and everything that must work works; 8080/tcp is open for it.
fn everything_works(lab: &Lab, settings: &[&[&str]]) {
    lab.listen_everywhere(8002);
    lab.does(&["network", "eth1", "trusted"]);
    lab.does(&["set", "8080/tcp", "open"]);
    for setting in settings {
        lab.does(setting);
    }
    lab.does(&["apply", "--yes"]);
    let knock = lab.knock(Neighbour::Public, Family::Ipv4, Protocol::Udp, 8002);
    assert_ne!(knock, Knock::Answered, "the policy is in force");
    reaches_itself(8002);
    checks::all(lab, 8080).unwrap();
}

#[test]
fn everything_works_under_the_empty_policy() {
    in_sandbox(|lab| everything_works(lab, &[]));
}

#[test]
fn everything_works_where_everything_is_confined() {
    in_sandbox(|lab| {
        let confine: Vec<[&str; 3]> = ["1-8079/tcp", "8081-65535/tcp", "1-65535/udp", "1-65535/udplite"]
            .map(|id| ["set", id, "confine"])
            .into();
        let mut settings: Vec<&[&str]> = confine.iter().map(<[&str; 3]>::as_slice).collect();
        // Answers to multicast questions come to any port, and a decision on it has its way.
        settings.push(&["set", "32768-60999/udp", "trusted"]);
        everything_works(lab, &settings);
    });
}

#[test]
fn everything_works_where_refusals_are_silent() {
    in_sandbox(|lab| everything_works(lab, &[&["set", "refusal", "drop"]]));
}

#[test]
fn everything_works_while_refusals_are_logged() {
    in_sandbox(|lab| everything_works(lab, &[&["set", "logging", "nflog"]]));
}

#[test]
fn everything_works_while_the_kernel_logs_refusals() {
    in_sandbox(|lab| everything_works(lab, &[&["set", "logging", "kernel"]]));
}

#[test]
fn where_nobody_is_trusted_the_network_works_all_the_same() {
    in_sandbox(|lab| {
        lab.does(&["apply", "--yes"]);
        checks::pings(lab).unwrap();
        checks::router_advertisement(lab).unwrap();
        checks::dhcp(lab).unwrap();
        checks::dhcpv6(lab).unwrap();
        checks::neighbour_discovery(lab).unwrap();
    });
}

#[test]
fn a_peer_that_spoke_to_a_service_before_is_refused_from_the_same_port_too() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8002);
        let peers = Family::ALL.map(|family| {
            netns::enter(Neighbour::Public.namespace(), || {
                let own = SocketAddr::new(Neighbour::Public.addresses().of(family), 0);
                let socket = UdpSocket::bind(own).unwrap();
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                socket
                    .connect(SocketAddr::new(MACHINE_PUBLIC.of(family), 8002))
                    .unwrap();
                socket
            })
            .unwrap()
        });
        let speak = |peer: &UdpSocket| peer.send(b"x").and_then(|_| peer.recv(&mut [0; 8]));
        // Conntrack is there before the first word: it knows these flows as ESTABLISHED.
        lab.load(Family::Ipv4, "-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT");
        lab.load(Family::Ipv6, "-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT");
        for peer in &peers {
            speak(peer).unwrap();
            speak(peer).unwrap();
        }
        assert!(lab.run(&["conntrack", "-L", "-p", "udp"]).contains("dport=8002"));
        lab.does(&["set", "8002/udp", "confine"]);
        lab.does(&["apply", "--yes"]);
        for peer in &peers {
            let error = speak(peer).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        }
    });
}

/// Lets the trusted neighbour send to 127.0.0.1 over the wire, and take answers from there.
fn address_loopback_from_outside(lab: &Lab) {
    netns::enter(Neighbour::Trusted.namespace(), || {
        for interface in ["all", "eth0"] {
            std::fs::write(format!("/proc/sys/net/ipv4/conf/{interface}/route_localnet"), "1").unwrap();
            std::fs::write(format!("/proc/sys/net/ipv4/conf/{interface}/rp_filter"), "0").unwrap();
        }
    })
    .unwrap();
    lab.line_at(Neighbour::Trusted, "ip address delete 127.0.0.1/8 dev lo");
    lab.line_at(
        Neighbour::Trusted,
        "ip route add 127.0.0.1 via 192.168.7.10 src 192.168.7.1",
    );
}

#[test]
fn frames_for_loopback_from_a_neighbour_are_dropped() {
    in_sandbox(|lab| {
        lab.listen("tcp/192.168.7.10:8002");
        lab.listen("tcp/127.0.0.1:8003");
        address_loopback_from_outside(lab);
        // As docker publishes on 127.0.0.1; DNAT comes before the kernel looks for martians.
        lab.line(
            "iptables -t nat -A PREROUTING -d 127.0.0.1 -p tcp --dport 8002 -j DNAT --to-destination 192.168.7.10",
        );
        std::fs::write("/proc/sys/net/ipv4/conf/eth1/route_localnet", "1").unwrap();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let knock = |port| lab.knock_at(Neighbour::Trusted, SocketAddr::new(loopback, port), Protocol::Tcp);
        assert_eq!(knock(8002), Knock::Answered, "it can be done");
        assert_eq!(knock(8003), Knock::Answered, "and with route_localnet without DNAT");
        lab.does(&["network", "eth1", "trusted"]);
        for id in ["8002/tcp", "8003/tcp"] {
            lab.does(&["set", id, "open"]);
        }
        lab.does(&["apply", "--yes"]);
        assert_eq!(knock(8002), Knock::Silent);
        assert_eq!(knock(8003), Knock::Silent);
        TcpStream::connect_timeout(&SocketAddr::new(loopback, 8003), PATIENCE).unwrap();
    });
}
