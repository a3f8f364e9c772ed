//! Knocking: the first packet of a connection, and what comes back.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, socket_with, sockopt};
use serde::{Serialize, Serializer};

use crate::core::listener::Protocol;
use crate::sys::clock;

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "knock")]
pub enum Knock {
    /// A connection, or for UDP an answer.
    Answered,
    /// A reset, or an ICMP error that says that nobody listens there.
    Refused {
        /// How soon: at once is polite, after retries is not. In JSON, milliseconds.
        #[serde(rename = "after_ms", serialize_with = "milliseconds")]
        after: Duration,
    },
    /// Any other error: no route, or an ICMP error that says it is forbidden.
    Unreachable,
    /// Nothing within the time.
    Silent,
}

impl Knock {
    /// One word for a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answers",
            Self::Refused { .. } => "refused",
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
        }
    }

    /// Whether it is a refusal.
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

fn milliseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Where to knock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// The address to knock from; the kernel's choice where there is none.
    pub from: Option<SocketAddr>,
    /// The address to knock at.
    pub to: SocketAddr,
    /// What with.
    pub protocol: Protocol,
}

/// A knock under way.
#[derive(Debug)]
pub struct Attempt {
    socket: OwnedFd,
    protocol: Protocol,
    /// What a datagram says.
    number: u32,
    /// Whether [`wait`] stays until it is settled.
    pub is_awaited: bool,
    started: Duration,
    outcome: Option<Knock>,
}

/// A socket of a protocol and a family, that never blocks.
///
/// # Errors
/// Where the kernel has none to give.
pub fn socket(protocol: Protocol, address: SocketAddr) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let (kind, number) = match protocol {
        Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
        Protocol::UdpLite => (SocketType::DGRAM, ipproto::UDPLITE),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(family, kind, flags, Some(number))?)
}

impl Attempt {
    /// Knocks, and waits for nothing. A datagram says the number, 4 bytes, the lowest first.
    ///
    /// # Errors
    /// Where there is no socket to knock with.
    pub fn start(door: &Door, number: u32) -> io::Result<Self> {
        let protocol = door.protocol;
        let mut attempt = Self {
            socket: socket(protocol, door.to)?,
            protocol,
            number,
            is_awaited: true,
            started: clock::since_boot(),
            outcome: None,
        };
        if let Some(own) = &door.from {
            rustix::net::bind(&attempt.socket, own)?;
        }
        let sent = rustix::net::connect(&attempt.socket, &door.to).and_then(|()| match protocol {
            // Where it is there already, polling says so at once.
            Protocol::Tcp => Ok(0),
            Protocol::Udp | Protocol::UdpLite => {
                rustix::net::send(&attempt.socket, &number.to_le_bytes(), SendFlags::empty())
            }
        });
        match sent {
            Ok(_) | Err(Errno::INPROGRESS) => {}
            Err(error) => attempt.failed(error),
        }
        Ok(attempt)
    }

    /// What came back so far.
    pub fn knock(&self) -> Knock {
        self.outcome.unwrap_or(Knock::Silent)
    }

    const fn settle(&mut self, outcome: Knock) {
        self.outcome = Some(outcome);
    }

    fn failed(&mut self, error: Errno) {
        let after = clock::since_boot().saturating_sub(self.started);
        self.settle(match error {
            Errno::CONNREFUSED => Knock::Refused { after },
            Errno::TIMEDOUT => Knock::Silent,
            _ => Knock::Unreachable,
        });
    }

    /// What to wait for.
    fn events(&self) -> PollFlags {
        match self.protocol {
            Protocol::Tcp => PollFlags::OUT,
            Protocol::Udp | Protocol::UdpLite => PollFlags::IN,
        }
    }

    /// Something happened at the socket.
    fn look(&mut self) -> io::Result<()> {
        if self.protocol == Protocol::Tcp {
            match sockopt::socket_error(&self.socket)? {
                Ok(()) => self.settle(Knock::Answered),
                Err(error) => self.failed(error),
            }
            return Ok(());
        }
        let mut buffer = [0; 64];
        match rustix::net::recv(&self.socket, &mut buffer, RecvFlags::empty()) {
            Ok(_) => self.settle(Knock::Answered),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => self.failed(error),
        }
        Ok(())
    }
}

