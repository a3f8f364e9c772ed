//! The services of the sandbox: what one finds on a machine that grew over the years.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Child;

use crate::app::error::Error;
use crate::sys::runner::{SelfCall, spawn_self};

use super::service::READY;

/// A service of the sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// The name of its process, at most 15 characters (the kernel's limit).
    pub name: &'static str,
    /// Its sockets, as [`Socket`](super::Socket) reads them.
    pub sockets: &'static [&'static str],
}

const fn service(name: &'static str, sockets: &'static [&'static str]) -> Service {
    Service { name, sockets }
}

/// All of them: on all addresses, on one, on loopback; IPv4, IPv6, both in one socket.
pub const SERVICES: [Service; 15] = [
    service("sshd", &["tcp/0.0.0.0:22", "tcp/[::]:22"]),
    service(
        "nginx",
        &["tcp/0.0.0.0:80", "tcp/[::]:80", "tcp/0.0.0.0:443", "tcp/[::]:443"],
    ),
    service("postgres", &["tcp/0.0.0.0:5432", "tcp/[::]:5432"]),
    service("redis-server", &["tcp/127.0.0.1:6379", "tcp/[::1]:6379"]),
    service("cupsd", &["tcp/127.0.0.1:631", "tcp/[::1]:631"]),
    service(
        "avahi-daemon",
        &[
            "udp/0.0.0.0:5353",
            "udp/[::]:5353",
            "udp/0.0.0.0:48213",
            "udp/[::]:41337",
        ],
    ),
    service("dnsmasq", &["udp/192.168.7.10:53", "tcp/192.168.7.10:53"]),
    service(
        "syncthing",
        &[
            "tcp/dual/[::]:22000",
            "udp/dual/[::]:22000",
            "udp/0.0.0.0:21027",
            "tcp/127.0.0.1:8384",
        ],
    ),
    service("chronyd", &["udp/127.0.0.1:323", "udp/[::1]:323"]),
    service("snmpd", &["udp/0.0.0.0:161", "udp/[::1]:161"]),
    service("jellyfin", &["tcp/dual/[::]:8096", "udp/0.0.0.0:7359"]),
    service("smbd", &["tcp/dual/[::]:445", "tcp/dual/[::]:139"]),
    service(
        "rpcbind",
        &["tcp/0.0.0.0:111", "udp/0.0.0.0:111", "tcp/[::]:111", "udp/[::]:111"],
    ),
    service("node_exporter", &["tcp/[::]:9100"]),
    service("mosquitto", &["tcp/0.0.0.0:1883"]),
];

/// Starts them, each through a link of its name in `directory`, and waits until all listen.
pub(super) fn start(running: &mut Vec<Child>, directory: &Path) -> Result<(), Error> {
    let program = std::env::current_exe().map_err(|error| super::failed("find its own program", error))?;
    fs::create_dir_all(directory).map_err(|error| super::failed("make its directories", error))?;
    for service in SERVICES {
        let failed = |error| super::failed(&format!("start its {}", service.name), error);
        let link = directory.join(service.name);
        std::os::unix::fs::symlink(&program, &link).map_err(failed)?;
        let mut call = SelfCall::new(["sandbox-service"].iter().chain(service.sockets));
        call.through = Some(link);
        call.reads_back = true;
        running.push(spawn_self(&call).map_err(failed)?);
    }
    for (service, child) in SERVICES.iter().zip(running) {
        let mut report = String::new();
        if let Some(stdout) = child.stdout.take() {
            read_line(stdout, &mut report);
        }
        if report != READY {
            return Err(super::failed(&format!("start its {}", service.name), report.trim()));
        }
    }
    Ok(())
}

/// Reads to the end of the line: the service goes on and keeps its output open.
fn read_line(mut from: impl Read, line: &mut String) {
    let mut byte = [0];
    while !line.ends_with('\n') && from.read(&mut byte).is_ok_and(|count| count == 1) {
        line.push(char::from(byte[0]));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Socket;
    use super::*;

    #[test]
    fn names_fit_the_kernel_and_sockets_are_well_written() {
        for service in SERVICES {
            assert!(service.name.len() <= 15, "{}", service.name);
            for socket in service.sockets {
                assert!(socket.parse::<Socket>().is_ok(), "{socket}");
            }
        }
    }
}
