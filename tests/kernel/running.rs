//! Running connections live through everything fwtui does.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};

use fwtui::app::sandbox::Neighbour;
use fwtui::core::connections::Spared;
use fwtui::core::listener::Family;
use fwtui::core::ruleset::{Ruleset, compile};
use fwtui::store::state;
use fwtui::sys::connections::end_refused;
use fwtui::sys::interfaces::interfaces;
use fwtui::sys::netns;
use fwtui::sys::sock_diag::can_destroy;
use serde_json::json;

use crate::harness::{Lab, PATIENCE, in_sandbox};
use crate::machine::{paths, policy};
use crate::sessions::Session;

/// Sessions in both families, idle until asked.
fn sessions(lab: &Lab, from: Neighbour) -> [Session; 2] {
    Family::ALL.map(|family| Session::open(lab, from, family, 8080))
}

fn all_work(sessions: &mut [Session], when: &str) {
    for session in sessions {
        assert!(session.works(), "cut {when}");
    }
}

#[test]
fn an_idle_session_survives_the_very_first_apply_and_its_revert() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        // Nothing has made the kernel track connections yet, and nobody speaks before the client.
        let mut idle = sessions(lab, Neighbour::Public);
        let mut later = sessions(lab, Neighbour::Trusted);
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080), "new ones are refused");
        all_work(&mut idle, "by the first apply");
        lab.does(&["revert"]);
        all_work(&mut idle, "by the revert");
        all_work(&mut later, "while idle over an apply and a revert");
    });
}

#[test]
fn a_session_survives_what_conntrack_forgets() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut before = sessions(lab, Neighbour::Public);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let mut since = sessions(lab, Neighbour::Stranger);
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        lab.run(&["conntrack", "-F"]);
        all_work(&mut before, "by a flush of conntrack");
        all_work(&mut since, "by a flush of conntrack");
        lab.run(&["conntrack", "-F"]);
        lab.does(&["revert"]);
        all_work(&mut before, "by a revert");
        all_work(&mut since, "by a revert");
        // Out for good, with nothing known of the connections.
        lab.does(&["off", "--yes"]);
        lab.run(&["conntrack", "-F"]);
        all_work(&mut before, "by taking the rules out");
    });
}

#[test]
fn a_session_survives_where_conntrack_takes_up_nothing_in_the_middle() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        std::fs::write("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", "0").unwrap();
        let mut idle = sessions(lab, Neighbour::Public);
        lab.does(&["apply", "--yes"]);
        all_work(&mut idle, "by the first apply, without tcp_loose");
        lab.run(&["conntrack", "-F"]);
        all_work(&mut idle, "by a flush of conntrack, without tcp_loose");
        assert!(lab.refuses(Neighbour::Public, 8080));
    });
}

#[test]
fn a_session_through_iptables_legacy_survives_as_well() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.use_legacy();
        let mut idle = sessions(lab, Neighbour::Public);
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080));
        all_work(&mut idle, "by the first apply");
        lab.run(&["conntrack", "-F"]);
        all_work(&mut idle, "by a flush of conntrack");
        assert_eq!(lab.json(&["status", "--json"])["state"], "trial");
        lab.does(&["revert"]);
        all_work(&mut idle, "by the revert");
    });
}

/// Through the first apply, a forgotten connection table, and the revert, by a conntrack that takes
/// up nothing in the middle.
fn idle_sessions_survive_without_loose(lab: &Lab) {
    std::fs::write("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", "0").unwrap();
    let mut idle = sessions(lab, Neighbour::Public);
    let mut later = sessions(lab, Neighbour::Trusted);
    lab.does(&["apply", "--yes"]);
    assert!(lab.refuses(Neighbour::Public, 8080));
    all_work(&mut idle, "by the first apply");
    lab.run(&["conntrack", "-F"]);
    lab.does(&["revert"]);
    all_work(&mut idle, "by the revert");
    all_work(&mut later, "while idle over an apply and a revert");
    lab.does(&["apply", "--yes"]);
    all_work(&mut later, "by another apply");
}

#[test]
fn an_idle_session_survives_a_revert_without_tcp_loose() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        idle_sessions_survive_without_loose(lab);
    });
}

#[test]
fn an_idle_session_survives_iptables_legacy_without_tcp_loose() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.use_legacy();
        idle_sessions_survive_without_loose(lab);
        assert_eq!(lab.status().0["backend"], "iptables-legacy");
    });
}

