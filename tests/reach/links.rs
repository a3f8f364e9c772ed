//! The links between the places, as commands of `ip`.

use fwtui::sys::netns::{self, links};
use fwtui::sys::runner::SystemRunner;

use crate::places::PLACES;

/// Those of the machine. Senders who are elsewhere are nowhere: errors for neighbours that can't be found
/// would wait in the kernel's one buffer for errors, and there would be none for others.
const MACHINE_LINKS: &str = "link add docker0 type bridge\n\
            address add 172.17.0.1/16 broadcast + dev docker0\n\
            address add fd17::1/64 dev docker0 nodad\n\
            link set docker0 up\n\
            link add port0 index 21 type veth peer name eth0 index 31 netns container\n\
            link add port1 index 22 type veth peer name eth0 index 32 netns other\n\
            link set port0 master docker0\n\
            link set port1 master docker0\n\
            link set port0 up\n\
            link set port1 up\n\
            link add br0 type bridge\n\
            link set br0 up\n\
            link add port2 index 23 type veth peer name eth0 index 33 netns backend\n\
            link set port2 master br0\n\
            link set port2 up\n\
            link set port0 type bridge_slave hairpin on\n\
            link set port1 type bridge_slave hairpin on\n\
            link set port2 type bridge_slave hairpin on\n\
            address add 10.88.0.1/16 dev docker0\n\
            address add fd00:d0c::1/64 dev docker0 nodad\n\
            address add 172.30.0.1/24 dev br0\n\
            address add 10.90.0.1/24 dev br0\n\
            address add fd00:90::1/64 dev br0 nodad\n\
            address add 192.168.122.1/24 dev br0\n\
            address add 10.80.0.1/24 dev br0\n\
            address add fd00:80::1/64 dev br0 nodad\n\
            address add 100.101.102.103/32 dev br0\n\
            route add 100.64.0.0/10 dev br0\n\
            address add 10.9.0.1/24 dev eth1\n\
            address add fd7a:115c:a1e0::6701:6667/128 dev br0 nodad\n\
            route add fd7a:115c:a1e0::/48 dev br0\n\
            neighbor add fd07::77 lladdr 02:00:00:00:00:77 dev eth1 nud permanent\n\
            neighbor add 192.168.7.77 lladdr 02:00:00:00:00:77 dev eth1 nud permanent\n\
            neighbor add 100.64.0.9 lladdr 02:00:00:00:00:77 dev br0 nud permanent\n\
            neighbor add 100.115.92.9 lladdr 02:00:00:00:00:77 dev br0 nud permanent\n";

/// Those of the others.
const LINKS: [(&str, &str); 5] = [
    (
        "container",
        "address add 172.17.0.2/16 dev eth0\naddress add fd17::2/64 dev eth0 nodad\n\
                link set lo up\nlink set eth0 up\nroute add default via 172.17.0.1\nroute add default via fd17::1\n",
    ),
    (
        "other",
        "address add 172.17.0.3/16 dev eth0\naddress add fd17::3/64 dev eth0 nodad\n\
                link set lo up\nlink set eth0 up\nroute add default via 172.17.0.1\nroute add default via fd17::1\n",
    ),
    (
        "backend",
        "link set lo up\nlink set eth0 up\naddress add 172.30.0.2/24 dev eth0\n\
                address add fd00:90::2/64 dev eth0 nodad\n\
                route add default via 172.30.0.1\nroute add default via fd00:90::1\n",
    ),
    (
        "public",
        "address add 198.51.100.7/32 dev lo\naddress add 2001:db8:99::7/128 dev lo\n\
                address add 192.168.7.77/32 dev lo\naddress add fd07::77/128 dev lo\n\
                route add default via 203.0.113.10\nroute add default via 2001:db8:1::10\n\
                route del local 127.0.0.0/8 dev lo table local\nroute del local 127.0.0.1 dev lo table local\n\
                route add 127.0.0.1 via 203.0.113.10\n",
    ),
    (
        "trusted",
        "route add default via 192.168.7.10\nroute add default via fd07::10\n",
    ),
];

/// Adds them to the networks of the sandbox.
pub fn build() {
    let runner = SystemRunner::default();
    for name in ["container", "other", "backend"] {
        netns::add(name, || links::set(&links::PROMPT).unwrap()).unwrap();
    }
    links::batch(&runner, MACHINE_LINKS).unwrap();
    for (name, text) in LINKS {
        netns::enter(name, || links::batch(&runner, text).unwrap()).unwrap();
    }
    for place in PLACES.iter().filter(|place| !place.name.is_empty()) {
        // On a bridge neighbours ask for the address; the others are sent what they have by a route, or
        // by a neighbour who finds IPv4's on any link.
        let is_bridged = !matches!(place.interface, "eth0" | "eth1");
        let of = |address: &&str| match (is_bridged, address.contains(':')) {
            (true, true) => format!("address replace {address}/64 dev eth0 nodad\n"),
            (true, false) => format!("address replace {address}/32 dev eth0\n"),
            (false, true) => format!("address replace {address}/128 dev lo\n"),
            (false, false) => format!("address replace {address}/32 dev lo\n"),
        };
        let text: String = place.more.iter().map(of).collect();
        netns::enter(place.name, || links::batch(&runner, &text).unwrap()).unwrap();
    }
}
