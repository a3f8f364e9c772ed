//! A trial over SSH: what shows that a new connection gets in, and keeping with and without.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command};

use fwtui::app::sandbox::Neighbour;
use fwtui::core::listener::Family;
use fwtui::sys::netns;

use crate::lab::{Lab, in_sandbox};
use crate::terminal::{PATIENCE, Terminal};

/// The sandbox has something on 22 already.
const PORT: u16 = 2222;

/// An SSH server as far as can be seen from outside: this very process holds the user's connection,
/// and is what the screens are started from.
pub struct Server {
    listener: TcpListener,
    _session: [TcpStream; 2],
    processes: Vec<Child>,
    folder: tempfile::TempDir,
    clients: Vec<TcpStream>,
}

impl Server {
    pub fn start() -> Self {
        // A thread of the process may rename the process.
        std::fs::write("/proc/self/comm", "sshd").unwrap();
        let listener = TcpListener::bind(("0.0.0.0", PORT)).unwrap();
        let (client, session) = connect(&listener);
        let mut server = Self {
            _session: [client, session],
            processes: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
            clients: Vec::new(),
            listener,
        };
        // The listening socket is another process's, as with the server's first one.
        let listener = server.listener.try_clone().unwrap();
        server.process(listener.into());
        server
    }

    /// A new connection, with the process that a server has for each.
    pub fn accepts(&mut self) {
        let (client, accepted) = connect(&self.listener);
        self.clients.push(client);
        self.process(accepted.into());
    }

    /// A process of the server's that holds a socket.
    fn process(&mut self, socket: OwnedFd) {
        let program = self.program();
        let process = Command::new(program).arg("300").stdin(socket).spawn().unwrap();
        self.processes.push(process);
    }

    /// A program's name is that of its file.
    fn program(&self) -> PathBuf {
        let program = self.folder.path().join("sshd");
        if !program.exists() {
            std::fs::copy("/bin/sleep", &program).unwrap();
        }
        program
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

/// Both ends of a connection from the public network.
fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let machine = SocketAddr::new(Neighbour::Public.machine().of(Family::Ipv4), PORT);
    let client = netns::enter(Neighbour::Public.namespace(), || {
        TcpStream::connect_timeout(&machine, PATIENCE).unwrap()
    })
    .unwrap();
    (client, listener.accept().unwrap().0)
}

/// The screens with a trial that lets the user's own connection in.
#[track_caller]
fn on_trial(lab: &Lab, size: (u16, u16)) -> Terminal {
    lab.does(&["set", "2222/tcp", "open"]);
    let mut terminal = lab.open(size);
    terminal.answers("a", &["Apply?", "your own SSH connection"]);
    terminal.answers("y", &["TRIAL"]);
    terminal
}

/// Says keep when it is no longer too early.
#[track_caller]
fn keep(terminal: &mut Terminal, outcome: &str) {
    terminal.answers("k", &["Keep the new rules?"]);
    terminal.loses("Too early");
    terminal.answers("\r", &[outcome]);
}

#[test]
fn without_a_new_connection_it_takes_a_second_yes() {
    in_sandbox(|lab| {
        let _server = Server::start();
        let mut terminal = on_trial(lab, (80, 24));
        terminal.sees(&[
            "no new connection seen; second terminal: ssh -t -o ControlPath=none",
            "-p 2222",
            "sudo fwtui confirm",
            "protection ",
        ]);
        terminal.answers("k", &["Nothing shows yet that a new connection gets in"]);
        terminal.types("\u{1b}");
        terminal.loses("Nothing shows yet");
        keep(&mut terminal, "Keep without proof?");
        terminal.sees(&["Not kept, since nothing shows", "yes, all the same"]);
        assert_eq!(lab.status()["state"], "trial");
        // Enter is no answer; what comes after shows that it was read.
        terminal.types("\r");
        terminal.types("n");
        terminal.loses("Keep without proof?");
        assert_eq!(lab.status()["state"], "trial");
        keep(&mut terminal, "Keep without proof?");
        terminal.answers("y", &["Kept"]);
        assert_eq!(lab.becomes("confirmed")["last"]["outcome"], "confirmed");
        terminal.types("q");
        terminal.ends_well(0);
    });
}

#[test]
fn a_new_connection_is_seen_as_it_comes_and_is_enough() {
    in_sandbox(|lab| {
        let mut server = Server::start();
        let mut terminal = on_trial(lab, (80, 24));
        terminal.sees(&["no new connection seen"]);
        server.accepts();
        let peer = Neighbour::Public.addresses().of(Family::Ipv4);
        let seen = format!("new connection from {peer} to 2222/tcp, ");
        terminal.sees(&[&seen, "s ago, IPv4", "IPv6: none seen"]);
        terminal.answers("k", &["Keep the new rules?", "IPv6: none seen."]);
        terminal.types("\u{1b}");
        terminal.loses("Keep the new rules?");
        keep(&mut terminal, "Kept");
        assert!(!terminal.text().contains("proof"), "{}", terminal.text());
        assert_eq!(lab.becomes("confirmed")["last"]["outcome"], "confirmed");
        terminal.types("q");
        terminal.ends_well(0);
    });
}
