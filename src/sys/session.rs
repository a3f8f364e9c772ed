//! How the user of this process came in: what must go on working for a new session.
//!
//! [`ways_in`] gathers from procfs and the kernel; what follows from it is decided in `decide`,
//! over plain data.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;

use crate::core::connections::Connection;
use crate::core::listener::{Listener, Protocol};
use crate::core::network::{Interface, InterfaceKind};
use crate::core::service::Ownership;
use crate::core::text::printable;
use crate::core::way_in::{Carrier, WayIn};
use crate::sys::interfaces::route_to;
use crate::sys::procfs::{Descriptors, Proc, socket_inode};
use crate::sys::sock_diag;

mod decide;
mod proof;

use decide::{Ancestor, Manner};

pub use proof::{accepted_since, caller};

/// No chain of parents is longer, unless it runs in a circle while it is read.
const MOST_ANCESTORS: usize = 256;

/// The ways in that the session of this process depends on; none for one that is local, and where
/// too little can be seen without root.
///
/// `ssh_connection` is the variable `SSH_CONNECTION`, used where the connection itself cannot be
/// found: sudo removes it.
pub fn ways_in(
    listeners: &[Listener],
    ownership: &Ownership,
    interfaces: &[Interface],
    ssh_connection: Option<&str>,
) -> Vec<WayIn> {
    let Ok(proc) = Proc::open() else {
        return Vec::new();
    };
    let ssh = |processes: &[u32]| {
        let connections: Vec<Connection> = sock_diag::established().unwrap_or_default();
        decide::ssh(
            &sockets(&proc, processes),
            &connections,
            listeners,
            ownership,
            interfaces,
        )
    };
    let mosh = |processes: &[u32]| decide::mosh(&sockets(&proc, processes), listeners);
    let named = |is: fn(&str) -> bool| proc.processes_named(is);
    let ancestors = ancestors(&proc, std::process::id());
    let mut ways = match decide::manner(&ancestors) {
        Manner::Ssh(processes) => ssh(&processes),
        Manner::Mosh(processes) => mosh(&processes),
        Manner::Detached => [ssh(&named(decide::is_ssh_server)), mosh(&named(decide::is_mosh_server))].concat(),
        Manner::Local => others(&ancestors, &ssh),
    };
    // A session from this machine itself came in by another one.
    if !ways.is_empty() && ways.iter().all(decide::is_from_this_machine) {
        let mut others = ssh(&named(decide::is_ssh_server));
        others.retain(|way| !decide::is_from_this_machine(way));
        if !others.is_empty() {
            ways = others;
        }
    }
    if ways.is_empty() {
        ways.extend(ssh_connection.and_then(decide::from_variable));
    }
    for way in &mut ways {
        name_interface(way, interfaces);
    }
    let ways = decide::unique(ways);
    let carriers = carriers(&proc, &ways, interfaces, listeners, ownership);
    decide::unique(ways.into_iter().chain(carriers).collect())
}

/// The connections that came in to programs the session runs under, whatever they are: a terminal in
/// a browser, telnet, a development server.
fn others(ancestors: &[Ancestor], accepted: &dyn Fn(&[u32]) -> Vec<WayIn>) -> Vec<WayIn> {
    let of = |ancestor: &Ancestor| {
        let mut ways = accepted(&[ancestor.process]);
        ways.retain(|way| !decide::is_from_this_machine(way));
        for way in &mut ways {
            way.carrier = Carrier::Other(printable(&ancestor.name));
        }
        ways
    };
    ancestors
        .iter()
        .filter(|ancestor| ancestor.process != 1)
        .flat_map(of)
        .collect()
}

/// The parents of a process, nearest first, itself included.
fn ancestors(proc: &Proc, process: u32) -> Vec<Ancestor> {
    let mut next = process;
    std::iter::from_fn(|| {
        let status = (next != 0).then(|| proc.status(next))??;
        let ancestor = Ancestor {
            process: next,
            name: status.name,
        };
        next = status.parent;
        Some(ancestor)
    })
    .take(MOST_ANCESTORS)
    .collect()
}

/// Which of these processes holds which socket.
fn sockets(proc: &Proc, processes: &[u32]) -> BTreeMap<u32, Vec<u32>> {
    let mut holders: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut descriptors = Descriptors::new();
    for process in processes {
        // What cannot be seen is not there, without root.
        drop(descriptors.each(proc, *process, |_, target| {
            if let Some(inode) = socket_inode(target) {
                holders.entry(inode).or_default().push(*process);
            }
            ControlFlow::Continue(())
        }));
    }
    holders
}

/// The interface packets to the peer leave by, which is where its packets come in, as far as can
/// be told.
fn name_interface(way: &mut WayIn, interfaces: &[Interface]) {
    if let (None, Some(peer)) = (&way.interface, way.peer)
        && let Ok(Some(route)) = route_to(peer)
    {
        way.interface = interfaces
            .iter()
            .find(|interface| interface.index == route.interface)
            .map(|interface| interface.name.clone());
    }
}

/// What carries the tunnels that the ways in come by.
fn carriers(
    proc: &Proc,
    ways: &[WayIn],
    interfaces: &[Interface],
    listeners: &[Listener],
    ownership: &Ownership,
) -> Vec<WayIn> {
    let tunnels = interfaces.iter().filter(|interface| {
        interface.kind == InterfaceKind::Vpn && ways.iter().any(|way| way.interface.as_ref() == Some(&interface.name))
    });
    tunnels
        .flat_map(|tunnel| {
            let held = match tunnel.driver.as_deref() {
                Some("tun") => sockets(proc, &tun_holders(proc, &tunnel.name)),
                _ => BTreeMap::new(),
            };
            decide::carriers(tunnel, &held, listeners, ownership)
        })
        .collect()
}

/// The processes that hold a tun or tap interface: `/dev/net/tun` is open, and `fdinfo` names the
/// interface (`tun_chr_show_fdinfo` in `drivers/net/tun.c`).
fn tun_holders(proc: &Proc, name: &str) -> Vec<u32> {
    let mut descriptors = Descriptors::new();
    let mut processes = proc.processes().unwrap_or_default();
    processes.retain(|process| {
        let mut open = Vec::new();
        drop(descriptors.each(proc, *process, |descriptor, target| {
            if target == b"/dev/net/tun" {
                open.push(descriptor);
            }
            ControlFlow::Continue(())
        }));
        open.iter().any(|descriptor| {
            // Where the kernel does not say which one, it may be this one.
            proc.descriptor_info(*process, *descriptor)
                .is_none_or(|info| decide::is_tun_of(&info, name))
        })
    });
    processes
}

/// Where a connection of the user comes from and goes to.
fn way_in(local: SocketAddr, peer: IpAddr) -> WayIn {
    WayIn {
        carrier: Carrier::Ssh,
        protocol: Protocol::Tcp,
        port: local.port(),
        peer: Some(peer),
        local: Some(local.ip()),
        interface: None,
    }
}

#[cfg(test)]
mod tests;
