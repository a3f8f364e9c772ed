use super::*;
use crate::core::listener::Owner;
use crate::core::network::InterfaceKind;

fn chain(names: &[&str]) -> Vec<Ancestor> {
    let count = u32::try_from(names.len()).unwrap();
    (0..count)
        .rev()
        .zip(names)
        .map(|(number, name)| Ancestor {
            process: number + 1,
            name: (*name).to_owned(),
            terminal: 0,
        })
        .collect()
}

#[test]
fn who_stands_outside_of_the_terminal_may_serve_it() {
    let at = |terminal| Ancestor {
        terminal,
        ..chain(&["ttyd"]).remove(0)
    };
    let chain = [at(34816), at(34816), at(0)];
    let serves: Vec<bool> = chain.iter().map(|one| serves_terminal(one, &chain)).collect();
    assert_eq!(serves, [false, false, true]);
    assert!(
        !serves_terminal(&at(34816), &[at(0), at(34816)]),
        "a script has no terminal"
    );
}

#[test]
fn the_parents_tell_how_the_user_came() {
    for (names, expected) in [
        (
            &["fwtui", "sudo", "bash", "sshd", "sshd", "sshd", "systemd"][..],
            Manner::Ssh(vec![4, 3, 2]),
        ),
        (
            &["fwtui", "bash", "sshd-session", "sshd-session", "sshd", "systemd"],
            Manner::Ssh(vec![4, 3, 2]),
        ),
        (
            &["fwtui", "ash", "dropbear", "dropbear", "init"],
            Manner::Ssh(vec![3, 2]),
        ),
        (&["fwtui", "bash", "mosh-server", "systemd"], Manner::Mosh(vec![2])),
        (&["fwtui", "sudo", "bash", "tmux: server", "systemd"], Manner::Detached),
        (&["fwtui", "bash", "screen", "systemd"], Manner::Detached),
        (&["fwtui", "sudo", "bash", "systemd"], Manner::Detached),
        // A shell that is the container's init.
        (&["fwtui", "bash"], Manner::Detached),
        (&["fwtui", "bash", "login", "systemd"], Manner::Local),
        (
            &["fwtui", "sudo", "bash", "gnome-terminal-", "systemd", "systemd"],
            Manner::Local,
        ),
        (
            &["fwtui", "bash", "konsole", "plasmashell", "systemd", "systemd"],
            Manner::Local,
        ),
        (&[], Manner::Local),
    ] {
        assert_eq!(manner(&chain(names)), expected, "{names:?}");
    }
}

fn listener(protocol: Protocol, address: &str, port: u16, inode: u32) -> Listener {
    Listener {
        protocol,
        address: address.parse().unwrap(),
        port,
        v6only: false,
        interface: None,
        inode,
        uid: 0,
        cgroup: None,
    }
}

fn connection(local: &str, peer: &str, inode: u32) -> Connection {
    Connection {
        protocol: Protocol::Tcp,
        local: local.parse().unwrap(),
        peer: peer.parse().unwrap(),
        inode,
        uid: 0,
    }
}

fn interface(index: u32, name: &str, driver: &str) -> Interface {
    Interface {
        index,
        name: name.into(),
        kind: InterfaceKind::Vpn,
        driver: Some(driver.into()),
        addresses: Vec::new(),
        on_link: Vec::new(),
        is_up: true,
        has_default_route: false,
        has_physical_port: false,
        changing: Vec::new(),
    }
}

fn owned(holders: &[(u32, u32, &str)]) -> Ownership {
    let mut ownership = Ownership::default();
    for (inode, pid, name) in holders {
        ownership
            .by_inode
            .entry(*inode)
            .or_default()
            .push(std::sync::Arc::new(Owner {
                pid: *pid,
                name: (*name).to_owned(),
                exe: None,
                user: None,
                unit: None,
            }));
    }
    ownership
}

/// sshd (2) listens; its session (3, 4) has the user's connection, and forwards.
fn session(connections: &[Connection]) -> Vec<WayIn> {
    let held = BTreeMap::from([
        (100, vec![2]),
        (200, vec![3, 4]),
        (300, vec![3, 4]),
        (400, vec![3]),
        (500, vec![3]),
    ]);
    let listeners = [
        listener(Protocol::Tcp, "0.0.0.0", 22, 100),
        listener(Protocol::Tcp, "::", 22, 101),
        listener(Protocol::Tcp, "127.0.0.1", 8080, 500),
    ];
    let ownership = owned(&[(100, 2, "sshd"), (500, 3, "sshd")]);
    ssh(
        &held,
        connections,
        &listeners,
        &ownership,
        &[interface(7, "eth0", "veth")],
    )
}