#[test]
fn ending_connections_ends_those_that_are_refused_and_no_other() {
    in_sandbox(|lab| {
        for port in [22, 5432, 8080] {
            lab.listen_everywhere(port);
        }
        let open = |from, port| Family::ALL.map(|family| Session::open(lab, from, family, port));
        let mut refused = Vec::from(open(Neighbour::Public, 5432));
        refused.extend(open(Neighbour::Trusted, 5432));
        let [own, other_family] = open(Neighbour::Public, 22);
        refused.push(other_family);
        let mut others = Vec::from(open(Neighbour::Public, 8080));
        others.push(own);
        let local = |address| Session::over(TcpStream::connect(address).unwrap());
        others.push(local(SocketAddr::from(([127, 0, 0, 1], 5432))));
        others.push(local(SocketAddr::new(
            Neighbour::Public.machine().of(Family::Ipv4),
            5432,
        )));
        others.push(asking(Neighbour::Public));

        let policy = policy(&[("22/tcp", "confine"), ("5432/tcp", "confine"), ("8080/tcp", "open")]);
        let half_closed = half_closed(Neighbour::Public, 6000);
        lab.keep(&policy);
        all_work(&mut refused, "by rules alone");
        can_destroy().unwrap();
        all_work(&mut refused, "by asking whether it could be");
        let rules = compile(&policy, &interfaces().unwrap());
        let spared = [Spared {
            peer: Some(Neighbour::Public.addresses().of(Family::Ipv4)),
            port: 22,
        }];
        assert_eq!(end_refused(&Ruleset::default(), &[]).unwrap(), 0, "off ends nothing");
        let (_server, mut half_closed) = half_closed;
        assert_eq!(end_refused(&rules, &spared).unwrap(), refused.len() + 1);
        let reset = half_closed.read(&mut [0]).unwrap_err();
        assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
        for session in &mut refused {
            assert!(!session.works(), "it goes on");
        }
        all_work(&mut others, "though it was not to be");
        assert_eq!(end_refused(&rules, &spared).unwrap(), 0, "there are none left");
        // The service itself goes on.
        local(SocketAddr::from(([127, 0, 0, 1], 5432)));
    });
}

/// A connection whose client has said all it wanted to, and still hears what the server says; the
/// server's end first.
fn half_closed(from: Neighbour, port: u16) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("0.0.0.0", port)).unwrap();
    let machine = SocketAddr::new(from.machine().of(Family::Ipv4), port);
    let client = netns::enter(from.namespace(), || TcpStream::connect(machine).unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
    // The listener stays with the process: who began is told by who listens.
    std::mem::forget(listener);
    (server, client)
}

#[test]
fn ending_connections_leaves_trusted_neighbours_alone() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let open = |from| sessions(lab, from);
        let mut neighbours = Vec::from(open(Neighbour::Trusted));
        let machine = lab.link_local(None, "eth1");
        neighbours.push(Session::over(
            netns::enter(Neighbour::Trusted.namespace(), || {
                let scope = crate::raw::index_of("eth0");
                TcpStream::connect(SocketAddrV6::new(machine, 8080, 0, scope)).unwrap()
            })
            .unwrap(),
        ));
        let mut others = Vec::from(open(Neighbour::Far));
        others.extend(open(Neighbour::Public));
        lab.does(&["network", "eth1", "trusted"]);
        lab.does(&["set", "8080/tcp", "trusted"]);
        assert_eq!(lab.json(&["preview", "--json"])["running"][0]["connections"], 4);
        lab.does(&["apply", "--yes"]);
        lab.confirm();
        // A guard has the rules as they were kept.
        let rules = state::confirmed(&paths()).unwrap().unwrap().rules.ruleset().unwrap();
        assert_eq!(end_refused(&rules, &[]).unwrap(), others.len());
        for session in &mut others {
            assert!(!session.works(), "it goes on");
        }
        all_work(&mut neighbours, "though it was not to be");
        // What is in force is applied again only for what it would end.
        let said = lab.does(&["apply", "--yes", "--end-connections"]);
        assert!(said.contains("Nothing to change"), "{said}");
    });
}

/// A session from this machine to an echo service of the neighbour's.
fn asking(neighbour: Neighbour) -> Session {
    let address = SocketAddr::new(neighbour.addresses().of(Family::Ipv4), 9000);
    let listener = netns::enter(neighbour.namespace(), || TcpListener::bind(address).unwrap()).unwrap();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut word = [0; 4];
        while connection.read_exact(&mut word).is_ok() && connection.write_all(&word).is_ok() {}
    });
    Session::over(TcpStream::connect(address).unwrap())
}

