use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use super::*;
use crate::sys::cancel::Cancel;
use crate::sys::owners::owners_complete;

#[test]
fn the_chain_of_parents_starts_here_and_ends() {
    let proc = Proc::open().unwrap();
    let ancestors = ancestors(&proc, std::process::id());
    assert_eq!(ancestors[0].process, std::process::id());
    assert!(ancestors.len() > 1 && ancestors.len() < MOST_ANCESTORS);
    let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get();
    assert_eq!(i64::from(ancestors[1].process), i64::from(parent));
}

/// A process that has an accepted connection, as a session of sshd has; ended when dropped.
struct Session(Child);

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test needs a second process")]
fn a_servers_connection_is_found_through_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("dropbear");
    symlink("/bin/sleep", &program).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (accepted, peer) = server.accept().unwrap();
    let accepted = std::os::fd::OwnedFd::from(accepted);
    let session = Session(
        Command::new(&program)
            .arg0("sleep")
            .arg("60")
            .stdin(accepted)
            .spawn()
            .unwrap(),
    );

    let proc = Proc::open().unwrap();
    // `spawn` returns in the middle of execve(2), before the name is set.
    assert!((0..10_000).any(|_| proc.name(session.0.id()).as_deref() == Some("dropbear")));
    assert!(proc.processes_named(decide::is_ssh_server).contains(&session.0.id()));
    let held = sockets(&proc, &[session.0.id()]);
    let listeners = sock_diag::listeners(&|_| None).unwrap();
    let connections = sock_diag::established().unwrap();
    let mut ways = decide::ssh(
        &held,
        &connections,
        &listeners,
        &owners_complete(&listeners, &Cancel::default()),
        &[],
    );
    assert_eq!(ways.len(), 1);
    assert_eq!((ways[0].port, ways[0].peer), (port, Some(peer.ip())));

    let interfaces = crate::sys::interfaces::interfaces().unwrap();
    name_interface(&mut ways[0], &interfaces);
    assert_eq!(ways[0].interface.as_deref(), Some("lo"));
    assert_eq!(
        carriers(&proc, &ways, &interfaces, &listeners, &Ownership::default()),
        []
    );
}

#[test]
fn a_tun_nobody_holds_has_no_holders() {
    let proc = Proc::open().unwrap();
    assert_eq!(tun_holders(&proc, "no-such-tun"), [0_u32; 0]);
}