#[test]
fn the_sessions_own_connection_is_the_way_in() {
    let ways = session(&[
        connection("192.0.2.1:22", "198.51.100.7:51000", 200),
        // Of somebody else's session.
        connection("192.0.2.1:22", "198.51.100.9:51000", 999),
    ]);
    assert_eq!(ways.len(), 1);
    assert_eq!(ways[0].peer, Some(IpAddr::from([198, 51, 100, 7])));
    assert_eq!(ways[0].local, Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!((ways[0].port, ways[0].protocol), (22, Protocol::Tcp));
    assert_eq!(ways[0].carrier, Carrier::Ssh);
}

#[test]
fn forwarded_connections_are_no_way_in() {
    // ssh -L: out to a database; ssh -R: in to a port of the session's own.
    let own = connection("192.0.2.1:22", "198.51.100.7:51000", 200);
    let out = connection("192.0.2.1:40000", "192.0.2.2:5432", 300);
    let back = connection("127.0.0.1:8080", "127.0.0.1:40001", 400);
    let ways = session(&[out.clone(), own, back.clone()]);
    assert_eq!(ways.iter().map(|way| way.port).collect::<Vec<_>>(), [22]);
    assert_eq!(session(&[out]), []);
    // With nothing else to go by, what was accepted may be the way in after all.
    assert_eq!(session(&[back]).len(), 1);
}

#[test]
fn a_socket_of_systemd_counts_as_listening() {
    let held = BTreeMap::from([(200, vec![3])]);
    let listeners = [listener(Protocol::Tcp, "::", 22, 100)];
    let ways = ssh(
        &held,
        &[connection("192.0.2.1:22", "198.51.100.7:51000", 200)],
        &listeners,
        &owned(&[(100, 1, "systemd")]),
        &[],
    );
    assert_eq!(ways.len(), 1);
}

#[test]
fn link_local_peers_name_their_interface() {
    let ways = session(&[connection("[fe80::1%7]:22", "[fe80::2%7]:51000", 200)]);
    assert_eq!(ways[0].interface.as_deref(), Some("eth0"));
}

#[test]
fn mosh_needs_its_port_from_anywhere() {
    let listeners = [
        listener(Protocol::Udp, "0.0.0.0", 60001, 9),
        listener(Protocol::Udp, "0.0.0.0", 53, 10),
        listener(Protocol::Tcp, "0.0.0.0", 60001, 9),
    ];
    let ways = mosh(&BTreeMap::from([(9, vec![5])]), &listeners);
    assert_eq!(ways.len(), 1);
    assert_eq!(
        (ways[0].port, ways[0].protocol, ways[0].peer),
        (60001, Protocol::Udp, None)
    );
    assert_eq!(ways[0].carrier, Carrier::Mosh);
}

fn carrier_ports(driver: &str, held: &BTreeMap<u32, Vec<u32>>) -> Vec<String> {
    let listeners = [
        listener(Protocol::Udp, "0.0.0.0", 51820, 0),
        listener(Protocol::Udp, "::", 51820, 21),
        listener(Protocol::Udp, "0.0.0.0", 1194, 22),
        listener(Protocol::Tcp, "0.0.0.0", 1194, 23),
        listener(Protocol::Tcp, "127.0.0.1", 7505, 24),
        listener(Protocol::Udp, "0.0.0.0", 4500, 25),
        listener(Protocol::Tcp, "0.0.0.0", 80, 26),
    ];
    let ownership = owned(&[
        (22, 7, "openvpn"),
        (23, 7, "openvpn"),
        (24, 7, "openvpn"),
        (25, 8, "charon"),
        (26, 9, "nginx"),
    ]);
    unique(carriers(&interface(3, "vpn0", driver), held, &listeners, &ownership))
        .iter()
        .map(|way| format!("{}/{}", way.port, way.protocol))
        .collect()
}

#[test]
fn a_tunnel_depends_on_its_outer_port() {
    let none = BTreeMap::new();
    assert_eq!(carrier_ports("wireguard", &none), ["51820/udp"]);
    let openvpn = BTreeMap::from([(22, vec![7]), (23, vec![7]), (24, vec![7])]);
    assert_eq!(carrier_ports("tun", &openvpn), ["1194/udp", "1194/tcp"]);
    assert_eq!(carrier_ports("xfrm", &none), ["4500/udp"]);
    assert_eq!(carrier_ports("gre", &none), Vec::<String>::new());
}

#[test]
fn the_variable_is_read_as_sshd_writes_it() {
    let way = from_variable("198.51.100.7 51000 192.0.2.1 2222").unwrap();
    assert_eq!(way.peer, Some(IpAddr::from([198, 51, 100, 7])));
    assert_eq!(way.local, Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!((way.port, way.interface), (2222, None));
    let way = from_variable("fe80::2%eth0 51000 fe80::1%eth0 22").unwrap();
    assert_eq!(way.interface.as_deref(), Some("eth0"));
    let way = from_variable("::ffff:198.51.100.7 1 ::ffff:192.0.2.1 22").unwrap();
    assert_eq!(way.peer, Some(IpAddr::from([198, 51, 100, 7])));
    for text in [
        "",
        "198.51.100.7",
        "198.51.100.7 1 192.0.2.1",
        "x 1 y 22",
        "198.51.100.7 1 192.0.2.1 0",
        "198.51.100.7 1 192.0.2.1 70000",
    ] {
        assert_eq!(from_variable(text), None, "{text}");
    }
}

#[test]
fn a_session_from_this_machine_is_told() {
    let way = |text| from_variable(text).unwrap();
    assert!(is_from_this_machine(&way("127.0.0.1 1 127.0.0.1 22")));
    assert!(is_from_this_machine(&way("192.0.2.1 1 192.0.2.1 22")));
    assert!(!is_from_this_machine(&way("192.0.2.2 1 192.0.2.1 22")));
}

#[test]
fn a_tun_is_matched_by_the_name_the_kernel_gives() {
    let info = "pos:\t0\nflags:\t0100002\nmnt_id:\t9\niff:\ttun0\n";
    assert!(is_tun_of(info, "tun0"));
    assert!(!is_tun_of(info, "tun1"));
    // Kernels that do not say.
    assert!(is_tun_of("pos:\t0\n", "tun0"));
}