#[test]
fn running_connections_that_go_on_are_told() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.listen_everywhere(80);
        let mut running = sessions(lab, Neighbour::Public);
        let _open = Session::open(lab, Neighbour::Public, Family::Ipv4, 80);
        let _own = Session::over(TcpStream::connect("127.0.0.1:8080").unwrap());
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["set", "80/tcp", "open"]);
        let told = "2 running connections to 8080/tcp go on: new ones are refused, old ones are not ended";
        let preview = lab.json(&["preview", "--json"]);
        assert_eq!(
            preview["running"],
            json!([{"service": "8080/tcp", "connections": 2, "text": told}])
        );
        let said = lab.does(&["preview"]);
        assert!(
            said.contains(&format!("{told} (--end-connections ends them once the trial is kept).")),
            "{said}"
        );
        assert_eq!(lab.json(&["preview", "--off", "--json"])["running"], json!([]));
        let said = lab.does(&["apply", "--yes", "--end-connections"]);
        assert!(
            said.contains("2 running connections to 8080/tcp are ended once the trial is kept."),
            "{said}"
        );
        all_work(&mut running, "before the trial is kept");
        lab.confirm();
        // The rules are in force, and what they would refuse is gone.
        assert!(
            lab.does(&["apply", "--yes", "--end-connections"])
                .contains("Nothing to change")
        );
    });
}

#[test]
fn a_datagram_flow_that_a_cold_conntrack_loses_is_told_and_mends_itself() {
    in_sandbox(|lab| {
        let mut flows = Vec::new();
        for family in Family::ALL {
            let neighbour = Neighbour::Public;
            let peer = netns::enter(neighbour.namespace(), || {
                UdpSocket::bind((neighbour.addresses().of(family), 9000)).unwrap()
            })
            .unwrap();
            let socket = UdpSocket::bind((neighbour.machine().of(family), 0)).unwrap();
            socket.connect(peer.local_addr().unwrap()).unwrap();
            peer.connect(socket.local_addr().unwrap()).unwrap();
            for socket in [&socket, &peer] {
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
            }
            flows.push((socket, peer));
        }
        let mut word = [0; 4];
        for (socket, peer) in &flows {
            socket.send(b"one?").unwrap();
            peer.recv(&mut word).unwrap();
            peer.send(b"one!").unwrap();
            socket.recv(&mut word).unwrap();
        }
        let preview = lab.json(&["preview", "--json"]);
        let listed = preview["interrupted"].as_array().unwrap();
        assert_eq!(listed.len(), 2, "{preview}");
        let program = std::fs::read_to_string("/proc/self/comm").unwrap();
        for (socket, peer) in &flows {
            let flow = json!({
                "protocol": "udp", "port": socket.local_addr().unwrap().port(),
                "peer": peer.local_addr().unwrap(), "program": program.trim_end(),
            });
            assert!(listed.contains(&flow), "{flow} in {listed:?}");
        }
        lab.does(&["apply", "--yes"]);
        for (socket, peer) in &flows {
            peer.send(b"two!").unwrap();
            let refused = peer.recv(&mut word).unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
            socket.send(b"two?").unwrap();
            peer.recv(&mut word).unwrap();
            peer.send(b"now!").unwrap();
            socket.recv(&mut word).unwrap();
            assert_eq!(&word, b"now!", "the refused packet never came");
        }
        // Tracking is at work by now.
        lab.does(&["revert"]);
        assert_eq!(lab.json(&["preview", "--json"])["interrupted"], json!([]));
    });
}

#[test]
fn connections_end_once_the_trial_is_kept_and_only_where_that_was_asked() {
    in_sandbox(|lab| {
        lab.listen_everywhere(5432);
        lab.does(&["set", "5432/tcp", "confine"]);
        let mut running = sessions_at(lab, 5432);
        lab.does(&["apply", "--yes"]);
        lab.confirm();
        all_work(&mut running, "unasked");
        // The rules are in force; what is left to do is to end those.
        lab.does(&["apply", "--yes", "--end-connections"]);
        all_work(&mut running, "before it is kept");
        lab.does(&["revert"]);
        all_work(&mut running, "by a revert");
        lab.does(&["apply", "--yes", "--end-connections"]);
        lab.confirm();
        for session in &mut running {
            assert!(!session.works(), "it goes on");
        }
    });
}

fn sessions_at(lab: &Lab, port: u16) -> [Session; 2] {
    Family::ALL.map(|family| Session::open(lab, Neighbour::Public, family, port))
}
