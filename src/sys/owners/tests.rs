use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::*;
use crate::sys::sock_diag;

fn inode_of(socket: impl AsFd) -> u32 {
    rustix::fs::fstat(socket).unwrap().st_ino.try_into().unwrap()
}

fn listeners() -> Vec<Listener> {
    sock_diag::listeners(&|_| None).unwrap()
}

fn pids(ownership: &Ownership, inode: u32) -> Vec<u32> {
    ownership
        .by_inode
        .get(&inode)
        .map(|owners| owners.iter().map(|owner| owner.pid).collect())
        .unwrap_or_default()
}

/// Who holds a socket, once that is `expected`: a process just being started by another test has a
/// copy of everything for a moment.
fn settled(inode: u32, expected: &[u32]) -> Ownership {
    let look = || owners_complete(&listeners(), &Cancel::default());
    (0..50)
        .map(|_| look())
        .find(|ownership| pids(ownership, inode) == expected)
        .unwrap_or_else(|| {
            let seen = pids(&look(), inode);
            panic!("held by {seen:?} instead of {expected:?}")
        })
}

/// A process that holds the socket as its standard input; ended when dropped.
struct Holding(Child);

impl Holding {
    #[expect(clippy::disallowed_methods, reason = "a test needs a second process")]
    fn start(program: &Path, socket: OwnedFd) -> Self {
        let process = Self(
            Command::new(program)
                // One program may be many, and goes by this name.
                .arg0("sleep")
                .arg("60")
                .stdin(socket)
                .spawn()
                .unwrap(),
        );
        // `spawn` returns in the middle of execve(2); the name is among the last things it sets.
        let name = program.file_name().unwrap().to_str().unwrap();
        let proc = Proc::open().unwrap();
        assert!((0..10_000).any(|_| proc.name(process.0.id()).as_deref() == Some(name)));
        process
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// `sleep` with a name of its own: the kernel names a process after the path it was started by. A
/// copy would be busy while another test starts a process.
fn sleep_named(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(name);
    symlink("/bin/sleep", &program).unwrap();
    program
}

#[test]
fn this_process_owns_its_sockets() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("[::1]:0").unwrap();
    let own = std::process::id();
    let quick = owners_quick(&listeners(), &Cancel::default());
    for inode in [inode_of(&tcp), inode_of(&udp)] {
        assert!(!pids(&quick, inode).is_empty());
        let complete = settled(inode, &[own]);
        let owner = &complete.by_inode[&inode][0];
        let exe = std::env::current_exe().unwrap();
        assert_eq!(owner.exe.as_deref(), exe.to_str());
        assert!(owner.user.is_some());
        assert!(!owner.name.is_empty());
    }
}

#[test]
fn everyone_who_shares_a_socket_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let inode = inode_of(&socket);
    let other = Holding::start(
        &sleep_named(folder.path(), "sharer"),
        socket.try_clone().unwrap().into(),
    );
    let mut expected = vec![std::process::id(), other.0.id()];
    expected.sort_unstable();
    settled(inode, &expected);
    assert!(!pids(&owners_quick(&listeners(), &Cancel::default()), inode).is_empty());
}

#[test]
fn sockets_on_one_port_are_told_apart() {
    let open = |port: u16| {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::DGRAM,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        rustix::net::sockopt::set_socket_reuseport(&socket, true).unwrap();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        rustix::net::bind(&socket, &address).unwrap();
        UdpSocket::from(socket)
    };
    let first = open(0);
    let second = open(first.local_addr().unwrap().port());
    let second_inode = inode_of(&second);
    let folder = tempfile::tempdir().unwrap();
    let other = Holding::start(&sleep_named(folder.path(), "second"), second.into());
    settled(inode_of(&first), &[std::process::id()]);
    settled(second_inode, &[other.0.id()]);
}

#[test]
fn a_process_may_not_write_to_the_terminal_through_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let inode = inode_of(&socket);
    let program = sleep_named(folder.path(), "a\u{1b}[2J) R\n(\u{202e}");
    let process = Holding::start(&program, socket.into());
    let ownership = settled(inode, &[process.0.id()]);
    let owners = &ownership.by_inode[&inode];
    assert_eq!(owners[0].name, "a?[2J) R?(?");
}

