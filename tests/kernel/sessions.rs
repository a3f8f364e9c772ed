//! Running connections: a firewall that cuts its admin's own session is worse than none.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use fwtui::app::sandbox::Neighbour;
use fwtui::core::listener::{Family, Protocol};
use fwtui::sys::netns;

use crate::harness::{Lab, PATIENCE, in_sandbox};

/// A TCP connection from a neighbour to an echo service of the machine's.
pub struct Session(TcpStream);

impl Session {
    pub fn open(_lab: &Lab, from: Neighbour, family: Family, port: u16) -> Self {
        let machine = SocketAddr::new(from.machine().of(family), port);
        let connection = netns::enter(from.namespace(), || {
            TcpStream::connect_timeout(&machine, PATIENCE).unwrap()
        })
        .unwrap();
        Self::over(connection)
    }

    /// One that is there already.
    pub fn over(connection: TcpStream) -> Self {
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut session = Self(connection);
        assert!(session.works());
        session
    }

    /// The client speaks first; true where its words come back.
    pub fn works(&mut self) -> bool {
        let mut answer = [0; 4];
        self.0.write_all(b"ping").is_ok() && self.0.read_exact(&mut answer).is_ok() && answer == *b"ping"
    }
}

/// Refuses every new connection, and what conntrack does not know if `by_state`.
fn refuse(lab: &Lab, family: Family, by_state: bool) {
    let rule = if by_state {
        "-A INPUT -p tcp -m conntrack --ctstate ESTABLISHED -j RETURN\n\
         -A INPUT -p tcp -j REJECT --reject-with tcp-reset"
    } else {
        "-A INPUT -p tcp --syn -j REJECT --reject-with tcp-reset"
    };
    lab.load(family, rule);
}

#[test]
fn an_idle_session_survives_the_first_rules_and_a_forgetful_conntrack() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for family in Family::ALL {
            // Nothing has made the kernel track connections yet.
            let mut session = Session::open(lab, Neighbour::Public, family, 8080);
            refuse(lab, family, false);
            assert!(lab.knock(Neighbour::Public, family, Protocol::Tcp, 8080).is_refused());
            assert!(session.works(), "{family}: cut by the first rules");
            lab.run(&["conntrack", "-F"]);
            assert!(session.works(), "{family}: cut by a flush of conntrack");
        }
    });
}

#[test]
fn a_session_cut_by_rules_is_seen() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        for family in Family::ALL {
            let mut session = Session::open(lab, Neighbour::Public, family, 8080);
            refuse(lab, family, true);
            // Whether it survives the load depends on conntrack having been there before; picked up
            // in the middle it counts as new.
            lab.run(&["conntrack", "-F"]);
            assert!(!session.works(), "{family}");
        }
    });
}
