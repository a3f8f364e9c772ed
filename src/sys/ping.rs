//! ICMP echoes, through the kernel's own sockets for them: icmp(7), `ping_group_range`.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, socket_with};

use crate::sys::clock;

/// A packet may be lost while a link comes up; then the next one is not.
const AGAIN_AFTER: Duration = Duration::from_millis(4);

/// Pings from each first address to its second one, all at once and again and again, until each has
/// been answered or the time is up. The first pair that has not been, if any.
///
/// What this thread sent over the same links before has arrived by then, too.
///
/// # Errors
/// Where there is no socket to do it with.
pub fn unanswered(pairs: &[(SocketAddr, SocketAddr)], deadline: Duration) -> io::Result<Option<usize>> {
    let mut open = pairs
        .iter()
        .enumerate()
        .map(|(index, (from, to))| Ok((index, *to, open(*from, *to)?)))
        .collect::<io::Result<Vec<_>>>()?;
    loop {
        for (_, to, socket) in &open {
            // RFC 792 and 4443: type, code, checksum, identifier (both are the kernel's), sequence.
            let kind = if to.is_ipv4() { 8 } else { 128 };
            // While a link comes up there may be no way yet.
            let _sent = rustix::net::send(socket, &[kind, 0, 0, 0, 0, 0, 0, 1], SendFlags::empty());
        }
        let round = (clock::since_boot() + AGAIN_AFTER).min(deadline);
        while !open.is_empty() && clock::since_boot() < round {
            wait(&open, round)?;
            let mut buffer = [0; 64];
            open.retain(|(_, _, socket)| rustix::net::recv(socket, &mut buffer, RecvFlags::empty()).is_err());
        }
        match open.first() {
            None => return Ok(None),
            Some((index, ..)) if clock::since_boot() >= deadline => return Ok(Some(*index)),
            Some(_) => {}
        }
    }
}

fn open(from: SocketAddr, to: SocketAddr) -> io::Result<OwnedFd> {
    let (family, protocol) = match to {
        SocketAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
        SocketAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::DGRAM, flags, Some(protocol))?;
    rustix::net::bind(&socket, &from)?;
    rustix::net::connect(&socket, &to)?;
    Ok(socket)
}

fn wait(open: &[(usize, SocketAddr, OwnedFd)], until: Duration) -> io::Result<()> {
    let mut descriptors: Vec<_> = open
        .iter()
        .map(|(_, _, socket)| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN))
        .collect();
    let left = until.saturating_sub(clock::since_boot());
    let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
    match poll(&mut descriptors, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
