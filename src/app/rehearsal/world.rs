//! Two networks of nobody else's: one like the machine's, one with everybody who knocks.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::stage::{Stage, is_link_local};
use crate::sys::netns::links::{PROMPT, batch, set};
use crate::sys::netns::{NetnsError, Scratch};
use crate::sys::runner::Runner;

/// What a new namespace may have inherited from the machine, and what would swallow packets; and
/// that root may ping.
const SETTINGS: [(&str, &str); 5] = [
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv6/conf/all/disable_ipv6", "0"),
    ("ipv6/conf/default/disable_ipv6", "0"),
    ("ipv4/ping_group_range", "0 0"),
];

/// Builds the stage in the two namespaces.
///
/// # Errors
/// Where the kernel or `ip` does not do it.
pub(super) fn build(stage: &Stage, machine: &Scratch, peers: &Scratch, runner: &dyn Runner) -> io::Result<()> {
    let text = machine_text(stage, &peers.path());
    let settings = || set(&PROMPT).and_then(|()| set(&SETTINGS));
    peers.run(settings).map_err(no_namespace)??;
    machine
        .run(|| settings().and_then(|()| batch(runner, &text)))
        .map_err(no_namespace)??;
    peers.run(|| batch(runner, &peers_text(stage))).map_err(no_namespace)?
}

fn no_namespace(error: NetnsError) -> io::Error {
    io::Error::other(error)
}

// Writing to a string does not fail.

fn machine_text(stage: &Stage, peers: &Path) -> String {
    let mut text = "link set dev lo up\n".to_owned();
    for link in &stage.links {
        let (name, index, other) = (&link.name, link.index, link.peer_index);
        let peers = peers.display();
        let _ = writeln!(
            text,
            "link add name {name} index {index} type veth peer name p{other} index {other} netns {peers}"
        );
        for address in &link.addresses {
            let _ = writeln!(text, "{}", own_address(*address, name));
        }
        let _ = writeln!(text, "link set dev {name} up");
        for peer in link.peers.iter().filter(|peer| !is_link_local(peer.address)) {
            let _ = writeln!(text, "route add {} dev {name}", peer.address);
        }
    }
    text
}

fn peers_text(stage: &Stage) -> String {
    let mut text = "link set dev lo up\n".to_owned();
    for link in &stage.links {
        let name = format!("p{}", link.peer_index);
        for peer in &link.peers {
            let _ = writeln!(text, "{}", own_address(peer.address, &name));
        }
        let _ = writeln!(text, "link set dev {name} up");
        for address in link.addresses.iter().filter(|address| !is_link_local(**address)) {
            let _ = writeln!(text, "route add {address} dev {name}");
        }
    }
    text
}

/// One address alone: who is on the link is said by routes.
fn own_address(address: std::net::IpAddr, link: &str) -> String {
    match address.is_ipv4() {
        true => format!("address add {address}/32 dev {link}"),
        // Where it is its own network's, a link-local address has a route that is needed.
        false if is_link_local(address) => format!("address add {address}/64 dev {link} nodad"),
        false => format!("address add {address}/128 dev {link} nodad"),
    }
}
