//! One of the sandbox's services: a process that listens, greets and echoes.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, listen, socket_with, sockopt};
use rustix::process::{Signal, set_parent_process_death_signal, setsid};

use crate::app::error::Error;
use crate::core::listener::Protocol;

/// What a service says once all its sockets listen.
pub(super) const READY: &str = "ready\n";

/// How long an idle connection is kept. Echoing is all they are for.
const IDLE: Duration = Duration::from_secs(600);

/// One socket of a service, written `tcp/0.0.0.0:22`, `udp/[::1]:323`, or `tcp/dual/[::]:80` for
/// one that answers IPv4 on its IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether an IPv6 socket answers IPv4 too.
    pub is_dual: bool,
}

impl Socket {
    /// A socket of one family.
    pub const fn new(protocol: Protocol, address: SocketAddr) -> Self {
        Self {
            protocol,
            address,
            is_dual: false,
        }
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dual = if self.is_dual { "/dual" } else { "" };
        write!(f, "{}{dual}/{}", self.protocol, self.address)
    }
}

impl FromStr for Socket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no socket: write tcp/0.0.0.0:22 or udp/dual/[::]:53");
        let (protocol, rest) = text.split_once('/').ok_or_else(wrong)?;
        let (is_dual, address) = rest.strip_prefix("dual/").map_or((false, rest), |rest| (true, rest));
        Ok(Self {
            protocol: protocol.parse()?,
            address: address.parse().map_err(|_error| wrong())?,
            is_dual,
        })
    }
}

/// Makes the socket and binds it; TCP listens.
///
/// # Errors
///
/// Where the kernel does not do it.
pub fn bind(socket: &Socket) -> io::Result<OwnedFd> {
    let family = match socket.address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let (kind, protocol) = match socket.protocol {
        Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
        Protocol::UdpLite => (SocketType::DGRAM, ipproto::UDPLITE),
    };
    let made = socket_with(family, kind, SocketFlags::CLOEXEC, Some(protocol))?;
    if socket.address.is_ipv6() {
        sockopt::set_ipv6_v6only(&made, !socket.is_dual)?;
    }
    if socket.protocol == Protocol::Tcp {
        sockopt::set_socket_reuseaddr(&made, true)?;
    }
    rustix::net::bind(&made, &socket.address)?;
    if socket.protocol == Protocol::Tcp {
        listen(&made, 128)?;
    }
    Ok(made)
}

/// Echoes for ever, on a TCP connection after a greeting (where there is one to give).
pub fn serve_socket(protocol: Protocol, socket: OwnedFd, greeting: &str) {
    if protocol == Protocol::Tcp {
        serve_tcp(&TcpListener::from(socket), greeting);
    } else {
        serve_udp(&UdpSocket::from(socket));
    }
}

fn serve_tcp(listener: &TcpListener, greeting: &str) {
    for connection in listener.incoming().flatten() {
        let greeting = greeting.to_owned();
        // Where there is no thread to be had, the connection is closed; its peer sees that.
        drop(
            thread::Builder::new()
                .stack_size(128 * 1024)
                .spawn(move || echo(connection, &greeting)),
        );
    }
}

fn echo(mut connection: TcpStream, greeting: &str) -> io::Result<()> {
    connection.set_read_timeout(Some(IDLE))?;
    connection.set_nodelay(true)?;
    connection.write_all(greeting.as_bytes())?;
    let mut buffer = [0; 16 * 1024];
    loop {
        match connection.read(&mut buffer)? {
            0 => return Ok(()),
            count => connection.write_all(buffer.get(..count).unwrap_or_default())?,
        }
    }
}

fn serve_udp(socket: &UdpSocket) {
    let mut buffer = [0; 2048];
    loop {
        // An error here is the echo of an earlier answer nobody waited for.
        if let Ok((count, peer)) = socket.recv_from(&mut buffer) {
            drop(socket.send_to(buffer.get(..count).unwrap_or_default(), peer));
        }
    }
}

/// The hidden verb `sandbox-service SOCKET...`: listens on all of them until the sandbox ends.
///
/// # Errors
///
/// Where a socket is written wrongly or cannot be had. The reason goes to standard output too,
/// where the sandbox reads it.
pub fn serve(sockets: &[String]) -> Result<(), Error> {
    let prepared = prepare(sockets);
    let report = prepared.as_ref().map_or_else(Clone::clone, |_| READY.to_owned());
    let mut stdout = io::stdout();
    // Nobody reads it: the sandbox ended before we could ask to be told.
    stdout
        .write_all(report.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::failed(format!("the sandbox is gone: {error}")))?;
    let bound = prepared.map_err(Error::failed)?;
    let name = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&name).file_name().unwrap_or_default();
    let greeting = format!("{}\r\n", name.to_string_lossy());
    let greeting = greeting.as_str();
    thread::scope(|scope| {
        for (protocol, socket) in bound {
            scope.spawn(move || serve_socket(protocol, socket, greeting));
        }
    });
    Ok(())
}

fn prepare(sockets: &[String]) -> Result<Vec<(Protocol, OwnedFd)>, String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| error.to_string())?;
    // Ctrl-C in the sandbox is meant for the command there. Fails only for the leader of a group,
    // whom it does not reach anyway.
    let _ = setsid();
    let mut bound = Vec::new();
    for text in sockets {
        let socket: Socket = text.parse()?;
        bound.push((
            socket.protocol,
            bind(&socket).map_err(|error| format!("{socket}: {error}"))?,
        ));
    }
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_read_as_they_are_written() {
        for text in ["tcp/0.0.0.0:22", "udp/[::1]:323", "tcp/dual/[::]:80"] {
            assert_eq!(text.parse::<Socket>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "tcp",
            "tcp/22",
            "sctp/0.0.0.0:22",
            "tcp/dual/dual/[::]:1",
            "tcp/1.2.3.4:70000",
        ] {
            assert!(text.parse::<Socket>().is_err(), "{text}");
        }
    }
}
