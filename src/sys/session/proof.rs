//! Whether a new connection has got in: how whoever asks came, and what SSH servers have accepted.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::decide::{self, Manner};
use super::{ancestors, sockets};
use crate::core::connections::Connection;
use crate::core::proof::{Accepted, Caller};
use crate::core::way_in::WayIn;
use crate::sys::interfaces::{interfaces, name_of};
use crate::sys::procfs::Proc;
use crate::sys::sock_diag;

/// How the user of a process reaches this machine, for a change made at a time since boot. What can't
/// be seen proves nothing.
///
/// An SSH server has a process for each connection, so its start tells how old the connection is;
/// a session that shares the connection of an older one is seen through.
pub fn caller(process: u32, change: Duration) -> Caller {
    look_at_caller(process, change).unwrap_or(Caller::Old)
}

fn look_at_caller(process: u32, change: Duration) -> io::Result<Caller> {
    let proc = Proc::open()?;
    let ancestors = ancestors(&proc, process);
    if ancestors.is_empty() {
        // It is gone: cut off, perhaps, by what it asks for.
        return Ok(Caller::Old);
    }
    Ok(match decide::manner(&ancestors) {
        Manner::Local => Caller::Local,
        Manner::Ssh(processes) => {
            let served = served_by(&proc, &processes)?;
            if served.is_empty() {
                // Its connection is in another network: ours does not matter to it.
                return Ok(Caller::Local);
            }
            let interfaces = interfaces()?;
            let is_new = served.iter().all(|(process, connection)| {
                !connection.is_from_this_machine(&interfaces)
                    && started(&proc, *process).is_some_and(|started| started > change)
            });
            if is_new { Caller::New } else { Caller::Old }
        }
        Manner::Mosh(_) => Caller::Detached("mosh".to_owned()),
        Manner::Detached => {
            let servers = proc.processes_named(decide::is_ssh_server);
            let mosh = proc.processes_named(decide::is_mosh_server);
            if served_by(&proc, &servers)?.is_empty() && sockets(&proc, &mosh).is_empty() {
                // Nobody is here through the network.
                return Ok(Caller::Local);
            }
            let multiplexer = ancestors.into_iter().find(|one| decide::is_multiplexer(&one.name));
            multiplexer.map_or(Caller::Ended, |one| {
                Caller::Detached(one.name.split([':', ' ']).next().unwrap_or_default().to_lowercase())
            })
        }
    })
}

/// The connections that SSH servers accepted on the ports of the user's own ways in, by processes
/// started after a time since boot.
pub fn accepted_since(change: Duration, ways: &[WayIn]) -> Vec<Accepted> {
    let look = || -> io::Result<Vec<Accepted>> {
        let proc = Proc::open()?;
        // All of them: an old server may have lent a connection to a younger process.
        let served = served_by(&proc, &proc.processes_named(decide::is_ssh_server))?;
        let is_way = |connection: &Connection| ways.iter().any(|way| way.port == connection.local.port());
        let accepted = served.into_iter().filter(|(_, connection)| is_way(connection));
        Ok(accepted
            .filter_map(|(process, connection)| {
                let at = started(&proc, process).filter(|at| *at > change)?;
                Some(Accepted {
                    peer: connection.peer,
                    port: connection.local.port(),
                    at,
                })
            })
            .collect())
    };
    // What can't be seen is no evidence.
    look().unwrap_or_default()
}

/// The connections these processes accepted, each with the eldest that holds it.
///
/// A session also holds what it forwards: connections to elsewhere, whose local port nobody listens
/// on, and those to ports that it listens on itself (`ssh -R`, X11). A server that serves its only
/// session itself looks like the latter: where there are no others, those count.
fn served_by(proc: &Proc, processes: &[u32]) -> io::Result<Vec<(u32, Connection)>> {
    let listeners = sock_diag::listeners(&name_of)?;
    let held: BTreeMap<u32, Vec<u32>> = sockets(proc, processes);
    let (mut accepted, mut forwarded) = (Vec::new(), Vec::new());
    for connection in sock_diag::established()? {
        let Some(holders) = held.get(&connection.inode) else {
            continue;
        };
        let shares_none = |others: &Vec<u32>| !others.iter().any(|other| holders.contains(other));
        let mut heard = listeners
            .iter()
            .filter(|listener| listener.port == connection.local.port())
            .map(|listener| held.get(&listener.inode).is_none_or(shares_none))
            .peekable();
        let eldest = holders.iter().copied().min_by_key(|process| started(proc, *process));
        let Some(eldest) = eldest.filter(|_| heard.peek().is_some()) else {
            continue;
        };
        match heard.any(|is_of_another| is_of_another) {
            true => accepted.push((eldest, connection)),
            false => forwarded.push((eldest, connection)),
        }
    }
    Ok(if accepted.is_empty() { forwarded } else { accepted })
}

/// When a process was started, at the latest: it is known to a hundredth of a second. A change is made
/// before it is read back and counts as made, which takes longer.
fn started(proc: &Proc, process: u32) -> Option<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    Some(proc.status(process)?.started.saturating_add(TICK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::runner::{SelfCall, spawn_self};

    #[test]
    fn who_is_gone_proves_nothing() {
        let mut child = spawn_self(&SelfCall {
            through: Some("/bin/true".into()),
            ..SelfCall::new::<&str>([])
        })
        .unwrap();
        let process = child.id();
        child.wait().unwrap();
        assert_eq!(caller(process, Duration::ZERO), Caller::Old);
    }
}