/// Waits until all attempts that are awaited are settled, or the time is up; what has happened by
/// then is seen, also of the others. A datagram that has come to an inbox counts as answered.
///
/// # Errors
/// Where the kernel would not wait, or a socket can't be asked.
pub fn wait(attempts: &mut [Attempt], inboxes: &[OwnedFd], deadline: Duration) -> io::Result<()> {
    loop {
        let is_open = |attempt: &Attempt| attempt.outcome.is_none();
        let is_waiting = attempts.iter().any(|attempt| attempt.is_awaited && is_open(attempt));
        let left = match is_waiting {
            true => deadline.saturating_sub(clock::since_boot()),
            false => Duration::ZERO,
        };
        let mut open: Vec<_> = attempts.iter_mut().filter(|attempt| is_open(attempt)).collect();
        let ready: Vec<bool> = {
            let sockets = open.iter().map(|attempt| (attempt.socket.as_fd(), attempt.events()));
            let inboxes = inboxes.iter().map(|inbox| (inbox.as_fd(), PollFlags::IN));
            let mut descriptors: Vec<_> = sockets
                .chain(inboxes)
                .map(|(descriptor, events)| PollFd::from_borrowed_fd(descriptor, events))
                .collect();
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut descriptors, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            descriptors
                .iter()
                .map(|descriptor| !descriptor.revents().is_empty())
                .collect()
        };
        let (of_sockets, of_inboxes) = ready.split_at(open.len().min(ready.len()));
        for (attempt, _) in open.iter_mut().zip(of_sockets).filter(|(_, is_ready)| **is_ready) {
            attempt.look()?;
        }
        for (inbox, _) in inboxes.iter().zip(of_inboxes).filter(|(_, is_ready)| **is_ready) {
            empty(inbox, attempts);
        }
        if left.is_zero() {
            return Ok(());
        }
    }
}

/// Reads all that has come to an inbox.
fn empty(inbox: &OwnedFd, attempts: &mut [Attempt]) {
    let mut buffer = [0; 64];
    // An error is that of an answer nobody sent, or that there is nothing more.
    while let Ok((_, count)) = rustix::net::recv(inbox, &mut buffer, RecvFlags::empty()) {
        let said = buffer.get(..count).unwrap_or_default();
        let heard = attempts
            .iter_mut()
            .find(|attempt| attempt.protocol != Protocol::Tcp && attempt.number.to_le_bytes() == said);
        if let Some(attempt) = heard {
            attempt.settle(Knock::Answered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn json_has_milliseconds() {
        let after = Duration::from_micros(12_700);
        assert_eq!(
            serde_json::to_string(&[Knock::Answered, Knock::Refused { after }]).unwrap(),
            r#"[{"knock":"answered"},{"knock":"refused","after_ms":12}]"#
        );
    }

    #[test]
    fn what_came_to_an_inbox_is_answered_and_silence_is_not_waited_for() {
        let inbox = UdpSocket::bind("127.0.0.1:0").unwrap();
        inbox.set_nonblocking(true).unwrap();
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let door = |to| Door {
            from: None,
            to,
            protocol: Protocol::Udp,
        };
        let targets = [inbox.local_addr().unwrap(), silent.local_addr().unwrap(), gone];
        let mut attempts: Vec<_> = (7..)
            .zip(targets)
            .map(|(number, to)| Attempt::start(&door(to), number).unwrap())
            .collect();
        attempts[1].is_awaited = false;
        let before = clock::since_boot();
        wait(&mut attempts, &[inbox.into()], before + Duration::from_secs(60)).unwrap();
        assert!(clock::since_boot() < before + Duration::from_secs(30));
        let words: Vec<_> = attempts.iter().map(|attempt| attempt.knock().word()).collect();
        assert_eq!(words, ["answers", "silent", "refused"]);
    }
}
