//! Everybody knocks everywhere, and what comes of it is compared with what was promised.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeFrom;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{listen, sockopt};

use super::doors::{Door, Outcome};
use crate::app::Cancel;
use crate::core::listener::Protocol;
use crate::sys::clock;
use crate::sys::knock::{Attempt, socket, wait};
use crate::sys::netns::Scratch;
use crate::sys::ping;

/// How long what was promised may take to happen: milliseconds, on a machine that is busy more.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long links may take to come up.
const READY_WITHIN: Duration = Duration::from_secs(3);
/// So many knocks at once, so that they fit among a process's descriptors.
const AT_ONCE: usize = 256;

/// From where to where somebody knocks.
type Way = (SocketAddr, SocketAddr);

/// A knock of which something else came than was promised.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) door: &'a Door<'a>,
    pub(super) happened: Outcome,
}

/// What came of all knocks.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) count: usize,
    pub(super) differences: Vec<Difference<'a>>,
}

/// Knocks at all doors.
///
/// # Errors
/// Where it can't be done: the links carry nothing, or there are no sockets to be had.
pub(super) fn knock<'a>(
    doors: &'a [Door<'a>],
    machine: &Scratch,
    peers: &Scratch,
    cancel: &Cancel,
) -> io::Result<Seen<'a>> {
    let listeners = machine.run(|| listeners(doors)).map_err(io::Error::other)??;
    // Protocols the kernel does not have can't be knocked with, and nobody can be reached by them.
    let doors: Vec<&Door<'_>> = doors
        .iter()
        .filter(|door| listeners.ports.contains(&(door.protocol, door.port)))
        .collect();
    let differences = peers
        .run(|| compare(&doors, &listeners.inboxes, cancel))
        .map_err(io::Error::other)??;
    Ok(Seen {
        count: doors.len(),
        differences,
    })
}

/// Somebody listens at every port, on all addresses.
#[derive(Debug, Default)]
struct Listeners {
    ports: BTreeSet<(Protocol, u16)>,
    inboxes: Vec<OwnedFd>,
    /// Nobody reads these: the kernel makes the connections by itself.
    kernels: Vec<OwnedFd>,
}

fn listeners(doors: &[Door<'_>]) -> io::Result<Listeners> {
    let mut all = Listeners::default();
    for (protocol, port) in doors.iter().map(|door| (door.protocol, door.port)) {
        if !all.ports.insert((protocol, port)) {
            continue;
        }
        let dual = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
        let plain = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        let bound = match bound(protocol, dual).or_else(|_no_ipv6| bound(protocol, plain)) {
            Ok(bound) => bound,
            Err(_) if protocol == Protocol::UdpLite => {
                all.ports.remove(&(protocol, port));
                continue;
            }
            Err(error) => return Err(error),
        };
        match protocol {
            Protocol::Tcp => {
                listen(&bound, 128)?;
                all.kernels.push(bound);
            }
            Protocol::Udp | Protocol::UdpLite => all.inboxes.push(bound),
        }
    }
    Ok(all)
}

fn bound(protocol: Protocol, address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket(protocol, address)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, false)?;
    }
    rustix::net::bind(&socket, &address)?;
    Ok(socket)
}

fn compare<'a>(doors: &[&'a Door<'a>], inboxes: &[OwnedFd], cancel: &Cancel) -> io::Result<Vec<Difference<'a>>> {
    let mut ways: Vec<Way> = doors
        .iter()
        .map(|door| {
            (
                door.link.seen_from_there(door.peer.address, 0),
                door.link.seen_from_there(door.address, 0),
            )
        })
        .collect();
    ways.sort_unstable();
    ways.dedup();
    // Also makes the two ends known to each other, so that no packet waits for that, or is lost.
    ping(&ways, READY_WITHIN)?;
    // What comes late must not count for another.
    let mut numbers = 0..;
    let first = differences(doors, inboxes, &ways, &mut numbers, cancel)?;
    // What is so once more was no accident: a busy machine may lose a datagram.
    let again: Vec<&Door<'_>> = first.iter().map(|difference| difference.door).collect();
    differences(&again, inboxes, &ways, &mut numbers, cancel)
}

/// Knocks once at each of the doors.
fn differences<'a>(
    doors: &[&'a Door<'a>],
    inboxes: &[OwnedFd],
    ways: &[Way],
    numbers: &mut RangeFrom<u32>,
    cancel: &Cancel,
) -> io::Result<Vec<Difference<'a>>> {
    let mut differences = Vec::new();
    for doors in doors.chunks(AT_ONCE) {
        if cancel.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut attempts = Vec::with_capacity(doors.len());
        for (door, number) in doors.iter().zip(numbers.by_ref()) {
            let mut attempt = Attempt::start(&door.to_knock(), number)?;
            attempt.is_awaited = door.is_heard_of();
            attempts.push(attempt);
        }
        wait(&mut attempts, inboxes, clock::since_boot() + PATIENCE)?;
        if attempts.iter().any(|attempt| !attempt.is_awaited) {
            // ICMP passes fwtui's rules: once it has, what is not awaited has come, or never will.
            ping(ways, PATIENCE)?;
            wait(&mut attempts, inboxes, clock::since_boot())?;
        }
        for (door, attempt) in doors.iter().copied().zip(&attempts) {
            let happened = Outcome::of(attempt.knock());
            if !door.is_kept_by(happened) {
                differences.push(Difference { door, happened });
            }
        }
    }
    Ok(differences)
}

fn ping(ways: &[Way], within: Duration) -> io::Result<()> {
    let deadline = clock::since_boot() + within;
    for ways in ways.chunks(AT_ONCE) {
        let lost = ping::unanswered(ways, deadline)?;
        if let Some((from, to)) = lost.and_then(|index| ways.get(index)) {
            let (from, to) = (from.ip(), to.ip());
            return Err(io::Error::other(format!("its links carry nothing from {from} to {to}")));
        }
    }
    Ok(())
}
