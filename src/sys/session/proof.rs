//! Whether a new connection has got in: how whoever asks came, and what SSH servers have accepted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::decide::{self, Manner};
use super::{ancestors, sockets};
use crate::core::connections::Connection;
use crate::core::proof::{Accepted, Caller};
use crate::core::way_in::WayIn;
use crate::sys::procfs::Proc;
use crate::sys::sock_diag;

/// How the user of a process reaches this machine, for a change made at a time since boot.
///
/// An SSH server has a process for each connection, so its start tells how old the connection is;
/// a session that shares the connection of an older one is seen through.
pub fn caller(process: u32, change: Duration) -> Caller {
    let Ok(proc) = Proc::open() else {
        return Caller::Old;
    };
    let ancestors = ancestors(&proc, process);
    let connections = sock_diag::established().unwrap_or_default();
    let served = |processes: &[u32]| served_by(&proc, processes, &connections);
    match decide::manner(&ancestors) {
        Manner::Local => Caller::Local,
        Manner::Ssh(processes) => {
            let served = served(&processes);
            if served.is_empty() {
                // Its connection is in another network: ours does not matter to it.
                return Caller::Local;
            }
            let is_from_here = |connection: &Connection| {
                let peer = connection.peer.ip().to_canonical();
                peer.is_loopback() || peer == connection.local.ip().to_canonical()
            };
            let is_new = served.iter().all(|(process, connection)| {
                !is_from_here(connection) && started(&proc, *process).is_some_and(|started| started > change)
            });
            if is_new { Caller::New } else { Caller::Old }
        }
        Manner::Mosh(_) => Caller::Detached("mosh".to_owned()),
        Manner::Detached => {
            let servers = proc.processes_named(decide::is_ssh_server);
            let mosh = proc.processes_named(decide::is_mosh_server);
            if served(&servers).is_empty() && sockets(&proc, &mosh).is_empty() {
                // Nobody is here through the network.
                return Caller::Local;
            }
            let multiplexer = ancestors.into_iter().find(|one| decide::is_multiplexer(&one.name));
            let name = multiplexer.map_or_else(
                || "a session that has ended".to_owned(),
                |one| one.name.split([':', ' ']).next().unwrap_or_default().to_lowercase(),
            );
            Caller::Detached(name)
        }
    }
}

/// The connections that SSH servers accepted on the ports of the user's own ways in, by processes
/// started after a time since boot.
pub fn accepted_since(change: Duration, ways: &[WayIn]) -> Vec<Accepted> {
    let Ok(proc) = Proc::open() else {
        return Vec::new();
    };
    let mut connections = sock_diag::established().unwrap_or_default();
    connections.retain(|connection| ways.iter().any(|way| way.port == connection.local.port()));
    if connections.is_empty() {
        return Vec::new();
    }
    let mut servers: BTreeMap<u32, Duration> = BTreeMap::new();
    for process in proc.processes_named(decide::is_ssh_server) {
        servers.extend(
            started(&proc, process)
                .filter(|at| *at > change)
                .map(|at| (process, at)),
        );
    }
    let processes: Vec<u32> = servers.keys().copied().collect();
    served_by(&proc, &processes, &connections)
        .into_iter()
        .filter_map(|(process, connection)| {
            servers.get(&process).map(|at| Accepted {
                peer: connection.peer,
                port: connection.local.port(),
                at: *at,
            })
        })
        .collect()
}

/// The connections these processes hold, each with the eldest holder.
fn served_by(proc: &Proc, processes: &[u32], connections: &[Connection]) -> Vec<(u32, Connection)> {
    let held = sockets(proc, processes);
    let eldest = |inode: &u32| {
        let holders = held.get(inode)?;
        holders.iter().copied().min_by_key(|process| started(proc, *process))
    };
    connections
        .iter()
        .filter_map(|connection| eldest(&connection.inode).map(|process| (process, connection.clone())))
        .collect()
}

fn started(proc: &Proc, process: u32) -> Option<Duration> {
    Some(proc.status(process)?.started)
}