#[test]
fn a_socket_nobody_holds_has_no_owner() {
    let mut listener = listeners_with_own_socket().1;
    listener.inode = u32::MAX;
    for ownership in [
        owners_quick(std::slice::from_ref(&listener), &Cancel::default()),
        owners_complete(std::slice::from_ref(&listener), &Cancel::default()),
    ] {
        assert!(ownership.by_inode.is_empty());
    }
    listener.inode = 0;
    assert!(owners_quick(&[listener], &Cancel::default()).by_inode.is_empty());
}

fn listeners_with_own_socket() -> (TcpListener, Listener) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let inode = inode_of(&socket);
    let listener = listeners()
        .into_iter()
        .find(|listener| listener.inode == inode)
        .unwrap();
    (socket, listener)
}

#[test]
fn the_resolver_looks_for_new_sockets_only() {
    let (socket, first) = listeners_with_own_socket();
    let resolver = Resolver::default();
    let go_on = Cancel::default();
    let known = resolver.refresh(std::slice::from_ref(&first), &go_on);
    assert!(pids(&known, first.inode).contains(&std::process::id()));

    // What is known is not looked up again, even when it is no longer true.
    drop(socket);
    let (_other, second) = listeners_with_own_socket();
    let known = resolver.refresh(&[first.clone(), second.clone()], &go_on);
    assert!(pids(&known, first.inode).contains(&std::process::id()));
    assert!(pids(&known, second.inode).contains(&std::process::id()));

    // What is gone is forgotten.
    let known = resolver.refresh(std::slice::from_ref(&second), &go_on);
    assert_eq!(known.by_inode.keys().copied().collect::<Vec<_>>(), [second.inode]);

    let both = [first.clone(), second.clone()];
    let known = resolver.complete(&both, &go_on);
    assert_eq!(known.by_inode.keys().copied().collect::<Vec<_>>(), [second.inode]);
}

#[test]
fn who_was_not_looked_for_is_not_nobody() {
    let (_socket, first) = listeners_with_own_socket();
    let (_other, second) = listeners_with_own_socket();
    let (stopped, go_on) = (Cancel::default(), Cancel::default());
    assert!(stopped.cancel());
    for ownership in [
        owners_quick(std::slice::from_ref(&first), &stopped),
        owners_complete(std::slice::from_ref(&first), &stopped),
    ] {
        assert!(ownership.by_inode.is_empty());
        assert_eq!(ownership.unsought.iter().copied().collect::<Vec<_>>(), [first.inode]);
    }
    // What is known stays known, and what was not looked for is looked for the next time.
    let resolver = Resolver::default();
    let both = [first.clone(), second.clone()];
    assert_eq!(resolver.refresh(&both, &stopped).unsought.len(), 2);
    assert!(
        resolver
            .refresh(std::slice::from_ref(&first), &go_on)
            .unsought
            .is_empty()
    );
    for known in [resolver.refresh(&both, &stopped), resolver.complete(&both, &stopped)] {
        assert!(!pids(&known, first.inode).is_empty() && pids(&known, second.inode).is_empty());
        assert_eq!(known.unsought.iter().copied().collect::<Vec<_>>(), [second.inode]);
    }
    let known = resolver.refresh(&both, &go_on);
    assert!(known.unsought.is_empty() && !pids(&known, second.inode).is_empty());
}

#[test]
fn a_search_that_hangs_is_left_to_itself() {
    let (_socket, listener) = listeners_with_own_socket();
    let cancel = Cancel::default();
    let hangs = |_: &[Listener], cancel: &Cancel| {
        // It has begun, and nobody can stop it.
        cancel.cancel();
        thread::park();
        Ownership::default()
    };
    let found = found_unless(&cancel, std::slice::from_ref(&listener), hangs);
    assert_eq!(found.unsought.iter().copied().collect::<Vec<_>>(), [listener.inode]);
}

#[test]
fn the_ephemeral_range_is_read() {
    assert_eq!(port_range("1024\t65000\n"), Ports::new(1024, 65000));
    for text in ["", "1024", "a b", "5 4", "0 9", "1 70000"] {
        assert_eq!(port_range(text), None, "{text}");
    }
    assert!(ephemeral_ports().count() > 1);
}

#[test]
fn so_many_searches_hang_at_once_and_no_more() {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let mut hanging: Vec<UnderWay> = (0..MOST_SEARCHES).filter_map(|_| UnderWay::begin(&COUNT)).collect();
    assert_eq!(hanging.len(), MOST_SEARCHES);
    assert!(UnderWay::begin(&COUNT).is_none() && UnderWay::begin(&COUNT).is_none());
    hanging.pop();
    assert!(UnderWay::begin(&COUNT).is_some(), "one has come to its end");
}
