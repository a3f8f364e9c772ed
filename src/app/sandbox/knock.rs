//! Real packets from a neighbour, and what comes back.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, socket_with, sockopt};
use serde::{Serialize, Serializer};

use super::links::Neighbour;
use crate::app::error::Error;
use crate::core::listener::{Family, Protocol};
use crate::sys::{clock, netns};

/// What a UDP knock says; the sandbox's services say it back.
const DATAGRAM: &[u8] = b"knock";

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

/// Knocks once, from a neighbour's namespace.
///
/// # Errors
///
/// Where the namespace cannot be entered, or the neighbour has no socket to knock with.
pub fn knock(from: Neighbour, target: SocketAddr, protocol: Protocol, timeout: Duration) -> Result<Knock, Error> {
    Ok(knock_all(from, &[(target, protocol)], timeout)?
        .first()
        .copied()
        .unwrap_or(Knock::Silent))
}

/// Knocks at all targets at once; the answers are in the order of the targets.
///
/// # Errors
///
/// As for [`knock`].
pub fn knock_all(from: Neighbour, targets: &[(SocketAddr, Protocol)], timeout: Duration) -> Result<Vec<Knock>, Error> {
    netns::enter(from.namespace(), || {
        let mut attempts = targets
            .iter()
            .map(|(target, protocol)| Attempt::start(from, *target, *protocol))
            .collect::<io::Result<Vec<_>>>()?;
        wait(&mut attempts, clock::since_boot() + timeout)?;
        Ok(attempts
            .iter()
            .map(|attempt| attempt.outcome.unwrap_or(Knock::Silent))
            .collect())
    })?
    .map_err(|error: io::Error| Error::failed(format!("{} could not knock: {error}", from.name())))
}

/// A knock under way.
struct Attempt {
    socket: OwnedFd,
    protocol: Protocol,
    started: Duration,
    outcome: Option<Knock>,
}

impl Attempt {
    fn start(from: Neighbour, target: SocketAddr, protocol: Protocol) -> io::Result<Self> {
        let family = match target {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let (kind, number) = match protocol {
            Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
            Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
            Protocol::UdpLite => (SocketType::DGRAM, ipproto::UDPLITE),
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let mut attempt = Self {
            socket: socket_with(family, kind, flags, Some(number))?,
            protocol,
            started: clock::since_boot(),
            outcome: None,
        };
        // The public router and the stranger share a namespace, and the kernel would choose for both.
        if from.namespace() == Neighbour::Stranger.namespace() {
            let own = from.addresses().of(Family::of(target.ip()));
            rustix::net::bind(&attempt.socket, &SocketAddr::new(own, 0))?;
        }
        let sent = rustix::net::connect(&attempt.socket, &target).and_then(|()| match protocol {
            // Where it is there already, polling says so at once.
            Protocol::Tcp => Ok(0),
            Protocol::Udp | Protocol::UdpLite => rustix::net::send(&attempt.socket, DATAGRAM, SendFlags::empty()),
        });
        match sent {
            Ok(_) | Err(Errno::INPROGRESS) => {}
            Err(error) => attempt.failed(error),
        }
        Ok(attempt)
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

/// Waits until all attempts are settled, or the time is up.
fn wait(attempts: &mut [Attempt], deadline: Duration) -> io::Result<()> {
    loop {
        let mut open: Vec<_> = attempts
            .iter_mut()
            .filter(|attempt| attempt.outcome.is_none())
            .collect();
        let left = deadline.saturating_sub(clock::since_boot());
        if open.is_empty() || left.is_zero() {
            return Ok(());
        }
        let ready: Vec<bool> = {
            let mut descriptors: Vec<_> = open
                .iter()
                .map(|attempt| PollFd::from_borrowed_fd(attempt.socket.as_fd(), attempt.events()))
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
        for (attempt, is_ready) in open.iter_mut().zip(ready) {
            if is_ready {
                attempt.look()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_milliseconds() {
        let after = Duration::from_micros(12_700);
        assert_eq!(
            serde_json::to_string(&[Knock::Answered, Knock::Refused { after }]).unwrap(),
            r#"[{"knock":"answered"},{"knock":"refused","after_ms":12}]"#
        );
    }
}
